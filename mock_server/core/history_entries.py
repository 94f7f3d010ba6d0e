"""What happens in a world: a value for each kind of event.

at_ms: the world's time. wall_ms: the machine's time; None if it was not recorded. These values
contain no reference cycles, so the garbage collector skips them (`gc=False`).
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from mock_server.core.clock import ClockMode
from mock_server.core.field_types import Count, Whole
from mock_server.core.journal import EndedBy, Exchange
from mock_server.core.lifecycle import TaskState

MoveOfCredits = Literal["granted", "set", "held", "spent", "given_back"]
DeliveryWord = Literal["pending", "succeeded", "failed"]
FaultMove = Literal["armed", "removed", "bitten"]
Concerned = Literal["answer", "task", "delivery"]


class Entry(Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """An event. Its type stands in the field `type`."""

    at_ms: int
    wall_ms: int | None


class RequestStarted(Entry, frozen=True, gc=False, tag="request_started"):
    """A request has begun."""

    request: str
    method: str


class RequestEnded(Entry, frozen=True, gc=False, tag="request"):
    """A request that began at `at_ms`. ended_ms: None while it is under way."""

    request: str
    method: str
    operation: str | None
    status: Count | None
    ended_ms: int | None
    ended_wall_ms: int | None
    ended_by: EndedBy | None
    sent_bytes: Count
    task: str | None = None
    replay_of: str | None = None


class LedgerEntry(Entry, frozen=True, gc=False, tag="ledger"):
    """A movement of an account's credits.

    moved: `held` for a task, then `spent` or `given_back`; `granted`, or `set` by hand.
    amount_credits: negative only if credits were set to less. available_credits: after it; None if
    it was not recorded. request: the one that made the task.
    """

    account: str
    moved: MoveOfCredits
    amount_credits: Whole
    available_credits: Whole | None
    task: str | None = None
    request: str | None = None

    @property
    def change_credits(self) -> int:
        """By how much the available credits changed."""
        if self.moved == "spent":
            return 0
        return -self.amount_credits if self.moved == "held" else self.amount_credits


class TaskMove(Entry, frozen=True, gc=False, tag="state"):
    """A task has reached a state. by: `hand` if the control door ended it."""

    task: str
    state: TaskState
    by: Literal["time", "hand"] = "time"


class DeliveryMove(Entry, frozen=True, gc=False, tag="delivery"):
    """A delivery was made, or was given up for a reason. event: its type, such as `x.succeeded`."""

    delivery: str
    task: str
    event: str
    given_up: str | None = None


class AttemptEnded(Entry, frozen=True, gc=False, tag="attempt"):
    """An attempt that began at `at_ms` has ended.

    error: the kind of error, if there is no answer. state: of the delivery after it.
    """

    attempt: str
    delivery: str
    task: str
    ended_ms: int
    ended_wall_ms: int | None
    status: Count | None
    error: str | None
    state: DeliveryWord


class ClockMove(Entry, frozen=True, gc=False, tag="clock"):
    """The clock was moved from `at_ms` to `to_ms`, or runs differently from now on."""

    to_ms: int
    mode: ClockMode
    scale: float


class FaultChange(Entry, frozen=True, gc=False, tag="fault"):
    """A fault was armed or removed through the control door, or it has happened: `bitten`.

    It happened to the answer of `request`, to `task` (made by `request`), or to the deliveries of
    `task`, as `concerns` says.
    """

    what: FaultMove
    fault: str
    scenario: str | None = None
    channel: str | None = None
    concerns: Concerned | None = None
    request: str | None = None
    task: str | None = None


StoryChange: TypeAlias = (
    RequestEnded | LedgerEntry | TaskMove | DeliveryMove | AttemptEnded | ClockMove | FaultChange
)
"""What a story has of the changes: a request once, from its beginning to its end."""
Change: TypeAlias = RequestStarted | StoryChange
KeptOfTask: TypeAlias = RequestEnded | DeliveryMove | AttemptEnded | FaultChange
"""Events that are kept as long as their task."""


def request_entry(exchange: Exchange) -> RequestEnded:
    """The entry of a request, ended or not."""
    return RequestEnded(
        exchange.started_ms,
        exchange.started_wall_ms,
        exchange.id,
        exchange.method,
        exchange.operation,
        exchange.status,
        exchange.ended_ms,
        exchange.ended_wall_ms,
        exchange.ended_by,
        exchange.sent_bytes,
        exchange.task,
        exchange.replay_of,
    )
