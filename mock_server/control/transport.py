"""Calls of the control door, each written once for callers with and without async.

A call is a generator that does no I/O: it yields requests, is sent their replies and returns its
result. A `Transport` sends the requests and blocks, an `AsyncTransport` awaits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Coroutine, Generator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeAlias, TypeVar, overload
from urllib.parse import quote

import httpx2
import msgspec
from starlette.types import ASGIApp

from mock_server.control.answers import Problem, Wrong
from mock_server.control.loop_thread import LoopThread

T = TypeVar("T")
Client = TypeVar("Client", httpx2.Client, httpx2.AsyncClient)
P = ParamSpec("P")

IN_PROCESS = "http://hailuo-mock.test"
"""The base URL of an app in this process."""

TIMEOUT_S = 30.0
"""The default time limit for the door's answer, in real seconds."""

_LIMITS = httpx2.Limits(max_keepalive_connections=0)
_HIGHEST_PORT = 65535


class ControlError(Exception):
    """The door refused a call, or did not answer. The message is its sentence, with pointers.
    status: of the answer; None if there was none. errors: the wrong places of the request."""

    def __init__(
        self, message: str, status: int | None = None, errors: tuple[Wrong, ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the door.
    body: bytes are sent unchanged, other values as JSON; None: no body.
    query: a value of None is left out.
    timeout_s: the maximum time until the answer, in real seconds.
    process: the index of the server, if there are several.
    allowed: the statuses of refusals that are replies, too."""

    method: str
    path: str
    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = TIMEOUT_S
    process: int = 0
    allowed: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """The body of a successful answer. source: the method and URL of its request, for messages.
    is_refusal: whether it has a status that the request allowed."""

    content: bytes
    source: str
    is_refusal: bool = False

    def read(self, kind: type[T]) -> T:
        """The body as a value of this type, without the fields that the type does not have.
        Raises ControlError if it is no such value."""
        __tracebackhide__ = True
        try:
            return msgspec.json.decode(self.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            sentence = "was not answered by a hailuo-mock, or by one of another version"
            raise ControlError(f"{self.source} {sentence}") from None


RequestFlow: TypeAlias = Generator[Request, Reply, T]
"""A call as a generator of its requests; it returns the result."""

Server: TypeAlias = str | ASGIApp | Sequence[str]
"""A URL, an app in this process, or the URLs of several processes."""

Json: TypeAlias = Mapping[str, Any] | msgspec.Struct
"""A JSON object in a body, as `/_mock/control.json` describes it: plain data, or a struct."""


def step(name: str) -> str:
    """A name, quoted as one step of a path. Dots alone would lead to another path."""
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")


class _Servers(Generic[Client]):
    """The servers that requests are made to, with a client and a base URL for each."""

    def __init__(self, server: Server, token: str | None) -> None:
        self._token = token
        self.servers = _each_of(server)
        self.urls = [
            _base_url(each) if isinstance(each, str) else IN_PROCESS for each in self.servers
        ]
        self.clients: list[Client] = [
            self._client_of(each, _options(url, token))
            for each, url in zip(self.servers, self.urls, strict=True)
        ]

    @property
    def url(self) -> str:
        """The base URL of the first server."""
        return self.urls[0]

    def to(self, process: int) -> Self:
        """A transport to one of the servers, with the same client."""
        only = copy(self)
        only.servers, only.clients = [self.servers[process]], [self.clients[process]]
        only.urls = [self.urls[process]]
        return only

    def _client_of(self, server: str | ASGIApp, options: dict[str, Any]) -> Client:
        raise NotImplementedError


class Transport(_Servers[httpx2.Client]):
    """Makes calls to a server at a URL or to an app in this process, and blocks until they return.
    Several threads may use it. It keeps no connection open between requests. An app runs on an
    event loop in its own thread, until the transport is closed."""

    def run(self, flow: RequestFlow[T]) -> T:
        """Make a call. Raises ControlError."""
        __tracebackhide__ = True  # a test's report then shows the line of the test
        try:
            request = next(flow)
            while True:
                request = flow.send(self.send(request))
        except StopIteration as done:
            result: T = done.value
            return result

    def async_transport(self) -> AsyncTransport:
        """A transport to the first server, for async callers."""
        return AsyncTransport(self.servers[0], self._token)

    def close(self) -> None:
        """Close the clients, and end the thread of an app in this process."""
        for client in self.clients:
            client.close()

    def _client_of(self, server: str | ASGIApp, options: dict[str, Any]) -> httpx2.Client:
        in_thread = None if isinstance(server, str) else InThread(server)
        return httpx2.Client(**options, transport=in_thread)

    def send(self, request: Request) -> Reply:
        """The reply to one request. Raises ControlError."""
        __tracebackhide__ = True
        client = self.clients[request.process]
        try:
            return _reply_in(request, client.send(_request(client, request)))
        except httpx2.HTTPError as error:
            raise _no_answer(self.urls[request.process], request, error) from None


class AsyncTransport(_Servers[httpx2.AsyncClient]):
    """The same for async callers, in any event loop; there is nothing to close. An app in this
    process runs in the caller's event loop."""

    async def run(self, flow: RequestFlow[T]) -> T:
        """Make a call. Raises ControlError."""
        __tracebackhide__ = True
        try:
            request = next(flow)
            while True:
                request = flow.send(await self.send(request))
        except StopIteration as done:
            result: T = done.value
            return result

    def _client_of(self, server: str | ASGIApp, options: dict[str, Any]) -> httpx2.AsyncClient:
        in_loop = None if isinstance(server, str) else httpx2.ASGITransport(app=server)
        return httpx2.AsyncClient(**options, transport=in_loop)

    async def send(self, request: Request) -> Reply:
        """The reply to one request. Raises ControlError."""
        client = self.clients[request.process]
        try:
            return _reply_in(request, await client.send(_request(client, request)))
        except httpx2.HTTPError as error:
            raise _no_answer(self.urls[request.process], request, error) from None


class Caller:
    """Base of classes whose methods are calls."""

    def __init__(self, transport: Transport | AsyncTransport, path: str) -> None:
        """path: the beginning of the paths of all its requests."""
        self._transport = transport
        self._path = path


class SyncCaller(Caller):
    """Makes calls and returns their results."""

    _transport: Transport


class AsyncCaller(Caller):
    """Returns coroutines that make calls."""

    _transport: AsyncTransport


class ClientMethod(Generic[P, T]):
    """A method that is a call: a result for a `SyncCaller`, a coroutine for an `AsyncCaller`."""

    def __init__(self, flow_of: Callable[Concatenate[Any, P], RequestFlow[T]]) -> None:
        self._flow_of = flow_of
        self.__doc__ = flow_of.__doc__

    @overload
    def __get__(
        self, caller: None, owner: type
    ) -> Callable[Concatenate[Any, P], RequestFlow[T]]: ...
    @overload
    def __get__(self, caller: SyncCaller, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, caller: AsyncCaller, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, caller: SyncCaller | AsyncCaller | None, owner: type) -> Callable[..., Any]:
        if caller is None:
            return self._flow_of  # so that documentation shows a method
        flow_of, transport = self._flow_of, caller._transport  # noqa: SLF001 (this descriptor belongs to callers)

        @functools.wraps(flow_of)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            __tracebackhide__ = True
            return transport.run(flow_of(caller, *args, **kwargs))

        return call


class InThread(httpx2.BaseTransport):
    """Runs an app of this process on an event loop in a thread, for clients without async.
    `httpx2.Client(transport=InThread(app), base_url=…)` reaches it without a socket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = httpx2.ASGITransport(app=app)
        self._thread = LoopThread("hailuo-mock app")

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The whole answer of the app to one request.
        Raises ReadTimeout if the request's time limit ends, and the exceptions of the app."""
        timeout_s = request.extensions.get("timeout", {}).get("read")
        answering = self._thread.start(self._answer(request, request.read()))
        try:
            return answering.result(timeout_s)
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


def _each_of(server: Server) -> Sequence[str | ASGIApp]:
    """The servers one by one. Raises ControlError for an empty list."""
    if isinstance(server, Sequence) and not isinstance(server, str):
        if not server:
            raise ControlError("no server was named: the list of URLs is empty")
        return list(server)
    return [server]


def _base_url(server: str) -> str:
    """The URL of a server without a slash at the end. Raises ControlError if it is no URL."""
    try:
        url = httpx2.URL(server.strip().rstrip("/"))
    except httpx2.InvalidURL as error:
        raise ControlError(f"no server answers at {server}: that is no URL ({error})") from None
    # A larger port is cut to 16 bits by some systems, and an OverflowError on others.
    if url.scheme not in {"http", "https"} or not url.host or (url.port or 0) > _HIGHEST_PORT:
        sentence = "that is no URL of a server, like http://127.0.0.1:4010"
        raise ControlError(f"no server answers at {server}: {sentence}")
    return str(url)


def _options(url: str, token: str | None) -> dict[str, Any]:
    """The options of a client for one server, without its transport.
    Raises ControlError for a token that no server can have."""
    if token is not None and not (token.isascii() and token.isprintable()):
        raise ControlError("a control token is of visible ASCII characters; this one is not")
    return {
        "base_url": url,
        "headers": {} if token is None else {"mock-control-token": token},
        "trust_env": False,  # no proxy
        "limits": _LIMITS,
        "verify": url.startswith("https:"),
    }


def _request(client: httpx2.Client | httpx2.AsyncClient, request: Request) -> httpx2.Request:
    body, headers = request.body, {}
    if body is not None:
        headers["content-type"] = "application/json"
        body = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return client.build_request(
        request.method,
        request.path,
        params={name: value for name, value in request.query.items() if value is not None},
        content=body,
        headers=headers,
        timeout=request.timeout_s,
    )


def _reply_in(request: Request, answer: httpx2.Response) -> Reply:
    """The reply in an answer. Raises ControlError if it is a refusal."""
    __tracebackhide__ = True
    source = f"{request.method} {answer.request.url}"
    if answer.is_success:
        return Reply(answer.content, source)
    if answer.status_code in request.allowed:
        return Reply(answer.content, source, is_refusal=True)
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


def _no_answer(url: str, request: Request, error: httpx2.HTTPError) -> ControlError:
    if isinstance(error, httpx2.TimeoutException):
        waited = f"within {request.timeout_s:g} s"
        return ControlError(f"{request.method} {request.path}: {url} did not answer {waited}")
    hint = "; a hailuo-mock speaks http: use http://" if "SSL" in str(error) else ""
    who = "no server" if isinstance(error, httpx2.ConnectError) else "no hailuo-mock"
    return ControlError(f"{who} answers at {url}: {error}{hint}")
