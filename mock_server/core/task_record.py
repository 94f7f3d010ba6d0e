"""What happened to one task, kept as long as the task: at most some 300 bytes without events.

What follows from the task itself is not repeated: its times, its account and its price.
"""

from struct import Struct as Layout
from typing import Annotated, get_args

from msgspec import Meta, Struct
from msgspec.structs import replace

from mock_server.core.field_types import Count
from mock_server.core.history_entries import KeptOfTask
from mock_server.core.journal import EndedBy

MOST_EVENTS = 64
"""The most events that a record keeps; the others are counted."""

_UNKNOWN = -1
_FAR = 1 << 62
"""The shortest gap before there are two reads."""

_ENDERS: tuple[EndedBy, ...] = get_args(EndedBy)
_HELD, _ANSWERED, _TAKEN_UP, _ENDED = map(Layout, ("<5q", "<2qhbq", "<q", "<2q?"))
_END = Layout("<2q")
"""_ENDED without its last field, which says who ended the task."""

_ANSWERED_AT = _HELD.size
_TAKEN_UP_AT = _ANSWERED_AT + _ANSWERED.size
_ENDED_AT = _TAKEN_UP_AT + _TAKEN_UP.size
_BEFORE_ANSWER = (
    _ANSWERED.pack(_UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, 0)
    + _TAKEN_UP.pack(_UNKNOWN)
    + _ENDED.pack(_UNKNOWN, _UNKNOWN, False)
)
_LOOKS = Layout("<4q3L2q")


Tally = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Status = Annotated[int, Meta(ge=0, le=999)]


