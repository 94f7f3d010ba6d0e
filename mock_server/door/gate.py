"""Access to the control door: with its token, or without one for all but foreign web pages."""

import hmac
from urllib.parse import urlsplit

from starlette.responses import Response

from mock_server.core.refusals import ControlTokenWrong, ForeignPage
from mock_server.core.webhook_urls import is_loopback
from mock_server.edge.call import Call
from mock_server.edge.connection import came_over_network
from mock_server.edge.resource import Handler

_SHOWN_LETTERS = 100
_PORTS = {"http": 80, "https": 443}
_FOREIGN_SITES = {"cross-site", "same-site"}
_PAGE = {"/_mock", "/_mock/"}


def guarded(handler: Handler, *, needs_token: bool) -> Handler:
    """The handler behind a check. Refuses with ControlTokenWrong or ForeignPage.
    needs_token: False for paths that need no token even if the door has one."""

    async def admit(call: Call) -> Response:
        token = call.server.settings.control_token
        if token is None:
            _require_no_foreign_page(call)
        elif needs_token:
            sent = call.header(b"mock-control-token") or ""
            if not hmac.compare_digest(token.encode(), sent.encode()):
                call.server.on_locked_out(call.exchange)
                raise ControlTokenWrong(
                    "this door is locked: send the header Mock-Control-Token "
                    "(on the command line: --control-token)"
                )
        return await handler(call)

    return admit


def _require_no_foreign_page(call: Call) -> None:
    """Refuses with ForeignPage a request that a web page of another origin may have caused.
    Browsers set `Host`, `Origin` and `Sec-Fetch-Site`, and no page can change them. Other clients
    send neither of the last two."""
    if not came_over_network(call.scope):
        return
    _require_own_host(call)
    origin = call.header(b"origin")
    if origin is not None:
        if not _may_use_door(call, origin.lower()):
            raise _foreign_page(f"of {origin[:_SHOWN_LETTERS]}")
    elif call.header(b"sec-fetch-site") in _FOREIGN_SITES and not _opens_page(call):
        raise _foreign_page("of another origin")


def _require_own_host(call: Call) -> None:
    """Refuses with ForeignPage a foreign host name that leads to this machine (DNS rebinding)."""
    host, settings = call.host, call.server.settings
    if host is None or is_loopback(host.name):
        return
    own = {name.lower().strip("[]").removesuffix(".") for name in settings.control_hosts}
    if host.name not in own | {urlsplit(settings.public_url or "").hostname}:
        raise ForeignPage(
            f"the control door does not answer to the host '{host.name}'; if that is a name of "
            f"this server, start it with --control-hosts {host.name} or with a --control-token"
        )


def _may_use_door(call: Call, origin: str) -> bool:
    """Whether an origin is the server's own or public one, or one of `browser_origins`."""
    settings = call.server.settings
    if origin in map(str.lower, settings.browser_origins):
        return True
    scheme, name, port = _origin_of(origin)
    own = {_origin_of(settings.public_url or "")}
    if host := call.host:
        own.add((scheme, host.name, host.port or _PORTS.get(scheme)))
    return bool(name) and (scheme, name, port) in own


def _origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host name and port of a URL; empty if it is no URL."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    except ValueError:  # no port, or no address between brackets
        return "", "", None
    return parts.scheme, name.removesuffix("."), port


def _opens_page(call: Call) -> bool:
    """Whether a browser opens the page by a link; the linking page cannot read it."""
    return (
        call.exchange.method == "GET"
        and call.exchange.path in _PAGE
        and call.header(b"sec-fetch-mode") == "navigate"
        and call.header(b"sec-fetch-dest") == "document"
    )


def _foreign_page(which: str) -> ForeignPage:
    return ForeignPage(
        f"web pages {which} may not use the control door; --browser-origins names those that may"
    )
