"""Measure everything and print one table.

Exit code: 0 if every budget holds, 1 if one is missed, 2 if something could not be measured.
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
    fixtures,
    growth,
    held_open,
    holding_up,
    latency,
    memory,
    report,
    shutdown,
    startup,
    throughput,
    worlds,
)
from benchmarks.extent import FULL, QUICK, Extent
from benchmarks.measured import CannotMeasure, Measured
from benchmarks.neighbours import Neighbours
from benchmarks.processes import raise_file_limit

Measurement = Callable[[Extent], Iterator[Measured]]

MEASUREMENTS: dict[str, Measurement] = {
    "startup": startup.measure,
    "throughput": throughput.measure,
    "latency": latency.measure,
    "memory": memory.measure,
    "growth": growth.measure,
    "held": held_open.measure,
    "worst": holding_up.measure,
    "callbacks": callbacks.measure,
    "deliveries": deliveries.measure,
    "worlds": worlds.measure,
    "fixtures": fixtures.measure,
    "shutdown": shutdown.measure,
}


def main() -> int:
    """Run what was asked for; the exit code."""
    options = _options()
    raise_file_limit()
    neighbours = Neighbours()
    figures: list[Measured] = []
    failures: list[str] = []
    for name in options.only or MEASUREMENTS:
        _say(f"measuring {name} ...")
        try:
            figures += MEASUREMENTS[name](QUICK if options.quick else FULL)
        except CannotMeasure as error:
            failures.append(f"{name}: {error}")
        except Exception as error:  # noqa: BLE001 (a fault of ours must not look like a missed budget)
            traceback.print_exc()
            failures.append(f"{name}: {error!r}")
    if options.json:
        print(json.dumps(report.as_data(figures, failures, neighbours.share()), indent=2))
    else:
        report.show(figures, failures, neighbours.share())
    if failures or not figures:
        return 2
    return 0 if report.all_hold(figures) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything: a first look")
    parser.add_argument(
        "--only",
        action="append",
        choices=list(MEASUREMENTS),
        metavar="NAME",
        help=f"only this one, may be repeated: {', '.join(MEASUREMENTS)}",
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    return parser.parse_args()


def _say(line: str) -> None:
    """On a terminal only."""
    if sys.stderr.isatty():
        print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
