"""Writes what a turn of the event loop has changed before anything of that turn is sent."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from mock_server.config.settings import StateSettings
from mock_server.core.refusals import OtherShard
from mock_server.core.shards import name_of
from mock_server.durable.kinds import migrated
from mock_server.durable.reading import read_worlds
from mock_server.durable.state_file import NumberedTurn, StateFile
from mock_server.durable.turns import Row, Turn, Turns, encode
from mock_server.durable.world_rows import WorldRows
from mock_server.outgoing.release import StateLost
from mock_server.simulation.state import Restart
from mock_server.simulation.worlds import Worlds, WorldSlot

log = logging.getLogger(__name__)

_LATER_S = 5.0
"""Real seconds until the file has what no answer or event tells. Most of it changes again
before that."""

_LATER_AT_ONCE = 1000
_NEXT_S = 0.02
"""Real seconds between two turns that write some of it."""

_DELETED_AT_ONCE = 2000
"""Rows of a world that is gone which one transaction deletes."""


class StateWriter:
    """Follows all worlds of a server with a state file. A StateKeeper.

    on_point: called with the name of each point at which a crash would differ from one before it.
    """

    on_point: Callable[[str], None] = staticmethod(lambda _: None)

    def __init__(
        self,
        file: StateFile,
        worlds: Worlds,
        *,
        in_thread: bool = False,
        with_journal: bool = False,
    ) -> None:
        """Put the worlds of the file into the place of those of the server, which are the first
        ones of an empty file. in_thread: write in a thread, because the disk makes it slow.
        with_journal: the file has the journal, too.
        Raises StateFileError for a file whose contents are broken or of another shard."""
        self.is_held = False
        self.on_lost: Callable[[], None] = lambda: None
        self.restart: Restart | None = None
        self._file = file
        self._worlds = worlds
        self._in_thread = in_thread
        self._with_journal = with_journal
        self._thread = ThreadPoolExecutor(1, "state file")
        self._is_writing = False
        self._is_lost = self._is_closed = self._is_shortening = False
        self._waiting: list[Callable[[bool], None]] = []
        self._being_written: list[Callable[[bool], None]] = []
        self._changed: dict[WorldRows, None] = {}
        self._changed_later: dict[WorldRows, None] = {}
        self._gone: list[WorldRows] = []
        self._commit_handle: asyncio.Handle | None = None
        self._later_timer: asyncio.TimerHandle | None = None
        self._turns = Turns()
        self._new_number = self._turns.new_number
        try:
            self._turns.read(file.turns())
            if changed := list(migrated(self._turns.rows(file.turns()), file.versions)):
                self._rewrite(changed)
            rows = self._turns.rows(file.turns())
            found, self._orphans = read_worlds(rows, worlds, self._new_number)
        except OtherShard as other:
            raise file.error(f"it is the file of the shard {name_of(other.shard)}") from None
        except (ValueError, LookupError, *file.errors) as error:
            raise file.broken(error) from None
        self._was_empty = not found
        self._rows = {rows.world.name: rows for rows in found}
        for each in found:
            self._listen(each)
            each.world.marks.mark_later("journal")  # if the file has one that it should not have
        for slot in worlds:
            if slot.world.name not in self._rows:
                self._add(slot)
        worlds.on_replaced = self._on_replaced

    def _rewrite(self, changed: list[Row]) -> None:
        """Write rows that were made by an earlier version as they are now."""
        turns = self._turns.divided(Turn(changed, []))
        self._file.set_versions((number, encode(turn)) for number, turn in turns)

    def begin(self) -> None:
        """As StateKeeper has it."""
        unknown = sum(slot.world.dispatch.resume() for slot in self._worlds)
        for slot in self._worlds:
            slot.timekeeper.catch_up()
            slot.timekeeper.watch()
        self._set_timer()
        self.commit()
        if self._was_empty:
            return
        tasks = sum(len(slot.world.tasks) for slot in self._worlds)
        requests = sum(slot.world.journal.evicted for slot in self._worlds)
        self.restart = Restart(requests, unknown)
        log.info(
            "%s: %d world(s) with %d task(s); not kept: at most %d request(s) of the "
            "journal, and requests without an answer; delivery attempts with an unknown outcome, "
            "made again: %d",
            self._file.path,
            len(self._worlds.names),
            tasks,
            requests,
            unknown,
        )

    # --- holding what is sent -----------------------------------------------------------------

    def when_released(self, send: Callable[[bool], None]) -> None:
        """As Release has it."""
        if self._is_lost:
            send(False)
        elif not self.is_held:
            send(True)
        elif self._is_writing and not self._has_changes:
            self._being_written.append(send)
        else:
            self._waiting.append(send)

    async def released(self) -> None:
        """As Release has it."""
        if not self.is_held:
            return
        released: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(is_written: bool) -> None:
            if released.done():
                return
            if is_written:
                released.set_result(None)
            else:
                released.set_exception(StateLost("the state file cannot be written"))

        self.when_released(end)
        await released

    @property
    def _has_changes(self) -> bool:
        return bool(self._changed or self._gone)

    def _hold(self) -> None:
        self.is_held = True
        is_coming = self._commit_handle is not None or self._is_writing
        if not is_coming and (loop := _running_loop()) is not None:
            self._commit_handle = loop.call_soon(self.commit)

    # --- writing ------------------------------------------------------------------------------

    def commit(self, *, most_later: int | None = 0) -> None:
        """Write what has changed, and release what is held. most_later: with so many things of
        each world that may wait; None: all."""
        if self._commit_handle is not None:
            self._commit_handle.cancel()
            self._commit_handle = None
        if self._is_lost or self._is_writing:
            return
        turn = self._take_turn(most_later)
        self._being_written += self._waiting
        self._waiting = []
        self.on_point("before commit")
        try:
            moved = self._moved_into(turn)
            turns = [(number, encode(part)) for number, part in self._turns.divided(turn)]
            if self._in_thread and (loop := _running_loop()) is not None:
                self._start(loop, self._file.write, turns, moved)
            else:
                self._file.write(turns, moved)
                self._end_of_writing(moved)
        except self._file.errors as error:
            self._lose(error)

    def _take_turn(self, most_later: int | None) -> Turn:
        changed, self._changed = self._changed, {}
        if most_later != 0:
            changed |= self._changed_later
        turn = Turn([], [])
        for rows in changed:
            if not rows.take_changes(turn, most_later=most_later):
                self._changed_later.pop(rows, None)
            if rows.is_whole:
                self._gone += rows.replaces
                rows.replaces = ()
            else:
                self._changed[rows] = None
        turn.deleted += self._numbers_to_delete()
        return turn

    def _moved_into(self, turn: Turn) -> list[int]:
        """Move what still counts of the oldest turns into this one. Returns their numbers."""
        moved = self._turns.oldest_to_move()
        if moved:
            written = {row[0] for row in turn.written}
            turn.written[:0] = [
                row
                for number in moved
                for row in self._turns.counting_rows(number, self._file.turn(number))
                if row[0] not in written
            ]
        return moved

    def _start(
        self,
        loop: asyncio.AbstractEventLoop,
        write: Callable[[list[NumberedTurn], list[int]], None],
        turns: list[NumberedTurn],
        moved: list[int],
    ) -> None:
        """Write in the thread; what changes meanwhile is written next."""
        self._is_writing = True
        writing = loop.run_in_executor(self._thread, write, turns, moved)

        def end(_: object) -> None:
            self._is_writing = False
            if writing.cancelled():
                return
            if (error := writing.exception()) is not None:
                self._lose(error)
            else:
                self._end_of_writing(moved)

        writing.add_done_callback(end)

    def _end_of_writing(self, moved: list[int]) -> None:
        for number in moved:
            self._turns.forget(number)
        self.on_point("after commit")
        self._end_of_hold()
        if self._file.has_long_log and not self._is_shortening:
            loop = _running_loop()
            if loop is not None:
                self._shorten_log(loop)

    def _end_of_hold(self) -> None:
        """Release what was written, and write what has changed since then."""
        written, self._being_written = self._being_written, []
        if not all(rows.is_whole for rows in self._changed):
            self._waiting[:0] = written
            self._hold()
            return
        self.is_held = self._has_changes
        for send in written:
            send(True)
        if self._has_changes:
            self._hold()
        elif self._orphans and (loop := _running_loop()) is not None:
            self._commit_handle = loop.call_soon(self.commit)

    def _shorten_log(self, loop: asyncio.AbstractEventLoop) -> None:
        """Shorten the log in the thread, twice: the second time it is short, so nothing is written
        meanwhile, and then the log begins anew."""
        self._is_shortening = True
        first = loop.run_in_executor(self._thread, self._file.shorten_log)

        def end(ended: asyncio.Future[None]) -> None:
            self._is_writing = False
            self._is_shortening = ended is first
            if ended.cancelled() or self._is_lost:
                return
            if (error := ended.exception()) is not None:
                self._lose(error)
            elif ended is first:
                self._is_writing = True
                loop.run_in_executor(self._thread, self._file.shorten_log).add_done_callback(end)
            elif self.is_held:
                self.commit()

        first.add_done_callback(end)

    def _lose(self, error: BaseException) -> None:
        self._is_lost = self.is_held = True
        if self._commit_handle is not None:
            self._commit_handle.cancel()
        log.error("%s", self._file.reason(error))
        waiting = self._being_written + self._waiting
        self._being_written, self._waiting = [], []
        for send in waiting:
            send(False)
        self.on_lost()

    def close(self) -> None:
        """As StateKeeper has it."""
        self._thread.shutdown()
        self._in_thread = self._is_writing = False
        for rows in self._rows.values():
            rows.is_exact = True
            rows.world.marks.mark("state")
        self.flush()
        self.abandon()

    def flush(self) -> None:
        """Write everything now, what may wait and the rest of new worlds, too."""
        self.commit(most_later=None)
        while self._has_changes and not self._is_lost:
            self.commit(most_later=None)

    def abandon(self) -> None:
        """Write nothing from now on, and let other servers use the file."""
        for timer in (self._commit_handle, self._later_timer):
            if timer is not None:
                timer.cancel()
        self._is_lost = True
        if not self._is_closed:
            self._is_closed = True
            self._file.close()

    # --- changes ------------------------------------------------------------------------------

    def _add(self, slot: WorldSlot, replaced: tuple[WorldRows, ...] = ()) -> None:
        rows = WorldRows(slot, self._new_number)
        self._rows[slot.world.name] = rows
        self._listen(rows)
        rows.begin(replaced)
        self._on_now(rows)

    def _listen(self, rows: WorldRows) -> None:
        rows.world.marks.has_journal = self._with_journal
        rows.world.note_changes(partial(self._on_now, rows), partial(self._on_later, rows))

    def _on_replaced(self, slot: WorldSlot) -> None:
        name = slot.world.name
        before = self._rows.pop(name, None)
        replaced: tuple[WorldRows, ...] = ()
        if before is not None:
            before.world.marks.is_on = False
            self._changed.pop(before, None)
            self._changed_later.pop(before, None)
            replaced = (before, *before.replaces)
        if self._worlds.get(name) is slot:
            self._add(slot, replaced)
        else:
            self._gone += replaced
            self._hold()

    def _numbers_to_delete(self) -> list[int]:
        """The rows of worlds that are gone: each world's own row now, the others little by little.
        Without its own row a world is gone for a server that reads the file."""
        gone, self._gone = self._gone, []
        self._orphans += (number for rows in gone for number in rows.numbers())
        numbers = [rows.number for rows in gone] + self._orphans[-_DELETED_AT_ONCE:]
        del self._orphans[-_DELETED_AT_ONCE:]
        return numbers

    def _on_now(self, rows: WorldRows) -> None:
        self._changed[rows] = None
        self._hold()

    def _on_later(self, rows: WorldRows) -> None:
        self._changed_later[rows] = None
        self._set_timer()

    def _set_timer(self) -> None:
        if self._later_timer is None and (loop := _running_loop()) is not None:
            self._later_timer = loop.call_later(_LATER_S, self._commit_later, loop)

    def _commit_later(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write some of what may wait."""
        self._later_timer = None
        self.commit(most_later=_LATER_AT_ONCE)
        if self._changed_later:
            self._later_timer = loop.call_later(_NEXT_S, self._commit_later, loop)


def state_writer(settings: StateSettings, worlds: Worlds) -> StateWriter:
    """The writer of the file in these settings, which must name one. Raises StateFileError."""
    is_synced = settings.durable == "power"
    file = StateFile(Path(settings.file or ""), is_reset=settings.reset, is_synced=is_synced)
    try:
        return StateWriter(file, worlds, in_thread=is_synced, with_journal=settings.journal)
    except BaseException:
        file.close()
        raise


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
