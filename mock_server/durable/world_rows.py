"""The rows of one world: turns what has changed in it into rows to write and rows to delete."""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from mock_server.core.journal import NUMBERED_AT_ONCE
from mock_server.core.marks import Kind
from mock_server.core.ring import Ring
from mock_server.core.snapshot import AskedFaults, TaskFaults
from mock_server.core.tasks import Task
from mock_server.durable.kinds import (
    AccountRow,
    DeliveryRow,
    FaultsRow,
    InboxRow,
    LedgerRow,
    ReceivedRow,
    RowKind,
    StateRow,
    TaskChangeRow,
    TaskRow,
    WorldRow,
)
from mock_server.durable.turns import Turn
from mock_server.simulation.worlds import WorldSlot

_WRITTEN_AT_ONCE = 1000
"""Things of a new world that one turn writes."""

_SURPLUS = 1000
"""Rows of a list that may be in the file though they are no longer kept."""


class WorldRows:
    """Knows which row of the file has which thing of a world.

    number: of the world in the file. It is the number of its own row.
    is_whole: whether the file has all of the world. replaces: those whose place it takes then.
    is_exact: whether no more requests come, so that their number is written as it is.
    """

    def __init__(
        self, slot: WorldSlot, new_number: Callable[[], int], number: int | None = None
    ) -> None:
        """new_number: returns that of a new row. They grow, so rows are in the order of the world.
        number: of the world, if it is in the file already."""
        self.world = slot.world
        self.slot = slot
        self._new_number = new_number
        self.number = new_number() if number is None else number
        self._rows: dict[tuple[Kind, Hashable], int] = {("world", ""): self.number}
        self._tasks: dict[str, int] = {}
        self._lists: defaultdict[tuple[RowKind, str], _ListRows] = defaultdict(_ListRows)
        self._held_numbers: dict[str, int] = {}
        self._ended_numbers: defaultdict[str, dict[str, int]] = defaultdict(dict)
        """By account: of the movements at the ends of tasks that are still kept, and some more."""
        self._exchanges: dict[int, int] = {}
        self._derives_movements = not any(
            each.task_ms for each in self.world.rules.lifetimes.values()
        )
        self._unwritten: deque[tuple[Kind, Hashable]] = deque()
        self.is_exact = False
        self.is_whole = True
        self.replaces: tuple[WorldRows, ...] = ()

    # --- writing ------------------------------------------------------------------------------

    def begin(self, replaced: Iterable["WorldRows"]) -> None:
        """Write the whole world, a part of it with each turn and its own row last. Then it takes
        the place of these."""
        self.replaces = tuple(replaced)
        self.is_whole = False
        self._unwritten = deque(self._everything())

    def _everything(self) -> list[tuple[Kind, Hashable]]:
        world = self.world
        everything: dict[Kind, Iterable[Hashable]] = {
            "state": [""],
            "history": [""],
            "journal": [""],
            "faults": ["fault", "default"],
            "credential": (key.secret for key in world.keys),
            "account": dict.fromkeys((*world.ledger.accounts, *world.in_flight.account_limits)),
            "task": (task.id for task in world.tasks),
            "task_faults": world.task_faults,
            "asked_faults": world.asked_faults,
            "rate": (window.key for window in world.rates.state()),
            "idempotency": (key.scope for key in world.idempotency.state()),
            "file": (file.id for file in world.uploads),
            "endpoint": (endpoint.id for endpoint in world.endpoints),
            "delivery": (delivery.id for delivery in world.deliveries),
            "inbox": (inbox.name for inbox in world.inboxes),
            "world": [""],
        }
        return [(kind, subject) for kind, subjects in everything.items() for subject in subjects]

    def take_changes(self, turn: Turn, *, most_later: int | None = 0) -> bool:
        """Add to a turn what has changed since this was called last. most_later: how many of
        `Marks.later`, too; None: all. Returns whether some of those are left."""
        if not self.is_whole:
            for _ in range(min(_WRITTEN_AT_ONCE, len(self._unwritten))):
                self._add(*self._unwritten.popleft(), turn)
            if self._unwritten:
                return True
        taken = self.world.marks.take(most_later)
        if "history" in taken:
            taken["state"] = {"": None}  # it has how long the lists are
        task_ids = taken.pop("task", {})
        for kind, subjects in taken.items():
            for subject in subjects:
                self._add(kind, subject, turn)
        self._add_tasks(task_ids, turn)  # last: their rows have the numbers of movements
        self.is_whole = True
        return bool(self.world.marks.later)

    def numbers(self) -> Iterator[int]:
        """The numbers of all rows of the world; its own row comes first."""
        yield from self._rows.values()
        for number in self._tasks.values():
            yield number
            yield number + 1
        yield from self._exchanges.values()
        for rows in self._lists.values():
            yield from rows.numbers

    def _add_tasks(self, task_ids: Iterable[Any], turn: Turn) -> None:
        """A task has a row as it was made, and one more for what has changed since then."""
        world, written, numbers = self.world, turn.written, self._tasks
        get_task, get_record, holds = world.tasks.get, world.history.records.get, world.ledger.holds
        for task_id in task_ids:
            task, number = get_task(task_id), numbers.get(task_id)
            if task is None:
                if number is not None:
                    del numbers[task_id]
                    turn.deleted += (number, number + 1)
                continue
            record, is_held = get_record(task_id), holds(task_id)
            if number is None:
                number = numbers[task_id] = self._new_number()
                self._new_number()  # of its changes
                row = TaskRow(task, record, is_held, self._held_numbers.pop(task_id, 0))
                written.append((number, self.number, RowKind.TASK, row))
                continue
            planned = None
            if record is None or record.was_ended_by_hand:
                planned = task.planned
            ended_number = 0 if is_held else self._ended_numbers[task.order.account].get(task_id, 0)
            change = TaskChangeRow(planned, record, is_held, ended_number)
            written.append((number + 1, self.number, RowKind.TASK_CHANGE, change))

    def _add(self, kind: Kind, subject: Any, turn: Turn) -> None:
        if kind == "task":
            self._add_tasks([subject], turn)
            return
        if kind == "history":
            history = self.world.history
            self._add_list(RowKind.CLOCK_MOVE, "", history.clock_moves, turn)
            self._add_list(RowKind.FAULT_CHANGE, "", history.fault_changes, turn)
            return
        if kind == "journal":
            self._add_exchanges(turn)
            return
        if kind == "account":
            self._add_movements(subject, turn)
        elif kind == "inbox":
            self._add_received(subject, turn)
        row_kind, make, _ = _THINGS[kind]
        body = make(self, subject)
        number = self._rows.get((kind, subject))
        if body is not None:
            if number is None:
                number = self._rows[kind, subject] = self._new_number()
            turn.written.append((number, self.number, row_kind, body))
        elif number is not None:
            del self._rows[kind, subject]
            turn.deleted.append(number)

    def _add_list(self, kind: RowKind, owner: str, items: Ring[Any], turn: Turn) -> None:
        rows = self._lists[kind, owner]
        for item in items.after(rows.made):
            turn.written.append((rows.new(self._new_number()), self.number, kind, item))
        rows.made = items.made
        turn.deleted.extend(rows.surplus(len(items), _SURPLUS))

    def _add_movements(self, account: str, turn: Turn) -> None:
        """Add the movements of an account. Those of tasks follow from the rows of the tasks, unless
        tasks are forgotten."""
        movements, rows = self.world.ledger.rows(account), self._lists[RowKind.LEDGER, account]
        new, kind = movements.after(rows.made), RowKind.LEDGER
        has_own_rows = not self.is_whole or not self._derives_movements
        ended = self._ended_numbers[account]
        for number, entry in enumerate(new, start=movements.made - len(new) + 1):
            if entry.task is None or has_own_rows:
                own_number = rows.new(self._new_number())
                turn.written.append((own_number, self.number, kind, LedgerRow(number, entry)))
            elif entry.moved == "held":
                self._held_numbers[entry.task] = number
            else:
                ended[entry.task] = number
        rows.made = movements.made
        turn.deleted.extend(rows.surplus(len(movements), _SURPLUS))
        while len(ended) > len(movements):
            del ended[next(iter(ended))]

    def _add_exchanges(self, turn: Turn) -> None:
        """Add the requests that have ended, if the file has the journal; delete all others."""
        world, rows = self.world, self._exchanges
        ended = [each for each in world.journal if each.ended_ms is not None]
        kept = {each.number: each for each in ended} if world.marks.has_journal else {}
        for number in [number for number in rows if number not in kept]:
            turn.deleted.append(rows.pop(number))
        for number, exchange in kept.items():
            if number not in rows:
                rows[number] = self._new_number()
                turn.written.append((rows[number], self.number, RowKind.EXCHANGE, exchange))

    def _add_received(self, name: str, turn: Turn) -> None:
        inbox = self.world.inboxes.find(name)
        rows, requests = self._lists[RowKind.RECEIVED, name], list(inbox)
        new = min(inbox.received - rows.made, len(requests))
        for request in requests[len(requests) - new :]:
            number = rows.new(self._new_number())
            row = ReceivedRow(name, request)
            turn.written.append((number, self.number, RowKind.RECEIVED, row))
        rows.made = inbox.received
        turn.deleted.extend(rows.surplus(len(requests), 0))

    # --- reading ------------------------------------------------------------------------------

    def adopt(self, number: int, kind: RowKind, row: Any) -> None:
        """Note that the file has this row of the world."""
        if (of_list := _LISTS.get(kind)) is not None:
            self._lists[kind, of_list(row)].numbers.append(number)
            return
        if kind is RowKind.EXCHANGE:
            self._exchanges[row.number] = number
            return
        mark_kind, subject_of = _SUBJECTS[kind]
        subject = subject_of(row)
        self._rows[mark_kind, subject] = number
        if isinstance(row, AccountRow):
            self._lists[RowKind.LEDGER, row.account].made = row.movements
        elif isinstance(row, InboxRow):
            self._lists[RowKind.RECEIVED, row.name].made = row.received
        elif isinstance(row, StateRow):
            self._lists[RowKind.CLOCK_MOVE, ""].made = row.clock_moves
            self._lists[RowKind.FAULT_CHANGE, ""].made = row.fault_changes

    def adopt_task(self, number: int, task_id: str) -> None:
        """Note that the file has this task."""
        self._tasks[task_id] = number

    def adopt_end(self, task: Task, ended_number: int) -> None:
        """Note the number of the movement at the end of a task, in the order of the numbers."""
        self._ended_numbers[task.order.account][task.id] = ended_number


