"""A long document is read part by part, with the same results as in one piece."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from mock_server.core.refusals import MOST_VIOLATIONS, Invalid
from mock_server.core.snapshot import Snapshot, encoded, snapshot_of
from mock_server.door.snapshots import SNAPSHOT
from mock_server.edge.json_body import parse
from mock_server.edge.typed_body import TypedBody
from tests.core.test_snapshot import (
    CONTENTS,
    HERE,
    START_MS,
    advance,
    exchange,
    make,
    order,
    receive,
    register,
    store,
)
from tests.rows import each_row

AT_ONCE: TypedBody[Snapshot] = TypedBody(Snapshot, closed=True)


def document() -> bytes:
    """A snapshot with something of everything."""
    world = make()
    register(world, HERE, "HERE/hook")
    for number in range(3):
        world.submit(order(HERE))
        exchange(world, HERE, b'{"a": "\xc3\xa9"}' * number)
        receive(world, HERE, f"inbox {number}")
    advance(world, HERE, 5000, 200)
    world.submit(order(HERE))
    for digest in CONTENTS:
        store(world, HERE, digest)
    return encoded(snapshot_of(world, HERE, CONTENTS))


DOCUMENT = document()


def read(body: bytes) -> Any:
    return SNAPSHOT.read([body], max_depth=64, max_values=30_000, apis=("rivya", "acedata"))


def refusal(body: bytes) -> Invalid:
    with pytest.raises(Invalid) as refused:
        read(body)
    return refused.value


@pytest.mark.parametrize("piece_bytes", [1, 7, 10_000_000])
def test_pieces_may_end_anywhere(piece_bytes: int) -> None:
    pieces = [
        DOCUMENT[start : start + piece_bytes] for start in range(0, len(DOCUMENT), piece_bytes)
    ]
    snapshot = SNAPSHOT.read(pieces, max_depth=64, max_values=30_000, apis=("rivya", "acedata"))
    assert encoded(snapshot) == DOCUMENT


@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8-sig", "byte order mark"), ("utf-16", "UTF-16")]
)
def test_another_encoding_is_refused_by_its_name(encoding: str, told: str) -> None:
    assert told in str(refusal(DOCUMENT.decode().encode(encoding)))


@pytest.mark.parametrize("indent", [None, 0, 3])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_white_space_and_the_order_of_names_do_not_matter(
    indent: int | None, ascii_only: bool
) -> None:
    value = json.loads(DOCUMENT)
    shuffled = dict(random.Random(1).sample(list(value.items()), len(value)))
    spelled = json.dumps(shuffled, indent=indent, ensure_ascii=ascii_only)
    assert encoded(read(f" {spelled}\n".encode())) == DOCUMENT


@each_row("seed", range(400))
def test_a_wrong_document_is_read_or_refused_as_in_one_piece(seed: int) -> None:
    drawn = random.Random(seed)
    place = drawn.randrange(len(DOCUMENT))
    inserted = drawn.choice(["", *'{}[],:"\\1x ']).encode()
    slip = DOCUMENT[:place] + inserted + DOCUMENT[place + drawn.randrange(3) :]
    try:
        expected: Any = encoded(AT_ONCE.read(parse(slip, max_depth=64)))
    except Invalid as refused:
        wrong = refusal(slip)
        if refused.violations[0].rule != "json":  # what is not JSON later does not come to light
            return
        assert wrong.violations
        return
    assert encoded(read(slip)) == expected


@pytest.mark.parametrize(
    ("body", "pointer", "rule", "sentence"),
    [
        *[(b"", "", "json", "line 1, column 1"), (b'{"tasks": [', "", "json", "line 1, column 12")],
        *[
            (b"[]", "", "type", "must be an object, not an array"),
            (b"7", "", "type", "must be an object, not a number"),
        ],
        (b"{}", "/agenda", "required", "is required"),
        (b'{"tasks": [], "tasks": []}', "/tasks", "uniqueNames", "occurs twice"),
        (b'{"tasks": {}}', "/tasks", "type", "must be an array, not an object"),
        (b'{"tasks":\n [1 2]}', "", "json", "line 2, column 5"),
        (b'{"tasks":\n [{"id": nul}]}', "", "json", "line 2, column 10"),
        (b'{"tasks": []} x', "", "json", "Extra data at line 1, column 15"),
        (b'{"a": \xff}', "", "json", "must be UTF-8; byte 6 is not"),
        (b'{"seed": NaN}', "/seed", "json", "must be JSON, which has no NaN"),
        (b'{"tasks": [[' + b"[" * 50, "", "json", "Expecting value at line 1, column 63"),
        (b'{"ledger": {"accounts": 1}}', "/ledger/accounts", "type", "must be an array"),
        (b'{"contents": {"x": "a"}}', "/contents/x", "value", "base64"),
        (b'{"a": {"b": 1, "b": 2}}', "/a/b", "uniqueNames", "occurs twice"),
        (b'{"a": "\\ud800"}', "/a", "unicode", "half a surrogate pair"),
        (b'{"\\ud800": 1}', "", "unicode", "half a surrogate pair"),
        (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", "/a", "depth", "nested deeper"),
        (b'{"a": [' + b"1," * 30_000 + b"1]}", "/a", "values", "more than 30000 values"),
    ],
)
def test_an_error_is_reported_with_its_place(
    body: bytes, pointer: str, rule: str, sentence: str
) -> None:
    found = [
        each
        for each in refusal(body).violations
        if (each.place, each.rule) == (pointer, rule) and sentence in each.sentence
    ]
    assert found, refusal(body).violations


def test_the_reader_stops_after_a_few_violations() -> None:
    value = json.loads(DOCUMENT) | {"tasks": [1] * 1_000_000}
    wrong = refusal(json.dumps(value).encode())
    assert len(wrong.violations) == MOST_VIOLATIONS
    assert str(wrong).endswith(f"and at least {MOST_VIOLATIONS - 3} more")
    assert wrong.violations[0].place == "/tasks/0"


def test_all_errors_of_a_part_are_reported() -> None:
    value = json.loads(DOCUMENT)
    value["tasks"][1] = {"id": 1, "created_ms": START_MS, "strange": 2}
    found = {(each.place, each.rule) for each in refusal(json.dumps(value).encode()).violations}
    assert found == {
        ("/tasks/1/id", "type"),
        ("/tasks/1/order", "required"),
        ("/tasks/1/fate", "required"),
        ("/tasks/1/strange", "additionalProperties"),
    }
