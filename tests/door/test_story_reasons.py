"""The reasons in a story: each odd entry says in one sentence why it is as it is."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.door.test_history import advance, story
from tests.live import live
from tests.mock import KEY, MINIMAL, VIDEO, Mock
from tests.rich_world import door

HOOK = VIDEO | {"callback_url": "http://127.0.0.1:9/hook"}


def odd(entries: list[dict[str, Any]]) -> list[str]:
    return [each["why"] for each in entries if each["is_odd"]]


def of_type(entries: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in entries if each["type"] == kind]


def test_a_second_equal_create_without_a_key_says_that_both_are_charged(mock: Mock) -> None:
    first, second = (mock.create().json()["id"] for _ in range(2))
    (twin,) = of_type(story(mock, first), "twin")
    assert twin["why"] == (
        "A second task with the same body, 0 ms later, no Idempotency-Key: both charged."
    )
    assert (twin["twin"], twin["price_credits"], twin["is_odd"]) == (second, 57, True)
    assert mock.request("GET", twin["links"]["twin"]).json()["id"] == second
    assert mock.request("GET", twin["links"]["request"]).json()["task"] == second
    (twin,) = of_type(story(mock, second), "twin")
    assert twin["why"].startswith("The first task with the same body, 0 ms later, no")


def test_a_pair_that_failed_is_not_said_to_be_charged(mock: Mock) -> None:
    first, second = (mock.create().json()["id"] for _ in range(2))
    door(mock, "POST", f"/tasks/{second}/finish", {"state": "failed"})
    (twin,) = of_type(story(mock, first), "twin")
    assert twin["why"].endswith(": one of the two charged.")
    assert not twin["is_odd"]


@pytest.mark.parametrize("other", [{"prompt": "else"}, {"params": {"duration": "10"}}])
def test_another_body_makes_no_twin(mock: Mock, other: dict[str, str]) -> None:
    first = mock.create().json()["id"]
    mock.create(**other)
    assert of_type(story(mock, first), "twin") == []


def create_with_key(mock: Mock, key: str) -> Any:
    headers = {"idempotency-key": key}
    return mock.rivya("POST", "/generations", MINIMAL, headers=headers).json()["id"]


def test_another_key_is_named_and_a_replay_makes_no_twin(mock: Mock) -> None:
    first = create_with_key(mock, "order-1")
    assert create_with_key(mock, "order-1") == first
    assert of_type(story(mock, first), "twin") == []
    (replay,) = [each for each in of_type(story(mock, first), "request") if each["replay_of"]]
    assert replay["why"].startswith("Its Idempotency-Key found the task of ")
    create_with_key(mock, "order-2")
    (twin,) = of_type(story(mock, first), "twin")
    assert "with another Idempotency-Key: both charged" in twin["why"]


def test_only_neighbours_are_named_of_many(mock: Mock) -> None:
    ids = [mock.create().json()["id"] for _ in range(5)]
    assert [each["twin"] for each in of_type(story(mock, ids[3]), "twin")] == [ids[2], ids[4]]
    whys = [each["why"] for each in of_type(story(mock, ids[3]), "twin")]
    assert [why.partition(" with")[0] for why in whys] == ["A third task", "Task number 5"]


def test_a_lost_callback_has_a_row_with_its_reason(mock: Mock) -> None:
    door(mock, "POST", "/faults", {"scenario": "delivery_never", "times": 1})
    task_id = mock.acedata("/videos", HOOK).json()["task_id"]
    advance(mock, 120)
    (missing,) = of_type(story(mock, task_id), "no_delivery")
    assert missing["why"] == "No callback comes: the scenario 'delivery_never' left it out."
    assert missing["is_odd"]


def test_a_task_that_nobody_listens_to_says_so_and_is_not_odd(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    assert of_type(story(mock, task_id), "no_delivery") == []
    advance(mock, 120)
    (missing,) = of_type(story(mock, task_id), "no_delivery")
    assert missing["why"].startswith("No callback comes, because it has no receiver")
    assert odd(story(mock, task_id)) == []


def with_webhook(url: str, api: str) -> None:
    endpoint = {"url": f"{url}/_mock/inbox/default/hook", "event_types": ["generation.succeeded"]}
    headers = {"authorization": f"Bearer {KEY}"}
    httpx2.post(f"{api}/webhooks", headers=headers, json=endpoint).raise_for_status()


@pytest.mark.parametrize(
    ("refusals", "rest"),
    [(1, "another attempt of the same event was accepted."), (99, "no more attempts are made.")],
)
def test_an_attempt_says_what_the_receiver_did_and_what_follows(refusals: int, rest: str) -> None:
    with live() as server:
        api, world = f"{server.url}/api/v1", f"{server.url}/_mock/worlds/default"
        with_webhook(server.url, api)
        answers = {"answers": [{"status": 500, "times": refusals}]}
        httpx2.put(f"{world}/inbox/hook", json=answers).raise_for_status()
        headers = {"authorization": f"Bearer {KEY}"}
        task_id = httpx2.post(f"{api}/generations", headers=headers, json=MINIMAL).json()["id"]
        for seconds in [60] + [86_400] * 9:
            server.advance(seconds)
        entries = httpx2.get(f"{world}/tasks/{task_id}/story").json()["entries"]
    attempts = of_type(entries, "attempt")
    assert len(attempts) > 1
    assert [each["why"] for each in attempts if each["is_odd"]][-1] == (
        f"The receiver answered 500; {rest}"
    )
    again = "The receiver answered 500; the event is sent again."
    assert refusals == 1 or {each["why"] for each in attempts[:-1]} == {again}


def test_a_failed_task_says_why_in_words(mock: Mock) -> None:
    door(mock, "POST", "/faults", {"scenario": "task_failed_moderation", "times": 1})
    task_id = mock.create().json()["id"]
    advance(mock, 120)
    failed = [each for each in of_type(story(mock, task_id), "state") if each["is_odd"]]
    assert [each["why"] for each in failed] == [
        "The content was refused by moderation. The scenario 'task_failed_moderation' decided it."
    ]


def test_a_stuck_task_says_that_it_never_ends(mock: Mock) -> None:
    door(mock, "POST", "/faults", {"scenario": "stuck", "times": 1})
    task_id = mock.create().json()["id"]
    advance(mock, 120)
    assert "It never ends by itself, as the scenario 'stuck' has it." in odd(story(mock, task_id))


def test_changes_have_no_reasons(mock: Mock) -> None:
    mock.create()
    mock.create()
    changes = mock.request("GET", "/_mock/worlds/default/changes").json()["changes"]
    assert {(each["why"], each["is_odd"]) for each in changes} == {(None, False)}


@given(prompts=st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=6))
def test_every_odd_entry_has_a_reason_in_one_line(prompts: list[str]) -> None:
    with closing(Mock()) as mock:
        for prompt in prompts:
            mock.create(prompt=prompt)
        for task in mock.world.tasks:
            for entry in story(mock, task.id):
                why = entry["why"]
                assert why is not None or not entry["is_odd"]
                assert why is None or (why[0].isupper() and why.endswith(".") and "\n" not in why)
            is_alone = prompts.count(json_prompt(task.order.request)) == 1
            assert (of_type(story(mock, task.id), "twin") == []) == is_alone


def json_prompt(request: bytes) -> str:
    prompt: str = json.loads(request)["prompt"]
    return prompt
