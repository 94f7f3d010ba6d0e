"""What does not fit together in a snapshot that somebody wants to put back."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import islice, product
from typing import Any

import msgspec
from msgspec.structs import replace

from mock_server.core.agenda import Occasion
from mock_server.core.catalog import Catalog, MediaRules
from mock_server.core.clock import LAST_MS
from mock_server.core.deliveries import Delivery, DeliveryState
from mock_server.core.delivery_faults import DeliveryFault
from mock_server.core.durations import LONGEST_MS
from mock_server.core.exchange_faults import BodyFault
from mock_server.core.faults import FaultsState
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.refusals import Invalid, Violation
from mock_server.core.snapshot import OF_REQUESTS, VIDEO, Snapshot, is_tried
from mock_server.core.tasks import NEVER_MS, Task
from mock_server.core.uploads import is_bare_name

_OF_TASKS = {Occasion.TASK_TAKEN_UP, Occasion.TASK_ENDS}
_MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """What a document may only speak of as the server has it.

    uploads: what any upload may be.
    read: the value that JSON spells, as strictly read as a request; refuses with Invalid.
    """

    catalog: Catalog
    uploads: MediaRules
    read: Callable[[bytes], Any]


def require_sound(snapshot: Snapshot, facts: ContractFacts) -> None:
    """Refuses with Invalid what does not fit together, naming the first places: money that does not
    add up, what points to something that is not there, what would wait for ever.
    """
    flaws = list(islice(_flaws(snapshot, facts), _MOST_TOLD))
    if flaws:
        raise Invalid(flaws)


def _flaws(snapshot: Snapshot, facts: ContractFacts) -> Iterator[Violation]:
    yield from _repeated(snapshot)
    yield from _wrong_numbers(snapshot)
    yield from _wrong_counts(snapshot)
    yield from _wrong_moments(snapshot)
    yield from _wrong_money(snapshot)
    yield from _wrong_tasks(snapshot, facts)
    yield from _wrong_references(snapshot)
    yield from _wrong_agenda(snapshot)
    yield from _wrong_faults(snapshot, facts)
    yield from _wrong_deliveries(snapshot, facts)
    yield from _unknown_deliveries(snapshot)
    yield from _wrong_inboxes(snapshot)
    yield from _wrong_exchanges(snapshot)
    yield from _wrong_files(snapshot, facts)
    yield from _wrong_contents(snapshot)


def _repeated(snapshot: Snapshot) -> Iterator[Violation]:
    """What stands twice where the world could keep it only once."""
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
    }
    lists |= {
        f"{place}/faults": (each.id for each in faults.faults)
        for place, faults in all_faults(snapshot)
    }
    for place, identities in lists.items():
        seen: set[object] = set()
        for number, identity in enumerate(identities):
            if identity in seen:
                yield Violation(f"{place}/{number}", "unique", "stands here for the second time")
            seen.add(identity)


def all_faults(snapshot: Snapshot) -> Iterator[tuple[str, FaultsState]]:
    """Every collection of faults in a snapshot, with its place."""
    yield "/faults", snapshot.faults
    yield "/default_faults", snapshot.default_faults
    for number, each in enumerate(snapshot.task_faults):
        yield f"/task_faults/{number}/faults", each.faults
    for number, kept in enumerate(snapshot.asked_faults):
        yield f"/asked_faults/{number}/faults", kept.faults


def _wrong_numbers(snapshot: Snapshot) -> Iterator[Violation]:
    for name, value in dataclasses.asdict(snapshot.rules).items():
        most = LONGEST_MS if name.endswith("_ms") else LAST_MS
        if value < 0:
            yield _too_low(f"/rules/{name}", 0)
        if value > most:
            yield Violation(f"/rules/{name}", "maximum", f"must be at most {most}")
    for place, items, maximum in _limited_lists(snapshot):
        if len(items) > maximum:
            yield _too_many(place, maximum)
    yield from _miscounted("/journal/opened", snapshot.journal.opened, snapshot.journal.exchanges)
    evicted = max(0, snapshot.journal.opened - len(snapshot.journal.exchanges))
    if not 0 <= snapshot.journal.cleared <= evicted:
        yield Violation("/journal/cleared", "maximum", f"must be between 0 and {evicted}")
    known = snapshot.deliveries
    yield from _miscounted("/deliveries/made", known.made, known.deliveries)


def _wrong_counts(snapshot: Snapshot) -> Iterator[Violation]:
    """No fault concerned its accounts, or happened to them, more often than in all."""
    for place, faults in all_faults(snapshot):
        for (number, fault), name in product(enumerate(faults.faults), ("matched", "happened")):
            counted = sum(getattr(counts, name) for counts in fault.by_account.values())
            if counted > getattr(fault, name):
                yield _too_low(f"{place}/faults/{number}/{name}", counted)


def _limited_lists(snapshot: Snapshot) -> Iterator[tuple[str, tuple[object, ...], int]]:
    """Every list that the rules limit: its place, its items, and how many it may have."""
    rules = snapshot.rules
    yield "/journal/exchanges", snapshot.journal.exchanges, rules.journal_exchanges
    yield "/files", snapshot.files, rules.stored_uploads
    yield "/endpoints", snapshot.endpoints, rules.webhook_endpoints
    yield "/inboxes", snapshot.inboxes, rules.inboxes
    for number, inbox in enumerate(snapshot.inboxes):
        yield f"/inboxes/{number}/requests", inbox.requests, rules.inbox_requests


def _miscounted(place: str, count: int, kept: tuple[object, ...]) -> Iterator[Violation]:
    if count < len(kept):
        yield _too_low(place, len(kept))


def _too_low(place: str, minimum: int) -> Violation:
    return Violation(place, "minimum", f"must be at least {minimum}")


def _too_many(place: str, maximum: int) -> Violation:
    return Violation(place, "maxItems", f"has more than the {maximum} that /rules allows")


def _wrong_moments(snapshot: Snapshot) -> Iterator[Violation]:
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
    }
    for number, inbox in enumerate(snapshot.inboxes):
        lists[f"/inboxes/{number}/requests"] = inbox.requests
    for place, items in lists.items():
        for number, item in enumerate(items):
            yield from _no_moments(f"{place}/{number}", item)
    for number, task in enumerate(snapshot.tasks):
        place, fate = f"/tasks/{number}/fate", task.fate
        if fate.ends_ms == NEVER_MS:
            fate = replace(fate, ends_ms=fate.taken_up_ms)
        yield from _no_moments(place, fate)
    for number, delivery in enumerate(snapshot.deliveries.deliveries):
        place = f"/deliveries/deliveries/{number}"
        yield from _no_moments(f"{place}/event", delivery.event)
        for index, attempt in enumerate(delivery.attempts):
            yield from _no_moments(f"{place}/attempts/{index}", attempt)


def _no_moments(place: str, item: Any) -> Iterator[Violation]:
    kind: Any = type(item)
    for name in _moments_of(kind):
        value = getattr(item, name)
        if isinstance(value, int) and not 0 <= value <= LAST_MS:
            sentence = "is no moment from 1970 to the year 9999"
            yield Violation(f"{place}/{name}", "maximum", sentence)


@cache
def _moments_of(kind: Any) -> tuple[str, ...]:
    """The fields of a type that tell a moment."""
    fields = dataclasses.fields if dataclasses.is_dataclass(kind) else msgspec.structs.fields
    return tuple(field.name for field in fields(kind) if field.name.endswith("_ms"))


def _wrong_money(snapshot: Snapshot) -> Iterator[Violation]:
    """granted = available + reserved + spent, none negative; reserved is what is held, and spent
    what the account's tasks cost that have succeeded."""
    held: dict[str, int] = {}
    tasks = {task.id: task for task in snapshot.tasks}
    accounts = {each.account for each in snapshot.ledger.accounts}
    for number, each in enumerate(snapshot.ledger.reservations):
        place = f"/ledger/reservations/{number}"
        held[each.account] = held.get(each.account, 0) + each.price_credits
        task = tasks.get(each.task_id)
        if task is None:
            yield _missing(f"{place}/task_id", "task", each.task_id)
        elif (task.order.account, task.order.price_credits) != (each.account, each.price_credits):
            yield Violation(place, "money", "is not what the task costs the account that asked")
        if each.account not in accounts:
            yield _missing(f"{place}/account", "account", each.account)
        if each.price_credits < 0:
            yield _too_low(f"{place}/price_credits", 0)
    for number, account in enumerate(snapshot.ledger.accounts):
        place = f"/ledger/accounts/{number}/balance"
        has = account.balance
        if min(has.available_credits, has.reserved_credits, has.spent_credits) < 0:
            yield Violation(place, "money", "no number of credits may be negative")
        parts = has.available_credits + has.reserved_credits + has.spent_credits
        if has.granted_credits != parts:
            sentence = f"granted is {has.granted_credits}; available, reserved and spent: {parts}"
            yield Violation(f"{place}/granted_credits", "money", sentence)
        if has.reserved_credits != (wanted := held.get(account.account, 0)):
            sentence = f"is {has.reserved_credits}; the reservations hold {wanted}"
            yield Violation(f"{place}/reserved_credits", "money", sentence)
    yield from _wrong_spendings(snapshot)


