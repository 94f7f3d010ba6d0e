"""What becomes of the task, its video and its deliveries under each scenario."""

from __future__ import annotations

from typing import Any

from mock_server.contract.failures import failures_of
from mock_server.core.lifecycle import FailureReason
from tests import calls
from tests.faults.channel_scene import Expectation, Scene, content, video_path
from tests.faults.expected_answers import ended, require_error

NOBODY_LISTENS = "http://127.0.0.1:9/hook"

# --- what becomes of the task ----------------------------------------------------------------


def task_goes(*story: tuple[float, str]) -> Expectation:
    """At these seconds, one after the other, the task is in these states, and its credits too."""

    def expect(scene: Scene) -> None:
        task_id = scene.make()
        if scene.channel not in {calls.DOOR, calls.DEFAULT}:
            assert (scene.exchange.scenario, scene.exchange.channel) == (scene.name, scene.channel)
        so_far_s = 0.0
        for at_s, state in story:
            scene.advance(at_s - so_far_s)
            so_far_s = at_s
            assert scene.state_of(task_id) == state
            if state == "failed":
                assert scene.money()["reserved_credits"] == scene.money()["spent_credits"] == 0
            else:
                scene.must_be_spent("reserved")
        if scene.is_once:
            task_id = scene.make()
            scene.advance(1)
            assert scene.state_of(task_id) == "succeeded"

    return expect


# --- the video -------------------------------------------------------------------------------


def video_is(status: int, content_type: str, words: bytes) -> Expectation:
    """The task is as it should be, and its video is not there to be had."""

    def expect(scene: Scene) -> None:
        task_id = ended(scene)
        answer = scene.ask(calls.get(video_path(task_id)))
        assert answer.status == status
        assert answer.headers["content-type"].startswith(content_type)
        assert words in answer.body
        by = scene.channel if scene.channel in {calls.DOOR, calls.DEFAULT} else calls.OF_TASK
        scene.require_named(answer, by)
        scene.must_be_spent("spent")
        if scene.is_once:
            assert scene.ask(calls.get(video_path(task_id))).status == 200

    return expect


def whole_video(scene: Scene) -> None:
    """A request for the rest of the video gets all of it."""
    path, rest = video_path(ended(scene)), {"range": "bytes=1000-"}
    whole, answer = scene.ask(calls.get(path)), scene.ask(calls.get(path, headers=rest))
    assert (whole.status, answer.status) == (200, 200)
    assert answer.body == whole.body
    assert "content-range" not in answer.headers
    scene.must_be_spent("spent")
    if scene.is_once:
        assert scene.ask(calls.get(path, headers=rest)).status == 206


def fails_because(reason: FailureReason) -> Expectation:
    """The task fails with the error of this reason; a held-open create has its message."""

    def expect(scene: Scene) -> None:
        task_goes((0.1, "queued"), (0.5, "processing"), (1, "failed"))(scene)
        scene.arm()
        task_id = scene.make()
        scene.advance(1)
        read = scene.look(task_id)
        failure = failures_of(scene.api)[reason]
        error = {"code": failure.code, "message": failure.message}
        assert (read if scene.api == "rivya" else read["response"])["error"] == error
        if scene.api == "acedata":
            scene.arm()
            fields = {"async": False}
            held = scene.begin(calls.create("acedata", scene.name, scene.channel, **fields))
            scene.advance(1)
            answer = held.answer()
            assert answer.json()["error"] == error | {"code": "api_error"}
            assert answer.status == 500

    return expect


def video_expires(scene: Scene) -> None:
    """The first download of the video is as it should be."""
    video = calls.get(video_path(ended(scene)))
    assert scene.ask(video).status == 200
    answer = scene.ask(video)
    assert answer.status == 403
    assert b"expired" in answer.body
    by = scene.channel if scene.channel in {calls.DOOR, calls.DEFAULT} else calls.OF_TASK
    scene.require_named(answer, by)
    assert scene.ask(video).status == (200 if scene.is_once else 403)


def task_expires(scene: Scene) -> None:
    """The first read of the task is as it should be."""
    task_id = scene.make()
    scene.look(task_id)
    asked = scene.read(task_id)
    code = "not_found" if scene.api == "rivya" else "task_not_found"
    by = scene.channel if scene.channel in {calls.DOOR, calls.DEFAULT} else calls.OF_TASK
    require_error(scene, asked, scene.ask(asked), code, by)
    assert scene.ask(asked).status == (200 if scene.is_once else 404)


def upload_unknown(scene: Scene) -> None:
    """Reading an upload is refused; the task is as it should be."""
    scene.make()
    if scene.channel == calls.IN_PROMPT:
        return  # nothing else has a prompt
    channel = scene.channel if scene.channel in calls.BY_REQUEST else ""
    asked = calls.get(f"/api/v1/files/{scene.mock.upload().json()['id']}", scene.name, channel)
    require_error(scene, asked, scene.ask(asked), "not_found")
    assert scene.exchange.without == "200"


# --- what is delivered -----------------------------------------------------------------------


def delivered(count: int = 1) -> Expectation:
    """So many deliveries are owed, with what is wrong about them; the task is sound."""

    def expect(scene: Scene) -> None:
        _make_heard(scene)
        scene.advance(1)
        scene.must_be_spent("spent")
        owed = list(scene.world.deliveries)
        assert len(owed) == count
        (rule,) = content(scene.name)["faults"]
        wrong = [_without_type(rule["effect"]), _without_type(rule["effect"]) | {"late_s": 0}]
        for delivery in owed:
            assert {name: _plain(getattr(delivery.fault, name)) for name in wrong[0]} in wrong
        if scene.is_once:
            _make_heard(scene)
            scene.advance(1)
            assert len(scene.world.deliveries) == count + 1

    return expect


def delivered_first(scene: Scene) -> None:
    """The receiver has the end of the task before the create is answered."""
    _make_heard(scene)
    (delivery,) = scene.world.deliveries
    assert len(delivery.attempts) == 1
    scene.must_be_spent("spent")


def _make_heard(scene: Scene) -> None:
    """A task with a receiver."""
    if scene.api == "acedata":
        scene.make(callback_url=NOBODY_LISTENS)
        return
    if not len(scene.world.endpoints):
        body = {"url": NOBODY_LISTENS, "event_types": ["generation.succeeded", "generation.failed"]}
        assert scene.mock.rivya("POST", "/webhooks", body).status in {200, 201}
    scene.make()


def _without_type(effect: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in effect.items() if name != "type"}


def _plain(value: Any) -> Any:
    return (
        {
            name: each
            for name in ("status", "retry_after_s", "location")
            if (each := getattr(value, name)) is not None
        }
        if hasattr(value, "retry_after_s")
        else value
    )