class _ListRows:
    """The rows of a list that only grows. made: of its items, how many were ever written."""

    def __init__(self) -> None:
        self.numbers: deque[int] = deque()
        self.made = 0

    def new(self, number: int) -> int:
        """Add the number of a new row, and return it."""
        self.numbers.append(number)
        return number

    def surplus(self, kept: int, tolerated: int) -> list[int]:
        """The oldest rows, if there are more than `tolerated` beside those that are kept."""
        if len(self.numbers) <= kept + tolerated:
            return []
        return [self.numbers.popleft() for _ in range(len(self.numbers) - kept)]


def _world_row(rows: WorldRows, _: Any) -> WorldRow:
    world, slot = rows.world, rows.slot
    secrets = tuple(sorted(slot.secrets))
    return WorldRow(world.name, world.seed, slot.plan, slot.accounts, world.rules, secrets)


def _state_row(rows: WorldRows, _: Any) -> StateRow:
    world = rows.world
    journal, deliveries, history = world.journal, world.deliveries, world.history
    steps = journal.opened // NUMBERED_AT_ONCE + 1
    return StateRow(
        world.clock.state(),
        journal.opened if rows.is_exact else steps * NUMBERED_AT_ONCE,
        journal.cleared,
        deliveries.made,
        deliveries.attempted,
        tuple(each.id for held in world.dispatch.held_back.values() for each in held),
        world.expiry.state(),
        history.clock_moves.made,
        history.fault_changes.made,
    )


