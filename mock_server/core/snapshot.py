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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from mock_server.core.accounts import Key, KeyRing
from mock_server.core.agenda import Due, Occasion
from mock_server.core.clock import LAST_MS, Clock, SignaturesBy
from mock_server.core.deliveries import DeliveriesState, Delivery, DeliveryState
from mock_server.core.endpoints import Endpoint
from mock_server.core.faults import Faults, FaultsState
from mock_server.core.idempotency import KeptKey
from mock_server.core.inbox import InboxState
from mock_server.core.journal import JournalState
from mock_server.core.ledger import LedgerState
from mock_server.core.long_json import json_parts
from mock_server.core.rate import RateWindow
from mock_server.core.tasks import Order, Task
from mock_server.core.uploads import StoredFile
from mock_server.core.world import World, WorldRules

Moment = Annotated[int, Meta(ge=0, le=LAST_MS)]

OF_REQUESTS = {Occasion.ALARM, Occasion.DELAY_OVER}
"""Why a world looks up for the sake of a request; those are not in a snapshot."""

_INBOX = "inbox:"
VIDEO = b"\0"
"""Stands for the address of the task's video in the body of an event; JSON has no such byte."""


class ClockState(Struct, frozen=True, forbid_unknown_fields=True):
    """What time it is, and how it goes on."""

    mode: Literal["real", "frozen"]
    now_ms: Moment
    scale: Annotated[float, Meta(gt=0, le=10**6)]
    signatures: SignaturesBy = "world"


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


LARGE = (Snapshot, LedgerState, FaultsState, DeliveriesState, InboxState, JournalState)
"""What can be so long that it is read and written part by part."""


def take(
    world: World, place: Place, contents: Mapping[str, bytes], now_ms: int | None = None
) -> Snapshot:
    """What is in the world now. The world goes on as if nobody had looked.

    What can change in it goes on changing: write it down (`written`) before anything else happens,
    or take it of a `still_world`.
    contents: the bytes of every upload, by their digest. now_ms: None: what its clock says.
    """
    return _taken(world, place, contents, world.clock.now_ms() if now_ms is None else now_ms)


def written(snapshot: Snapshot) -> bytes:
    """The document, always the same for the same world: JSON in UTF-8, names in order, no spaces,
    bytes in base 64.
    """
    return b"".join(written_parts(snapshot))


def written_parts(snapshot: Snapshot) -> Iterator[bytes]:
    """The document in parts, none of which takes long to write."""
    return json_parts(snapshot, LARGE)


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
        signatures=snapshot.clock.signatures,
    )
    world = World(name, snapshot.seed, clock, snapshot.rules, KeyRing(snapshot.keys))
    _fill(world, snapshot, place)
    again = _taken(world, place, snapshot.contents, snapshot.clock.now_ms)
    return world, written(again)


# --- out ----------------------------------------------------------------------------------------


def _taken(world: World, place: Place, contents: Mapping[str, bytes], now_ms: int) -> Snapshot:
    deliveries, due = _settled(world, now_ms)
    known = world.deliveries.state()
    agenda = [each for each in world.agenda if each.occasion not in OF_REQUESTS] + due
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
        was_let_go = is_tried(delivery) or (
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


def is_tried(delivery: Delivery) -> bool:
    """Whether any attempt is under way; in an edited document that may be an earlier one."""
    return any(attempt.ended_ms is None for attempt in delivery.attempts)


def _delivery_out(delivery: Delivery, world: World, place: Place) -> Delivery:
    event = delivery.event
    video = _video_of(event.subject, world, place)
    return dataclasses.replace(
        delivery,
        url=place.url_out(delivery.url),
        event=dataclasses.replace(event, body=event.body.replace(video, VIDEO)),
    )


def _video_of(task_id: str, world: World, place: Place) -> bytes:
    """How an event about this task spells the address of its video."""
    task = world.tasks.get(task_id)
    base_url = place.base_url if task is None else task.order.base_url
    return msgspec.json.encode(place.video_url(base_url, task_id))[1:-1]


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
        event=dataclasses.replace(event, body=event.body.replace(VIDEO, video)),
    )
