"""Snapshots: a whole world taken out as one document, and put back so that it goes on as before.

A document says nothing of where its world was. What leads back there is written relative to the
place and made absolute again in the next one: the base URL of orders that came by it, the addresses
of the world's own inboxes, and the address of a task's video in events. Everything else stays word
for word what it was: bodies as they came, requests as they were sent.

What waits in the server rather than in the world is let go, as when a world begins anew: held and
delayed requests (with what the agenda had noted for them), requests without an answer so far (the
Idempotency-Key of one counts as answered), and attempts under way: they were never begun, and their
deliveries are due at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from mock_server.core.accounts import Key, KeyRing
from mock_server.core.agenda import Due, Occasion
from mock_server.core.clock import Clock
from mock_server.core.deliveries import DeliveriesState, Delivery, DeliveryState
from mock_server.core.endpoints import Endpoint
from mock_server.core.faults import Faults, FaultsState
from mock_server.core.idempotency import KeptKey
from mock_server.core.inbox import InboxState
from mock_server.core.journal import JournalState
from mock_server.core.ledger import LedgerState
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.rate import RateWindow
from mock_server.core.refusals import Invalid, Violation
from mock_server.core.tasks import NEVER_MS, Order, Task
from mock_server.core.uploads import StoredFile
from mock_server.core.world import World, WorldRules

LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999: no later one can be written down."""

Moment = Annotated[int, Meta(ge=0, le=LAST_MS)]

_OF_REQUESTS = {Occasion.ALARM, Occasion.DELAY_OVER}
_OF_TASKS = {Occasion.TASK_TAKEN_UP, Occasion.TASK_ENDS}
_INBOX = "inbox:"
_VIDEO = b"\0"
"""Stands for the address of the task's video in the body of an event; JSON has no such byte."""


class ClockState(Struct, frozen=True, forbid_unknown_fields=True):
    """What time it is, and how it goes on."""

    mode: Literal["real", "frozen"]
    now_ms: Moment
    scale: Annotated[float, Meta(gt=0, le=10**6)]


class TaskFaults(Struct, frozen=True, forbid_unknown_fields=True):
    """What was asked to go wrong with one task."""

    task_id: str
    faults: FaultsState


class AskedFaults(Struct, frozen=True, forbid_unknown_fields=True):
    """What an account asked for by name in one way: `asked` is all three."""

    asked: str
    faults: FaultsState


