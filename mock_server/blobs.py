"""The bytes of uploads, on disk under their digest: equal files lie there once."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

from mock_server.core.refusals import CannotStore


class Blobs:
    """A folder of its own, made when first needed and gone with the server."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    async def put(self, content: bytes) -> str:
        """Keep these bytes; their digest is the name to find them by.

        Refuses with CannotStore if the disk does not take them; then nothing is kept.
        """
        return await asyncio.to_thread(self._put, content)

    def path(self, digest: str) -> Path:
        """Where kept bytes lie. KeyError if nothing was ever kept."""
        if self._folder is None:
            raise KeyError(digest)
        return self._folder / digest

    async def read(self, digest: str) -> bytes:
        """The bytes that were kept under this digest. KeyError if nothing was ever kept."""
        return await asyncio.to_thread(self.path(digest).read_bytes)

    def close(self) -> None:
        """Throw everything away."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _put(self, content: bytes) -> str:
        digest = sha256(content).hexdigest()
        try:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="hailuo-mock-"))
            target = self._folder / digest
            if not target.exists():
                self._write_whole(target, content)
        except OSError as error:
            raise CannotStore(f"the file could not be stored: {error.strerror}") from error
        return digest

    def _write_whole(self, target: Path, content: bytes) -> None:
        """Under another name first: nobody ever reads half a file."""
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as partial:
            try:
                partial.write(content)
                partial.flush()
                Path(partial.name).replace(target)
            except OSError:
                Path(partial.name).unlink(missing_ok=True)
                raise
