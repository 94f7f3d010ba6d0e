"""Each scenario of a delivery that goes wrong: what the receiver sees of it, once, and its price.

A proof is a function that stands in `PROOFS` under the scenario and the API it is for. Before it,
a delivery goes right; then the scenario stands for one task, and the proof has that task made;
after it, everything is as if nothing had happened.
"""

from __future__ import annotations

import json
from http.client import HTTPConnection
from queue import Queue
from select import select
from time import monotonic
from typing import Any

import pytest
from msgspec.structs import asdict

from mock_server.core.json_values import is_same_json
from tests.faults.delivery_scene import (
    APIS,
    FAILED,
    FAST,
    FILES,
    JSON,
    PROOFS,
    RETRY_S,
    Proof,
    RivyaScene,
    Scene,
    check_all_is_well,
    check_attempt,
    check_money,
    compact,
    effect,
    headers_of,
    libraries_spell,
    named_apis,
    scene_of,
    shows,
)
from tests.live import WAIT_S
from tests.raw_receiver import raw_receiver
from tests.receiver import Received

# --- how often, when, in which order ---------------------------------------------------------


@shows("delivery_never")
def never(scene: Scene) -> None:
    task_id = scene.finish()
    scene.mock.advance(30 * 86400)
    assert scene.is_quiet()
    assert scene.has_succeeded(task_id)
    assert scene.log_of(task_id) == []


@shows("delivery_late")
def late(scene: Scene) -> None:
    task_id = scene.finish()
    (delivery,) = scene.log_of(task_id)
    assert (delivery["created_at"], delivery["next_attempt_at"]) == (scene.now(), scene.now(600))
    assert delivery["attempts"] == []
    scene.mock.advance(599.999)
    assert scene.is_quiet()
    scene.mock.advance(0.001)
    received = scene.one()
    scene.check(received, scene.true_body(task_id))
    (delivery,) = scene.check_log("delivery_late", task_id, received)
    assert delivery["attempts"][0]["started_at"] == scene.now()


def copies_at_once(name: str, count: int) -> Proof:
    def proof(scene: Scene) -> None:
        task_id = scene.finish()
        received, body = scene.came(count), scene.true_body(task_id)
        for each in received:
            scene.check(each, body)
        deliveries = scene.check_log(name, task_id, *received)
        starts = [attempt["started_at"] for each in deliveries for attempt in each["attempts"]]
        assert starts == [scene.now()] * count
        scene.mock.advance(RETRY_S)
        assert scene.is_quiet()

    return proof


shows("delivery_twice_at_once")(copies_at_once("delivery_twice_at_once", 2))
shows("delivery_storm")(copies_at_once("delivery_storm", 50))


@shows("delivery_twice")
def twice(scene: Scene) -> None:
    task_id = scene.finish()
    first = scene.one()
    scene.check(first, scene.true_body(task_id))
    scene.mock.advance(4.999)
    assert scene.is_quiet()
    scene.mock.advance(0.001)
    second = scene.one()
    scene.check(second, scene.true_body(task_id))
    one, other = scene.check_log("delivery_twice", task_id, first, second)
    starts = [each["attempts"][0]["started_at"] for each in (one, other)]
    assert starts == [scene.now(-5), scene.now()]


@shows("delivery_out_of_order")
def out_of_order(scene: Scene) -> None:
    older = scene.finish()
    scene.mock.advance(RETRY_S)
    assert scene.is_quiet()
    (delivery,) = scene.log_of(older)
    assert (delivery["state"], delivery["attempts"]) == ("pending", [])
    newer = scene.finish()
    first, second = scene.came(2)
    scene.check(first, scene.true_body(newer))
    scene.check(second, scene.true_body(older))
    scene.check_log("delivery_out_of_order", older, second)


