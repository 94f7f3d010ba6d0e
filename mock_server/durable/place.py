"""Whether a state file can be where it should be: in a folder of this machine, and not in use for
something else."""

import os
import stat
from pathlib import Path

_MAGIC = b"SQLite format 3\0"
_APPLICATION_AT = 68
"""The place of the application's id in a SQLite file."""

_NETWORK = {
    "9p", "afs", "ceph", "cifs", "fuse.sshfs", "fuse.glusterfs", "glusterfs", "lustre", "ncpfs",
    "nfs", "nfs4", "smb3", "smbfs",
}  # fmt: skip
_MOUNTS = Path("/proc/self/mountinfo")


def obstacle(path: Path, application: int) -> str | None:
    """Why no state file can be at this path; None if one can. The end of a sentence.

    application: the id of the application in SQLite files that are state files.
    """
    if path.is_dir():
        return "it is a folder; name a file in it"
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder}; make it first"
    if (kind := _file_system(folder)) in _NETWORK:
        return (
            f"{folder} is on a network file system ({kind}), where SQLite cannot keep it whole; "
            "name a file on a disk of this machine"
        )
    if not os.access(folder, os.W_OK):
        return f"nothing can be written into its folder {folder}"
    if not path.exists():
        return None
    if not stat.S_ISREG(path.stat().st_mode):
        return "it is no regular file"
    if not os.access(path, os.W_OK):
        return "it is read-only, and the server has to write it"
    return _foreign(path, application)


def _foreign(path: Path, application: int) -> str | None:
    with path.open("rb") as file:
        head = file.read(100)
    if not head:
        return None
    if not head.startswith(_MAGIC):
        return "it is not a state file of hailuo-mock, not even a SQLite file; name another one"
    written = int.from_bytes(head[_APPLICATION_AT : _APPLICATION_AT + 4], "big")
    if written != application:
        return "it is the SQLite file of another program; name another one"
    return None


def _file_system(folder: Path) -> str | None:
    """The kind of file system that has this folder; None if the system does not tell it."""
    try:
        lines = _MOUNTS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    place, found = folder.resolve(), None
    longest = -1
    for line in lines:
        before, _, after = line.partition(" - ")
        mounted = Path(before.split(" ")[4].replace("\\040", " "))
        if place.is_relative_to(mounted) and len(mounted.parts) >= longest:
            longest, found = len(mounted.parts), after.split(" ")[0]
    return found
