"""Runs async work until it is done or a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Stopped(Exception):
    """A signal has ended the work. number: of the signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def run_until_signal(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of the work. Raises Stopped if a signal comes first; the work is cancelled then,
    and has cleaned up. Afterwards Ctrl-C does what it did before."""
    received: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    async def run() -> T:
        task = asyncio.create_task(work())
        loop = asyncio.get_running_loop()

        def stop(number: int) -> None:
            received.append(number)
            task.cancel()

        for number in _SIGNALS:
            if signal.getsignal(number) == signal.SIG_IGN:  # `nohup` lets SIGHUP be ignored
                continue
            with contextlib.suppress(NotImplementedError):  # the loops of some systems have none
                loop.add_signal_handler(number, stop, number)
        return await task

    try:
        return asyncio.run(run())
    except BaseException:
        # What was under way may end with an exception of its own when it is cancelled.
        if received:
            raise Stopped(received[0]) from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