@shows("delivery_success_after_failure")
def success_after_failure(scene: Scene) -> None:
    task_id = scene.finish()
    lie = scene.one()
    told = json.loads(lie.body)
    assert scene.subject(told) == task_id
    assert scene.says_failed(told)
    scene.check(lie, lie.body, event_type=FAILED)
    scene.mock.advance(0.999)
    assert scene.is_quiet()
    assert scene.has_succeeded(task_id)
    scene.mock.advance(0.001)
    truth = scene.one()
    scene.check(truth, scene.true_body(task_id))
    assert not scene.says_failed(json.loads(truth.body))
    deliveries = scene.log_of(task_id)
    wanted = effect("delivery_success_after_failure")
    waits_s = [each["fault"].pop("late_s", 0) for each in deliveries]
    assert waits_s == [0, wanted.pop("late_s")]
    assert [each["fault"] for each in deliveries] == [wanted, wanted]
    for delivery, received in zip(deliveries, (lie, truth), strict=True):
        (attempt,) = delivery["attempts"]
        check_attempt(attempt, received, scene.hook.url)


@shows("delivery_unknown_task")
def unknown_task(scene: Scene) -> None:
    task_id, received = scene.finished()
    told = json.loads(received.body)
    stranger = scene.subject(told)
    assert stranger != task_id
    assert len(stranger) == len(task_id)
    assert scene.look(task_id).status_code == 200
    assert scene.look(stranger).status_code == 404
    assert not scene.says_failed(told)
    scene.check(received, received.body)
    scene.check_log("delivery_unknown_task", stranger, received)
    assert scene.log_of(task_id) == []


@shows("delivery_before_answer")
def before_answer(scene: Scene) -> None:
    caller = HTTPConnection(scene.mock.url.removeprefix("http://"), timeout=WAIT_S)
    noticed: Queue[tuple[str, bool, bool]] = Queue()

    def notice(received: Received) -> None:
        task_id = scene.subject(json.loads(received.body))
        has_succeeded = scene.has_succeeded(task_id)  # which also gives the server its turn
        answered, _, _ = select([caller.sock], [], [], 0)
        noticed.put((task_id, has_succeeded, bool(answered)))

    scene.react, scene.made = notice, scene.made + 1
    headers = scene.headers | {"content-type": JSON}
    caller.request("POST", scene.create_path, compact(scene.body()), headers)
    task_id, has_succeeded, was_answered = noticed.get(timeout=WAIT_S)
    assert (has_succeeded, was_answered) == (True, False)
    with caller.getresponse() as answer:
        assert scene.id_in(json.load(answer)) == task_id
    caller.close()
    scene.react = lambda _: None
    received = scene.one()
    scene.check(received, scene.true_body(task_id))
    (delivery,) = scene.log_of(task_id)
    (attempt,) = delivery["attempts"]
    check_attempt(attempt, received, scene.hook.url)
    assert attempt["started_at"] == delivery["created_at"] == scene.now()


@shows("delivery_deleted_endpoint", "rivya")
def deleted_endpoint(scene: Scene) -> None:
    assert isinstance(scene, RivyaScene)
    with raw_receiver() as off:
        taken_back, active = scene.endpoint, scene.hook
        task_id = scene.create()
        scene.listen(off)
        switched_off, scene.hook = scene.endpoint, active
        scene.client.patch(f"/api/v1/webhooks/{switched_off['id']}", json={"status": "disabled"})
        scene.client.delete(f"/api/v1/webhooks/{taken_back['id']}")
        scene.mock.advance(1)
        scene.endpoint, received = taken_back, scene.one()
        scene.check(received, scene.true_body(task_id))
        scene.endpoint, other = switched_off, off.connections.get(timeout=WAIT_S).request
        scene.check(other, scene.true_body(task_id))
        deliveries = scene.log_of(task_id)
        assert len(deliveries) == 2
        assert {each["state"] for each in deliveries} == {"succeeded"}
        for delivery in deliveries:
            assert delivery["fault"] == effect("delivery_deleted_endpoint")
        told = {each["endpoint"]: each["attempts"][0] for each in deliveries}
        check_attempt(told[taken_back["id"]], received, active.url)
        check_attempt(told[switched_off["id"]], other, off.url)
        for each, status in ((taken_back, "revoked"), (switched_off, "disabled")):
            shown = scene.client.get(f"/api/v1/webhooks/{each['id']}").json()
            assert shown["status"] == status
        scene.finish()
        assert off.connections.empty()
        assert scene.is_quiet()
    scene.listen(active)


