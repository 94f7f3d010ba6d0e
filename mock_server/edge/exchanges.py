"""The outermost ring: a request finds its world, opens an exchange there; its answer closes it."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.core.journal import Exchange
from mock_server.core.printable import printable
from mock_server.core.redaction import Redaction
from mock_server.core.world import World
from mock_server.edge.authorization import read_authorization
from mock_server.edge.credentials import foreign_credentials, without_credentials
from mock_server.edge.redacted import redact_exchange
from mock_server.simulation.state import Fake
from mock_server.simulation.timekeeper import Timekeeper

log = logging.getLogger(__name__)

_DOOR = "/_mock"
_VENDORS = ("/api/", "/hailuo/")
_NAMES_ITS_WORLD = ("/_mock/worlds/", "/_mock/inbox/", "/media/")


class Exchanges:
    """ASGI middleware. Whatever came due before a request has happened when its rules look.

    Requests to the control door are no part of what they look at: the journal leaves them out.
    They are also let through when `limits.held_requests` others are not answered yet, but for
    those that may be held themselves.
    """

    def __init__(self, app: ASGIApp, fake: Fake) -> None:
        self._app = app
        self._fake = fake
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, and keep what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        timekeeper = self._find_world(scope)
        timekeeper.catch_up()
        world = timekeeper.world
        at_door = _is_at_door(scope["path"])
        exchange = (
            _not_kept(world, scope)
            if at_door
            else world.open_exchange(scope["method"], scope["path"])
        )
        exchange.query = scope["query_string"].decode("latin-1")
        exchange.request_headers = world.journal.kept_headers(without_credentials(scope["headers"]))
        is_told = not at_door or log.isEnabledFor(logging.DEBUG)
        foreign = foreign_credentials(scope["headers"], world.keys) if is_told else None
        _hide(exchange, world, foreign)
        scope["fake"] = self._fake
        scope["timekeeper"] = timekeeper
        scope["exchange"] = exchange
        self._under_way += 1
        is_crowded = self._under_way > self._fake.settings.limits.held_requests
        scope["is_crowded"] = is_crowded and not (at_door and _is_answered_soon(scope["path"]))

        async def note_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                timekeeper.moved_on(exchange.id)
                if self._fake.settings.mock_headers and not at_door:
                    message["headers"] += _mock_headers(world, exchange)
                exchange.answer_headers = message["headers"]
            else:
                if body := message.get("body", b""):
                    exchange.answer_size_bytes += len(body)
                    exchange.answer_body = world.journal.grown(exchange.answer_body, body)
                if not message.get("more_body", False):
                    # Whoever has the whole answer may look at once, and sees that it has ended.
                    exchange.ended_ms = world.clock.now_ms()
            await send(message)

        try:
            await self._app(scope, receive, note_and_send)
        finally:
            self._under_way -= 1
            _end(exchange, world, foreign)
            timekeeper.moved_on(exchange.id)
            timekeeper.watch()
            timekeeper.tell_waiting()

    def _find_world(self, scope: Scope) -> Timekeeper:
        """The world of the path if it names one, else that of the key, else the default one."""
        path: str = scope["path"]
        worlds = self._fake.worlds
        if path.startswith(_VENDORS):
            return worlds.only or worlds.of_secret(_secret(scope))
        if path.startswith("/w/"):
            name, _, rest = path[3:].partition("/")
            if home := worlds.get(name):
                scope["path"] = "/" + rest
                return home.timekeeper
        elif path.startswith(_NAMES_ITS_WORLD):
            name = path.removeprefix(_DOOR).split("/", 3)[2]
            if home := worlds.get(name):
                return home.timekeeper
        return worlds.of_secret(_secret(scope))


def _end(exchange: Exchange, world: World, foreign: Redaction | None) -> None:
    """The request has its answer, or will never have one."""
    if exchange.ended_ms is None:
        exchange.ended_ms = world.clock.now_ms()
    _hide(exchange, world, foreign)
    if log.isEnabledFor(logging.DEBUG):
        path = world.keys.redaction.text(exchange.path)
        log.debug("%s %s %s %s", exchange.id, exchange.method, path, exchange.status)


def _hide(exchange: Exchange, world: World, foreign: Redaction | None) -> None:
    """Keep nowhere what nobody issued here: no later look at the exchange would know it."""
    if foreign is not None:
        redact_exchange(exchange, foreign, max_body_bytes=world.rules.journal_body_bytes)


def _mock_headers(world: World, exchange: Exchange) -> list[tuple[bytes, bytes]]:
    headers = [(b"mock-world", world.name.encode()), (b"mock-request", exchange.id.encode())]
    if exchange.scenario is not None:
        headers.append(
            (b"mock-scenario", printable(exchange.scenario).encode("latin-1", "replace"))
        )
    return headers


def _secret(scope: Scope) -> str:
    """The key as it came, with the scenario that may follow it."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return read_authorization(value).credential.strip()
    return ""


def _is_at_door(path: str) -> bool:
    return path.startswith(_DOOR) and path[len(_DOOR) :][:1] in {"", "/"}


def _is_answered_soon(path: str) -> bool:
    """Whether a request to the door is never held: all but waits, and inboxes that answer late."""
    return not (path.endswith("/wait") or path.startswith("/_mock/inbox/"))


def _not_kept(world: World, scope: Scope) -> Exchange:
    return Exchange("door", world.clock.now_ms(), scope["method"], scope["path"])
