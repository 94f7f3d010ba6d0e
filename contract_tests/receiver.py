"""Receives callbacks and events for the checks. Each check has an inbox with a URL of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from contract_tests.json_values import parse_json
from contract_tests.target import Clock

DEFAULT_PORT = 4011
_LONGEST_WAIT_S = 1800.0


class PortInUse(Exception):
    """Another program listens on the port that receives callbacks."""


@dataclass(frozen=True)
class ReceivedRequest:
    """One request that came to an inbox. path: with its query. Header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON, or None if it is no JSON."""
        return parse_json(self.body)


HttpAnswer = tuple[int, dict[str, str], bytes]
Respond = Callable[[ReceivedRequest], HttpAnswer | None]


class LocalServer:
    """Listens on this machine inside a `with` block. Raises OSError if the port cannot be used.

    respond: returns the answer to a request, or None if the server stays silent.
    port: 0 chooses a free one.
    """

    def __init__(self, respond: Respond, port: int = 0) -> None:
        self._stopped = stopped = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = respond(ReceivedRequest(self.command, self.path, headers, body))
                if answer is None:
                    stopped.wait()
                    self.close_connection = True
                    return
                status, headers, content = answer
                self.send_response_only(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content if self.command != "HEAD" else b"")

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class Inbox:
    """The requests that came to one URL.

    answers: status and headers of the answers, in order. The last one is repeated.
    """

    url: str
    answers: deque[tuple[int, dict[str, str]]]
    requests: list[ReceivedRequest] = field(default_factory=list)

    def wait(self, count: int, clock: Clock, *, text: str = "") -> list[ReceivedRequest]:
        """The requests whose body has this text, once there are `count` or the time is up."""
        for _ in clock.polls(_LONGEST_WAIT_S):
            if len(self.with_text(text)) >= count:
                break
        return self.with_text(text)

    def with_text(self, text: str) -> list[ReceivedRequest]:
        """The requests so far whose body has this text, such as the id of a task."""
        return [request for request in self.requests if text.encode() in request.body]


class Receiver(LocalServer):
    """Keeps the requests that come to its inboxes.

    public_url: the receiver's URL for the server under test, if it is not the local one.
    """

    def __init__(self, public_url: str | None, port: int) -> None:
        self._public_url = public_url
        self._inboxes: dict[str, Inbox] = {}
        try:
            super().__init__(self._receive, port)
        except OSError as error:
            raise PortInUse(
                f"port {port}, which receives callbacks, cannot be used: {error.strerror}"
            ) from error

    def _receive(self, request: ReceivedRequest) -> HttpAnswer:
        inbox = self._inboxes.get(request.path.partition("?")[0].rpartition("/")[2])
        if inbox is None:
            return 404, {}, b""
        inbox.requests.append(request)
        is_last = len(inbox.answers) == 1
        return *(inbox.answers[0] if is_last else inbox.answers.popleft()), b""

    def inbox(self, *answers: int | tuple[int, dict[str, str]]) -> Inbox:
        """A new inbox. answers: statuses, or statuses with headers; 200 by default."""
        base = self._public_url or self.url
        name = f"inbox-{len(self._inboxes) + 1}"
        pairs = [answer if isinstance(answer, tuple) else (answer, {}) for answer in answers]
        inbox = Inbox(f"{base.rstrip('/')}/{name}", deque(pairs or [(200, {})]))
        self._inboxes[name] = inbox
        return inbox
