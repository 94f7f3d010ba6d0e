"""Equality of JSON values, and JSON that only some readers accept."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.contract import contract
from contract_tests.json_values import is_same, json_fault


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True), (1, True, False), (0, False, False), (1, "1", False), (None, False, False),
        ({"a": 1, "b": [True]}, {"b": [True], "a": 1.0}, True), ({"a": [1]}, {"a": [True]}, False),
        ([1, 2], [2, 1], False), ((1, "a"), (1, "a"), True), ({"a": None}, {}, False),
        ("e\u0301", "\u00e9", False),
    ],
)  # fmt: skip
def test_values_are_compared_as_json(one: Any, other: Any, *, same: bool) -> None:
    assert is_same(one, other) is same


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b'{"a": 1}', None), (b'"NaN"', None), ('"\u00e9"'.encode(), None), (b"[NaN]", "NaN"),
        (b"[-Infinity]", "-Infinity"), (b"\xef\xbb\xbf{}", "a byte order mark"),
        ("{}".encode("utf-16"), "UTF-16"), (b'"\xe9"', "byte 1 is no UTF-8"),
    ],
)  # fmt: skip
def test_what_strict_readers_refuse_is_named(text: bytes, fault: str | None) -> None:
    assert json_fault(text) == fault


def test_unknown_fields_are_left_out_at_every_depth() -> None:
    task = {"id": "t", "x": 1, "request": {"mirror": True}, "response": {"success": True, "y": 2}}
    known = contract().known("Task", task)
    assert known == {"id": "t", "request": {"mirror": True}, "response": {"success": True}}
    listed = {"data": [{"id": "m", "x": 1}], "more": True}
    assert contract().known("ModelList", listed) == {"data": [{"id": "m"}]}
