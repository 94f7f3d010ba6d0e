"""Search for requests, tasks and deliveries by any of their words, over all that is kept."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
_encode = msgspec.json.Encoder(enc_hook=moment_text).encode
_MOST_WORDS, _LONGEST = 20, 1000


class SearchQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """q: words, all of which an item has: in ids, names, headers, bodies, codes; case is ignored.
    kind: only these. failed, charged: only such items. api: only of this API.
    scenario: only items with this scenario, `any`: with one.
    before: only items older than the one with this id. limit: the newest so many of each kind."""

    q: str | None = None
    kind: Literal["requests", "tasks", "deliveries"] | None = None
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
    world, asked = world_of(call), SEARCH.read(call)
    search = _Search(world, asked)
    # In a thread: it may read every body that is kept.
    found = await asyncio.to_thread(search.run)
    return json_response(found)


@dataclass
class _Kept:
    """What was kept when the search began, the oldest first."""

    requests: list[Exchange]
    tasks: list[Task]
    deliveries: list[Delivery]


class _Search:
    """One search of a world."""

    def __init__(self, world: World, asked: SearchQuery) -> None:
        self._world, self._asked, self._record = world, asked, Record(world)
        self._kept = _Kept(list(world.journal), list(world.tasks), list(world.deliveries))
        words = (asked.q or "").lower().split()[:_MOST_WORDS]
        self._words = [(word, json.dumps(word)[1:-1].lower()) for word in words]
        self._more: list[Literal["requests", "tasks", "deliveries"]] = []

    def run(self) -> answers.SearchResult:
        """What was found."""
        kept, show = self._kept, self._record.shown
        return answers.SearchResult(
            requests=self._page("requests", kept.requests, self._has_request, show),
            tasks=self._page("tasks", kept.tasks, self._task_test(), self._task_shown),
            deliveries=self._page(
                "deliveries", kept.deliveries, self._has_delivery, self._delivery_shown
            ),
            more=tuple(self._more),
        )

    def _page(
        self,
        kind: Literal["requests", "tasks", "deliveries"],
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

    def _task_shown(self, task: Task) -> answers.Task:
        return task_answer(self._world, task)

    def _delivery_shown(self, delivery: Delivery) -> answers.Delivery:
        return delivery_answer(self._world, delivery)

    def _has_request(self, exchange: Exchange) -> bool:
        asked = self._asked
        if asked.api not in (None, exchange.api) or not self._has_scenario(exchange.scenario):
            return False
        if asked.failed and exchange.status is not None and exchange.status < _ERROR:
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

    def _task_test(self) -> Callable[[Task], bool]:
        """A function that tests a task, with the words of its requests and deliveries."""
        if self._asked.kind not in (None, "tasks"):
            return lambda _: False
        related = self._related() if self._words else set()

        def has(task: Task) -> bool:
            asked, order = self._asked, task.order
            if asked.api not in (None, order.api) or not self._has_scenario(task.planned.scenario):
                return False
            if asked.failed and self._world.state_of(task) is not TaskState.FAILED:
                return False
            if asked.charged and not self._is_charged(task):
                return False
            if not self._words or task.id in related:
                return True
            if not self._has_words(_text_of_task(self._world, task)):
                return False
            return self._has_words(_encode(self._task_shown(task)))

        return has

    def _related(self) -> set[str]:
        """The tasks of requests and deliveries that have the words."""
        exchanges = [
            each
            for each in self._kept.requests
            if each.task is not None and self._has_words(_text_of_request(each))
        ]
        deliveries = [
            each for each in self._kept.deliveries if self._has_words(_text_of_delivery(each))
        ]
        return {
            each.task or ""
            for each in exchanges
            if self._has_words(_encode(self._record.shown(each)))
        } | {
            each.event.subject
            for each in deliveries
            if self._has_words(_encode(self._delivery_shown(each)))
        }

    def _has_words(self, text: bytes) -> bool:
        lower = text.decode(errors="replace").lower()
        return all(word in lower or escaped in lower for word, escaped in self._words)

    def _has_scenario(self, scenario: str | None) -> bool:
        wanted = self._asked.scenario
        return wanted is None or (scenario is not None and wanted in ("any", *scenario.split(", ")))

    def _is_charged(self, task: Task) -> bool:
        return self._world.state_of(task) is not TaskState.FAILED


_ERROR = 400


def _older_than(items: Sequence[Item], before: str | None) -> Iterable[Item]:
    """The items before the one with this id, the newest first; all, if it is not kept."""
    newest_first = reversed(items)
    if before is not None and any(each.id == before for each in items):
        for each in newest_first:
            if each.id == before:
                break
    return newest_first


def _text_of_request(exchange: Exchange) -> bytes:
    headers = [
        part
        for name, value in (*exchange.request_headers, *exchange.answer_headers)
        for part in (name, value)
    ]
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
    names = [
        delivery.id,
        delivery.url,
        delivery.event.id,
        delivery.event.type,
        delivery.state.value,
    ]
    names += [delivery.event.subject, delivery.given_up or ""]
    parts = [name.encode(errors="surrogateescape") for name in names]
    for attempt in delivery.attempts:
        parts += [attempt.id.encode(), attempt.outcome.encode(), attempt.answer_body]
        if attempt.outgoing is not None:
            parts += [part.encode() for header in attempt.outgoing.headers for part in header]
            parts.append(attempt.outgoing.body)
    return b"\n".join(parts)
