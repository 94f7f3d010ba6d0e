"""Inboxes: built-in receivers of callbacks. They keep requests and give programmed answers."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from mock_server.core.counts import Counts
from mock_server.core.field_types import Count, HeaderName, HeaderText
from mock_server.core.marks import Marks
from mock_server.core.refusals import Conflict


class InboxAnswer(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How an inbox answers requests.

    body: text, sent as UTF-8.
    delay_s: real seconds before the answer begins.
    hang: no answer is sent.
    cut: the connection closes in the middle of the answer.
    times: the number of requests before the next answer is used.
    """

    status: Annotated[int, Meta(ge=200, le=599)] = 200
    headers: dict[HeaderName, HeaderText] = {}
    body: Annotated[str, Meta(max_length=65536)] = ""
    delay_s: Annotated[float, Meta(ge=0, le=3600)] = 0
    hang: bool = False
    cut: bool = False
    times: Annotated[int, Meta(ge=1, le=10**6)] = 1


OK_ANSWER = InboxAnswer()


class SignatureVerdict(Struct, frozen=True):
    """Whether a request's signature is valid, and why. valid: None without a signature."""

    valid: bool | None
    reason: str


UNSIGNED = SignatureVerdict(None, "not signed")


class Received(Struct, frozen=True):
    """One request as it came. The body is cut at the length that the inbox keeps.

    headers: names and values in their order, as latin-1 text.
    size_bytes: of the whole body.
    answered: the status of the answer; None if there was no answer.
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
        """Its approximate size in memory."""
        headers = sum(len(name) + len(value) + _HEADER_COST for name, value in self.headers)
        return len(self.body) + headers + len(self.path) + len(self.query) + _REQUEST_COST


_HEADER_COST = 150
_REQUEST_COST = 500
"""The memory of the objects without their characters, in bytes."""


class InboxState(Struct, frozen=True, forbid_unknown_fields=True):
    """The state of an inbox; given: how often its first answer was given."""

    name: str
    received: Count
    requests: tuple[Received, ...]
    answers: tuple[InboxAnswer, ...]
    given: Count


class Inbox:
    """One receiver: its requests, oldest first, and the answers still to give."""

    def __init__(
        self,
        name: str,
        max_requests: int,
        counts: Counts | None = None,
        marks: Marks | None = None,
    ) -> None:
        self.name = name
        self._marks = marks or Marks()
        self._counts = counts or Counts()
        self.received = 0
        self.kept_bytes = 0
        self._requests: deque[Received] = deque(maxlen=max_requests)
        self._answers: deque[InboxAnswer] = deque()
        self._given = 0

    def __iter__(self) -> Iterator[Received]:
        return iter(self._requests)

    def state(self) -> InboxState:
        """The whole state."""
        requests, answers = tuple(self._requests), tuple(self._answers)
        return InboxState(self.name, self.received, requests, answers, self._given)

    def restore(self, state: InboxState) -> None:
        """Replace the whole state except the name."""
        self.received, self._given = state.received, state.given
        self._requests = deque(state.requests, self._requests.maxlen)
        self.kept_bytes = sum(request.kept_bytes for request in self._requests)
        self._answers = deque(state.answers)

    @property
    def evicted(self) -> int:
        """The number of deleted requests."""
        return self.received - len(self._requests)

    @property
    def answers(self) -> list[InboxAnswer]:
        """The answers to the next requests; after them it answers 200."""
        if not self._answers:
            return []
        first, *others = self._answers
        return [replace(first, times=first.times - self._given), *others]

    def program(self, answers: Sequence[InboxAnswer]) -> None:
        """Replace the answers to the next requests."""
        self._marks.mark("inbox", self.name)
        self._answers = deque(answers)
        self._given = 0

    def next_answer(self) -> InboxAnswer:
        """The answer to the next request: 200 if none is programmed."""
        if not self._answers:
            return OK_ANSWER
        self._marks.mark("inbox", self.name)
        answer = self._answers[0]
        self._given += 1
        if self._given >= answer.times:
            self._answers.popleft()
            self._given = 0
        return answer

    def keep(self, request: Received) -> None:
        """Add a request, and delete the oldest if there are too many."""
        self._marks.mark("inbox", self.name)
        if len(self._requests) == self._requests.maxlen:
            self.delete_oldest()
        self.received += 1
        self._requests.append(request)
        self.kept_bytes += request.kept_bytes

    def delete_oldest(self) -> None:
        """Delete the oldest request."""
        self._marks.mark("inbox", self.name)
        self.kept_bytes -= self._requests.popleft().kept_bytes
        self._counts.evictions["inbox_request",] += 1


class Inboxes:
    """All inboxes of a world. The first request to a name creates its inbox."""

    def __init__(
        self,
        max_requests: int,
        max_body_bytes: int,
        max_inboxes: int = 100,
        max_bytes: int = 64 * 1024 * 1024,
        counts: Counts | None = None,
        *,
        marks: Marks | None = None,
    ) -> None:
        """max_requests: per inbox. max_body_bytes: per request. max_bytes: of all inboxes."""
        self.max_body_bytes = max_body_bytes
        self._marks = marks or Marks()
        self._max_requests = max_requests
        self._max_inboxes = max_inboxes
        self._max_bytes = max_bytes
        self._counts = counts or Counts()
        self._inboxes: dict[str, Inbox] = {}

    def __iter__(self) -> Iterator[Inbox]:
        return iter(self._inboxes.values())

    def find(self, name: str) -> Inbox:
        """The inbox of this name; if there is none, an empty one that is not kept."""
        return self._inboxes.get(name) or self._new(name)

    def of(self, name: str) -> Inbox:
        """The inbox of this name, or a new one. Refuses with Conflict if there is no room."""
        if name not in self._inboxes:
            if len(self._inboxes) >= self._max_inboxes:
                raise Conflict(
                    f"this world has {self._max_inboxes} inboxes, and no more (limits.inboxes): "
                    "use one of them, or reset the world"
                )
            self._inboxes[name] = self._new(name)
            self._marks.mark("inbox", name)
        return self._inboxes[name]

    def _new(self, name: str) -> Inbox:
        return Inbox(name, self._max_requests, self._counts, self._marks)

    def keep(self, inbox: Inbox, request: Received) -> None:
        """Add a request. If all inboxes together are too large, the oldest requests of the largest
        are deleted, so that many requests to one inbox delete none of another.
        """
        inbox.keep(request)
        while sum(each.kept_bytes for each in self) > self._max_bytes:
            max(self, key=lambda each: each.kept_bytes).delete_oldest()
