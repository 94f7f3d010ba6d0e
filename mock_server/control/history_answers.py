"""The answers of the control door about the history of a world.

Each entry has a `type`. Times are of the world, and `wall` ones of the server's machine: None if
they were not recorded. links: paths of the control door by what they lead to; a request or delivery
that is no longer kept has none to lead to (404).
"""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct, field

from mock_server.control.answers import Balance, TaskState
from mock_server.core.clock import ClockMode
from mock_server.core.history_entries import Concerned, DeliveryWord, FaultMove, MoveOfCredits
from mock_server.core.journal import EndedBy

_EntryOfBoth = Literal[
    "request", "download", "ledger", "state", "delivery", "attempt", "clock", "fault"
]
EntryType = Literal[_EntryOfBoth, "looks", "twin", "no_delivery"]
"""What a story has entries of."""
ChangeType = Literal["request_started", _EntryOfBoth]
"""What a list of changes has entries of."""
Moved = MoveOfCredits


class HistoryEntry(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Something that happened. why: the reason, in one sentence; only in a story. is_odd: whether
    it is not what happens to a task that goes well."""

    at: datetime
    wall_at: datetime | None
    links: dict[str, str] = field(default_factory=dict)
    why: str | None = None
    is_odd: bool = False

    @property
    def type(self) -> str:
        """The type, as in JSON."""
        return str(type(self).__struct_config__.tag)


class StoryRequestStarted(HistoryEntry, frozen=True, kw_only=True, tag="request_started"):
    """A request has begun."""

    request: str
    method: str


class _Request(HistoryEntry, frozen=True, kw_only=True):
    request: str
    method: str
    operation: str | None
    status: int | None
    ended_at: datetime | None
    ended_wall_at: datetime | None
    ended_by: EndedBy | None
    sent_bytes: int
    task: str | None = None
    replay_of: str | None = None


class StoryRequest(_Request, frozen=True, kw_only=True, tag="request"):
    """A request from its beginning at `at`. ended_at, ended_by: None while it is under way.
    sent_bytes: of the body of its answer. replay_of: the request that made the task."""


class StoryDownload(_Request, frozen=True, kw_only=True, tag="download"):
    """A request for the video of the task. The fields are those of a request."""


class StoryLooks(HistoryEntry, frozen=True, kw_only=True, tag="looks"):
    """All reads of a task, at the time of the first.

    failed: those that were not answered with the task. after_end: those that showed its end.
    shortest_gap_s, shortest_gap_wall_s: between the beginnings of two; None for a single read.
    """

    task: str
    last_at: datetime
    last_wall_at: datetime
    count: int
    failed: int
    after_end: int
    shortest_gap_s: float | None
    shortest_gap_wall_s: float | None


class StoryLedgerRow(HistoryEntry, frozen=True, kw_only=True, tag="ledger"):
    """A movement of credits.

    amount: how many. change: of the credits that can be spent; available: those after it.
    request: the one that made the task.
    """

    account: str
    moved: Moved
    amount: int
    change: int
    available: int | None
    task: str | None = None
    request: str | None = None


class StoryState(HistoryEntry, frozen=True, kw_only=True, tag="state"):
    """A task has reached a state. by: `hand` if the control door ended it."""

    task: str
    state: TaskState
    by: Literal["time", "hand"]


class StoryDelivery(HistoryEntry, frozen=True, kw_only=True, tag="delivery"):
    """A delivery was made, or given up for a reason. event: the type of its event."""

    delivery: str
    task: str
    event: str
    given_up: str | None = None


class StoryAttempt(HistoryEntry, frozen=True, kw_only=True, tag="attempt"):
    """An attempt from its beginning at `at`. state: of the delivery after it. error: its kind."""

    attempt: str
    delivery: str
    task: str
    ended_at: datetime
    ended_wall_at: datetime | None
    status: int | None
    error: str | None
    state: DeliveryWord


class StoryClockMove(HistoryEntry, frozen=True, kw_only=True, tag="clock"):
    """The clock was moved from `at` to `to`, or runs differently from `at` on."""

    to: datetime
    mode: ClockMode
    scale: float


class StoryFault(HistoryEntry, frozen=True, kw_only=True, tag="fault"):
    """A fault was armed or removed, or it has happened (`bitten`) to what `concerns` says."""

    what: FaultMove
    fault: str
    scenario: str | None = None
    channel: str | None = None
    concerns: Concerned | None = None
    request: str | None = None
    task: str | None = None


class StoryTwin(HistoryEntry, frozen=True, kw_only=True, tag="twin"):
    """Another task of the same account with the same body, at the time when it was made.

    number: which of all with this body it is, from 1. apart_s: between the two, by the machine's
    clock; negative: the other is older. keys: whether its create had an Idempotency-Key.
    charged: how many of the two were not given back. request: the one that made it.
    """

    task: str
    twin: str
    number: int
    apart_s: float
    keys: Literal["none", "other", "unknown"]
    price_credits: int
    charged: int
    request: str | None = None


class StoryNoDelivery(HistoryEntry, frozen=True, kw_only=True, tag="no_delivery"):
    """The task has ended without a delivery. fault: the one that left it out; None: it has no
    receiver."""

    task: str
    fault: str | None = None
    scenario: str | None = None


_StoryChange: TypeAlias = (
    StoryRequest
    | StoryDownload
    | StoryLedgerRow
    | StoryState
    | StoryDelivery
    | StoryAttempt
    | StoryClockMove
    | StoryFault
)
StoryEntry: TypeAlias = _StoryChange | StoryLooks | StoryTwin | StoryNoDelivery
Change: TypeAlias = StoryRequestStarted | _StoryChange


class Story(Struct, frozen=True):
    """All that happened to one task, ordered by the world's time, then by the machine's.

    not_kept: how many requests, attempts and faults of the task are not kept.
    clock_moves_evicted: how many moves of the clock are not kept; some may belong here.
    """

    task: str
    entries: tuple[StoryEntry, ...]
    not_kept: int
    clock_moves_evicted: int


class LedgerRow(StoryLedgerRow, frozen=True, kw_only=True, tag="ledger"):
    """A movement of an account's credits. number: among all of the account."""

    number: int


class AccountLedger(Struct, frozen=True):
    """The movements of an account's credits, in the order in which they happened.

    opening: the balance before the first row, balance: after the last one; with a filter, before
    and after all rows from which it selects. evicted: how many older rows are not kept.
    """

    account: str
    opening: Balance
    balance: Balance
    rows: tuple[LedgerRow, ...]
    evicted: int


class Changes(Struct, frozen=True):
    """What happened after a cursor, in the order in which it happened.

    cursor: of the last one that was looked at, for the next call. missed: how many came after the
    given cursor and are no longer kept. more: whether there are more after `cursor`.
    """

    cursor: str
    missed: int
    more: bool
    changes: tuple[Change, ...]
