"""The request of an event without a socket: byte for byte the one that is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mock_server.control import Control
from tests.faults.delivery_scene import (
    APIS,
    DOOR,
    FILES,
    JSON,
    RivyaScene,
    Scene,
    effect,
    named_apis,
    scene_of,
)
from tests.live import WAIT_S
from tests.mock import Mock
from tests.raw_receiver import raw_receiver
from tests.receiver import Received

UNSENT = {"delivery_never", "delivery_before_answer", "delivery_out_of_order"}
SENT = [
    (name, api)
    for name in sorted(FILES.keys() - UNSENT)
    for api in named_apis(name)
    if not effect(name).keys() & {"answer", "connection", "bytes_per_s"}
]


def ask(scene: Scene, path: str, **query: Any) -> Any:
    answer = scene.client.get(f"{DOOR}{path}/signed_request", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(scene: Scene, path: str, **query: Any) -> tuple[int, str]:
    answer = scene.client.get(f"{DOOR}{path}/signed_request", params=query)
    return answer.status_code, answer.text


def check_same(shown: Any, received: Received, url: str) -> None:
    """What was shown is what came."""
    assert (shown["method"], shown["url"]) == (received.method, url)
    assert shown["body"].encode() == received.body
    assert {name.lower(): value for name, value in shown["headers"]} == received.headers


def end(scene: Scene, task_id: str, state: str) -> Received:
    scene.post(f"{DOOR}/tasks/{task_id}/finish", {"state": state})
    scene.mock.advance(0)
    return scene.one()


@pytest.mark.parametrize("spelling", ["unusual", "compact"])
@pytest.mark.parametrize("state", ["succeeded", "failed"])
@pytest.mark.parametrize("api", APIS)
def test_the_request_of_a_task_is_the_one_that_its_end_sends(
    api: str, state: str, spelling: str
) -> None:
    with scene_of(api, deliveries__spelling=spelling) as scene:
        task_id = scene.create()
        scene.mock.advance(0.5)
        shown = ask(scene, f"/tasks/{task_id}", state=state)
        assert scene.is_quiet()
        received = end(scene, task_id, state)
        check_same(shown, received, scene.hook.url)
        scene.check(received, received.body, event_type=f"generation.{state}")
        assert scene.says_failed(json.loads(received.body)) is (state == "failed")


@pytest.mark.parametrize(("name", "api"), SENT)
def test_the_request_of_a_delivery_is_the_one_of_its_next_attempt(name: str, api: str) -> None:
    with scene_of(api, deliveries__spelling="unusual") as scene:
        scene.go_wrong({"scenario": name, "times": 1})
        scene.create()
        scene.mock.advance(3600)
        scene.came(len(scene.log()))
        delivery = scene.log()[0]
        shown = ask(scene, f"/deliveries/{delivery['id']}")
        scene.post(f"{DOOR}/deliveries/{delivery['id']}/redeliver", None)
        scene.mock.advance(0)
        check_same(shown, scene.one(), scene.hook.url)


@pytest.mark.parametrize("api", APIS)
def test_nothing_changes_by_it(api: str) -> None:
    with scene_of(api) as scene:
        ended = scene.finish()
        scene.one()
        running = scene.create()
        scene.go_wrong({"scenario": "delivery_altered", "times": 1})
        (delivery,) = scene.log()
        before = scene.client.get(f"{DOOR}/snapshot").content
        for state in ("succeeded", "failed"):
            for task_id in (running, ended):
                ask(scene, f"/tasks/{task_id}", state=state)
        ask(scene, f"/deliveries/{delivery['id']}")
        assert scene.client.get(f"{DOOR}/snapshot").content == before
        assert scene.is_quiet()


@pytest.mark.parametrize("api", APIS)
def test_a_task_that_has_ended_is_shown_with_its_own_end(api: str) -> None:
    with scene_of(api) as scene:
        task_id = scene.finish()
        told = json.loads(scene.one().body)
        scene.mock.advance(60)
        assert json.loads(ask(scene, f"/tasks/{task_id}")["body"]) == told
        other = json.loads(ask(scene, f"/tasks/{task_id}", state="failed")["body"])
        assert scene.says_failed(other)
        assert scene.subject(other) == task_id


@pytest.mark.parametrize("api", APIS)
def test_a_task_that_never_ends_is_shown_as_if_it_ended_now(api: str) -> None:
    with scene_of(api) as scene:
        scene.go_wrong({"scenario": "stuck"})
        task_id = scene.create()
        shown = ask(scene, f"/tasks/{task_id}")
        assert not scene.says_failed(json.loads(shown["body"]))
        check_same(shown, end(scene, task_id, "succeeded"), scene.hook.url)


def test_one_of_several_endpoints_is_named() -> None:
    with scene_of("rivya") as scene, raw_receiver() as other:
        assert isinstance(scene, RivyaScene)
        hook, first = scene.hook, scene.endpoint["id"]
        scene.listen(other)
        second = scene.endpoint["id"]
        task_id = scene.create()
        status, sentence = refusal(scene, f"/tasks/{task_id}")
        assert status == 409
        assert first in sentence
        assert second in sentence
        status, sentence = refusal(scene, f"/tasks/{task_id}", endpoint=second[:-1])
        assert status == 400
        assert f"did you mean '{second}'" in sentence
        shown = [ask(scene, f"/tasks/{task_id}", endpoint=each) for each in (first, second)]
        scene.mock.advance(0)
        scene.post(f"{DOOR}/tasks/{task_id}/finish", {"state": "succeeded"})
        scene.mock.advance(0)
        for each, receiver in zip(shown, (hook, other), strict=True):
            received = receiver.connections.get(timeout=WAIT_S).request
            check_same(each, received, receiver.url)


@pytest.mark.parametrize(
    ("query", "place", "sentence"),
    [
        ({"state": "faild"}, "/state", "did you mean 'failed'"),
        ({"stat": "failed"}, "/stat", "did you mean 'state'"),
    ],
)
def test_a_wrong_query_is_refused_with_its_place(
    mock: Mock, query: dict[str, str], place: str, sentence: str
) -> None:
    task_id = mock.create().json()["id"]
    asked = "&".join("=".join(each) for each in query.items())
    answer = mock.request("GET", f"{DOOR}/tasks/{task_id}/signed_request?{asked}")
    (wrong,) = answer.json()["errors"]
    assert wrong["pointer"] == place
    assert sentence in wrong["detail"]


def test_an_event_that_nobody_receives_is_refused(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    answer = mock.request("GET", f"{DOOR}/tasks/{task_id}/signed_request")
    assert answer.status == 409
    assert "this event has no receiver" in answer.body.decode()


@pytest.mark.parametrize("path", ["/tasks/task_none", "/deliveries/delivery_none"])
def test_an_unknown_task_or_delivery_is_refused(mock: Mock, path: str) -> None:
    assert mock.request("GET", f"{DOOR}{path}/signed_request").status == 404


def test_a_handler_is_tested_without_a_socket() -> None:
    """The client of the door: for a task, for a delivery, and with a wrong end."""
    with scene_of("rivya") as scene, Control(scene.mock.url) as control:
        world = control.find("default")
        task = world.task(scene.create())
        request = world.signed_request(task, "failed")
        assert (request.method, request.header("Content-Type")) == ("POST", JSON)
        assert request.json()["data"]["error"]["code"] == "generation_failed"
        scene.mock.advance(1)
        scene.one()
        (delivery,) = world.deliveries()
        request, sent = world.signed_request(delivery.id), delivery.attempts[0].request
        assert sent is not None
        assert request.content == sent.content
        assert request.header("Rivya-Signature") == sent.header("Rivya-Signature")
