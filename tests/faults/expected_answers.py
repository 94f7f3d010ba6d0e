"""What the answers of each scenario are, through every channel."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests import acedata, calls, rivya
from tests.asgi import Answer
from tests.contract_hook import breaches
from tests.faults.channel_scene import Expectation, Scene

# --- refused with an error of the vendor's ---------------------------------------------------

ALL = ("create", "read", "credits")
UNDOCUMENTED = ": no such answer is documented"


def refused(
    *,
    rivya_code: str = "",
    acedata_code: str = "",
    at: tuple[str, ...] = ALL,
    retry_after: str | None = None,
) -> Expectation:
    """An error in the vendor's envelope, and nothing has happened; other requests go right."""

    def expect(scene: Scene) -> None:
        code = rivya_code if scene.api == "rivya" else acedata_code
        for operation, asked in _requests(scene).items():
            before = scene.traces()
            answer = scene.ask(asked)
            if operation not in at:
                assert "mock-scenario" not in answer.headers
                assert scene.exchange.faults == ()
                continue
            require_error(scene, asked, answer, code)
            assert answer.headers.get("retry-after") == retry_after
            assert scene.traces() == before
            if operation == "create":
                assert scene.exchange.without == "accepted"
                assert f"{calls.task_id_of(scene.twin_of(asked))}" not in str(answer.body)
            if scene.is_once:
                assert "mock-scenario" not in scene.ask(asked).headers
                scene.arm()

    return expect


def _requests(scene: Scene) -> dict[str, calls.Request]:
    """A request for each operation, as far as its channel can be used with it."""
    found = {"create": scene.create()}
    if scene.channel != calls.IN_PROMPT:
        found["read"] = scene.read(calls.UNKNOWN_TASKS[scene.api], asking=True)
    if scene.channel != calls.IN_PROMPT and scene.api == "rivya":
        found["credits"] = calls.get("/api/v1/credits", scene.name, scene.channel)
    return found


def require_error(
    scene: Scene, asked: calls.Request, answer: Answer, code: str, channel: str = ""
) -> None:
    (rivya if scene.api == "rivya" else acedata).refusal(answer, code)
    found = breaches(asked.method, asked.path, answer.status, dict(answer.headers), answer.body)
    assert [each for each in found if not each.endswith(UNDOCUMENTED)] == []
    scene.require_named(answer, channel)


def lost_task(rivya_code: str, acedata_code: str) -> Expectation:
    """The task is made normally, and reading it is refused."""

    def expect(scene: Scene) -> None:
        code = rivya_code if scene.api == "rivya" else acedata_code
        task_id = scene.make()
        scene.must_be_spent("reserved")
        asked = scene.read(task_id)
        answer = scene.ask(asked)
        by = scene.channel if scene.channel in {calls.DOOR, calls.DEFAULT} else calls.OF_TASK
        require_error(scene, asked, answer, code, by)
        assert scene.exchange.without == "200"
        if scene.channel in calls.BY_REQUEST:
            own = calls.task_id_of(scene.ask(calls.create(scene.api)).json())
            assert scene.ask(scene.read(own)).status == 200
            asked = scene.read(own, asking=True)
            require_error(scene, asked, scene.ask(asked), code)

    return expect


def limited(retry_after: str | None) -> Expectation:
    """Too many requests, with this Retry-After."""
    return refused(
        rivya_code="rate_limited", acedata_code="too_many_requests", retry_after=retry_after
    )


WAITS = {
    "_until_date": "Mon, 11 May 2026 00:00:02 GMT",
    "_for_a_day": "86400",
    "_malformed_wait": "soon",
    "_without_wait": None,
}
"""The ends of the names of scenarios, and the Retry-After of each; the mock's machine stands at
2026-05-11T00:00:00Z."""


def webhook_refused(scene: Scene) -> None:
    """An endpoint with an address that is right cannot be registered."""
    scene.make()
    if scene.channel == calls.IN_PROMPT:
        return  # nothing else has a prompt
    url = {"url": "https://example.com/hook", "event_types": ["generation.succeeded"]}
    channel = scene.channel if scene.channel in calls.BY_REQUEST else ""
    like = calls.create("rivya", scene.name, channel)
    asked = calls.Request("POST", "/api/v1/webhooks", like.headers, json.dumps(url).encode())
    require_error(scene, asked, scene.ask(asked), "webhook_url_rejected")
    assert len(scene.world.endpoints) == 0


def limited_after_three(scene: Scene) -> None:
    code = "rate_limited" if scene.api == "rivya" else "too_many_requests"
    for _ in range(3):
        scene.make()
    answer = scene.ask(scene.create())
    require_error(scene, scene.create(), answer, code)
    assert answer.headers["retry-after"] == "10"
    scene.must_be_spent("reserved", 3)
    if scene.is_once:
        scene.make()
    else:
        assert scene.ask(scene.create()).status == 429


# --- answered by a proxy ----------------------------------------------------------------------


