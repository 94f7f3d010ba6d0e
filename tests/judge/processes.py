"""Whether processes that the judge started still run."""

from __future__ import annotations

import time
from pathlib import Path

_LONGEST_S = 20


def is_alive(pid: str) -> bool:
    """Whether the process runs. One that only waits for its parent to take its exit code does
    not."""
    try:
        stat = Path(f"/proc/{pid.strip()}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the second one if it ends while it is read
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def has_ended(pid: str) -> bool:
    """Whether the process ends. One that was killed and is not waited for may be seen alive for a
    moment."""
    deadline = time.monotonic() + _LONGEST_S
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_alive(pid)
