"""The rules for uploads, their limits, and their owners."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from mock_server.core.catalog import MediaRules
from mock_server.core.refusals import Invalid, UnknownFile
from mock_server.core.uploads import StoredFile, Uploads, check_upload
from tests.core.refused import sentence_of

RULES = MediaRules(("image",), ("image/jpeg", "image/png"), 10 * 1024 * 1024)
GOOD: dict[str, Any] = {
    "kind": "image",
    "name": "a.png",
    "mime_type": "image/png",
    "size_bytes": 72,
    "rules": RULES,
}
FILE = StoredFile("file_1", "ada", "image", "a.png", "image/png", 72, None, "digest", 0)


def test_a_file_that_follows_all_rules_is_accepted() -> None:
    check_upload(**GOOD)


@pytest.mark.parametrize("size_bytes", [1, RULES.max_bytes])
def test_a_file_may_be_as_large_as_the_limit(size_bytes: int) -> None:
    check_upload(**GOOD | {"size_bytes": size_bytes})


@pytest.mark.parametrize(
    ("change", "place", "rule", "sentence"),
    [
        ({"kind": "video"}, "/kind", "enum", "must be image for this model"),
        ({"size_bytes": 0}, "/file", "minLength", "is empty"),
        ({"size_bytes": RULES.max_bytes + 1}, "/file", "maxLength", r"10485760 bytes \(10 MiB\)"),
        ({"mime_type": "image/gif"}, "/file", "contentMediaType", "one of image/jpeg, image/png"),
        ({"mime_type": None}, "/file", "contentMediaType", "of no type that can be told"),
        ({"name": "a/b.png"}, "/file", "filename", "printable"),
    ],
)
def test_a_broken_rule_is_refused_with_its_place(
    change: dict[str, Any], place: str, rule: str, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        check_upload(**GOOD | change)
    assert [(found.place, found.rule) for found in refused.value.violations] == [(place, rule)]


@pytest.mark.parametrize("name", ["a", "a" * 255, "Über uns – 世界 🎬.png", "...", "a b", ".env"])
def test_a_bare_name_is_accepted(name: str) -> None:
    check_upload(**GOOD | {"name": name})


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "a" * 256, "../a", "a/b", "a\\b"),
        *("a\nb", "a\x00", "\x7f", "a\u202eb", "\u2028"),
    ],
)
def test_a_name_with_a_folder_or_a_control_character_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="1 to 255 printable characters"):
        check_upload(**GOOD | {"name": name})


def test_the_total_size_of_files_may_reach_the_limit() -> None:
    uploads = Uploads(100)
    uploads.add(FILE)
    uploads.require_room(28)
    with pytest.raises(Invalid, match="keeps 100 bytes of uploads at most"):
        uploads.require_room(29)


def test_every_file_uses_space() -> None:
    uploads = Uploads(100)
    uploads.add(replace(FILE, size_bytes=50))
    uploads.add(replace(FILE, id="file_2", size_bytes=50))
    with pytest.raises(Invalid):
        uploads.require_room(1)


def test_a_check_for_room_uses_none() -> None:
    uploads = Uploads(100)
    for _ in range(3):
        uploads.require_room(100)


def test_an_owner_finds_the_file() -> None:
    uploads = Uploads(100)
    uploads.add(FILE)
    assert uploads.find("file_1", "ada") is FILE
    assert len(uploads) == 1


def test_a_file_of_another_account_is_refused_like_an_unknown_one() -> None:
    uploads = Uploads(100)
    uploads.add(FILE)
    foreign = sentence_of(UnknownFile, uploads.find, "file_1", "ben")
    assert foreign == sentence_of(UnknownFile, uploads.find, "file_2", "ben")


def test_get_returns_a_file_of_any_account() -> None:
    uploads = Uploads(100)
    uploads.add(FILE)
    assert uploads.get("file_1") is FILE
    assert uploads.get("file_2") is None


def test_the_number_of_files_is_limited() -> None:
    uploads = Uploads(100, max_files=1)
    uploads.add(replace(FILE, size_bytes=1))
    with pytest.raises(Invalid, match=r"limits\.stored_uploads"):
        uploads.require_room(1)