class Snapshot(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in a world. Lists have the order of the world, the agenda that of equal moments.

    rules: the numbers the world runs by come along; a reset goes back to those of the server.
    contents: the bytes of uploads, by their digest.
    held_back: deliveries, by id, that wait until a newer event for their receiver has been tried.
    """

    format: Literal[1]
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    clock: ClockState
    rules: WorldRules
    keys: tuple[Key, ...]
    ledger: LedgerState
    tasks: tuple[Task, ...]
    task_faults: tuple[TaskFaults, ...]
    asked_faults: tuple[AskedFaults, ...]
    agenda: tuple[Due, ...]
    rates: tuple[RateWindow, ...]
    idempotency: tuple[KeptKey, ...]
    files: tuple[StoredFile, ...]
    contents: dict[str, bytes]
    endpoints: tuple[Endpoint, ...]
    deliveries: DeliveriesState
    held_back: tuple[str, ...]
    inboxes: tuple[InboxState, ...]
    faults: FaultsState
    default_faults: FaultsState
    journal: JournalState


@dataclass(frozen=True, slots=True)
class Place:
    """Where a world can be reached, which is what a snapshot does not say.

    inboxes: what the URLs of its inboxes begin with.
    video_url: where the video of a task is, for a base URL and the task's id.
    """

    base_url: str
    inboxes: str
    video_url: Callable[[str, str], str]

    def url_out(self, url: str) -> str:
        """A receiver's URL as a document has it."""
        return _INBOX + url.removeprefix(self.inboxes) if url.startswith(self.inboxes) else url

    def url_in(self, url: str) -> str:
        """A receiver's URL as the world has it."""
        return self.inboxes + url.removeprefix(_INBOX) if url.startswith(_INBOX) else url

    def order_out(self, order: Order) -> Order:
        """An order as a document has it."""
        return replace(
            order,
            base_url="" if order.base_url == self.base_url else order.base_url,
            callback_url=order.callback_url and self.url_out(order.callback_url),
        )

    def order_in(self, order: Order) -> Order:
        """An order as the world has it."""
        return replace(
            order,
            base_url=order.base_url or self.base_url,
            callback_url=order.callback_url and self.url_in(order.callback_url),
        )


def take(world: World, place: Place, contents: Mapping[str, bytes]) -> Snapshot:
    """What is in the world now. The world goes on as if nobody had looked.

    What can change in it goes on changing: write it down (`written`) before anything else happens.
    contents: the bytes of every upload, by their digest.
    """
    return _taken(world, place, contents, world.clock.now_ms())


def written(snapshot: Snapshot) -> bytes:
    """The document, always the same for the same world: JSON in UTF-8, names in order, no spaces,
    bytes in base 64.
    """
    return msgspec.json.encode(snapshot, order="sorted")


def put_back(
    snapshot: Snapshot, name: str, place: Place, source_ms: Callable[[], int]
) -> tuple[World, bytes]:
    """The world of a snapshot, under this name and in this place, and the document it makes now.

    snapshot: one that `require_sound` has let through; what is in it is the world's from now on.
    source_ms: tells real time, as for a Clock.
    """
    clock = Clock(
        source_ms,
        start_ms=snapshot.clock.now_ms,
        scale=snapshot.clock.scale,
        frozen=snapshot.clock.mode == "frozen",
    )
    world = World(name, snapshot.seed, clock, snapshot.rules, KeyRing(snapshot.keys))
    _fill(world, snapshot, place)
    again = _taken(world, place, snapshot.contents, snapshot.clock.now_ms)
    return world, written(again)


def require_sound(snapshot: Snapshot) -> None:
    """Refuses with Invalid what does not fit together, naming every place: money that does not add
    up, what points to something that is not there, what would wait for ever.
    """
    flaws = list(_flaws(snapshot))
    if flaws:
        raise Invalid(flaws)


# --- out ----------------------------------------------------------------------------------------


def _taken(world: World, place: Place, contents: Mapping[str, bytes], now_ms: int) -> Snapshot:
    deliveries, due = _settled(world, now_ms)
    known = world.deliveries.state()
    agenda = [each for each in world.agenda if each.occasion not in _OF_REQUESTS] + due
    return Snapshot(
        format=1,
        seed=world.seed,
        clock=ClockState("frozen" if world.clock.frozen else "real", now_ms, world.clock.scale),
        rules=world.rules,
        keys=tuple(world.keys),
        ledger=world.ledger.state(),
        tasks=tuple(replace(task, order=place.order_out(task.order)) for task in world.tasks),
        task_faults=tuple(
            TaskFaults(task_id, faults.state()) for task_id, faults in world.task_faults.items()
        ),
        asked_faults=tuple(
            AskedFaults(asked, faults.state()) for asked, faults in world.asked_faults.items()
        ),
        agenda=tuple(sorted(agenda, key=lambda each: each.at_ms)),
        rates=world.rates.state(),
        idempotency=world.idempotency.state(),
        files=tuple(world.uploads),
        contents={file.content: contents[file.content] for file in world.uploads},
        endpoints=tuple(
            dataclasses.replace(each, url=place.url_out(each.url)) for each in world.endpoints
        ),
        deliveries=replace(
            known, deliveries=tuple(_delivery_out(each, world, place) for each in deliveries)
        ),
        held_back=tuple(
            each.id
            for waiting in world.held_back.values()
            for each in waiting
            if world.deliveries.get(each.id) is not None
        ),
        inboxes=tuple(inbox.state() for inbox in world.inboxes),
        faults=world.faults.state(),
        default_faults=world.default_faults.state(),
        journal=world.journal.state(),
    )


def _settled(world: World, now_ms: int) -> tuple[list[Delivery], list[Due]]:
    """Every delivery as if no attempt were under way, and what has to be noted for that."""
    noted = {
        (each.subject, each.at_ms) for each in world.agenda if each.occasion is Occasion.ATTEMPT_DUE
    }
    held_back = {each.id for waiting in world.held_back.values() for each in waiting}
    deliveries, due = [], []
    for delivery in world.deliveries:
        was_let_go = _is_tried(delivery) or (
            delivery.state is DeliveryState.PENDING
            and (delivery.id, delivery.next_attempt_ms) not in noted
            and delivery.id not in held_back
        )
        if was_let_go:
            due.append(Due(now_ms, Occasion.ATTEMPT_DUE, delivery.id))
            deliveries.append(
                dataclasses.replace(
                    delivery,
                    state=DeliveryState.PENDING,
                    attempts=[each for each in delivery.attempts if each.ended_ms is not None],
                    next_attempt_ms=now_ms,
                )
            )
        else:
            deliveries.append(delivery)
    return deliveries, due


def _is_tried(delivery: Delivery) -> bool:
    """Whether any attempt is under way; sent again in haste, there may be two at once."""
    return any(attempt.ended_ms is None for attempt in delivery.attempts)


def _delivery_out(delivery: Delivery, world: World, place: Place) -> Delivery:
    event = delivery.event
    video = _video_of(event.subject, world, place)
    return dataclasses.replace(
        delivery,
        url=place.url_out(delivery.url),
        event=dataclasses.replace(event, body=event.body.replace(video, _VIDEO)),
    )


def _video_of(task_id: str, world: World, place: Place) -> bytes:
    """How an event about this task spells the address of its video."""
    task = world.tasks.get(task_id)
    base_url = place.base_url if task is None else task.order.base_url
    return place.video_url(base_url, task_id).encode()


# --- in -----------------------------------------------------------------------------------------


def _fill(world: World, snapshot: Snapshot, place: Place) -> None:
    world.ledger.restore(snapshot.ledger)
    shared: dict[str, str] = {}  # a name that a thousand tasks have is kept once
    for task in snapshot.tasks:
        order = place.order_in(task.order)
        names = {field: getattr(order, field) for field in ("api", "account", "key", "model")}
        same = {field: shared.setdefault(name, name) for field, name in names.items()}
        world.tasks.add(replace(task, order=replace(order, **same)))
    for of_task in snapshot.task_faults:
        world.task_faults[of_task.task_id] = Faults(world.chance)
        world.task_faults[of_task.task_id].restore(of_task.faults)
    for kept in snapshot.asked_faults:
        world.asked_faults[kept.asked] = Faults(world.chance)
        world.asked_faults[kept.asked].restore(kept.faults)
    for due in snapshot.agenda:
        world.agenda.note(due.at_ms, due.occasion, due.subject)
    world.rates.restore(snapshot.rates)
    world.idempotency.restore(snapshot.idempotency)
    for file in snapshot.files:
        world.uploads.add(file)
    for endpoint in snapshot.endpoints:
        world.endpoints.add(dataclasses.replace(endpoint, url=place.url_in(endpoint.url)))
    deliveries = tuple(_delivery_in(each, world, place) for each in snapshot.deliveries.deliveries)
    world.deliveries.restore(replace(snapshot.deliveries, deliveries=deliveries))
    by_id = {delivery.id: delivery for delivery in deliveries}
    for delivery_id in snapshot.held_back:
        delivery = by_id[delivery_id]
        world.hold_back(delivery, delivery.receiver)
    for inbox in snapshot.inboxes:
        world.inboxes.of(inbox.name).restore(inbox)
    world.faults.restore(snapshot.faults)
    world.default_faults.restore(snapshot.default_faults)
    world.journal.restore(snapshot.journal)


def _delivery_in(delivery: Delivery, world: World, place: Place) -> Delivery:
    event = delivery.event
    video = _video_of(event.subject, world, place)
    return dataclasses.replace(
        delivery,
        url=place.url_in(delivery.url),
        event=dataclasses.replace(event, body=event.body.replace(_VIDEO, video)),
    )


# --- what does not fit together -------------------------------------------------------------------


def _flaws(snapshot: Snapshot) -> Iterator[Violation]:
    yield from _repeated(snapshot)
    yield from _wrong_numbers(snapshot)
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
        for place, faults in _all_faults(snapshot)
    }
    for place, identities in lists.items():
        seen: set[object] = set()
        for number, identity in enumerate(identities):
            if identity in seen:
                yield Violation(f"{place}/{number}", "unique", "stands here for the second time")
            seen.add(identity)


