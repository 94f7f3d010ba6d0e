"""Effects on a delivery: its times, its content, and the attempts they apply to."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.effects import NO_FAULT, BodyFault, DeliveryFault, ReceiverAnswer
from mock_server.core.json_values import is_same_json
from tests.json_values import JSON_VALUES

EVENT = {"id": "evt_1", "type": "generation.succeeded", "data": {"text": "Grüße 🎬"}}
BODY = msgspec.json.encode(EVENT)


# --- number and time -------------------------------------------------------------------------


def test_without_a_fault_it_is_due_once_and_at_once() -> None:
    assert NO_FAULT.first_attempts_ms(7) == [7]


@given(st.integers(0, 10**12), st.integers(0, 50), st.integers(0, 10**6), st.integers(0, 10**6))
def test_copies_are_due_one_after_the_other(
    now_ms: int, copies: int, late_s: int, apart_s: int
) -> None:
    fault = DeliveryFault(copies=copies, late_s=late_s, apart_s=apart_s)
    due = [now_ms + 1000 * (late_s + number * apart_s) for number in range(copies)]
    assert fault.first_attempts_ms(now_ms) == due


def test_parts_of_a_second_count_as_milliseconds() -> None:
    assert DeliveryFault(copies=3, late_s=0.25, apart_s=0.0015).first_attempts_ms(0) == [
        250,
        252,
        254,
    ]


# --- attempts --------------------------------------------------------------------------------


@given(st.integers(1, 10), st.integers(1, 20))
def test_the_first_so_many_attempts_go_wrong(attempts: int, number: int) -> None:
    assert DeliveryFault(attempts=attempts).applies_to_attempt(number) is (number <= attempts)


@given(st.integers(1, 1000))
def test_by_default_every_attempt_goes_wrong(number: int) -> None:
    assert DeliveryFault().applies_to_attempt(number)


# --- signature -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"signed_with": "previous"},
        {"signed_with": "wrong"},
        {"signed_with": "nothing"},
        {"signed_s": -3600},
        {"signed_s": 0.5},
        {"altered": True},
        {"reformatted": True},
    ],
)
def test_some_effects_are_visible_only_on_a_signature(fields: dict[str, Any]) -> None:
    assert DeliveryFault(**fields).concerns_signature


@pytest.mark.parametrize(
    "fields",
    [{}, {"copies": 2}, {"body": "cut"}, {"event_type": "x"}, {"connection": "reset"}],
)
def test_other_effects_are_visible_without_a_signature(fields: dict[str, Any]) -> None:
    assert not DeliveryFault(**fields).concerns_signature


# --- content ---------------------------------------------------------------------------------


@given(st.binary())
def test_a_body_without_a_fault_is_sent_byte_for_byte_in_the_compact_spelling(
    body: bytes,
) -> None:
    assert NO_FAULT.body_to_sign(body, "compact") == body
    assert NO_FAULT.body_to_send(body) == body


def test_event_type_replaces_the_type_of_the_event() -> None:
    written = json.loads(
        DeliveryFault(event_type="generation.upscaled").body_to_sign(BODY, "compact")
    )
    assert written == EVENT | {"type": "generation.upscaled"}


def test_event_type_adds_no_type_to_an_event_without_one() -> None:
    assert DeliveryFault(event_type="x").body_to_sign(b'{"a":1}', "compact") == b'{"a":1}'


objects = st.dictionaries(st.text(max_size=3), JSON_VALUES, max_size=4)


@given(objects, objects)
def test_extra_fields_leave_every_value_as_it_is(event: dict[str, Any], more: Any) -> None:
    body = msgspec.json.encode(event)
    written = msgspec.json.decode(DeliveryFault(extra_fields=more).body_to_sign(body, "compact"))
    assert written.keys() == event.keys() | more.keys()
    check_kept(msgspec.json.decode(body), written, more)


def check_kept(before: dict[str, Any], after: dict[str, Any], more: dict[str, Any]) -> None:
    """Only objects that `more` has at the same place have more members than before."""
    for name, value in before.items():
        if isinstance(value, dict) and isinstance(more.get(name), dict):
            assert after[name].keys() == value.keys() | more[name].keys()
            check_kept(value, after[name], more[name])
        else:
            assert is_same_json(after[name], value)


@given(objects, st.sampled_from([("/a", "b"), ("/b", "a"), ("/a/b", "c"), ("/0", "1")]))
def test_fields_of_an_event_are_edited_as_those_of_an_answer(
    event: dict[str, Any], renamed: tuple[str, str]
) -> None:
    edits: dict[str, Any] = {"drop": ("/c",), "set": {"/d": [1]}, "null": ("/e",)}
    edits["rename"] = dict([renamed])
    body = msgspec.json.encode(event)
    expected = BodyFault(**edits).apply_to(msgspec.json.decode(body))
    written = DeliveryFault(**edits).body_to_sign(body, "compact")
    assert written == msgspec.json.encode(expected)


EDITS: dict[str, Any] = {
    "set": {"/a": {"b": [{"c": 1}]}, "/a/b/0/c": 2, "/x/y": 3},
    "null": ("/a/b/0", "/x/z"),
    "drop": ("/x/w",),
    "rename": {"/x/v": "u"},
}


@given(objects)
def test_a_fault_is_not_changed_by_the_body_that_it_changes(event: dict[str, Any]) -> None:
    more = {"x": {"v": 1, "w": 2, "y": 4, "z": {"deep": []}}}
    fault, same = (DeliveryFault(**deepcopy(EDITS), extra_fields=deepcopy(more)) for _ in range(2))
    first = fault.body_to_sign(msgspec.json.encode(event), "compact")
    assert fault == same
    assert fault.body_to_sign(msgspec.json.encode(event), "compact") == first
    answered, same_edits = (BodyFault(**deepcopy(EDITS)) for _ in range(2))
    answered.apply_to({"x": deepcopy(more["x"])})
    assert answered == same_edits


def test_a_field_that_is_added_can_be_edited() -> None:
    fault = DeliveryFault(extra_fields={"beta": 1}, rename={"/beta": "gamma"})
    assert json.loads(fault.body_to_sign(BODY, "compact")) == EVENT | {"gamma": 1}


def test_extra_fields_are_added_after_the_others() -> None:
    extra = {"beta": True, "billing": {"cost": 1}}
    written = json.loads(DeliveryFault(extra_fields=extra).body_to_sign(BODY, "compact"))
    assert written == EVENT | extra
    assert list(written) == [*EVENT, *extra]


def test_a_cut_body_is_its_first_half() -> None:
    assert DeliveryFault(body="cut").body_to_sign(b"0123456789", "compact") == b"01234"
    with pytest.raises(json.JSONDecodeError):
        json.loads(DeliveryFault(body="cut").body_to_sign(BODY, "compact"))


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(DeliveryFault(body="not_json").body_to_sign(BODY, "compact"))


def test_an_empty_body_is_empty() -> None:
    assert DeliveryFault(body="empty").body_to_sign(BODY, "compact") == b""


def test_fields_are_changed_before_a_body_is_cut() -> None:
    whole = DeliveryFault(event_type="x").body_to_sign(BODY, "compact")
    assert (
        DeliveryFault(body="cut", event_type="x").body_to_sign(BODY, "compact")
        == whole[: len(whole) // 2]
    )


def test_an_altered_body_is_changed_after_it_is_signed() -> None:
    fault = DeliveryFault(altered=True)
    assert fault.body_to_sign(BODY, "compact") == BODY
    assert json.loads(fault.body_to_send(BODY)) == EVENT | {"altered": True}


# --- answer in place of the receiver ---------------------------------------------------------


def test_an_answer_in_place_of_the_receiver_has_its_headers() -> None:
    answer = ReceiverAnswer(status=429, retry_after_s=60, location="/elsewhere")
    assert answer.headers == (("retry-after", "60"), ("location", "/elsewhere"))
    assert ReceiverAnswer(status=500).headers == ()
    assert ReceiverAnswer(retry_after_s=0).headers == (("retry-after", "0"),)


# --- encoding --------------------------------------------------------------------------------


def test_only_fields_that_differ_are_encoded() -> None:
    assert msgspec.to_builtins(NO_FAULT) == {"type": "delivery"}
    fault = DeliveryFault(copies=2, answer=ReceiverAnswer(status=500))
    assert msgspec.to_builtins(fault) == {
        "type": "delivery",
        "copies": 2,
        "answer": {"status": 500},
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"copies": -1},
        {"copies": 1001},
        {"late_s": -1},
        {"apart_s": 10**9 + 1},
        {"signed_s": 10**10},
        {"attempts": 0},
        {"bytes_per_s": 0},
        {"content_type": "text/plain\r\nx: y"},
        {"content_type": ""},
        {"drop": [""]},
        {"body": "empty", "drop": ["/id"]},
        {"body": "not_json", "extra_fields": {"a": 1}},
        {"body": "empty", "reformatted": True},
        {"body": "half"},
        {"connection": "lost"},
        {"signed_with": "old"},
        {"answer": {"status": 199}},
        {"answer": {"retry_after_s": -1}},
        {"copys": 2},
    ],
)
def test_a_fault_with_contradicting_fields_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"type": "delivery"} | fields, DeliveryFault)
