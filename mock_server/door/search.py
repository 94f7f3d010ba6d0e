"""Search for requests, tasks and deliveries by any of their words, over all that is kept."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from itertools import chain
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta
from starlette.responses import Response

from mock_server.control import answers
from mock_server.core.apis import ApiName
from mock_server.core.deliveries import Delivery, DeliveryState
from mock_server.core.journal import Exchange
from mock_server.core.lifecycle import TaskState
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.door.deliveries import delivery_answer
from mock_server.door.journal_export import Record
from mock_server.door.queries import Query
from mock_server.door.tasks import task_answer
from mock_server.door.worlds import world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.timestamps import moment_text

Item = TypeVar("Item", Exchange, Task, Delivery)
Kind = Literal["requests", "tasks", "deliveries"]
_encode = msgspec.json.Encoder(enc_hook=moment_text).encode
_MOST_WORDS, _LONGEST = 20, 1000


class SearchQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """q: words, all of which an item has: in ids, names, headers, bodies, codes; case is ignored.
    kind: only these. failed, charged: only such items. api: only of this API.
    scenario: only items with this scenario, `any`: with one.
    before: only items older than the one with this id. limit: the newest so many of each kind."""

    q: str | None = None
    kind: Kind | None = None
    failed: Literal["true"] | None = None
    charged: Literal["true"] | None = None
    api: ApiName | None = None
    scenario: str | None = None
    before: str | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200

    def __post_init__(self) -> None:
        if len(self.q or "") > _LONGEST:
            raise ValueError(f"q has more than {_LONGEST} characters")


SEARCH: Query[SearchQuery] = Query(SearchQuery)


async def search_world(call: Call) -> Response:
    """GET /_mock/worlds/{world}/search: requests, tasks and deliveries that have all words of `q`.
    A task has the words of its requests and deliveries, too. The oldest first; `more` has the kinds
    of which older ones match as well: ask again with `before`."""
    search = _Search(world_of(call), SEARCH.of(call))
    # In a thread: it may read every body that is kept.
    return json_response(await asyncio.to_thread(search.run))


class _Search:
    """One search of a world, in what was kept when it began."""

    def __init__(self, world: World, asked: SearchQuery) -> None:
        self._world, self._asked, self._record = world, asked, Record(world)
        self._requests, self._tasks = list(world.journal), list(world.tasks)
        self._deliveries = list(world.deliveries)
        words = (asked.q or "").lower().split()[:_MOST_WORDS]
        self._words = [(word, json.dumps(word)[1:-1].lower()) for word in words]
        self._more: list[Kind] = []

    def run(self) -> answers.SearchResult:
        """What was found."""
        of_request, of_task = self._record.shown, partial(task_answer, self._world)
        of_delivery = partial(delivery_answer, self._world)
        return answers.SearchResult(
            requests=self._page("requests", self._requests, self._has_request, of_request),
            tasks=self._page("tasks", self._tasks, self._has_task, of_task),
            deliveries=self._page("deliveries", self._deliveries, self._has_delivery, of_delivery),
            more=tuple(self._more),
        )

    def _page(
        self,
        kind: Kind,
        items: Sequence[Item],
        has: Callable[[Item], bool],
        show: Callable[[Item], Any],
    ) -> tuple[Any, ...]:
        """The newest matching items of a kind as they are shown. What is shown has the words
        itself, so that nothing can be learned about what is hidden."""
        if self._asked.kind not in (None, kind):
            return ()
        found: list[Any] = []
        for item in _older_than(items, self._asked.before):
            if not has(item):
                continue
            if len(found) == self._asked.limit:
                self._more.append(kind)
                break
            shown = show(item)
            if kind == "tasks" or self._has_words(_encode(shown)):
                found.append(shown)
        return tuple(reversed(found))

    def _has_request(self, exchange: Exchange) -> bool:
        asked = self._asked
        if asked.api not in (None, exchange.api) or not self._has_scenario(exchange.scenario):
            return False
        if asked.failed and exchange.status is not None and exchange.status < 400:
            return False
        if asked.charged:
            task = self._world.tasks.get(exchange.task or "")
            made = exchange.operation == "create" and exchange.replay_of is None
            if not made or task is None or not self._is_charged(task):
                return False
        return not self._words or self._has_words(_text_of_request(exchange))

    def _has_delivery(self, delivery: Delivery) -> bool:
        asked = self._asked
        if asked.charged or asked.api not in (None, delivery.event.api) or asked.scenario:
            return False
        if asked.failed and delivery.state is not DeliveryState.FAILED:
            return False
        return not self._words or self._has_words(_text_of_delivery(delivery))

    def _has_task(self, task: Task) -> bool:
        """Whether a task matches; its requests and deliveries have its words, too."""
        asked = self._asked
        if asked.api not in (None, task.order.api) or not self._has_scenario(task.planned.scenario):
            return False
        if asked.failed and self._world.state_of(task) is not TaskState.FAILED:
            return False
        if asked.charged and not self._is_charged(task):
            return False
        if not self._words or task.id in self._related:
            return True
        return self._has_words(_text_of_task(self._world, task)) and self._has_words(
            _encode(task_answer(self._world, task))
        )

    @cached_property
    def _related(self) -> set[str]:
        """The tasks of requests and deliveries that have the words."""
        of_requests = {
            each.task
            for each in self._requests
            if each.task is not None
            and self._has_words(_text_of_request(each))
            and self._has_words(_encode(self._record.shown(each)))
        }
        return of_requests | {
            each.event.subject
            for each in self._deliveries
            if self._has_words(_text_of_delivery(each))
            and self._has_words(_encode(delivery_answer(self._world, each)))
        }

    def _has_words(self, text: bytes) -> bool:
        lower = text.decode(errors="replace").lower()
        return all(word in lower or escaped in lower for word, escaped in self._words)

    def _has_scenario(self, scenario: str | None) -> bool:
        wanted = self._asked.scenario
        return wanted is None or (scenario is not None and wanted in ("any", *scenario.split(", ")))

    def _is_charged(self, task: Task) -> bool:
        return self._world.state_of(task) is not TaskState.FAILED


def _older_than(items: Sequence[Item], before: str | None) -> Iterable[Item]:
    """The items before the one with this id, the newest first; all, if it is not kept."""
    if before is not None and before in (ids := [each.id for each in items]):
        items = items[: ids.index(before)]
    return reversed(items)


def _text_of_request(exchange: Exchange) -> bytes:
    headers = chain.from_iterable((*exchange.request_headers, *exchange.answer_headers))
    names = (
        exchange.id,
        exchange.method,
        f"{exchange.path}?{exchange.query}",
        str(exchange.status or ""),
        exchange.account,
        exchange.api,
        exchange.operation,
        exchange.scenario,
        exchange.task,
        exchange.refusal,
    )
    words = [name.encode(errors="surrogateescape") for name in names if name]
    return b"\n".join([*words, *headers, exchange.request_body, exchange.answer_body])


def _text_of_task(world: World, task: Task) -> bytes:
    order = task.order
    names = (
        task.id,
        order.api,
        order.account,
        order.model,
        order.callback_url,
        world.state_of(task).value,
        task.planned.reason,
    )
    return b"\n".join([*(name.encode() for name in names if name), order.request])


def _text_of_delivery(delivery: Delivery) -> bytes:
    event = delivery.event
    names = [delivery.id, delivery.url, event.id, event.type, delivery.state.value]
    names += [event.subject, delivery.given_up or ""]
    parts = [name.encode(errors="surrogateescape") for name in names]
    for attempt in delivery.attempts:
        parts += [attempt.id.encode(), attempt.outcome.encode(), attempt.answer_body]
        if attempt.outgoing is not None:
            parts += [part.encode() for header in attempt.outgoing.headers for part in header]
            parts.append(attempt.outgoing.body)
    return b"\n".join(parts)
