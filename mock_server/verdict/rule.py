"""A rule: the mistake in words, what proves it, and what the client's author should do."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome

Group = Literal["paying twice", "retrying", "waiting", "fetching", "receiving"]
Address = Annotated[str, Meta(pattern="^https://")]
Sentence = Annotated[str, Meta(pattern=r"\.\Z")]
Line = Annotated[str, Meta(pattern=r"\.\Z", max_length=100)]
Part = Annotated[str, Meta(pattern=r"[^.]\Z")]


class Need(StrEnum):
    """Something that the evidence must contain."""

    CONTROL = "control"
    RESTART = "restart"
    EFFECTS = "effects"
    WANTED = "wanted"
    RECEIVER = "receiver"
    WHOLE_BODIES = "whole bodies"

    @property
    def sentence(self) -> str:
        """The need in words for people, without a full stop."""
        return _NEEDS[self][0]

    def is_met_by(self, evidence: Evidence) -> bool:
        """Whether the evidence contains it."""
        return _NEEDS[self][1](evidence)


_NEEDS: dict[Need, tuple[str, Callable[[Evidence], bool]]] = {
    Need.CONTROL: (
        "a quiet run of the same client (control)",
        lambda evidence: evidence.control is not None,
    ),
    Need.RESTART: (
        "that the client was killed and started again (run.restarted_at)",
        lambda evidence: evidence.run.restarted_wall_ms is not None,
    ),
    Need.EFFECTS: (
        "counts of how often the client acted (effects)",
        lambda evidence: len(evidence.readings) > 0,
    ),
    Need.WANTED: (
        "a quiet run of the same client (control), or the number of jobs (expected_jobs)",
        lambda evidence: evidence.control is not None or evidence.expected_jobs is not None,
    ),
    Need.RECEIVER: (
        "events sent to a receiver of the client",
        lambda evidence: len(evidence.own_deliveries) > 0,
    ),
    Need.WHOLE_BODIES: (
        "whole bodies of all creates (limits.journal_body_bytes)",
        lambda evidence: not any(each.is_cut for each in evidence.creates),
    ),
}


class Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the TOML file of a rule says.

    name: a few words with hyphens. mistake: what the client does, as a sentence.
    case: what has to come up before the rule can judge, as the end of "it never came up that".
    sentence: with places for the values of a `Found`. fix: two lines. see: addresses.
    needs: without these the rule is inconclusive. note_without: without these a finding is a note.
    why_note: why a server can never prove it, without a full stop; empty: it can.
    explained_by: the codes of rules whose finding says the same of the same client.
    stands: whether what it finds while the client runs stands, whatever the client does later.
    traps: the numbers of those it avoids.
    """

    name: Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)+$")]
    group: Group
    mistake: Sentence
    case: Part
    sentence: Sentence
    fix: tuple[Line, Line]
    see: Annotated[tuple[Address, ...], Meta(min_length=1)]
    needs: tuple[Need, ...] = ()
    note_without: tuple[Need, ...] = ()
    why_note: Part = ""
    explained_by: tuple[str, ...] = ()
    stands: bool = False
    traps: tuple[int, ...] = ()


class Rule(Words, frozen=True, kw_only=True):
    """One mistake of clients. find: yields one outcome for each time that its case came up."""

    code: str
    find: Callable[[Evidence], Iterator[Outcome]]

    @property
    def is_note(self) -> bool:
        """Whether the evidence of a server can never prove it."""
        return bool(self.why_note)
