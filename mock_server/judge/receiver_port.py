"""The port at which a client receives events: a free one for each run, or one that is given."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from mock_server.core.webhook_urls import loopback_address

_WAIT_S = 1.0


def with_free_port(url: str, given: set[int]) -> str:
    """The URL, with a free port in place of port 0. given: ports of other runs; it is added."""
    parts = urlsplit(url)
    if parts.port != 0:
        return url
    port = 0
    while port in {0, *given}:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    given.add(port)
    return parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}").geturl()


def is_taken(url: str) -> bool:
    """Whether something listens at the port of a URL on this machine. False for other machines."""
    parts = urlsplit(url)
    address = loopback_address(parts.hostname or "")
    if address is None or not parts.port:
        return False
    try:
        socket.create_connection((address, parts.port), _WAIT_S).close()
    except OSError:
        return False
    return True
