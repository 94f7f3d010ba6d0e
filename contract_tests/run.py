"""One run: the target, its variants, the purse and the ledger; opened, used by checks, closed."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from contract_tests.budget import Budget, Plan, Prices
from contract_tests.conformance import Conformance
from contract_tests.contract import Api, contract
from contract_tests.door import Door, Pace
from contract_tests.fakes import RunningFake
from contract_tests.options import Options
from contract_tests.target import (
    ControlDoor,
    RealTime,
    Target,
    Time,
    answers_as_fake,
    is_loopback,
)
from contract_tests.verdicts import Finding, Verdicts

_TIMEOUT_S = 60.0
_TIMEOUT_FAR_S = 1800.0  # a request may be held open until its video is there


@dataclass
class Result:
    """What became of one check: held, broken, skipped, refuted or stopped, and why."""

    check: str
    outcome: str
    took_s: float
    reason: str = ""
    findings: list[Finding] = field(default_factory=list)


class Run:
    """Everything that the checks of one run share.

    nonce: part of every key that must be new. home: a folder for what libraries leave behind.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.contract = contract()
        self.verdicts = Verdicts()
        self.refuted: dict[str, Finding] = {}
        self.results: list[Result] = []
        self.plan = Plan((), ())
        self.not_selected: list[tuple[str, str]] = []
        self.began_s = time.monotonic()
        self.nonce = uuid4().hex[:12]  # a server remembers keys longer than a run lasts
        self.first_finding_s: float | None = None
        self.prices = Prices(self.contract, options.apis)
        self.budget = Budget(options.max_credits)
        self.conformance = Conformance(self.contract)
        near = options.base_url is None or is_loopback(options.base_url)
        self.door = Door(
            budget=self.budget,
            prices=self.prices,
            pace=Pace(options.requests_per_second, options.at_once),
            conformance=self.conformance,
            verdicts=self.verdicts,
            timeout_s=_TIMEOUT_S if near else _TIMEOUT_FAR_S,
        )
        self._stack = ExitStack()
        self.home = Path(self._stack.enter_context(TemporaryDirectory(prefix="hailuo-check-")))
        self._variants: dict[str, Target] = {}
        self.target: Target

    def open(self) -> None:
        """Find the server, or start the fake. Raises Unreachable or StartError."""
        if self.options.base_url is None:
            self.target = self.variant("default")
            return
        url = self.options.base_url
        is_fake = False if self.options.live else answers_as_fake(url)
        self.target = self._target(url, is_fake=is_fake)

    @property
    def owns_fake(self) -> bool:
        """Whether the suite started the fake itself, and so can have it in other variants."""
        return self.options.base_url is None

    def variant(self, name: str) -> Target:
        """The fake told to misbehave in one way; started when first asked for."""
        if name not in self._variants:
            fake = RunningFake(name, seed=self.options.seed, frozen=self.options.control_door)
            url = self._stack.enter_context(fake).url
            self._variants[name] = self._target(url, is_fake=True)
        return self._variants[name]

    def has_key(self, api: Api, role: str) -> bool:
        """Whether somebody can play this part."""
        return role in self.options.keys.get(api, {})

    def _target(self, url: str, *, is_fake: bool) -> Target:
        self.door.origins.add(url)
        there: Time = RealTime(is_near=is_loopback(url))
        if is_fake and self.options.control_door:
            there = ControlDoor(url)
        return Target(url, self.door, self.verdicts, there, self.options.keys, is_fake)

    @property
    def secrets(self) -> list[str]:
        """Every credential of the run; none of them may be written down."""
        return [key for keys in self.options.keys.values() for key in keys.values()]

    def close(self) -> None:
        """End what was started."""
        self._stack.close()
        self.door.close()

    def note(self, result: Result) -> None:
        """Keep what became of a check; on a real server a refuted assumption is no failure."""
        self.results.append(result)
        if result.findings and self.first_finding_s is None and result.outcome == "broken":
            self.first_finding_s = time.monotonic() - self.began_s

    def is_only_refuted(self, finding: Finding) -> bool:
        """Whether the finding breaks nothing that is documented, only what we had assumed."""
        return not self.target.is_fake and (finding.promise.is_assumed or finding.rests_on_ours)

    @property
    def exit_code(self) -> int:
        """0 the contract holds, 1 findings, 2 nothing was checked."""
        if self.verdicts.broken:
            return 1
        ran = any(result.outcome in {"held", "refuted"} for result in self.results)
        return 0 if ran and self.verdicts.checked else 2
