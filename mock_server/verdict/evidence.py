"""The evidence of one world: all that the rules may use."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from math import ceil
from operator import attrgetter
from typing import Literal, Self

from msgspec import Struct

from mock_server.core.apis import ApiFacts, Apis
from mock_server.core.deliveries import Attempt, Delivery
from mock_server.core.effects import Effect
from mock_server.core.endpoints import Endpoint
from mock_server.core.history_entries import LedgerEntry
from mock_server.core.journal import Exchange
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.verdict.requests import Request, are_together, has_failed


class Run(Struct, frozen=True):
    """How a run of the client ended. Times are real ones.

    ended_by: the client itself, or who ran it. limit_s: the longest wait that its user accepts.
    restarted_wall_ms: when it was killed and started again; None if it was not.
    """

    exit_code: int | None = None
    ended_by: Literal["itself", "judge"] | None = None
    limit_s: float | None = None
    started_wall_ms: int | None = None
    ended_wall_ms: int | None = None
    restarted_wall_ms: int | None = None

    @property
    def reached_limit(self) -> bool:
        """Whether the client was still running at the limit."""
        if self.ended_by != "judge" or self.limit_s is None:
            return False
        if self.started_wall_ms is None or self.ended_wall_ms is None:
            return False
        return self.ended_wall_ms - self.started_wall_ms >= 1000 * self.limit_s


UNKNOWN_RUN = Run()


class Reading(Struct, frozen=True):
    """How often the client had acted at a time of the machine's clock."""

    wall_ms: int
    count: int


_KILLED_MS = 2000
"""The time in which the end of a killed client's connections is seen."""