def _wrong_spendings(snapshot: Snapshot) -> Iterator[Violation]:
    held = {each.task_id for each in snapshot.ledger.reservations}
    spent = {each.account: 0 for each in snapshot.ledger.accounts}
    for number, task in enumerate(snapshot.tasks):
        order = task.order
        if order.account not in spent:
            yield _missing(f"/tasks/{number}/order/account", "account", order.account)
        elif task.fate.outcome is TaskEvent.RENDERED and task.id not in held:
            spent[order.account] += order.price_credits
    for number, each in enumerate(snapshot.ledger.accounts):
        said = each.balance.spent_credits
        if said != (wanted := spent[each.account]):
            sentence = f"is {said}; the tasks that have succeeded cost {wanted}"
            place = f"/ledger/accounts/{number}/balance/spent_credits"
            yield Violation(place, "money", sentence)


def _wrong_tasks(snapshot: Snapshot, facts: ContractFacts) -> Iterator[Violation]:
    held = {each.task_id for each in snapshot.ledger.reservations}
    for number, task in enumerate(snapshot.tasks):
        place, fate = f"/tasks/{number}", task.fate
        if fate.outcome is TaskEvent.TAKEN_UP:
            yield Violation(f"{place}/fate/outcome", "enum", "must be 'rendered' or 'broke'")
        if fate.taken_up_ms < task.created_ms:
            yield _too_low(f"{place}/fate/taken_up_ms", task.created_ms)
        if not fate.taken_up_ms <= fate.ends_ms <= NEVER_MS:
            yield _too_low(f"{place}/fate/ends_ms", fate.taken_up_ms)
        if task.id not in held and fate.ends_ms > snapshot.clock.now_ms:
            sentence = "is to come, and nothing is held for the task in /ledger/reservations"
            yield Violation(f"{place}/fate/ends_ms", "money", sentence)
        yield from _wrong_order(f"{place}/order", task, facts)