def _account_row(rows: WorldRows, account: str) -> AccountRow:
    world = rows.world
    return AccountRow(
        account,
        world.ledger.balance(account),
        world.ledger.rows(account).made,
        world.in_flight.account_limits.get(account, 0),
    )


def _delivery_row(rows: WorldRows, delivery_id: str) -> DeliveryRow | None:
    deliveries = rows.world.deliveries
    delivery = deliveries.get(delivery_id)
    if delivery is None:
        return None
    return DeliveryRow(delivery, deliveries.number_of_end(delivery_id))


def _faults_row(rows: WorldRows, group: str) -> FaultsRow:
    world = rows.world
    faults = world.faults if group == "fault" else world.default_faults
    return FaultsRow(group, faults.state())


def _task_faults(rows: WorldRows, task_id: str) -> TaskFaults | None:
    faults = rows.world.task_faults.get(task_id)
    return None if faults is None else TaskFaults(task_id, faults.state())


def _asked_faults(rows: WorldRows, asked: str) -> AskedFaults:
    return AskedFaults(asked, rows.world.asked_faults[asked].state())


def _inbox_row(rows: WorldRows, name: str) -> InboxRow:
    state = rows.world.inboxes.find(name).state()
    return InboxRow(name, state.received, state.answers, state.given)


