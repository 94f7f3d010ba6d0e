"""Sends a mixed load with faults, webhooks, uploads and worlds that come and go, for some minutes.

At the end of each world it is compared with all that its clients were told: tasks, money, uploads,
and each event that arrived. Memory, descriptors and the cost of a request must not grow.

Exit code: 0 if nothing was lost and every bound holds, 1 if not, 2 if it could not run.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import CannotMeasure
from benchmarks.processes import started
from benchmarks.servers import FAKE, Server, bare_server
from benchmarks.soak.bounds import Row, Sample, judged, rows_of, sentence_of
from benchmarks.soak.http_client import Connection, NoAnswer
from benchmarks.soak.receiver import Receiver
from benchmarks.soak.world_run import Lost, WorldRun

_WORKERS = 16
_STEPS_OF_WORLD = 120
_BARE_PART = 0.25
"""Requests to the bare app for each step."""
_LONGEST_WINDOW_S, _WINDOWS = 15.0, 24
_STARTED_S = 30.0
_SETTINGS = {
    "HAILUO_MOCK_RIVYA_WEBHOOK_WAITS_S": "0.3,1,5",
    "HAILUO_MOCK_ACEDATA_CALLBACK_WAITS_S": "0.3,1,5",
    "HAILUO_MOCK_LOG_LEVEL": "warning",
}


@dataclass
class _Soak:
    """A running load. steps: made so far. worlds: checked and dropped so far. lost: sentences."""

    fake: Server
    bare: Server
    until_s: float
    rate_per_s: float
    draw: random.Random
    receiver: Receiver = field(default_factory=Receiver)
    steps: int = 0
    connections: list[Connection] = field(default_factory=list)
    bare_requests: int = 0
    worlds: int = 0
    lost: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Requests to the fake so far."""
        return sum(each.sent for each in self.connections)

    async def run(self, window_s: float, file: Path | None) -> list[Sample]:
        """Run until the time is over; the samples of all windows."""
        samples = []
        async with self.receiver.listening() as url:
            working = [asyncio.create_task(self._work(url)) for _ in range(_WORKERS)]
            working.append(asyncio.create_task(self._ask_bare()))
            while time.monotonic() + window_s < self.until_s and not self.lost:
                samples.append(await self._window(window_s, file))
            for problem in await asyncio.gather(*working, return_exceptions=True):
                if problem is not None and not isinstance(problem, Lost | NoAnswer):
                    raise problem
        return samples

    async def _work(self, receiver_url: str) -> None:
        """Live in one world after the other, at a bounded rate."""
        connection, pause_s = Connection(self.fake.port), _WORKERS / self.rate_per_s
        self.connections.append(connection)
        try:
            # Not all worlds are young at the same time.
            steps = self.draw.randrange(1, _STEPS_OF_WORLD)
            while time.monotonic() < self.until_s and not self.lost:
                draw = random.Random(self.draw.random())
                world = WorldRun(draw, self.receiver, receiver_url)
                await world.make(connection)
                while world.steps < steps and time.monotonic() < self.until_s:
                    due_s = time.monotonic() + pause_s
                    await world.act(connection)
                    self.steps += 1
                    await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                await world.check(connection)
                self.worlds += 1
                steps = _STEPS_OF_WORLD
        except Exception as problem:
            self.lost.append(str(problem))  # the others end, too
            raise
        finally:
            connection.close()

    async def _ask_bare(self) -> None:
        """Ask the bare app, whose cost shows what else the machine does."""
        connection = Connection(self.bare.port)
        while time.monotonic() < self.until_s and not self.lost:
            await connection.request("GET", "/bare")
            self.bare_requests += 1
            await asyncio.sleep(1 / (self.rate_per_s * _BARE_PART))
        connection.close()

    async def _window(self, window_s: float, file: Path | None) -> Sample:
        before = self.fake.cpu_s(), self.requests, self.bare.cpu_s(), self.bare_requests
        begun_s = time.monotonic()
        await asyncio.sleep(window_s)
        requests = self.requests - before[1]
        cost = (self.fake.cpu_s() - before[0]) / max(1, requests)
        bare = (self.bare.cpu_s() - before[2]) / max(1, self.bare_requests - before[3])
        return Sample(
            requests=self.requests,
            rate_per_s=requests / (time.monotonic() - begun_s),
            resident_bytes=self.fake.resident_bytes(),
            descriptors=self.fake.open_files(),
            cost=cost / bare,
            cpu_us=1e6 * cost,
            file_bytes=None if file is None else _bytes_of(file),
        )


def main() -> int:
    """Run a soak; the exit code."""
    options = _options()
    length_s = 60 * options.minutes
    with ExitStack() as ending:
        try:
            folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
            file = folder / "state.db" if _has_state_option() else None
            command = [*FAKE, *([] if file is None else ["--state", str(file)])]
            worker = ending.enter_context(started(command, _SETTINGS))
            fake = Server(worker, _STARTED_S)
            bare = ending.enter_context(bare_server())
            until_s, draw = time.monotonic() + length_s, random.Random(options.seed)
            soak = _Soak(fake, bare, until_s, options.rate, draw)
            window_s = min(_LONGEST_WINDOW_S, length_s / _WINDOWS)
            samples = asyncio.run(soak.run(window_s, file))
        except (CannotMeasure, OSError) as error:
            print(f"could not run: {error}", file=sys.stderr)
            return 2
    print(
        f"{soak.requests:,} requests in {soak.steps:,} steps in {options.minutes:g} minutes; "
        f"{soak.worlds:,} worlds were made, checked and dropped; "
        f"{'with' if file else 'without'} --state"
    )
    if soak.lost:
        print("\n".join(f"LOST {sentence}" for sentence in soak.lost))
        return 1
    try:
        steady, is_warm = judged(samples)
    except ValueError as error:
        print(f"could not judge: {error}", file=sys.stderr)
        return 2
    print(sentence_of(steady, is_warm=is_warm))
    return _shown(rows_of(steady, is_warm=is_warm))


def _shown(rows: Iterable[Row]) -> int:
    """Print the table; the exit code."""
    code = 0
    for row in rows:
        print(f"{row.what:22} {row.beginning:>21} -> {row.end:21} {row.change:32} {row.bound}")
        if row.broken is not None:
            print(f"BROKEN {row.broken}")
            code = 1
    if code == 0:
        print("nothing was lost, and every bound holds")
    return code


def _has_state_option() -> bool:
    command = [sys.executable, *FAKE[:3], "--help"]
    return "--state " in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _bytes_of(file: Path) -> int:
    """The size of the file with those beside it, such as its log."""
    return sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long; 10 by default")
    parser.add_argument("--rate", type=float, default=300.0, help="steps a second; 300 by default")
    parser.add_argument("--seed", type=int, default=1, help="of what the clients do")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
