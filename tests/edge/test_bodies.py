"""One strict reader reads each body once. What is kept of a body is bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.asgi import Answer
from tests.mock import MINIMAL, VIDEO, MakeMock, Mock

DOOR = "/_mock/worlds/default"

ODD_VALUES = [
    "-" + "1" * 4300,
    "1" * 4301,
    "-" + "9" * 500,
    "1" * 501,
    "1e400",
    "-1e400",
    "1e-400",
    "-0",
    "-0.0",
    "1E5",
    "1.7976931348623157e308",
    "18446744073709551616",
    '"\\ud800"',
    '{"\\udfff": 1}',
    '{"a": 1, "a": 2}',
    '{"a": 1, "\\u0061": 2}',
    '{"\\u003a": 1, "b": 2, "b": 3}',
    '"\\u003a"',
    "[" * 63 + "]" * 63,
    "[" * 64 + "]" * 64,
    "[" * 5000 + "]" * 5000,
    "NaN",
    '"\\u0000"',
    '"\\ud83c\\udfac"',
]


@pytest.fixture(params=["rivya", "acedata"])
def api(request: pytest.FixtureRequest) -> str:
    """Either API."""
    name: str = request.param
    return name


def create(mock: Mock, api: str, fields: str = "") -> Answer:
    """A create with more fields, as they are spelled."""
    if api == "rivya":
        body = json.dumps(MINIMAL)[:-1] + fields + "}"
        return mock.rivya("POST", "/generations", body.encode())
    body = json.dumps(VIDEO | {"async": True})[:-1] + fields + "}"
    return mock.acedata("/videos", body.encode())


def id_of(answer: Answer) -> str:
    """The id of the task that was made."""
    told = answer.json()
    return str(told["id"] if "id" in told else told["task_id"])


def advance(mock: Mock, seconds: float = 10) -> Answer:
    """Let everything happen by the door."""
    body = json.dumps({"seconds": seconds}).encode()
    headers = {"content-type": "application/json"}
    return mock.request("POST", f"{DOOR}/clock/advance", headers=headers, body=body)


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: value[:20])
def test_every_value_of_a_field_is_refused_or_harmless(mock: Mock, api: str, value: str) -> None:
    answer = create(mock, api, f', "zzz": {value}')
    assert answer.status in {200, 400}
    other = id_of(create(mock, api))
    assert advance(mock).status == 200
    assert mock.request("GET", f"{DOOR}/tasks").status == 200
    assert mock.request("GET", f"{DOOR}/snapshot").status == 200
    for task_id in [other] + ([id_of(answer)] if answer.status == 200 else []):
        assert mock.request("GET", f"/media/default/{task_id}.mp4").status == 200
        if api == "acedata":
            shown = mock.acedata("/tasks", {"action": "retrieve", "id": task_id}).json()
            assert shown["response"]["success"] is True


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: value[:20])
def test_the_echo_has_the_value_that_was_sent(mock: Mock, value: str) -> None:
    answer = create(mock, "acedata", f', "zzz": {value}')
    if answer.status == 400:
        return
    shown = mock.acedata("/tasks", {"action": "retrieve", "id": id_of(answer)}).json()
    assert repr(shown["request"]["zzz"]) == repr(value_of(value))


def value_of(text: str) -> Any:
    """What a text of JSON spells."""
    return json.loads(text)


@pytest.mark.parametrize("fields", [" " * 900_000, ', "zzz": "' + "y" * 900_000 + '"'])
def test_no_more_is_kept_of_a_request_than_is_needed(mock: Mock, api: str, fields: str) -> None:
    task_id = id_of(create(mock, api, fields))
    assert len(mock.world.tasks[task_id].order.request) < 200


@pytest.mark.parametrize("escape", ["\\u0079", "y"])
def test_a_prompt_of_any_length_is_kept(mock: Mock, escape: str) -> None:
    body = f'{{"action":"generate","async":true,"prompt":"{escape * 100_000}","zzz":1}}'
    task_id = id_of(mock.acedata("/videos", body.encode()))
    advance(mock)
    shown = mock.acedata("/tasks", {"action": "retrieve", "id": task_id}).json()
    assert shown["response"]["data"][0]["prompt"] == "y" * 100_000
    assert shown["request"] == VIDEO | {"async": True, "prompt": "y" * 100_000}


def test_ignored_fields_are_echoed_as_long_as_they_are_short(mock: Mock) -> None:
    task_id = id_of(create(mock, "acedata", ', "mirror": {"a": [1, 2]}'))
    shown = mock.acedata("/tasks", {"action": "retrieve", "id": task_id}).json()
    assert shown["request"]["mirror"] == {"a": [1, 2]}


def test_how_long_a_request_is_kept_whole_is_a_setting(make_mock: MakeMock) -> None:
    mock = make_mock(limits__whole_request_bytes=0)
    task_id = id_of(create(mock, "acedata", ', "mirror": 1, "callback_secret": "s"'))
    shown = mock.acedata("/tasks", {"action": "retrieve", "id": task_id}).json()
    assert shown["request"] == VIDEO | {"async": True, "callback_secret": "s"}


def test_unknown_fields_of_a_long_request_are_not_kept(
    make_mock: MakeMock,
) -> None:
    mock = make_mock(limits__whole_request_bytes=100, rivya__params="lenient")
    params = {"prompt_optimizer": "false", "zzz": "y" * 1000}
    task_id = id_of(mock.create(params=params))
    kept = json.loads(mock.world.tasks[task_id].order.request)
    assert kept["params"] == {"prompt_optimizer": "false"}


def test_more_values_than_the_limit_are_refused_with_the_limit(
    make_mock: MakeMock,
) -> None:
    mock = make_mock(limits__json_values=20)
    assert create(mock, "rivya", ', "a": [1, 2, 3]').status == 200
    assert create(mock, "rivya", ', "a": "' + "[,{" * 100 + '"').status == 200
    answer = create(mock, "rivya", ', "a": [' + "1," * 20 + "1]")
    assert answer.status == 400
    assert "has more than 20 values (limits.json_values)" in answer.json()["error"]["message"]


def test_a_body_that_is_too_large_names_the_limit(make_mock: MakeMock) -> None:
    mock = make_mock(limits__body_bytes=100)
    message = create(mock, "rivya", " " * 100).json()["error"]["message"]
    assert "is larger than 100 bytes (limits.body_bytes)" in message


def test_a_few_of_many_violations_are_named(mock: Mock) -> None:
    answer = mock.create(params={"referenceMediaItems": [{}] * 29_000})
    assert answer.status == 400
    assert "has 29000 items; at most 2" in answer.json()["error"]["message"]
    unknown = {f"field_{number}": 0 for number in range(29_000)}
    answer = mock.create(params=unknown)
    assert "/params/field_0: is no field here" in answer.json()["error"]["message"]
    assert "and at least 47 more" in answer.json()["error"]["message"]


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_the_echo_equals_the_sent_body(value: Any) -> None:
    mock = Mock()
    try:
        text = json.dumps(value, allow_nan=True)
        answer = create(mock, "acedata", f', "zzz": {text}')
        if "Infinity" in text and answer.status == 400:
            return
        shown = mock.acedata("/tasks", {"action": "retrieve", "id": id_of(answer)}).json()
        assert shown["request"]["zzz"] == value
    finally:
        mock.close()
