"""Where the server listens: binds the second origin, and explains why an address cannot be used."""

import errno
import socket
from urllib.parse import urlsplit

from msgspec.structs import replace

from mock_server.config.settings import Settings
from mock_server.core.webhook_urls import loopback_address

_REASONS = {
    errno.EADDRINUSE: "the port is taken, perhaps by another hailuo-mock",
    errno.EACCES: "this user is not allowed to use the port; ports from 1024 on are allowed",
    errno.EADDRNOTAVAIL: "that is not an address of this machine; 0.0.0.0 means all of them",
}

_FREE = "--port 0"
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


def listen_error(host: str, port: int, free: str = _FREE) -> str:
    """A sentence that says why a server cannot listen at an address that was just refused.
    free: the option that picks a free port."""
    return listen_obstacle(host, port, free) or _failure(host, port)


def listen_obstacle(host: str, port: int, free: str = _FREE) -> str | None:
    """A sentence that says why a server cannot listen at an address; None if it can.
    free: as for `listen_error`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        reason = "that is not an address, and not a name with one"
        return f"{_failure(host, port)}: {reason}{_hint(host)}"
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
                trial.listen(1)
        except OSError as error:
            reason = _REASONS.get(error.errno or 0, str(error.strerror))
            pick = f"; {free} picks one" if error.errno == errno.EADDRINUSE else ""
            return f"{_failure(host, port)}: {reason}{pick}"
    return None


def _hint(host: str) -> str:
    """The host that was probably meant, if the text is a URL or has a port."""
    try:
        meant = urlsplit(host if "://" in host else f"//{host}").hostname
    except ValueError:
        return ""
    return f"; did you mean '{meant}'?" if meant and meant != host.lower() else ""


def _failure(host: str, port: int) -> str:
    return f"could not listen on {host} port {port}"
