"""Strict JSON: RFC 8259 is read, anything else is refused at its place."""

from __future__ import annotations

import gzip
import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mock_server.core.json_values import pointer
from mock_server.core.refusals import Invalid, Violation
from mock_server.edge.json_body import parse

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
# Pieces that turn good JSON into bad, or into what a forgiving reader takes.
PIECES = [
    *(b'{"a":1,"a":2}', b'"a":1,"a":{}', b',"b":[{"c":0,"c":0}]', b'{"\\ud800":1,"\\ud800":2}'),
    *(b"NaN", b"-Infinity", b"1e999", b"-1E+400", b"9" * 5_000, b"01", b"1.", b"+1"),
    *(b"\\ud800", b"\\uDFFF", b"\\ud83c\\udfac", b"\\\\ud800", b"\\u00", b"\\x41"),
    *(b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x00", b"\xc2\xa0", b"\x1f", b"\n"),
    *(b"[" * 70, b"[" * 5_000, b" ", *b"] { } , : \" ' // true 1".split()),
]


def violation(body: bytes, *, max_depth: int = 64) -> Violation:
    """The one thing that is wrong with a body; it can be written down."""
    with pytest.raises(Invalid) as refused:
        parse(body, max_depth=max_depth)
    (found,) = refused.value.violations
    str(refused.value).encode()
    return found


def refused_at(body: bytes, place: str, rule: str) -> None:
    found = violation(body)
    assert (found.place, found.rule) == (place, rule)


def keeps_the_rfc(body: bytes) -> bool:
    """Whether a body is JSON by Python's reader with each of its liberties taken away."""
    liberties: list[Any] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        liberties.extend(pairs[len(dict(pairs)) :])
        return dict(pairs)

    def number(digits: str) -> float:
        liberties.extend([digits] if math.isinf(float(digits)) else [])
        return float(digits)

    try:
        text = body.decode()
        value = json.loads(
            text,
            object_pairs_hook=members,
            parse_float=number,
            parse_constant=liberties.append,
        )
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return not liberties and levels(value) <= 64


def levels(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(levels, inner), default=0)


@given(VALUES, st.booleans(), st.sampled_from([None, 1, "\t"]), st.sampled_from([b"", b" \r\n\t"]))
def test_json_is_read_as_python_reads_it(
    value: Any, ascii_only: bool, indent: int | str | None, space: bytes
) -> None:
    """By `repr`, because 1, 1.0 and true are equal in Python."""
    body = space + json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode() + space
    assert repr(parse(body, max_depth=64)) == repr(value)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    check_against_the_rfc(body)


@st.composite
def damaged_json(draw: st.DrawFn) -> bytes:
    body = json.dumps(draw(VALUES), ensure_ascii=draw(st.booleans())).encode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 3)))
        body = body[:start] + draw(st.sampled_from(PIECES)) + body[end:]
    return body


@settings(max_examples=400)
@given(damaged_json())
@example(b'{"a":1,"a":2}x')
@example(b'[{"a":1,"a":2},' + b"9" * 5_000 + b"]")
@example(b'[{"a":1,"a":2},' + b"[" * 100_000)
@example(b"[" * 2_000 + b'{"a":1,"a":2}' + b"]" * 2_000)
@example(b'{"a":{"b":1,"b":2},"a":{"b":1,"b":2}}')
@example(b'{"\\ud800":1,"\\ud800":2}')
def test_malformed_json_is_read_or_refused(body: bytes) -> None:
    check_against_the_rfc(body)


def check_against_the_rfc(body: bytes) -> None:
    """Fails unless both read the same value, or ours refuses with a printable sentence."""
    if keeps_the_rfc(body):
        assert repr(parse(body, max_depth=64)) == repr(json.loads(body))
    else:
        found = violation(body)
        assert found.sentence
        found.place.encode()


@pytest.mark.parametrize("body", [b"{}", b"[]", b'""', b"0", b"-0.0", b"true", b"false", b"null"])
def test_any_kind_of_value_may_be_a_body(body: bytes) -> None:
    assert repr(parse(body, max_depth=64)) == repr(json.loads(body))


def test_a_surrogate_pair_is_the_character_it_spells() -> None:
    assert parse(b'["\\ud83c\\udfac", "\\uD83C\\uDFAC"]', max_depth=64) == ["\U0001f3ac"] * 2


def test_a_surrogate_pair_may_stand_among_values_of_every_kind() -> None:
    body = b'{"a": [1, 2.5, true, null, {}, []], "b": "\\ud83c\\udfac"}'
    assert parse(body, max_depth=64) == json.loads(body)


