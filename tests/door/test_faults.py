"""Faults through the control door: added, applied, counted, removed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import calls
from tests.mock import TOKEN, VIDEO, MakeMock, Mock
from tests.rivya import account

FAULTS = "/_mock/worlds/default/faults"
FAILS = {"type": "task", "outcome": "failed"}
LATE = {"type": "delivery", "late_s": 60.0}


def standing(mock: Mock) -> list[Any]:
    answer = calls.on_faults(mock, "GET")
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


def test_a_new_world_has_no_faults(mock: Mock) -> None:
    assert standing(mock) == []
    assert failures(mock, 2) == [False, False]


def test_a_new_fault_is_shown_as_it_was_asked_for_with_an_id_and_counts(mock: Mock) -> None:
    rule = {"effect": FAILS, "match": {"api": "rivya"}, "times": 3, "skip": 1, "every": 2}
    (fault,) = calls.add_faults(mock, **rule)
    assert fault.pop("id").startswith("fault_")
    assert fault == rule | {"scenario": None, "matched": 0, "happened": 0}


def test_a_fault_without_a_match_is_shown_with_an_empty_one(mock: Mock) -> None:
    shown = calls.add_faults(mock, effect={"type": "answer", "status": 503})
    assert shown[0]["match"] == standing(mock)[0]["match"] == {}


def test_a_fault_happens_until_it_is_removed(mock: Mock) -> None:
    (fault,) = calls.add_faults(mock, effect=FAILS)
    assert failures(mock, 2) == [True, True]
    removed = calls.on_faults(mock, "DELETE", f"/{fault['id']}")
    assert removed.status == 200
    assert removed.json() == fault | {"matched": 2, "happened": 2}
    assert failures(mock, 2) == [False, False]
    assert standing(mock) == []


def test_one_fault_can_be_read(mock: Mock) -> None:
    (fault,) = calls.add_faults(mock, effect=FAILS)
    calls.add_faults(mock, effect=LATE)
    shown = calls.on_faults(mock, "GET", f"/{fault['id']}")
    assert (shown.status, shown.json()) == (200, fault)


def test_faults_are_listed_oldest_first(mock: Mock) -> None:
    added = [
        *calls.add_faults(mock, effect=LATE),
        *calls.add_faults(mock, effect=FAILS),
        *calls.add_faults(mock, effect=LATE),
    ]
    assert standing(mock) == added
    assert len({fault["id"] for fault in added}) == 3


def test_no_fault_happens_after_clearing(mock: Mock) -> None:
    calls.add_faults(mock, effect=FAILS)
    calls.add_faults(mock, effect=LATE)
    cleared = calls.on_faults(mock, "DELETE")
    assert (cleared.status, cleared.json()) == (200, {"faults": []})
    assert standing(mock) == []
    assert failures(mock, 1) == [False]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("gone", [False, True])
def test_an_unknown_fault_is_not_found(mock: Mock, method: str, gone: bool) -> None:
    fault_id = calls.add_faults(mock, effect=FAILS)[0]["id"] if gone else "fault_x"
    calls.on_faults(mock, "DELETE")
    answer = calls.on_faults(mock, method, f"/{fault_id}")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", {}), ("DELETE", None)])
def test_an_unknown_world_has_no_faults(mock: Mock, method: str, body: Any) -> None:
    headers = {"content-type": "application/json"}
    path = FAULTS.replace("default", "defualt")
    answer = mock.request(method, path, headers=headers, body=json.dumps(body).encode())
    assert answer.status == 404
    assert "did you mean 'default'" in answer.json()["title"]


def test_another_method_is_refused_with_the_right_ones(mock: Mock) -> None:
    answer = calls.on_faults(mock, "PUT")
    assert answer.status == 405
    assert answer.headers["allow"] == "DELETE, GET, POST"


# --- how often -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "seen"),
    [*calls.HOW_OFTEN, ({"times": None}, "xxxxxx"), ({"probability": 1.0}, "xxxxxx")],
)
def test_a_fault_happens_as_often_as_its_terms_say(
    mock: Mock, terms: dict[str, Any], seen: str
) -> None:
    calls.add_faults(mock, effect=FAILS, **terms)
    assert "".join("x" if failed else "." for failed in failures(mock, 6)) == seen


def test_the_counts_are_those_of_matches_and_of_happenings(mock: Mock) -> None:
    calls.add_faults(mock, effect=FAILS, every=2)
    failures(mock, 5)
    (fault,) = standing(mock)
    assert (fault["matched"], fault["happened"]) == (5, 2)


def test_a_used_up_fault_stays_and_counts_nothing(mock: Mock) -> None:
    calls.add_faults(mock, effect=FAILS, times=1)
    failures(mock, 3)
    (fault,) = standing(mock)
    assert (fault["matched"], fault["happened"]) == (1, 1)


def test_chance_is_drawn_from_the_seed(make_mock: MakeMock) -> None:
    seen = []
    for seed in (1, 1, 2):
        mock = make_mock(seed=seed)
        calls.add_faults(mock, effect=FAILS, probability=0.5)
        seen.append(failures(mock, 30))
    assert seen[0] == seen[1] != seen[2]
    assert 5 < sum(seen[0]) < 25


def test_the_older_of_two_faults_happens(mock: Mock) -> None:
    calls.add_faults(mock, effect=FAILS, times=1)
    calls.add_faults(mock, effect={"type": "task", "outcome": "succeeded"})
    assert failures(mock, 3) == [True, False, False]
    assert [fault["happened"] for fault in standing(mock)] == [1, 2]


def test_a_replay_does_not_match_a_task_fault_again(mock: Mock) -> None:
    calls.add_faults(mock, effect=FAILS)
    for _ in range(2):
        body = {"model": "hailuo-pro", "prompt": "a"}
        mock.rivya("POST", "/generations", body, headers={"idempotency-key": "k"})
    assert standing(mock)[0]["matched"] == 1


# --- what it concerns ------------------------------------------------------------------------


def test_a_fault_can_concern_one_api_alone(mock: Mock) -> None:
    (fault,) = calls.add_faults(mock, effect=FAILS, match={"api": "acedata"})
    assert failures(mock, 1) == [False]
    task_id = mock.acedata("/videos", VIDEO | {"async": True}).json()["task_id"]
    mock.advance(1)
    shown = mock.acedata("/tasks", {"action": "retrieve", "id": task_id}, token=TOKEN).json()
    assert shown["response"]["success"] is False
    assert calls.on_faults(mock, "GET", f"/{fault['id']}").json()["happened"] == 1


def test_a_fault_can_concern_one_account_alone(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", a={}), account("b", b={})])
    calls.add_faults(mock, effect=FAILS, match={"account": "b"})
    seen = []
    for key in ("rvya_sk_a", "rvya_sk_b"):
        body = {"model": "hailuo-pro", "prompt": "a"}
        task_id = mock.rivya("POST", "/generations", body, key=key).json()["id"]
        mock.advance(1)
        seen.append(mock.rivya("GET", f"/generations/{task_id}", key=key).json()["status"])
    assert seen == ["succeeded", "failed"]


def test_a_fault_can_concern_one_model_alone(mock: Mock) -> None:
    calls.add_faults(mock, effect=FAILS, match={"model": "hailuo-standard"})
    assert fails(mock, model="hailuo-standard")
    assert not fails(mock, model="hailuo-pro")


def test_a_fault_can_concern_prompts_that_match_an_expression(mock: Mock) -> None:
    calls.add_faults(mock, effect=FAILS, match={"prompt": "(?i)ball(oo)?n$"})
    assert fails(mock, prompt="A red BALLOON")
    assert not fails(mock, prompt="A balloon rises")
    assert standing(mock)[0]["matched"] == 1


BAD_GATEWAY = {"type": "answer", "status": 502}


def statuses(mock: Mock, *headers: dict[str, str]) -> list[int]:
    """The status of a read of the credits with each of these headers."""
    return [mock.rivya("GET", "/credits", headers=each).status for each in headers]


def test_a_fault_can_concern_requests_with_some_headers(mock: Mock) -> None:
    wanted = {"X-Team": "^red$", "user-agent": "axios/1", "X-Retry": False, "Authorization": True}
    calls.add_faults(mock, effect=BAD_GATEWAY, match={"headers": wanted})
    team = {"x-team": "red", "user-agent": "my axios/1.7"}
    others: list[dict[str, str]] = [{}, team | {"x-team": "redder"}, team | {"x-retry": "1"}]
    assert statuses(mock, team, *others) == [502, 200, 200, 200]
    assert standing(mock)[0]["match"] == {"headers": wanted}
    assert standing(mock)[0]["matched"] == 1


def test_the_headers_of_a_download_match_too(mock: Mock) -> None:
    made = mock.create().json()["id"]
    mock.advance(5)
    match = {"operation": "media", "headers": {"Range": False}}
    calls.add_faults(mock, effect=BAD_GATEWAY, match=match)
    path = f"/media/default/{made}.mp4"
    assert mock.request("GET", path).status == 502
    assert mock.request("GET", path, headers={"range": "bytes=0-9"}).status == 206


def test_a_named_scenario_matches_the_headers_of_each_request(
    make_mock: MakeMock, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(
        """
