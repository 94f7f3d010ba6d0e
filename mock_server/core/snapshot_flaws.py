"""What does not fit together in a snapshot that somebody wants to put back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from itertools import product
from typing import Any

import msgspec

from mock_server.core.agenda import Occasion
from mock_server.core.clock import LAST_MS
from mock_server.core.deliveries import DeliveryState
from mock_server.core.faults import FaultsState
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.refusals import Invalid, Violation
from mock_server.core.snapshot import OF_REQUESTS, VIDEO, Snapshot, is_tried
from mock_server.core.tasks import NEVER_MS

_OF_TASKS = {Occasion.TASK_TAKEN_UP, Occasion.TASK_ENDS}


def require_sound(snapshot: Snapshot) -> None:
    """Refuses with Invalid what does not fit together, naming every place: money that does not add
    up, what points to something that is not there, what would wait for ever.
    """
    flaws = list(_flaws(snapshot))
    if flaws:
        raise Invalid(flaws)


def _flaws(snapshot: Snapshot) -> Iterator[Violation]:
    yield from _repeated(snapshot)
    yield from _wrong_numbers(snapshot)
    yield from _wrong_counts(snapshot)
    yield from _wrong_moments(snapshot)
    yield from _wrong_money(snapshot)
    yield from _wrong_tasks(snapshot)
    yield from _wrong_agenda(snapshot)
    yield from _wrong_deliveries(snapshot)
    yield from _unknown_deliveries(snapshot)
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
        if value < 0:
            yield _too_low(f"/rules/{name}", 0)
        if value > LAST_MS:
            yield Violation(f"/rules/{name}", "maximum", f"must be at most {LAST_MS}")
    for place, items, maximum in _limited_lists(snapshot):
        if len(items) > maximum:
            yield _too_many(place, maximum)
    yield from _miscounted("/journal/opened", snapshot.journal.opened, snapshot.journal.exchanges)
    evicted = max(0, snapshot.journal.opened - len(snapshot.journal.exchanges))
    if not 0 <= snapshot.journal.cleared <= evicted:
        yield Violation("/journal/cleared", "maximum", f"must be between 0 and {evicted}")
    known = snapshot.deliveries
    yield from _miscounted("/deliveries/made", known.made, known.deliveries)
    for number, inbox in enumerate(snapshot.inboxes):
        place = f"/inboxes/{number}"
        yield from _miscounted(f"{place}/received", inbox.received, inbox.requests)
    for place, faults in all_faults(snapshot):
        numbers = (each.id.removeprefix(f"{faults.source}_") for each in faults.faults)
        last = max((int(each) for each in numbers if each.isdecimal()), default=0)
        if faults.made < last:
            yield _too_low(f"{place}/made", last)


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
        if task.fate.ends_ms != NEVER_MS:
            yield from _no_moments(f"/tasks/{number}/fate", task.fate)
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
    """granted = available + reserved + spent, none negative, and reserved is what is held."""
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


def _wrong_tasks(snapshot: Snapshot) -> Iterator[Violation]:
    tasks = {task.id for task in snapshot.tasks}
    for number, task in enumerate(snapshot.tasks):
        place, fate = f"/tasks/{number}", task.fate
        if fate.outcome is TaskEvent.TAKEN_UP:
            yield Violation(f"{place}/fate/outcome", "enum", "must be 'rendered' or 'broke'")
        if not fate.taken_up_ms <= fate.ends_ms <= NEVER_MS:
            yield _too_low(f"{place}/fate/ends_ms", fate.taken_up_ms)
        if not isinstance(_json(task.order.request), dict):
            sentence = "must be the base 64 of a JSON object"
            yield Violation(f"{place}/order/request", "json", sentence)
    for number, key in enumerate(snapshot.idempotency):
        if key.task_id not in tasks:
            yield _missing(f"/idempotency/{number}/task_id", "task", key.task_id)
    for number, of_task in enumerate(snapshot.task_faults):
        if of_task.task_id not in tasks:
            yield _missing(f"/task_faults/{number}/task_id", "task", of_task.task_id)


def _wrong_agenda(snapshot: Snapshot) -> Iterator[Violation]:
    tasks = {task.id: task for task in snapshot.tasks}
    noted: set[str] = set()
    for number, due in enumerate(snapshot.agenda):
        place = f"/agenda/{number}"
        if due.occasion in OF_REQUESTS:
            sentence = "no request is held in a snapshot that could wait for this"
            yield Violation(f"{place}/occasion", "enum", sentence)
        elif due.occasion in _OF_TASKS and due.subject not in tasks:
            yield _missing(f"{place}/subject", "task", due.subject)
        elif due.occasion is Occasion.TASK_ENDS:
            noted.add(due.subject)
    for number, held in enumerate(snapshot.ledger.reservations):
        task = tasks.get(held.task_id)
        if task is not None and held.task_id not in noted and task.fate.ends_ms != NEVER_MS:
            sentence = "is held for ever: /agenda does not say when the task ends"
            yield Violation(f"/ledger/reservations/{number}", "agenda", sentence)


def _wrong_deliveries(snapshot: Snapshot) -> Iterator[Violation]:
    noted = {(due.subject, due.at_ms) for due in snapshot.agenda}
    waiting = set(snapshot.held_back)
    endpoints = {endpoint.id for endpoint in snapshot.endpoints}
    for number, delivery in enumerate(snapshot.deliveries.deliveries):
        place = f"/deliveries/deliveries/{number}"
        if delivery.endpoint_id is not None and delivery.endpoint_id not in endpoints:
            yield _missing(f"{place}/endpoint_id", "endpoint", delivery.endpoint_id)
        if is_tried(delivery):
            sentence = "no attempt is under way in a snapshot: leave it out, it is made at once"
            yield Violation(f"{place}/attempts", "ended", sentence)
        if (
            delivery.state is DeliveryState.PENDING
            and (delivery.id, delivery.next_attempt_ms) not in noted
            and delivery.id not in waiting
        ):
            sentence = "is pending for ever: /agenda does not say when it is tried next"
            yield Violation(f"{place}/next_attempt_ms", "agenda", sentence)
        if not isinstance(_json(delivery.event.body.replace(VIDEO, b"")), dict):
            sentence = "must be the base 64 of a JSON object"
            yield Violation(f"{place}/event/body", "json", sentence)


def _unknown_deliveries(snapshot: Snapshot) -> Iterator[Violation]:
    known = {delivery.id for delivery in snapshot.deliveries.deliveries}
    for number, delivery_id in enumerate(snapshot.deliveries.over):
        if delivery_id not in known:
            yield _missing(f"/deliveries/over/{number}", "delivery", delivery_id)
    for number, delivery_id in enumerate(snapshot.held_back):
        if delivery_id not in known:
            yield _missing(f"/held_back/{number}", "delivery", delivery_id)


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


def _json(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
