"""Why the server cannot listen at an address."""

from __future__ import annotations

import errno
import socket

_REASONS = {
    errno.EADDRINUSE: "the port is taken, perhaps by another hailuo-mock; --port 0 picks one",
    errno.EACCES: "this user may not have it; ports from 1024 on are for everybody",
    errno.EADDRNOTAVAIL: "that is no address of this machine; 0.0.0.0 stands for all it has",
}


def why_not(host: str, port: int) -> str | None:
    """What keeps a server from listening there, in a sentence; None if nothing does."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        return _sentence(host, port, "that is no address, and no name that leads to one")
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
                trial.listen(1)
        except OSError as error:
            return _sentence(host, port, _REASONS.get(error.errno or 0, str(error.strerror)))
    return None


def _sentence(host: str, port: int, reason: str) -> str:
    return f"could not listen on {host} port {port}: {reason}"