# --- how it is signed ------------------------------------------------------------------------


@shows("delivery_unsigned")
def unsigned(scene: Scene) -> None:
    task_id, received = scene.finished()
    scene.check(received, scene.true_body(task_id), is_signed=False)
    scene.check_log("delivery_unsigned", task_id, received)


@shows("delivery_wrong_secret")
def wrong_secret(scene: Scene) -> None:
    task_id, received = scene.finished()
    check_but_for_digest(scene, received, scene.true_body(task_id))
    scene.check_log("delivery_wrong_secret", task_id, received)


def check_but_for_digest(scene: Scene, received: Received, body: bytes) -> None:
    """It is signed, in time and in form, but neither what came nor what is true was signed."""
    digest = scene.signature(received).digest
    at_s = scene.signature(received).at_s
    right = scene.right_digest(scene.secret, body, at_s)
    assert len(digest) == len(right)
    assert set(digest) <= set("0123456789abcdef")
    assert digest != right
    headers = received.headers | {
        scene.signature_header: received.headers[scene.signature_header].replace(digest, right)
    }
    scene.check(Received("POST", received.path, headers, received.body), body)


@shows("delivery_old_secret", "rivya")
def old_secret(scene: Scene) -> None:
    assert isinstance(scene, RivyaScene)
    old = scene.secret
    scene.endpoint = scene.post(f"/api/v1/webhooks/{scene.endpoint['id']}/rotate-secret", None)
    assert scene.secret != old
    task_id, received = scene.finished()
    scene.check(received, scene.true_body(task_id), secret=old)
    scene.check_log("delivery_old_secret", task_id, received)


def signed_at(scene: Scene, name: str, signed_s: int) -> None:
    task_id, received = scene.finished()
    scene.check(received, scene.true_body(task_id), signed_s=signed_s)
    scene.check_log(name, task_id, received)


@shows("delivery_stale", "rivya")
def stale(scene: Scene) -> None:
    signed_at(scene, "delivery_stale", -3600)


@shows("delivery_future", "rivya")
def future(scene: Scene) -> None:
    signed_at(scene, "delivery_future", 3600)


@shows("delivery_altered")
def altered(scene: Scene) -> None:
    task_id, received = scene.finished()
    signed = scene.true_body(task_id)
    assert received.body != signed
    assert json.loads(received.body) == json.loads(signed) | {"altered": True}
    scene.check(received, received.body, signed=signed)
    scene.check_log("delivery_altered", task_id, received)


# --- what it says ----------------------------------------------------------------------------


@shows("delivery_cut")
def cut(scene: Scene) -> None:
    task_id, received = scene.finished()
    whole = scene.true_body(task_id)
    assert 1 < len(received.body) < len(whole) - 1
    scene.check(received, whole[: len(received.body)])
    with pytest.raises(json.JSONDecodeError):
        json.loads(received.body)
    scene.check_log("delivery_cut", task_id, received)


@shows("delivery_empty")
def empty(scene: Scene) -> None:
    task_id, received = scene.finished()
    scene.check(received, b"")
    scene.check_log("delivery_empty", task_id, received)


@shows("delivery_not_json")
def not_json(scene: Scene) -> None:
    task_id, received = scene.finished()
    assert received.body.startswith(b"<html>")
    assert received.body.endswith(b"</html>")
    scene.check(received, received.body)
    scene.check_log("delivery_not_json", task_id, received)


@shows("delivery_reformatted")
def reformatted(scene: Scene) -> None:
    task_id, received = scene.finished()
    truth = scene.true_body(task_id)
    assert received.body not in libraries_spell(truth)
    assert is_same_json(json.loads(received.body), json.loads(truth))
    assert list(json.loads(received.body)) == list(json.loads(truth))[::-1]
    scene.check(received, received.body)
    scene.check_log("delivery_reformatted", task_id, received)


