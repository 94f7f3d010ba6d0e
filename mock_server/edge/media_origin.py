"""The second origin: it serves media alone, and a key that is sent there is in the journal."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

MEDIA_ORIGIN = "media_origin"
"""The key in the scope of each request to the second origin."""


def at_media_origin(app: ASGIApp) -> ASGIApp:
    """The app of the second origin: it marks each request, and passes it to the server's app."""

    def mark(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        scope[MEDIA_ORIGIN] = True
        return app(scope, receive, send)

    return mark
