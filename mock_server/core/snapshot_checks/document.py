"""A snapshot with what its checks need to know, and the violations that they share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from mock_server.core.catalog import Catalog, MediaRules
from mock_server.core.faults import FaultsState
from mock_server.core.json_values import numbered
from mock_server.core.refusals import Invalid, Violation
from mock_server.core.snapshot import Snapshot

Violations = Iterator[Violation]


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """The parts of the contract that a snapshot must agree with.

    uploads: the rules for every upload. read: parses a JSON text as strictly as a request.
    """

    catalog: Catalog
    uploads: MediaRules
    read: Callable[[bytes], Any]


class Document:
    """A snapshot that is checked, and the facts that it must agree with.

    tasks: by id. held: the ids of tasks with a reservation, which have not ended.
    """

    def __init__(self, snapshot: Snapshot, facts: ContractFacts) -> None:
        self.snapshot = snapshot
        self.facts = facts
        self.tasks = {task.id: task for task in snapshot.tasks}
        self.held = {each.task_id for each in snapshot.ledger.reservations}

    def object(self, text: bytes) -> tuple[dict[str, Any] | None, str]:
        """The JSON object in a text; None, and the reason, if there is none."""
        wanted = "must be the base 64 of a JSON object"
        try:
            value = self.facts.read(text)
        except Invalid as wrong:
            return None, f"{wanted}; its text {wrong.violations[0].sentence}"
        return (value, "") if isinstance(value, dict) else (None, wanted)

    def unreadable(self, place: str, value: Any) -> Violations:
        """A violation if no request could contain this JSON value."""
        if not value:
            return
        try:
            self.facts.read(msgspec.json.encode(value))
        except Invalid as wrong:
            yield Violation(place, wrong.violations[0].rule, wrong.violations[0].sentence)
        except RecursionError:
            yield Violation(place, "depth", "is nested too deeply")


def all_faults(snapshot: Snapshot) -> Iterator[tuple[str, FaultsState]]:
    """Every collection of faults in a snapshot, with its place."""
    yield "/faults", snapshot.faults
    yield "/default_faults", snapshot.default_faults
    for place, of_task in numbered("/task_faults", snapshot.task_faults):
        yield f"{place}/faults", of_task.faults
    for place, asked in numbered("/asked_faults", snapshot.asked_faults):
        yield f"{place}/faults", asked.faults


def missing(place: str, kind: str, wanted: str) -> Violation:
    """The violation of an id that nothing in the document has."""
    return Violation(place, "reference", f"there is no {kind} '{wanted}' in this document")


def none_of(place: str, known: Iterable[str]) -> Violation:
    """The violation of a value that is none of the known ones."""
    return Violation(place, "enum", f"must be one of {', '.join(sorted(known))}")


def too_low(place: str, minimum: int) -> Violation:
    """The violation of a number below its minimum."""
    return Violation(place, "minimum", f"must be at least {minimum}")
