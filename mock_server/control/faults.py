"""What goes wrong in a world, told from outside."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TypedDict, Unpack

from mock_server.control.answers import Fault, FaultList, id_of
from mock_server.control.wire import (
    AsyncLine,
    Awaited,
    Call,
    Described,
    Line,
    Question,
    Steps,
    Waiting,
    step,
)


class Terms(TypedDict, total=False):
    """What goes wrong, unless a scenario says it, and when.

    match: which requests it concerns. skip: the first so many go right. times: how often it
    happens at most. every: only each so many-th. All three count for each account. probability: how
    likely it is each time.
    """

    effect: Described
    match: Described
    skip: int
    times: int
    every: int
    probability: float


class FaultNeverHappened(UserWarning):
    """A `fault(…)` block was left, and nothing of what it stood for had gone wrong."""


class _FaultsCalls:
    """What both kinds of faults can do."""

    _path: str

    @Call
    def add(self, scenario: str | None = None, **terms: Unpack[Terms]) -> Steps[list[Fault]]:
        """Have a scenario or an effect go wrong from now on; the faults that make it so."""
        body = {"scenario": scenario, **terms} if scenario is not None else terms
        return (yield Question("POST", f"{self._path}/faults", body)).read(FaultList).faults

    @Call
    def standing(self) -> Steps[list[Fault]]:
        """Everything that goes wrong, the oldest first, with how often it did."""
        return (yield Question("GET", f"{self._path}/faults")).read(FaultList).faults

    @Call
    def get(self, fault: str | Fault) -> Steps[Fault]:
        """A fault as it is now, with how often it happened."""
        return (yield Question("GET", f"{self._path}/faults/{step(id_of(fault))}")).read(Fault)

    @Call
    def remove(self, fault: str | Fault) -> Steps[Fault]:
        """Have it go wrong no more; what came of it."""
        return (yield Question("DELETE", f"{self._path}/faults/{step(id_of(fault))}")).read(Fault)

    @Call
    def clear(self) -> Steps[None]:
        """Have everything go right again."""
        yield Question("DELETE", f"{self._path}/faults")


class Faults(_FaultsCalls, Waiting):
    """What goes wrong in a world."""

    def __init__(self, line: Line, path: str) -> None:
        self._line, self._path = line, path


class AsyncFaults(_FaultsCalls, Awaited):
    """What goes wrong in a world."""

    def __init__(self, line: AsyncLine, path: str) -> None:
        self._line, self._path = line, path


def note_ends(standing: Sequence[Fault], ended: Sequence[Fault]) -> None:
    """Have the faults of a block show the counts that they had in the end."""
    ends = {fault.id: fault for fault in ended}
    for fault in standing:
        end = ends.get(fault.id, fault)
        fault.matched, fault.happened = end.matched, end.happened


def warn_if_never_happened(standing: Sequence[Fault], ended: Sequence[Fault]) -> None:
    """Warn whoever leaves a block of which nothing came: FaultNeverHappened.

    Chance may have spared them, and of a fault that was taken away earlier nobody knows.
    """
    __tracebackhide__ = True
    spared = any(fault.probability < 1 and fault.matched for fault in ended)
    if len(ended) == len(standing) and not spared and not any(each.happened for each in ended):
        text = "; ".join(_why_not(fault) for fault in ended)
        warnings.warn(
            f"{text}. If that is as it should be, say must_happen=False.",
            FaultNeverHappened,
            stacklevel=4,  # the block, whose end contextlib tells the one that calls this
        )


def _why_not(fault: Fault) -> str:
    """A sentence about a fault that has not happened, without its stop."""
    kind = fault.effect.get("type")
    said = f"the fault {fault.id} ({fault.scenario or kind}) never happened: it concerned "
    if fault.matched:
        requests = "request" if fault.matched == 1 else "requests"
        return f"{said}{fault.matched} {requests}, and skip={fault.skip}, every={fault.every}"
    said += f"nothing that came (match={fault.match})" if fault.match else "nothing that came"
    if kind == "delivery":
        said += "; what happens to a delivery is drawn when its task ends, so advance the clock"
        said += " inside the block"
    elif kind == "task":
        said += "; what happens to a task is drawn when it is made, so make it inside the block"
    return said