def test_a_backslash_before_ud800_is_no_surrogate() -> None:
    assert parse(b'"\\\\ud800"', max_depth=64) == "\\ud800"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "line 1, column 1"),
        (b" ", "line 1, column 2"),
        (b'{"a": }', "line 1, column 7"),
        (b'{"a": 1}\n{}', "Extra data at line 2, column 1"),
        (b'{"a": 1,\n "b": "\x01"}', "line 2, column 8"),
        (b"{'a': 1}", "line 1, column 2"),
        (b'{"a": 1,}', "line 1, column"),
        (b"[01]", "line 1, column 3"),
        (b"\xc2\xa01", "line 1, column 1"),
        (b"// a\n1", "line 1, column 1"),
        (b"nan", "line 1, column 1"),
        (b"{\x00}\x00", "line 1, column 2"),
    ],
)
def test_what_is_not_json_is_refused_with_line_and_column(body: bytes, sentence: str) -> None:
    found = violation(body)
    assert (found.place, found.rule) == ("", "json")
    assert sentence in found.sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"a": "\xff"}', "must be UTF-8; byte 7 is not"),
        (b'"\xed\xa0\x80"', "must be UTF-8; byte 1 is not"),
        (b'"\xc0\x80"', "must be UTF-8; byte 1 is not"),
        ("{}".encode("utf-16"), "must be UTF-8; byte 0 is not; it looks like UTF-16"),
    ],
    ids=["bare byte", "surrogate", "overlong", "utf-16"],
)
def test_what_is_not_utf8_is_refused_with_the_byte(body: bytes, sentence: str) -> None:
    assert violation(body) == Violation("", "json", sentence)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the body is empty"),
        (b" \r\n\t", "the body is empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"\xef\xbb\xbf", "byte order mark"),
        (gzip.compress(b"{}", mtime=0), "gzip"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16"),
        ('{"a": 1}'.encode("utf-16-le"), "UTF-16"),
        ('{"a": 1}'.encode("utf-16-be"), "UTF-16"),
        (b"\xfe\xff" + '{"a": 1}'.encode("utf-16-be"), "UTF-16"),
        ('{"a": 1}'.encode("utf-32-be"), "UTF-32"),
    ],
)
def test_a_body_in_another_format_is_refused_by_its_name(body: bytes, told: str) -> None:
    assert told in violation(body).sentence


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_and_byte_order_marks_are_refused(encoding: str) -> None:
    assert violation('{"a": "b"}'.encode(encoding)).rule == "json"


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_a_value_that_is_no_number_is_refused_by_its_name(name: str) -> None:
    found = violation(f"[{name}]".encode())
    assert (found.rule, found.sentence) == ("json", f"must be JSON, which has no {name}")


@pytest.mark.parametrize("digits", ["1e999", "-1e999", "1.5E+400"])
def test_a_number_like_infinity_is_refused_with_its_digits(digits: str) -> None:
    found = violation(f"[{digits}]".encode())
    assert found.rule == "json"
    assert digits in found.sentence


@pytest.mark.parametrize("digits", ["1e308", "-1.7976931348623157e308", "1e-999", "12345" * 60])
def test_a_number_that_is_only_large_or_small_is_read(digits: str) -> None:
    assert repr(parse(digits.encode(), max_depth=64)) == repr(json.loads(digits))


@pytest.mark.parametrize("sign", [b"", b"-"])
def test_an_integer_of_thousands_of_digits_is_refused(sign: bytes) -> None:
    assert violation(b'{"a": ' + sign + b"9" * 5_000 + b"}").rule == "json"


@pytest.mark.parametrize(
    "number",
    [b"NaN", b"-Infinity", b"1e999", b"9" * 5_000],
    ids=["NaN", "-Infinity", "1e999", "5000 digits"],
)
def test_a_number_that_cannot_be_read_is_refused_with_its_place(number: bytes) -> None:
    assert violation(b'{"a": [0, {"b/c": ' + number + b"}]}").place == "/a/1/b~1c"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"a": 1, "a": 1}', "/a"),
        (b'{"a": 1, "b": 2, "\\u0061": 3}', "/a"),
        (b'[0, {"b": {"c": 1, "d": 0, "c": 2}}]', "/1/b/c"),
        (b'{"": 1, "": 2}', "/"),
        (b'{"a/b~c": {"d": 1, "d": 2}}', "/a~1b~0c/d"),
        (b'{"a": {"b": 1, "b": 2}, "a": 3}', "/a"),
        (b'[{"a": 1}, {"a": 1, "b": {"a": 1}}, {"a": 1, "a": 1}]', "/2/a"),
        (b'{"a": null, "a": {}}', "/a"),
        (b'{"b": {"c": 1, "c": 2}, "a": {"d": 1, "d": 2}}', "/b/c"),
    ],
)
def test_a_repeated_name_is_refused_with_its_place(body: bytes, place: str) -> None:
    refused_at(body, place, "uniqueNames")


