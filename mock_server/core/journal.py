"""The journal: the last requests and their answers, and older ones for judgements."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Literal

from msgspec import Struct

from mock_server.core.counts import Counts
from mock_server.core.field_types import Count
from mock_server.core.marks import Marks
from mock_server.core.packed_ring import IN_A_BLOCK, PackedItems, PackedRing

Headers = Sequence[tuple[bytes, bytes]]
Origin = Literal["api", "media"]
"""The origin that a request came to: that of the APIs, or the second one, of media alone."""

EndedBy = Literal["answered", "caller_left", "reset_by_fault", "server_stopped"]
"""Who ended an exchange. `server_stopped`: or the world was reset, replaced or dropped."""


NUMBERED_AT_ONCE = 1000
"""A copy of a journal follows the number of exchanges in steps of so many."""

_NONE = -1
"""No exchange has this number or a lower one."""

_REST = b"..."
"""The name of the header that says how many are left out."""


def are_cut(headers: Headers) -> bool:
    """Whether some of these headers of a journal are left out."""
    return bool(headers) and headers[-1][0] == _REST


class IgnoredField(Struct, frozen=True):
    """A field of a request's body that has no effect.

    pointer: a JSON Pointer into the body. hint: a similar field, or why it is ignored.
    """

    pointer: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"'{self.pointer}' was ignored" + (f"; {self.hint}" if self.hint else "")


class Cause(Struct, frozen=True, forbid_unknown_fields=True):
    """A fault of an answer, or of the task that the request made.

    scenario: its scenario, if any. channel: the way in which it was requested.
    """

    scenario: str | None
    channel: str
    concerns: Literal["answer", "task"]


class Exchange(Struct, gc=False):
    """One request with its answer so far.

    status: None before the answer starts. ended_ms: None while it is under way.
    path: without the name of the world. headers: as they came, latin-1 bytes.
    request_size_bytes, answer_size_bytes: of the whole body.
    account: of the key, once it is known. task: the one it made or read, or whose video it is.
    refusal: the class of the refusal, and its sentence.
    faults: the ids of the faults that happened; causes: their scenarios and channels, also of
        those of the task.
    scenario, channel: the same as text, several with commas.
    without: what the answer would have been without faults.
    ignored: the first fields that had no effect.
    replay_of: the request that made the task, if this one is a replay.
    ended_by: who ended it; None while it is under way. Without the whole answer: `caller_left` if
        the caller disconnected, or did not send its body in time.
    sent_bytes: of the answer's body, those that were given to the open connection.
    connection: the number of its connection among all of this server; None without a network.
    started_wall_ms, ended_wall_ms: by the machine's clock; None in snapshots that have none.
    origin: `media` if the request came to the second origin.
    number: among all requests of the world. tasks: the ones that a request about several read.
    """

    id: str
    started_ms: int
    method: str
    path: str
    query: str = ""
    request_headers: Headers = ()
    api: str | None = None
    operation: str | None = None
    account: str | None = None
    task: str | None = None
    request_body: bytes = b""
    request_size_bytes: Count = 0
    status: Count | None = None
    answer_headers: Headers = ()
    answer_body: bytes = b""
    answer_size_bytes: Count = 0
    ended_ms: int | None = None
    refusal: str | None = None
    faults: tuple[str, ...] = ()
    scenario: str | None = None
    channel: str | None = None
    without: str | None = None
    ignored: tuple[IgnoredField, ...] = ()
    replay_of: str | None = None
    causes: tuple[Cause, ...] = ()
    ended_by: EndedBy | None = None
    sent_bytes: Count = 0
    connection: Count | None = None
    started_wall_ms: int | None = None
    ended_wall_ms: int | None = None
    origin: Origin = "api"
    number: Count = 0
    tasks: tuple[str, ...] = ()

    def end(self, now_ms: int, wall_ms: int, ended_by: EndedBy) -> None:
        """End it now."""
        self.ended_ms, self.ended_wall_ms, self.ended_by = now_ms, wall_ms, ended_by

    def add_cause(self, cause: Cause) -> None:
        """Add a fault of the answer or the task."""
        if cause in self.causes:
            return
        self.causes += (cause,)
        named = [each for each in self.causes if each.scenario is not None]
        self.scenario = ", ".join(dict.fromkeys(each.scenario or "" for each in named)) or None
        self.channel = ", ".join(dict.fromkeys(each.channel for each in named or self.causes))


class JournalState(Struct, frozen=True, forbid_unknown_fields=True):
    """The state of a journal.

    opened: the number of all exchanges. cleared: of those deleted up to the last `clear`.
    """

    opened: Count
    exchanges: tuple[Exchange, ...]
    cleared: Count = 0


def _has_ended(exchange: Exchange) -> bool:
    return exchange.ended_ms is not None


class _Block(Struct, gc=False):
    """Exchanges that have ended, as bytes, and as objects once they were read."""

    count: int
    packed: bytes
    last_number: int
    unpacked: list[Exchange] | None = None


class Journal:
    """The last exchanges, oldest first. Those that it has no room for are counted, and archived
    for judgements.

    Only the newest, and those under way, are objects. To delete an object that was not used for
    long takes longer than to make it: it has left the processor's caches.

    opened: the number of all. cleared: of those deleted up to the last `clear`.
    follower: what exchanges are handed over to; None after the journal was cleared or replaced.
    """

    def __init__(
        self,
        max_exchanges: int,
        max_body_bytes: int,
        max_header_bytes: int = 16 * 1024,
        counts: Counts | None = None,
        max_archive_bytes: int = 0,
        *,
        marks: Marks | None = None,
    ) -> None:
        """max_archive_bytes: of deleted exchanges that are kept for judgements."""
        self._marks = marks or Marks()
        self._max_exchanges = max_exchanges
        self._blocks: deque[_Block] = deque()
        self._in_blocks = 0
        self._gone_of_first_block = 0
        self._exchanges: deque[Exchange] = deque()
        self._max_body_bytes = max_body_bytes
        self._max_header_bytes = max_header_bytes
        self._counts = counts or Counts()
        self.max_archive_bytes = max_archive_bytes
        self._archive = PackedRing(Exchange, max_archive_bytes, _has_ended)
        self._handed_over = _NONE
        self._handed_over_and_deleted = 0
        self.follower: object = None
        self.opened = 0
        self.cleared = 0

    def __iter__(self) -> Iterator[Exchange]:
        blocks = chain.from_iterable(map(self._unpacked, self._blocks))
        return chain(islice(blocks, self._gone_of_first_block, None), self._exchanges)

    def __len__(self) -> int:
        return self._in_blocks + len(self._exchanges)

    def newest(self, count: int) -> list[Exchange]:
        """The last `count`, or fewer, the oldest first."""
        exchanges = self._exchanges if count <= len(self._exchanges) else list(self)
        return list(islice(reversed(exchanges), count))[::-1]

    def state(self) -> JournalState:
        """The whole state; it shares the exchanges."""
        return JournalState(self.opened, tuple(self), self.cleared)

    def restore(self, state: JournalState) -> None:
        """Replace the whole state."""
        self.opened, self.cleared = state.opened, state.cleared
        self._exchanges = deque(state.exchanges[-self._max_exchanges :])
        self._begin()

    @property
    def evicted(self) -> int:
        """The number of deleted exchanges."""
        return self.opened - len(self)

    @property
    def lost(self) -> int:
        """The number of exchanges deleted for lack of room since the last `clear`."""
        return self.evicted - self.cleared

    @property
    def forgotten(self) -> int:
        """The number of those that are not archived and were not handed over either."""
        archived = len(self._archive) + self._archived_of_first_block
        return self.lost - archived - self._handed_over_and_deleted

    def hand_over(self) -> tuple[PackedItems[Exchange], list[Exchange]]:
        """The exchanges since the last call: packed ones, which have ended, and others. From now
        on their keeper is the caller: they are not archived."""
        archived = len(self._archive) + self._archived_of_first_block
        self._handed_over_and_deleted += archived
        new = [each.packed for each in self._blocks if each.last_number > self._handed_over]
        packed, others = self._archive.take(new)
        others += [each for each in self._exchanges if each.number > self._handed_over]
        self._handed_over = self.opened
        return packed, others

    def _begin(self) -> None:
        self._blocks.clear()
        self._in_blocks = self._gone_of_first_block = 0
        self._archive.clear()
        self._handed_over = _NONE
        self._handed_over_and_deleted = 0
        self.follower = None

    def open(
        self, exchange_id: str, now_ms: int, method: str, path: str, wall_ms: int | None = None
    ) -> Exchange:
        """Add an exchange that starts now."""
        if self._in_blocks + len(self._exchanges) == self._max_exchanges:
            self._delete_oldest()
        if self.opened % IN_A_BLOCK == 0:
            while len(self._exchanges) >= 2 * IN_A_BLOCK and self._packs_oldest():
                pass
        exchange = Exchange(exchange_id, now_ms, method, path, started_wall_ms=wall_ms)
        self._exchanges.append(exchange)
        if self.opened % NUMBERED_AT_ONCE == 0:
            self._marks.mark("state")
        self.opened += 1
        exchange.number = self.opened
        return exchange

    def _delete_oldest(self) -> None:
        self._counts.evictions["exchange",] += 1
        if not self._blocks:
            oldest = self._exchanges.popleft()
            if oldest.number > self._handed_over:
                self._archive.add(oldest)
            else:
                self._handed_over_and_deleted += 1
            return
        block = self._blocks[0]
        is_new = block.last_number > self._handed_over
        self._handed_over_and_deleted += not is_new
        self._in_blocks -= 1
        self._gone_of_first_block += 1
        if self._gone_of_first_block == block.count:
            self._blocks.popleft()
            self._gone_of_first_block = 0
            if is_new:
                self._archive.add_packed(block.count, block.packed)

    @property
    def _archived_of_first_block(self) -> int:
        """The number of deleted exchanges whose block is still here, and will be archived."""
        is_new = self._blocks and self._blocks[0].last_number > self._handed_over
        return self._gone_of_first_block if is_new else 0

    def _packs_oldest(self) -> bool:
        """Pack the oldest objects, if all of them have ended; returns whether they have.
        A block has either exchanges that were handed over, or others. Without an archive there are
        no blocks, because what leaves the journal would be there until the rest of its block
        leaves it, too."""
        oldest = list(islice(self._exchanges, IN_A_BLOCK))
        if not (self.max_archive_bytes and all(map(_has_ended, oldest))):
            return False
        handed_over = [each for each in oldest if each.number <= self._handed_over]
        for part in (handed_over, oldest[len(handed_over) :]):
            if part:
                block = _Block(len(part), self._archive.pack(part), part[-1].number)
                self._blocks.append(block)
                self._in_blocks += len(part)
        for _ in oldest:
            self._exchanges.popleft()
        return True

    def _unpacked(self, block: _Block) -> list[Exchange]:
        """The exchanges of a block. They stay objects: who reads them once often does so again."""
        if block.unpacked is None:
            block.unpacked = list(self._archive.unpack(block.packed))
        return block.unpacked

    def get(self, exchange_id: str) -> Exchange | None:
        """The exchange with this id; None if there is none."""
        return next((each for each in self if each.id == exchange_id), None)

    def after(self, exchange_id: str) -> list[Exchange] | None:
        """The exchanges after this one, oldest first; None if it is unknown or deleted."""
        exchanges = list(self)
        for place, exchange in enumerate(exchanges, start=1):
            if exchange.id == exchange_id:
                return exchanges[place:]
        return None

    def clear(self) -> None:
        """Delete the exchanges that have ended."""
        self._exchanges = deque(each for each in self._exchanges if each.ended_ms is None)
        self._begin()
        self.cleared = self.evicted
        self._marks.mark("state")
        self._marks.mark("journal")

    def kept_headers(self, headers: Headers) -> Headers:
        """The headers within `max_header_bytes`, each counted with 32 more bytes.

        A header named `...` says how many are left out.
        """
        # Usually all fit, and joining them is faster than counting each.
        left_bytes = self._max_header_bytes - 32 * len(headers)
        if len(b"".join(chain.from_iterable(headers))) <= left_bytes:
            return headers
        left_bytes = self._max_header_bytes
        for number, (name, value) in enumerate(headers):
            left_bytes -= len(name) + len(value) + 32
            if left_bytes < 0:
                rest = f"{len(headers) - number} more (limits.journal_header_bytes)"
                return [*headers[:number], (_REST, rest.encode())]
        return headers

    def extended(self, kept: bytes, more: bytes) -> bytes:
        """The kept part of a body, with the next piece added up to the limit."""
        if not kept:
            return self.kept(more)
        return kept if len(kept) >= self._max_body_bytes else self.kept(kept + more)

    def kept(self, body: bytes) -> bytes:
        """The part of a body that is kept: its first `max_body_bytes`."""
        return body if len(body) <= self._max_body_bytes else body[: self._max_body_bytes]
