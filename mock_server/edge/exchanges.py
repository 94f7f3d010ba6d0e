"""The outermost ASGI layer: finds the world of a request, and keeps its exchange in the journal."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.core.journal import Exchange
from mock_server.core.printable import printable
from mock_server.core.redaction import Redaction
from mock_server.core.world import World
from mock_server.edge.connection import TRANSPORT, write_answer_of
from mock_server.edge.credentials import (
    credential_indexes,
    foreign_credentials,
    without_credentials,
)
from mock_server.edge.media_origin import MEDIA_ORIGIN
from mock_server.edge.redacted import redact_exchange
from mock_server.edge.request_headers import headers_of
from mock_server.simulation.state import ServerState
from mock_server.simulation.timekeeper import Timekeeper

log = logging.getLogger(__name__)

_DOOR = "/_mock"
_NO_CONNECTION: Mapping[str, Any] = {"transport": None, "number": None}
_NAMES_ITS_WORLD = ("/_mock/worlds/", "/_mock/inbox/", "/media/")


class Exchanges:
    """ASGI middleware. Runs what is due in the world before it passes the request on. Requests to
    the control door are not in the journal. Those that are never held are served even if there are
    `limits.held_requests` requests without an answer."""

    def __init__(
        self, app: ASGIApp, media_app: ASGIApp, server: ServerState, prefixes: Iterable[str]
    ) -> None:
        """media_app: for requests to the second origin, which has no control door.
        prefixes: what the paths of the APIs begin with, such as `/v1`."""
        self._app = app
        self._media_app = media_app
        self._server = server
        self._counts = server.counts.requests
        self._max_under_way = server.settings.limits.held_requests
        self._shows_request = server.settings.mock_headers
        self._vendors = tuple(f"/{prefix.split('/')[1]}/" for prefix in prefixes)
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and keep its answer in its exchange."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        timekeeper = self._find_world(scope)
        timekeeper.catch_up()
        world = timekeeper.world
        path = scope["path"]
        is_of_media = MEDIA_ORIGIN in scope
        served_by = self._media_app if is_of_media else self._app
        at_door = path.startswith(_DOOR) and path[len(_DOOR) :][:1] in {"", "/"} and not is_of_media
        connection = scope.get("extensions", {}).get(TRANSPORT, _NO_CONNECTION)
        exchange, foreign = _open(scope, timekeeper, at_door=at_door)
        exchange.connection = connection["number"]
        scope["server_state"] = self._server
        scope["timekeeper"] = timekeeper
        scope["exchange"] = exchange
        self._under_way += 1
        scope["is_crowded"] = self._under_way > self._max_under_way and not (
            at_door and _is_answered_soon(path)
        )
        shows_request = self._shows_request and not at_door
        transport = connection["transport"]
        answer = _Answer(exchange, timekeeper, transport, send, shows_request=shows_request)
        is_cancelled = False
        try:
            await served_by(scope, receive, answer.send)
        except asyncio.CancelledError:
            is_cancelled = True
            raise
        finally:
            self._under_way -= 1
            if exchange.ended_ms is None:
                is_stopped = is_cancelled or timekeeper.is_over or timekeeper.world is not world
                exchange.end(
                    *world.clock.moment(), "server_stopped" if is_stopped else "caller_left"
                )
            if foreign is not None:
                _hide(exchange, world, foreign)
            if log.isEnabledFor(logging.DEBUG):
                path = world.keys.redaction.text(exchange.path)
                log.debug("%s %s %s %s", exchange.id, exchange.method, path, exchange.status)
            if not at_door:
                self._counts[exchange.api, exchange.operation, exchange.status] += 1
                world.note_ended(exchange)
            timekeeper.request_ended(exchange.id)

    def _find_world(self, scope: Scope) -> Timekeeper:
        """The world of the path if it names one, else that of the key, else the default one."""
        path: str = scope["path"]
        worlds = self._server.worlds
        if path.startswith(self._vendors):
            return worlds.only or worlds.of_secret(headers_of(scope).secret)
        if path.startswith("/w/"):
            name, _, rest = path[3:].partition("/")
            if home := worlds.get(name):
                scope["path"] = "/" + rest
                return home.timekeeper
        elif path.startswith(_NAMES_ITS_WORLD):
            name = path.removeprefix(_DOOR).split("/", 3)[2]
            if home := worlds.get(name):
                return home.timekeeper
        return worlds.of_secret(headers_of(scope).secret)


def _open(
    scope: Scope, timekeeper: Timekeeper, *, at_door: bool
) -> tuple[Exchange, Redaction | None]:
    """The exchange of a request, and the redaction of its unknown credentials, if it has any."""
    world = timekeeper.world
    if at_door:
        exchange = Exchange("door", world.clock.now_ms(), scope["method"], scope["path"])
    else:
        exchange = world.open_exchange(scope["method"], scope["path"])
        timekeeper.notify_waiters()
    if MEDIA_ORIGIN in scope:
        exchange.origin = "media"
    exchange.query = scope["query_string"].decode("latin-1")
    headers = headers_of(scope)
    if headers.kept_by is world.keys:
        exchange.request_headers = headers.kept
        return exchange, None
    indexes = credential_indexes(headers.lines)
    kept = world.journal.kept_headers(without_credentials(headers.lines, indexes))
    exchange.request_headers = kept
    is_told = not at_door or log.isEnabledFor(logging.DEBUG)
    foreign = foreign_credentials(headers.lines, world.keys, indexes) if is_told else None
    if foreign is not None:
        _hide(exchange, world, foreign)
    elif is_told:
        # A known key stays known, and another world has other keys.
        headers.kept, headers.kept_by = kept, world.keys
    return exchange, foreign


class _Answer:
    """Notes the answer of an exchange there, and sends it."""

    __slots__ = ("_exchange", "_send", "_shows_request", "_timekeeper", "_transport", "_world")

    def __init__(
        self,
        exchange: Exchange,
        timekeeper: Timekeeper,
        transport: asyncio.Transport | None,
        send: Send,
        *,
        shows_request: bool,
    ) -> None:
        """shows_request: whether the answer names its world and its exchange."""
        self._exchange = exchange
        self._timekeeper = timekeeper
        self._world = timekeeper.world
        self._transport = transport
        self._send = send
        self._shows_request = shows_request

    async def send(self, message: Message) -> None:
        """Note a part of the answer, and send it."""
        exchange, world = self._exchange, self._world
        if message["type"] == "http.response.start":
            if self._shows_request:
                message["headers"] += _mock_headers(world, exchange)
            exchange.status, exchange.answer_headers = message["status"], message["headers"]
            self._timekeeper.release_clock(exchange.id)
        else:
            # Before sending: a client with the whole answer may read the journal.
            is_open = self._transport is None or not self._transport.is_closing()
            if body := message.get("body", b""):
                exchange.answer_size_bytes += len(body)
                exchange.answer_body = world.journal.extended(exchange.answer_body, body)
                if is_open and exchange.method != "HEAD":
                    exchange.sent_bytes += len(body)
            if is_open and not message.get("more_body", False):
                exchange.end(*world.clock.moment(), "answered")
        await self._send(message)

    def write_answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Write a whole answer, and note it; see WriteAnswer."""
        write = write_answer_of(self._send)
        if write is None:
            return False
        exchange, world = self._exchange, self._world
        if self._shows_request:
            headers = headers + _mock_headers(world, exchange)
        is_open = self._transport is None or not self._transport.is_closing()
        if not write(status, headers, body):
            return False
        exchange.status, exchange.answer_headers = status, headers
        exchange.answer_size_bytes, exchange.answer_body = len(body), world.journal.kept(body)
        if is_open:
            exchange.sent_bytes = len(body)
            exchange.end(*world.clock.moment(), "answered")
        return True


def _hide(exchange: Exchange, world: World, foreign: Redaction) -> None:
    """Hide unknown credentials in the exchange now: later they could not be recognized."""
    redact_exchange(exchange, foreign, max_body_bytes=world.rules.journal_body_bytes)


def _mock_headers(world: World, exchange: Exchange) -> list[tuple[bytes, bytes]]:
    headers = [_world_header(world.name), (b"mock-request", exchange.id.encode())]
    if exchange.scenario is not None:
        scenario = printable(exchange.scenario).encode("latin-1", "replace")
        headers.append((b"mock-scenario", scenario))
    return headers


@lru_cache(maxsize=256)
def _world_header(name: str) -> tuple[bytes, bytes]:
    """The header with the name of a world, as one object for all exchanges in a journal."""
    return b"mock-world", name.encode()


def _is_answered_soon(path: str) -> bool:
    """Whether a request to the door is never held. Waits and inboxes can hold requests."""
    return not (path.endswith(("/wait", "/changes")) or path.startswith("/_mock/inbox/"))
