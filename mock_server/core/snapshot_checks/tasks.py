"""Tasks: their planned outcome, their order, their entries in the agenda, and their credits.

A task that has not ended is in the agenda, at the times of its planned outcome. Of the credits of
an account, reserved is the sum of its reservations, spent the price of its successful tasks.
"""

from collections.abc import Container

from mock_server.core.agenda import TASK_OCCASIONS, Occasion
from mock_server.core.json_values import numbered
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.refusals import Violation
from mock_server.core.snapshot import REQUEST_OCCASIONS
from mock_server.core.snapshot_checks.document import (
    Document,
    Violations,
    missing,
    none_of,
    too_low,
)
from mock_server.core.tasks import NEVER_MS, Task


def tasks(document: Document) -> Violations:
    """Tasks that could not have been made, or that end without a reservation."""
    for place, task in numbered("/tasks", document.snapshot.tasks):
        planned = task.planned
        if planned.outcome is TaskEvent.TAKEN_UP:
            yield Violation(f"{place}/fate/outcome", "enum", "must be 'rendered' or 'broke'")
        if planned.taken_up_ms < task.created_ms:
            yield too_low(f"{place}/fate/taken_up_ms", task.created_ms)
        if not planned.taken_up_ms <= planned.ends_ms <= NEVER_MS:
            yield too_low(f"{place}/fate/ends_ms", planned.taken_up_ms)
        if task.id not in document.held and planned.ends_ms > document.snapshot.clock.now_ms:
            sentence = "is to come, and nothing is held for the task in /ledger/reservations"
            yield Violation(f"{place}/fate/ends_ms", "money", sentence)
        yield from _order(f"{place}/order", task, document)


def _order(place: str, task: Task, document: Document) -> Violations:
    order, catalog = task.order, document.facts.catalog
    try:
        model = catalog.find(order.api, order.model)
    except KeyError:
        if order.api not in catalog.apis:
            yield none_of(f"{place}/api", catalog.apis)
        else:
            known = ", ".join(model.id for model in catalog.of(order.api))
            yield Violation(f"{place}/model", "enum", f"must be a model of its API: {known}")
        return
    request, sentence = document.object(order.request)
    if request is None:
        yield Violation(f"{place}/request", "json", sentence)
    elif not isinstance(request.get("prompt", ""), str):
        yield Violation(f"{place}/request", "value", "its prompt must be a string")
    else:
        try:
            model.clip_of(request)
        except LookupError:
            yield Violation(f"{place}/request", "value", "no video is as its params ask for")


def agenda(document: Document) -> Violations:
    """Entries of requests or unknown tasks, entries at a wrong time, and missing entries.

    A task that was ended by hand may have later entries; they have no effect.
    """
    present: set[tuple[Occasion, str]] = set()
    for place, due in numbered("/agenda", document.snapshot.agenda):
        if due.occasion in REQUEST_OCCASIONS:
            sentence = "no request is held in a snapshot that could wait for this"
            yield Violation(f"{place}/occasion", "enum", sentence)
        elif due.occasion in TASK_OCCASIONS and due.subject not in document.tasks:
            yield missing(f"{place}/subject", "task", due.subject)
        elif due.occasion in TASK_OCCASIONS and due.subject in document.held:
            planned = document.tasks[due.subject].planned
            is_end = due.occasion is Occasion.TASK_ENDS
            planned_ms = planned.ends_ms if is_end else planned.taken_up_ms
            if due.at_ms == planned_ms:
                present.add((due.occasion, due.subject))
            elif due.at_ms < planned.ends_ms:
                sentence = f"must be {planned_ms}, as its task's fate has it"
                yield Violation(f"{place}/at_ms", "agenda", sentence)
    yield from _missing_entries(document, present)


def _missing_entries(document: Document, present: Container[tuple[Occasion, str]]) -> Violations:
    reservations = document.snapshot.ledger.reservations
    for place, reservation in numbered("/ledger/reservations", reservations):
        task = document.tasks.get(reservation.task_id)
        if task is None:
            continue
        if task.planned.ends_ms != NEVER_MS and (Occasion.TASK_ENDS, task.id) not in present:
            sentence = "is held for ever: /agenda does not say when the task ends"
            yield Violation(place, "agenda", sentence)
        is_queued = task.planned.taken_up_ms > document.snapshot.clock.now_ms
        if is_queued and (Occasion.TASK_TAKEN_UP, task.id) not in present:
            yield Violation(place, "agenda", "/agenda does not say when the task is taken up")


def balances(document: Document) -> Violations:
    """Reservations and balances that are wrong in themselves or contradict each other."""
    ledger = document.snapshot.ledger
    reserved: dict[str, int] = {}
    accounts = {each.account for each in ledger.accounts}
    for place, each in numbered("/ledger/reservations", ledger.reservations):
        reserved[each.account] = reserved.get(each.account, 0) + each.price_credits
        task = document.tasks.get(each.task_id)
        if task is None:
            yield missing(f"{place}/task_id", "task", each.task_id)
        elif (task.order.account, task.order.price_credits) != (each.account, each.price_credits):
            yield Violation(place, "money", "is not what the task costs the account that asked")
        if each.account not in accounts:
            yield missing(f"{place}/account", "account", each.account)
        if each.price_credits < 0:
            yield too_low(f"{place}/price_credits", 0)
    for place, account in numbered("/ledger/accounts", ledger.accounts):
        has = account.balance
        if min(has.available_credits, has.reserved_credits, has.spent_credits) < 0:
            sentence = "no number of credits may be negative"
            yield Violation(f"{place}/balance", "money", sentence)
        parts = has.available_credits + has.reserved_credits + has.spent_credits
        if has.granted_credits != parts:
            sentence = f"granted is {has.granted_credits}; available, reserved and spent: {parts}"
            yield Violation(f"{place}/balance/granted_credits", "money", sentence)
        if has.reserved_credits != (wanted := reserved.get(account.account, 0)):
            sentence = f"is {has.reserved_credits}; the reservations hold {wanted}"
            yield Violation(f"{place}/balance/reserved_credits", "money", sentence)


def spendings(document: Document) -> Violations:
    """Accounts that spent more or less than the price of their successful tasks."""
    accounts = document.snapshot.ledger.accounts
    forgotten = document.snapshot.forgotten.spent_credits
    spent = {each.account: forgotten.get(each.account, 0) for each in accounts}
    for account in forgotten:
        if account not in spent:
            yield missing("/forgotten/spent_credits", "account", account)
    for place, task in numbered("/tasks", document.snapshot.tasks):
        order = task.order
        if order.account not in spent:
            yield missing(f"{place}/order/account", "account", order.account)
        elif task.planned.outcome is TaskEvent.RENDERED and task.id not in document.held:
            spent[order.account] += order.price_credits
    for place, each in numbered("/ledger/accounts", accounts):
        said = each.balance.spent_credits
        if said != (wanted := spent[each.account]):
            sentence = (
                f"is {said}; the tasks that have succeeded, forgotten ones too, cost {wanted}"
            )
            yield Violation(f"{place}/balance/spent_credits", "money", sentence)
