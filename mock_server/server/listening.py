"""Why the server cannot listen at an address."""

from __future__ import annotations

import errno
import socket
from urllib.parse import urlsplit

_REASONS = {
    errno.EADDRINUSE: "the port is taken, perhaps by another hailuo-mock; --port 0 picks one",
    errno.EACCES: "this user may not have it; ports from 1024 on are for everybody",
    errno.EADDRNOTAVAIL: "that is no address of this machine; 0.0.0.0 stands for all it has",
}

_NO_ADDRESS = "that is no address, and no name that leads to one"


def why_not(host: str, port: int) -> str | None:
    """What keeps a server from listening there, in a sentence; None if nothing does."""
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
            return _sentence(host, port, _REASONS.get(error.errno or 0, str(error.strerror)))
    return None


def _hint(host: str) -> str:
    """What a host was probably meant to be, if more was written than a host."""
    try:
        meant = urlsplit(host if "://" in host else f"//{host}").hostname
    except ValueError:
        return ""
    return f"; did you mean '{meant}'?" if meant and meant != host.lower() else ""


def _sentence(host: str, port: int, reason: str) -> str:
    return f"could not listen on {host} port {port}: {reason}"
