"""The load generator: sends prepared requests on keep-alive connections, and counts the answers.

It is a process of its own, so that it does not share the server's interpreter. It uses no HTTP
library and no event loop: a selector says which socket has data, and it reads only the status and
the Content-Length of an answer. That costs about 15 us for each answer, half of the cost of the
bare app's answer, and half of the cost with asyncio. It counts answers by status; the caller checks
them.

It exchanges JSON lines with the process that started it. It reads a `Load`, prints `connected`, and
starts when it reads any line. In `hold` mode it prints `sent` when all is sent. In the end it
prints a `LoadResult`. With the next line it starts again, on the same connections, which stay open
until its standard input ends.
"""

from __future__ import annotations

import gc
import json
import selectors
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Literal

HOST = "127.0.0.1"
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_LAST = b"onnection: close\r\n"
"""nginx writes the header with a capital."""
_READ_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Load:
    """The requests and how to send them.

    mode: `closed` keeps every connection busy; `open` sends at moments fixed in advance, even when
        answers are slow; `hold` sends one request on each connection and waits.
    messages: whole requests, sent in turn and repeated until `count` are sent.
    rate_per_s: for the open mode.
    polls: whether it looks for answers all the time. If it sleeps between them, the server has to
        wake it, and pays for it: 8 to 20 us an answer on a virtual machine, more after a longer
        sleep.
    """

    mode: Literal["closed", "open", "hold"]
    port: int
    messages: list[str]
    count: int
    connections: int
    time_limit_s: float
    rate_per_s: float = 0.0
    polls: bool = False


@dataclass(slots=True)
class Percentiles:
    """The median, the 99th percentile and the maximum."""

    p50: float = 0.0
    p99: float = 0.0
    max: float = 0.0


@dataclass(slots=True)
class LoadResult:
    """The result of a load.

    dropped: connections that ended before the answer to a request.
    malformed: answers without a length, with more bytes, or without a request.
    latency_ms: open mode: from the moment at which a request is due to the end of its answer.
    late_ms: open mode: from that moment to the moment at which it was sent.
    first_s, last_s: the end of the first and the last answer, by the machine's monotonic clock.
    """

    sent: int = 0
    by_status: dict[int, int] = field(default_factory=dict)
    dropped: int = 0
    malformed: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    latency_ms: Percentiles = field(default_factory=Percentiles)
    late_ms: Percentiles = field(default_factory=Percentiles)


