"""Serves the files of the web page. The page gets its data from the control door."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.responses import RedirectResponse, Response

from mock_server.core.refusals import UnknownPath
from mock_server.core.suggestions import did_you_mean
from mock_server.edge.call import Call
from mock_server.edge.etags import not_modified

_FOLDER = Path(__file__).resolve().parent / "page"
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
    # The browser refuses to read text as HTML, so text of a request cannot become a script.
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
    """GET /_mock/: the web page of this door."""
    return _serve(call, "index.html")


async def redirect_to_page(call: Call) -> Response:  # noqa: ARG001 (a handler is called with it)
    """GET /_mock: a redirect to the page."""
    return RedirectResponse("_mock/", 307)


async def get_page_file(call: Call) -> Response:
    """GET /_mock/page/{name}: a file of the page."""
    return _serve(call, call.path_value("name"))


def _serve(call: Call, name: str) -> Response:
    files = _files()
    if name not in files:
        raise UnknownPath(f"the page has no file '{name}'{did_you_mean(name, files)}")
    content = files[name]
    headers = _HEADERS | {"ETag": f'"{sha256(content).hexdigest()[:32]}"'}
    return not_modified(call, headers) or Response(
        content, 200, headers | {"Content-Type": _MEDIA_TYPES[Path(name).suffix]}
    )


@cache
def _files() -> dict[str, bytes]:
    """Every file of the page by its name; read once."""
    files = (file for file in _FOLDER.iterdir() if file.suffix in _MEDIA_TYPES)
    return {file.name: file.read_bytes() for file in files}
