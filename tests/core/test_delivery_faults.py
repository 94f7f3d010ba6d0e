"""Ways in which a delivery goes wrong: when it is due, what it says, which attempts are hit."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.delivery_faults import SOUND, DeliveryFault, ReceiverAnswer

EVENT = {"id": "evt_1", "type": "generation.succeeded", "data": {"text": "Grüße 🎬"}}
BODY = msgspec.json.encode(EVENT)


# --- what is owed ----------------------------------------------------------------------------


def test_without_a_fault_it_is_due_once_and_at_once() -> None:
    assert SOUND.due_ms(7) == [7]


@given(st.integers(0, 10**12), st.integers(0, 50), st.integers(0, 10**6), st.integers(0, 10**6))
def test_copies_are_due_one_after_the_other(
    now_ms: int, copies: int, late_s: int, apart_s: int
) -> None:
    fault = DeliveryFault(copies=copies, late_s=late_s, apart_s=apart_s)
    due = [now_ms + 1000 * (late_s + number * apart_s) for number in range(copies)]
    assert fault.due_ms(now_ms) == due


def test_parts_of_a_second_count_as_milliseconds() -> None:
    assert DeliveryFault(copies=3, late_s=0.25, apart_s=0.0015).due_ms(0) == [250, 252, 254]


# --- which attempts --------------------------------------------------------------------------


@given(st.integers(1, 10), st.integers(1, 20))
def test_the_first_so_many_attempts_go_wrong(attempts: int, number: int) -> None:
    assert DeliveryFault(attempts=attempts).hits(number) is (number <= attempts)


@given(st.integers(1, 1000))
def test_every_attempt_goes_wrong_if_nothing_else_is_said(number: int) -> None:
    assert DeliveryFault().hits(number)


# --- how it is signed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"signed_with": "previous"},
        {"signed_with": "wrong"},
        {"signed_with": "nothing"},
        {"signed_s": -3600},
        {"signed_s": 0.5},
        {"altered": True},
    ],
)
def test_some_can_only_be_seen_on_a_signature(fields: dict[str, Any]) -> None:
    assert DeliveryFault(**fields).concerns_signature


@pytest.mark.parametrize(
    "fields",
    [{}, {"copies": 2}, {"body": "cut"}, {"event_type": "x"}, {"connection": "reset"}],
)
def test_others_can_be_seen_without_one(fields: dict[str, Any]) -> None:
    assert not DeliveryFault(**fields).concerns_signature


# --- what it says ----------------------------------------------------------------------------


@given(st.binary())
def test_a_body_that_goes_right_is_left_as_it_is_byte_for_byte(body: bytes) -> None:
    assert SOUND.written(body) == body
    assert SOUND.sent(body) == body


def test_another_type_takes_the_place_of_the_events_own() -> None:
    written = json.loads(DeliveryFault(event_type="generation.upscaled").written(BODY))
    assert written == EVENT | {"type": "generation.upscaled"}


def test_fields_that_nobody_knows_stand_after_those_that_are_known() -> None:
    extra = {"beta": True, "billing": {"cost": 1}}
    written = json.loads(DeliveryFault(extra_fields=extra).written(BODY))
    assert written == EVENT | extra
    assert list(written) == [*EVENT, *extra]


def test_a_cut_body_is_its_first_half() -> None:
    assert DeliveryFault(body="cut").written(b"0123456789") == b"01234"
    with pytest.raises(json.JSONDecodeError):
        json.loads(DeliveryFault(body="cut").written(BODY))


def test_what_is_not_json_cannot_be_read_as_json() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(DeliveryFault(body="not_json").written(BODY))


def test_an_empty_body_is_empty() -> None:
    assert DeliveryFault(body="empty").written(BODY) == b""


def test_a_cut_body_is_cut_after_its_fields_were_changed() -> None:
    whole = DeliveryFault(event_type="x").written(BODY)
    assert DeliveryFault(body="cut", event_type="x").written(BODY) == whole[: len(whole) // 2]


def test_an_altered_body_is_signed_as_it_was_and_sent_as_another() -> None:
    fault = DeliveryFault(altered=True)
    assert fault.written(BODY) == BODY
    assert json.loads(fault.sent(BODY)) == EVENT | {"altered": True}


# --- who answers -----------------------------------------------------------------------------


def test_what_answers_in_the_receivers_place_has_the_headers_that_go_with_it() -> None:
    answer = ReceiverAnswer(status=429, retry_after_s=60, location="/elsewhere")
    assert answer.headers == (("retry-after", "60"), ("location", "/elsewhere"))
    assert ReceiverAnswer(status=500).headers == ()
    assert ReceiverAnswer(retry_after_s=0).headers == (("retry-after", "0"),)


# --- how it is written down ------------------------------------------------------------------


def test_only_what_differs_is_written_down() -> None:
    assert msgspec.to_builtins(SOUND) == {"type": "delivery"}
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
        {"body": "half"},
        {"connection": "lost"},
        {"signed_with": "old"},
        {"answer": {"status": 199}},
        {"answer": {"retry_after_s": -1}},
        {"copys": 2},
    ],
)
def test_what_cannot_go_wrong_so_is_no_fault(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"type": "delivery"} | fields, DeliveryFault)
