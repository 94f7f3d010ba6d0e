"""Inboxes: receivers of callbacks for whoever has none. They keep what comes, answer as told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from mock_server.core.header_text import HeaderName, HeaderText
from mock_server.core.numbers import Count
from mock_server.core.refusals import Conflict


class InboxAnswer(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How an inbox answers one request.

    body: text, sent as UTF-8.
    delay_s: real seconds before the answer begins.
    hang: nothing is ever answered.
    cut: the connection closes in the middle of the answer.
    times: how many requests are answered so before the next answer's turn.
    """

    status: Annotated[int, Meta(ge=200, le=599)] = 200
    headers: dict[HeaderName, HeaderText] = {}
    body: Annotated[str, Meta(max_length=65536)] = ""
    delay_s: Annotated[float, Meta(ge=0, le=3600)] = 0
    hang: bool = False
    cut: bool = False
    times: Annotated[int, Meta(ge=1, le=10**6)] = 1


FINE = InboxAnswer()


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """What the signature of a request is worth, and why. valid: None if there is none."""

    valid: bool | None
    reason: str


UNSIGNED = SignatureVerdict(None, "not signed")


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came, byte for byte; the body at most as long as the inbox keeps.

    headers: names and values in the order they came, as latin-1 text.
    size_bytes: of the whole body, kept or not.
    answered: the status it was answered, or None if it was left hanging.
    """

    at_ms: int
    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    size_bytes: Count
    signature: SignatureVerdict
    answered: Count | None

    @property
    def kept_bytes(self) -> int:
        """Roughly what it takes in memory."""
        headers = sum(len(name) + len(value) + _HEADER_COST for name, value in self.headers)
        return len(self.body) + headers + len(self.path) + len(self.query) + _REQUEST_COST


_HEADER_COST = 150
_REQUEST_COST = 500
"""What objects take beside their letters, in bytes."""


class InboxState(Struct, frozen=True, forbid_unknown_fields=True):
    """All that an inbox knows; given: how often its first answer was given already."""

    name: str
    received: Count
    requests: tuple[Received, ...]
    answers: tuple[InboxAnswer, ...]
    given: Count


class Inbox:
    """One receiver: what came, oldest first, and the answers it still has to give."""

    def __init__(self, name: str, max_requests: int) -> None:
        self.name = name
        self.received = 0
        self.kept_bytes = 0
        self._requests: deque[Received] = deque(maxlen=max_requests)
        self._answers: deque[InboxAnswer] = deque()
        self._given = 0

    def __iter__(self) -> Iterator[Received]:
        return iter(self._requests)

    def state(self) -> InboxState:
        """All that it knows."""
        requests, answers = tuple(self._requests), tuple(self._answers)
        return InboxState(self.name, self.received, requests, answers, self._given)

    def restore(self, state: InboxState) -> None:
        """Know this, and nothing else; the name stays."""
        self.received, self._given = state.received, state.given
        self._requests = deque(state.requests, self._requests.maxlen)
        self.kept_bytes = sum(request.kept_bytes for request in self._requests)
        self._answers = deque(state.answers)

    @property
    def evicted(self) -> int:
        """How many requests are no longer here."""
        return self.received - len(self._requests)

    @property
    def answers(self) -> list[InboxAnswer]:
        """What the next requests are answered; after the last one everything is fine again."""
        if not self._answers:
            return []
        first, *others = self._answers
        return [replace(first, times=first.times - self._given), *others]

    def program(self, answers: Sequence[InboxAnswer]) -> None:
        """Answer the next requests so, in this order, in place of what was planned before."""
        self._answers = deque(answers)
        self._given = 0

    def next_answer(self) -> InboxAnswer:
        """The answer for the request that has just come: 200 if nothing else is planned."""
        if not self._answers:
            return FINE
        answer = self._answers[0]
        self._given += 1
        if self._given >= answer.times:
            self._answers.popleft()
            self._given = 0
        return answer

    def keep(self, request: Received) -> None:
        """Remember a request; the oldest one goes if there are too many."""
        if len(self._requests) == self._requests.maxlen:
            self.forget_oldest()
        self.received += 1
        self._requests.append(request)
        self.kept_bytes += request.kept_bytes

    def forget_oldest(self) -> None:
        """Evict the oldest request that is kept."""
        self.kept_bytes -= self._requests.popleft().kept_bytes


class Inboxes:
    """Every inbox of a world. The first request to a name makes it: a URL is all it takes."""

    def __init__(
        self,
        max_requests: int,
        max_body_bytes: int,
        max_inboxes: int = 100,
        max_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        """max_requests: that each inbox keeps. max_body_bytes: that are kept of each body.
        max_bytes: that all inboxes keep together.
        """
        self.max_body_bytes = max_body_bytes
        self._max_requests = max_requests
        self._max_inboxes = max_inboxes
        self._max_bytes = max_bytes
        self._inboxes: dict[str, Inbox] = {}

    def __iter__(self) -> Iterator[Inbox]:
        return iter(self._inboxes.values())

    def find(self, name: str) -> Inbox:
        """The inbox of this name; an empty one, which is not kept, if nothing ever came to it."""
        return self._inboxes.get(name) or Inbox(name, self._max_requests)

    def of(self, name: str) -> Inbox:
        """The inbox of this name, made if there is none.

        Refuses with Conflict if the world has as many inboxes as it may have.
        """
        if name not in self._inboxes:
            if len(self._inboxes) >= self._max_inboxes:
                raise Conflict(
                    f"this world has {self._max_inboxes} inboxes, and no more (limits.inboxes): "
                    "use one of them, or reset the world"
                )
            self._inboxes[name] = Inbox(name, self._max_requests)
        return self._inboxes[name]

    def keep(self, inbox: Inbox, request: Received) -> None:
        """Remember a request. If the bytes of all are too many, the fullest inbox forgets its
        oldest ones: a flood into one pushes nothing out of the others.
        """
        inbox.keep(request)
        while sum(each.kept_bytes for each in self) > self._max_bytes:
            max(self, key=lambda each: each.kept_bytes).forget_oldest()
