"""All that the checks of one run share: the server, its variants, the budget and the verdicts."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import requests

from contract_tests import preflight
from contract_tests.budget import Budget, NoPriceList, Plan, Prices
from contract_tests.conformance import Conformance
from contract_tests.contract import Api, contract
from contract_tests.fakes import KEYS, RunningFake
from contract_tests.network import Network, reason_of
from contract_tests.options import Options
from contract_tests.origins import Base, WayOut, session_through
from contract_tests.own_world import NotTheFake, OwnWorld
from contract_tests.receiver import DEFAULT_PORT, Receiver
from contract_tests.redaction import OF_PROCESS
from contract_tests.stop import Stop
from contract_tests.target import (
    Clock,
    ControlledClock,
    RealClock,
    Target,
    is_loopback,
)
from contract_tests.transport import RateLimiter, Transport
from contract_tests.verdicts import Finding, Verdicts

_LOCAL_TIMEOUT_S = 60.0
_TIMEOUT_S = 1800.0  # a request may be held open until its video is finished


@dataclass
class CheckResult:
    """The outcome of one check, what it cost, perhaps, and the reason if it has no verdict.

    outcome: held, broken, refuted, skipped, stopped (by the budget), unanswered (by a gateway, or
        the run ended) or error (a defect of the suite).
    """

    check: str
    outcome: str
    took_s: float
    reason: str = ""
    findings: list[Finding] = field(default_factory=list)
    cost_credits: int = 0


class Run:
    """All that the checks of one run share.

    partly_asked: checks that are asked only as far as they are free, and why.
    nonce: a part of every key that must be new. home: a folder for files that libraries write.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.redaction = OF_PROCESS
        self.redaction.add(*(key for keys in options.keys.values() for key in keys.values()))
        self.contract = contract()
        self.verdicts = Verdicts()
        self.refuted: dict[str, Finding] = {}
        self.results: list[CheckResult] = []
        self.plan = Plan((), ())
        self.not_selected: list[tuple[str, str]] = []
        self.partly_asked: dict[str, str] = {}
        self.began_s = time.monotonic()
        self.why_not_the_fake = ""
        self.nonce = uuid4().hex[:12]  # a server remembers keys longer than a run lasts
        self.first_finding_s: float | None = None
        self.prices = Prices(self.contract, options.apis)
        self.stop = Stop()
        self.ended_before_checks = False
        self.errors: list[str] = []  # defects of the suite
        self.network = Network(options.ca_bundle, uses_proxy=options.uses_proxy)
        self.budget = Budget(options.max_credits)
        self.conformance = Conformance(self.contract)
        is_local = options.base_url is None or is_loopback(options.base_url)
        self.way_out = WayOut(inner=self.network)
        self.transport = Transport(
            budget=self.budget,
            prices=self.prices,
            limiter=RateLimiter(options.requests_per_second, options.max_parallel),
            conformance=self.conformance,
            verdicts=self.verdicts,
            timeout_s=_LOCAL_TIMEOUT_S if is_local else _TIMEOUT_S,
            longest_wait_s=options.longest_wait_s,
            way_out=self.way_out,
            stop=self.stop,
        )
        self.transport.on_no_answer = self._stop_if_silent
        self._probe_limit_s = min(preflight.LIMIT_S, options.longest_wait_s)
        self._stack = ExitStack()
        self.home = Path(self._stack.enter_context(TemporaryDirectory(prefix="hailuo-check-")))
        self._variants: dict[str, Target] = {}
        self._receiver: Receiver | None = None
        self.target: Target

    def open(self) -> None:
        """Connect to the server, or start the fake. Raises Unreachable or StartError."""
        url = self.options.base_url
        world = self._own_world(url) if url else None
        self.options = self.options.on(is_fake=url is None or world is not None)
        self.budget.max_credits = self.options.max_credits
        if url is None:
            self.target = self.variant("default")
            return
        preflight.require_answers(
            self._session(url), url, self._keys_to_try(world), self.options.longest_wait_s
        )
        if world is None:
            clock = RealClock(is_local=is_loopback(url))
            self.target = Target(url, self.transport, clock, self.options.keys, is_fake=False)
        else:
            self.options = replace(self.options, keys=world.keys)
            self.target = self._fake(world.url, world.server_url, world.name)
        if self.budget.max_credits and "rivya" in self.options.apis:
            with suppress(NoPriceList):  # the checks that need it say so
                self.transport.read_prices(self.target.base_url)

    def _own_world(self, url: str) -> OwnWorld | None:
        """A world of this run if the server proves to be the fake."""
        if self.options.live:
            return None
        self.way_out.bases.append(Base.of(url))
        options, session = self.options, session_through(self.way_out)
        try:
            world = OwnWorld.make(
                url, options.apis, session, seed=options.seed, frozen=options.control_door,
                limit_s=self._probe_limit_s,
            )  # fmt: skip
        except NotTheFake as error:
            self.why_not_the_fake = str(error)
            return None
        self._stack.callback(world.drop)
        self.redaction.add(*(key for keys in world.keys.values() for key in keys.values()))
        return world

    def _keys_to_try(self, world: OwnWorld | None) -> dict[Api, str]:
        """The keys that must be accepted. Those that only a fake knows are not tried at one."""
        own = {api: keys["own"] for api, keys in self.options.keys.items() if "own" in keys}
        return {api: key for api, key in own.items() if not world or key != KEYS[api]["own"]}

    def _session(self, url: str) -> requests.Session:
        """A session for requests to one server that are no part of the checks."""
        return session_through(WayOut(url, inner=self.network))

    def _stop_if_silent(self, error: requests.RequestException) -> None:
        """End the run if the server answers no other request either."""
        if not hasattr(self, "target") or self.stop.reason:
            return
        url = self.target.base_url
        try:
            self._session(url).get(url, timeout=self._probe_limit_s, allow_redirects=False)
        except requests.RequestException:
            self.stop.now(f"the server stopped answering: {reason_of(error, url)}")

    @property
    def owns_fake(self) -> bool:
        """Whether the suite starts the fake, and so can start variants of it."""
        return self.options.base_url is None

    def variant(self, name: str) -> Target:
        """The fake with the settings of a variant. The first call starts it."""
        if name not in self._variants:
            fake = RunningFake(name, seed=self.options.seed, frozen=self.options.control_door)
            url = self._stack.enter_context(fake).url
            self.transport.started.add(url)
            self._variants[name] = self._fake(url, url, "default")
        return self._variants[name]

    def has_key(self, api: Api, role: str) -> bool:
        """Whether the run has a key for this role."""
        return role in self.options.keys.get(api, {})

    def _fake(self, url: str, server_url: str, world: str) -> Target:
        """A world of the fake as a target. url: its base URL, server_url: that of the fake."""
        clock: Clock = RealClock(is_local=True)
        if self.options.control_door:
            self.way_out.bases.append(Base.of(server_url))
            session = session_through(self.way_out)
            clock = ControlledClock(
                server_url, session, world, self._stop_if_silent, self.options.longest_wait_s
            )
        return Target(url, self.transport, clock, self.options.keys, is_fake=True)

    def open_receiver(self) -> Receiver:
        """The receiver of callbacks. The first call starts it. Raises PortInUse."""
        if self._receiver is None:
            public_url = self.options.callback_url
            receiver = Receiver(public_url, DEFAULT_PORT if public_url else 0)
            self._receiver = self._stack.enter_context(receiver)
        return self._receiver

    def close(self) -> None:
        """Stop every fake and close every connection."""
        self.stop.close()
        self._stack.close()
        self.transport.close()

    def add(self, result: CheckResult) -> None:
        """Keep the outcome of a check."""
        self.results.append(result)
        if result.findings and self.first_finding_s is None and result.outcome == "broken":
            self.first_finding_s = time.monotonic() - self.began_s

    def is_only_refuted(self, finding: Finding) -> bool:
        """Whether the finding refutes an assumption of the contract. On the fake it breaks it."""
        return not self.target.is_fake and (finding.promise.is_assumed or finding.is_assumed_form)

    @property
    def incomplete(self) -> str:
        """The reason why not all was asked that was chosen, or ""."""
        chosen = {check.name for check in self.plan.chosen}
        left = len(chosen - {result.check for result in self.results})
        reasons = [f"{self.stop.reason}, {left} checks did not run"] if self.stop.reason else []
        reasons += [f"internal error: {error}" for error in self.errors[:1]]
        for outcome in ("unanswered", "stopped") if not self.stop.reason else ():
            without = [each.reason for each in self.results if each.outcome == outcome]
            if without:
                reasons.append(f"{len(without)} checks without a verdict: {without[0]}")
        return "; ".join(reasons)

    @property
    def exit_code(self) -> int:
        """0: all was asked and held. 1: findings. 2: not all was asked. 130: Ctrl-C."""
        if self.stop.by_signal or self.errors:
            return self.stop.exit_code
        if self.verdicts.broken:
            return 1
        ran = any(result.outcome in {"held", "refuted"} for result in self.results)
        return 0 if ran and self.verdicts.checked and not self.incomplete else 2
