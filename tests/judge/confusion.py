"""Counts how often the rules were right about the clients of the corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from tests.judge.corpus_clients import Client

LEAST_RECALL = 0.97


class Judged(Struct, frozen=True, kw_only=True):
    """What one judgement of a client said. found, noted: codes, with the days on which.
    problem: why there is none; empty if there is one."""

    client: Client
    seed: int
    found: dict[str, tuple[str, ...]] = {}
    noted: dict[str, tuple[str, ...]] = {}
    problem: str = ""
    took_s: float = 0.0

    def says(self, code: str) -> bool:
        """Whether the rule said what it must: found the mistake, or only noted it if it can only
        suspect it."""
        return code in self.found or (code in self.client.notes and code in self.noted)

    @property
    def accused(self) -> set[str]:
        """What was found and is not there."""
        return set(self.found) - set(self.client.mistakes)


class Row(Struct, frozen=True, kw_only=True):
    """The figures of one rule. clients: that make its mistake. runs: their judgements.
    hit, missed: of those. accused: judgements of other clients that found it."""

    code: str
    clients: int
    runs: int
    hit: int
    missed: int
    accused: int


class Table(Struct, frozen=True, kw_only=True):
    """The figures of all rules. wrong: judgements of clients that found what is not there."""

    rows: tuple[Row, ...]
    missed: tuple[tuple[Judged, str], ...]
    wrong: tuple[Judged, ...]
    problems: tuple[Judged, ...]
    correct_runs: int

    @property
    def recall(self) -> float:
        """The part of the mistakes that was found, from 0 to 1; 0 if there were none."""
        runs = sum(row.runs for row in self.rows)
        return sum(row.hit for row in self.rows) / runs if runs else 0.0

    @property
    def false_alarms(self) -> tuple[Judged, ...]:
        """Judgements of correct clients that found something."""
        return tuple(each for each in self.wrong if not each.client.mistakes)

    @property
    def is_good(self) -> bool:
        """Whether enough was found, and nothing with correct clients."""
        has_mistakes = any(row.runs for row in self.rows)
        recalls = not has_mistakes or self.recall >= LEAST_RECALL
        return recalls and not self.false_alarms and not self.problems


def table_of(judged: Sequence[Judged], codes: Iterable[str]) -> Table:
    """The table. codes: of all rules, in their order."""
    told = [each for each in judged if not each.problem]
    hits: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    clients: dict[str, set[str]] = {}
    missed: list[tuple[Judged, str]] = []
    for each in told:
        for code in each.client.mistakes:
            runs[code] += 1
            clients.setdefault(code, set()).add(each.client.file)
            if each.says(code):
                hits[code] += 1
            else:
                missed.append((each, code))
    wrong = [each for each in told if each.accused]
    accused = Counter(code for each in wrong for code in each.accused)
    rows = tuple(
        Row(
            code=code,
            clients=len(clients.get(code, ())),
            runs=runs[code],
            hit=hits[code],
            missed=runs[code] - hits[code],
            accused=accused[code],
        )
        for code in codes
    )
    return Table(
        rows=rows,
        missed=tuple(missed),
        wrong=tuple(wrong),
        problems=tuple(each for each in judged if each.problem),
        correct_runs=sum(not each.client.mistakes for each in told),
    )
