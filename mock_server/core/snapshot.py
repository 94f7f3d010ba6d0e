"""Snapshots: a world as one document, from which the same world can be made again.

A document does not contain the URL of its world. Three URLs are relative in it, and absolute in
the world: the base URL of orders, the URLs of the world's inboxes, and the URL of a task's video in
events. Everything else is unchanged: bodies as they came, requests as they were sent.

A document does not contain requests under way: held and delayed ones, their agenda entries, and
those without an answer (their Idempotency-Key counts as answered). Attempts under way are left out,
and their deliveries are due at once.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from mock_server.core.accounts import Key, KeyRing
from mock_server.core.agenda import TASK_OCCASIONS, Due, Occasion
from mock_server.core.clock import LAST_MS, Clock, ClockMode, SignaturesBy
from mock_server.core.counts import Counts
from mock_server.core.deliveries import DeliveriesState, Delivery, DeliveryState
from mock_server.core.endpoints import Endpoint
from mock_server.core.expiry import Forgotten
from mock_server.core.faults import Faults, FaultsState
from mock_server.core.field_types import Positive
from mock_server.core.history import HistoryState
from mock_server.core.idempotency import KeptKey
from mock_server.core.ids import TaskId
from mock_server.core.inbox import InboxState
from mock_server.core.journal import JournalState
from mock_server.core.ledger import LedgerState
from mock_server.core.long_json import json_parts
from mock_server.core.rate import RateWindow
from mock_server.core.tasks import Order, Task
from mock_server.core.uploads import StoredFile
from mock_server.core.world import World, WorldRules

REQUEST_OCCASIONS = {Occasion.HOLD_TIMEOUT, Occasion.DELAY_OVER}
"""Kinds of agenda entries for held requests; a snapshot does not contain them."""

_INBOX = "inbox:"
VIDEO_PLACEHOLDER = b"\0"
"""Replaces the URL of the task's video in the body of an event; JSON has no such byte."""


class ClockState(Struct, frozen=True, forbid_unknown_fields=True):
    """The time, and how the clock runs."""

    mode: ClockMode
    now_ms: Annotated[int, Meta(ge=0, le=LAST_MS)]
    scale: Annotated[float, Meta(gt=0, le=10**6)]
    signatures: SignaturesBy = "world"


class TaskFaults(Struct, frozen=True, forbid_unknown_fields=True):
    """The faults of one task alone."""

    task_id: str
    faults: FaultsState


class AskedFaults(Struct, frozen=True, forbid_unknown_fields=True):
    """Faults that an account requests by name; `asked`: account, channel and name."""

    asked: str
    faults: FaultsState


