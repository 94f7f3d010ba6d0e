"""File descriptors: raises their limit, and logs one line when none is left."""

import asyncio
import errno
import logging
from typing import Any

log = logging.getLogger(__name__)

MAX_LIMIT = 65_536
_MACOS_LIMIT = 10_240
"""The maximum of macOS if it reports no limit."""

_SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_PERIOD_S = 60.0
_ACCEPT_AGAIN = "_start_serving"
"""The loop's method that accepts connections again, one second after a shortage."""


def raise_limit() -> None:
    """Raise the soft limit of this process to its hard limit, at most to MAX_LIMIT."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (MAX_LIMIT, _MACOS_LIMIT):
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or limit <= soft:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        except (ValueError, OSError):
            continue
        return


class ShortageLog:
    """An event loop's exception handler that logs a shortage of descriptors once a minute.
    The loop itself would log each connection that it cannot accept, thousands of times a second."""

    def __init__(self) -> None:
        self._quiet_until_s = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Report one exception."""
        error = context.get("exception")
        if _ACCEPT_AGAIN in context.get("message", "") and isinstance(error, ValueError):
            return  # the server was closed during a shortage
        if not (isinstance(error, OSError) and error.errno in _SHORTAGES and "socket" in context):
            loop.default_exception_handler(context)
        elif loop.time() >= self._quiet_until_s:
            self._quiet_until_s = loop.time() + _PERIOD_S
            log.error(
                "new connections have to wait: %s; those without a request are closed after "
                "limits.head_timeout_s (this line comes once a minute)",
                error.strerror,
            )
