"""Ends a run early: on a signal, when its time is up, or when the server stops answering."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import requests

from contract_tests.redaction import OF_PROCESS

INTERRUPTED, NO_VERDICT = 130, 2
_ENDING_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class StoppedError(requests.RequestException):
    """A request was not sent: the run is to end. A RequestException, so that every client ends."""


class Interrupted(KeyboardInterrupt):
    """The run ends. The message is the reason."""

    def __init__(self, reason: str, exit_code: int) -> None:
        super().__init__(reason)
        self.exit_code = exit_code


@dataclass
class Stop:
    """Why a run ends early. reason: "" while it goes on. by_signal: the signal's number, or 0."""

    reason: str = ""
    by_signal: int = 0
    _restore: list[Callable[[], Any]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code of a run that ends early."""
        return INTERRUPTED if self.by_signal == signal.SIGINT else NO_VERDICT

    def now(self, reason: str, *, by_signal: int = 0) -> None:
        """Note the reason. The first one stays."""
        if not self.reason:
            self.reason, self.by_signal = reason, by_signal

    def raise_if_set(self) -> None:
        """Raises StoppedError if the run is to end."""
        if self.reason:
            raise StoppedError(self.reason)

    def listen(self, max_minutes: float) -> None:
        """Raise Interrupted in the main thread on a signal, and after so many minutes."""
        if threading.current_thread() is not threading.main_thread():
            return
        for name in _ENDING_SIGNALS:
            if (number := getattr(signal, name, None)) is not None:
                self._handle(number, self._on_signal)
        if hasattr(signal, "setitimer"):
            self._handle(signal.SIGALRM, lambda *_: self._interrupt(_time_is_up(max_minutes)))
            signal.setitimer(signal.ITIMER_REAL, max_minutes * 60)
            self._restore.append(self.cancel_time_limit)

    def cancel_time_limit(self) -> None:
        """The checks are over: writing the reports takes as long as it takes."""
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def close(self) -> None:
        """Restore the handlers of signals."""
        while self._restore:
            self._restore.pop()()

    def _handle(self, number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        before = signal.signal(number, handler)
        self._restore.append(lambda: signal.signal(number, before))

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        name = signal.Signals(number).name
        what = "interrupted by Ctrl-C" if number == signal.SIGINT else f"interrupted by {name}"
        self._interrupt(what, by_signal=number)

    def _interrupt(self, reason: str, *, by_signal: int = 0) -> None:
        self.now(reason, by_signal=by_signal)
        self.cancel_time_limit()
        raise Interrupted(self.reason, self.exit_code)


def innermost(error: BaseException) -> BaseException:
    """The first error in a group, which Hypothesis raises."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def error_text(error: BaseException) -> str:
    """The type, the message and the place of an error, without secrets."""
    inner = innermost(error)
    frames = traceback.extract_tb(inner.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return OF_PROCESS.text(f"{type(inner).__name__}: {inner}{where}")


def _time_is_up(max_minutes: float) -> str:
    return f"the time is up: it took {max_minutes:g} minutes (--max-minutes)"
