"""One request on its way: what came, in which world, and how it is answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import IO, Any, Literal, TypeVar

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope

from mock_server.core.faults import Faults
from mock_server.core.idempotency import IdempotencyKey
from mock_server.core.journal import Exchange, IgnoredField
from mock_server.core.refusals import Invalid, Refusal, ShuttingDown
from mock_server.core.suggestions import near
from mock_server.core.world import World
from mock_server.edge.authorization import Authorization, read_authorization
from mock_server.edge.credentials import foreign_credentials
from mock_server.edge.host_header import Host, read_host
from mock_server.edge.json_body import EMPTY, parse
from mock_server.edge.short_key_cache import cached_for_short_keys
from mock_server.simulation.state import Fake
from mock_server.simulation.timekeeper import Timekeeper

log = logging.getLogger(__name__)

Result = TypeVar("Result")


_UNREAD = object()
_SHOWN_BYTES = 100


BodyLimit = Literal["body_bytes", "upload_bytes", "snapshot_bytes"]
"""The setting of `limits` that says how large a body may be."""


class BodyAwaited(Exception):
    """A handler needs the body, which has not been read so far. read: waits for it."""

    def __init__(self, read: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self.read = read


class AnswerReplaced(Exception):
    """A fault has taken the place of an answer that was still to come."""


class Call:
    """A request, the fake it came to, and the world it belongs to.

    headers: by lower-case name; of a header that comes twice, the first.
    claimed: the Idempotency-Key whose first request this is, if it is one.
    allowed: the methods of its path.
    task_faults: what is to go wrong with the task that this request makes.
    is_counted: whether it counts against its key's rate limit already.
    form: the body, once it has been read as a form, or what is wrong with it.
    files: of the form; they are closed when the request has been answered.
    on_committed: has happen what goes wrong once the state has changed, before there is an answer.
    """

    __slots__ = (
        "_body",
        "_came_to",
        "_credential",
        "_value",
        "allowed",
        "claimed",
        "exchange",
        "fake",
        "files",
        "form",
        "headers",
        "is_counted",
        "on_committed",
        "receive",
        "scope",
        "task_faults",
        "timekeeper",
    )

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        self.fake: Fake = scope["fake"]
        self.timekeeper: Timekeeper = scope["timekeeper"]
        self.exchange: Exchange = scope["exchange"]
        self.claimed: IdempotencyKey | None = None
        self.task_faults: Faults | None = None
        self.on_committed: Callable[[], None] | None = None
        self.allowed: tuple[str, ...] = ()
        self.is_counted = False
        self.form: dict[str, Any] | Refusal | None = None
        self.files: Sequence[IO[bytes]] = ()
        self._body: Sequence[bytes] | Invalid | None = None
        self._came_to = self.timekeeper.world
        self._credential: tuple[str, str] | None = None
        self._value: Any = _UNREAD
        self.receive = receive

    @property
    def world(self) -> World:
        """The world this request belongs to."""
        return self.timekeeper.world

    def path_value(self, name: str) -> str:
        """A piece of the path, as the route names it."""
        value: str = self.scope["path_params"][name]
        return value

    def header(self, name: bytes) -> str | None:
        """A header's value by its lower-case name, or None if it did not come."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def authorization(self) -> Authorization:
        """The Authorization header, as it came."""
        return read_authorization(self.headers.get(b"authorization", b""))

    @property
    def credential(self) -> tuple[str, str]:
        """The key that came in any scheme, and the scenario that stands behind it."""
        if self._credential is None:
            self._credential = self.without_scenario(self.authorization.credential.strip())
        return self._credential

    def without_scenario(self, key: str) -> tuple[str, str]:
        """`KEY+NAME` in its two parts; what has a plus and no known key before it is left whole."""
        if "+" not in key:
            return key, ""
        secret, _, name = key.partition("+")
        keys = self.world.keys
        if not name or keys.get(key) is not None or keys.get(secret) is None:
            return key, ""
        return secret, name

    @property
    def raw_headers(self) -> tuple[tuple[str, str], ...]:
        """Every header as it came, in its order."""
        return tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in self.scope["headers"]
        )

    @property
    def base_url(self) -> str:
        """Where the caller reached the server: the start of every URL it is given."""
        if self.fake.settings.public_url:
            return self.fake.settings.public_url
        host = self.host
        if host is not None:
            return _base_url(f"{self.scope['scheme']}://{host.authority}")
        address, port = self.scope.get("server") or ("127.0.0.1", 80)
        return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"

    @property
    def host(self) -> Host | None:
        """The host that the client asked for; None if it did not say.

        Refuses with Invalid a malformed one, which the server lets nobody send.
        """
        value = self.headers.get(b"host")
        return read_host(value) if value else None

    def body(self, limit: BodyLimit) -> bytes:
        """The whole body. Refuses and raises as `body_pieces` does."""
        pieces = self.body_pieces(limit)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def body_pieces(self, limit: BodyLimit) -> Sequence[bytes]:
        """The whole body as it came. Refuses with Invalid past this limit.

        Raises BodyAwaited as long as the body has not been read: whoever calls the handler reads
        it and calls the handler again, which then looks up everything anew. So nothing that was
        looked up before the body came is used after it.
        """
        if self._body is None:
            raise BodyAwaited(partial(self._receive_body, limit))
        if isinstance(self._body, Invalid):
            raise self._body
        return self._body

    async def read_body(self, limit: BodyLimit) -> bytes | None:
        """Wait for the body; None if it is past this limit, which is told by `body`.

        Raises ClientDisconnect if the caller hangs up in the middle.
        """
        if self._body is None:
            await self._receive_body(limit)
        return None if isinstance(self._body, Invalid) else self.body(limit)

    async def _receive_body(self, limit: BodyLimit) -> None:
        try:
            self._body = [piece async for piece in self.pieces(limit)]
        except Invalid as too_large:
            self._body = too_large

    async def pieces(self, limit: BodyLimit) -> AsyncGenerator[bytes, None]:
        """The body piece by piece, as it comes; that can be done once. Refuses with Invalid past
        this limit. Raises ClientDisconnect if the caller hangs up in the middle.
        """
        max_bytes: int = getattr(self.fake.settings.limits, limit)
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > max_bytes:
            # Who asked with `Expect: 100-continue` has sent nothing so far.
            raise _too_large(limit, max_bytes)
        exchange, journal = self.exchange, self.world.journal
        more = True
        while more:
            slow = self.timekeeper.moves_on_if_slow(self.exchange.id)
            message = await self.receive()
            if slow is not None:
                slow.cancel()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece = message.get("body", b"")
            exchange.request_size_bytes += len(piece)
            if exchange.request_size_bytes > max_bytes:
                raise _too_large(limit, max_bytes)
            exchange.request_body = journal.grown(exchange.request_body, piece)
            more = message.get("more_body", False)
            yield piece

    def json(self) -> Any:
        """The value the body spells. Refuses with Invalid what is not JSON."""
        self.require_json()
        return self.value_of(self.body("body_bytes"))

    def value_of(self, body: bytes) -> Any:
        """The value that its body spells, read once. Refuses with Invalid what is not JSON."""
        if self._value is _UNREAD:
            limits = self.fake.settings.limits
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
        """Refuses with Invalid, before it is read, a body that says to be something else than JSON,
        and a body that is not there at all."""
        content_type = self.headers.get(b"content-type", b"")
        if not content_type and self.headers.get(b"content-length") == b"0":
            raise Invalid.at("", "json", f"must be JSON: {EMPTY}")
        _require_json(content_type)
        self.require_identity()

    @property
    def says_json(self) -> bool:
        """Whether `require_json` refuses nothing."""
        try:
            self.require_json()
        except Invalid:
            return False
        return True

    def require_identity(self) -> None:
        """Refuses with Invalid a body that says to be compressed."""
        coding = self.headers.get(b"content-encoding", b"identity")
        if coding.lower() != b"identity":
            shown = coding[:_SHOWN_BYTES].decode("latin-1")
            sentence = f"is '{shown}': a body must not be compressed here"
            raise Invalid.at("header Content-Encoding", "contentEncoding", sentence)

    def json_or_nothing(self) -> Any:
        """The value the body spells; an empty object if there is no body at all."""
        return self.json() if self.body("body_bytes") else {}

    def require_world(self) -> None:
        """Refuses with ShuttingDown if the world that the request came to is gone: it was dropped,
        begun anew or put back, or the server stops."""
        if self.timekeeper.is_over or self.world is not self._came_to:
            raise ShuttingDown("this world is gone")

    async def outside(self, waiting: Awaitable[Result]) -> Result:
        """What `waiting` brings, which is no matter of the world.

        Anything may have changed meanwhile: look up afterwards what is needed. Refuses as
        `require_world` does.
        """
        result = await waiting
        self.require_world()
        return result

    def note_ignored(self, fields: tuple[IgnoredField, ...]) -> None:
        """Both APIs ignore fields they do not know; a slip of the pen is worth being told."""
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
        """Say that the state has changed and that the answer will take a while.

        Raises AnswerReplaced if a fault does not wait for that answer.
        """
        if self.on_committed is not None:
            self.on_committed()

    async def unless_hung_up(self, waiting: asyncio.Future[Result]) -> Result:
        """What `waiting` brings; raises ClientDisconnect if the caller hangs up before that.

        Call it only when the body has been read.
        """
        hang_up: asyncio.Future[Any] = asyncio.ensure_future(self.until_hung_up())
        try:
            await asyncio.wait({waiting, hang_up}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            raise ClientDisconnect
        finally:
            hang_up.cancel()
            waiting.cancel()

    async def until_hung_up(self) -> None:
        """Return when the caller has hung up. Call it only when the body has been read."""
        self.timekeeper.moved_on(self.exchange.id)
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
        hint = near(media_type, ["application/json"])
        shown = f"'{media_type.strip()}'" if declared else "missing"
        sentence = f"must be application/json, is {shown}{hint}"
        raise Invalid.at("header Content-Type", "contentType", sentence)
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise Invalid.at("header Content-Type", "contentType", "must say charset=utf-8 or none")


@cached_for_short_keys
def _base_url(url: str) -> str:
    """The same object each time: every task of a caller keeps it."""
    return url


def json_response(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer. `body` is plain data; what the order of its keys is, is the order sent."""
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")
