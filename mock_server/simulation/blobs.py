"""The bytes of uploads, on disk under their digest: equal files lie there once."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence, Set
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from mock_server.core.refusals import CannotStore, Conflict, Invalid
from mock_server.simulation.upload_folder import UploadFolder

_PIECE_BYTES = 1024 * 1024


class Blobs:
    """A folder of its own, made when first needed and gone with the server.

    What no world has any more is deleted by `keep_only`.
    """

    def __init__(self, max_bytes: int = 1 << 30) -> None:
        """max_bytes: of all that is kept."""
        self._max_bytes = max_bytes
        self._sizes: dict[str, int] = {}
        self._being_added: Counter[str] = Counter()
        self._reserved_bytes = 0
        self._folder: UploadFolder | None = None
        self._is_closed = False
        self._lock = threading.Lock()  # for the folder and the names in it

    @asynccontextmanager
    async def added(self, contents: Sequence[BinaryIO], place: str) -> AsyncIterator[list[str]]:
        """Keep these files; their digests are the names to find them by.

        Within the context nothing deletes them. Afterwards some world must have them.
        Refuses with CannotStore if the disk does not take them, and with Invalid at `place` if
        there is no room for them.
        """
        size_bytes = sum(content.seek(0, 2) for content in contents)
        if sum(self._sizes.values()) + self._reserved_bytes + size_bytes > self._max_bytes:
            sentence = (
                f"this server keeps {self._max_bytes} bytes of uploads at most "
                "(limits.stored_upload_bytes)"
            )
            raise Invalid.at(place, "limit", sentence)
        with self._lock:
            self._reserved_bytes += size_bytes
        digests = await asyncio.to_thread(self._write_all, contents, size_bytes)
        try:
            yield digests
        finally:
            self._release(digests)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept."""
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
        """Where kept bytes lie. KeyError if nothing was ever kept."""
        if self._folder is None:
            raise KeyError(digest)
        return self._folder.path / digest

    async def read(self, digest: str) -> bytes:
        """The bytes that were kept under this digest.

        Refuses with Conflict if they are gone: temporary folders are emptied now and then.
        """
        try:
            return await asyncio.to_thread(self.path(digest).read_bytes)
        except (KeyError, FileNotFoundError):
            sentence = "the bytes of an upload are gone: the temporary folder was emptied"
            raise Conflict(sentence) from None

    def close(self) -> None:
        """Delete everything, and keep nothing any more. May be called in any thread, and twice:
        each call returns when everything is gone."""
        with self._lock:
            self._is_closed = True
            if self._folder is not None:
                self._folder.remove()
                self._folder = None

    def _write_all(self, contents: Sequence[BinaryIO], reserved_bytes: int) -> list[str]:
        """Bytes are reserved or kept, never both: else a racing upload is refused for no reason."""
        digests: list[str] = []
        failure: OSError | None = None
        try:
            digests.extend(map(self._write, contents))  # those before one that fails, too
        except OSError as error:
            failure = error
        with self._lock:
            self._reserved_bytes -= reserved_bytes - sum(self._sizes[digest] for digest in digests)
        if failure is not None:
            self._release(digests)
            raise CannotStore(f"the file could not be stored: {failure.strerror}") from failure
        return digests

    def _write(self, content: BinaryIO) -> str:
        """Under another name first, so that nobody ever reads half a file."""
        descriptor, path = self._new_file()
        digest, size_bytes = sha256(), 0
        content.seek(0)
        try:
            with os.fdopen(descriptor, "wb") as file:
                while piece := content.read(_PIECE_BYTES):
                    digest.update(piece)
                    size_bytes += file.write(piece)
            name = digest.hexdigest()
            with self._lock:
                path.replace(path.with_name(name))
                self._sizes[name] = size_bytes
                self._being_added[name] += 1
                self._reserved_bytes -= size_bytes
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return name

    def _new_file(self) -> tuple[int, Path]:
        """A new file in the folder: its descriptor and its path."""
        with self._lock:
            if self._is_closed:
                raise CannotStore("the server stops")
            if self._folder is not None and not self._folder.path.exists():
                self._folder.remove()  # somebody else has emptied the temporary folder
                self._folder = None
                self._sizes.clear()
            if self._folder is None:
                self._folder = UploadFolder()
            descriptor, name = tempfile.mkstemp(prefix="partial-", dir=self._folder.path)
            return descriptor, Path(name)

    def _release(self, digests: Iterable[str]) -> None:
        """These are not being added any more."""
        with self._lock:
            self._being_added.subtract(digests)
            self._being_added = +self._being_added  # without those that nobody adds

    def _delete(self, digests: Iterable[str]) -> None:
        for digest in digests:
            with self._lock:
                if digest not in self._sizes and self._folder is not None:
                    self.path(digest).unlink(missing_ok=True)
