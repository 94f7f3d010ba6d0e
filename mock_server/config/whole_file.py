"""Writes a file as a whole, or not at all."""

import os
from pathlib import Path


def write_whole(path: Path, text: str, *, replaces: bool) -> None:
    """Write a text file. If that fails, the folder is as it was.
    replaces: whether there may be a file of this name. Raises OSError: FileExistsError for one that
    may not be replaced."""
    if not replaces and os.path.lexists(path):
        raise FileExistsError(f"{path} exists")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # some file systems say only now that the disk is full
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
