"""Reference files: what may be stored, whose it is, and which of them a task may use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from mock_server.core.catalog import MediaRules
from mock_server.core.numbers import Count
from mock_server.core.refusals import Invalid, UnknownFile

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What is known of an upload; its bytes lie elsewhere, under `content` (their digest).

    duration_s: how long timed media runs; None for images, and where nobody can tell.
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


def check_upload(
    *, kind: str, name: str, mime_type: str | None, size_bytes: int, rules: MediaRules
) -> None:
    """Refuses with Invalid a file that is not what the rules want.

    mime_type: what its bytes are, whatever its name claims; None if nobody can tell.
    """
    if kind not in rules.kinds:
        raise Invalid.at("/kind", "enum", f"must be {_one_of(rules.kinds)} for this model")
    if not size_bytes:
        raise Invalid.at("/file", "minLength", "the file is empty")
    if size_bytes > rules.max_bytes:
        limit = f"{rules.max_bytes} bytes ({rules.max_bytes / _MIB:g} MiB)"
        raise Invalid.at("/file", "maxLength", f"has {size_bytes} bytes; at most {limit}")
    if mime_type not in rules.mime_types:
        found = mime_type or "of no type that can be told"
        raise Invalid.at(
            "/file",
            "contentMediaType",
            f"its bytes are {found}; must be {_one_of(rules.mime_types)}",
        )
    if not is_bare_name(name):
        raise Invalid.at(
            "/file",
            "filename",
            "its name must be 1 to 255 printable characters (counted in UTF-8 bytes) "
            "without / or \\",
        )


class Uploads:
    """Every stored file of a world."""

    def __init__(self, max_total_bytes: int, max_files: int = 10_000) -> None:
        self._files: dict[str, StoredFile] = {}
        self._max_total_bytes = max_total_bytes
        self._max_files = max_files
        self._total_bytes = 0

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[StoredFile]:
        return iter(self._files.values())

    def require_room(self, size_bytes: int) -> None:
        """Refuses with Invalid if another `size_bytes` would be too much for this server."""
        if len(self._files) >= self._max_files:
            raise Invalid.at(
                "/file",
                "limit",
                f"this world keeps {self._max_files} uploads at most (limits.stored_uploads)",
            )
        if self._total_bytes + size_bytes > self._max_total_bytes:
            raise Invalid.at(
                "/file",
                "limit",
                f"this server keeps {self._max_total_bytes} bytes of uploads at most "
                "(limits.stored_upload_bytes)",
            )

    def add(self, file: StoredFile) -> None:
        """Keep a file from now on. Refuses with Invalid if there is no room for it any more."""
        self.require_room(file.size_bytes)
        self._files[file.id] = file
        self._total_bytes += file.size_bytes

    def get(self, file_id: str) -> StoredFile | None:
        """The file, whoever owns it: its address is not a secret kept by a key."""
        return self._files.get(file_id)

    def find(self, file_id: str, account: str) -> StoredFile:
        """The account's file. Refuses with UnknownFile if it is none of theirs."""
        file = self._files.get(file_id)
        if file is None or file.account != account:
            raise UnknownFile("this account has no file with that id")
        return file


def _one_of(options: tuple[str, ...]) -> str:
    return options[0] if len(options) == 1 else "one of " + ", ".join(options)


def is_bare_name(name: str) -> bool:
    """Whether a name is only a name: no folder, no control character, nothing special."""
    return (
        name.isprintable()
        and 0 < len(name.encode()) <= 255
        and not set(name) & {"/", "\\"}
        and name not in {".", ".."}
    )
