"""What may be stored, how much of it, and whose it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mock_server.core.catalog import MediaRules
from mock_server.core.refusals import Invalid, UnknownFile
from mock_server.core.uploads import StoredFile, Uploads, check_upload

RULES = MediaRules(("image",), ("image/jpeg", "image/png"), 10 * 1024 * 1024)
GOOD: dict[str, Any] = {
    "kind": "image",
    "name": "a.png",
    "mime_type": "image/png",
    "size_bytes": 72,
    "rules": RULES,
}
FILE = StoredFile("file_1", "ada", "image", "a.png", "image/png", 72, None, "digest", 0)


def test_a_file_that_keeps_every_rule_is_taken() -> None:
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
def test_each_broken_rule_is_refused_where_it_is_broken(
    change: dict[str, Any], place: str, rule: str, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        check_upload(**GOOD | change)
    assert [(found.place, found.rule) for found in refused.value.violations] == [(place, rule)]


@pytest.mark.parametrize("name", ["a", "a" * 255, "Über uns – 世界 🎬.png", "...", "a b", ".env"])
def test_a_bare_name_is_taken(name: str) -> None:
    check_upload(**GOOD | {"name": name})


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "a" * 256, "../a", "a/b", "a\\b"),
        *("a\nb", "a\x00", "\x7f", "a\u202eb", "\u2028"),
    ],
)
def test_a_name_that_is_more_than_a_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="1 to 255 printable characters"):
        check_upload(**GOOD | {"name": name})


def test_there_is_room_up_to_the_last_byte() -> None:
    uploads = Uploads(100)
    uploads.add(FILE)
    uploads.require_room(28)
    with pytest.raises(Invalid, match="keeps 100 bytes of uploads at most"):
        uploads.require_room(29)


def test_every_file_takes_its_share_of_the_room() -> None:
    uploads = Uploads(100)
    uploads.add(replace(FILE, size_bytes=50))
    uploads.add(replace(FILE, id="file_2", size_bytes=50))
    with pytest.raises(Invalid):
        uploads.require_room(1)


def test_asking_for_room_takes_none() -> None:
    uploads = Uploads(100)
    for _ in range(3):
        uploads.require_room(100)


def test_an_owner_finds_the_file() -> None:
    uploads = Uploads(100)
    uploads.add(FILE)
    assert uploads.find("file_1", "ada") is FILE
    assert len(uploads) == 1


def test_another_accounts_file_looks_like_none_at_all() -> None:
    uploads = Uploads(100)
    uploads.add(FILE)
    with pytest.raises(UnknownFile) as foreign:
        uploads.find("file_1", "ben")
    with pytest.raises(UnknownFile) as unknown:
        uploads.find("file_2", "ben")
    assert str(foreign.value) == str(unknown.value)


def test_whoever_knows_the_id_gets_the_file() -> None:
    uploads = Uploads(100)
    uploads.add(FILE)
    assert uploads.get("file_1") is FILE
    assert uploads.get("file_2") is None


def test_there_is_room_for_so_many_files() -> None:
    uploads = Uploads(100, max_files=1)
    uploads.add(replace(FILE, size_bytes=1))
    with pytest.raises(Invalid, match=r"limits\.stored_uploads"):
        uploads.require_room(1)
