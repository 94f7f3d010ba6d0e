"""The last requests and their answers, from the moment a request comes in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

from msgspec import Struct

from mock_server.core.numbers import Count

Headers = Sequence[tuple[bytes, bytes]]


class IgnoredField(Struct, frozen=True, forbid_unknown_fields=True):
    """A field of a request's body that nobody looked at.

    pointer: a JSON Pointer into the body. hint: what was probably meant, or why it is ignored.
    """

    pointer: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"'{self.pointer}' was ignored" + (f"; {self.hint}" if self.hint else "")


class Cause(Struct, frozen=True, forbid_unknown_fields=True):
    """A fault that changed an answer, or that concerns the task which was made.

    scenario: the one it belongs to, if any. channel: how it was asked for.
    """

    scenario: str | None
    channel: str
    concerns: Literal["answer", "task"]


@dataclass(slots=True)
class Exchange:
    """One request with its answer, as far as it has come.

    status: None as long as no answer was begun. ended_ms: None while under way.
    path: without the world that may stand before it; `query` follows it.
    headers: as they came, latin-1 bytes. api, operation: what was asked for, and of whom.
    request_size_bytes, answer_size_bytes: of the whole body, kept or not.
    account: whose key it was, once that is known. task: which one it made or looked at.
    refusal: the rule that said no, and its sentence.
    faults: what went wrong on purpose, by the ids of the faults; causes: the same with how it was
        asked for, and what was asked for the task.
    scenario, channel: the names in `causes`, and how they were asked for; several with commas.
    without: what the answer would have been had nothing gone wrong.
    ignored: a few of the fields that nobody looked at.
    replay_of: the request that made the task, if this one asked for it again.
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

    def add_cause(self, cause: Cause) -> None:
        """Keep why the answer, or its task, is not as the rules have it."""
        if cause in self.causes:
            return
        self.causes += (cause,)
        named = [each for each in self.causes if each.scenario is not None]
        self.scenario = ", ".join(dict.fromkeys(each.scenario or "" for each in named)) or None
        self.channel = ", ".join(dict.fromkeys(each.channel for each in named or self.causes))


class JournalState(Struct, frozen=True, forbid_unknown_fields=True):
    """All that a journal knows.

    opened: how many exchanges there were in all. cleared: how many of them were forgotten on
    purpose, or had to go before that.
    """

    opened: Count
    exchanges: tuple[Exchange, ...]
    cleared: Count = 0


class Journal:
    """A bounded ring of exchanges, oldest first; what had to go is counted."""

    def __init__(
        self, max_exchanges: int, max_body_bytes: int, max_header_bytes: int = 16 * 1024
    ) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=max_exchanges)
        self._max_body_bytes = max_body_bytes
        self._max_header_bytes = max_header_bytes
        self.opened = 0
        self._cleared = 0

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges)

    def __len__(self) -> int:
        return len(self._exchanges)

    def newest(self, count: int) -> list[Exchange]:
        """The last so many, or as many of them as are still here, the oldest first."""
        return list(islice(reversed(self._exchanges), count))[::-1]

    def state(self) -> JournalState:
        """All that it knows; the exchanges in it go on changing."""
        return JournalState(self.opened, tuple(self._exchanges), self._cleared)

    def restore(self, state: JournalState) -> None:
        """Know this, and nothing else."""
        self.opened, self._cleared = state.opened, state.cleared
        self._exchanges = deque(state.exchanges, self._exchanges.maxlen)

    @property
    def evicted(self) -> int:
        """How many exchanges are no longer here."""
        return self.opened - len(self._exchanges)

    @property
    def lost(self) -> int:
        """How many had to go since it was last cleared: nobody can tell what they were."""
        return self.evicted - self._cleared

    def open(self, exchange_id: str, now_ms: int, method: str, path: str) -> Exchange:
        """Begin an exchange; it can be read at once, unfinished as it is."""
        exchange = Exchange(exchange_id, now_ms, method, path)
        self._exchanges.append(exchange)
        self.opened += 1
        return exchange

    def get(self, exchange_id: str) -> Exchange | None:
        """The exchange, if it is (still) known."""
        return next((each for each in self._exchanges if each.id == exchange_id), None)

    def after(self, exchange_id: str) -> list[Exchange] | None:
        """Those that came after this one, oldest first; None if it is not here (any more)."""
        exchanges = list(self._exchanges)
        for place, exchange in enumerate(exchanges, start=1):
            if exchange.id == exchange_id:
                return exchanges[place:]
        return None

    def clear(self) -> None:
        """Forget what has ended; it counts as evicted."""
        self._exchanges = deque(
            (each for each in self._exchanges if each.ended_ms is None), self._exchanges.maxlen
        )
        self._cleared = self.evicted

    def kept_headers(self, headers: Headers) -> Headers:
        """As many of the headers as are kept: the first `max_header_bytes`, each with 32 more.

        A header named `...` says how many are left out.
        """
        # As a rule all of them are kept, and this is quicker than to count them one by one.
        left_bytes = self._max_header_bytes - 32 * len(headers)
        if sum(map(len, chain.from_iterable(headers))) <= left_bytes:
            return headers
        left_bytes = self._max_header_bytes
        for number, (name, value) in enumerate(headers):
            left_bytes -= len(name) + len(value) + 32
            if left_bytes < 0:
                told = f"{len(headers) - number} more (limits.journal_header_bytes)"
                return [*headers[:number], (b"...", told.encode())]
        return headers

    def grown(self, kept: bytes, more: bytes) -> bytes:
        """What is kept of a body when more of it has come."""
        if not kept:
            return self.kept(more)
        return kept if len(kept) >= self._max_body_bytes else self.kept(kept + more)

    def kept(self, body: bytes) -> bytes:
        """As much of a body as is kept: the first `max_body_bytes`."""
        return body if len(body) <= self._max_body_bytes else body[: self._max_body_bytes]
