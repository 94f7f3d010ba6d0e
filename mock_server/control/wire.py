"""Calls of the control door, described once and made in two ways: waiting, and awaited.

A call is a generator: it yields questions, is sent their replies and returns what it promises. It
does no I/O; a `Line` asks the questions while its caller waits, an `AsyncLine` while it awaits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, overload
from urllib.parse import quote

import httpx2
import msgspec
from starlette.types import ASGIApp

from mock_server.control.answers import Problem, Wrong
from mock_server.server.loop_thread import LoopThread

T = TypeVar("T")
P = ParamSpec("P")

IN_PROCESS = "http://hailuo-mock.test"
"""What an app without a socket is called in URLs."""

PATIENCE_S = 30.0
"""How long an answer of the door may take, in real seconds, unless a call says otherwise."""


_LIMITS = httpx2.Limits(max_keepalive_connections=0)


class ControlError(Exception):
    """The door said no, or nobody was there. The message is its sentence, with pointers.

    status: of the answer; None if there was none. errors: what is wrong, place by place.
    """

    def __init__(
        self, message: str, status: int | None = None, errors: tuple[Wrong, ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Question:
    """One request to the door.

    body: bytes go as they are, None is no body, anything else is written as JSON.
    query: what is None is left out.
    patience_s: how long the answer may take, in real seconds.
    """

    method: str
    path: str
    body: Any = None
    query: Mapping[str, str | int | float | None] = field(default_factory=dict)
    patience_s: float = PATIENCE_S


@dataclass(frozen=True, slots=True)
class Reply:
    """What the door answered to a question; no refusal. source: the question, for messages."""

    content: bytes
    source: str

    def read(self, kind: type[T]) -> T:
        """The answer as a value of this type. Fields that the type does not have are left out.

        Raises ControlError if it is none.
        """
        __tracebackhide__ = True
        try:
            return msgspec.json.decode(self.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            sentence = "was not answered by a hailuo-mock, or by one of another version"
            raise ControlError(f"{self.source} {sentence}") from None


Steps: TypeAlias = Generator[Question, Reply, T]
"""A call, before it is made."""

Described: TypeAlias = Mapping[str, Any] | msgspec.Struct
"""A part of a body, as the door's document has it: plain data, or the struct itself."""


def step(name: str) -> str:
    """A name as one step of a path."""
    return quote(name, safe="")


class Line:
    """To a server at a URL or an app in this process, for callers who wait.

    Many threads may use it. It keeps no connection between questions: of a server, there is nothing
    to close. An app runs on an event loop in a thread of the line's own, until that is closed.
    """

    def __init__(self, server: str | ASGIApp, token: str | None) -> None:
        self.url = _base_url(server) if isinstance(server, str) else IN_PROCESS
        self._server = server
        self._token = token
        self._client = httpx2.Client(
            base_url=self.url,
            headers=_headers(token),
            trust_env=False,  # a proxy for the outside world is not for this machine
            transport=self._transport(server),
        )

    def run(self, steps: Steps[T]) -> T:
        """Make a call. Raises ControlError."""
        __tracebackhide__ = True  # in a test's report the line that matters is the test's own
        try:
            question = next(steps)
            while True:
                question = steps.send(self._ask(question))
        except StopIteration as done:
            result: T = done.value
            return result

    def awaited(self) -> AsyncLine:
        """A line to the same server, for callers who await."""
        return AsyncLine(self._server, self._token)

    def close(self) -> None:
        """Hang up. An app in this process is left without its event loop."""
        self._client.close()

    def _ask(self, question: Question) -> Reply:
        __tracebackhide__ = True
        try:
            return _heard(question, self._client.send(_request(self._client, question)))
        except httpx2.HTTPError as error:
            raise _nobody(self.url, question, error) from None

    def _transport(self, server: str | ASGIApp) -> httpx2.BaseTransport:
        if isinstance(server, str):
            return httpx2.HTTPTransport(verify=server.startswith("https:"), limits=_LIMITS)
        return InThread(server)


class AsyncLine:
    """The same for callers who await.

    It may be used in one event loop after another, and there is nothing to close. An app in this
    process runs in the caller's event loop.
    """

    def __init__(self, server: str | ASGIApp, token: str | None) -> None:
        self.url = _base_url(server) if isinstance(server, str) else IN_PROCESS
        self._client = httpx2.AsyncClient(
            base_url=self.url,
            headers=_headers(token),
            trust_env=False,
            transport=self._transport(server),
        )

    async def run(self, steps: Steps[T]) -> T:
        """Make a call. Raises ControlError."""
        __tracebackhide__ = True  # in a test's report the line that matters is the test's own
        try:
            question = next(steps)
            while True:
                question = steps.send(await self._ask(question))
        except StopIteration as done:
            result: T = done.value
            return result

    async def _ask(self, question: Question) -> Reply:
        try:
            return _heard(question, await self._client.send(_request(self._client, question)))
        except httpx2.HTTPError as error:
            raise _nobody(self.url, question, error) from None

    def _transport(self, server: str | ASGIApp) -> httpx2.AsyncBaseTransport:
        if isinstance(server, str):
            return httpx2.AsyncHTTPTransport(verify=server.startswith("https:"), limits=_LIMITS)
        return httpx2.ASGITransport(app=server)