@given(st.lists(st.text(max_size=5) | st.integers(0, 3), max_size=20), st.text(max_size=5))
def test_a_repeated_name_is_found_at_any_depth(path: list[str | int], name: str) -> None:
    body = f"{{{json.dumps(name)}: 1, {json.dumps(name)}: 2}}"
    for step in reversed(path):
        before = "0, " * step if isinstance(step, int) else ""
        body = f"[{before}{body}]" if isinstance(step, int) else f"{{{json.dumps(step)}: {body}}}"
    assert violation(body.encode()).place == pointer([*path, name])


def test_the_same_name_in_different_objects_is_no_repetition() -> None:
    assert parse(b'[{"a": {"a": 1}}, {"a": 2}]', max_depth=64) == [{"a": {"a": 1}}, {"a": 2}]


HALF_PAIRS = {
    b'"\\ud800"': "",
    b'{"a": ["ok", "x\\udfffy"]}': "/a/1",
    b'{"a": "\\uD83C\\uD83C\\uDFAC"}': "/a",
    b'{"a": "\\udfac\\ud83c"}': "/a",
    b'{"a": {"\\ud800": 1}}': "/a",
    b'["\\ud800", "\\ud800"]': "/0",
    b'{"a": {"\\uDC00": {"b": "\\ud800"}}}': "/a",
}


@pytest.mark.parametrize("body", HALF_PAIRS)
def test_half_a_surrogate_pair_is_refused_with_its_place(body: bytes) -> None:
    refused_at(body, HALF_PAIRS[body], "unicode")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_64_levels_are_read_and_65_are_refused(opening: str, closing: str) -> None:
    parse((opening * 64 + "1" + closing * 64).encode(), max_depth=64)
    found = violation((opening * 65 + "1" + closing * 65).encode())
    assert (found.rule, found.sentence) == ("depth", "is nested deeper than 64 levels")


def test_arrays_and_objects_count_together() -> None:
    mixed = '[{"a":' * 32, "}]" * 32
    parse("1".join(mixed).encode(), max_depth=64)
    assert violation("[]".join(mixed).encode()).rule == "depth"


def test_depth_is_the_deepest_branch_not_the_number_of_brackets() -> None:
    assert len(parse(b"[" + b"[[]]," * 999 + b"[[]]]", max_depth=3)) == 1_000
    assert violation(b"[[], [[[]]], []]", max_depth=3).rule == "depth"


def test_brackets_in_a_text_are_no_depth() -> None:
    assert parse(b'["' + b"[{" * 500 + b'"]', max_depth=1) == ["[{" * 500]


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000],
    ids=["arrays", "closed arrays", "objects"],
)
def test_a_hundred_thousand_brackets_are_refused(body: bytes) -> None:
    assert violation(body).rule == "depth"


@pytest.mark.parametrize("depth", [64, 200])
def test_a_surrogate_is_found_in_the_deepest_place_allowed(depth: int) -> None:
    body = b"[" * depth + b'"\\ud800"' + b"]" * depth
    assert violation(body, max_depth=depth).place == "/0" * depth


@pytest.mark.parametrize(
    ("path", "written"),
    [([], ""), (["a", 0], "/a/0"), (["", "a b"], "//a b"), (["a/b"], "/a~1b"), (["~1"], "/~01")],
)
def test_a_pointer_escapes_as_rfc_6901_says(path: list[str | int], written: str) -> None:
    assert pointer(path) == written


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text('a[{,"\\: '),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('a[{,"\\: '), inner),
    max_leaves=30,
)


def values_in(value: Any) -> int:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + sum(map(values_in, inner))
    return 1


@given(JSON.filter(lambda value: "NaN" not in json.dumps(value)), st.sampled_from([None, 1]))
def test_the_count_of_values_ignores_signs_in_texts(value: Any, indent: int | None) -> None:
    body = json.dumps(value, indent=indent).replace("Infinity", "1e308").encode()
    count = values_in(value)
    parse(body, max_depth=64, max_values=count)
    if count > 1:
        with pytest.raises(Invalid, match="limits.json_values"):
            parse(body, max_depth=64, max_values=count - 1)


@given(st.text('{}[],:"\\u0031ae-. \t', max_size=30))
def test_a_value_is_the_same_after_writing_and_reading(text: str) -> None:
    try:
        value = parse(text.encode(), max_depth=64)
    except Invalid:
        return
    assert repr(msgspec.json.decode(msgspec.json.encode(value))) == repr(value)


@pytest.mark.parametrize("sign", ["", "-"])
def test_500_digits_are_read_and_501_are_refused(sign: str) -> None:
    assert parse(f"{sign}{'9' * 500}".encode(), max_depth=64) == int(sign + "9" * 500)
    assert violation(f"{sign}{'9' * 501}".encode()).sentence == "has 501 digits; at most 500"


@pytest.mark.parametrize("text", ["9" * 2000, "[{" * 2000, ":" * 2000, "\\u003a" * 300])
def test_json_in_a_text_is_a_text(text: str) -> None:
    body = f'{{"a": "{text}", "b": ":"}}'.encode()
    assert parse(body, max_depth=2, max_values=3) == json.loads(body)