class Connection:
    """One keep-alive connection with at most one request at a time.

    due_s: when the request is due. is_last: whether the answer says that the server closes the
    connection after it, as nginx does after 1,000 requests.
    """

    __slots__ = ("due_s", "is_busy", "is_last", "received", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.received = b""
        self.is_busy = False
        self.is_last = False
        self.due_s = 0.0

    def send(self, message: bytes) -> None:
        """Send one request. It fits into the send buffer, which is empty."""
        self.is_busy = True
        if self.socket.send(message) != len(message):
            raise BlockingIOError("a request did not fit into the socket's buffer")

    def read(self) -> int | None:
        """The status of the answer once it is complete, None before.

        Raises ValueError for an answer that is malformed, ConnectionError if the server closed it.
        """
        data = self.socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionResetError
        received = self.received + data if self.received else data
        head_size = received.find(_HEAD_END)
        if head_size >= 0:
            missing = head_size + len(_HEAD_END) + _content_length(received) - len(received)
            if missing < 0 or not self.is_busy:
                raise ValueError
            if missing == 0:
                self.received = b""
                self.is_busy = False
                self.is_last = received.find(_LAST, 0, head_size + 2) >= 0
                return int(received[9:12])
        self.received = received
        return None


def _content_length(answer: bytes) -> int:
    """The length of the body. ValueError if the answer has no header for it."""
    start = answer.find(_LENGTH)
    if start < 0:  # a proxy writes it with capitals
        start = answer.index(_LENGTH.title())
    start += len(_LENGTH)
    return int(answer[start : answer.index(b"\r\n", start)])


class Run:
    """Sends one load. It ends when each request is answered or lost, or the time is up."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._messages = [text.encode("ascii") for text in load.messages]
        self._selector = _selector(load)
        self._free = deque(Connection(load.port) for _ in range(load.connections))
        for connection in self._free:
            self._watch(connection)
        self._statuses: Counter[int] = Counter()
        self._latencies_ms: list[float] = []
        self._lates_ms: list[float] = []
        self._waiting: deque[float] = deque()
        self._begun_s = 0.0
        self._come_due = 0
        self._finished = 0
        self.result = LoadResult()

    def start(self) -> None:
        """Send the requests that are due now."""
        self.result = LoadResult()
        for kept in (self._statuses, self._latencies_ms, self._lates_ms, self._waiting):
            kept.clear()
        self._come_due = self._finished = 0
        self._begun_s = time.monotonic()
        if self._load.mode != "open":
            for connection in self._free:
                self._send_next(connection)

    def finish(self) -> LoadResult:
        """Send the other requests, and wait for all answers."""
        until_s = self._begun_s + self._load.time_limit_s
        is_open = self._load.mode == "open"
        while not self._is_over() and time.monotonic() < until_s:
            if is_open:
                self._send_due()
            for key, _ in self._selector.select(self._select_timeout_s()):
                self._read(key.data)
        self.result.by_status = dict(self._statuses)
        self.result.latency_ms = percentiles(self._latencies_ms)
        self.result.late_ms = percentiles(self._lates_ms)
        return self.result

    def _is_over(self) -> bool:
        """Whether all is answered. A lost answer ends the load, except in `hold` mode."""
        is_invalid = (
            bool(self.result.dropped or self.result.malformed) and self._load.mode != "hold"
        )
        return is_invalid or self._finished == self._load.count

    def _read(self, connection: Connection) -> None:
        try:
            status = connection.read()
        except (ValueError, ConnectionError) as error:
            self._lost(connection, error)
        else:
            if status is not None:
                self._answered(connection, status)

    def _answered(self, connection: Connection, status: int) -> None:
        self._finished += 1
        self._statuses[status] += 1
        self.result.last_s = time.monotonic()
        self.result.first_s = self.result.first_s or self.result.last_s
        if connection.is_last:
            connection = self._replaced(connection)
        if self._load.mode == "closed":
            self._send_next(connection)
        elif self._load.mode == "open":
            self._latencies_ms.append(1000 * (self.result.last_s - connection.due_s))
            self._free.append(connection)
            self._send_waiting()

    def _lost(self, connection: Connection, error: Exception) -> None:
        """Close a connection whose answer will not come."""
        self._close(connection)
        if isinstance(error, ValueError):
            self.result.malformed += 1
        elif connection.is_busy:
            self.result.dropped += 1
        self._finished += connection.is_busy

    def _watch(self, connection: Connection) -> None:
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def _close(self, connection: Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def _replaced(self, ended: Connection) -> Connection:
        """A new connection in place of one that the server ends."""
        self._close(ended)
        connection = Connection(self._load.port)
        connection.due_s = ended.due_s
        self._free = deque(connection if each is ended else each for each in self._free)
        self._watch(connection)
        return connection

    def _send_next(self, connection: Connection) -> None:
        if self.result.sent < self._load.count:
            message = self._messages[self.result.sent % len(self._messages)]
            self.result.sent += 1
            connection.send(message)

    def _send_due(self) -> None:
        now_s = time.monotonic()
        while self._come_due < self._load.count and self._next_due_s() <= now_s:
            self._lates_ms.append(1000 * (now_s - self._next_due_s()))
            self._waiting.append(self._next_due_s())
            self._come_due += 1
        self._send_waiting()

    def _send_waiting(self) -> None:
        while self._waiting and self._free:
            connection = self._free.popleft()
            connection.due_s = self._waiting.popleft()
            self._send_next(connection)

    def _next_due_s(self) -> float:
        """The moment at which the next request is due."""
        return self._begun_s + self._come_due / self._load.rate_per_s

    def _select_timeout_s(self) -> float:
        """How many seconds to wait for an answer: until the next request is due."""
        if self._load.polls:
            return 0.0
        if self._load.mode == "open" and self._come_due < self._load.count:
            return max(0.0, self._next_due_s() - time.monotonic())
        return 1.0


def percentiles(values: list[float]) -> Percentiles:
    """The percentiles of some values; all zero if there are none."""
    if not values:
        return Percentiles()
    ordered = sorted(values)
    last = len(ordered) - 1
    return Percentiles(ordered[last // 2], ordered[round(0.99 * last)], ordered[last])


def _selector(load: Load) -> selectors.BaseSelector:
    """A selector. select() waits exactly where epoll rounds up to 1 ms, but allows few sockets."""
    return selectors.SelectSelector() if load.mode == "open" else selectors.DefaultSelector()


def _print(line: object) -> None:
    print(json.dumps(line), flush=True)


def main() -> None:
    """Send the load that standard input describes."""
    load = Load(**json.loads(sys.stdin.readline()))
    run = Run(load)
    _print({"event": "connected"})
    gc.disable()  # a collection here would look like a pause of the server
    for _ in iter(sys.stdin.readline, ""):
        run.start()
        if load.mode == "hold":
            _print({"event": "sent"})
        _print(asdict(run.finish()))


if __name__ == "__main__":
    main()
