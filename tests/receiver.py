"""A receiver for callbacks: keeps what it was sent, and answers 200."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from socketserver import TCPServer
from typing import NamedTuple


class Received(NamedTuple):
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Receiver:
    """Where to send to, and what came."""

    url: str
    received: Queue[Received]


@contextmanager
def receiver(
    *statuses: int, headers: dict[str, str] | None = None, body: bytes = b""
) -> Iterator[Receiver]:
    """Listens on a free loopback port until left.

    statuses: what to answer, one after the other; the last one, or 200, for all that follow.
    """
    received: Queue[Received] = Queue()
    to_answer = deque(statuses or [200])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent_body = self.rfile.read(int(self.headers["content-length"]))
            sent = {name.lower(): value for name, value in self.headers.items()}
            received.put(Received("POST", self.path, sent, sent_body))
            self.send_response(to_answer.popleft() if len(to_answer) > 1 else to_answer[0])
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        yield Receiver(url, received)


@contextmanager
def running(server: TCPServer) -> Iterator[str]:
    """Serves in a thread of its own until left. Gives the URL to send to."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
