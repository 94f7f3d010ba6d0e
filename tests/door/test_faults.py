"""Faults through the control door: added, seen at work, counted, taken away."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.apis.rivya.conftest import account
from tests.asgi import Answer
from tests.mock import TOKEN, VIDEO, Mock

MakeMock = Callable[..., Mock]
FAULTS = "/_mock/worlds/default/faults"
FAILS = {"type": "task", "outcome": "failed"}
LATE = {"type": "delivery", "late_s": 60.0}


def door(mock: Mock, method: str, path: str = "", body: Any = None) -> Answer:
    headers = {} if body is None else {"content-type": "application/json"}
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return mock.request(method, FAULTS + path, headers=headers, body=raw)


def add(mock: Mock, **rule: Any) -> list[Any]:
    """The faults that now stand because of this rule or scenario."""
    answer = door(mock, "POST", body=rule)
    assert answer.status == 201, answer.body
    faults: list[Any] = answer.json()["faults"]
    return faults


def standing(mock: Mock) -> list[Any]:
    answer = door(mock, "GET")
    assert answer.status == 200
    faults: list[Any] = answer.json()["faults"]
    return faults


def fails(mock: Mock, **fields: Any) -> bool:
    """Whether one more generation fails."""
    task_id = mock.create(**fields).json()["id"]
    mock.advance(1)
    status = mock.generation(task_id)["status"]
    assert status in {"succeeded", "failed"}
    return bool(status == "failed")


def failures(mock: Mock, count: int) -> list[bool]:
    return [fails(mock) for _ in range(count)]


# --- standing and going ----------------------------------------------------------------------


def test_at_first_nothing_is_wrong(mock: Mock) -> None:
    assert standing(mock) == []
    assert failures(mock, 2) == [False, False]


def test_a_new_fault_is_shown_as_it_was_asked_for_with_an_id_and_counts(mock: Mock) -> None:
    rule = {"effect": FAILS, "match": {"api": "rivya"}, "times": 3, "skip": 1, "every": 2}
    (fault,) = add(mock, **rule)
    assert fault.pop("id").startswith("fault_")
    assert fault == rule | {"scenario": None, "matched": 0, "happened": 0}


def test_it_goes_wrong_until_the_fault_is_removed(mock: Mock) -> None:
    (fault,) = add(mock, effect=FAILS)
    assert failures(mock, 2) == [True, True]
    removed = door(mock, "DELETE", f"/{fault['id']}")
    assert removed.status == 200
    assert removed.json() == fault | {"matched": 2, "happened": 2}
    assert failures(mock, 2) == [False, False]
    assert standing(mock) == []


def test_a_fault_can_be_looked_at_alone(mock: Mock) -> None:
    (fault,) = add(mock, effect=FAILS)
    add(mock, effect=LATE)
    shown = door(mock, "GET", f"/{fault['id']}")
    assert (shown.status, shown.json()) == (200, fault)


def test_faults_are_listed_oldest_first(mock: Mock) -> None:
    added = [*add(mock, effect=LATE), *add(mock, effect=FAILS), *add(mock, effect=LATE)]
    assert standing(mock) == added
    assert len({fault["id"] for fault in added}) == 3


def test_clearing_makes_everything_right_again(mock: Mock) -> None:
    add(mock, effect=FAILS)
    add(mock, effect=LATE)
    cleared = door(mock, "DELETE")
    assert (cleared.status, cleared.json()) == (200, {"faults": []})
    assert standing(mock) == []
    assert failures(mock, 1) == [False]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("gone", [False, True])
def test_what_does_not_stand_is_not_found(mock: Mock, method: str, gone: bool) -> None:
    fault_id = add(mock, effect=FAILS)[0]["id"] if gone else "fault_x"
    door(mock, "DELETE")
    answer = door(mock, method, f"/{fault_id}")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", {}), ("DELETE", None)])
def test_an_unknown_world_has_no_faults(mock: Mock, method: str, body: Any) -> None:
    headers = {"content-type": "application/json"}
    path = FAULTS.replace("default", "defualt")
    answer = mock.request(method, path, headers=headers, body=json.dumps(body).encode())
    assert answer.status == 404
    assert "did you mean 'default'" in answer.json()["title"]


def test_another_method_is_told_which_are_right(mock: Mock) -> None:
    answer = door(mock, "PUT")
    assert answer.status == 405
    assert answer.headers["allow"] == "DELETE, GET, POST"


# --- how often -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "seen"),
    [
        ({}, "xxxxxx"),
        ({"times": 2}, "xx...."),
        ({"skip": 2}, "..xxxx"),
        ({"every": 2}, ".x.x.x"),
        ({"skip": 1, "every": 3}, "...x.."),
        ({"skip": 1, "every": 2, "times": 1}, "..x..."),
        ({"times": None}, "xxxxxx"),
        ({"probability": 0}, "......"),
        ({"probability": 1.0}, "xxxxxx"),
    ],
)
def test_it_goes_wrong_as_often_as_was_asked(mock: Mock, terms: dict[str, Any], seen: str) -> None:
    add(mock, effect=FAILS, **terms)
    assert "".join("x" if failed else "." for failed in failures(mock, 6)) == seen


def test_the_counts_tell_what_it_concerned_and_how_often_it_happened(mock: Mock) -> None:
    add(mock, effect=FAILS, every=2)
    failures(mock, 5)
    (fault,) = standing(mock)
    assert (fault["matched"], fault["happened"]) == (5, 2)


def test_one_that_is_used_up_stays_and_counts_no_more(mock: Mock) -> None:
    add(mock, effect=FAILS, times=1)
    failures(mock, 3)
    (fault,) = standing(mock)
    assert (fault["matched"], fault["happened"]) == (1, 1)


def test_chance_is_drawn_from_the_seed(make_mock: MakeMock) -> None:
    seen = []
    for seed in (1, 1, 2):
        mock = make_mock(seed=seed)
        add(mock, effect=FAILS, probability=0.5)
        seen.append(failures(mock, 30))
    assert seen[0] == seen[1] != seen[2]
    assert 5 < sum(seen[0]) < 25


def test_of_two_that_would_happen_the_older_one_does(mock: Mock) -> None:
    add(mock, effect=FAILS, times=1)
    add(mock, effect={"type": "task", "outcome": "succeeded"})
    assert failures(mock, 3) == [True, False, False]
    assert [fault["happened"] for fault in standing(mock)] == [1, 2]


def test_a_replayed_create_is_no_second_task_to_go_wrong(mock: Mock) -> None:
    add(mock, effect=FAILS)
    for _ in range(2):
        body = {"model": "hailuo-pro", "prompt": "a"}
        mock.rivya("POST", "/generations", body, headers={"idempotency-key": "k"})
    assert standing(mock)[0]["matched"] == 1


# --- what it concerns ------------------------------------------------------------------------


def test_a_fault_can_concern_one_api_alone(mock: Mock) -> None:
    (fault,) = add(mock, effect=FAILS, match={"api": "acedata"})
    assert failures(mock, 1) == [False]
    task_id = mock.acedata("/videos", VIDEO | {"async": True}).json()["task_id"]
    mock.advance(1)
    shown = mock.acedata("/tasks", {"action": "retrieve", "id": task_id}, token=TOKEN).json()
    assert shown["response"]["success"] is False
    assert door(mock, "GET", f"/{fault['id']}").json()["happened"] == 1


def test_a_fault_can_concern_one_account_alone(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", a={}), account("b", b={})])
    add(mock, effect=FAILS, match={"account": "b"})
    seen = []
    for key in ("rvya_sk_a", "rvya_sk_b"):
        body = {"model": "hailuo-pro", "prompt": "a"}
        task_id = mock.rivya("POST", "/generations", body, key=key).json()["id"]
        mock.advance(1)
        seen.append(mock.rivya("GET", f"/generations/{task_id}", key=key).json()["status"])
    assert seen == ["succeeded", "failed"]


def test_a_fault_can_concern_one_model_alone(mock: Mock) -> None:
    add(mock, effect=FAILS, match={"model": "hailuo-standard"})
    assert fails(mock, model="hailuo-standard")
    assert not fails(mock, model="hailuo-pro")


def test_a_fault_can_concern_prompts_that_fit_an_expression(mock: Mock) -> None:
    add(mock, effect=FAILS, match={"prompt": "(?i)ball(oo)?n$"})
    assert fails(mock, prompt="A red BALLOON")
    assert not fails(mock, prompt="A balloon rises")
    assert standing(mock)[0]["matched"] == 1


def test_everything_that_is_asked_for_must_fit(mock: Mock) -> None:
    add(mock, effect=FAILS, match={"model": "hailuo-pro", "prompt": "red"})
    assert [fails(mock, prompt=prompt) for prompt in ("red", "blue")] == [True, False]


# --- scenarios -------------------------------------------------------------------------------


def test_a_scenario_stands_under_its_name(mock: Mock) -> None:
    (fault,) = add(mock, scenario="delivery_twice")
    assert fault["scenario"] == "delivery_twice"
    assert fault["effect"] == {"type": "delivery", "copies": 2, "apart_s": 5.0}


def test_what_stands_beside_a_scenario_is_said_of_its_rules(mock: Mock) -> None:
    terms = {"times": 2, "every": 3, "skip": 1, "probability": 0.5, "match": {"model": "m"}}
    (fault,) = add(mock, scenario="delivery_twice", **terms)
    assert {name: fault[name] for name in terms} == terms


def test_a_scenario_of_one_api_stays_with_it_whatever_else_is_asked_for(mock: Mock) -> None:
    (fault,) = add(mock, scenario="delivery_stale", match={"model": "hailuo-pro"})
    assert fault["match"] == {"api": "rivya", "model": "hailuo-pro"}


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ("delivery_twce", "delivery_twice"),
        ("Delivery_Twice", "delivery_twice"),
        ("delivery-unsigned", "delivery_unsigned"),
    ],
)
def test_an_unknown_scenario_is_told_the_nearest(mock: Mock, asked: str, right: str) -> None:
    answer = door(mock, "POST", body={"scenario": asked})
    assert answer.status == 400
    (wrong,) = answer.json()["errors"]
    assert wrong["pointer"] == "/scenario"
    assert f"did you mean '{right}'" in wrong["detail"]


@pytest.mark.parametrize(
    "asked", ["nothing like it", "", "../delivery_twice", "delivery_twice.toml"]
)
def test_a_scenario_that_is_not_there_adds_nothing(mock: Mock, asked: str) -> None:
    assert door(mock, "POST", body={"scenario": asked}).status == 400
    assert standing(mock) == []


# --- what is refused -------------------------------------------------------------------------

DELIVERY = {"type": "delivery"}


@pytest.mark.parametrize(
    ("rule", "pointer", "hint"),
    [
        (b"", "", "JSON"),
        (b"nope", "", "JSON"),
        ([], "", "an object"),
        ({}, "/effect", "required"),
        ({"efect": DELIVERY}, "/effect", "was it sent as 'efect'"),
        ({"effect": 5}, "/effect", "an object"),
        ({"effect": {}}, "/effect/type", "required"),
        ({"effect": {"type": "delivry"}}, "/effect/type", "did you mean 'delivery'"),
        ({"effect": {"type": "tsak"}}, "/effect/type", "did you mean 'task'"),
        ({"effect": DELIVERY, "tims": 1}, "/tims", "did you mean 'times'"),
        ({"effect": DELIVERY | {"copeis": 2}}, "/effect/copeis", "did you mean 'copies'"),
        ({"effect": FAILS | {"copies": 2}}, "/effect/copies", "no field"),
        ({"effect": DELIVERY | {"copies": 1001}}, "/effect/copies", "1000"),
        ({"effect": DELIVERY | {"copies": "2"}}, "/effect/copies", "an integer"),
        ({"effect": DELIVERY | {"late_s": -1}}, "/effect/late_s", "0"),
        ({"effect": DELIVERY | {"body": "ct"}}, "/effect/body", "'cut'"),
        ({"effect": DELIVERY | {"extra_fields": []}}, "/effect/extra_fields", "an object"),
        ({"effect": DELIVERY, "skip": -1}, "/skip", "0"),
        ({"effect": DELIVERY, "every": 0}, "/every", "1"),
        ({"effect": DELIVERY, "probability": 1.01}, "/probability", "1"),
        ({"effect": DELIVERY, "probability": "0.5"}, "/probability", "a number"),
        ({"effect": DELIVERY, "match": []}, "/match", "an object"),
        ({"effect": DELIVERY, "match": {"modle": "m"}}, "/match/modle", "did you mean 'model'"),
        ({"scenario": 5}, "/scenario", "a string"),
        ({"scenario": "delivery_twice", "effect": DELIVERY}, "/effect", "no field"),
        ({"scenario": "delivery_twice", "tims": 1}, "/tims", "did you mean 'times'"),
        ({"scenario": "delivery_twice", "every": 0}, "/every", "1"),
    ],
)
def test_a_wrong_rule_is_refused_where_it_is_wrong_and_adds_nothing(
    mock: Mock, rule: Any, pointer: str, hint: str
) -> None:
    require_refused(mock, rule, pointer, hint)


@pytest.mark.parametrize(
    ("rule", "pointer", "hint"),
    [
        ({"effect": DELIVERY, "times": 0}, "/times", "1"),
        ({"effect": DELIVERY, "times": "1"}, "/times", "an integer"),
        ({"effect": DELIVERY, "match": {"api": "rivia"}}, "/match/api", "did you mean 'rivya'"),
        ({"effect": DELIVERY, "match": {"operation": "creat"}}, "/match/operation", "'create'"),
        ({"effect": DELIVERY, "match": {"model": 7}}, "/match/model", "a string"),
        ({"effect": FAILS | {"outcome": "failled"}}, "/effect/outcome", "did you mean 'failed'"),
        ({"effect": FAILS | {"queued_s": -1}}, "/effect/queued_s", "0"),
        ({"effect": DELIVERY | {"connection": "rest"}}, "/effect/connection", "'reset'"),
        ({"effect": DELIVERY | {"attempts": 0}}, "/effect/attempts", "1"),
        ({"effect": DELIVERY | {"answer": 500}}, "/effect/answer", "an object"),
        ({"effect": DELIVERY | {"answer": {"statsu": 500}}}, "/effect/answer/statsu", "'status'"),
        ({"effect": DELIVERY | {"answer": {"status": 600}}}, "/effect/answer/status", "599"),
    ],
)
def test_a_wrong_value_where_null_would_do_is_told_what_is_right(
    mock: Mock, rule: Any, pointer: str, hint: str
) -> None:
    require_refused(mock, rule, pointer, hint)


@pytest.mark.parametrize("prompt", ["(", "[a", "*a"])
@pytest.mark.parametrize("rule", [{"effect": FAILS}, {"scenario": "delivery_twice"}])
def test_a_prompt_that_is_no_regular_expression_is_refused(
    mock: Mock, rule: Any, prompt: str
) -> None:
    require_refused(mock, rule | {"match": {"prompt": prompt}}, "/match", "regular expression")
    assert failures(mock, 1) == [False]


@pytest.mark.parametrize("field", ["skip", "times", "every"])
def test_a_count_that_is_no_whole_number_is_refused(mock: Mock, field: str) -> None:
    for spelled in ("1.5", "2.0", "true"):
        body = f'{{"effect": {{"type": "delivery"}}, "{field}": {spelled}}}'.encode()
        require_refused(mock, body, f"/{field}", "")


def test_what_is_wrong_with_an_effect_is_said_once(mock: Mock) -> None:
    assert len(door(mock, "POST", body={"effect": 5}).json()["errors"]) == 1


@pytest.mark.parametrize("event_type", ["a\r\nx: y", "génération"])
def test_an_event_type_that_fits_in_no_header_is_refused(mock: Mock, event_type: str) -> None:
    rule = {"effect": DELIVERY | {"event_type": event_type}}
    require_refused(mock, rule, "/effect/event_type", "")


def test_everything_that_is_wrong_is_named_at_once(mock: Mock) -> None:
    rule = {"effect": DELIVERY | {"copeis": 2}, "skip": -1, "match": {"modle": "m"}}
    pointers = [wrong["pointer"] for wrong in door(mock, "POST", body=rule).json()["errors"]]
    assert pointers == ["/effect/copeis", "/match/modle", "/skip"]


def test_a_rule_must_be_declared_as_json(mock: Mock) -> None:
    answer = mock.request("POST", FAULTS, body=json.dumps({"effect": FAILS}).encode())
    assert answer.status == 400
    assert standing(mock) == []


def require_refused(mock: Mock, rule: Any, pointer: str, hint: str) -> None:
    answer = door(mock, "POST", body=rule)
    assert answer.status == 400, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    (wrong, *_) = answer.json()["errors"]
    assert wrong["pointer"].startswith(pointer)
    assert hint in wrong["detail"]
    assert standing(mock) == []