class TaskFacts(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The facts about the create of a task, its credits and its end; None: not (yet) known.

    request_number: of the create among all requests of the world; 0 without one.
    held_available_credits, ended_available_credits: after the price was held, spent or given back.
    """

    request_number: Count = 0
    started_ms: int | None = None
    started_wall_ms: int | None = None
    held_wall_ms: int | None = None
    held_available_credits: Count | None = None
    answered_ms: int | None = None
    answered_wall_ms: int | None = None
    status: Status | None = None
    ended_by: EndedBy | None = None
    sent_bytes: Count = 0
    taken_up_wall_ms: int | None = None
    ended_wall_ms: int | None = None
    ended_available_credits: Count | None = None
    was_ended_by_hand: bool = False


class Looks(Struct, frozen=True, forbid_unknown_fields=True):
    """All reads of one task. Times are of their beginnings.

    failed: those that were not answered with the task. after_end: those that showed its end.
    shortest_gap_ms, shortest_gap_wall_ms: between two beginnings; None for a single read.
    """

    first_ms: int
    first_wall_ms: int
    last_ms: int
    last_wall_ms: int
    count: Tally
    failed: Tally
    after_end: Tally
    shortest_gap_ms: int | None
    shortest_gap_wall_ms: int | None


class TaskRecordState(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A record, readable. more: the number of events that are not kept."""

    task_id: str
    facts: TaskFacts
    looks: Looks | None = None
    events: Annotated[tuple[KeptOfTask, ...], Meta(max_length=MOST_EVENTS)] = ()
    more: Count = 0


class TaskRecord(Struct, array_like=True, frozen=True, gc=False):
    """The same, small: times and counts are packed. Immutable, so that copies can share it."""

    packed_facts: bytes
    packed_looks: bytes = b""
    events: tuple[KeptOfTask, ...] = ()
    more: int = 0

    @classmethod
    def of_held(
        cls, number: int, started_ms: int, started_wall_ms: int, wall_ms: int, available: int
    ) -> "TaskRecord":
        """The record of a task whose price is held now. number, started: of its create."""
        held = _HELD.pack(number, started_ms, started_wall_ms, wall_ms, available)
        return cls(held + _BEFORE_ANSWER)

    def with_answer(
        self, ended_ms: int, wall_ms: int, status: int | None, ended_by: EndedBy, sent_bytes: int
    ) -> "TaskRecord":
        """The same after the end of its create."""
        code = _UNKNOWN if status is None else status
        answered = _ANSWERED.pack(ended_ms, wall_ms, code, _ENDERS.index(ended_by), sent_bytes)
        return self._with(_ANSWERED_AT, answered)

    def with_taken_up(self, wall_ms: int) -> "TaskRecord":
        """The same after the task was taken up."""
        return self._with(_TAKEN_UP_AT, _TAKEN_UP.pack(wall_ms))

    def with_hand(self) -> "TaskRecord":
        """The same for a task whose end is caused by the control door."""
        *end, _ = _ENDED.unpack_from(self.packed_facts, _ENDED_AT)
        return self._with(_ENDED_AT, _ENDED.pack(*end, True))

    def with_end(self, wall_ms: int, available: int) -> "TaskRecord":
        """The same after the end of the task. available: the account's credits after it."""
        return self._with(_ENDED_AT, _END.pack(wall_ms, available))

    @property
    def was_taken_up(self) -> bool:
        """Whether the task was taken up."""
        return bool(_TAKEN_UP.unpack_from(self.packed_facts, _TAKEN_UP_AT)[0] != _UNKNOWN)

    @property
    def was_ended_by_hand(self) -> bool:
        """Whether the control door ended the task."""
        return self.packed_facts[-1] != 0

    def with_look(self, at_ms: int, wall_ms: int, failed: bool, after_end: bool) -> "TaskRecord":
        """The same after one more read, which began at this time."""
        if not self.packed_looks:
            looks = _LOOKS.pack(at_ms, wall_ms, at_ms, wall_ms, 1, failed, after_end, _FAR, _FAR)
            return replace(self, packed_looks=looks)
        first, first_wall, last, last_wall, count, fails, ends, gap, gap_wall = _LOOKS.unpack(
            self.packed_looks
        )
        new, new_wall = at_ms - last, wall_ms - last_wall
        if new < 0 or new_wall < 0:  # it ended later, or the machine's clock was set back
            new, new_wall = abs(new), abs(new_wall)
            first, first_wall = min(first, at_ms), min(first_wall, wall_ms)
            at_ms, wall_ms = max(last, at_ms), max(last_wall, wall_ms)
        looks = _LOOKS.pack(
            first,
            first_wall,
            at_ms,
            wall_ms,
            count + 1,
            fails + failed,
            ends + after_end,
            new if new < gap else gap,  # min() is slower, and this is called for each read
            new_wall if new_wall < gap_wall else gap_wall,
        )
        return TaskRecord(self.packed_facts, looks, self.events, self.more)

    def with_event(self, event: KeptOfTask) -> "TaskRecord":
        """The same with one more event, which is only counted if there are MOST_EVENTS."""
        is_full = len(self.events) >= MOST_EVENTS
        events = self.events if is_full else (*self.events, event)
        return TaskRecord(self.packed_facts, self.packed_looks, events, self.more + is_full)

    @property
    def facts(self) -> TaskFacts:
        """The facts, readable."""
        number, started, started_wall, held_wall, held = _HELD.unpack_from(self.packed_facts)
        answered, wall, status, by, sent = _ANSWERED.unpack_from(self.packed_facts, _ANSWERED_AT)
        (taken_up_wall,) = _TAKEN_UP.unpack_from(self.packed_facts, _TAKEN_UP_AT)
        ended_wall, ended, by_hand = _ENDED.unpack_from(self.packed_facts, _ENDED_AT)
        return TaskFacts(
            request_number=number,
            started_ms=_known(started),
            started_wall_ms=_known(started_wall),
            held_wall_ms=_known(held_wall),
            held_available_credits=_known(held),
            answered_ms=_known(answered),
            answered_wall_ms=_known(wall),
            status=_known(status),
            ended_by=None if by == _UNKNOWN else _ENDERS[by],
            sent_bytes=sent,
            taken_up_wall_ms=_known(taken_up_wall),
            ended_wall_ms=_known(ended_wall),
            ended_available_credits=_known(ended),
            was_ended_by_hand=by_hand,
        )

    @property
    def looks(self) -> Looks | None:
        """The reads, readable; None without any."""
        if not self.packed_looks:
            return None
        *seen, gap_ms, gap_wall_ms = _LOOKS.unpack(self.packed_looks)
        gaps = (None if gap == _FAR else gap for gap in (gap_ms, gap_wall_ms))
        return Looks(*seen, *gaps)

    def state(self, task_id: str) -> TaskRecordState:
        """The whole record, readable."""
        return TaskRecordState(task_id, self.facts, self.looks, self.events, self.more)

    @classmethod
    def restored(cls, state: TaskRecordState) -> "TaskRecord":
        """The record of a state."""
        known, looks = state.facts, b""
        facts = (
            _HELD.pack(
                known.request_number,
                _packed(known.started_ms),
                _packed(known.started_wall_ms),
                _packed(known.held_wall_ms),
                _packed(known.held_available_credits),
            )
            + _ANSWERED.pack(
                _packed(known.answered_ms),
                _packed(known.answered_wall_ms),
                _packed(known.status),
                _UNKNOWN if known.ended_by is None else _ENDERS.index(known.ended_by),
                known.sent_bytes,
            )
            + _TAKEN_UP.pack(_packed(known.taken_up_wall_ms))
            + _ENDED.pack(
                _packed(known.ended_wall_ms),
                _packed(known.ended_available_credits),
                known.was_ended_by_hand,
            )
        )
        if (seen := state.looks) is not None:
            looks = _LOOKS.pack(
                seen.first_ms,
                seen.first_wall_ms,
                seen.last_ms,
                seen.last_wall_ms,
                seen.count,
                seen.failed,
                seen.after_end,
                _FAR if seen.shortest_gap_ms is None else seen.shortest_gap_ms,
                _FAR if seen.shortest_gap_wall_ms is None else seen.shortest_gap_wall_ms,
            )
        return cls(facts, looks, state.events, state.more)

    def _with(self, place: int, part: bytes) -> "TaskRecord":
        facts = self.packed_facts[:place] + part + self.packed_facts[place + len(part) :]
        return TaskRecord(facts, self.packed_looks, self.events, self.more)


def _known(number: int) -> int | None:
    return None if number == _UNKNOWN else number


def _packed(number: int | None) -> int:
    return _UNKNOWN if number is None else number
