"""The addresses behind a host name, asked of this machine's resolver."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

Resolve = Callable[[str], Awaitable[list[str]]]

_PATIENCE_S = 2.0


async def addresses_of(host: str) -> list[str]:
    """Every address of a host; none if the name leads nowhere, or nobody can be asked in time."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # a timeout is an OSError, too
        return []
    return [str(address[0]) for *_, address in found]
