"""The connection that a request came over, for those who break it as a network would."""

from __future__ import annotations

import asyncio

from starlette.types import Scope

from mock_server.outgoing.connection_reset import reset

TRANSPORT = "hailuo_mock.transport"
"""The ASGI extension in which the server's protocol hands on a connection's transport."""


def close_connection(scope: Scope) -> None:
    """Hang up, when what was sent so far has left. Raises as `reset_connection` does."""
    _transport_of(scope).close()


def reset_connection(scope: Scope) -> None:
    """Break the connection a request came over; the caller sees it reset.

    Raises ConnectionResetError where there is no connection: the app was called in this process.
    """
    reset(_transport_of(scope))


def came_over_network(scope: Scope) -> bool:
    """Whether a request came over a connection; else the app was called in this process."""
    return TRANSPORT in scope.get("extensions", {})


def _transport_of(scope: Scope) -> asyncio.Transport:
    extension = scope.get("extensions", {}).get(TRANSPORT)
    if extension is None:
        raise ConnectionResetError("the connection was broken, as a fault asked")
    transport: asyncio.Transport = extension["transport"]
    return transport
