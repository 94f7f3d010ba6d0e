"""What a run has found out about each promise: how often it was looked at, and what broke it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from contract_tests.exchange import Exchange
from contract_tests.promises import Promise, promises


@dataclass(frozen=True)
class Finding:
    """One promise that was broken, and the request that shows it.

    rests_on_ours: what was broken is a form that we assumed on top of a documented fact.
    """

    promise: Promise
    expected: str
    got: str
    exchange: Exchange | None = None
    check: str = ""
    rests_on_ours: bool = False

    @property
    def size(self) -> int:
        """How much there is to read; of two findings on one promise the smaller one is kept."""
        return len(self.exchange.sent_body) + len(self.exchange.url) if self.exchange else 0


class Require(Protocol):
    """`Verdicts.require`, as checks are given it."""

    def __call__(
        self,
        promise_id: str,
        holds: object,
        *,
        expected: object,
        got: object,
        by: Exchange | None = None,
    ) -> None:
        """Raises Broken if the promise does not hold."""


class Broken(AssertionError):
    """A promise was not kept."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(
            f"{finding.promise.id}: {finding.promise.text}\n"
            f"  expected {finding.expected}\n  got      {finding.got}"
        )
        self.finding = finding


@dataclass
class Verdicts:
    """The ledger of a run. check: the one under way. Nothing here decides what is checked."""

    checked: Counter[str] = field(default_factory=Counter)
    broken: dict[str, Finding] = field(default_factory=dict)
    fresh: list[Finding] = field(default_factory=list)
    check: str = ""

    def require(
        self,
        promise_id: str,
        holds: object,
        *,
        expected: object,
        got: object,
        by: Exchange | None = None,
    ) -> None:
        """Note that a promise was looked at. Raises Broken if it does not hold."""
        promise = promises()[promise_id]
        self.checked[promise_id] += 1
        if not holds:
            raise Broken(Finding(promise, _words(expected), _words(got), by))

    def seen(self, promise_ids: Iterable[str]) -> None:
        """Note that these promises were looked at and held."""
        self.checked.update(promise_ids)

    def note(self, finding: Finding) -> None:
        """Keep a finding; it counts as fresh until somebody has answered for it."""
        finding = replace(finding, check=self.check)
        self.checked[finding.promise.id] += 1
        known = self.broken.get(finding.promise.id)
        if known is None or finding.size < known.size:
            self.broken[finding.promise.id] = finding
            if known is None:
                self.fresh.append(finding)

    def take_fresh(self) -> list[Finding]:
        """The findings that came since the last time somebody asked."""
        fresh, self.fresh = self.fresh, []
        return fresh


def _words(value: object) -> str:
    text: Any = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 400 else f"{text[:397]}..."
