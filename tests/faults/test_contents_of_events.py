"""How events are spelled, and that they say what answers say."""

from __future__ import annotations

import json
import tomllib
from typing import Any, get_args

import pytest

from mock_server.contract.data_paths import FIXTURES
from mock_server.contract.failures import failures_of
from mock_server.core.json_values import is_same_json
from mock_server.core.lifecycle import FailureReason
from tests.faults.delivery_scene import (
    APIS,
    DOOR,
    FAILED,
    SCENES,
    Scene,
    libraries_spell,
    scene_of,
)
from tests.live import live
from tests.raw_receiver import raw_receiver

# --- how it is spelled -----------------------------------------------------------------------


@pytest.mark.parametrize("api", APIS)
def test_an_event_is_spelled_as_no_library_does_and_all_its_attempts_are_the_same(
    api: str,
) -> None:
    with scene_of(api, deliveries__spelling="unusual") as scene:
        scene.go_wrong({"effect": {"type": "delivery", "copies": 2}, "times": 1})
        task_id = scene.finish()
        (delivery, _) = scene.log_of(task_id)
        scene.post(f"{DOOR}/deliveries/{delivery['id']}/redeliver", None)
        scene.mock.advance(0)
        received, truth = scene.came(3), scene.true_body(task_id)
        (body,) = {each.body for each in received}
        for each in received:
            scene.check(each, body)
    assert is_same_json(json.loads(body), json.loads(truth))
    assert body not in libraries_spell(truth)


@pytest.mark.parametrize("api", APIS)
def test_the_unusual_spelling_is_the_default(api: str) -> None:
    with live(acedata__sign_callbacks=True) as mock:
        scene = SCENES[api](mock)
        with scene.client, raw_receiver(scene.take) as hook:
            scene.listen(hook)
            truth = scene.true_body(scene.finish())
            received = scene.one()
            scene.check(received, received.body)
    assert is_same_json(json.loads(received.body), json.loads(truth))
    assert received.body not in libraries_spell(truth)


@pytest.mark.parametrize("api", APIS)
def test_a_signature_over_the_body_as_a_library_writes_it_is_wrong(api: str) -> None:
    with scene_of(api, deliveries__spelling="unusual") as scene:
        scene.finish()
        received = scene.one()
        signature = scene.signature(received)
        for spelled in libraries_spell(received.body):
            wrong = scene.right_digest(scene.secret, spelled, signature.at_s)
            assert wrong != signature.digest


# --- answers and events say the same ---------------------------------------------------------

SAID_TWICE = {"status_unknown", "success_without_url", "failure_without_error"}
OF_ONE_READ = {"status_backwards", "fails_after_success"}
"""They change what some reads say, after others have said something else."""


def test_every_scenario_that_changes_what_reads_say_changes_the_event_too() -> None:
    rules = {
        file.stem: tomllib.loads(file.read_text("utf-8"))["faults"]
        for file in (FIXTURES / "scenarios").glob("*.toml")
    }
    changing = {
        name
        for name, faults in rules.items()
        for rule in faults
        if rule["effect"]["type"] == "body"
        and rule.get("match", {}).get("operation") == "read"
        and rule["effect"].keys() & {"set", "null", "drop", "rename"}
    }
    assert changing == SAID_TWICE | OF_ONE_READ


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", sorted(SAID_TWICE))
def test_a_scenario_says_the_same_in_an_answer_and_in_the_event(name: str, api: str) -> None:
    with scene_of(api) as scene:
        scene.go_wrong({"scenario": name})
        task_id = scene.create()
        scene.mock.advance(1)
        received = scene.one()
        scene.check(
            received, received.body, event_type=received.headers.get("rivya-event-type", "")
        )
        told, read = json.loads(received.body), scene.look(task_id).json()
        assert told_of_task(scene, told) == read_of_task(scene, read)
        scene.client.delete(f"{DOOR}/faults")
        assert told_of_task(scene, told) != read_of_task(scene, scene.look(task_id).json())


@pytest.mark.parametrize("way", ["scenario", "finish"])
@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("reason", get_args(FailureReason))
def test_a_failed_task_says_the_same_reason_in_a_read_and_in_the_event(
    reason: FailureReason, api: str, way: str
) -> None:
    with scene_of(api) as scene:
        if way == "scenario":
            scene.go_wrong({"scenario": f"task_failed_{reason}"})
        task_id = scene.create()
        if way == "finish":
            ending = {"state": "failed", "reason": reason}
            scene.post(f"{DOOR}/tasks/{task_id}/finish", ending)
        scene.mock.advance(1 if way == "scenario" else 0)
        received = scene.one()
        scene.check(received, received.body, event_type=FAILED)
        told = told_of_task(scene, json.loads(received.body))
        read = read_of_task(scene, scene.look(task_id).json())
    failure = failures_of(api)[reason]
    assert told["error"] == read["error"] == {"code": failure.code, "message": failure.message}
    assert told == read


def told_of_task(scene: Scene, told: dict[str, Any]) -> Any:
    return told["data"] if scene.api == "rivya" else told


def read_of_task(scene: Scene, read: dict[str, Any]) -> Any:
    if scene.api == "rivya":
        return read
    for video in read["response"].get("data", []):
        assert video.pop("first_image_url") is None
    return read["response"]