@shows("delivery_extra_fields")
def extra_fields(scene: Scene) -> None:
    task_id, received = scene.finished()
    truth = json.loads(scene.true_body(task_id))
    more = {"beta": True, "billing": {"cost": 1}}
    assert json.loads(received.body) == truth | more
    assert not truth.keys() & more.keys()
    scene.check(received, received.body)
    scene.check_log("delivery_extra_fields", task_id, received)


@shows("delivery_unknown_type", "rivya")
def unknown_type(scene: Scene) -> None:
    task_id, received = scene.finished()
    truth = json.loads(scene.true_body(task_id))
    assert json.loads(received.body) == truth | {"type": "generation.upscaled"}
    scene.check(received, received.body, event_type="generation.upscaled")
    scene.check_log("delivery_unknown_type", task_id, received)


@shows("delivery_wrong_content_type")
def wrong_content_type(scene: Scene) -> None:
    task_id, received = scene.finished()
    scene.check(received, scene.true_body(task_id), content_type="text/plain")
    scene.check_log("delivery_wrong_content_type", task_id, received)


# --- how it travels: the first attempt fails, the second one goes right ----------------------


def check_second_attempt(scene: Scene, name: str, task_id: str, wait_s: float = RETRY_S) -> Any:
    """Nothing has come, or comes before its time; then all is well. The first attempt."""
    assert scene.is_quiet()
    (delivery,) = scene.log_of(task_id)
    assert delivery["fault"] == effect(name)
    assert (delivery["state"], delivery["next_attempt_at"]) == ("pending", scene.now(wait_s))
    (failed,) = delivery["attempts"]
    assert failed["started_at"] == failed["ended_at"] == scene.now()
    assert scene.has_succeeded(task_id)
    scene.mock.advance(wait_s - 0.001)
    assert scene.is_quiet()
    scene.mock.advance(0.001)
    received = scene.one()
    scene.check(received, scene.true_body(task_id))
    (delivery,) = scene.log_of(task_id)
    assert (delivery["state"], delivery["fault"]) == ("succeeded", effect(name))
    first, second = delivery["attempts"]
    assert first == failed
    check_attempt(second, received, scene.hook.url)
    return first


def answered_instead(name: str, status: int, wait_s: float = RETRY_S, **headers: str) -> Proof:
    def proof(scene: Scene) -> None:
        task_id = scene.finish()
        first = check_second_attempt(scene, name, task_id, wait_s)
        assert first["error"] is None
        assert first["answer"]["status"] == status
        named = [[key.replace("_", "-"), value] for key, value in headers.items()]
        assert first["answer"]["headers"] == named
        assert first["request"]["url"] == scene.hook.url
        assert first["request"]["body"].encode() == scene.true_body(task_id)

    return proof


shows("delivery_error")(answered_instead("delivery_error", 500))
shows("delivery_gone")(answered_instead("delivery_gone", 410))
shows("delivery_redirected")(
    answered_instead("delivery_redirected", 302, location="/elsewhere"),
)
shows("delivery_throttled")(
    answered_instead("delivery_throttled", 429, wait_s=600, retry_after="600")
)


@shows("delivery_hang")
def hang(scene: Scene) -> None:
    task_id = scene.finish()
    first = check_second_attempt(scene, "delivery_hang", task_id)
    assert (first["answer"], first["error"]) == (None, "no whole answer within 5 s")
    assert first["request"]["body"].encode() == scene.true_body(task_id)


@shows("delivery_dns")
def dns(scene: Scene) -> None:
    task_id = scene.finish()
    first = check_second_attempt(scene, "delivery_dns", task_id)
    assert first["answer"] is None
    assert "no address" in first["error"]


@shows("delivery_tls")
def tls(scene: Scene) -> None:
    task_id = scene.finish()
    hello = scene.connection()
    assert hello.ending == "tls"
    assert b"HTTP" not in hello.data
    first = check_second_attempt(scene, "delivery_tls", task_id)
    assert first["answer"] is None
    assert first["error"].startswith("ConnectError")
    assert first["request"]["url"] == scene.hook.url.replace("http:", "https:")