def _wrong_order(place: str, task: Task, facts: ContractFacts) -> Iterator[Violation]:
    order = task.order
    try:
        model = facts.catalog.find(order.api, order.model)
    except KeyError:
        if order.api not in facts.catalog.apis:
            yield _no_api(f"{place}/api", facts)
        else:
            known = ", ".join(model.id for model in facts.catalog.of(order.api))
            yield Violation(f"{place}/model", "enum", f"must be a model of its API: {known}")
        return
    request, sentence = _object(order.request, facts)
    if request is None:
        yield Violation(f"{place}/request", "json", sentence)
    elif not isinstance(request.get("prompt", ""), str):
        yield Violation(f"{place}/request", "value", "its prompt must be a string")
    else:
        try:
            model.clip_of(request)
        except LookupError:
            yield Violation(f"{place}/request", "value", "no video is as its params ask for")


def _wrong_references(snapshot: Snapshot) -> Iterator[Violation]:
    tasks = {task.id: task for task in snapshot.tasks}
    for number, key in enumerate(snapshot.idempotency):
        if key.task_id not in tasks:
            yield _missing(f"/idempotency/{number}/task_id", "task", key.task_id)
        elif tasks[key.task_id].order.account != key.account:
            sentence = "is not the account whose task it led to"
            yield Violation(f"/idempotency/{number}/account", "reference", sentence)
    for number, of_task in enumerate(snapshot.task_faults):
        if of_task.task_id not in tasks:
            yield _missing(f"/task_faults/{number}/task_id", "task", of_task.task_id)