_THINGS: dict[Kind, tuple[RowKind, Callable[[WorldRows, Any], Any], Callable[[Any], Hashable]]] = {
    "world": (RowKind.WORLD, _world_row, lambda _: ""),
    "state": (RowKind.STATE, _state_row, lambda _: ""),
    "account": (RowKind.ACCOUNT, _account_row, lambda row: row.account),
    "credential": (
        RowKind.CREDENTIAL,
        lambda rows, secret: rows.world.keys.get(secret),
        lambda row: row.secret,
    ),
    "idempotency": (
        RowKind.IDEMPOTENCY,
        lambda rows, scope: rows.world.idempotency.get(scope),
        lambda row: row.scope,
    ),
    "rate": (RowKind.RATE, lambda rows, key: rows.world.rates.get(key), lambda row: row.key),
    "file": (RowKind.FILE, lambda rows, file: rows.world.uploads.get(file), lambda row: row.id),
    "endpoint": (
        RowKind.ENDPOINT,
        lambda rows, endpoint: rows.world.endpoints.get(endpoint),
        lambda row: row.id,
    ),
    "delivery": (RowKind.DELIVERY, _delivery_row, lambda row: row.delivery.id),
    "faults": (RowKind.FAULTS, _faults_row, lambda row: row.group),
    "task_faults": (RowKind.TASK_FAULTS, _task_faults, lambda row: row.task_id),
    "asked_faults": (RowKind.ASKED_FAULTS, _asked_faults, lambda row: row.asked),
    "inbox": (RowKind.INBOX, _inbox_row, lambda row: row.name),
}
"""Of each kind of mark: its kind of row, what that has now (None if the thing is gone), and the
thing that a row is about."""

_SUBJECTS = {row_kind: (kind, subject_of) for kind, (row_kind, _, subject_of) in _THINGS.items()}
"""The mark of each row."""

_LISTS: dict[RowKind, Callable[[Any], str]] = {
    RowKind.LEDGER: lambda row: row.entry.account,
    RowKind.RECEIVED: lambda row: row.inbox,
    RowKind.CLOCK_MOVE: lambda _: "",
    RowKind.FAULT_CHANGE: lambda _: "",
}
"""Rows of lists, and the owner of the list of each."""
