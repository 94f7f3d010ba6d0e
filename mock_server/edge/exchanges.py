"""The outermost ring: a request opens an exchange in its world's journal, its answer closes it."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.fake import DEFAULT_WORLD, Fake

log = logging.getLogger(__name__)


class Exchanges:
    """ASGI middleware. Whatever came due before a request has happened when its rules look."""

    def __init__(self, app: ASGIApp, fake: Fake) -> None:
        self._app = app
        self._fake = fake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, and keep what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        timekeeper = self._fake.timekeepers[DEFAULT_WORLD]
        timekeeper.catch_up()
        world = timekeeper.world
        exchange = world.open_exchange(scope["method"], scope["path"])
        scope["fake"] = self._fake
        scope["timekeeper"] = timekeeper
        scope["exchange"] = exchange

        async def note_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                if self._fake.settings.mock_headers:
                    message["headers"] += (
                        (b"mock-world", world.name.encode()),
                        (b"mock-request", exchange.id.encode()),
                    )
            elif not exchange.answer_body:
                exchange.answer_body = world.journal.kept(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, note_and_send)
        finally:
            exchange.ended_ms = world.clock.now_ms()
            timekeeper.watch()
            log.debug("%s %s %s %s", exchange.id, exchange.method, exchange.path, exchange.status)
