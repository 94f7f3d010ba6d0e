"""Uploaded reference files: the rules for them, and those of a world."""

from typing import Annotated

from msgspec import Meta, Struct

from mock_server.core.catalog import MediaRules
from mock_server.core.field_types import Count
from mock_server.core.marks import Marks
from mock_server.core.records import Records
from mock_server.core.refusals import Invalid, UnknownFile

_MIB = 1024 * 1024


class StoredFile(Struct, frozen=True):
    """An upload without its bytes, which are stored elsewhere under their digest `content`.

    duration_s: of audio and video; None for images, and if it is unknown.
    expires_ms: None: never.
    """

    id: str
    account: str
    kind: str
    name: str
    mime_type: str
    size_bytes: Count
    duration_s: Annotated[float, Meta(ge=0)] | None
    content: str
    created_ms: int
    expires_ms: int | None = None

    def has_expired(self, now_ms: int) -> bool:
        """Whether it is there no longer."""
        return self.expires_ms is not None and now_ms >= self.expires_ms


def check_upload(
    *, kind: str, name: str, mime_type: str | None, size_bytes: int, rules: MediaRules
) -> None:
    """Refuses with Invalid a file that breaks the rules. mime_type: None: not recognised."""
    if kind not in rules.kinds:
        raise Invalid.at("/kind", "enum", f"must be {_one_of(rules.kinds)} for this model")
    if not size_bytes:
        raise Invalid.at("/file", "minLength", "the file is empty")
    if size_bytes > rules.max_bytes:
        limit = f"{rules.max_bytes} bytes ({rules.max_bytes / _MIB:g} MiB)"
        raise Invalid.at("/file", "maxLength", f"has {size_bytes} bytes; at most {limit}")
    if mime_type not in rules.mime_types:
        found = mime_type or "of no type that can be told"
        sentence = f"its bytes are {found}; must be {_one_of(rules.mime_types)}"
        raise Invalid.at("/file", "contentMediaType", sentence)
    if not is_bare_name(name):
        raise Invalid.at(
            "/file",
            "filename",
            "its name must be 1 to 255 printable characters (counted in UTF-8 bytes) "
            "without / or \\",
        )


class Uploads(Records[StoredFile]):
    """All stored files of a world."""

    def __init__(
        self, max_total_bytes: int, max_files: int = 10_000, marks: Marks | None = None
    ) -> None:
        super().__init__()
        self._marks = marks or Marks()
        self._max_total_bytes = max_total_bytes
        self._max_files = max_files
        self._total_bytes = 0

    def require_room(self, size_bytes: int) -> None:
        """Refuses with Invalid if another file of `size_bytes` would exceed a limit."""
        if len(self) >= self._max_files:
            sentence = f"this world keeps {self._max_files} uploads at most (limits.stored_uploads)"
            raise Invalid.at("/file", "limit", sentence)
        if self._total_bytes + size_bytes > self._max_total_bytes:
            most = f"{self._max_total_bytes} bytes of uploads at most (limits.stored_upload_bytes)"
            raise Invalid.at("/file", "limit", f"this server keeps {most}")

    def add(self, file: StoredFile) -> None:
        """Keep a file. Refuses with Invalid if there is no room for it."""
        self.require_room(file.size_bytes)
        self._marks.mark("file", file.id)
        self._records[file.id] = file
        self._total_bytes += file.size_bytes

    def remove(self, file_id: str) -> StoredFile:
        """Remove and return a file. Raises KeyError if there is none."""
        self._marks.mark("file", file_id)
        file = self._records.pop(file_id)
        self._total_bytes -= file.size_bytes
        return file

    def find(self, file_id: str, account: str) -> StoredFile:
        """The account's file. Refuses with UnknownFile if it has none with this id."""
        file = self.get(file_id)
        if file is None or file.account != account:
            raise UnknownFile("this account has no file with that id")
        return file


def _one_of(options: tuple[str, ...]) -> str:
    return options[0] if len(options) == 1 else "one of " + ", ".join(options)


def is_bare_name(name: str) -> bool:
    """Whether a file name has no folder, no control character and a length up to 255 bytes."""
    return (
        name.isprintable()
        and 0 < len(name.encode()) <= 255
        and not set(name) & {"/", "\\"}
        and name not in {".", ".."}
    )
