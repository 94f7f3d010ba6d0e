"""The reasons in a story: why an entry is as it is, in one sentence, and whether it is odd."""

from collections.abc import Sequence

from mock_server.core.history_entries import (
    AttemptEnded,
    ClockMove,
    DeliveryMove,
    FaultChange,
    LedgerEntry,
    RequestEnded,
    TaskMove,
)
from mock_server.core.lifecycle import FailureReason, TaskState
from mock_server.core.story import LooksEntry, NoDelivery, StoryEntry
from mock_server.core.tasks import NEVER_MS, Task
from mock_server.core.twins import TwinEntry
from mock_server.core.world import World
from mock_server.door.explanations import because, scenario_name
from mock_server.door.journal_export import Record

_FAILURES: dict[FailureReason, str] = {
    "moderation": "The content was refused by moderation.",
    "bad_input": "The input could not be used.",
    "upstream_outage": "The model's provider had an outage.",
    "timeout": "The generation took too long.",
}
_NTH = {1: "The first task", 2: "A second task", 3: "A third task"}
_REPEATED_MS = 60_000
"""Equal creates within this time are odd: usually a repetition, and not a new wish."""


class StoryReasons:
    """The reasons for the entries of one story."""

    def __init__(self, world: World, task: Task, entries: Sequence[StoryEntry]) -> None:
        self._world = world
        self._task = task
        self._accepted = {
            each.delivery
            for each in entries
            if isinstance(each, AttemptEnded) and each.state == "succeeded"
        }

    def is_odd(self, entry: StoryEntry) -> bool:
        """Whether it is not what happens to a task that goes well."""
        match entry:
            case RequestEnded():
                return entry.ended_ms is not None and (
                    entry.ended_by != "answered" or (entry.status or 0) >= 400
                )
            case LooksEntry(looks=looks):
                return looks.failed > 0
            case TaskMove():
                return entry.state is TaskState.FAILED or self._never_ends(entry)
            case AttemptEnded():
                return not _was_accepted(entry)
            case DeliveryMove():
                return entry.given_up is not None
            case FaultChange(what="bitten") | NoDelivery(fault=str()):
                return True
            case TwinEntry():
                return entry.charged == 2 and abs(entry.apart_ms) <= _REPEATED_MS
        return False

    def why(self, entry: StoryEntry) -> str | None:
        """The reason; None if there is nothing to say."""
        match entry:
            case RequestEnded():
                return self._of_request(entry)
            case TaskMove():
                return self._of_state(entry)
            case AttemptEnded():
                return self._of_attempt(entry)
        return _of_others(entry)

    def _of_request(self, entry: RequestEnded) -> str | None:
        exchange = self._world.journal.get(entry.request)
        is_plain = not self.is_odd(entry) and entry.replay_of is None
        if exchange is not None and not (is_plain and not exchange.faults and not exchange.ignored):
            reason = because(self._world, Record(self._world).redacted(exchange))
            return _sentence(reason)
        if entry.ended_ms is None:
            return "It is under way."
        if entry.ended_by == "caller_left":
            return "The caller closed the connection before the whole answer was sent."
        if entry.ended_by == "reset_by_fault":
            return "A fault closed the connection before the whole answer was sent."
        return None

    def _of_state(self, entry: TaskMove) -> str | None:
        scenario = self._task.planned.scenario
        if self._never_ends(entry):
            as_planned = f", as the scenario '{scenario}' has it" if scenario else ""
            return f"It never ends by itself{as_planned}."
        if entry.by == "hand":
            return "It was ended by hand, through the control door."
        if entry.state is TaskState.FAILED:
            decided = f" The scenario '{scenario}' decided it." if scenario else ""
            return _FAILURES[self._task.planned.reason] + decided
        return None

    def _never_ends(self, entry: TaskMove) -> bool:
        is_last = entry.state is TaskState.PROCESSING
        return is_last and self._task.planned.ends_ms == NEVER_MS

    def _of_attempt(self, entry: AttemptEnded) -> str | None:
        if _was_accepted(entry):
            return None
        happened = f"the receiver answered {entry.status}"
        if entry.status is None:
            happened = _in_words(entry.error or "")
        if entry.delivery in self._accepted:
            rest = "another attempt of the same event was accepted"
        elif entry.state == "pending":
            rest = "the event is sent again"
        else:
            rest = "no more attempts are made"
        return _sentence(f"{happened}; {rest}")


def _of_others(entry: StoryEntry) -> str | None:
    """The reason for an entry that says everything itself."""
    match entry:
        case TwinEntry():
            return _of_twin(entry)
        case LooksEntry(looks=looks) if looks.failed:
            return f"{looks.failed} of {looks.count} were not answered with the task."
        case LedgerEntry(moved="given_back"):
            return "The task failed, so nothing is charged for it."
        case DeliveryMove(given_up=str() as given_up):
            return _sentence(f"it is given up: {given_up}")
        case NoDelivery():
            return _of_missing_delivery(entry)
        case FaultChange(what="bitten"):
            return _of_fault(entry)
        case ClockMove():
            return _of_clock(entry)
    return None


def _of_fault(entry: FaultChange) -> str:
    channel = f", asked for through the {entry.channel}," if entry.channel else ""
    target = {
        "answer": "changed the answer to this request",
        "task": "decides how the task goes",
        "delivery": "changes the deliveries of the task",
    }
    return _sentence(f"{scenario_name(entry.scenario)}{channel} {target[entry.concerns or 'task']}")


def _was_accepted(entry: AttemptEnded) -> bool:
    return entry.status is not None and 200 <= entry.status < 300


def _in_words(error: str) -> str:
    """What an error of an attempt means. error: its kind."""
    if error == "ConnectError":
        return "the receiver could not be reached"
    if error in {"ReadError", "RemoteProtocolError", "WriteError"}:
        return "the receiver closed the connection without a whole answer"
    return error or "there was no answer"


def _of_twin(entry: TwinEntry) -> str:
    name = _NTH.get(entry.number, f"Task number {entry.number}")
    direction = "later" if entry.apart_ms >= 0 else "earlier"
    apart = f"{_duration(abs(entry.apart_ms))} {direction}"
    keys = {
        "none": ", no Idempotency-Key",
        "other": ", with another Idempotency-Key",
        "unknown": "",
    }
    charged = {2: "both charged", 1: "one of the two charged", 0: "neither charged"}
    text = f"{name} with the same body, {apart}{keys[entry.keys]}"
    return f"{text}: {charged[entry.charged]}."


def _of_missing_delivery(entry: NoDelivery) -> str:
    if entry.fault is not None:
        return f"No callback comes: {scenario_name(entry.scenario)} left it out."
    return (
        "No callback comes, because it has no receiver: the create has no callback_url, and no "
        "webhook endpoint was active for this event."
    )


def _of_clock(entry: ClockMove) -> str:
    if entry.to_ms > entry.at_ms:
        return f"The clock was moved by {_duration(entry.to_ms - entry.at_ms)}."
    if entry.mode == "frozen":
        return "The clock stands still from here on."
    speed = "real time" if entry.scale == 1 else f"{entry.scale:g} times real time"
    return f"The clock runs from here on, in {speed}."


def _duration(ms: int) -> str:
    """A duration in words: "2 ms", "1.5 s", "2 min 5 s"."""
    if ms < 1000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{ms / 1000:.4g} s"
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _sentence(clause: str) -> str:
    """A clause with a capital letter and a full stop."""
    return clause[:1].upper() + clause[1:] + ("" if clause.endswith((".", "!", "?")) else ".")