def _wrong_agenda(snapshot: Snapshot) -> Iterator[Violation]:
    """A task that is under way is taken up and ends when its fate says; what was noted for later
    before it was ended by hand finds that it has ended."""
    tasks = {task.id: task for task in snapshot.tasks}
    held = {each.task_id for each in snapshot.ledger.reservations}
    noted: set[tuple[Occasion, str]] = set()
    for number, due in enumerate(snapshot.agenda):
        place = f"/agenda/{number}"
        if due.occasion in OF_REQUESTS:
            sentence = "no request is held in a snapshot that could wait for this"
            yield Violation(f"{place}/occasion", "enum", sentence)
        elif due.occasion in _OF_TASKS and due.subject not in tasks:
            yield _missing(f"{place}/subject", "task", due.subject)
        elif due.occasion in _OF_TASKS and due.subject in held:
            fate = tasks[due.subject].fate
            is_end = due.occasion is Occasion.TASK_ENDS
            planned_ms = fate.ends_ms if is_end else fate.taken_up_ms
            if due.at_ms == planned_ms:
                noted.add((due.occasion, due.subject))
            elif due.at_ms < fate.ends_ms:
                sentence = f"must be {planned_ms}, as its task's fate has it"
                yield Violation(f"{place}/at_ms", "agenda", sentence)
    yield from _not_noted(snapshot, tasks, noted)


def _not_noted(
    snapshot: Snapshot, tasks: Mapping[str, Task], noted: Container[tuple[Occasion, str]]
) -> Iterator[Violation]:
    """What is held and never ends, or is taken up and nobody hears of it."""
    for number, reservation in enumerate(snapshot.ledger.reservations):
        task = tasks.get(reservation.task_id)
        place = f"/ledger/reservations/{number}"
        if task is None:
            continue
        ends_ms, taken_up_ms = task.fate.ends_ms, task.fate.taken_up_ms
        if ends_ms != NEVER_MS and (Occasion.TASK_ENDS, task.id) not in noted:
            sentence = "is held for ever: /agenda does not say when the task ends"
            yield Violation(place, "agenda", sentence)
        is_queued = taken_up_ms > snapshot.clock.now_ms
        if is_queued and (Occasion.TASK_TAKEN_UP, task.id) not in noted:
            yield Violation(place, "agenda", "/agenda does not say when the task is taken up")


