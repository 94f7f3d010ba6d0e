"""Explains why the server cannot listen at an address."""

import errno
import socket
from urllib.parse import urlsplit

_REASONS = {
    errno.EADDRINUSE: "the port is taken, perhaps by another hailuo-mock",
    errno.EACCES: "this user is not allowed to use the port; ports from 1024 on are allowed",
    errno.EADDRNOTAVAIL: "that is not an address of this machine; 0.0.0.0 means all of them",
}

_FREE = "--port 0"
_NO_ADDRESS = "that is not an address, and not a name with one"


def listen_error(host: str, port: int, free: str = _FREE) -> str:
    """A sentence that says why a server cannot listen at an address that was just refused.
    free: the option that picks a free port."""
    return listen_obstacle(host, port, free) or f"could not listen on {host} port {port}"


def listen_obstacle(host: str, port: int, free: str = _FREE) -> str | None:
    """A sentence that says why a server cannot listen at an address; None if it can.
    free: as for `listen_error`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        return _sentence(host, port, _NO_ADDRESS + _hint(host))
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
                trial.listen(1)
        except OSError as error:
            reason = _REASONS.get(error.errno or 0, str(error.strerror))
            pick = f"; {free} picks one" if error.errno == errno.EADDRINUSE else ""
            return _sentence(host, port, reason + pick)
    return None


def _hint(host: str) -> str:
    """The host that was probably meant, if the text is a URL or has a port."""
    try:
        meant = urlsplit(host if "://" in host else f"//{host}").hostname
    except ValueError:
        return ""
    return f"; did you mean '{meant}'?" if meant and meant != host.lower() else ""


def _sentence(host: str, port: int, reason: str) -> str:
    return f"could not listen on {host} port {port}: {reason}"
