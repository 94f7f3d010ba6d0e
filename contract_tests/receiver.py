"""The suite's own receiver: a box for each check, which keeps what was posted to it."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from contract_tests.target import Time

DEFAULT_PORT = 4011
_LONGEST_WAIT_S = 1800.0


@dataclass(frozen=True)
class Posted:
    """One request as it came in. Header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON, or None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass
class Box:
    """Where one check has things sent to. answers: status, and headers, one after the other; the
    last one, or 200, for all that follow."""

    url: str
    answers: deque[tuple[int, dict[str, str]]]
    posted: list[Posted] = field(default_factory=list)

    def wait(self, count: int, time_there: Time, *, about: str = "") -> list[Posted]:
        """What has come, once there is so much of it; or what there is when time is up.

        about: only what has this text in its body, such as the id of a task.
        """
        for _ in time_there.looks(_LONGEST_WAIT_S):
            if len(self.about(about)) >= count:
                break
        return self.about(about)

    def about(self, text: str) -> list[Posted]:
        """What has come so far and has this text in its body."""
        return [posted for posted in self.posted if text.encode() in posted.body]


class Receiver:
    """Listens on this machine while the block lasts.

    public_url: what others call it, where that is not the address it listens on.
    """

    def __init__(self, public_url: str | None = None, port: int = 0) -> None:
        self._public_url, self._port = public_url, port
        self._boxes: dict[str, Box] = {}

    def __enter__(self) -> Self:
        boxes = self._boxes

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                box = boxes.get(self.path.rpartition("/")[2])
                status = 404
                extra: dict[str, str] = {}
                if box is not None:
                    box.posted.append(Posted(self.command, self.path, headers, body))
                    many = len(box.answers) > 1
                    status, extra = box.answers.popleft() if many else box.answers[0]
                self.send_response(status)
                for name, value in {**extra, "content-length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            do_POST = do_GET = do_PUT = _take  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def box(self, *answers: int | tuple[int, dict[str, str]]) -> Box:
        """A new box. answers: statuses, or statuses with headers."""
        base = self._public_url or f"http://127.0.0.1:{self._server.server_address[1]}"
        name = f"box-{len(self._boxes) + 1}"
        told = [answer if isinstance(answer, tuple) else (answer, {}) for answer in answers]
        box = Box(f"{base.rstrip('/')}/{name}", deque(told or [(200, {})]))
        self._boxes[name] = box
        return box
