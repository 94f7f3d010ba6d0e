"""The evidence of one world: all that the rules may use."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, pairwise
from math import ceil
from operator import attrgetter
from typing import Literal, Self

from msgspec import Struct
from msgspec.structs import replace

from mock_server.core.apis import Apis, ClientFacts
from mock_server.core.deliveries import Attempt, Delivery
from mock_server.core.effects import Effect
from mock_server.core.endpoints import Endpoint
from mock_server.core.history_entries import LedgerEntry
from mock_server.core.journal import Exchange
from mock_server.core.tasks import NEVER_MS, Task
from mock_server.core.world import World
from mock_server.verdict.request_log import RequestLog, Requests
from mock_server.verdict.requests import Request, has_failed, last_part
from mock_server.verdict.sent import Sent, ended_attempts
from mock_server.verdict.workers import Connections, connections_of, has_several_workers


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


_REDIRECTS = frozenset({301, 302, 303, 307, 308})

_MOST_NEW = 2000
"""Requests that one judgement of a client that goes on adds: it delays the server by 20 ms."""

_NO_FACTS = ClientFacts()

_NUMBER, _STARTED = attrgetter("number"), attrgetter("started_wall_ms")

ON_ITS_WAY_MS = 1000
"""Real time that a request may be on its way, on a busy machine."""

_KILLED_MS = 2000
"""The time in which the end of a killed client's connections is seen."""


