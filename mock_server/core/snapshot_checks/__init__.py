"""Checks whether the parts of a snapshot fit together, before it replaces a world."""

from itertools import islice

from mock_server.core.refusals import MOST_VIOLATIONS, Invalid
from mock_server.core.snapshot import Snapshot
from mock_server.core.snapshot_checks import deliveries, faults, files, history, lists, tasks
from mock_server.core.snapshot_checks.document import ContractFacts, Document

_CHECKS = (
    lists.repeated,
    lists.limits,
    faults.counts,
    lists.timestamps,
    tasks.balances,
    tasks.spendings,
    tasks.tasks,
    lists.missing_tasks,
    lists.missing_accounts,
    tasks.agenda,
    faults.faults,
    deliveries.deliveries,
    lists.missing_deliveries,
    lists.inbox_counts,
    lists.exchange_times,
    files.files,
    files.contents,
    history.records,
    history.rows,
)


def require_consistent(snapshot: Snapshot, facts: ContractFacts) -> None:
    """Refuses with Invalid a snapshot whose parts contradict each other, and names the places."""
    document = Document(snapshot, facts)
    violations = (each for check in _CHECKS for each in check(document))
    if found := list(islice(violations, MOST_VIOLATIONS + 1)):
        raise Invalid(found)
