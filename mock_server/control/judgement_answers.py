"""The answers of the control door about what a client did wrong."""

from datetime import datetime

from msgspec import Struct


class JudgedMoment(Struct, frozen=True):
    """A moment of a finding. at: by the world's clock; wall_at: by the machine's, if known."""

    at: datetime
    wall_at: datetime | None
    what: str


class Finding(Struct, frozen=True):
    """A mistake of a client. fix: two lines. requests: the ids of those that prove it.

    credits_lost: paid or held for nothing. see: addresses about it.
    """

    code: str
    name: str
    sentence: str
    fix: tuple[str, ...]
    credits_lost: int
    task: str | None
    requests: tuple[str, ...]
    timeline: tuple[JudgedMoment, ...]
    see: tuple[str, ...]

    def __str__(self) -> str:
        lost = f" ({self.credits_lost} credits)" if self.credits_lost else ""
        return f"{self.code} {self.name}{lost}: {self.sentence}"


class Inconclusive(Struct, frozen=True):
    """A rule that could not judge, and why."""

    code: str
    reason: str


class Judgement(Struct, frozen=True):
    """What a client did wrong in a world.

    findings: proved mistakes, the worst first. notes: suspected ones. judged: the codes of rules
    whose situation came up and in which the client did nothing wrong.
    """

    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    inconclusive: tuple[Inconclusive, ...]
    judged: tuple[str, ...]

    def __str__(self) -> str:
        """Every finding and note in a line."""
        found = [str(each) for each in self.findings]
        found += [f"note: {each}" for each in self.notes]
        return "\n".join(found) or f"nothing found; judged: {', '.join(self.judged) or 'no rule'}"

    def require_clean(self) -> None:
        """Raises AssertionError with all findings if there are any; notes are none."""
        __tracebackhide__ = True
        if self.findings:
            raise AssertionError(str(self))
