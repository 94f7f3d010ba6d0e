"""`make crash`: kills a server with a state file at many points, and prints a table."""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from tests.crash.points import FULL_DISK, KINDS, Point, killed_at_points


@click.command()
@click.option("--points", default=1000, help="How often a server is killed.")
@click.option("--seed", default=1, help="Equal seeds kill at equal points, as far as time allows.")
@click.option("--durable", type=click.Choice(["process", "power"]), default="process")
@click.option("--full-disk", is_flag=True, help="The file has too little room, each time.")
@click.option("--jobs", default=2, help="How many servers at once.")
def main(*, points: int, seed: int, durable: str, full_disk: bool, jobs: int) -> None:
    """Kill a server with a state file at many points. Nothing acknowledged may be untrue after the
    next start; exit code 1 if something is."""
    began_s = time.monotonic()
    kinds = (FULL_DISK,) if full_disk else KINDS
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:

        def part(number: int) -> list[Point]:
            own = Path(folder, str(number))
            own.mkdir()
            share = points // jobs + (number < points % jobs)
            options = ("--durable", durable)
            return list(killed_at_points(own, share, seed * jobs + number, *options, kinds=kinds))

        done = [point for part_done in pool.map(part, range(jobs)) for point in part_done]
    _show(done, time.monotonic() - began_s)
    sys.exit(1 if any(point.untrue for point in done) else 0)


def _show(points: list[Point], took_s: float) -> None:
    by_kind = defaultdict(list)
    for point in points:
        by_kind[point.kind].append(point)
    click.echo(
        f"{'killed':<36}{'points':>8}{'stopped itself':>16}{'answered':>10}"
        f"{'acknowledged':>14}{'untrue':>8}"
    )
    for kind, each in by_kind.items():
        answered, held = sum(p.answered for p in each), sum(p.acknowledged for p in each)
        wrong = sum(len(p.untrue) for p in each)
        stopped = sum(not p.was_killed for p in each)
        click.echo(f"{kind:<36}{len(each):>8}{stopped:>16}{answered:>10}{held:>14}{wrong:>8}")
    for point in points:
        for sentence in point.untrue:
            click.echo(f"{point.kind}: {sentence}")
    wrong = sum(len(point.untrue) for point in points)
    click.echo(f"{len(points)} points, {wrong} of the acknowledged facts untrue; {took_s:.0f} s")


if __name__ == "__main__":
    main()