class Snapshot(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in a world, in the order of the world.

    in_flight: the limits of accounts on tasks that have not ended.
    forgotten: the tasks and uploads that expired and were deleted.
    rules: of the world until it is reset; then it has those of the server again.
    contents: the bytes of uploads, by their digest.
    held_back: the ids of deliveries that wait for the attempt of a newer event.
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
    history: HistoryState = HistoryState()
    in_flight: dict[str, Positive] = {}
    forgotten: Forgotten = Forgotten()


class UrlRewriter(Struct, frozen=True):
    """Makes the URLs of a world relative for its snapshot, and absolute again.

    inboxes: the beginning of its inboxes' URLs.
    video_url: the URL of a task's video, from a base URL and the task's id.
    """

    base_url: str
    inboxes: str
    video_url: Callable[[str, str], str]

    def url_out(self, url: str) -> str:
        """The URL of a receiver, as it is in a document."""
        return _INBOX + url.removeprefix(self.inboxes) if url.startswith(self.inboxes) else url

    def url_in(self, url: str) -> str:
        """The URL of a receiver, as it is in the world."""
        return self.inboxes + url.removeprefix(_INBOX) if url.startswith(_INBOX) else url

    def order_out(self, order: Order) -> Order:
        """The order, as it is in a document."""
        return replace(
            order,
            base_url="" if order.base_url == self.base_url else order.base_url,
            callback_url=order.callback_url and self.url_out(order.callback_url),
        )

    def order_in(self, order: Order) -> Order:
        """The order, as it is in the world."""
        return replace(
            order,
            base_url=order.base_url or self.base_url,
            callback_url=order.callback_url and self.url_in(order.callback_url),
        )


LARGE_TYPES = (
    Snapshot,
    LedgerState,
    FaultsState,
    DeliveriesState,
    InboxState,
    JournalState,
    HistoryState,
)
"""Types that can be so large that they are read and written in parts."""


def snapshot_of(
    world: World, urls: UrlRewriter, contents: Mapping[str, bytes], now_ms: int | None = None
) -> Snapshot:
    """The snapshot of a world, which does not change by it.

    It shares objects with the world: encode it before the world changes, or pass a
    `copy_of_world`.
    contents: the bytes of every upload, by their digest. now_ms: None: the time of its clock.
    """
    now_ms = world.clock.now_ms() if now_ms is None else now_ms
    deliveries, due = _without_attempts(world, now_ms)
    known = world.deliveries.state()
    agenda = [each for each in world.agenda if _is_kept(each, world)] + due
    return Snapshot(
        format=1,
        seed=world.seed,
        clock=ClockState(
            "frozen" if world.clock.frozen else "real",
            now_ms,
            world.clock.scale,
            world.clock.signatures,
        ),
        rules=world.rules,
        keys=tuple(world.keys),
        ledger=world.ledger.state(),
        tasks=tuple(replace(task, order=urls.order_out(task.order)) for task in world.tasks),
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
        endpoints=tuple(replace(each, url=urls.url_out(each.url)) for each in world.endpoints),
        deliveries=replace(
            known, deliveries=tuple(_delivery_out(each, world, urls) for each in deliveries)
        ),
        held_back=tuple(
            each.id
            for waiting in world.dispatch.held_back.values()
            for each in waiting
            if world.deliveries.get(each.id) is not None
        ),
        inboxes=tuple(inbox.state() for inbox in world.inboxes),
        faults=world.faults.state(),
        default_faults=world.default_faults.state(),
        journal=world.journal.state(),
        history=world.history.state(),
        in_flight=dict(world.in_flight.account_limits),
        forgotten=world.expiry.state(),
    )


def _is_kept(due: Due, world: World) -> bool:
    """Whether a snapshot has this entry. A task that was ended by hand may be forgotten before its
    entries are due."""
    is_forgotten = due.occasion in TASK_OCCASIONS and world.tasks.get(due.subject) is None
    return due.occasion not in REQUEST_OCCASIONS and not is_forgotten


def encoded(snapshot: Snapshot) -> bytes:
    """The document, always the same for the same world: JSON in UTF-8, names sorted, no spaces,
    bytes in base 64."""
    return b"".join(json_parts(snapshot, LARGE_TYPES))


def restored_world(
    snapshot: Snapshot,
    name: str,
    urls: UrlRewriter,
    source_ms: Callable[[], int],
    *,
    task_ids: Mapping[str, TaskId] = MappingProxyType({}),
    counts: Counts | None = None,
) -> tuple[World, bytes]:
    """The world of a snapshot under this name and these URLs, and the new world's own document.

    snapshot: one that `require_consistent` accepted. The world keeps its objects and changes them.
    source_ms: the real time. task_ids: as for Ids. counts: of the server.
    """
    clock = Clock(
        source_ms,
        start_ms=snapshot.clock.now_ms,
        scale=snapshot.clock.scale,
        frozen=snapshot.clock.mode == "frozen",
        signatures=snapshot.clock.signatures,
    )
    keys = KeyRing(snapshot.keys)
    world = World(
        name,
        snapshot.seed,
        clock,
        snapshot.rules,
        keys,
        counts=counts or Counts(),
        task_ids=task_ids,
    )
    fill_world(world, snapshot, urls)
    again = snapshot_of(world, urls, snapshot.contents, snapshot.clock.now_ms)
    return world, encoded(again)


def _without_attempts(world: World, now_ms: int) -> tuple[list[Delivery], list[Due]]:
    """Every delivery without attempts under way, and the agenda entries that this needs."""
    scheduled = {
        (each.subject, each.at_ms) for each in world.agenda if each.occasion is Occasion.ATTEMPT_DUE
    }
    held_back = {each.id for waiting in world.dispatch.held_back.values() for each in waiting}
    deliveries, due = [], []
    for delivery in world.deliveries:
        is_due_now = has_open_attempt(delivery) or (
            delivery.state is DeliveryState.PENDING
            and (delivery.id, delivery.next_attempt_ms) not in scheduled
            and delivery.id not in held_back
        )
        if is_due_now:
            due.append(Due(now_ms, Occasion.ATTEMPT_DUE, delivery.id))
            deliveries.append(
                replace(
                    delivery,
                    state=DeliveryState.PENDING,
                    attempts=[each for each in delivery.attempts if each.ended_ms is not None],
                    next_attempt_ms=now_ms,
                )
            )
        else:
            deliveries.append(delivery)
    return deliveries, due


def has_open_attempt(delivery: Delivery) -> bool:
    """Whether any attempt is under way; in an edited document not only the last may be."""
    return any(attempt.ended_ms is None for attempt in delivery.attempts)


def _delivery_out(delivery: Delivery, world: World, urls: UrlRewriter) -> Delivery:
    video = _video_of(delivery.event.subject, world, urls)
    return _rewritten(delivery, urls.url_out(delivery.url), video, VIDEO_PLACEHOLDER)


def _rewritten(delivery: Delivery, url: str, old: bytes, new: bytes) -> Delivery:
    event = replace(delivery.event, body=delivery.event.body.replace(old, new))
    return replace(delivery, url=url, event=event)


def _video_of(task_id: str, world: World, urls: UrlRewriter) -> bytes:
    """The URL of this task's video as it is in the JSON of an event."""
    task = world.tasks.get(task_id)
    base_url = urls.base_url if task is None else task.order.base_url
    return msgspec.json.encode(urls.video_url(base_url, task_id))[1:-1]


def fill_world(world: World, snapshot: Snapshot, urls: UrlRewriter) -> None:
    """Fill an empty world with everything of a snapshot but its clock and its keys. The world keeps
    the objects of the snapshot."""
    world.ledger.restore(snapshot.ledger)
    world.in_flight.account_limits = dict(snapshot.in_flight)
    _fill_tasks(world, snapshot, urls)
    for of_task in snapshot.task_faults:
        world.task_faults[of_task.task_id] = Faults(world.chance)
        world.task_faults[of_task.task_id].restore(of_task.faults)
    for kept in snapshot.asked_faults:
        world.asked_faults[kept.asked] = Faults(world.chance)
        world.asked_faults[kept.asked].restore(kept.faults)
    for due in snapshot.agenda:
        world.agenda.add(due.at_ms, due.occasion, due.subject)
    world.rates.restore(snapshot.rates)
    world.idempotency.restore(snapshot.idempotency)
    for file in snapshot.files:
        world.expiry.keep_file(file)
    for endpoint in snapshot.endpoints:
        world.endpoints.add(replace(endpoint, url=urls.url_in(endpoint.url)))
    deliveries = tuple(_delivery_in(each, world, urls) for each in snapshot.deliveries.deliveries)
    world.deliveries.restore(replace(snapshot.deliveries, deliveries=deliveries))
    by_id = {delivery.id: delivery for delivery in deliveries}
    for delivery_id in snapshot.held_back:
        world.dispatch.hold_back(by_id[delivery_id])
    for inbox in snapshot.inboxes:
        world.inboxes.of(inbox.name).restore(inbox)
    world.faults.restore(snapshot.faults)
    world.default_faults.restore(snapshot.default_faults)
    world.journal.restore(snapshot.journal)
    world.history.restore(snapshot.history)


def _fill_tasks(world: World, snapshot: Snapshot, urls: UrlRewriter) -> None:
    shared: dict[str, str] = {}  # one object per name, to save memory
    for task in snapshot.tasks:
        order = urls.order_in(task.order)
        fields = ("api", "account", "key", "model", "base_url")
        names = {field: getattr(order, field) for field in fields}
        same = {field: shared.setdefault(name, name) for field, name in names.items()}
        world.tasks.add(replace(task, order=replace(order, **same)))
    world.expiry.restore(snapshot.forgotten)
    for task in world.tasks:
        if not world.ledger.holds(task.id):
            world.expiry.task_ended(task)


def _delivery_in(delivery: Delivery, world: World, urls: UrlRewriter) -> Delivery:
    video = _video_of(delivery.event.subject, world, urls)
    return _rewritten(delivery, urls.url_in(delivery.url), VIDEO_PLACEHOLDER, video)
