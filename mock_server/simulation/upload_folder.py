"""The folder of one server's uploads: temporary, or beside its state file.

A temporary one is locked as long as the server runs. The lock ends with the process, however that
ends, so a folder without a lock is abandoned.
"""

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
PARTIAL = "partial-"
"""The beginning of the names of files that are being written."""

_CONTENT = re.compile(r"[0-9a-f]{64}|partial-\w+")
"""The names of files in such a folder. A folder with other files is not deleted."""


class UploadFolder:
    """A new folder, for this user alone. Raises OSError if it cannot be made."""

    def __init__(self) -> None:
        parent = temporary_folder()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._descriptor = _locked(self.path)
        while self._descriptor is None and _CAN_LOCK:  # another server deleted it at once
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            self._descriptor = _locked(self.path)

    def remove(self) -> None:
        """Delete the folder and what is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class KeptUploadFolder:
    """A folder that stays when the server ends. Raises OSError if it cannot be made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=0o700, exist_ok=True)

    def sizes(self) -> dict[str, int]:
        """The bytes of each upload in it. What is left of unfinished uploads is deleted."""
        sizes = {}
        for file in self.path.iterdir():
            if file.name.startswith(PARTIAL):
                file.unlink()
            elif _CONTENT.fullmatch(file.name):
                sizes[file.name] = file.stat().st_size
        return sizes

    def remove(self) -> None:
        """Keep the folder."""


def temporary_folder() -> Path:
    """The folder for temporary files. It is made if it is missing. Raises OSError if that fails."""
    folder = Path(tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove_abandoned() -> None:
    """Delete the folders of this user's servers that have ended without doing so."""
    try:
        folders = list(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"))
    except OSError:
        return  # there is no usable temporary folder; the first upload reports it
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
        pass  # another server is deleting it
    finally:
        os.close(descriptor)


def _locked(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock. None if another process holds it, if it is no
    folder of this user, and on Windows, where no folder counts as abandoned."""
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
