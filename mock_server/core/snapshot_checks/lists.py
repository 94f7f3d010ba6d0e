"""Lists: unique ids, references, limits, counts and timestamps."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import fields, replace

from mock_server.core.clock import LAST_MS
from mock_server.core.field_types import LONGEST_MS
from mock_server.core.json_values import numbered
from mock_server.core.refusals import Violation
from mock_server.core.snapshot import Snapshot
from mock_server.core.snapshot_checks.document import (
    Document,
    Violations,
    all_faults,
    missing,
    too_low,
)
from mock_server.core.tasks import NEVER_MS


def repeated(document: Document) -> Violations:
    """Ids that occur twice in a list."""
    snapshot = document.snapshot
    lists: dict[str, Iterable[object]] = {
        "/keys": (each.secret for each in snapshot.keys),
        "/ledger/accounts": (each.account for each in snapshot.ledger.accounts),
        "/ledger/reservations": (each.task_id for each in snapshot.ledger.reservations),
        "/tasks": (each.id for each in snapshot.tasks),
        "/task_faults": (each.task_id for each in snapshot.task_faults),
        "/asked_faults": (each.asked for each in snapshot.asked_faults),
        "/rates": (each.key for each in snapshot.rates),
        "/idempotency": (
            (each.account, each.operation, each.value) for each in snapshot.idempotency
        ),
        "/files": (each.id for each in snapshot.files),
        "/endpoints": (each.id for each in snapshot.endpoints),
        "/deliveries/deliveries": (each.id for each in snapshot.deliveries.deliveries),
        "/deliveries/over": snapshot.deliveries.over,
        "/held_back": snapshot.held_back,
        "/inboxes": (each.name for each in snapshot.inboxes),
        "/journal/exchanges": (each.id for each in snapshot.journal.exchanges),
        "/history/tasks": (each.task_id for each in snapshot.history.tasks),
    }
    for place, faults in all_faults(snapshot):
        lists[f"{place}/faults"] = [each.id for each in faults.faults]
    for place, ids in lists.items():
        seen: set[object] = set()
        for at, each in numbered(place, ids):
            if each in seen:
                yield Violation(at, "unique", "stands here for the second time")
            seen.add(each)


def missing_tasks(document: Document) -> Violations:
    """Idempotency keys and faults of tasks that are not in the document."""
    for place, key in numbered("/idempotency", document.snapshot.idempotency):
        if key.task_id not in document.tasks:
            yield missing(f"{place}/task_id", "task", key.task_id)
        elif document.tasks[key.task_id].order.account != key.account:
            sentence = "is not the account whose task it led to"
            yield Violation(f"{place}/account", "reference", sentence)
    for place, of_task in numbered("/task_faults", document.snapshot.task_faults):
        if of_task.task_id not in document.tasks:
            yield missing(f"{place}/task_id", "task", of_task.task_id)


def missing_accounts(document: Document) -> Violations:
    """Limits of accounts that are not in the document."""
    known = {each.account for each in document.snapshot.ledger.accounts}
    for account in document.snapshot.in_flight:
        if account not in known:
            yield missing("/in_flight", "account", account)


def missing_deliveries(document: Document) -> Violations:
    """Ids in `over` and `held_back` that no delivery has."""
    snapshot = document.snapshot
    known = {delivery.id for delivery in snapshot.deliveries.deliveries}
    lists = {"/deliveries/over": snapshot.deliveries.over, "/held_back": snapshot.held_back}
    for place, ids in lists.items():
        for at, delivery_id in numbered(place, ids):
            if delivery_id not in known:
                yield missing(at, "delivery", delivery_id)


def limits(document: Document) -> Violations:
    """Rules out of range, lists longer than the rules allow, and counts below a list's length."""
    snapshot = document.snapshot
    for name, value in msgspec.structs.asdict(snapshot.rules).items():
        if not isinstance(value, int | float):
            continue  # its type limits it
        most = LONGEST_MS if name.endswith("_ms") else LAST_MS
        if value < 0:
            yield too_low(f"/rules/{name}", 0)
        if value > most:
            yield Violation(f"/rules/{name}", "maximum", f"must be at most {most}")
    for place, (items, maximum) in _limited_lists(snapshot).items():
        if len(items) > maximum:
            sentence = f"has more than the {maximum} that /rules allows"
            yield Violation(place, "maxItems", sentence)
    yield from _miscounted("/journal/opened", snapshot.journal.opened, snapshot.journal.exchanges)
    evicted = max(0, snapshot.journal.opened - len(snapshot.journal.exchanges))
    if snapshot.journal.cleared > evicted:
        yield Violation("/journal/cleared", "maximum", f"must be between 0 and {evicted}")
    known = snapshot.deliveries
    yield from _miscounted("/deliveries/made", known.made, known.deliveries)