@dataclass(frozen=True)
class Evidence:
    """What happened in one world, and what is known about the client's run.

    exchanges: oldest first. archived: older ones; they are unpacked when they are used.
    lost: how many exchanges, deliveries, tasks and movements of credits
    are no longer kept. credits: the movements of each account's credits, in order.
    effects: of the faults, by their ids. secrets: the keys of the world. endpoints: by their ids.
    scale: world's seconds per real second; 0: the clock is frozen.
    control: of the same client in a world without faults. expected_jobs: how many videos the client
        was to order in all. readings: how often it acted, in the order of time.
    """

    apis: Apis
    exchanges: Sequence[Exchange]
    tasks: Mapping[str, Task]
    archived: Iterable[Exchange] = ()
    deliveries: Sequence[Delivery] = ()
    lost: int = 0
    effects: Mapping[str, Effect] = dataclasses.field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    credits: Mapping[str, Sequence[LedgerEntry]] = dataclasses.field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = dataclasses.field(default_factory=dict)
    scale: float = 1.0
    now_ms: int = 0
    run: Run = UNKNOWN_RUN
    control: "Evidence | None" = None
    expected_jobs: int | None = None
    readings: Sequence[Reading] = ()

    @classmethod
    def of(cls, world: World, apis: Apis) -> Self:
        """The evidence of a world; it does not change with the world."""
        tasks = {task.id: task for task in world.tasks}
        return cls(
            apis=apis,
            archived=world.journal.archived(),
            exchanges=[each if each.ended_ms is not None else copy(each) for each in world.journal],
            tasks=tasks,
            deliveries=[
                dataclasses.replace(each, attempts=list(map(_copied, each.attempts)))
                for each in world.deliveries
            ],
            lost=world.journal.forgotten
            + world.deliveries.evicted
            + world.expiry.forgotten_tasks
            + sum(world.ledger.rows(name).evicted for name in world.ledger.accounts),
            effects=_effects(world),
            credits={name: list(world.ledger.rows(name)) for name in world.ledger.accounts},
            endpoints={each.id: dataclasses.replace(each) for each in world.endpoints},
            secrets=frozenset(key.secret for key in world.keys),
            scale=0.0 if world.clock.frozen else world.clock.scale,
            now_ms=world.clock.now_ms(),
        )

    @cached_property
    def requests(self) -> Sequence[Request]:
        """Every request, in the order in which they began; without those about tasks that have
        expired and were deleted."""
        kept = (
            each
            for each in chain(self.archived, self.exchanges)
            if each.task is None or each.task in self.tasks
        )
        in_order = sorted(kept, key=attrgetter("number"))
        return [Request(each, number) for number, each in enumerate(in_order)]

    @cached_property
    def creates(self) -> Sequence[Request]:
        """The requests that ask for a new task."""
        return [each for each in self.requests if each.is_create]

    @cached_property
    def makers(self) -> Mapping[tuple[str | None, str | None], Request]:
        """The first create that made a task with each account and idempotency key."""
        found: dict[tuple[str | None, str | None], Request] = {}
        for each in self.creates:
            if each.key is not None and each.made is not None:
                found.setdefault((each.exchange.account, each.key), each)
        return found

    @cached_property
    def made_orders(self) -> Counter[object]:
        """How many tasks were made with each order, whatever the URLs in it."""
        return Counter(each.outline for each in self.creates if each.made is not None)

    @cached_property
    def paid_orders(self) -> Counter[object]:
        """How many tasks were made with each order and have not failed."""
        return Counter(each.call for each in self.creates if self._is_paid(each))

    @cached_property
    def paid_tasks(self) -> int:
        """How many tasks were made by creates and have not failed."""
        return self.paid_orders.total()

    def _is_paid(self, create: Request) -> bool:
        task = self.tasks.get(create.made or "")
        return task is not None and not has_failed(task, self.now_ms)

    def api_of(self, request: Request) -> ApiFacts | None:
        """The facts of the API of a request; None for paths of no API."""
        return self.apis.get(request.exchange.api or "")

    def effects_on(self, request: Request) -> list[Effect]:
        """The effects of the faults of its answer."""
        return [self.effects[each] for each in request.exchange.faults if each in self.effects]

    @cached_property
    def calls(self) -> Mapping[object, Sequence[Request]]:
        """The requests that ask for the same, in order."""
        found: dict[object, list[Request]] = {}
        for request in self.requests:
            found.setdefault(request.call, []).append(request)
        return found

    @cached_property
    def has_several_workers(self) -> bool:
        """Whether the client asks for the same twice at about the same time without need, in this
        run or in the quiet one: one worker does not."""
        pairs = chain.from_iterable(map(pairwise, self.calls.values()))
        is_in_control = self.control is not None and self.control.has_several_workers
        return is_in_control or any(one.is_ok and are_together(one, other) for one, other in pairs)

    def about(self, task_id: str) -> list[Request]:
        """The looks at a task and the downloads of its result, in order."""
        return self._by_task.get(task_id, [])

    @cached_property
    def ends_told(self) -> Mapping[str, Request]:
        """The first look at each task whose answer said that it had ended, without any fault."""
        found: dict[str, Request] = {}
        for task_id, task in self.tasks.items():
            for each in self.about(task_id):
                if each.is_look and each.shows_end_of(task):
                    found[task_id] = each
                    break
        return found

    def tasks_of(self, request: Request) -> frozenset[str]:
        """The tasks that a look or a download is about."""
        return request.tasks_in(self.tasks)

    @cached_property
    def _by_task(self) -> dict[str, list[Request]]:
        found: dict[str, list[Request]] = {}
        for request in self.requests:
            if request.is_look or request.is_download:
                for task_id in self.tasks_of(request):
                    found.setdefault(task_id, []).append(request)
        return found

    def was_killed_during(self, request: Request) -> bool:
        """Whether the client was killed and started again while this request was under way, or at
        its end."""
        killed_ms = self.run.restarted_wall_ms
        return (
            killed_ms is not None
            and request.exchange.ended_by == "caller_left"
            and abs(request.ended_wall_ms - killed_ms) <= _KILLED_MS
        )

    def waited_ms(self, earlier: Request, later: Request) -> int:
        """How long the client waited between two requests, by the machine's clock. If the world's
        clock was frozen or moved by hand meanwhile, by that one if it is more."""
        wall_ms = later.started_wall_ms - earlier.ended_wall_ms
        world_ms = later.exchange.started_ms - (earlier.exchange.ended_ms or 0)
        was_moved = self.scale == 0 or world_ms > wall_ms * self.scale + 1000 * self.scale
        return max(wall_ms, world_ms) if was_moved else wall_ms

    def world_ms(self, real_ms: int) -> int:
        """So much real time in the world's time, rounded up; of a frozen clock, the same."""
        return ceil(real_ms * (self.scale or 1))

    def price_of(self, task_id: str) -> int:
        """The credits of a task that were not given back."""
        task = self.tasks[task_id]
        return 0 if has_failed(task, self.now_ms) else task.order.price_credits

    def sends_to_endpoints(self, api: str) -> bool:
        """Whether events of this API go to webhook endpoints."""
        facts = self.apis.get(api)
        return facts is not None and facts.has_endpoints

    def deliveries_about(self, task_id: str) -> Iterator[Delivery]:
        """The deliveries of events about a task."""
        return (each for each in self.deliveries if each.event.subject == task_id)

    @property
    def own_deliveries(self) -> list[Delivery]:
        """The deliveries to a receiver of the client, not to an inbox of this server."""
        return [each for each in self.deliveries if "/_mock/inbox/" not in each.url]


def _copied(attempt: Attempt) -> Attempt:
    return attempt if attempt.ended_ms is not None else dataclasses.replace(attempt)


def _effects(world: World) -> dict[str, Effect]:
    groups = [
        world.faults,
        world.default_faults,
        *world.task_faults.values(),
        *world.asked_faults.values(),
    ]
    return {fault.id: fault.rule.effect for fault in chain.from_iterable(groups)}
