"""A receiver of callbacks that sees what arrives on the socket, and how it stopped arriving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from socket import socket
from socketserver import BaseRequestHandler, ThreadingTCPServer
from time import monotonic
from typing import Literal

from tests.receiver import Received, running

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_LONGEST_READ = 65536
_TLS_HANDSHAKE = b"\x16\x03"


@dataclass(frozen=True)
class Connection:
    """One connection: each piece that came with its time, and how it stopped.

    ending: `whole` once a request was complete, `tls` once it was clear that none would come,
    `enough` once there were as many bytes of it as this receiver reads.
    """

    pieces: list[tuple[float, bytes]]
    ending: Literal["whole", "closed", "reset", "tls", "enough"]

    @property
    def data(self) -> bytes:
        """All that came."""
        return b"".join(piece for _, piece in self.pieces)

    @property
    def body(self) -> bytes:
        """What came of the request's body."""
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers, by lower-case name."""
        lines = self.data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        fields = (line.partition(":") for line in lines)
        return {name.lower(): value.strip() for name, _, value in fields}

    @property
    def request(self) -> Received:
        """The request, as far as it came."""
        method, path, _ = self.data.partition(b"\r\n")[0].decode("latin-1").split(" ")
        return Received(method, path, self.headers, self.body)


@dataclass(frozen=True)
class RawReceiver:
    """Where to send to, and the connections that are over."""

    url: str
    connections: Queue[Connection]


@contextmanager
def raw_receiver(
    react: Callable[[Received], None] = lambda _: None,
    *,
    answer: bytes = OK,
    most_body_bytes: int | None = None,
) -> Iterator[RawReceiver]:
    """Listens on a free loopback port until left; answers whole requests, one per connection.

    react: called with each whole request before it is answered.
    answer: sent as it is, and then the connection closes.
    most_body_bytes: hang up when so much of a body has come.
    """
    connections: Queue[Connection] = Queue()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            seen = _read(self.request, most_body_bytes)
            if seen.ending == "whole":
                react(seen.request)
            connections.put(seen)  # first, so that it is there when the sender knows of an answer
            if seen.ending == "whole":
                self.request.sendall(answer)

    class Listener(ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 128

    with running(Listener(("127.0.0.1", 0), Handler)) as url:
        yield RawReceiver(url, connections)


def _read(connection: socket, most_body_bytes: int | None) -> Connection:
    pieces: list[tuple[float, bytes]] = []
    while True:
        try:
            piece = connection.recv(_LONGEST_READ)
        except ConnectionResetError:
            return Connection(pieces, "reset")
        if not piece:
            return Connection(pieces, "closed")
        pieces.append((monotonic(), piece))
        so_far = Connection(pieces, "whole")
        if so_far.data.startswith(_TLS_HANDSHAKE):
            return Connection(pieces, "tls")
        if b"\r\n\r\n" not in so_far.data:
            continue
        if len(so_far.body) >= int(so_far.headers["content-length"]):
            return so_far
        if most_body_bytes is not None and len(so_far.body) >= most_body_bytes:
            return Connection(pieces, "enough")