def _limited_lists(snapshot: Snapshot) -> dict[str, tuple[tuple[msgspec.Struct, ...], int]]:
    """Every list that the rules limit, by its place: its items, and their maximum number."""
    rules = snapshot.rules
    return {
        "/journal/exchanges": (snapshot.journal.exchanges, rules.journal_exchanges),
        "/files": (snapshot.files, rules.stored_uploads),
        "/endpoints": (snapshot.endpoints, rules.webhook_endpoints),
        "/inboxes": (snapshot.inboxes, rules.inboxes),
        "/history/clock_moves": (snapshot.history.clock_moves, rules.history_entries),
        "/history/fault_changes": (snapshot.history.fault_changes, rules.history_entries),
    } | {
        f"{place}/requests": (inbox.requests, rules.inbox_requests)
        for place, inbox in numbered("/inboxes", snapshot.inboxes)
    }


def _miscounted(place: str, count: int, kept: tuple[object, ...]) -> Violations:
    if count < len(kept):
        yield too_low(place, len(kept))


def inbox_counts(document: Document) -> Violations:
    """Inboxes with a wrong number of requests or of answers that were given."""
    for place, inbox in numbered("/inboxes", document.snapshot.inboxes):
        yield from _miscounted(f"{place}/received", inbox.received, inbox.requests)
        most = inbox.answers[0].times - 1 if inbox.answers else 0
        if inbox.given > most:
            sentence = f"must be at most {most}: then it is the next answer's turn"
            yield Violation(f"{place}/given", "maximum", sentence)


def timestamps(document: Document) -> Violations:
    """Timestamps before 1970 or after the year 9999."""
    snapshot = document.snapshot
    lists: dict[str, tuple[Any, ...]] = {
        "/keys": snapshot.keys,
        "/tasks": snapshot.tasks,
        "/agenda": snapshot.agenda,
        "/rates": snapshot.rates,
        "/idempotency": snapshot.idempotency,
        "/files": snapshot.files,
        "/endpoints": snapshot.endpoints,
        "/deliveries/deliveries": snapshot.deliveries.deliveries,
        "/journal/exchanges": snapshot.journal.exchanges,
        "/ledger/rows": snapshot.ledger.rows,
        "/history/clock_moves": snapshot.history.clock_moves,
        "/history/fault_changes": snapshot.history.fault_changes,
    }
    for place, record in numbered("/history/tasks", snapshot.history.tasks):
        lists[f"{place}/events"] = record.events
        yield from _out_of_range(f"{place}/facts", record.facts)
        if record.looks is not None:
            yield from _out_of_range(f"{place}/looks", record.looks)
    for place, inbox in numbered("/inboxes", snapshot.inboxes):
        lists[f"{place}/requests"] = inbox.requests
    for place, items in lists.items():
        for at, item in numbered(place, items):
            yield from _out_of_range(at, item)
    for place, task in numbered("/tasks", snapshot.tasks):
        planned = task.planned
        if planned.ends_ms == NEVER_MS:
            planned = replace(planned, ends_ms=planned.taken_up_ms)
        yield from _out_of_range(f"{place}/fate", planned)
    for place, delivery in numbered("/deliveries/deliveries", snapshot.deliveries.deliveries):
        yield from _out_of_range(f"{place}/event", delivery.event)
        for at, attempt in numbered(f"{place}/attempts", delivery.attempts):
            yield from _out_of_range(at, attempt)


def _out_of_range(place: str, item: Any) -> Violations:
    kind: Any = type(item)
    for name in _timestamp_fields(kind):
        value = getattr(item, name)
        if isinstance(value, int) and not 0 <= value <= LAST_MS:
            sentence = "is no moment from 1970 to the year 9999"
            yield Violation(f"{place}/{name}", "maximum", sentence)


@cache
def _timestamp_fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name.endswith("_ms"))


def exchange_times(document: Document) -> Violations:
    """Exchanges that end before they start."""
    for place, exchange in numbered("/journal/exchanges", document.snapshot.journal.exchanges):
        if exchange.ended_ms is not None and exchange.ended_ms < exchange.started_ms:
            yield too_low(f"{place}/ended_ms", exchange.started_ms)
