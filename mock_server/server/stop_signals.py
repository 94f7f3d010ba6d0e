"""Signals that end the process: in good order if that takes at most `GRACE_S`, else by force."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType

GRACE_S = 0.1
"""Real seconds from the first signal to a forced end."""

_LAST_RESORT_S = 1.0

_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
]


@contextmanager
def stopped_by_signals(stop: Callable[[], None], clean_up: Callable[[], None]) -> Iterator[None]:
    """Within it, a signal stops the server, and the process ends with exit code 0.

    stop: asks the server to end in good order; called by a signal handler, in the main thread.
    clean_up: called by another thread before a forced end, which comes with a second signal or
    after `GRACE_S`. The event loop may be busy all that time.
    """
    received: SimpleQueue[int] = SimpleQueue()  # a signal handler may put into it at any moment

    def on_signal(number: int, _: FrameType | None) -> None:
        received.put(number)
        if hasattr(signal, "setitimer"):
            # The system itself ends the process if no Python code can run any more.
            signal.setitimer(signal.ITIMER_REAL, _LAST_RESORT_S)
        stop()

    def force_end() -> None:
        received.get()
        with contextlib.suppress(Empty):
            received.get(timeout=GRACE_S)
        clean_up()
        os._exit(0)

    threading.Thread(target=force_end, name="stop signals", daemon=True).start()
    # `nohup` has SIGHUP ignored, and so it stays.
    taken = [
        number
        for number in _SIGNALS
        if number != getattr(signal, "SIGHUP", None) or signal.getsignal(number) != signal.SIG_IGN
    ]
    for number in taken:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        # Python forgets its handlers while it ends: a signal would then decide the exit code.
        for number in taken:
            signal.signal(number, signal.SIG_IGN)
