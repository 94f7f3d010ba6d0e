"""The one place that reads real time; everything else asks a world's clock."""

import time


def wall_ms() -> int:
    """Milliseconds since 1970, by the machine's clock."""
    return time.time_ns() // 1_000_000
