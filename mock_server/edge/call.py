"""One request: its headers, its body, its world and its exchange."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import IO, Any, Literal, TypeVar

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mock_server.core.faults import Faults
from mock_server.core.idempotency import IdempotencyKey
from mock_server.core.journal import Exchange, IgnoredField
from mock_server.core.refusals import Invalid, Refusal, ShuttingDown
from mock_server.core.suggestions import did_you_mean
from mock_server.core.world import World
from mock_server.edge.connection import take_body_of, write_answer_of
from mock_server.edge.credentials import foreign_credentials
from mock_server.edge.host_header import Host, read_host
from mock_server.edge.json_body import EMPTY, parse
from mock_server.edge.request_headers import headers_of
from mock_server.edge.short_key_cache import cached_for_short_keys
from mock_server.edge.timestamps import moment_text
from mock_server.simulation.state import ServerState
from mock_server.simulation.timekeeper import Timekeeper

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_UNREAD = object()
_SHOWN_BYTES = 100

BodyLimit = Literal["body_bytes", "upload_bytes", "snapshot_bytes"]
"""The setting of `limits` with the maximum size of a body."""


class BodyAwaited(Exception):
    """A handler needs the body, which has not been read yet. read: waits for it."""

    def __init__(self, read: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self.read = read


class AnswerReplaced(Exception):
    """A fault replaces an answer that is not ready yet."""


class Call:
    """A request, its server and its world.

    known: what follows from its headers alone; headers, authorization: two parts of that.
    claimed: the Idempotency-Key, if this is its first request.
    allowed: the methods of its path.
    task_faults: the faults of the task that this request makes.
    is_counted: whether it has been counted against its key's rate limit.
    form: the body, once it has been read as a form, or its refusal.
    files: of the form; closed when the request is answered.
    on_committed: applies the faults of a changed state while the answer is not ready.
    """

    # Defaults of the class: most requests change few of them, and each costs time to set.
    claimed: IdempotencyKey | None = None
    task_faults: Faults | None = None
    on_committed: Callable[[], None] | None = None
    allowed: tuple[str, ...] = ()
    is_counted = False
    form: dict[str, Any] | Refusal | None = None
    files: Sequence[IO[bytes]] = ()
    _body: Sequence[bytes] | Invalid | None = None
    _credential: tuple[str, str] | None = None
    _value: Any = _UNREAD

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.known = known = headers_of(scope)
        self.headers = known.by_name
        self.authorization = known.authorization
        self.server: ServerState = scope["server_state"]
        self.timekeeper: Timekeeper = scope["timekeeper"]
        self.exchange: Exchange = scope["exchange"]
        self._first_world = self.timekeeper.world
        self.receive = receive

    @property
    def world(self) -> World:
        """The world this request belongs to."""
        return self.timekeeper.world

    def path_value(self, name: str) -> str:
        """A variable step of the path, by its name in the route."""
        value: str = self.scope["path_params"][name]
        return value

    def header(self, name: bytes) -> str | None:
        """A header's value by its lower-case name; None without it."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def credential(self) -> tuple[str, str]:
        """The key in the Authorization header, of any scheme, and the scenario that follows it."""
        if self._credential is None:
            key = self.known.secret
            self._credential = self.without_scenario(key) if "+" in key else (key, "")
        return self._credential

    def without_scenario(self, key: str) -> tuple[str, str]:
        """Split `KEY+NAME`. Text without a known key before the plus is not split."""
        if "+" not in key:
            return key, ""
        secret, _, name = key.partition("+")
        keys = self.world.keys
        if not name or keys.get(key) is not None or keys.get(secret) is None:
            return key, ""
        return secret, name

    @property
    def base_url(self) -> str:
        """The start of every URL in answers: `public_url`, or the address that the caller used."""
        if self.server.settings.public_url:
            return self.server.settings.public_url
        value = self.headers.get(b"host")
        if value:
            return _base_url(self.scope["scheme"], value)
        address, port = self.scope.get("server") or ("127.0.0.1", 80)
        return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"

    @property
    def media_url(self) -> str:
        """The start of the URLs of media: the setting `media_url`, or `base_url`."""
        return self.server.settings.media_url or self.base_url

    @property
    def host(self) -> Host | None:
        """The parsed Host header; None without one.
        Refuses with Invalid a malformed one, which the server's protocol has refused before."""
        value = self.headers.get(b"host")
        return read_host(value) if value else None

    def body(self, limit: BodyLimit) -> bytes:
        """The whole body. Refuses and raises as `body_pieces` does."""
        pieces = self.body_pieces(limit)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def body_pieces(self, limit: BodyLimit) -> Sequence[bytes]:
        """The whole body in pieces. Refuses with Invalid past this limit. Raises BodyAwaited if it
        has not been read yet: `Resource` then reads it and calls the handler again, so that the
        handler uses the state of the world after the body has been received."""
        if self._body is None:
            raise BodyAwaited(partial(self.receive_body, limit))
        if isinstance(self._body, Invalid):
            raise self._body
        return self._body

    def body_if_within_limit(self) -> bytes | None:
        """The body that has been received; None if it is past its limit: `body` refuses it."""
        if isinstance(self._body, Invalid) or self._body is None:
            return None
        return self._body[0] if len(self._body) == 1 else b"".join(self._body)

    async def receive_body(self, limit: BodyLimit) -> None:
        """Wait for the body, which then has been read. If it is past this limit, `body` refuses it.
        Raises ClientDisconnect if the caller disconnects before the end."""
        pieces: list[bytes] = []
        try:
            max_bytes = self._body_limit(limit)
            take = take_body_of(self.receive)
            if take is not None and (whole := take()) is not None:
                self._add_piece(whole, limit, max_bytes, pieces)
            else:
                while await self._receive_piece(limit, max_bytes, pieces):
                    pass
        except Invalid as too_large:
            self._body = too_large
        else:
            self._body = pieces

    async def pieces(self, limit: BodyLimit) -> AsyncGenerator[bytes, None]:
        """The body piece by piece, once. Refuses with Invalid past this limit. Raises
        ClientDisconnect if the caller disconnects in the middle."""
        max_bytes = self._body_limit(limit)
        more = True
        while more:
            pieces: list[bytes] = []
            more = await self._receive_piece(limit, max_bytes, pieces)
            yield pieces[0]

    def _body_limit(self, limit: BodyLimit) -> int:
        """The maximum size of the body in bytes. Refuses with Invalid a larger Content-Length."""
        max_bytes: int = getattr(self.server.settings.limits, limit)
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > max_bytes:
            # With `Expect: 100-continue` the caller has not sent the body yet.
            raise _too_large(limit, max_bytes)
        return max_bytes

    async def _receive_piece(self, limit: BodyLimit, max_bytes: int, pieces: list[bytes]) -> bool:
        """Append the next piece of the body to `pieces`. Returns whether more will come."""
        slow = self.timekeeper.release_clock_if_slow(self.exchange.id)
        message = await self.receive()
        if slow is not None:
            slow.cancel()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._add_piece(message.get("body", b""), limit, max_bytes, pieces)
        more: bool = message.get("more_body", False)
        return more

    def _add_piece(
        self, piece: bytes, limit: BodyLimit, max_bytes: int, pieces: list[bytes]
    ) -> None:
        """Append a piece of the body to `pieces`, and to the exchange."""
        exchange = self.exchange
        exchange.request_size_bytes += len(piece)
        if exchange.request_size_bytes > max_bytes:
            raise _too_large(limit, max_bytes)
        exchange.request_body = self.world.journal.extended(exchange.request_body, piece)
        pieces.append(piece)

    def json(self) -> Any:
        """The value of the JSON body. Refuses with Invalid what is not JSON."""
        self.require_json()
        return self.value_of(self.body("body_bytes"))

    def value_of(self, body: bytes) -> Any:
        """The value of the JSON body `body`, parsed once. Refuses with Invalid what is not JSON."""
        if self._value is _UNREAD:
            limits = self.server.settings.limits
            try:
                self._value = parse(
                    body, max_depth=limits.json_depth, max_values=limits.json_values
                )
            except Invalid as wrong:
                self._value = wrong
        if isinstance(self._value, Invalid):
            raise self._value
        return self._value

    def require_json(self) -> None:
        """Refuses with Invalid, before the body is read, another content type, and no body."""
        if self.known.is_json:
            return
        content_type = self.headers.get(b"content-type", b"")
        if not content_type and self.headers.get(b"content-length") == b"0":
            raise Invalid.at("", "json", f"must be JSON: {EMPTY}")
        _require_json(content_type)
        self.require_identity()
        self.known.is_json = True

    @property
    def says_json(self) -> bool:
        """Whether `require_json` accepts the request."""
        try:
            self.require_json()
        except Invalid:
            return False
        return True

    def require_identity(self) -> None:
        """Refuses with Invalid a body with a Content-Encoding."""
        coding = self.headers.get(b"content-encoding", b"identity")
        if coding.lower() != b"identity":
            shown = coding[:_SHOWN_BYTES].decode("latin-1")
            sentence = f"is '{shown}': a body must not be compressed here"
            raise Invalid.at("header Content-Encoding", "contentEncoding", sentence)

    def json_or_nothing(self) -> Any:
        """The value of the JSON body; an empty object without a body."""
        return self.json() if self.body("body_bytes") else {}

    def require_world(self) -> None:
        """Refuses with ShuttingDown if the request's world is gone, or if the server stops."""
        if self.timekeeper.is_over or self.world is not self._first_world:
            raise ShuttingDown("this world is gone")

    async def result_of(self, waiting: Awaitable[Result]) -> Result:
        """The result of `waiting`. The world may change meanwhile: look everything up again.
        Refuses as `require_world` does."""
        result = await waiting
        self.require_world()
        return result

    def note_ignored(self, fields: tuple[IgnoredField, ...]) -> None:
        """Note unknown fields in the exchange and log them: the APIs ignore spelling mistakes."""
        self.exchange.ignored = fields
        if not fields:
            return
        keys = self.world.keys
        foreign = foreign_credentials(self.scope["headers"], keys)
        for field in fields:
            told = keys.redaction.text(str(field))
            told = told if foreign is None else foreign.text(told)
            log.info("%s: field %s", self.exchange.id, told)

    def committed(self) -> None:
        """After a change of state: raises AnswerReplaced if a fault replaces the answer."""
        if self.on_committed is not None:
            self.on_committed()

    async def unless_disconnected(self, waiting: asyncio.Future[Result]) -> Result:
        """The result of `waiting`. Raises ClientDisconnect if the caller disconnects first.
        Only allowed after the body has been read."""
        disconnected: asyncio.Future[Any] = asyncio.ensure_future(self.until_disconnected())
        try:
            await asyncio.wait({waiting, disconnected}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            raise ClientDisconnect
        finally:
            disconnected.cancel()
            waiting.cancel()

    async def until_disconnected(self) -> None:
        """Return when the caller has disconnected. Only allowed after the body has been read."""
        self.timekeeper.release_clock(self.exchange.id)
        while (await self.receive())["type"] != "http.disconnect":
            pass


def _too_large(limit: BodyLimit, max_bytes: int) -> Invalid:
    return Invalid.at("", "size", f"is larger than {max_bytes} bytes (limits.{limit})")


@cached_for_short_keys
def _require_json(content_type: bytes) -> None:
    """Refuses with Invalid any other media type than JSON, and JSON that is not UTF-8."""
    declared = content_type.decode("latin-1")
    media_type, _, parameters = declared.partition(";")
    if media_type.strip().lower() != "application/json":
        hint = did_you_mean(media_type, ["application/json"])
        shown = f"'{media_type.strip()}'" if declared else "missing"
        sentence = f"must be application/json, is {shown}{hint}"
        raise Invalid.at("header Content-Type", "contentType", sentence)
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise Invalid.at("header Content-Type", "contentType", "must say charset=utf-8 or none")


@lru_cache(maxsize=256)  # `read_host` refuses long values, and a refusal is not kept
def _base_url(scheme: str, host: bytes) -> str:
    """The URL of a `Host`, as one object for all tasks, to save memory."""
    return f"{scheme}://{read_host(host).authority}"


def json_response(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer. body: plain data or a struct, sent in its order."""
    return _JsonResponse(_ENCODER.encode(body), status, headers)


_ENCODER = msgspec.json.Encoder(enc_hook=moment_text)


class _JsonResponse(Response):
    """Starlette's response, made in one step if it has no further headers."""

    media_type = "application/json"
    background = None

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str] | None) -> None:
        self.body, self.status_code = body, status
        if headers:
            self.init_headers(headers)
        else:
            self.raw_headers = [_length_header(len(body)), _JSON]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, at once if the server supports that."""
        headers = self.raw_headers
        is_plain = len(headers) == 2 and headers[1] is _JSON
        write = write_answer_of(send) if is_plain else None
        if write is None or not write(self.status_code, headers, bytes(self.body)):
            await super().__call__(scope, receive, send)


@lru_cache(maxsize=1024)
def _length_header(length_bytes: int) -> tuple[bytes, bytes]:
    """The header with the length of a body, as one object for many exchanges in a journal."""
    return b"content-length", b"%d" % length_bytes


_JSON = (b"content-type", b"application/json")
