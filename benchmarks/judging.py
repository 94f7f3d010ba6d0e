"""Measures what it costs the server that its client is judged: while it runs, and at the end.

Requests go by turns to a server that is judged, with the settings of `hailuo-mock judge`, and to
one that keeps nothing for judgements. While the client runs the first one is asked what stands, as
often as `hailuo-mock judge` asks. The cost is the CPU time of the whole server.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from threading import Event

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.load_client import busy
from benchmarks.servers import Server, create_one, fake_server
from benchmarks.throughput import TASK_LIFE_S
from mock_server.contract.data_paths import FIXTURES
from mock_server.control import Control, World
from mock_server.judge.judging import PAUSE_S, PAUSES_PER_WORK

_WORLD = "/_mock/worlds/default"
_NOT_KEPT = "no longer kept"


def measure(extent: Extent) -> Iterator[Figure]:
    """Measure reads and creates, and the judgement in the end."""
    limits = tomllib.loads((FIXTURES / "judge.toml").read_text("utf-8"))["limits"]
    settings = {f"LIMITS_{name.upper()}": value for name, value in limits.items()}
    nothing_kept = settings | {"LIMITS_JOURNAL_ARCHIVE_BYTES": 0}
    with fake_server(nothing_kept) as without, fake_server(settings) as judged:
        _world(judged).judge()  # the first one reads the rules
        yield from _compare("read", without, judged, extent)
        yield from _compare("create", without, judged, extent)


def _compare(kind: str, without: Server, judged: Server, extent: Extent) -> Iterator[Figure]:
    """The CPU time of requests to a judged server, as a part of that to the other one, and that of
    the judgement in the end."""
    count = extent.answers // 2
    sides: list[tuple[float, float]] = []
    ends_us: list[float] = []
    for _ in range(extent.rounds):
        without_us = _cost_us(without, kind, count)
        judged_us, end_us = _judged_us(judged, kind, count)
        sides.append((without_us, judged_us))
        ends_us.append(end_us)
    without_us, judged_us = (median(side) for side in zip(*sides, strict=True))
    note = f"{judged_us:.1f} us while it is judged, {without_us:.1f} us if not"
    yield Figure(f"judged_{kind}", median(judged / other for other, judged in sides), note=note)
    note = f"CPU time of a judgement of {count:,} requests by all rules"
    yield Figure(f"judgement_{kind}", median(ends_us), note=note)


def _cost_us(server: Server, kind: str, count: int) -> float:
    """The CPU time of a request to a new world, and of the later work for its task."""
    server.request("POST", f"{_WORLD}/reset").require(200)
    sent = messages.create() if kind == "create" else messages.read(create_one(server)["id"])
    with busy(server, [sent], count) as load:
        before_s = server.cpu_s()
        load.run()
        time.sleep(TASK_LIFE_S)
        return 1e6 * (server.cpu_s() - before_s) / count


def _judged_us(server: Server, kind: str, count: int) -> tuple[float, float]:
    """The same while the client is judged, and the CPU time of the judgement in the end; of each
    request."""
    world, ended = _world(server), Event()
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(_ask_what_stands, world, ended)
        try:
            cost_us = _cost_us(server, kind, count)
        finally:
            ended.set()
        asking.result()
    before_s = server.cpu_s()
    judgement = world.judge(expected_jobs=1)
    if any(_NOT_KEPT in each.reason for each in judgement.inconclusive):
        raise CannotMeasure("nothing was judged, because too little is kept")
    return cost_us, 1e6 * (server.cpu_s() - before_s) / count


def _world(server: Server) -> World:
    return Control(f"http://127.0.0.1:{server.port}").find()


def _ask_what_stands(world: World, ended: Event) -> None:
    """Ask what stands until the client has ended, as often as `hailuo-mock judge` asks."""
    pause_s = PAUSE_S
    while not ended.wait(pause_s):
        world.changes()
        began_s = time.monotonic()
        world.judge(so_far=True)
        pause_s = max(PAUSE_S, PAUSES_PER_WORK * (time.monotonic() - began_s))
