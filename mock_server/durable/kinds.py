"""The kinds of rows in a state file, and what each holds: MessagePack, one value a row.

A row is an array whose first items are what it was made of in version 1 of its kind. To change a
kind, raise its version and add the migration to `MIGRATIONS`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Any

from msgspec import Raw, Struct, msgpack

from mock_server.config.settings import AccountSettings
from mock_server.core.accounts import Key
from mock_server.core.clock import ClockAnchor
from mock_server.core.deliveries import Delivery
from mock_server.core.endpoints import Endpoint
from mock_server.core.expiry import Forgotten
from mock_server.core.faults import FaultsState
from mock_server.core.history_entries import ClockMove, FaultChange, LedgerEntry
from mock_server.core.idempotency import KeptKey
from mock_server.core.inbox import InboxAnswer, Received
from mock_server.core.journal import Exchange
from mock_server.core.ledger import Balance
from mock_server.core.rate import RateWindow
from mock_server.core.snapshot import AskedFaults, TaskFaults
from mock_server.core.task_record import TaskRecord
from mock_server.core.tasks import PlannedOutcome, Task
from mock_server.core.uploads import StoredFile
from mock_server.core.world import WorldRules
from mock_server.durable.turns import Row
from mock_server.simulation.world_plans import WorldPlan


class RowKind(IntEnum):
    """The number of a kind in the file; it never changes its meaning."""

    WORLD = 1
    STATE = 2
    ACCOUNT = 3
    CREDENTIAL = 4
    TASK = 5
    LEDGER = 6
    IDEMPOTENCY = 7
    RATE = 8
    FILE = 9
    ENDPOINT = 10
    DELIVERY = 11
    FAULTS = 12
    TASK_FAULTS = 13
    ASKED_FAULTS = 14
    INBOX = 15
    RECEIVED = 16
    CLOCK_MOVE = 17
    FAULT_CHANGE = 18
    TASK_CHANGE = 19
    EXCHANGE = 20


class WorldRow(Struct, array_like=True, frozen=True):
    """What a world was made from. secrets: the keys that select it if a request names no world."""

    name: str
    seed: int
    plan: WorldPlan
    accounts: tuple[AccountSettings, ...]
    rules: WorldRules
    secrets: tuple[str, ...]


class StateRow(Struct, array_like=True, frozen=True):
    """What a world has once.

    opened: at least the number of all requests so far. clock_moves, fault_changes: the number of
    all of them, deleted ones included.
    """

    clock: ClockAnchor
    opened: int
    cleared: int
    made_deliveries: int
    attempted: int
    held_back: tuple[str, ...]
    forgotten: Forgotten
    clock_moves: int
    fault_changes: int


class AccountRow(Struct, array_like=True, frozen=True):
    """An account. movements: the number of all of its movements, deleted ones included."""

    account: str
    balance: Balance
    movements: int
    in_flight: int


class TaskRow(Struct, array_like=True, frozen=True, gc=False):
    """A task as it was when it was written first. Later changes are in its TaskChangeRow.

    held_number: of the movement that held its price, among all of its account; 0 if that has a row
    of its own.
    """

    task: Task
    record: TaskRecord | None
    is_held: bool
    held_number: int = 0


class TaskChangeRow(Struct, array_like=True, frozen=True, gc=False):
    """What has changed of a task, whose row has the number before this one.

    planned: None: as the task was made. is_held: whether credits are still held for it.
    ended_number: of the movement at its end; 0 if there is none, or it has a row of its own, or is
    no longer kept.
    """

    planned: PlannedOutcome | None
    record: TaskRecord | None
    is_held: bool
    ended_number: int = 0


class LedgerRow(Struct, array_like=True, frozen=True, gc=False):
    """A movement of credits. number: among all of its account."""

    number: int
    entry: LedgerEntry


class DeliveryRow(Struct, array_like=True, frozen=True):
    """A delivery. number_of_end: its place among the ends of all; 0 if it has not ended."""

    delivery: Delivery
    number_of_end: int


class FaultsRow(Struct, array_like=True, frozen=True):
    """A group of faults of the world: `fault` or `default`."""

    group: str
    faults: FaultsState


class InboxRow(Struct, array_like=True, frozen=True):
    """An inbox without its requests. given: how often its first answer was given."""

    name: str
    received: int
    answers: tuple[InboxAnswer, ...]
    given: int


class ReceivedRow(Struct, array_like=True, frozen=True):
    """A request to an inbox."""

    inbox: str
    request: Received


TYPES: Mapping[RowKind, Any] = {
    RowKind.WORLD: WorldRow,
    RowKind.STATE: StateRow,
    RowKind.ACCOUNT: AccountRow,
    RowKind.CREDENTIAL: Key,
    RowKind.TASK: TaskRow,
    RowKind.LEDGER: LedgerRow,
    RowKind.IDEMPOTENCY: KeptKey,
    RowKind.RATE: RateWindow,
    RowKind.FILE: StoredFile,
    RowKind.ENDPOINT: Endpoint,
    RowKind.DELIVERY: DeliveryRow,
    RowKind.FAULTS: FaultsRow,
    RowKind.TASK_FAULTS: TaskFaults,
    RowKind.ASKED_FAULTS: AskedFaults,
    RowKind.INBOX: InboxRow,
    RowKind.RECEIVED: ReceivedRow,
    RowKind.CLOCK_MOVE: ClockMove,
    RowKind.FAULT_CHANGE: FaultChange,
    RowKind.TASK_CHANGE: TaskChangeRow,
    RowKind.EXCHANGE: Exchange,
}

VERSIONS: Mapping[RowKind, int] = dict.fromkeys(RowKind, 1)
"""The version in which this server writes each kind."""

Migration = Callable[[Any], Any]
"""Changes a row of one version into one of the next; both as lists, dicts, texts and numbers."""

MIGRATIONS: Mapping[tuple[RowKind, int], Migration] = {}
"""By kind, and the version that it changes."""


def migrated(rows: Iterable[Row], versions: Mapping[RowKind, int]) -> Iterator[Row]:
    """Rows of kinds whose version is an earlier one, as they are in the present version.

    versions: of each kind in the file; a kind that is not there has no rows.
    """
    old = {int(kind) for kind, version in versions.items() if version < VERSIONS[kind]}
    for number, world, kind, body in rows:
        if kind in old:
            value = msgpack.decode(body)
            for version in range(versions[RowKind(kind)], VERSIONS[RowKind(kind)]):
                value = MIGRATIONS[RowKind(kind), version](value)
            yield number, world, kind, Raw(msgpack.encode(value))
