"""The bytes of uploads, on disk, named by their digest: equal files are stored once."""

import asyncio
import os
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence, Set
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from mock_server.core.refusals import CannotStore, Conflict, Invalid
from mock_server.simulation.upload_folder import PARTIAL, KeptUploadFolder, UploadFolder

_CHUNK_BYTES = 1024 * 1024


class Blobs:
    """A folder for uploads, made at the first upload. A temporary one is deleted with the server.
    `keep_only` deletes what no world has any more."""

    def __init__(
        self, max_bytes: int = 1 << 30, folder: Path | None = None, *, is_synced: bool = False
    ) -> None:
        """max_bytes: of all that is kept. folder: where uploads stay when the server ends; None: a
        temporary folder. is_synced: an upload that is kept also survives a loss of power.
        Raises OSError if the folder cannot be read."""
        self._max_bytes = max_bytes
        self._kept_at = folder
        self._is_synced = is_synced
        self._sizes: dict[str, int] = {}
        self._being_added: Counter[str] = Counter()
        self._reserved_bytes = 0
        self._folder: UploadFolder | KeptUploadFolder | None = None
        self._is_closed = False
        self._lock = threading.Lock()  # for the folder and the names in it
        if folder is not None and folder.is_dir():
            kept = KeptUploadFolder(folder)
            self._folder, self._sizes = kept, kept.sizes()

    @asynccontextmanager
    async def added(self, contents: Sequence[BinaryIO], place: str) -> AsyncIterator[list[str]]:
        """Store these files; yields their digests. Within the context nothing deletes them; after
        it they are kept as long as a world has them. Refuses with CannotStore if they cannot be
        written, and with Invalid at `place` if there is no room for them."""
        size_bytes = sum(content.seek(0, 2) for content in contents)
        if sum(self._sizes.values()) + self._reserved_bytes + size_bytes > self._max_bytes:
            sentence = f"this server keeps {self._max_bytes} bytes of uploads at most"
            raise Invalid.at(place, "limit", f"{sentence} (limits.stored_upload_bytes)")
        with self._lock:
            self._reserved_bytes += size_bytes
        digests = await asyncio.to_thread(self._write_all, contents, size_bytes)
        try:
            yield digests
        finally:
            self._release(digests)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is stored."""
        return not self._sizes

    async def keep_only(self, in_use: Set[str]) -> None:
        """Delete everything but these digests and what is being added."""
        with self._lock:
            unused = self._sizes.keys() - in_use - self._being_added.keys()
            for digest in unused:
                del self._sizes[digest]
        if unused:
            await asyncio.to_thread(self._delete, unused)

    def path(self, digest: str) -> Path:
        """The path of stored bytes. KeyError if nothing was ever stored."""
        if self._folder is None:
            raise KeyError(digest)
        return self._folder.path / digest

    async def read(self, digest: str) -> bytes:
        """The stored bytes. Refuses with Conflict if the folder was emptied."""
        try:
            return await asyncio.to_thread(self.path(digest).read_bytes)
        except (KeyError, FileNotFoundError):
            sentence = "the bytes of an upload are gone: the folder of uploads was emptied"
            raise Conflict(sentence) from None

    def close(self) -> None:
        """Delete everything, and store nothing from now on.
        May be called in any thread, and twice: each call returns when everything is deleted."""
        with self._lock:
            self._is_closed = True
            if self._folder is not None:
                self._folder.remove()
                self._folder = None

    def _write_all(self, contents: Sequence[BinaryIO], reserved_bytes: int) -> list[str]:
        """Write all files. Bytes count either as reserved or as stored, never twice."""
        digests: list[str] = []
        failure: OSError | None = None
        try:
            digests.extend(map(self._write, contents))  # on an error, has the earlier ones
        except OSError as error:
            failure = error
        with self._lock:
            self._reserved_bytes -= reserved_bytes - sum(self._sizes[digest] for digest in digests)
        if failure is not None:
            self._release(digests)
            raise CannotStore(f"the file could not be stored: {failure.strerror}") from failure
        return digests

    def _write(self, content: BinaryIO) -> str:
        """Write a file under a temporary name, then rename it: no reader gets half a file."""
        descriptor, path = self._new_file()
        digest, size_bytes = sha256(), 0
        content.seek(0)
        try:
            with os.fdopen(descriptor, "wb") as file:
                while chunk := content.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    size_bytes += file.write(chunk)
                if self._is_synced:
                    file.flush()
                    os.fsync(file.fileno())
            name = digest.hexdigest()
            with self._lock:
                path.replace(path.with_name(name))
                self._sizes[name] = size_bytes
                self._being_added[name] += 1
                self._reserved_bytes -= size_bytes
            if self._is_synced:
                _sync_folder(path.parent)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return name

    def _new_file(self) -> tuple[int, Path]:
        with self._lock:
            if self._is_closed:
                raise CannotStore("the server stops")
            if self._folder is not None and not self._folder.path.exists():
                self._folder.remove()  # the temporary folder was emptied
                self._folder = None
                self._sizes.clear()
            if self._folder is None:
                kept_at = self._kept_at
                self._folder = UploadFolder() if kept_at is None else KeptUploadFolder(kept_at)
            descriptor, name = tempfile.mkstemp(prefix=PARTIAL, dir=self._folder.path)
            return descriptor, Path(name)

    def _release(self, digests: Iterable[str]) -> None:
        """Mark these as added."""
        with self._lock:
            self._being_added.subtract(digests)
            self._being_added = +self._being_added  # drops the counts of 0

    def _delete(self, digests: Iterable[str]) -> None:
        for digest in digests:
            with self._lock:
                if digest not in self._sizes and self._folder is not None:
                    self.path(digest).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder. Windows cannot open a folder."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
