"""Faults of deliveries whose effect needs a test of its own."""

from __future__ import annotations

import json
from time import monotonic

import httpx2
import pytest
from msgspec.structs import asdict

from tests.faults.delivery_scene import (
    APIS,
    DOOR,
    RETRY_S,
    RivyaScene,
    effect,
    scene_of,
)
from tests.live import WAIT_S
from tests.raw_receiver import RawReceiver, raw_receiver
from tests.receiver import Received


@pytest.mark.parametrize("api", APIS)
def test_the_scenario_itself_dribbles_at_200_bytes_a_second(api: str) -> None:
    with scene_of(api) as scene, raw_receiver(most_body_bytes=20) as impatient:
        if isinstance(scene, RivyaScene):
            scene.client.delete(f"/api/v1/webhooks/{scene.endpoint['id']}")
        scene.listen(impatient)
        scene.go_wrong({"scenario": "delivery_dribble", "times": 1})
        scene.create()
        started = monotonic()
        scene.mock.advance(1)
        slow = scene.connection()
        assert slow.ending == "enough"
        assert slow.pieces[-1][0] - started >= 20 / 200
        assert len(slow.body) < 100
        (delivery,) = scene.log()
        (attempt,) = delivery["attempts"]
    assert delivery["fault"] == effect("delivery_dribble")
    assert (attempt["answer"], attempt["error"] is None) == (None, False)


def test_an_event_is_held_back_for_its_receiver_only() -> None:
    with scene_of("acedata") as scene, raw_receiver() as other:
        own = scene.hook
        scene.go_wrong({"scenario": "delivery_out_of_order", "times": 1})
        older = scene.finish()
        scene.listen(other)
        scene.finish()
        scene.came()
        assert own.connections.empty()
        scene.listen(own)
        newer = scene.finish()
        told = [scene.subject(json.loads(each.body)) for each in scene.came(2)]
    assert told == [newer, older]


@pytest.mark.parametrize("api", APIS)
def test_a_failed_task_costs_nothing_under_any_delivery_fault(api: str) -> None:
    with scene_of(api, tasks__failure_rate=1) as scene:
        before = asdict(scene.balance())
        scene.go_wrong({"scenario": "delivery_success_after_failure", "times": 1})
        scene.create()
        scene.mock.advance(2)
        told = [json.loads(each.body) for each in scene.came(2)]
        assert asdict(scene.balance()) == before
    assert {scene.subject(each) for each in told} == {scene.subject(told[0])}
    assert [scene.says_failed(each) for each in told] == [False, True]


def test_a_fault_of_every_attempt_concerns_the_next_one() -> None:
    with scene_of("rivya") as scene, raw_receiver() as later:
        assert isinstance(scene, RivyaScene)
        scene.go_wrong({"scenario": "delivery_wrong_content_type", "times": 1})
        url = f"/api/v1/webhooks/{scene.endpoint['id']}"
        scene.client.patch(url, json={"url": "http://127.0.0.1:1/closed"})
        scene.finish()
        scene.client.patch(url, json={"url": later.url})
        scene.mock.advance(RETRY_S)
        received = later.connections.get(timeout=WAIT_S).request
    assert received.headers["content-type"] == "text/plain"


def test_an_answer_that_is_cut_is_no_success() -> None:
    cut = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"
    with scene_of("acedata") as scene, raw_receiver(answer=cut) as hook:
        scene.listen(hook)
        (delivery,) = scene.log_of(scene.finish())
    (attempt,) = delivery["attempts"]
    assert delivery["state"] == "pending"
    assert attempt["answer"] is None
    assert "Error" in attempt["error"]


@pytest.mark.parametrize(("disables", "status"), [(False, "active"), (True, "disabled")])
def test_an_endpoint_with_a_410_fault_is_disabled_if_the_setting_says_so(
    disables: bool, status: str
) -> None:
    with scene_of("rivya", rivya__gone_disables=disables) as scene:
        assert isinstance(scene, RivyaScene)
        scene.go_wrong({"scenario": "delivery_gone", "times": 1})
        scene.finish()
        shown = scene.client.get(f"/api/v1/webhooks/{scene.endpoint['id']}").json()
        scene.mock.advance(RETRY_S)
        came = 0 if scene.is_quiet() else len(scene.came())
    assert (shown["status"], came) == (status, 0 if disables else 1)


@pytest.mark.parametrize("api", APIS)
def test_an_event_that_is_held_back_does_not_follow_an_older_one(api: str) -> None:
    with scene_of(api) as scene:
        scene.go_wrong({"scenario": "delivery_error", "times": 1})
        oldest = scene.finish()
        scene.go_wrong({"scenario": "delivery_out_of_order", "times": 1})
        older = scene.finish()
        scene.mock.advance(RETRY_S)
        first = scene.one()
        newer = scene.finish()
        told = [first, *scene.came(2)]
    subjects = [scene.subject(json.loads(each.body)) for each in told]
    assert subjects == [oldest, newer, older]


@pytest.mark.parametrize("api", APIS)
def test_an_event_that_is_held_back_and_sent_by_hand_is_sent_once(api: str) -> None:
    with scene_of(api) as scene:
        scene.go_wrong({"scenario": "delivery_out_of_order", "times": 1})
        older = scene.finish()
        (delivery,) = scene.log_of(older)
        scene.post(f"{DOOR}/deliveries/{delivery['id']}/redeliver", None)
        scene.mock.advance(0)
        scene.check(scene.one(), scene.true_body(older))
        newer = scene.finish()
        scene.check(scene.one(), scene.true_body(newer))


def test_a_held_back_event_goes_to_the_new_address_of_its_receiver() -> None:
    with scene_of("rivya") as scene, raw_receiver() as new:
        assert isinstance(scene, RivyaScene)
        scene.go_wrong({"scenario": "delivery_out_of_order", "times": 1})
        older = scene.finish()
        scene.client.patch(f"/api/v1/webhooks/{scene.endpoint['id']}", json={"url": new.url})
        newer = scene.finish()
        scene.hook = new
        told = [scene.subject(json.loads(each.body)) for each in scene.came(2)]
    assert told == [newer, older]


@pytest.mark.parametrize("api", APIS)
def test_a_request_that_waits_for_a_receiver_is_answered_at_a_reset(api: str) -> None:
    with scene_of(api) as scene, httpx2.Client(base_url=scene.mock.url) as door:

        def begin_anew(_: Received) -> None:
            door.post(f"{DOOR}/reset").raise_for_status()

        scene.react = begin_anew
        scene.go_wrong({"scenario": "delivery_before_answer", "times": 1})
        answer = scene.client.post(scene.create_path, json=scene.body())
    assert answer.status_code == 200


def test_tls_is_used_on_the_port_of_the_receiver() -> None:
    with scene_of("acedata") as scene:
        scene.hook = RawReceiver("http://127.0.0.1/hook", scene.hook.connections)
        scene.go_wrong({"scenario": "delivery_tls", "times": 1})
        (delivery,) = scene.log_of(scene.finish())
    assert delivery["attempts"][0]["request"]["url"] == "https://127.0.0.1:80/hook"