def _wrong_faults(snapshot: Snapshot, facts: ContractFacts) -> Iterator[Violation]:
    sources = {"/faults": "fault", "/default_faults": "default"}
    for place, faults in all_faults(snapshot):
        if faults.source != (source := sources.get(place, faults.source)):
            yield Violation(f"{place}/source", "const", f"must be '{source}'")
        last = 0
        for number, fault in enumerate(faults.faults):
            each = f"{place}/faults/{number}"
            numbered = _NUMBER.fullmatch(fault.id.removeprefix(f"{faults.source}_"))
            if numbered is None or not fault.id.startswith(f"{faults.source}_"):
                sentence = f"must be '{faults.source}_' and a number"
                yield Violation(f"{each}/id", "pattern", sentence)
            else:
                last = max(last, int(numbered[0]))
            if fault.matched < fault.happened:
                yield _too_low(f"{each}/matched", fault.happened)
            yield from _unreadable(f"{each}/rule/match", fault.rule.match.answer, facts)
            match fault.rule.effect:
                case BodyFault() as effect:
                    yield from _unreadable(f"{each}/rule/effect", effect.set, facts)
                case DeliveryFault() as effect:
                    yield from _unreadable(f"{each}/rule/effect", effect.extra_fields, facts)
        if faults.made < last:
            yield _too_low(f"{place}/made", last)


_NUMBER = re.compile("[1-9][0-9]{0,14}")


def _unreadable(place: str, value: Any, facts: ContractFacts) -> Iterator[Violation]:
    """What a request could not have brought, though JSON has it."""
    if not value:
        return
    try:
        facts.read(msgspec.json.encode(value))
    except Invalid as wrong:
        yield Violation(place, wrong.violations[0].rule, wrong.violations[0].sentence)
    except RecursionError:
        yield Violation(place, "depth", "is nested too deeply")


def _wrong_deliveries(snapshot: Snapshot, facts: ContractFacts) -> Iterator[Violation]:
    noted = {
        (due.subject, due.at_ms) for due in snapshot.agenda if due.occasion is Occasion.ATTEMPT_DUE
    }
    waiting, over = set(snapshot.held_back), set(snapshot.deliveries.over)
    endpoints = {endpoint.id for endpoint in snapshot.endpoints}
    for number, delivery in enumerate(snapshot.deliveries.deliveries):
        place = f"/deliveries/deliveries/{number}"
        yield from _wrong_event(f"{place}/event", delivery, facts)
        yield from _unreadable(f"{place}/fault", delivery.fault.extra_fields, facts)
        if delivery.endpoint_id is not None and delivery.endpoint_id not in endpoints:
            yield _missing(f"{place}/endpoint_id", "endpoint", delivery.endpoint_id)
        if is_tried(delivery):
            sentence = "no attempt is under way in a snapshot: leave it out, it is made at once"
            yield Violation(f"{place}/attempts", "ended", sentence)
        if delivery.state is DeliveryState.PENDING:
            is_noted = (delivery.id, delivery.next_attempt_ms) in noted
            if not is_noted and delivery.id not in waiting:
                sentence = "is pending for ever: /agenda does not say when it is tried next"
                yield Violation(f"{place}/next_attempt_ms", "agenda", sentence)
            continue
        if delivery.next_attempt_ms is not None:
            sentence = f"must be null: the delivery has {delivery.state.value}"
            yield Violation(f"{place}/next_attempt_ms", "const", sentence)
        if delivery.id not in over:
            sentence = f"has {delivery.state.value}, and /deliveries/over does not name it"
            yield Violation(f"{place}/state", "reference", sentence)
        was_taken = bool(delivery.attempts) and delivery.attempts[-1].was_taken
        if delivery.state is DeliveryState.SUCCEEDED and not was_taken:
            sentence = "has succeeded, and the last of its attempts was not answered 2xx"
            yield Violation(f"{place}/state", "attempts", sentence)
        last_failed = bool(delivery.attempts) and not was_taken
        if delivery.state is DeliveryState.FAILED and not (last_failed or delivery.given_up):
            sentence = "has failed, and neither its last attempt did nor was it given up"
            yield Violation(f"{place}/state", "attempts", sentence)


def _wrong_event(place: str, delivery: Delivery, facts: ContractFacts) -> Iterator[Violation]:
    event = delivery.event
    if event.api not in facts.catalog.apis:
        yield _no_api(f"{place}/api", facts)
    # The address of the video is no JSON outside of a string.
    body, sentence = _object(event.body.replace(VIDEO, b"x"), facts)
    if body is None:
        yield Violation(f"{place}/body", "json", sentence)


