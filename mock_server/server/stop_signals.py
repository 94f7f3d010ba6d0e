"""Signals or the end of stdin end the process: by a shutdown of at most `GRACE_S`, else at once."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType

GRACE_S = 0.1
"""Real seconds from the first signal to a forced exit."""

_ALARM_S = 1.0
"""Real seconds from a signal until the system kills the process."""

_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
]


@contextmanager
def stopped_by_signals(
    stop: Callable[[], None], clean_up: Callable[[], None], *, with_stdin: bool = False
) -> Iterator[None]:
    """A context in which a signal stops the server; the process then ends with exit code 0.
    stop: starts the shutdown; called by a signal handler, or in another thread.
    clean_up: called in another thread before a forced exit, which follows a second signal or
    `GRACE_S`. It must not use the event loop, which may be busy.
    with_stdin: whether the end of stdin does the same as a signal."""
    received: SimpleQueue[int] = SimpleQueue()  # reentrant: signal handlers may put into it

    def on_signal(number: int, _: FrameType | None) -> None:
        received.put(number)
        if hasattr(signal, "setitimer"):
            # The system kills the process if no Python code can run any more.
            signal.setitimer(signal.ITIMER_REAL, _ALARM_S)
        stop()

    def stop_with_stdin() -> None:
        with contextlib.suppress(OSError):  # it is closed
            while os.read(0, 1024):
                pass
        received.put(0)
        stop()

    def force_exit() -> None:
        received.get()
        with contextlib.suppress(Empty):
            received.get(timeout=GRACE_S)
        clean_up()
        os._exit(0)

    threading.Thread(target=force_exit, name="stop signals", daemon=True).start()
    if with_stdin:
        threading.Thread(target=stop_with_stdin, name="stdin", daemon=True).start()
    # `nohup` makes the process ignore SIGHUP; that is kept.
    handled = [
        number
        for number in _SIGNALS
        if number != getattr(signal, "SIGHUP", None) or signal.getsignal(number) != signal.SIG_IGN
    ]
    for number in handled:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        # Python removes its handlers while it exits: a signal would then set the exit code.
        for number in handled:
            signal.signal(number, signal.SIG_IGN)
