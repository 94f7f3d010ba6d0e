"""A state file: opened, checked and locked; read once, then written one transaction at a time."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

from mock_server import __version__
from mock_server.durable.kinds import VERSIONS, RowKind
from mock_server.durable.lock import FileLock, IsLocked
from mock_server.durable.place import obstacle

APPLICATION = 0x48614D6B
"""Marks a SQLite file as a state file."""

_LAYOUT = 1
"""The version of the tables. Kinds of rows have versions of their own."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE kind (kind INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL);
CREATE TABLE turn (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""

_INSERT = "INSERT INTO turn VALUES (?, ?)"
_PAGE_BYTES = 4096

_BUSY_MS = 5000
"""How long a transaction waits for a program that reads the file."""

_LOG_BYTES = 16 * 1024 * 1024
"""Bytes in the log beside the file that are moved into it at once. What the log has more while the
disk is slow is given back when the log begins anew."""

_PAGES_OF_WRITING = 3
"""Pages that a transaction writes into the log beside those of its turns: of the tree, and of the
list of free pages. Measured with turns of 200 to 10,000 bytes."""

NumberedTurn = tuple[int, bytes]


class StateFileError(OSError):
    """A state file cannot be used. The message names the file, the reason and what would help."""


class StateFile:
    """An open state file, locked for this server. Raises StateFileError if it cannot be used; then
    nothing in it has changed.

    path: without links. versions: of each kind of row in the file, as long as it has older ones.
    """

    errors = (sqlite3.Error,)
    """What reading and writing raise."""

    def __init__(self, path: Path, *, is_reset: bool = False, is_synced: bool = False) -> None:
        """is_reset: begin with an empty file; what is there is deleted. is_synced: each transaction
        also survives a loss of power."""
        self.path = Path(os.path.realpath(path))
        self._is_synced = is_synced
        if (reason := obstacle(self.path, APPLICATION)) is not None:
            raise self.error(reason)
        try:
            self._lock = FileLock(Path(f"{self.path}-lock"))
        except IsLocked as locked:
            holder = "another server" if locked.pid is None else f"the process {locked.pid}"
            raise self.error(f"{holder} uses it, and a state file has one server") from None
        except OSError as error:
            raise self.error(f"its lock file cannot be made: {error.strerror}") from None
        try:
            if is_reset:
                self._delete()
            self._connection = self._connect("FULL" if is_synced else "OFF")
            try:
                self.versions = self._prepare()
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.Error as error:
            self._lock.release()
            raise self.error(reason_of(error)) from None
        except BaseException:
            self._lock.release()
            raise
        self._log_bytes = 0

    def turns(self) -> Iterator[NumberedTurn]:
        """Each turn, the oldest first. Raises sqlite3.Error."""
        return self._connection.execute("SELECT number, body FROM turn ORDER BY number")

    def turn(self, number: int) -> bytes:
        """The body of a turn. Raises sqlite3.Error."""
        row = self._connection.execute("SELECT body FROM turn WHERE number = ?", (number,))
        body: bytes = row.fetchone()[0]
        return body

    def write(self, turns: Sequence[NumberedTurn], moved: Sequence[int]) -> None:
        """Write turns and delete those that were moved into them, in one transaction. May be called
        in another thread. Raises sqlite3.Error; then nothing has changed."""
        # A turn is written about twice: it moves once, or the page that it is in is written again.
        self._log_bytes += 2 * sum(len(body) for _, body in turns)
        self._log_bytes += _PAGES_OF_WRITING * _PAGE_BYTES
        if len(turns) == 1 and not moved:  # the usual case: a transaction of its own
            self._connection.execute(_INSERT, turns[0])
            return

        deleted = (("DELETE FROM turn WHERE number = ?", (number,)) for number in moved)
        self._transaction(chain(((_INSERT, turn) for turn in turns), deleted))

    def set_versions(self, turns: Iterable[NumberedTurn]) -> None:
        """Write turns, and that all rows have the version of this server."""
        kinds = (("INSERT OR REPLACE INTO kind VALUES (?, ?, ?)", row) for row in _kinds())
        self._transaction(chain(((_INSERT, turn) for turn in turns), kinds))

    @property
    def has_long_log(self) -> bool:
        """Whether much was written since `shorten_log`. Else SQLite does what that does."""
        return not self._is_synced and self._log_bytes > _LOG_BYTES

    def shorten_log(self) -> None:
        """Move what was written into the file itself. Call it in another thread: it waits for the
        disk. If nothing is written meanwhile, the log then begins anew. Raises sqlite3.Error."""
        self._log_bytes = 0
        with closing(self._connect("NORMAL")) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Move everything into the file itself, and let other servers use it."""
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.close()
        self._lock.release()

    def error(self, reason: str) -> StateFileError:
        """The error that this file cannot be used for a reason."""
        return StateFileError(f"the state file {self.path} cannot be used: {reason}")

    def broken(self, detail: object) -> StateFileError:
        """The error that the contents of this file are broken."""
        return self.error(
            f"it is broken ({detail}); put a copy of it back, or begin anew with --reset-state"
        )

    def reason(self, error: BaseException) -> str:
        """The sentence for an error in writing."""
        return (
            f"the state file {self.path} cannot be written: {reason_of(error)}; the server stops, "
            "and the file has everything that was answered"
        )

    def _connect(self, synchronous: str) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        if synchronous == "OFF":  # then nothing waits for the disk but `shorten_log`
            connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        return connection

    def _delete(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def _prepare(self) -> Mapping[RowKind, int]:
        """Make the tables if the file is empty. Returns the version of each kind of row in it."""
        execute = self._connection.execute
        (layout,) = execute("PRAGMA user_version").fetchone()
        if layout > _LAYOUT:
            raise self.error(self._newer(f"its layout is {layout}, and this one knows {_LAYOUT}"))
        if layout == 0:
            self.path.chmod(0o600)  # it has keys
            execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            execute("BEGIN IMMEDIATE")
            for statement in _TABLES.split(";"):
                execute(statement)
            execute(f"PRAGMA application_id = {APPLICATION}")
            execute(f"PRAGMA user_version = {_LAYOUT}")
            execute("COMMIT")
        execute("PRAGMA journal_mode = WAL")
        if layout == 0:
            self.set_versions([])
        versions = self._versions()
        for row in _kinds():  # those that an earlier server did not know
            execute("INSERT OR IGNORE INTO kind VALUES (?, ?, ?)", row)
        execute("INSERT OR REPLACE INTO meta VALUES ('server', ?)", (__version__,))
        return versions

    def _versions(self) -> Mapping[RowKind, int]:
        known = {int(kind): VERSIONS[kind] for kind in RowKind}
        found = {}
        for kind, name, version in self._connection.execute("SELECT * FROM kind"):
            if version > known.get(kind, 0):
                rows = f"its rows of kind {name} have version {version}"
                raise self.error(self._newer(f"{rows}, and this one knows {known.get(kind, 0)}"))
            found[RowKind(kind)] = version
        return found

    def _newer(self, detail: str) -> str:
        row = self._connection.execute("SELECT value FROM meta WHERE name = 'server'").fetchone()
        wrote = "" if row is None else f" ({row[0]})"
        return f"a newer hailuo-mock{wrote} wrote it: {detail}; use that one, or another file"

    def _transaction(self, statements: Iterable[tuple[str, tuple[object, ...]]]) -> None:
        """Execute these statements with their parameters, or none of them."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            for statement, parameters in statements:
                execute(statement, parameters)
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise


def _kinds() -> list[tuple[int, str, int]]:
    """Number, name and version of each kind of row."""
    return [(int(kind), kind.name.lower(), version) for kind, version in VERSIONS.items()]


_REASONS = {
    sqlite3.SQLITE_BUSY: "another program writes it",
    sqlite3.SQLITE_CORRUPT: "it is broken; put a copy of it back, or begin anew with --reset-state",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_NOTADB: "it is no SQLite file; name another one",
    sqlite3.SQLITE_READONLY: "it is read-only, and the server has to write it",
}


def reason_of(error: BaseException) -> str:
    """Why SQLite or the system refuses, as a part of a sentence."""
    if isinstance(error, OSError):
        return str(error.strerror)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return _REASONS.get(code, str(error))
