"""One path: a handler for each of its methods, and a refusal in the API's words for the rest."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mock_server.core.refusals import MethodNotAllowed, Refusal, UnknownPath
from mock_server.edge.call import Call

log = logging.getLogger(__name__)

Handler = Callable[[Call], Awaitable[Response]]


class Voice(Protocol):
    """How an API says no."""

    def refuse(self, call: Call, refusal: Refusal) -> Response:
        """The answer for a refusal."""

    def break_down(self, call: Call) -> Response:
        """The answer for a fault of the server itself."""


class Resource:
    """An ASGI app for one path. HEAD is answered like GET; the server drops the body."""

    def __init__(self, voice: Voice, **handlers: Handler) -> None:
        """`handlers` by method: `Resource(voice, GET=show, DELETE=remove)`."""
        self._voice = voice
        self._allowed = tuple(sorted(handlers))
        self._handlers = handlers | ({"HEAD": handlers["GET"]} if "GET" in handlers else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a caller who has hung up gets nothing."""
        call = Call(scope, receive)
        try:
            response = await self._answer(call)
            await response(scope, receive, send)
        except ClientDisconnect:
            pass
        finally:
            if call.claimed is not None:
                call.world.idempotency.answered(call.claimed)

    async def _answer(self, call: Call) -> Response:
        try:
            return await self._handler(call)(call)
        except Refusal as refusal:
            return self._voice.refuse(call, refusal)
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("%s %s broke the server", call.exchange.method, call.exchange.path)
            return self._voice.break_down(call)

    def _handler(self, call: Call) -> Handler:
        method = call.exchange.method
        if method not in self._handlers:
            allowed = ", ".join(self._allowed)
            raise MethodNotAllowed(f"{method} is not for this path; {allowed} is", self._allowed)
        return self._handlers[method]


class Nothing:
    """An ASGI app for paths that lead nowhere; each prefix has its voice."""

    def __init__(self, voice_of: Callable[[str], tuple[Voice, str]]) -> None:
        """`voice_of`: for a path, who says that there is nothing, and a hint."""
        self._voice_of = voice_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with the refusal UnknownPath."""
        call = Call(scope, receive)
        voice, hint = self._voice_of(call.exchange.path)
        refusal = UnknownPath(f"nothing is at this path{hint}")
        await voice.refuse(call, refusal)(scope, receive, send)
