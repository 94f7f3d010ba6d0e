"""What a rule finds out about one situation, and what the judgement of a whole run says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from mock_server.verdict.requests import Request


class Clean(Struct, frozen=True):
    """The situation of the rule came up, and the client did the right thing."""


CLEAN = Clean()


class Unclear(Struct, frozen=True):
    """The situation came up, but what the client did is not known. reason: without a full stop."""

    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """The mistake of the rule, once.

    values: for the places of the rule's sentence. requests: those that prove it, in their order.
    credits_lost: spent or held for nothing. is_note: suspected, not proved. sentence, fix: in place
    of the rule's own.
    """

    values: dict[str, Any] = field(default_factory=dict)
    requests: Sequence[Request] = ()
    task: str | None = None
    credits_lost: int = 0
    is_note: bool = False
    sentence: str | None = None
    fix: tuple[str, str] | None = None


Outcome = Clean | Unclear | Found


class Moment(Struct, frozen=True):
    """One thing that happened, by the world's clock and the machine's."""

    at_ms: int
    wall_ms: int | None
    what: str


class Finding(Struct, frozen=True):
    """A mistake of a client with its evidence. fix: two lines. see: addresses and CWE numbers."""

    code: str
    name: str
    sentence: str
    fix: tuple[str, str]
    credits_lost: int
    task: str | None
    requests: tuple[str, ...]
    timeline: tuple[Moment, ...]
    see: tuple[str, ...]


class Inconclusive(Struct, frozen=True):
    """A rule that could not judge, and why."""

    code: str
    reason: str


class Judgement(Struct, frozen=True):
    """The result of all rules. findings, notes: the worst first.
    judged: the codes whose situation came up and in which the client did nothing wrong."""

    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    inconclusive: tuple[Inconclusive, ...]
    judged: tuple[str, ...]