class Waiting:
    """Whoever makes calls and waits for them."""

    _line: Line


class Awaited:
    """Whoever makes calls and awaits them."""

    _line: AsyncLine


class Call(Generic[P, T]):
    """A method that is a call: `Waiting` returns what it promises, `Awaited` has it awaited."""

    def __init__(self, steps: Callable[Concatenate[Any, P], Steps[T]]) -> None:
        self._steps = steps
        self.__doc__ = steps.__doc__

    @overload
    def __get__(self, caller: None, owner: type) -> Callable[Concatenate[Any, P], Steps[T]]: ...
    @overload
    def __get__(self, caller: Waiting, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, caller: Awaited, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, caller: Waiting | Awaited | None, owner: type) -> Callable[..., Any]:
        if caller is None:
            return self._steps  # so that documentation shows a method
        steps, line = self._steps, caller._line  # noqa: SLF001 (the line is theirs to lend)

        @functools.wraps(steps)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            __tracebackhide__ = True
            return line.run(steps(caller, *args, **kwargs))

        return call


class InThread(httpx2.BaseTransport):
    """For a client that waits: an app of this process, on an event loop in a thread of its own.

    `httpx2.Client(transport=InThread(app), base_url=…)` reaches it without a socket.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = httpx2.ASGITransport(app=app)
        self._thread = LoopThread("hailuo-mock app")

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request, and wait for the whole answer.

        Raises ReadTimeout when the request's patience is over, and what the app raises.
        """
        patience_s = request.extensions.get("timeout", {}).get("read")
        answering = self._thread.start(self._answer(request, request.read()))
        try:
            return answering.result(patience_s)
        except TimeoutError:
            answering.cancel()
            raise httpx2.ReadTimeout("no answer in time", request=request) from None

    def close(self) -> None:
        """End the app's event loop."""
        self._thread.close()

    async def _answer(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        asked = httpx2.Request(request.method, request.url, headers=request.headers, content=body)
        answer = await self._app.handle_async_request(asked)
        content = await answer.aread()
        return httpx2.Response(answer.status_code, headers=answer.headers, content=content)


def _base_url(server: str) -> str:
    """Where a server is, without a slash at the end. Raises ControlError for what is no URL."""
    try:
        url = httpx2.URL(server.strip().rstrip("/"))
    except httpx2.InvalidURL as error:
        raise ControlError(f"nobody answers at {server}: that is no URL ({error})") from None
    if url.scheme not in {"http", "https"} or not url.host:
        sentence = "that is no URL of a server, like http://127.0.0.1:4010"
        raise ControlError(f"nobody answers at {server}: {sentence}")
    return str(url)


def _headers(token: str | None) -> dict[str, str]:
    """Raises ControlError for a token that no server has."""
    if token is None:
        return {}
    if not (token.isascii() and token.isprintable()):
        raise ControlError("a control token is of visible ASCII characters; this one is not")
    return {"mock-control-token": token}


def _request(client: httpx2.Client | httpx2.AsyncClient, question: Question) -> httpx2.Request:
    body, headers = question.body, {}
    if body is not None:
        headers["content-type"] = "application/json"
        body = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return client.build_request(
        question.method,
        question.path,
        params={name: value for name, value in question.query.items() if value is not None},
        content=body,
        headers=headers,
        timeout=question.patience_s,
    )


def _heard(question: Question, answer: httpx2.Response) -> Reply:
    """The reply in an answer. Raises ControlError for a refusal."""
    __tracebackhide__ = True
    source = f"{question.method} {answer.request.url}"
    if answer.is_success:
        return Reply(answer.content, source)
    try:
        problem = msgspec.json.decode(answer.content, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ControlError(
            f"{source} was answered {answer.status_code}, and not by a hailuo-mock",
            answer.status_code,
        ) from None
    places = "; ".join(f"{wrong.pointer or 'body'} {wrong.detail}" for wrong in problem.errors)
    sentence = f"{problem.title}: {problem.detail}" if problem.detail else problem.title
    raise ControlError(places or sentence, answer.status_code, problem.errors)


def _nobody(url: str, question: Question, error: httpx2.HTTPError) -> ControlError:
    if isinstance(error, httpx2.TimeoutException):
        waited = f"within {question.patience_s:g} s"
        return ControlError(f"{question.method} {question.path}: {url} did not answer {waited}")
    hint = "; a hailuo-mock speaks http: use http://" if "SSL" in str(error) else ""
    who = "nobody" if isinstance(error, httpx2.ConnectError) else "no hailuo-mock"
    return ControlError(f"{who} answers at {url}: {error}{hint}")
