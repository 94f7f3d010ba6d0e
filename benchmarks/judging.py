"""Measures what it costs the server that its client is judged: while it runs, and at the end.

Requests go to a server that is judged, with the settings of `hailuo-mock judge`, and to one that
keeps nothing for judgements. While the client runs the first one is asked what stands, as often as
`hailuo-mock judge` asks. The cost is the CPU time of the whole server.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.servers import Server, create_one, fake_server
from benchmarks.throughput import TASK_LIFE_S
from benchmarks.turns import Costs, Side, costs_us
from mock_server.contract.data_paths import FIXTURES
from mock_server.control import Control, World
from mock_server.judge.judging import CHANGES_READ, PAUSE_S, PAUSES_PER_WORK

_WORLD = "/_mock/worlds/default"
_NOT_KEPT = "no longer kept"


def measure(extent: Extent) -> Iterator[Figure]:
    """Measure reads and creates, and the judgement in the end."""
    limits = tomllib.loads((FIXTURES / "judge.toml").read_text("utf-8"))["limits"]
    settings = {f"LIMITS_{name.upper()}": value for name, value in limits.items()}
    for kind in ("read", "create"):
        yield from _compare(kind, settings, extent)


def _compare(kind: str, settings: dict[str, Any], extent: Extent) -> Iterator[Figure]:
    """The CPU time of requests to a judged server, as a part of that to the other one, and that of
    the judgement in the end."""
    rounds = [_round(kind, settings, extent.answers) for _ in range(extent.rounds)]
    costs = Costs([each for each, _ in rounds])
    without_us, judged_us = costs.medians_us
    note = f"{judged_us:.1f} us while it is judged, {without_us:.1f} us if not"
    yield Figure(f"judged_{kind}", costs.ratio, note=note)
    note = f"CPU time of a judgement of {extent.answers:,} requests by all rules"
    yield Figure(f"judgement_{kind}", median(end_us for _, end_us in rounds), note=note)


def _round(kind: str, settings: dict[str, Any], count: int) -> tuple[tuple[float, float], float]:
    """The costs of a request to each of two new servers, and that of the judgement in the end.
    Two processes of the same program differ by some hundredths, so that each round has others."""
    nothing_kept = settings | {"LIMITS_JOURNAL_ARCHIVE_BYTES": 0}
    with fake_server(nothing_kept) as without, fake_server(settings) as judged:
        asking = _Asking(judged)
        sides = [Side(server, [_message(kind, server)]) for server in (without, judged)]
        costs = costs_us(sides, count, later_s=TASK_LIFE_S, after_turn=asking.ask_when_due)
        return costs, 1e6 * _end_s(judged) / count


def _message(kind: str, server: Server) -> str:
    return messages.create() if kind == "create" else messages.read(create_one(server)["id"])


class _Asking:
    """Asks a server what stands, as often as `hailuo-mock judge` while the client runs."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._world = _world(server)
        self._world.judge()  # the first one reads the rules
        self._cursor = self._world.changes().cursor
        self._pause_s = PAUSE_S

    def ask_when_due(self, side: Side, busy_s: float) -> None:
        """Ask if a pause is over. Only the time in which the server is busy counts."""
        self._pause_s -= busy_s if side.server is self._server else 0.0
        if self._pause_s <= 0:
            began_s = time.monotonic()
            self._cursor = self._world.changes(self._cursor, limit=CHANGES_READ).cursor
            self._world.judge(so_far=True)
            self._pause_s = max(PAUSE_S, PAUSES_PER_WORK * (time.monotonic() - began_s))


def _end_s(server: Server) -> float:
    """The CPU time of the judgement in the end. Raises CannotMeasure if too little is kept."""
    before_s = server.cpu_s()
    judgement = _world(server).judge(expected_jobs=1)
    if any(_NOT_KEPT in each.reason for each in judgement.inconclusive):
        raise CannotMeasure("nothing was judged, because too little is kept")
    return server.cpu_s() - before_s


def _world(server: Server) -> World:
    return Control(f"http://127.0.0.1:{server.port}").find()
