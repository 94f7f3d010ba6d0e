"""Calls that add, list and remove the faults of a world, and the check of a `fault(…)` block."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from mock_server.control.answers import Fault, FaultList, id_of
from mock_server.control.transport import Caller, ClientMethod, Json, Request, RequestFlow, step


class Terms(TypedDict, total=False):
    """The effect of a fault, unless a scenario is named, and when it happens.

    match: the requests it can happen to. headers: as in `match`: by name True for present, False
    for absent, or a regular expression for the value. skip: the number of matching requests before
    the first effect. times: the maximum number of effects. every: 3: on every third matching
    request. All three count per account. probability: of the effect, each time.
    """

    effect: Json
    match: Json
    headers: Mapping[str, bool | str]
    skip: int
    times: int
    every: int
    probability: float


class FaultNeverHappened(UserWarning):
    """None of the faults of a `fault(…)` block happened inside the block."""


class FaultsCalls(Caller):
    """The calls about faults."""

    @ClientMethod
    def add(self, scenario: str | None = None, **terms: Unpack[Terms]) -> RequestFlow[list[Fault]]:
        """Add the faults of a scenario, or one with an effect. Returns them."""
        body: dict[str, Any] = {**terms}
        if scenario is not None:
            body["scenario"] = scenario
        if (headers := body.pop("headers", None)) is not None:
            body["match"] = {**body.get("match", {}), "headers": headers}
        return (yield Request("POST", f"{self._path}/faults", body)).read(FaultList).faults

    @ClientMethod
    def standing(self) -> RequestFlow[list[Fault]]:
        """Every fault of the world, the oldest first, with its counts."""
        return (yield Request("GET", f"{self._path}/faults")).read(FaultList).faults

    @ClientMethod
    def get(self, fault: str | Fault) -> RequestFlow[Fault]:
        """A fault as it is now, with its counts."""
        return (yield Request("GET", f"{self._path}/faults/{step(id_of(fault))}")).read(Fault)

    @ClientMethod
    def remove(self, fault: str | Fault) -> RequestFlow[Fault]:
        """Remove a fault. Returns it with its last counts."""
        return (yield Request("DELETE", f"{self._path}/faults/{step(id_of(fault))}")).read(Fault)

    @ClientMethod
    def clear(self) -> RequestFlow[None]:
        """Remove every fault of the world."""
        yield Request("DELETE", f"{self._path}/faults")


class FaultBlock:
    """The faults of a `fault(…)` block, and those of them that were removed at its end."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        self._removed: list[Fault] = []

    def note_removed(self, fault: Fault, removed: Fault) -> None:
        """Give a fault of the block the counts that it had when it was removed."""
        fault.matched, fault.happened = removed.matched, removed.happened
        self._removed.append(removed)

    def warn_if_never_happened(self) -> None:
        """Warn with FaultNeverHappened if none of the faults happened. No warning if a fault has
        a probability, or if one was removed before the end: its counts are not known."""
        __tracebackhide__ = True
        removed = self._removed
        by_chance = any(fault.probability < 1 and fault.matched for fault in removed)
        if len(removed) < len(self.faults) or by_chance or any(each.happened for each in removed):
            return
        text = "; ".join(_why_not(fault) for fault in removed)
        warnings.warn(
            f"{text}. If that is as it should be, say must_happen=False.",
            FaultNeverHappened,
            stacklevel=4,  # the line of the block: contextlib and `fault` are in between
        )


def _why_not(fault: Fault) -> str:
    """A sentence about a fault that has not happened, without its full stop."""
    kind = fault.effect.get("type")
    text = f"the fault {fault.id} ({fault.scenario or kind}) never happened: it concerned "
    if fault.matched:
        requests = "request" if fault.matched == 1 else "requests"
        return f"{text}{fault.matched} {requests}, and skip={fault.skip}, every={fault.every}"
    text += f"nothing that came (match={fault.match})" if fault.match else "nothing that came"
    if kind == "delivery":
        text += "; what happens to a delivery is drawn when its task ends, so advance the clock"
        text += " inside the block"
    elif kind == "task":
        text += "; what happens to a task is drawn when it is made, so make it inside the block"
    return text
