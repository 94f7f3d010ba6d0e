"""The bounds of a soak, and whether its samples break them.

A bound is broken if a figure is past it by more than twice its standard error: a short run on a
busy machine has large errors, and shows only what is far too much.

The first `_WARM_UP` requests are not judged. Until then everything that has a bound becomes full:
the largest caches keep 4,096 timestamps, which takes 10,000 requests; the connections for callbacks
and the worlds of all clients have their usual number after a minute; the log beside the state file
has its length, and the heap has found its size, after 45,000. From then on the load keeps no more
than it drops, so that all growth is a fault if the load is the same. With more requests a second,
more callbacks and connections are open at a time, and the heap is larger: the first row has the
load at both ends. On a busy machine, ask for a `--rate` that it can keep.

A run that is too short for the warm-up leaves out its first quarter alone, and there a size may
also grow by `_WARMING_MB`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median, quantiles

SLOPE_PER = 100_000
"""Requests."""
_LARGEST_SLOPE_MB = 1.0
_WARM_UP, _WARMING_MB = 60_000, 12.0
_LARGEST_COST_GROWTH = 0.05
_MORE_DESCRIPTORS = 10
_WARM_UP_PART = 0.25
_LEAST_SAMPLES = 8
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """The state at the end of one window.

    requests: so far. rate_per_s: requests a second in this window. cpu_us: CPU time of the server
    for a request in this window. cost: the same as a multiple of that of a bare app in this window.
    file_bytes: of the file with the state; None without one.
    """

    requests: int
    resident_bytes: int
    descriptors: int
    cost: float
    cpu_us: float = 0.0
    rate_per_s: float = 0.0
    file_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A figure at the beginning and at the end. broken: a sentence if it is past its bound."""

    what: str
    beginning: str
    end: str
    change: str
    bound: str
    broken: str | None


def judged(samples: Sequence[Sample]) -> tuple[Sequence[Sample], bool]:
    """Those after the warm-up, and whether they are after the whole of it. Raises ValueError for
    too few samples."""
    steady = [each for each in samples if each.requests > _WARM_UP]
    is_warm = len(steady) >= len(samples) / 2
    if not is_warm:
        steady = list(samples[round(len(samples) * _WARM_UP_PART) :])
    if len(steady) < _LEAST_SAMPLES:
        raise ValueError(f"{len(samples)} samples are too few: let it run longer")
    return steady, is_warm


def sentence_of(steady: Sequence[Sample], *, is_warm: bool) -> str:
    """Which part of the run is judged, and why."""
    first, last = steady[0].requests, steady[-1].requests
    part = f"judged: requests {first:,} to {last:,}"
    if is_warm:
        return f"{part}; before them everything that has a bound became full"
    return f"{part}; the run is too short for a whole warm-up of {_WARM_UP:,} requests"


def rows_of(steady: Sequence[Sample], *, is_warm: bool) -> Iterator[Row]:
    """All figures of these samples, which are from `judged`."""
    yield _load_row(steady)
    sizes: list[tuple[str, list[int]]] = [
        ("resident memory", [each.resident_bytes for each in steady]),
        ("file of the state", [each.file_bytes for each in steady if each.file_bytes is not None]),
    ]
    for what, values in sizes:
        if values:
            yield _slope_row(what, steady, values, 0.0 if is_warm else _WARMING_MB)
    yield _descriptors_row(steady)
    yield _cost_row(steady)


def _load_row(steady: Sequence[Sample]) -> Row:
    """The load, which has no bound."""
    first, last = (median(each.rate_per_s for each in part) for part in _thirds(steady))
    change = f"{last / first - 1:+.1%}" if first else ""
    return Row("requests a second", f"{first:.0f}", f"{last:.0f}", change, "as it comes", None)


def _slope_row(
    what: str, steady: Sequence[Sample], values: Sequence[int], warming_mb: float
) -> Row:
    values_mb = [each / _MB for each in values]
    slope, error = _slope([each.requests / SLOPE_PER for each in steady], values_mb)
    broken = None
    grown_mb = values_mb[-1] - values_mb[0]
    if slope - 2 * error > _LARGEST_SLOPE_MB and grown_mb > warming_mb:
        broken = (
            f"{what}: {grown_mb:.1f} MB more, which is {slope:.2f} MB per {SLOPE_PER:,} requests "
            f"(standard error {error:.2f}); allowed is {_LARGEST_SLOPE_MB:g}"
        )
    return Row(
        what,
        f"{values_mb[0]:.1f} MB",
        f"{values_mb[-1]:.1f} MB",
        f"{slope:+.2f} ± {2 * error:.2f} MB per {SLOPE_PER:,}",
        f"<= {_LARGEST_SLOPE_MB:g} MB",
        broken,
    )


def _descriptors_row(steady: Sequence[Sample]) -> Row:
    """The lower quartile: how many connections are open for a while depends on what else the
    machine does, and one that is never closed raises all figures."""
    first, last = (
        quantiles([each.descriptors for each in part], n=4)[0] for part in _thirds(steady)
    )
    broken = None
    if last > first + _MORE_DESCRIPTORS:
        broken = f"open descriptors grew from {first:g} to {last:g}"
    change = f"{last - first:+g}"
    bound = f"<= {_MORE_DESCRIPTORS} more"
    return Row("descriptors", f"{first:g}", f"{last:g}", change, bound, broken)


def _cost_row(steady: Sequence[Sample]) -> Row:
    thirds = _thirds(steady)
    first, last = ([each.cost for each in part] for part in thirds)
    before_us, after_us = (median(each.cpu_us for each in part) for part in thirds)
    before, after = median(first), median(last)
    growth = after / before - 1
    error = math.hypot(_error_of_median(first), _error_of_median(last)) / before
    broken = None
    if growth - 2 * error > _LARGEST_COST_GROWTH:
        broken = (
            f"a request costs {growth:.1%} more CPU time at the end than at the beginning "
            f"(standard error {error:.1%}); allowed is {_LARGEST_COST_GROWTH:.0%}"
        )
    return Row(
        "CPU time of a request",
        f"{before:.2f} x bare ({before_us:.0f} us)",
        f"{after:.2f} x bare ({after_us:.0f} us)",
        f"{growth:+.1%} ± {2 * error:.1%}",
        f"<= {_LARGEST_COST_GROWTH:.0%}",
        broken,
    )


def _thirds(steady: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """The first third and the last one."""
    size = len(steady) // 3
    return steady[:size], steady[-size:]


def _slope(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float]:
    """The slope by least squares, and its standard error."""
    x_mean, y_mean = fmean(xs), fmean(ys)
    spread = sum((x - x_mean) ** 2 for x in xs)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / spread
    rest = sum((y - y_mean - slope * (x - x_mean)) ** 2 for x, y in zip(xs, ys, strict=True))
    return slope, math.sqrt(rest / (len(xs) - 2) / spread)


def _error_of_median(values: Sequence[float]) -> float:
    """The standard error of the median, from the spread of the middle half."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    spread = (ordered[-1 - quarter] - ordered[quarter]) / 1.35
    return 1.25 * spread / math.sqrt(len(ordered))