shows = "A request without a key for its retries is lost."
[[faults]]
match = { headers = { "Idempotency-Key" = false } }
effect = { type = "answer", status = 502 }
"""
    )
    mock = make_mock(scenario_dir=str(tmp_path))
    named = {"mock-scenario": "own"}
    assert statuses(mock, named, named | {"idempotency-key": "k"}) == [502, 200]


@pytest.mark.parametrize("name", ["Authorization", "x-api-key", "Cookie"])
def test_a_pattern_for_a_credential_is_refused(mock: Mock, name: str) -> None:
    rule = {"effect": BAD_GATEWAY, "match": {"headers": {name: "^Bearer rvya_sk_t"}}}
    require_refused(mock, rule, "/match", "holds a credential: true (present) or false (absent)")


def test_every_condition_must_match(mock: Mock) -> None:
    calls.add_faults(mock, effect=FAILS, match={"model": "hailuo-pro", "prompt": "red"})
    assert [fails(mock, prompt=prompt) for prompt in ("red", "blue")] == [True, False]


# --- scenarios -------------------------------------------------------------------------------


def test_a_fault_of_a_scenario_shows_its_name(mock: Mock) -> None:
    (fault,) = calls.add_faults(mock, scenario="delivery_twice")
    assert fault["scenario"] == "delivery_twice"
    assert fault["effect"] == {"type": "delivery", "copies": 2, "apart_s": 5.0}


def test_terms_beside_a_scenario_hold_for_its_rules(mock: Mock) -> None:
    terms = {"times": 2, "every": 3, "skip": 1, "probability": 0.5, "match": {"model": "m"}}
    (fault,) = calls.add_faults(mock, scenario="delivery_twice", **terms)
    assert {name: fault[name] for name in terms} == terms


def test_a_scenario_of_one_api_concerns_that_api_under_all_terms(mock: Mock) -> None:
    (fault,) = calls.add_faults(mock, scenario="delivery_stale", match={"model": "hailuo-pro"})
    assert fault["match"] == {"api": "rivya", "model": "hailuo-pro"}


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ("delivery_twce", "delivery_twice"),
        ("Delivery_Twice", "delivery_twice"),
        ("delivery-unsigned", "delivery_unsigned"),
    ],
)
def test_an_unknown_scenario_is_refused_with_a_near_one(mock: Mock, asked: str, right: str) -> None:
    answer = calls.on_faults(mock, "POST", body={"scenario": asked})
    assert answer.status == 400
    (wrong,) = answer.json()["errors"]
    assert wrong["pointer"] == "/scenario"
    assert f"did you mean '{right}'" in wrong["detail"]


@pytest.mark.parametrize(
    "asked", ["nothing like it", "", "../delivery_twice", "delivery_twice.toml"]
)
def test_a_scenario_that_is_not_there_adds_nothing(mock: Mock, asked: str) -> None:
    assert calls.on_faults(mock, "POST", body={"scenario": asked}).status == 400
    assert standing(mock) == []


# --- what is refused -------------------------------------------------------------------------

DELIVERY = {"type": "delivery"}


@pytest.mark.parametrize(
    ("rule", "pointer", "hint"),
    [
        *[(b"", "", "JSON"), (b"nope", "", "JSON"), ([], "", "an object")],
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
def test_a_wrong_rule_is_refused_at_its_place_and_adds_nothing(
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
def test_a_wrong_value_of_an_optional_field_is_refused_with_what_is_right(
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
def test_a_count_must_be_a_whole_number(mock: Mock, field: str) -> None:
    for spelled in ("1.5", "2.0", "true"):
        body = f'{{"effect": {{"type": "delivery"}}, "{field}": {spelled}}}'.encode()
        require_refused(mock, body, f"/{field}", "")


def test_an_error_in_an_effect_is_reported_once(mock: Mock) -> None:
    assert len(calls.on_faults(mock, "POST", body={"effect": 5}).json()["errors"]) == 1


@pytest.mark.parametrize("event_type", ["a\r\nx: y", "génération"])
def test_an_event_type_that_fits_in_no_header_is_refused(mock: Mock, event_type: str) -> None:
    rule = {"effect": DELIVERY | {"event_type": event_type}}
    require_refused(mock, rule, "/effect/event_type", "")


def test_all_errors_are_reported_at_once(mock: Mock) -> None:
    rule = {"effect": DELIVERY | {"copeis": 2}, "skip": -1, "match": {"modle": "m"}}
    errors = calls.on_faults(mock, "POST", body=rule).json()["errors"]
    assert [wrong["pointer"] for wrong in errors] == ["/effect/copeis", "/match/modle", "/skip"]


def test_a_rule_must_be_declared_as_json(mock: Mock) -> None:
    answer = mock.request("POST", FAULTS, body=json.dumps({"effect": FAILS}).encode())
    assert answer.status == 400
    assert standing(mock) == []


def require_refused(mock: Mock, rule: Any, pointer: str, hint: str) -> None:
    calls.require_refused(calls.on_faults(mock, "POST", body=rule), pointer, hint)
