"""CORS: web pages of the origins in `browser_origins` may use the server and read its answers."""

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PREFLIGHT_LIFETIME_S = 600


class CrossOrigin:
    """ASGI middleware that allows pages of some origins, and sends no CORS headers to others.
    Preflights come from the browser, not the client: they are answered here and not kept."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        """origins: like `http://localhost:3000`."""
        self._app = app
        self._origins = {origin.lower().encode() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or add the CORS headers to the app's answer."""
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        origin = headers.get(b"origin", b"")
        is_named = origin.lower() in self._origins
        if is_named and scope["method"] == "OPTIONS" and _METHOD in headers:
            answer = Response(status_code=204)
            answer.raw_headers = [
                *_allowed(origin),
                (b"access-control-allow-methods", headers[_METHOD]),
                (b"access-control-allow-headers", headers.get(_HEADERS, b"")),
                (b"access-control-max-age", str(_PREFLIGHT_LIFETIME_S).encode()),
            ]
            await answer(scope, receive, send)
            return

        async def allow_and_send(message: Message) -> None:
            if message["type"] != "http.response.body":
                message["headers"] += (
                    [*_allowed(origin), (b"access-control-expose-headers", b"*")]
                    if is_named
                    else [_VARY]
                )
            await send(message)

        await self._app(scope, receive, allow_and_send)


_METHOD = b"access-control-request-method"
_HEADERS = b"access-control-request-headers"
_VARY = (b"vary", b"origin")


def _allowed(origin: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"access-control-allow-origin", origin), _VARY]