def _unknown_deliveries(snapshot: Snapshot) -> Iterator[Violation]:
    known = {delivery.id for delivery in snapshot.deliveries.deliveries}
    for number, delivery_id in enumerate(snapshot.deliveries.over):
        if delivery_id not in known:
            yield _missing(f"/deliveries/over/{number}", "delivery", delivery_id)
    for number, delivery_id in enumerate(snapshot.held_back):
        if delivery_id not in known:
            yield _missing(f"/held_back/{number}", "delivery", delivery_id)


def _wrong_inboxes(snapshot: Snapshot) -> Iterator[Violation]:
    for number, inbox in enumerate(snapshot.inboxes):
        place = f"/inboxes/{number}"
        yield from _miscounted(f"{place}/received", inbox.received, inbox.requests)
        most = inbox.answers[0].times - 1 if inbox.answers else 0
        if inbox.given > most:
            sentence = f"must be at most {most}: then it is the next answer's turn"
            yield Violation(f"{place}/given", "maximum", sentence)


def _wrong_exchanges(snapshot: Snapshot) -> Iterator[Violation]:
    for number, exchange in enumerate(snapshot.journal.exchanges):
        if exchange.ended_ms is not None and exchange.ended_ms < exchange.started_ms:
            yield _too_low(f"/journal/exchanges/{number}/ended_ms", exchange.started_ms)


def _wrong_files(snapshot: Snapshot, facts: ContractFacts) -> Iterator[Violation]:
    for number, file in enumerate(snapshot.files):
        place = f"/files/{number}"
        if file.kind not in facts.uploads.kinds:
            yield _none_of(f"{place}/kind", facts.uploads.kinds)
        if file.mime_type not in facts.uploads.mime_types:
            yield _none_of(f"{place}/mime_type", facts.uploads.mime_types)
        if not is_bare_name(file.name):
            sentence = "must be 1 to 255 printable characters without / or \\"
            yield Violation(f"{place}/name", "filename", sentence)


def _wrong_contents(snapshot: Snapshot) -> Iterator[Violation]:
    contents = snapshot.contents
    for number, file in enumerate(snapshot.files):
        content = contents.get(file.content)
        if content is None:
            yield _missing(f"/files/{number}/content", "content", file.content)
        elif len(content) != file.size_bytes:
            sentence = f"is {file.size_bytes}; its content has {len(content)}"
            yield Violation(f"/files/{number}/size_bytes", "size", sentence)
    if sum(file.size_bytes for file in snapshot.files) > snapshot.rules.stored_upload_bytes:
        sentence = f"are more than {snapshot.rules.stored_upload_bytes} bytes, which /rules allows"
        yield Violation("/files", "limit", sentence)
    wanted = {file.content for file in snapshot.files}
    for digest, content in contents.items():
        place = "/contents/" + digest.replace("~", "~0").replace("/", "~1")
        if sha256(content).hexdigest() != digest:
            yield Violation(place, "sha256", "is not the digest of these bytes")
        elif digest not in wanted:
            yield Violation(place, "unused", "no file has this content")


def _missing(place: str, kind: str, wanted: str) -> Violation:
    return Violation(place, "reference", f"there is no {kind} '{wanted}' in this document")


def _no_api(place: str, facts: ContractFacts) -> Violation:
    return _none_of(place, facts.catalog.apis)


def _none_of(place: str, known: Iterable[str]) -> Violation:
    return Violation(place, "enum", f"must be one of {', '.join(sorted(known))}")


def _object(text: bytes, facts: ContractFacts) -> tuple[dict[str, Any] | None, str]:
    """The object that a text spells; None, and why, if it spells none."""
    wanted = "must be the base 64 of a JSON object"
    try:
        value = facts.read(text)
    except Invalid as wrong:
        return None, f"{wanted}; its text {wrong.violations[0].sentence}"
    return (value, "") if isinstance(value, dict) else (None, wanted)
