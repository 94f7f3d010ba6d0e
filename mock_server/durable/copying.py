"""Copies a state file and its uploads, also while a server uses them."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from mock_server.durable.place import obstacle
from mock_server.durable.state_file import APPLICATION, StateFileError, reason_of
from mock_server.simulation.upload_folder import PARTIAL


def uploads_beside(file: Path) -> Path:
    """The folder with the uploads of a state file."""
    return Path(f"{os.path.realpath(file)}-uploads")


def copy_state(file: Path, copy: Path) -> None:
    """Copy a state file as it is now, and the folder of its uploads. The copy is there as a whole,
    or not at all. Raises StateFileError if the file cannot be read, or if there is a copy."""
    if not file.exists():
        raise StateFileError(f"there is no file {file}")
    if (reason := obstacle(file, APPLICATION)) is not None:
        raise StateFileError(f"{file} cannot be copied: {reason}")
    for place in (copy, uploads_beside(copy)):
        if os.path.lexists(place):
            raise StateFileError(f"{place} exists already: name another copy")
    beside = copy.with_name(f".{copy.name}.{os.getpid()}")
    try:
        _copy_uploads(file, copy)
        with closing(sqlite3.connect(f"file:{_quoted(file)}?mode=ro", uri=True)) as connection:
            connection.execute("VACUUM INTO ?", (str(beside),))
        _copy_uploads(file, copy)  # those that came meanwhile
        beside.chmod(0o600)
        beside.rename(copy)
    except (sqlite3.Error, OSError) as error:
        beside.unlink(missing_ok=True)
        shutil.rmtree(uploads_beside(copy), ignore_errors=True)
        raise StateFileError(f"{file} cannot be copied to {copy}: {reason_of(error)}") from None


def _copy_uploads(file: Path, copy: Path) -> None:
    source, target = uploads_beside(file), uploads_beside(copy)
    if not source.is_dir():
        return
    target.mkdir(mode=0o700, exist_ok=True)
    for each in source.iterdir():
        if not each.name.startswith(PARTIAL) and not (target / each.name).exists():
            try:
                shutil.copyfile(each, target / each.name)
            except FileNotFoundError:
                continue  # its world has dropped it


def _quoted(path: Path) -> str:
    """The path in a URI of SQLite."""
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
