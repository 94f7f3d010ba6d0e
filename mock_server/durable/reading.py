"""Makes worlds of the rows of a state file."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mock_server.core.agenda import Due, Occasion
from mock_server.core.deliveries import DeliveriesState, Delivery
from mock_server.core.faults import FaultsState
from mock_server.core.history import HistoryState
from mock_server.core.history_entries import LedgerEntry
from mock_server.core.inbox import InboxState
from mock_server.core.journal import JournalState
from mock_server.core.ledger import AccountState, LedgerState, Reservation
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.snapshot import ClockState, Snapshot, UrlRewriter, fill_world
from mock_server.core.task_record import TaskRecord
from mock_server.core.tasks import NEVER_MS, Order, Task
from mock_server.core.world import World
from mock_server.durable.kinds import (
    TYPES,
    AccountRow,
    RowKind,
    StateRow,
    TaskChangeRow,
    WorldRow,
)
from mock_server.durable.turns import Row
from mock_server.durable.world_rows import WorldRows
from mock_server.simulation.worlds import Worlds

_AS_IT_IS = UrlRewriter("", "inbox:", lambda *_: "")
"""In a state file all URLs are as in the world."""


def read_worlds(
    rows: Iterable[Row], worlds: Worlds, new_number: Callable[[], int]
) -> tuple[list[WorldRows], list[int]]:
    """Put the worlds of these rows into the place of those that are there, in the order of their
    making. Returns their rows, and the numbers of rows whose world is gone.

    rows: in any order. new_number: as for WorldRows.
    Raises msgspec.ValidationError or msgspec.DecodeError for a row that is no such row, and refuses
    with OtherShard a world that another process would have.
    """
    decode = {kind: msgspec.msgpack.Decoder(TYPES[kind]).decode for kind in RowKind}
    of_worlds: dict[int, _Rows] = {}
    names: dict[str, str] = {}
    for number, world, kind_number, body in rows:
        of_world = of_worlds.get(world)
        if of_world is None:
            of_world = of_worlds[world] = _Rows(names)
        kind = RowKind(kind_number)
        of_world.add(number, kind, decode[kind](body))
    found: list[WorldRows] = []
    orphans: list[int] = []
    for world in sorted(of_worlds):
        of_world = of_worlds.pop(world)
        if of_world.by_kind[RowKind.WORLD]:
            found.append(_world(of_world, worlds, new_number))
        else:
            orphans += of_world.numbers()
    return found, orphans


class _StoredTask(Struct, gc=False):
    """A task as it was last. ended_number: as in TaskChangeRow."""

    task: Task
    record: TaskRecord | None
    is_held: bool
    held_number: int
    ended_number: int = 0


class _Rows:
    """The rows of one world.

    Of a task and its changes only what is needed is kept, from the first moment: rows that become
    free at the end leave holes in the memory.
    by_kind: number and row. tasks: by the number of their row.
    """

    def __init__(self, names: dict[str, str]) -> None:
        """names: one object for each name that many tasks have."""
        self._names = names
        self.by_kind: dict[RowKind, list[tuple[int, Any]]] = {each: [] for each in RowKind}
        self.tasks: dict[int, _StoredTask] = {}
        self._changes: dict[int, TaskChangeRow] = {}

    def add(self, number: int, kind: RowKind, row: Any) -> None:
        """Add a row. Those of a world come in any order."""
        if kind is RowKind.TASK:
            task = replace(row.task, order=self._shared(row.task.order))
            stored = _StoredTask(task, row.record, row.is_held, row.held_number)
            self.tasks[number] = stored
            change = self._changes.pop(number, None)
        elif kind is RowKind.TASK_CHANGE:
            change = row
            number -= 1  # of its task
            found = self.tasks.get(number)
            if found is None:
                self._changes[number] = change
                return
            stored = found
        else:
            self.by_kind[kind].append((number, row))
            return
        if change is not None:
            stored.record, stored.is_held = change.record, change.is_held
            stored.ended_number = change.ended_number
            if change.planned is not None:
                stored.task = replace(stored.task, planned=change.planned)

    def numbers(self) -> Iterator[int]:
        """The numbers of all rows."""
        for rows in self.by_kind.values():
            yield from (number for number, _ in rows)
        for number in self.tasks:
            yield from (number, number + 1)
        yield from (number + 1 for number in self._changes)

    def _shared(self, order: Order) -> Order:
        share = self._names.setdefault
        return replace(
            order,
            api=share(order.api, order.api),
            account=share(order.account, order.account),
            key=share(order.key, order.key),
            model=share(order.model, order.model),
            base_url=share(order.base_url, order.base_url),
        )


def _world(found: _Rows, worlds: Worlds, new_number: Callable[[], int]) -> WorldRows:
    by_kind = found.by_kind
    number, made_of = by_kind[RowKind.WORLD][0]
    worlds.require_own(made_of.name)
    for of_kind in by_kind.values():
        of_kind.sort(key=itemgetter(0))
    of: dict[RowKind, list[Any]] = {
        kind: [row for _, row in rows] for kind, rows in by_kind.items()
    }
    numbers = sorted(found.tasks)
    tasks = [found.tasks[each] for each in numbers]
    state: StateRow = of[RowKind.STATE][0]
    world = worlds.empty_world(made_of.name, made_of.seed, made_of.rules, of[RowKind.CREDENTIAL])
    world.clock.restore(state.clock)
    for each in tasks:
        world.tasks.add(each.task)
    movements = {(row.entry.account, row.number): row.entry for row in of[RowKind.LEDGER]}
    movements |= _movements_of_tasks(world, tasks, of[RowKind.ACCOUNT])
    agenda = _agenda(tasks, of, state, world.clock.now_ms())
    snapshot = _snapshot(made_of, state, tasks, of, movements=movements, agenda=agenda)
    fill_world(world, snapshot, _AS_IT_IS)
    world.history.records |= {
        each.task.id: each.record for each in tasks if each.record is not None
    }
    slot = worlds.put_stored(made_of.plan, made_of.accounts, world, made_of.secrets)
    rows = WorldRows(slot, new_number, number)
    for row_number, each in zip(numbers, tasks, strict=True):
        rows.adopt_task(row_number, each.task.id)
    kept_ends = (
        each for each in tasks if (each.task.order.account, each.ended_number) in movements
    )
    for each in sorted(kept_ends, key=attrgetter("ended_number")):
        rows.adopt_end(each.task, each.ended_number)
    for kind, of_kind in by_kind.items():
        for row_number, row in of_kind:
            rows.adopt(row_number, kind, row)
    return rows


def _movements_of_tasks(
    world: World, tasks: list[_StoredTask], accounts: list[AccountRow]
) -> dict[tuple[str, int], LedgerEntry]:
    """The movements of credits that have no row of their own, by account and number."""
    most = world.rules.history_entries
    first = {row.account: max(0, row.movements - most) for row in accounts}
    found = {}
    for row in tasks:
        order, record = row.task.order, row.record
        held, ended = row.held_number, row.ended_number
        account = order.account
        if record is None or max(held, ended) <= first[account]:
            continue
        facts = record.facts
        if held > first[account]:
            number = facts.request_number
            request = world.request_id(number) if number else None
            found[account, held] = LedgerEntry(
                row.task.created_ms,
                facts.held_wall_ms,
                account,
                "held",
                order.price_credits,
                facts.held_available_credits,
                row.task.id,
                request,
            )
        if ended > first[account]:
            planned = row.task.planned
            succeeded = planned.outcome is TaskEvent.RENDERED
            found[account, ended] = LedgerEntry(
                planned.ends_ms,
                facts.ended_wall_ms,
                account,
                "spent" if succeeded else "given_back",
                order.price_credits,
                facts.ended_available_credits,
                row.task.id,
            )
    return found


def _agenda(
    tasks: list[_StoredTask], of: dict[RowKind, list[Any]], state: StateRow, now_ms: int
) -> Iterator[Due]:
    """What is due, as it follows from tasks and deliveries."""
    held_back = frozenset(state.held_back)
    for row in tasks:
        if row.is_held:
            task, record = row.task, row.record
            planned = task.planned
            was_taken_up = planned.taken_up_ms <= now_ms if record is None else record.was_taken_up
            if not was_taken_up:
                yield Due(planned.taken_up_ms, Occasion.TASK_TAKEN_UP, task.id)
            if planned.ends_ms != NEVER_MS:
                yield Due(planned.ends_ms, Occasion.TASK_ENDS, task.id)
    for row in of[RowKind.DELIVERY]:
        delivery: Delivery = row.delivery
        if delivery.next_attempt_ms is not None and delivery.id not in held_back:
            yield Due(delivery.next_attempt_ms, Occasion.ATTEMPT_DUE, delivery.id)


def _snapshot(
    made_of: WorldRow,
    state: StateRow,
    tasks: list[_StoredTask],
    of: dict[RowKind, list[Any]],
    *,
    movements: dict[tuple[str, int], LedgerEntry],
    agenda: Iterable[Due],
) -> Snapshot:
    """The rows as a snapshot without tasks and their records, which are in the world already."""
    deliveries, accounts = of[RowKind.DELIVERY], of[RowKind.ACCOUNT]
    groups = {row.group: row.faults for row in of[RowKind.FAULTS]}
    ended = sorted(
        (row for row in deliveries if row.number_of_end), key=attrgetter("number_of_end")
    )
    most = made_of.rules.history_entries
    first = {row.account: max(0, row.movements - most) for row in accounts}
    place = {row.account: number for number, row in enumerate(accounts)}
    kept = {
        key: movements[key]
        for key in sorted(movements, key=lambda key: (place[key[0]], key[1]))
        if key[1] > first[key[0]]
    }
    count = Counter(account for account, _ in kept)
    received: dict[str, list[Any]] = {row.name: [] for row in of[RowKind.INBOX]}
    for row in of[RowKind.RECEIVED]:
        received[row.inbox].append(row.request)
    clock_moves, fault_changes = of[RowKind.CLOCK_MOVE][-most:], of[RowKind.FAULT_CHANGE][-most:]
    return Snapshot(
        format=1,
        seed=made_of.seed,
        clock=ClockState("frozen", 0, 1.0),
        rules=made_of.rules,
        keys=(),
        ledger=LedgerState(
            tuple(
                AccountState(row.account, row.balance, row.movements - count[row.account])
                for row in accounts
            ),
            tuple(
                Reservation(row.task.id, row.task.order.account, row.task.order.price_credits)
                for row in tasks
                if row.is_held
            ),
            tuple(kept.values()),
        ),
        tasks=(),
        task_faults=tuple(of[RowKind.TASK_FAULTS]),
        asked_faults=tuple(of[RowKind.ASKED_FAULTS]),
        agenda=tuple(agenda),
        rates=tuple(of[RowKind.RATE]),
        idempotency=tuple(sorted(of[RowKind.IDEMPOTENCY], key=lambda row: row.expires_ms)),
        files=tuple(of[RowKind.FILE]),
        contents={},
        endpoints=tuple(of[RowKind.ENDPOINT]),
        deliveries=DeliveriesState(
            state.made_deliveries,
            state.attempted,
            tuple(row.delivery for row in deliveries),
            tuple(row.delivery.id for row in ended),
        ),
        held_back=state.held_back,
        inboxes=tuple(
            InboxState(row.name, row.received, tuple(received[row.name]), row.answers, row.given)
            for row in of[RowKind.INBOX]
        ),
        faults=groups.get("fault", FaultsState("fault", 0, ())),
        default_faults=groups.get("default", FaultsState("default", 0, ())),
        journal=JournalState(state.opened, tuple(of[RowKind.EXCHANGE]), state.cleared),
        history=HistoryState(
            (),
            tuple(clock_moves),
            state.clock_moves - len(clock_moves),
            tuple(fault_changes),
            state.fault_changes - len(fault_changes),
        ),
        in_flight={row.account: row.in_flight for row in accounts if row.in_flight},
        forgotten=state.forgotten,
    )
