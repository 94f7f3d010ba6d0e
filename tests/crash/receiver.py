"""A receiver of events that records what comes, in a thread of this process."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """url: where to send events. times: how often each event came, by its path and its id.
    on_event: called before an event is answered."""

    url: str = ""
    times: Counter[tuple[str, str]] = field(default_factory=Counter)
    subjects: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    on_event: Callable[[], None] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, path: str, event: dict[str, Any]) -> None:
        """Note an event of either API."""
        subject = event.get("task_id") or event["data"]["id"]
        with self.lock:
            self.times[(path, event.get("id") or subject)] += 1
            self.subjects[path].add(subject)


@contextmanager
def receiver() -> Iterator[Received]:
    """A receiver on a free port that accepts everything."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.add(self.path, json.loads(body))
            if received.on_event is not None:
                received.on_event()
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 1000  # many events come at once after a start

        def handle_error(self, *_: object) -> None:
            """Say nothing: senders are killed."""

    with Server(("127.0.0.1", 0), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()
