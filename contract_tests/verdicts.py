"""Collects what a run found out about each promise: how often it was checked, what broke it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from contract_tests.exchange import Exchange
from contract_tests.promises import Promise, promises
from contract_tests.redaction import OF_PROCESS
from contract_tests.steps import needed_before


@dataclass(frozen=True)
class Finding:
    """One promise that was broken, and the exchange that shows it.

    is_assumed_form: the broken part is a form that the contract assumes on top of a documented
        fact.
    before: the earlier exchanges of the check that led to it, oldest first.
    """

    promise: Promise
    expected: str
    got: str
    exchange: Exchange | None = None
    check: str = ""
    is_assumed_form: bool = False
    before: tuple[Exchange, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the request. Of two findings on one promise the smaller one is kept."""
        return len(self.exchange.sent_body) + len(self.exchange.url) if self.exchange else 0


class Broken(AssertionError):
    """A promise does not hold."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(
            f"{finding.promise.id}: {finding.promise.text}\n"
            f"  expected {finding.expected}\n  got      {finding.got}"
        )
        self.finding = finding


@dataclass
class Verdicts:
    """The counts and findings of one run. check: the name of the running check.

    new: findings that no check has reported yet. exchanges: those of the running check.
    """

    checked: Counter[str] = field(default_factory=Counter)
    broken: dict[str, Finding] = field(default_factory=dict)
    new: list[Finding] = field(default_factory=list)
    check: str = ""
    exchanges: list[Exchange] = field(default_factory=list)

    def begin(self, check: str) -> None:
        """Begin a check: later findings and exchanges are its own."""
        self.check = check
        self.exchanges.clear()

    def add_kept(self, promise_ids: Iterable[str]) -> None:
        """Count a check of each promise that held."""
        self.checked.update(promise_ids)

    def add(self, finding: Finding) -> None:
        """Keep a finding. It is new if its promise had none."""
        finding = replace(finding, check=self.check, before=self._steps_to(finding.exchange))
        self.checked[finding.promise.id] += 1
        known = self.broken.get(finding.promise.id)
        if known is None or finding.size < known.size:
            self.broken[finding.promise.id] = finding
            if known is None:
                self.new.append(finding)

    def forget_new(self) -> None:
        """Drop the findings since the last call of `take_new`: they are not the service's."""
        for finding in self.take_new():
            self.broken.pop(finding.promise.id, None)

    def _steps_to(self, exchange: Exchange | None) -> tuple[Exchange, ...]:
        """The exchanges of the running check that led to this one."""
        if exchange is None:
            return ()
        places = (place for place, each in enumerate(self.exchanges) if each is exchange)
        return needed_before(exchange, self.exchanges[: next(places, len(self.exchanges))])

    def take_new(self) -> list[Finding]:
        """The findings since the last call."""
        new, self.new = self.new, []
        return new


class Require:
    """The function that checks call to state what must hold."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts

    def __call__(
        self,
        promise_id: str,
        holds: object,
        *,
        expected: object,
        got: object,
        by: Exchange | None = None,
    ) -> None:
        """Count a check of a promise. Raises Broken if it does not hold.

        by: the exchange that shows it.
        """
        promise = promises()[promise_id]
        self._verdicts.checked[promise_id] += 1
        if not holds:
            raise Broken(Finding(promise, _shortened(expected), _shortened(got), by))


def _shortened(value: object) -> str:
    text = OF_PROCESS.text(value if isinstance(value, str) else repr(value))
    return text if len(text) <= 400 else f"{text[:397]}..."