@dataclass(frozen=True)
class Evidence:
    """What happened in one world, and what is known about the client's run.

    log: has the exchanges that have ended. under_way: the others. lost: how many exchanges,
    deliveries, tasks and movements of credits are no longer kept, besides those that the log has
    lost. so_far: whether the client goes on: then a task is paid for if it will not fail, and
    requests under way are left out. credits: the movements of each account's credits, in order.
    effects: of the faults, by their ids. secrets: the keys of the world.
    scale: world's seconds per real second; 0: the clock is frozen.
    control: of the same client in a world without faults. expected_jobs: how many videos the client
        was to order in all. readings: how often it acted, in the order of time.
    """

    apis: Apis
    log: RequestLog
    under_way: Sequence[Exchange]
    tasks: Mapping[str, Task]
    deliveries: Sequence[Delivery] = ()
    lost: int = 0
    effects: Mapping[str, Effect] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    credits: Mapping[str, Sequence[LedgerEntry]] = field(default_factory=dict)
    endpoints: Sequence[Endpoint] = ()
    scale: float = 1.0
    now_ms: int = 0
    so_far: bool = False
    run: Run = UNKNOWN_RUN
    control: "Evidence | None" = None
    expected_jobs: int | None = None
    readings: Sequence[Reading] = ()

    @classmethod
    def of(cls, world: World, apis: Apis, *, so_far: bool = False) -> Self:
        """The evidence of a world. It does not change with the world once its requests are used."""
        log = RequestLog.of(world.journal)
        under_way = log.take()
        return cls(
            apis=apis,
            log=log,
            under_way=[] if so_far else under_way,
            tasks={task.id: task for task in world.tasks},
            deliveries=[
                replace(each, attempts=list(map(_copied, each.attempts)))
                for each in world.deliveries
            ],
            lost=world.journal.forgotten
            + world.deliveries.evicted
            + world.expiry.forgotten_tasks
            + sum(world.ledger.rows(name).evicted for name in world.ledger.accounts),
            effects=_effects(world),
            credits={name: list(world.ledger.rows(name)) for name in world.ledger.accounts},
            endpoints=[replace(each) for each in world.endpoints],
            secrets=frozenset(key.secret for key in world.keys),
            scale=0.0 if world.clock.frozen else world.clock.scale,
            now_ms=world.clock.now_ms(),
            so_far=so_far,
        )

    @cached_property
    def _seen(self) -> Requests:
        most_new = _MOST_NEW if self.so_far else None
        return self.log.requests(self.under_way, self.tasks, most_new)

    @cached_property
    def maker_of(self) -> Mapping[str, Request]:
        """The create that made each task."""
        return {each.made: each for each in self.creates if each.made is not None}

    @cached_property
    def redirects(self) -> Mapping[str, Sequence[Request]]:
        """The requests whose answer was a redirect, by the last part of the path it led to."""
        found: dict[str, list[Request]] = {}
        for each in self.requests:
            if each.status in _REDIRECTS and each.location is not None:
                found.setdefault(last_part(each.location.partition("?")[0]), []).append(each)
        return found

    @cached_property
    def faulty_wall_ms(self) -> Sequence[int]:
        """When the requests began that a fault met, by the machine's clock, in order."""
        return sorted(each.started_wall_ms for each in self.requests if each.exchange.faults)

    @cached_property
    def returns_ms(self) -> Mapping[str, Sequence[int]]:
        """When each account got credits, in the world's time and in order: given back by a failed
        task, or set by hand. Those that it was made with do not count."""
        return {
            account: [
                row.at_ms
                for row in rows
                if row.moved in {"set", "given_back"} and row.change_credits > 0
            ]
            for account, rows in self.credits.items()
        }

    @cached_property
    def not_kept(self) -> int:
        """How much that rules need is no longer kept, of the quiet run either."""
        control = 0 if self.control is None else self.control.not_kept
        return self.lost + self._seen.lost + control

    @property
    def requests(self) -> Sequence[Request]:
        """Every request, in the order in which they began."""
        return self._seen.all

    @property
    def creates(self) -> Sequence[Request]:
        """The requests that ask for a new task."""
        return self._seen.creates

    @property
    def calls(self) -> Mapping[object, Sequence[Request]]:
        """The requests that ask for the same, in order."""
        return self._seen.calls

    def about(self, task_id: str) -> Sequence[Request]:
        """The looks at a task and the downloads of its result, in order."""
        return self._seen.about.get(task_id, ())

    def looks_at(self, task_id: str) -> list[Request]:
        """The looks at a task, in order, also those at several tasks."""
        return [each for each in self.about(task_id) if each.is_look]

    def downloads_of(self, task_id: str) -> list[Request]:
        """The downloads of a task's result, in order; many requests for ranges are one download."""
        return [each for each in self.about(task_id) if each.is_download]

    @cached_property
    def makers(self) -> Mapping[tuple[str | None, str | None], Request]:
        """The first create that made a task with each account and idempotency key."""
        found: dict[tuple[str | None, str | None], Request] = {}
        for each in self.creates:
            if each.key is not None and each.made is not None:
                found.setdefault((each.exchange.account, each.key), each)
        return found

    @cached_property
    def lost_creates(self) -> Sequence[Request]:
        """The creates that made a task whose id their callers were not told.

        Those that ended because the client was killed are left out: it had no time to note
        anything."""
        return [
            each
            for each in self.creates
            if each.made is not None
            and not each.told_task
            and not each.is_open
            and each.exchange.ended_by != "server_stopped"
            and not each.says_no
            and not self.was_killed_during(each)
        ]

    @cached_property
    def made_orders(self) -> Counter[object]:
        """How many tasks were made with each order, whatever the URLs in it."""
        return Counter(each.outline for each in self.creates if each.made is not None)

    @cached_property
    def paid_orders(self) -> Counter[object]:
        """How many tasks were made with each order and have not failed. Those that an answer denied
        do not count: their client was right to order again."""
        return Counter(each.call for each in self.creates if self._is_paid(each))

    @cached_property
    def paid_tasks(self) -> int:
        """How many tasks were made by creates and have not failed."""
        return self.paid_orders.total()

    def _is_paid(self, create: Request) -> bool:
        task = self.tasks.get(create.made or "")
        at_ms = NEVER_MS if self.so_far else self.now_ms
        return task is not None and not has_failed(task, at_ms) and not create.says_no

    def client_facts(self, api: str | None) -> ClientFacts:
        """What the documents of an API ask of clients; of no API, nothing."""
        facts = self.apis.get(api or "")
        return _NO_FACTS if facts is None else facts.of_clients

    def effects_on(self, request: Request) -> list[Effect]:
        """The effects of the faults of its answer."""
        return [self.effects[each] for each in request.exchange.faults if each in self.effects]

    def could_know(self, told: Request, sent: Request) -> bool:
        """Whether the client could know the answer to one request when it sent the other.

        That one began when the answer had been sent. Of several workers, one may have sent its
        request before another worker had its answer: a busy machine shows it only later."""
        if not sent.is_after(told):
            return False
        waited_ms = sent.started_wall_ms - told.ended_wall_ms
        return waited_ms > ON_ITS_WAY_MS or not self.has_several_workers

    def following(self, told: Request, requests: Sequence[Request]) -> Iterator[Request]:
        """Those of some requests, which are in order, that can follow from an answer."""
        first = bisect_right(requests, told.number, key=_NUMBER)
        if self.has_several_workers:
            known_ms = told.ended_wall_ms + ON_ITS_WAY_MS
            first = max(first, bisect_right(requests, known_ms, key=_STARTED))
        later = (requests[place] for place in range(first, len(requests)))
        return (each for each in later if self.could_know(told, each))

    @cached_property
    def usual_pause_ms(self) -> int:
        """The usual pause between two looks at a task, by the machine's clock; 0: there is none."""
        pauses_ms = sorted(
            later.started_wall_ms - one.ended_wall_ms
            for group in self.calls.values()
            for one, later in pairwise(group)
            if one.is_look and one.is_ok
        )
        return pauses_ms[len(pauses_ms) // 2] if pauses_ms else 0

    @cached_property
    def has_several_workers(self) -> bool:
        """Whether the client has several requests under way at once, in this run or in the quiet
        one."""
        is_in_control = self.control is not None and self.control.has_several_workers
        return is_in_control or has_several_workers(
            self.requests, self.calls.values(), self._polls(), self.connections
        )

    def _polls(self) -> Iterator[Sequence[Request]]:
        """The requests that ask for the same; of looks, those until the end was told."""
        for group in self.calls.values():
            ends = (self.ends_told.get(task_id) for task_id in self.tasks_of(group[0]))
            last = min((each.number for each in ends if each is not None), default=group[-1].number)
            yield [each for each in group if each.number <= last]

    @cached_property
    def connections(self) -> Connections:
        """How the client's connections were used."""
        return connections_of(self.requests)

    @cached_property
    def ends_told(self) -> Mapping[str, Request]:
        """The first look at each task whose answer said that it had ended, without any fault."""
        found: dict[str, Request] = {}
        for task_id, task in self.tasks.items():
            for each in self.looks_at(task_id):
                if each.shows_end_of(task):
                    found[task_id] = each
                    break
        return found

    def tasks_of(self, request: Request) -> frozenset[str]:
        """The tasks that a look or a download is about."""
        return request.tasks_in(self.tasks)

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

    def deliveries_about(self, task_id: str) -> Sequence[Delivery]:
        """The deliveries of events about a task."""
        return self._by_subject.get(task_id, ())

    @cached_property
    def _by_subject(self) -> Mapping[str, Sequence[Delivery]]:
        found: dict[str, list[Delivery]] = {}
        for each in self.deliveries:
            found.setdefault(each.event.subject, []).append(each)
        return found

    @cached_property
    def sent(self) -> Sequence[Sent]:
        """The attempts at deliveries to the client's receiver that have ended, in order."""
        sent = chain.from_iterable(map(ended_attempts, self.own_deliveries))
        return sorted(sent, key=lambda each: each.attempt.started_ms)

    def sent_about(self, task_id: str) -> Sequence[Sent]:
        """The attempts at the client's receiver with events about a task. An inbox of this server
        is no receiver of the client: it never learns what comes there."""
        return self._sent_by_subject.get(task_id, ())

    @cached_property
    def _sent_by_subject(self) -> Mapping[str, Sequence[Sent]]:
        found: dict[str, list[Sent]] = {}
        for each in self.sent:
            found.setdefault(each.event.subject, []).append(each)
        return found

    @cached_property
    def tasks_told(self) -> Mapping[str, Sequence[Sent]]:
        """The true events that the client's receiver accepted, by their tasks."""
        told = {
            task_id: [each for each in sent if each.was_accepted and each.is_genuine]
            for task_id, sent in self._sent_by_subject.items()
            if task_id in self.tasks
        }
        return {task_id: sent for task_id, sent in told.items() if sent}

    @cached_property
    def own_deliveries(self) -> list[Delivery]:
        """The deliveries to a receiver of the client, not to an inbox of this server."""
        return [each for each in self.deliveries if "/_mock/inbox/" not in each.url]


def _copied(attempt: Attempt) -> Attempt:
    return attempt if attempt.ended_ms is not None else replace(attempt)


def _effects(world: World) -> dict[str, Effect]:
    groups = [
        world.faults,
        world.default_faults,
        *world.task_faults.values(),
        *world.asked_faults.values(),
    ]
    return {fault.id: fault.rule.effect for fault in chain.from_iterable(groups)}
