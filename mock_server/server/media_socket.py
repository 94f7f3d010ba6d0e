"""Binds the second origin, where only media are served."""

import socket
from urllib.parse import urlsplit

from msgspec.structs import replace

from mock_server.config.settings import Settings
from mock_server.core.webhook_urls import loopback_address
from mock_server.server.listening import listen_error

_WILDCARDS = {"0.0.0.0", "::"}  # noqa: S104 (it is compared, not bound)


def with_media_socket(settings: Settings) -> tuple[Settings, socket.socket | None]:
    """The settings with the real port of `media_url`, and a socket that is bound to it.

    None: this server does not listen there: `media_url` is unset, or is no plain address of this
    machine with a port, or is the server's own address. Raises OSError with a sentence if the
    address cannot be used.
    """
    address = _address_of(settings)
    if address is None:
        return settings, None
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        reason = listen_error(host, port, "--media-url auto")
        raise OSError(f"media_url: {reason}") from None
    shown = urlsplit(settings.media_url or "").hostname or host
    shown = f"[{shown}]" if ":" in shown else shown
    url = f"http://{shown}:{bound.getsockname()[1]}"
    return replace(settings, media_url=url), bound


def _address_of(settings: Settings) -> tuple[str, int] | None:
    """The address and port to bind; None if this server does not listen at `media_url`."""
    url = urlsplit(settings.media_url or "")
    host = loopback_address(url.hostname or "")
    if host is None or url.port is None or url.scheme != "http" or url.path:
        return None
    host = "127.0.0.1" if host == "localhost" else host
    own = settings.host if settings.host in _WILDCARDS else loopback_address(settings.host)
    is_own = own in {host, "localhost", *_WILDCARDS} and url.port == settings.port
    return None if is_own and url.port else (host, url.port)
