"""The page for people: files, served as they are. What it shows it asks the door for itself."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.responses import RedirectResponse, Response

from mock_server.core.refusals import UnknownPath
from mock_server.core.suggestions import near
from mock_server.edge.call import Call

_FOLDER = Path(__file__).resolve().parent / "page"
_FIRST = "index.html"
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "media-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    # Text that came in a request is never taken for HTML: the browser refuses to.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
_HEADERS = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


async def show_page(call: Call) -> Response:
    """GET /_mock/: the page for people, which shows this door."""
    return _serve(call, _FIRST)


async def lead_to_page(call: Call) -> Response:  # noqa: ARG001 (a handler is called with it)
    """GET /_mock: leads to the page for people."""
    return RedirectResponse("_mock/", 307)


async def get_page_file(call: Call) -> Response:
    """GET /_mock/page/{name}: what the page for people is made of."""
    return _serve(call, call.path_value("name"))


def _serve(call: Call, name: str) -> Response:
    files = _files()
    if name not in files:
        raise UnknownPath(f"the page has no file '{name}'{near(name, files)}")
    content, etag = files[name]
    headers = _HEADERS | {"ETag": etag}
    if call.header(b"if-none-match") == etag:
        return Response(None, 304, headers)
    return Response(content, 200, headers | {"Content-Type": _MEDIA_TYPES[Path(name).suffix]})


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Every file of the page by its name, with its ETag. Read once."""
    contents = {
        file.name: file.read_bytes() for file in _FOLDER.iterdir() if file.suffix in _MEDIA_TYPES
    }
    return {
        name: (content, f'"{sha256(content).hexdigest()[:32]}"')
        for name, content in contents.items()
    }
