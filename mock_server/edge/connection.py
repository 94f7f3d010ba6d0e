"""The connection of a request, which connection faults close or reset."""

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

TRANSPORT = "hailuo_mock.transport"
"""The ASGI extension that holds the `transport` of the connection and its `number` among all of the
server."""

WriteAnswer = Callable[[int, list[tuple[bytes, bytes]], bytes], bool]
"""Writes a whole answer at once: its status, its headers and its body. The headers are well-formed,
and Content-Length among them is right. Returns False, and writes nothing, if the answer has to be
sent with the messages of ASGI, which take longer."""


def write_answer_of(send: Send) -> WriteAnswer | None:
    """The method `write_answer` beside the method `send`; None if there is none: then another app
    changes what is sent."""
    return getattr(getattr(send, "__self__", None), "write_answer", None)


TakeBody = Callable[[], bytes | None]
"""Takes the whole body of a request at once. Returns None, and takes nothing, if it has to be
received with the messages of ASGI: it has not come, or a part of it was received before."""


def take_body_of(receive: Receive) -> TakeBody | None:
    """The method `take_body` beside the method `receive`; None if there is none."""
    return getattr(getattr(receive, "__self__", None), "take_body", None)


def came_over_network(scope: Scope) -> bool:
    """Whether the request has a connection; else the app was called in this process."""
    return TRANSPORT in scope.get("extensions", {})


def transport_of(scope: Scope) -> asyncio.Transport:
    """The connection of a request.
    Raises ConnectionResetError if there is none: the app was called in this process."""
    extension = scope.get("extensions", {}).get(TRANSPORT)
    if extension is None:
        raise ConnectionResetError("the connection was broken, as a fault asked")
    transport: asyncio.Transport = extension["transport"]
    return transport
