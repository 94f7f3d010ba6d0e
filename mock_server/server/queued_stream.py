"""A standard error that never blocks: text is queued, and a thread writes it. A direct write to a
pipe without a reader would block the event loop after some hundred lines."""

import io
import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

MAX_WAITING_CHARACTERS = 1024 * 1024
_FLUSH_S = 0.05


class QueuedStream(io.TextIOBase):
    """A text stream to a file descriptor. Lines that do not fit into the queue are counted."""

    def __init__(
        self, descriptor: int, max_waiting_characters: int = MAX_WAITING_CHARACTERS
    ) -> None:
        self._descriptor = descriptor
        self._max_waiting = max_waiting_characters
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._lock = threading.RLock()  # a signal handler may write in the middle of a write
        self._waiting = 0
        self._lines_left_out = 0
        self._thread = threading.Thread(target=self._write_queued, name="stderr", daemon=True)
        self._thread.start()

    def write(self, text: str) -> int:
        """Queue text. Returns at once."""
        with self._lock:
            if self._waiting + len(text) > self._max_waiting:
                self._lines_left_out += text.count("\n")
            else:
                self._waiting += len(text)
                self._queue.put(text)
        return len(text)

    def writable(self) -> bool:
        """True."""
        return True

    def fileno(self) -> int:
        """The descriptor that the text is written to."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether the descriptor is a terminal."""
        return os.isatty(self._descriptor)

    def finish(self, timeout_s: float = _FLUSH_S) -> None:
        """Wait until all queued text is written, for `timeout_s` at most."""
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _write_queued(self) -> None:
        while (text := self._queue.get()) is not None:
            self._write_now(text)
            with self._lock:
                self._waiting -= len(text)
                left_out = self._lines_left_out if self._queue.empty() else 0
                self._lines_left_out -= left_out
            if left_out:
                self._write_now(f"({left_out} lines left out: standard error was not read)\n")

    def _write_now(self, text: str) -> None:
        rest = text.encode("utf-8", "backslashreplace")
        try:
            while rest:
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except BlockingIOError:  # another process may have made the pipe non-blocking
                    select.select([], [self._descriptor], [])
        except OSError:
            pass  # the reader is gone


@contextmanager
def queued_stderr() -> Iterator[None]:
    """A context in which everything that Python writes to standard error is queued."""
    direct = sys.stderr
    if direct is None:  # started without one
        yield
        return
    direct.flush()
    queued = QueuedStream(direct.fileno())
    sys.stderr = queued
    try:
        yield
    finally:
        sys.stderr = direct
        queued.finish()