def proxied(status: int, retry_after: str | None = None) -> Expectation:
    """A page of HTML instead of an answer, and nothing has happened."""

    def expect(scene: Scene) -> None:
        for asked in _requests(scene).values():
            before = scene.traces()
            answer = scene.ask(asked)
            _require_page(answer, status)
            assert answer.headers.get("retry-after") == retry_after
            scene.require_named(answer)
            assert scene.traces() == before
            if scene.is_once:
                assert "mock-scenario" not in scene.ask(asked).headers
                scene.arm()

    return expect


def proxied_after(status: int) -> Expectation:
    """The same page, and the task is there and charged; the next create goes right."""

    def expect(scene: Scene) -> None:
        answer = scene.ask(scene.create())
        _require_page(answer, status)
        _require_made(scene, answer)

    return expect


def broken_after(scene: Scene) -> None:
    code = "internal_error" if scene.api == "rivya" else "api_error"
    asked = scene.create()
    answer = scene.ask(asked)
    require_error(scene, asked, answer, code)
    _require_made(scene, answer)


def _require_page(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.body.startswith(b"<html>")
    assert str(status).encode() in answer.body
    assert answer.headers["content-length"] == str(len(answer.body))


def _require_made(scene: Scene, answer: Answer | None) -> None:
    """After every kind of answer the task exists, is paid for, and succeeds."""
    if answer is not None:
        scene.require_named(answer)
    assert scene.exchange.scenario == scene.name
    assert scene.exchange.without in {"200", "201", "202"}
    (task,) = scene.world.tasks
    scene.must_be_spent("reserved")
    assert scene.look(task.id)
    if scene.channel in {calls.DOOR, calls.DEFAULT}:  # elsewhere each request asks anew
        assert scene.make() != task.id
    scene.advance(1)
    scene.look(task.id)
    assert scene.money()["reserved_credits"] == 0


def unknown_error(scene: Scene) -> None:
    """A refusal in the vendor's envelope, with a code that is in no table."""
    asked = scene.create()
    before = scene.traces()
    answer = scene.ask(asked)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    assert answer.json()["error"]["code"] == "quota_paused"
    assert set(answer.json()["error"]) >= {"code", "message"}
    assert "quota_paused" not in rivya.STATUS_OF.keys() | acedata.STATUS_OF.keys()
    scene.require_named(answer)
    assert scene.traces() == before


# --- another answer than there should be -----------------------------------------------------

Edit = Callable[[dict[str, Any]], object]


def create_shows(rivya_edit: Edit, acedata_edit: Edit) -> Expectation:
    """The answer to a create is as it should be but for this change; the task is sound."""

    def expect(scene: Scene) -> None:
        asked = scene.create()
        expected = scene.twin_of(asked)
        task_id = calls.task_id_of(expected)
        (rivya_edit if scene.api == "rivya" else acedata_edit)(expected)
        answer = scene.ask(asked)
        assert answer.json() == expected
        assert answer.headers["content-length"] == str(len(answer.body))
        scene.require_named(answer)
        scene.must_be_spent("reserved")
        assert scene.look(task_id)
        if scene.is_once:
            assert calls.task_id_of(scene.ask(asked).json()) != task_id

    return expect


def gone(name: str) -> Edit:
    return lambda document: document.pop(name)


def becomes(name: str, value: Any) -> Edit:
    return lambda document: document.__setitem__(name, value)


def renamed(name: str, other: str) -> Edit:
    return lambda document: document.__setitem__(other, document.pop(name))


def body_is(body: bytes | None, content_type: str) -> Expectation:
    """Status and task are as they should be, the body or its kind is not. body: None, as it was."""

    def expect(scene: Scene) -> None:
        asked = scene.create()
        answer = scene.ask(asked)
        assert answer.status in {200, 201, 202}
        assert answer.headers["content-type"] == content_type
        assert answer.headers["content-length"] == str(len(answer.body))
        if body is None:
            assert answer.json() == scene.twin_of(asked)
        else:
            assert answer.body == body
        scene.require_named(answer)
        scene.must_be_spent("reserved")

    return expect


def read_shows(rivya_edit: Edit, acedata_edit: Edit) -> Expectation:
    """A task that has succeeded is shown with this change; it is sound, and paid for."""

    def expect(scene: Scene) -> None:
        edit = rivya_edit if scene.api == "rivya" else acedata_edit
        task_id = ended(scene)
        asked = scene.read(task_id)
        expected = scene.twin_of(asked)
        edit(expected)
        answer = scene.ask(asked)
        assert _without_word(scene, answer) == expected
        by = scene.channel if scene.channel in {calls.DOOR, calls.DEFAULT} else calls.OF_TASK
        scene.require_named(answer, by)
        scene.must_be_spent("spent")
        if scene.is_once:
            assert _without_word(scene, scene.ask(asked)) == scene.twin_of(asked)
        if scene.channel in calls.BY_REQUEST:
            own = calls.task_id_of(scene.ask(calls.create(scene.api)).json())
            assert calls.task_id_of(scene.twin_of(calls.create(scene.api))) == own
            scene.advance(1)
            expected = scene.twin_of(scene.read(own))
            edit(expected)
            answer = scene.ask(scene.read(own, asking=True))
            assert answer.json() == expected
            scene.require_named(answer)

    return expect


def ended(scene: Scene) -> str:
    """A task that has succeeded, asked for through the channel; in the twin as well."""
    asked = scene.create()
    task_id = scene.make()
    assert calls.task_id_of(scene.twin_of(asked)) == task_id
    scene.advance(1)
    return task_id


def _without_word(scene: Scene, answer: Answer) -> Any:
    """What an answer says, but for the word that asked for the scenario."""
    return json.loads(answer.body.replace(f" mock:{scene.name}".encode(), b""))


def _no_rivya_url(document: dict[str, Any]) -> None:
    document["result"] |= {"urls": [], "primary_url": None}


def _no_acedata_url(document: dict[str, Any]) -> None:
    del document["response"]["data"][0]["video_url"]


def upscaling(document: dict[str, Any]) -> None:
    document["response"]["state"] = "upscaling"
    document["response"]["data"][0]["state"] = "upscaling"


def success_without_url(scene: Scene) -> None:
    """Polling and, in held-open mode, the create itself tell of a success without an address."""
    read_shows(_no_rivya_url, _no_acedata_url)(scene)
    if scene.api == "acedata":
        held = scene.begin(calls.create("acedata", scene.name, scene.channel, **{"async": False}))
        scene.advance(1)
        answer = held.answer()
        assert answer.json()["success"] is True
        assert "video_url" not in answer.json()["data"][0]
        scene.require_named(answer)


def failure_without_error(scene: Scene) -> None:
    """The task fails; its error is null in reads and, in held-open mode, in the create."""
    task_id = scene.make()
    scene.advance(1)
    read = scene.look(task_id)
    shown = read if scene.api == "rivya" else read["response"]
    assert (scene.state_of(task_id), shown["error"]) == ("failed", None)
    assert scene.money()["reserved_credits"] == scene.money()["spent_credits"] == 0
    if scene.api == "acedata":
        scene.arm()
        held = scene.begin(calls.create("acedata", scene.name, scene.channel, **{"async": False}))
        scene.advance(1)
        answer = held.answer()
        assert (answer.status, answer.json()["error"]) == (500, None)
        scene.require_named(answer)


def goes_backwards(scene: Scene) -> None:
    """A task that has succeeded is shown as queued at every second look."""
    asked = scene.read(ended(scene))
    sound = scene.twin_of(asked)
    expected = json.loads(json.dumps(sound))
    if scene.api == "rivya":
        expected |= {"status": "queued", "result": None}
    else:
        expected = {
            name: expected[name]
            for name in expected.keys() - {"started_at", "finished_at", "elapsed"}
        } | {"response": {}}
    seen = [_without_word(scene, scene.ask(asked)) for _ in range(4)]
    assert seen == [sound, expected, sound, sound if scene.is_once else expected]
    scene.must_be_spent("spent")


def fails_after_success(scene: Scene) -> None:
    """Once it is shown as succeeded; from then on as failed. It stays paid for."""
    task_id = scene.make()
    under_way = scene.look(task_id)
    scene.advance(1)
    first, second, third = (scene.look(task_id) for _ in range(3))
    if scene.api == "rivya":
        seen = [each["status"] for each in (under_way, first, second, third)]
        assert seen == ["queued", "succeeded", "failed", "succeeded" if scene.is_once else "failed"]
        assert (second["result"], second["error"]["code"]) == (None, "generation_failed")
    else:
        seen = [each["response"].get("success") for each in (under_way, first, second, third)]
        assert seen == [None, True, False, scene.is_once]
        assert second["response"]["error"]["code"] == "api_error"
        assert "data" not in second["response"]
    scene.must_be_spent("spent")


# --- late ------------------------------------------------------------------------------------


def slow(least_s: float, most_s: float) -> Expectation:
    """Nothing comes before `least_s`, and by `most_s` of the world's clock the right answer has;
    what was asked for happens only then."""

    def expect(scene: Scene) -> None:
        before = scene.traces()
        asked = scene.create()
        held = scene.begin(asked)
        if least_s:
            scene.advance(least_s - 0.001)
            assert held.is_open
            assert not held.has_begun
        assert scene.traces() == before
        scene.advance(most_s - max(0, least_s - 0.001))
        assert calls.task_id_of(held.answer().json()) == calls.task_id_of(scene.twin_of(asked))
        scene.require_named(held.answer())

    return expect


def late(scene: Scene) -> None:
    """The task is there and charged at once; the answer comes after a minute."""
    asked = scene.create()
    expected = scene.twin_of(asked)
    held = scene.begin(asked)
    scene.must_be_spent("reserved")
    scene.advance(59.999)
    assert held.is_open
    assert not held.has_begun
    scene.advance(0.001)
    assert held.answer().json() == expected
    scene.require_named(held.answer())
    scene.must_be_spent("spent")