@shows("delivery_reset")
def reset(scene: Scene) -> None:
    task_id = scene.finish()
    broken = scene.connection()
    assert broken.ending == "reset"
    whole = scene.true_body(task_id)
    assert 1 < len(broken.body) < len(whole) - 1
    assert whole.startswith(broken.body)
    assert broken.headers["content-length"] == str(len(whole))
    scene.check(Received("POST", broken.request.path, broken.headers, whole), whole)
    first = check_second_attempt(scene, "delivery_reset", task_id)
    assert first["answer"] is None
    assert first["error"].startswith("ConnectionResetError")
    assert headers_of(first) == broken.headers


@shows("delivery_answer_lost")
def answer_lost(scene: Scene) -> None:
    task_id, received = scene.finished()
    scene.check(received, scene.true_body(task_id))
    first = check_second_attempt(scene, "delivery_answer_lost", task_id)
    assert (first["answer"], first["error"]) == (None, "ConnectionResetError: the answer was lost")


@shows("delivery_dribble")
def dribble(scene: Scene) -> None:
    task_id = scene.create()
    started = monotonic()
    scene.mock.advance(1)
    slow = scene.connection()
    assert slow.ending == "whole"
    assert slow.pieces[-1][0] - started >= len(slow.body) / 5000
    assert len(slow.pieces) > 10
    scene.check(slow.request, scene.true_body(task_id))
    (delivery,) = scene.log_of(task_id)
    assert (delivery["state"], delivery["fault"]) == ("succeeded", FAST["effect"])
    (attempt,) = delivery["attempts"]
    check_attempt(attempt, slow.request, scene.hook.url)


# --- every one of them -----------------------------------------------------------------------


@pytest.mark.parametrize(("name", "api"), sorted(PROOFS))
def test_a_scenario_shows_what_it_promises_once_and_costs_nothing(name: str, api: str) -> None:
    with scene_of(api) as scene:
        before = asdict(scene.balance())
        check_all_is_well(scene)
        price = before["available_credits"] - scene.balance().available_credits
        assert price > 0
        asked = FAST if name == "delivery_dribble" else {"scenario": name}
        scene.go_wrong(asked | {"times": 1})
        PROOFS[name, api](scene)
        assert scene.happened() == [1]
        check_all_is_well(scene)
        check_money(scene, before, price)


def test_every_scenario_has_a_proof_for_each_of_its_apis() -> None:
    assert set(PROOFS) == {(name, api) for name in FILES for api in named_apis(name)}


ONLY_RIVYA = {"deleted_endpoint", "event_type", "signed_s"}
"""AceData has no endpoints, no types of events, and no time in its signatures."""


@pytest.mark.parametrize("name", FILES)
def test_every_scenario_names_the_apis_that_it_can_concern(name: str) -> None:
    (fields,) = [effect(name)]
    is_only_rivya = bool(ONLY_RIVYA & fields.keys()) or fields.get("signed_with") == "previous"
    assert named_apis(name) == (("rivya",) if is_only_rivya else APIS)


@pytest.mark.parametrize(
    ("name", "api"),
    [(name, api) for name in FILES for api in APIS if api not in named_apis(name)],
)
def test_a_scenario_does_not_concern_other_apis(name: str, api: str) -> None:
    with scene_of(api) as scene:
        scene.go_wrong({"scenario": name})
        check_all_is_well(scene)
        assert scene.happened() == [0]


@pytest.mark.parametrize(
    "name", ["delivery_altered", "delivery_wrong_secret", "delivery_reformatted"]
)
def test_a_signature_fault_signs_an_unsigned_callback(name: str) -> None:
    with scene_of("acedata", acedata__sign_callbacks=False) as scene:
        scene.go_wrong({"scenario": name, "times": 1})
        PROOFS[name, "acedata"](scene)
        scene.finish()
        assert scene.signature_header not in scene.one().headers
