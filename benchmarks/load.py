"""The load generator: prepared bytes on keep-alive connections to 127.0.0.1, answers counted.

It is a process of its own, so that it never shares the server's interpreter, and it uses neither an
HTTP library nor an event loop: a selector says which socket has something, and of each answer only
the status and the Content-Length are looked at. That costs about 15 us per answer, half of what
the cheapest server spends on it and half of what asyncio would take for the same; a generator that
costs as much as the server measures itself. It sends no more than it was told to, for no longer
than it was told to, and counts every answer by status; whether those are right is for its caller
to say.

It speaks JSON lines with whoever started it: a `Load` comes in, `connected` goes out, any line
comes in and starts the load, in `hold` mode `sent` goes out, then a `Tally`. The connections stay
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
_READ_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Load:
    """What to send.

    mode: `closed` keeps every connection busy; `open` sends at moments fixed in advance, however
        slow the answers are; `hold` sends one request per connection and waits.
    messages: whole requests; they are taken in turn, again and again, until `count` are sent.
    rate_per_s: of the open mode.
    """

    mode: Literal["closed", "open", "hold"]
    port: int
    messages: list[str]
    count: int
    connections: int
    time_limit_s: float
    rate_per_s: float = 0.0


@dataclass(slots=True)
class Spread:
    """Half of the values were below `p50`, 99 of 100 below `p99`."""

    p50: float = 0.0
    p99: float = 0.0
    max: float = 0.0


@dataclass(slots=True)
class Tally:
    """What came of it.

    dropped: connections that ended while a request was under way.
    malformed: answers without a length, with bytes left over, or that nobody asked for.
    latency_ms: open mode: from the moment a request was meant to be sent to its whole answer.
    late_ms: open mode: how long after that moment the generator got round to it.
    first_s, last_s: when the first and the last answer was whole, by the machine's monotonic clock.
    """

    sent: int = 0
    by_status: dict[int, int] = field(default_factory=dict)
    dropped: int = 0
    malformed: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    latency_ms: Spread = field(default_factory=Spread)
    late_ms: Spread = field(default_factory=Spread)


class Connection:
    """One keep-alive connection; at most one request is under way on it."""

    __slots__ = ("is_busy", "meant_s", "received", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.received = b""
        self.is_busy = False
        self.meant_s = 0.0

    def send(self, message: bytes) -> None:
        """Send one request; it always fits into an empty send buffer."""
        self.is_busy = True
        if self.socket.send(message) != len(message):
            raise BlockingIOError("a request did not fit into the socket's buffer")

    def read(self) -> int | None:
        """The status of the answer once it is whole, None before.

        Raises ValueError for an answer that is malformed, ConnectionError if the server hung up.
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
                return int(received[9:12])
        self.received = received
        return None


def _content_length(answer: bytes) -> int:
    """ValueError if the answer does not say, in lower case, how long its body is."""
    start = answer.index(_LENGTH) + len(_LENGTH)
    return int(answer[start : answer.index(b"\r\n", start)])


class Run:
    """One load under way, over when each request is answered or lost, or the time is up."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._messages = [text.encode("ascii") for text in load.messages]
        self._selector = _selector(load)
        self._free = deque(Connection(load.port) for _ in range(load.connections))
        for connection in self._free:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._statuses: Counter[int] = Counter()
        self._latencies_ms: list[float] = []
        self._lates_ms: list[float] = []
        self._waiting: deque[float] = deque()
        self._begun_s = 0.0
        self._come_due = 0
        self._finished = 0
        self.tally = Tally()

    def begin(self) -> None:
        """Send what is to be sent at once."""
        self._begun_s = time.monotonic()
        if self._load.mode != "open":
            for connection in self._free:
                self._send_next(connection)

    def finish(self) -> Tally:
        """Go on sending until all is answered."""
        until_s = self._begun_s + self._load.time_limit_s
        is_open = self._load.mode == "open"
        while not self._is_over() and time.monotonic() < until_s:
            if is_open:
                self._send_due()
            for key, _ in self._selector.select(self._patience_s()):
                self._read(key.data)
        self.tally.by_status = dict(self._statuses)
        self.tally.latency_ms = spread(self._latencies_ms)
        self.tally.late_ms = spread(self._lates_ms)
        return self.tally

    def _is_over(self) -> bool:
        """A lost answer spoils a load that is measured; of requests held, the rest still counts."""
        is_spoilt = bool(self.tally.dropped or self.tally.malformed) and self._load.mode != "hold"
        return is_spoilt or self._finished == self._load.count

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
        self.tally.last_s = time.monotonic()
        self.tally.first_s = self.tally.first_s or self.tally.last_s
        if self._load.mode == "closed":
            self._send_next(connection)
        elif self._load.mode == "open":
            self._latencies_ms.append(1000 * (self.tally.last_s - connection.meant_s))
            self._free.append(connection)
            self._send_waiting()

    def _lost(self, connection: Connection, error: Exception) -> None:
        """The connection is of no more use, and the answer waited for will not come."""
        self._selector.unregister(connection.socket)
        connection.socket.close()
        if isinstance(error, ValueError):
            self.tally.malformed += 1
        elif connection.is_busy:
            self.tally.dropped += 1
        self._finished += connection.is_busy

    def _send_next(self, connection: Connection) -> None:
        if self.tally.sent < self._load.count:
            message = self._messages[self.tally.sent % len(self._messages)]
            self.tally.sent += 1
            connection.send(message)

    def _send_due(self) -> None:
        now_s = time.monotonic()
        while self._come_due < self._load.count and self._meant_s() <= now_s:
            self._lates_ms.append(1000 * (now_s - self._meant_s()))
            self._waiting.append(self._meant_s())
            self._come_due += 1
        self._send_waiting()

    def _send_waiting(self) -> None:
        while self._waiting and self._free:
            connection = self._free.popleft()
            connection.meant_s = self._waiting.popleft()
            self._send_next(connection)

    def _meant_s(self) -> float:
        """When the next request is to be sent."""
        return self._begun_s + self._come_due / self._load.rate_per_s

    def _patience_s(self) -> float:
        """How long nothing but an answer can happen."""
        if self._load.mode == "open" and self._come_due < self._load.count:
            return max(0.0, self._meant_s() - time.monotonic())
        return 1.0


def spread(values: list[float]) -> Spread:
    """All zero if there are no values."""
    if not values:
        return Spread()
    ordered = sorted(values)
    last = len(ordered) - 1
    return Spread(ordered[last // 2], ordered[round(0.99 * last)], ordered[last])


def _selector(load: Load) -> selectors.BaseSelector:
    """select() waits to the microsecond where epoll rounds up to 1 ms, but has room for few."""
    return selectors.SelectSelector() if load.mode == "open" else selectors.DefaultSelector()


def _say(line: object) -> None:
    print(json.dumps(line), flush=True)


def main() -> None:
    """Carry out the load that comes in."""
    load = Load(**json.loads(sys.stdin.readline()))
    run = Run(load)
    _say({"event": "connected"})
    sys.stdin.readline()
    gc.disable()  # a collection here would look like a pause of the server's; the run is short
    run.begin()
    if load.mode == "hold":
        _say({"event": "sent"})
    _say(asdict(run.finish()))
    sys.stdin.read()


if __name__ == "__main__":
    main()
