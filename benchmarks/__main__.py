"""Runs all measurements and prints one table.

Exit code: 0 if every budget holds, 1 if one is missed, 2 if a measurement failed.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Iterator

from benchmarks import (
    callbacks,
    deliveries,
    durable,
    fixtures,
    growth,
    held_open,
    judging,
    latency,
    memory,
    report,
    shards,
    shutdown,
    startup,
    throughput,
    worlds,
    worst_wait,
)
from benchmarks.extent import FULL, QUICK, Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.other_programs import OtherPrograms
from benchmarks.processes import raise_file_limit

Measurement = Callable[[Extent], Iterator[Figure]]

MEASUREMENTS: dict[str, Measurement] = {
    "startup": startup.measure,
    "throughput": throughput.measure,
    "latency": latency.measure,
    "memory": memory.measure,
    "growth": growth.measure,
    "held": held_open.measure,
    "worst": worst_wait.measure,
    "callbacks": callbacks.measure,
    "deliveries": deliveries.measure,
    "durable": durable.measure,
    "judging": judging.measure,
    "worlds": worlds.measure,
    "shards": shards.measure,
    "fixtures": fixtures.measure,
    "shutdown": shutdown.measure,
}


def main() -> int:
    """Run the chosen measurements; the exit code."""
    options = _options()
    raise_file_limit()
    other_programs = OtherPrograms()
    figures: list[Figure] = []
    failures: list[str] = []
    for name in options.only or MEASUREMENTS:
        _print_progress(f"measuring {name} ...")
        try:
            figures += MEASUREMENTS[name](QUICK if options.quick else FULL)
        except CannotMeasure as error:
            failures.append(f"{name}: {error}")
        except Exception as error:  # noqa: BLE001 (a defect of a measurement is no missed budget)
            traceback.print_exc()
            failures.append(f"{name}: {error!r}")
    if options.json:
        print(json.dumps(report.as_data(figures, failures, other_programs.share()), indent=2))
    else:
        report.show(figures, failures, other_programs.share())
    if failures or not figures:
        return 2
    return 0 if report.all_hold(figures) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument(
        "--only",
        action="append",
        choices=list(MEASUREMENTS),
        metavar="NAME",
        help=f"only this measurement, may be repeated: {', '.join(MEASUREMENTS)}",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


def _print_progress(line: str) -> None:
    """Print a line to stderr, on a terminal only."""
    if sys.stderr.isatty():
        print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
