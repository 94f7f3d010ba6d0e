"""uvicorn's protocol, with one thing more: an app may break the connection as a network would."""

from __future__ import annotations

import asyncio

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mock_server.connection_reset import reset

_TRANSPORT = "hailuo_mock.transport"


class BreakableProtocol(HttpToolsProtocol):
    """Tells each request's scope what connection it came over."""

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {_TRANSPORT: {"transport": self.transport}}


def close_connection(scope: Scope) -> None:
    """Hang up, when what was sent so far has left. Raises as `reset_connection` does."""
    _transport_of(scope).close()


def reset_connection(scope: Scope) -> None:
    """Break the connection a request came over; the caller sees it reset.

    Raises ConnectionResetError where there is no connection: the app was called in this process.
    """
    reset(_transport_of(scope))


def _transport_of(scope: Scope) -> asyncio.Transport:
    extension = scope.get("extensions", {}).get(_TRANSPORT)
    if extension is None:
        raise ConnectionResetError("the connection was broken, as a fault asked")
    transport: asyncio.Transport = extension["transport"]
    return transport
