"""The addresses of a host name, from this machine's resolver."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

Resolve = Callable[[str], Awaitable[list[str]]]

_TIMEOUT_S = 2.0


async def addresses_of(host: str) -> list[str]:
    """Every address of a host; empty if it has none or the resolver takes too long."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # a timeout is an OSError, too
        return []
    return [str(address[0]) for *_, address in found]
