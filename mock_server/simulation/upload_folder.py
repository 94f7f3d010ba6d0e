"""The temporary folder of one server's uploads: locked as long as the server runs.

The lock ends with the process, however that ends. So a folder without one is abandoned.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_CAN_LOCK = sys.platform != "win32"
_PREFIX = "hailuo-mock-uploads-"
_CONTENT = re.compile(r"[0-9a-f]{64}|partial-\w+")
"""The names of the files in such a folder; one with anything else in it is somebody else's."""


class UploadFolder:
    """A new folder, for this user alone. Raises OSError if it cannot be made."""

    def __init__(self) -> None:
        parent = temporary_folder()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._descriptor = _locked(self.path)
        while self._descriptor is None and _CAN_LOCK:  # a server that starts took it for abandoned
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            self._descriptor = _locked(self.path)

    def remove(self) -> None:
        """Delete the folder and what is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def temporary_folder() -> Path:
    """The folder for temporary files, made anew if it is gone. Raises OSError if that cannot be."""
    folder = Path(tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove_abandoned() -> None:
    """Delete the folders of this user's servers that have ended without doing so."""
    try:
        folders = list(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"))
    except OSError:
        return  # no temporary folder can be used: the first upload says so
    for folder in folders:
        _remove_if_abandoned(folder)


def _remove_if_abandoned(folder: Path) -> None:
    descriptor = _locked(folder)
    if descriptor is None:
        return
    try:
        files = list(folder.iterdir())
        if all(_CONTENT.fullmatch(file.name) for file in files):
            for file in files:
                file.unlink(missing_ok=True)
            folder.rmdir()
    except OSError:
        pass  # another server deletes it just now
    finally:
        os.close(descriptor)


def _locked(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock; None if another process holds it, if it is no
    folder of this user, and on Windows, where nothing is ever taken for abandoned."""
    if sys.platform == "win32":
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        opened, found = os.fstat(descriptor), folder.lstat()
        if os.path.samestat(opened, found) and found.st_uid == os.getuid():
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None
