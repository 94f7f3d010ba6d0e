"""The requests of a world as evidence: each is taken over once, when it has ended."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from copy import copy
from itertools import chain, islice
from operator import attrgetter
from threading import Lock
from typing import Any, Self

from mock_server.core.journal import Exchange, Headers, Journal
from mock_server.verdict.outcomes import Finding
from mock_server.verdict.requests import Request

_NUMBER = attrgetter("number")

_BYTES_EACH = 1000
"""What a request takes without its bodies and headers, all indexes included."""

_BYTES_OF_A_VALUE = 150
"""What a body or header takes besides its bytes."""

_OF_REQUESTS = frozenset({
    b"idempotency-key", b"range",
    b"authorization", b"proxy-authorization", b"x-api-key", b"api-key",
})  # fmt: skip
_OF_ANSWERS = frozenset({b"retry-after", b"location", b"content-length"})
"""The headers that rules read, in lower case."""


class Requests:
    """Requests in the order in which they began, and lists of those that rules ask for.

    all: every one. creates: those that ask for a new task. calls: those that ask for the same, by
    what they ask for. about: the looks at a task and the downloads of its result, by its id.
    lost: how many more there were, for which there was no room.
    """

    def __init__(self, lost: int = 0) -> None:
        self.lost = lost
        self.all: list[Request] = []
        self.creates: list[Request] = []
        self.calls: dict[object, list[Request]] = {}
        self.about: dict[str, list[Request]] = {}

    def add(self, request: Request, tasks: Collection[str]) -> None:
        """Add a request to its place in the order. tasks: the ids of the world's tasks."""
        _add(self.all, request)
        _add(self.calls.setdefault(request.call, []), request)
        if request.is_create:
            _add(self.creates, request)
        elif request.is_look or request.is_download:
            for task_id in request.tasks_in(tasks):
                _add(self.about.setdefault(task_id, []), request)

    def copy(self) -> "Requests":
        """The same requests in new lists."""
        copied = Requests(self.lost)
        copied.all, copied.creates = self.all.copy(), self.creates.copy()
        copied.calls = {call: each.copy() for call, each in self.calls.items()}
        copied.about = {task_id: each.copy() for task_id, each in self.about.items()}
        return copied


def _add(requests: list[Request], request: Request) -> None:
    if requests and requests[-1].number > request.number:  # one that was under way for long
        insort(requests, request, key=_NUMBER)
    else:
        requests.append(request)


class RequestLog:
    """Follows the journal of one world, and has every exchange that has ended; of those that the
    journal has deleted, what rules read.

    `take` is for the thread that changes the world; `requests` is for any thread. The deleted ones
    may have as many bytes as the journal's archive (`limits.journal_archive_bytes`). If they have
    more, all are lost: nothing can be judged without some of them.
    standing: what was proved so far, and stands.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._taken: deque[Iterator[Exchange]] = deque()
        self._under_way: list[Exchange] = []
        self._requests = Requests()
        self._shared: dict[Any, Any] = {}
        self._bytes = 0
        self._late: list[Request] = []
        self._oldest = self._reduced_below = 0
        self._lock = Lock()
        self.standing: tuple[Finding, ...] = ()

    def keep(self, findings: Iterable[Finding]) -> None:
        """Keep what is proved and stands, in place of earlier findings of the same rules."""
        new = tuple(findings)
        codes = {each.code for each in new}
        self.standing = (*(each for each in self.standing if each.code not in codes), *new)

    @classmethod
    def of(cls, journal: Journal) -> Self:
        """The one log of a journal; a new one after the journal was cleared or replaced."""
        if not isinstance(journal.follower, cls):
            journal.follower = cls(journal)
        return journal.follower

    def take(self) -> list[Exchange]:
        """Take over what has ended since the last call. Returns what is under way, as it is now."""
        packed, others = self._journal.hand_over()
        new = [*self._under_way, *others]
        self._under_way = [each for each in new if each.ended_ms is None]
        self._taken.append(iter(packed))
        self._taken.append(iter([each for each in new if each.ended_ms is not None]))
        self._oldest = next((each.number for each in self._journal), self._journal.opened + 1)
        return [copy(each) for each in self._under_way]

    def requests(
        self, under_way: Iterable[Exchange], tasks: Collection[str], most_new: int | None = None
    ) -> Requests:
        """All that was taken over, and these that are under way. tasks: the ids of all tasks.
        most_new: of those that no call before has had; the rest is for later calls."""
        with self._lock:
            for each in islice(iter(self._next_taken, None), most_new):
                request = Request(each)
                self._requests.add(request, tasks)
                if each.number < self._reduced_below:
                    self._late.append(request)
            self._reduce(self._oldest)
            requests = self._requests.copy()
        for each in under_way:
            place = bisect_left(requests.all, each.number, key=_NUMBER)
            if place == len(requests.all) or requests.all[place].number != each.number:
                requests.add(Request(each), tasks)
        return requests

    def _next_taken(self) -> Exchange | None:
        """The next one that was taken over and not added yet; None if there is none."""
        while self._taken:
            each = next(self._taken[0], None)
            if each is not None:
                return each
            self._taken.popleft()
        return None

    def _reduce(self, oldest: int) -> None:
        """Reduce what the journal has deleted: all before the oldest that it has."""
        requests = self._requests.all
        if self._requests.lost:
            self._requests = Requests(self._requests.lost + len(requests))
            return
        first, end = (
            bisect_left(requests, number, key=_NUMBER) for number in (self._reduced_below, oldest)
        )
        for each in chain(self._late, requests[first:end]):
            each.exchange = self._reduced(each.exchange)
            self._bytes += _BYTES_EACH
        self._late.clear()
        self._reduced_below = oldest
        if self._bytes > self._journal.max_archive_bytes:
            self._requests, self._shared = Requests(len(requests)), {}

    def _reduced(self, exchange: Exchange) -> Exchange:
        """A copy with the headers and bodies that rules read. Equal values are kept once."""
        kept: Exchange = copy(exchange)
        kept.request_headers = self._read_of(exchange.request_headers, _OF_REQUESTS)
        kept.answer_headers = self._read_of(exchange.answer_headers, _OF_ANSWERS)
        is_video = exchange.operation == "media" and (exchange.status or 0) < 400
        kept.answer_body = b"" if is_video else self._once(exchange.answer_body)
        kept.request_body = self._once(exchange.request_body)
        once = self._shared.setdefault
        kept.method, kept.path = once(kept.method, kept.method), once(kept.path, kept.path)
        kept.api, kept.operation = once(kept.api, kept.api), once(kept.operation, kept.operation)
        kept.account, kept.task = once(kept.account, kept.account), once(kept.task, kept.task)
        kept.ended_by = once(kept.ended_by, kept.ended_by)
        return kept

    def _read_of(self, headers: Headers, names: Collection[bytes]) -> Headers:
        read = tuple([each for each in headers if each[0].lower() in names])
        if read not in self._shared:
            self._shared[read] = read
            self._bytes += sum(len(each[1]) + _BYTES_OF_A_VALUE for each in read)
        shared: Headers = self._shared[read]
        return shared

    def _once(self, value: bytes) -> bytes:
        """The same bytes, shared with equal ones before."""
        if value not in self._shared:
            self._shared[value] = value
            self._bytes += len(value) + _BYTES_OF_A_VALUE
        shared: bytes = self._shared[value]
        return shared
