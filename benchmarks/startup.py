"""Measures the time from the start of the process to the first answer with status 200."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import Figure
from benchmarks.servers import bare_server, create_one, fake_server


def measure(extent: Extent) -> Iterator[Figure]:
    """Start both servers by turns. The first two starts only fill the disk cache."""
    _bare_start_ms()
    _fake_start_ms()
    starts = [(_bare_start_ms(), _fake_start_ms()) for _ in range(extent.start_rounds)]
    bare_ms = [bare for bare, _ in starts]
    answer_ms = [answer for _, (answer, _) in starts]
    create_ms = [create for _, (_, create) in starts]
    yield Figure(
        "start_ratio",
        median(fake / bare for fake, bare in zip(answer_ms, bare_ms, strict=True)),
        median(bare_ms),
        f"median {median(answer_ms):.0f} ms; the first create took {median(create_ms):.1f} ms more",
    )
    yield Figure("start_floor", min(answer_ms), min(bare_ms), "meant for a quiet machine")


def _bare_start_ms() -> float:
    began_s = time.perf_counter()
    with bare_server() as server:
        server.request("GET", "/bare").require(200)
        return 1000 * (time.perf_counter() - began_s)


def _fake_start_ms() -> tuple[float, float]:
    """Milliseconds until the first answer of an API, and from then to the first create."""
    began_s = time.perf_counter()
    with fake_server() as server:
        server.request("GET", "/api/v1/credits", key=messages.RIVYA_KEY).require(200)
        answered_s = time.perf_counter()
        create_one(server)
        created_s = time.perf_counter()
    return 1000 * (answered_s - began_s), 1000 * (created_s - answered_s)