def _all_faults(snapshot: Snapshot) -> Iterator[tuple[str, FaultsState]]:
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
    if len(snapshot.journal.exchanges) > snapshot.rules.journal_exchanges:
        yield _too_many("/journal/exchanges", snapshot.rules.journal_exchanges)
    yield from _miscounted("/journal/opened", snapshot.journal.opened, snapshot.journal.exchanges)
    known = snapshot.deliveries
    yield from _miscounted("/deliveries/made", known.made, known.deliveries)
    for number, inbox in enumerate(snapshot.inboxes):
        place = f"/inboxes/{number}"
        if len(inbox.requests) > snapshot.rules.inbox_requests:
            yield _too_many(f"{place}/requests", snapshot.rules.inbox_requests)
        yield from _miscounted(f"{place}/received", inbox.received, inbox.requests)
    for place, faults in _all_faults(snapshot):
        numbers = (each.id.removeprefix(f"{faults.source}_") for each in faults.faults)
        last = max((int(each) for each in numbers if each.isdecimal()), default=0)
        if faults.made < last:
            yield _too_low(f"{place}/made", last)


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
        if due.occasion in _OF_REQUESTS:
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
        if _is_tried(delivery):
            sentence = "no attempt is under way in a snapshot: leave it out, it is made at once"
            yield Violation(f"{place}/attempts", "ended", sentence)
        if (
            delivery.state is DeliveryState.PENDING
            and (delivery.id, delivery.next_attempt_ms) not in noted
            and delivery.id not in waiting
        ):
            sentence = "is pending for ever: /agenda does not say when it is tried next"
            yield Violation(f"{place}/next_attempt_ms", "agenda", sentence)
        if not isinstance(_json(delivery.event.body.replace(_VIDEO, b"")), dict):
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
