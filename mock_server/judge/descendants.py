"""Finds the processes that programs have started, whatever group, session or parent they have now.

Linux alone lists the children of a process, and gives those whose parent has ended to this process.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Collection
from pathlib import Path

_PROCESSES = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """From now on, processes below this one whose parent ends become its own children. On other
    systems than Linux they do not."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants_of(number: int, without: Collection[int] = ()) -> set[int]:
    """The processes below this one, also those that have ended and have not been waited for.
    without: these and what is below them. Empty where the system does not list children."""
    found: set[int] = set()
    todo = [number]
    while todo:
        for each in _children_of(todo.pop()):
            if each not in found and each not in without:
                found.add(each)
                todo.append(each)
    return found


def has_variable(number: int, variable: bytes) -> bool:
    """Whether a process was started with this `NAME=value` in its environment."""
    try:
        return variable in (_PROCESSES / str(number) / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is another user's
        return False


def _children_of(number: int) -> list[int]:
    try:
        threads = os.listdir(_PROCESSES / str(number) / "task")  # noqa: PTH208 faster
    except OSError:
        return []
    found: list[int] = []
    for thread in threads:
        try:
            text = (_PROCESSES / str(number) / "task" / thread / "children").read_text()
        except OSError:  # the thread has ended
            continue
        found += map(int, text.split())
    return found
