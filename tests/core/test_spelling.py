"""Spellings of JSON: the value stays, the bytes are those of no common library."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.json_values import is_same_json
from mock_server.core.spelling import reformatted, spelled
from tests.json_values import JSON_VALUES

OBJECTS = st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=5)
EVENTS = st.dictionaries(st.text(max_size=8), JSON_VALUES, min_size=2, max_size=5)

LIBRARIES: list[dict[str, Any]] = [
    {"separators": separators, "indent": indent, "ensure_ascii": is_ascii, "sort_keys": is_sorted}
    for separators, indent, is_ascii, is_sorted in product(
        [(",", ":"), (", ", ": "), (",", ": "), (", ", ":"), (", ", " : "), (",", " : ")],
        [None, 0, 1, 2, 4, "\t"],
        [False, True],
        [False, True],
    )
]
"""What libraries of all languages can be told to write."""


def compact(value: Any) -> bytes:
    return msgspec.json.encode(value)


def as_libraries_write(body: bytes) -> set[bytes]:
    """What a receiver has if it parses a body and writes it again."""
    value = json.loads(body)
    texts = {json.dumps(value, **options).encode("utf-8", "replace") for options in LIBRARIES}
    texts |= {text.replace(b"/", b"\\/") for text in texts}
    return texts | {text + b"\n" for text in texts} | {msgspec.json.encode(value)}


@given(OBJECTS)
def test_a_spelling_has_the_same_value(value: dict[str, Any]) -> None:
    body = compact(value)
    for other in (spelled(body, "unusual"), spelled(body, "compact"), reformatted(body)):
        assert is_same_json(json.loads(other), json.loads(body))
        assert is_same_json(msgspec.json.decode(other), msgspec.json.decode(body))


@given(EVENTS)
def test_no_library_writes_the_bytes_that_are_sent(value: dict[str, Any]) -> None:
    body = compact(value)
    assert spelled(body, "unusual") not in as_libraries_write(body)
    assert reformatted(body) not in as_libraries_write(body)
    assert reformatted(body) != spelled(body, "unusual")


@given(OBJECTS)
def test_the_same_body_is_always_spelled_the_same(value: dict[str, Any]) -> None:
    body = compact(value)
    assert spelled(body, "unusual") == spelled(bytes(body), "unusual")
    assert reformatted(body) == reformatted(bytes(body))


@given(st.binary())
def test_a_compact_body_is_left_alone(body: bytes) -> None:
    assert spelled(body, "compact") == body


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a":"/b/","c":[{"d":1}]}', b'{"a": "\\/b/","c":[{"d":1}]}'),
        (b'{"a\\":/":1,"c":2}', b'{"a\\":\\/": 1,"c":2}'),
        (b'{"a":"\\\\/","c":2}', b'{"a": "\\\\/","c":2}'),
        (b"{}", b"{}"),
        (b'{ "a": "http:\\/\\/x" }', b'{ "a": "http:\\/\\/x" }'),
    ],
)
def test_only_the_first_colon_and_the_first_slash_are_unusual(body: bytes, expected: bytes) -> None:
    assert spelled(body, "unusual") == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"id":"A/b","n":57}', b'{ "\\u006e": 57.0,\n\t"\\u0069d": "\\u0041\\/b"}'),
        (b"[1.5,1e22,-3,null,true]", b"[ 1.5,\n\t1e22,\n\t-3.0,\n\tnull,\n\ttrue]"),
        (b'["\\n","\xc3\xbc",""]', b'[ "\\n",\n\t"\xc3\xbc",\n\t""]'),
        (b"[9007199254740993]", b"[ 9007199254740993]"),
    ],
)
def test_a_reformatted_body_has_other_order_space_escapes_and_numbers(
    body: bytes, expected: bytes
) -> None:
    assert reformatted(body) == expected
