"""uvicorn's cycle of one request and its answer, made faster."""

import asyncio
from collections.abc import Coroutine, Generator
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from mock_server.server.uvicorn_protocol import BreakableProtocol


class RequestCycle(RequestResponseCycle):
    """Receives one request and sends its answer. Makes objects only if they are needed."""

    access_log = False
    disconnected = False
    body = b""  # type: ignore[assignment]
    more_body = True
    response_started = False
    response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0
    _is_set = False
    _waiter: asyncio.Event | None = None

    def __init__(self, scope: Scope, protocol: "BreakableProtocol", *, keep_alive: bool) -> None:
        self.scope = scope  # type: ignore[assignment]
        self.transport = protocol.transport
        self._write_now = protocol.joined.write_now
        self.flow = protocol.flow
        self.logger = protocol.logger
        self.default_headers = protocol.server_state.default_headers
        self.on_response = protocol.on_response_complete
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = protocol.expect_100_continue

    @property
    def message_event(self) -> Self:  # type: ignore[override]
        """The event for which `receive` waits: this object, as an asyncio.Event would be slower."""
        return self

    def set(self) -> None:
        """Wake `receive`."""
        self._is_set = True
        if self._waiter is not None:
            self._waiter.set()

    def clear(self) -> None:
        """Make `receive` wait from now on."""
        self._is_set = False

    async def wait(self) -> None:
        """Return once `set` is called."""
        if not self._is_set:
            if self._waiter is None or self._waiter.is_set():
                self._waiter = asyncio.Event()
            await self._waiter.wait()

    async def receive(self) -> Any:
        """The next message of the request. Does not wait if it has been received."""
        is_over = self.disconnected or self.response_complete
        if is_over or not self._is_set or self.waiting_for_100_continue:
            return await super().receive()
        self.flow.resume_reading()
        self._is_set = False
        body, self.body = self.body, b""
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def take_body(self) -> bytes | None:
        """Take the whole body; see TakeBody."""
        is_over = self.disconnected or self.response_complete
        if is_over or self.more_body or not self._is_set or self.waiting_for_100_continue:
            return None
        self.flow.resume_reading()
        self._is_set = False
        body, self.body = self.body, b""
        return body

    def write_answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Write a whole answer; see WriteAnswer."""
        if (
            self.response_started
            or self.disconnected
            or self.flow.write_paused
            or not self.keep_alive
            or self.scope["method"] == "HEAD"
        ):
            return False
        headers = self.default_headers + headers
        lines = b"%s: %s\r\n" * len(headers) % tuple(chain.from_iterable(headers))
        self._write_now(b"%s%s\r\n%s" % (STATUS_LINE[status], lines, body))
        self.waiting_for_100_continue = False
        self.response_started = self.response_complete = self._is_set = True
        if self._waiter is not None:
            self._waiter.set()
        self.on_response()
        return True


def run_at_once(
    running: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop
) -> asyncio.Task[None] | None:
    """Run a coroutine until it waits. Returns a task that runs the rest, or None if it has ended.
    Most requests never wait, and a task costs as much as a small answer.
    There is no current task before the first wait: `asyncio.timeout`, for example, raises."""
    try:
        awaited = running.send(None)
    except StopIteration:
        return None
    return loop.create_task(_Rest(running, awaited))


class _Rest(Coroutine[Any, Any, None]):
    """The rest of a coroutine that waits for `awaited`."""

    def __init__(self, running: Coroutine[Any, Any, None], awaited: Any) -> None:
        self._running = running
        self._awaited = [awaited]

    def send(self, value: Any) -> Any:
        """The future that the coroutine waits for next."""
        return self._awaited.pop() if self._awaited else self._running.send(value)

    def throw(self, *error: Any) -> Any:
        """The future that the coroutine waits for next, if it has caught the error."""
        self._awaited.clear()
        return self._running.throw(*error)

    def close(self) -> None:
        """Close the coroutine."""
        self._running.close()

    def __await__(self) -> Generator[Any, Any, None]:
        raise NotImplementedError("it is made for a task")
