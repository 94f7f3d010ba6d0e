"""What a soak finds: growth that is more than noise, and everything that was lost."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from benchmarks.soak.bounds import Sample, judged, rows_of, sentence_of
from benchmarks.soak.http_client import Connection
from benchmarks.soak.receiver import Receiver
from benchmarks.soak.world_run import Lost, WorldRun
from tests.live import live

MB = 1_000_000


def broken(
    *, leak_b: float = 0.0, file_b: float = 0.0, slower: float = 0.0, more_files: int = 0
) -> list[str]:
    """The sentences about an hour with this growth for each request and over the whole run.
    Every figure is noisy."""
    draw, samples = random.Random(1), []
    for number in range(240):
        requests = 4000 * (number + 1)
        samples.append(
            Sample(
                requests=requests,
                resident_bytes=round(80 * MB + leak_b * requests + draw.gauss(0, MB / 2)),
                descriptors=40 + draw.randrange(20) + more_files * number // 240,
                cost=(3 + draw.gauss(0, 0.3)) * (1 + slower * number / 240),
                file_bytes=round(5 * MB + file_b * requests + draw.gauss(0, MB / 2)),
            )
        )
    return broken_in(samples)


def broken_in(samples: list[Sample]) -> list[str]:
    steady, is_warm = judged(samples)
    rows = rows_of(steady, is_warm=is_warm)
    return [row.broken for row in rows if row.broken is not None]


def test_noise_alone_breaks_no_bound() -> None:
    assert broken() == []


@pytest.mark.parametrize(
    ("growth", "sentence"),
    [
        ({"leak_b": 15}, "resident memory"),
        ({"file_b": 15}, "file of the state"),
        ({"more_files": 40}, "open descriptors grew"),
        ({"slower": 0.3}, "more CPU time at the end"),
    ],
)
def test_growth_breaks_the_bound_of_its_figure_alone(growth: Any, sentence: str) -> None:
    (found,) = broken(**growth)
    assert sentence in found


def test_connections_that_are_open_for_a_while_are_no_growth() -> None:
    def run(least: int) -> list[str]:
        counts = ([31, 31, 50] if number < 120 else [least, 75, 48] for number in range(240))
        return broken_in(
            [
                Sample(4000 * (number + 1), 80 * MB, each[number % 3], 3.0)
                for number, each in enumerate(counts)
            ]
        )

    assert run(least=33) == []
    assert "open descriptors grew" in run(least=47)[0]


def test_the_warm_up_is_not_judged_and_the_output_says_so() -> None:
    def run(growth_until: int) -> list[Sample]:
        growing = (min(number, growth_until) for number in range(240))
        return [
            Sample(4000 * (number + 1), 80 * MB + grown * MB, 40, 3.0)
            for number, grown in enumerate(growing)
        ]

    assert broken_in(run(growth_until=14)) == []
    assert "resident memory" in broken_in(run(growth_until=100))[0]
    steady, is_warm = judged(run(14))
    assert sentence_of(steady, is_warm=is_warm).startswith("judged: requests 64,000 to 960,000;")
    steady, is_warm = judged(run(14)[:20])
    assert "too short for a whole warm-up" in sentence_of(steady, is_warm=is_warm)


def test_the_heap_of_a_short_run_may_settle() -> None:
    def grown_by(growth_mb: float) -> list[str]:
        samples = [
            Sample(1500 * number, round((70 + growth_mb * number / 24) * MB), 40, 3.0)
            for number in range(1, 25)
        ]
        return broken_in(samples)

    assert grown_by(10) == []
    assert "resident memory" in grown_by(30)[0]


def test_too_few_samples_are_not_judged() -> None:
    with pytest.raises(ValueError, match="let it run longer"):
        judged([Sample(1, MB, 1, 1.0)] * 9)


class ForgetfulReceiver(Receiver):
    """Says of one event that it never arrived, if it is told to."""

    forgets_one = False

    def take(self, world: str) -> dict[str, list[int]]:
        arrived = super().take(world)
        if self.forgets_one:
            self.forgets_one = False
            arrived.popitem()
        return arrived


async def break_something(
    world: WorldRun, change: str | None, receiver: ForgetfulReceiver, connection: Connection
) -> None:
    if change == "task":
        world.acknowledged.add("task_lost")
    elif change == "event":
        receiver.forgets_one = True
    elif change == "unknown":
        world.acknowledged.pop()
    elif change == "money":
        path = f"/_mock/worlds/{world.name}/accounts/rivya-test"
        headers = {"Content-Type": "application/json"}
        await connection.request("PATCH", path, b'{"credits": 5}', headers)


def test_a_world_keeps_what_its_clients_were_told_and_what_is_missing_is_found() -> None:
    async def run(port: int) -> list[str]:
        receiver, found = ForgetfulReceiver(), []
        connection = Connection(port)
        async with receiver.listening() as url:
            for change in (None, "task", "event", "money", "unknown"):
                world = WorldRun(random.Random(2), receiver, url)
                await world.make(connection)
                for _ in range(40):
                    await world.act(connection)
                await break_something(world, change, receiver, connection)
                try:
                    await world.check(connection)
                    found.append("")
                except Lost as lost:
                    found.append(str(lost))
        connection.close()
        return found

    with live(
        clock__mode="real",
        clock__start=None,
        rivya__webhook_waits_s=(0.3, 1.0),
        acedata__callback_waits_s=(0.3, 1.0),
    ) as server:
        found = asyncio.run(run(int(server.url.rpartition(":")[2])))
    assert [found[0], len(found)] == ["", 5]
    sentences = ("are gone", "was answered", "the ledger of rivya-test", "were not ordered")
    for sentence, lost in zip(sentences, found[1:], strict=True):
        assert sentence in lost
