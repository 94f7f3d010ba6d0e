"""File descriptors: as many as the system allows, and one line in the log when they run out."""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import Any

log = logging.getLogger(__name__)

ENOUGH = 65_536
_ALSO_ALLOWED = 10_240
"""What macOS allows where it says that there is no limit."""

_SCARCE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_QUIET_S = 60.0
_RESUMED = "_start_serving"
"""The loop's method that looks again, a second later, for connections it could not accept."""


def raise_limit() -> None:
    """Raise the soft limit of this process to its hard limit, or to `ENOUGH` if that is less."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (ENOUGH, _ALSO_ALLOWED):
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or limit <= soft:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        except (ValueError, OSError):
            continue
        return


class ScarcityLog:
    """An exception handler of an event loop that reports lacking descriptors once a minute.

    The loop itself reports each connection that it cannot accept, thousands of times a second.
    """

    def __init__(self) -> None:
        self._quiet_until_s = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Report one exception."""
        error = context.get("exception")
        if _RESUMED in context.get("message", "") and isinstance(error, ValueError):
            return  # the server was closed while connections had to wait
        if not (isinstance(error, OSError) and error.errno in _SCARCE and "socket" in context):
            loop.default_exception_handler(context)
        elif loop.time() >= self._quiet_until_s:
            self._quiet_until_s = loop.time() + _QUIET_S
            log.error(
                "new connections have to wait: %s; those without a request are closed after "
                "limits.head_timeout_s (this line comes once a minute)",
                error.strerror,
            )
