"""Every scenario through every channel, on every API that it names, as a client sees it.

What is expected stands once per scenario in `EXPECTED`, whichever the channel; a channel may only
change how often it is seen. Where the network itself goes wrong there is a socket, else there is
none. The clock stands still unless it is told to move, and after each cell no credit is missing.
"""

from __future__ import annotations

import json
import socket
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import pytest
from msgspec.structs import asdict

from mock_server.contract.data_paths import FIXTURES
from mock_server.contract.failures import failures_of
from mock_server.core.journal import Exchange
from mock_server.core.lifecycle import FailureReason
from mock_server.core.world import World
from tests import acedata, calls, rivya
from tests.asgi import Answer
from tests.contract_hook import breaches
from tests.live import Live, live
from tests.mock import Mock

FILES = {file.stem: file for file in sorted((FIXTURES / "scenarios").glob("*.toml"))}
NOBODY_LISTENS = "http://127.0.0.1:9/hook"
PATIENCE_S = 0.1
HOUR_S = 3600


def content(name: str) -> dict[str, Any]:
    return tomllib.loads(FILES[name].read_text("utf-8"))


# --- a scene: one scenario, asked for in one way, on one API ---------------------------------


@dataclass
class Scene:
    """A mock in which one scenario is asked for through one channel.

    twin: another mock from the same seed without a fault.
    """

    name: str
    channel: str
    api: str
    mock: Mock
    twin: Mock

    def __post_init__(self) -> None:
        self.arm()

    @property
    def world(self) -> World:
        return self.mock.world

    @property
    def is_once(self) -> bool:
        """Whether the scenario happens once: through the door it is added for one time."""
        return self.channel == calls.DOOR

    def arm(self) -> None:
        """Add the scenario once more, if it comes through the door."""
        if self.channel == calls.DOOR:
            calls.add_faults(self.mock, scenario=self.name, times=1)

    def create(self, **fields: Any) -> calls.Request:
        return calls.create(self.api, self.name, self.channel, **fields)

    def read(self, task_id: str, *, asking: bool = False) -> calls.Request:
        return calls.read(self.api, task_id, self.name, self.channel if asking else "")

    def ask(self, asked: calls.Request) -> Answer:
        return calls.send(self.mock, asked)

    def begin(self, asked: calls.Request) -> calls.OpenRequest:
        return calls.OpenRequest(self.mock, asked)

    def make(self, **fields: Any) -> str:
        """The id of a task that was asked for through the channel, and is as it should be."""
        answer = self.ask(self.create(**fields))
        assert answer.status in {200, 201, 202}, answer.body
        return calls.task_id_of(answer.json())

    def look(self, task_id: str) -> Any:
        answer = self.ask(self.read(task_id))
        assert answer.status == 200, answer.body
        return answer.json()

    def twin_of(self, asked: calls.Request) -> Any:
        """What is answered where nothing goes wrong."""
        body = asked.body.replace(f" mock:{self.name}".encode(), b"")
        headers = asked.headers | {"authorization": asked.headers["authorization"].split("+")[0]}
        headers = {name: headers[name] for name in headers.keys() - {"prefer", "mock-scenario"}}
        return calls.send(self.twin, calls.Request(asked.method, asked.path, headers, body)).json()

    def advance(self, seconds: float) -> None:
        calls.advance(self.mock, seconds)
        self.twin.advance(seconds)

    @property
    def exchange(self) -> Exchange:
        return list(self.world.journal)[-1]

    def money(self) -> dict[str, int]:
        return asdict(self.world.ledger.balance(calls.ACCOUNTS[self.api]))

    def traces(self) -> tuple[object, ...]:
        """Everything that a request without effect leaves as it was."""
        return self.money(), len(self.world.tasks), len(self.world.deliveries)

    def require_named(self, answer: Answer, channel: str = "") -> None:
        """The answer has the scenario's name, and the journal has its channel."""
        assert answer.headers.get("mock-scenario") == self.name
        assert self.exchange.scenario == self.name
        assert self.exchange.channel == (channel or self.channel)
        assert self.exchange.faults

    def must_be_spent(self, kind: str, count: int = 1) -> None:
        price = calls.PRICES[self.api] * count
        balance = self.money()
        assert balance[f"{kind}_credits"] == price
        assert balance["granted_credits"] == balance["available_credits"] + price


Expectation = Callable[[Scene], None]


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
            _require_error(scene, asked, answer, code)
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


def _require_error(
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
        _require_error(scene, asked, answer, code, by)
        assert scene.exchange.without == "200"
        if scene.channel in calls.BY_REQUEST:
            own = calls.task_id_of(scene.ask(calls.create(scene.api)).json())
            assert scene.ask(scene.read(own)).status == 200
            asked = scene.read(own, asking=True)
            _require_error(scene, asked, scene.ask(asked), code)

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
    _require_error(scene, asked, scene.ask(asked), "webhook_url_rejected")
    assert len(scene.world.endpoints) == 0


def limited_after_three(scene: Scene) -> None:
    code = "rate_limited" if scene.api == "rivya" else "too_many_requests"
    for _ in range(3):
        scene.make()
    answer = scene.ask(scene.create())
    _require_error(scene, scene.create(), answer, code)
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
    _require_error(scene, asked, answer, code)
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


def _gone(name: str) -> Edit:
    return lambda document: document.pop(name)


def _is(name: str, value: Any) -> Edit:
    return lambda document: document.__setitem__(name, value)


def _renamed(name: str, other: str) -> Edit:
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
        task_id = _ended(scene)
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


def _ended(scene: Scene) -> str:
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


def _upscaling(document: dict[str, Any]) -> None:
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
    assert (_state(scene, task_id), shown["error"]) == ("failed", None)
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
    asked = scene.read(_ended(scene))
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
            assert _state(scene, task_id) == state
            if state == "failed":
                assert scene.money()["reserved_credits"] == scene.money()["spent_credits"] == 0
            else:
                scene.must_be_spent("reserved")
        if scene.is_once:
            task_id = scene.make()
            scene.advance(1)
            assert _state(scene, task_id) == "succeeded"

    return expect


def _state(scene: Scene, task_id: str) -> str:
    shown = scene.look(task_id)
    if scene.api == "rivya":
        state: str = shown["status"]
        return state
    response = shown["response"]
    if not response:
        return "processing" if "started_at" in shown else "queued"
    return "succeeded" if response["success"] else "failed"


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


# --- the video -------------------------------------------------------------------------------


def _video_path(task_id: str) -> str:
    return f"/media/default/{task_id}.mp4"


def video_is(status: int, content_type: str, words: bytes) -> Expectation:
    """The task is as it should be, and its video is not there to be had."""

    def expect(scene: Scene) -> None:
        task_id = _ended(scene)
        answer = scene.ask(calls.get(_video_path(task_id)))
        assert answer.status == status
        assert answer.headers["content-type"].startswith(content_type)
        assert words in answer.body
        by = scene.channel if scene.channel in {calls.DOOR, calls.DEFAULT} else calls.OF_TASK
        scene.require_named(answer, by)
        scene.must_be_spent("spent")
        if scene.is_once:
            assert scene.ask(calls.get(_video_path(task_id))).status == 200

    return expect


def whole_video(scene: Scene) -> None:
    """A request for the rest of the video gets all of it."""
    path, rest = _video_path(_ended(scene)), {"range": "bytes=1000-"}
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
    video = calls.get(_video_path(_ended(scene)))
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
    _require_error(scene, asked, scene.ask(asked), code, by)
    assert scene.ask(asked).status == (200 if scene.is_once else 404)


def upload_unknown(scene: Scene) -> None:
    """Reading an upload is refused; the task is as it should be."""
    scene.make()
    if scene.channel == calls.IN_PROMPT:
        return  # nothing else has a prompt
    channel = scene.channel if scene.channel in calls.BY_REQUEST else ""
    asked = calls.get(f"/api/v1/files/{scene.mock.upload().json()['id']}", scene.name, channel)
    _require_error(scene, asked, scene.ask(asked), "not_found")
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


# --- where the network goes wrong ------------------------------------------------------------


@dataclass
class Wire:
    """A server on a socket in which one scenario is asked for."""

    name: str
    channel: str
    api: str
    mock: Live

    def __post_init__(self) -> None:
        if self.channel == calls.DOOR:
            body = json.dumps({"scenario": self.name, "times": 1}).encode()
            asked = calls.Request("POST", "/_mock/worlds/default/faults", JSON, body)
            assert self.whole(asked).startswith(b"HTTP/1.1 201")

    def open(self, asked: calls.Request) -> socket.socket:
        return calls.sent(self.mock.url, asked)

    def whole(self, asked: calls.Request) -> bytes:
        """All that comes until the server hangs up. Raises ConnectionResetError."""
        with self.open(asked) as connection:
            return _until_the_end(connection)

    def create(self) -> calls.Request:
        return calls.create(self.api, self.name, self.channel)

    @property
    def world(self) -> World:
        return self.mock.fake.world()

    def counts(self) -> tuple[int, int]:
        """How many tasks there are, and the credits that are held for them."""
        balance = self.world.ledger.balance(calls.ACCOUNTS[self.api])
        return len(self.world.tasks), balance.reserved_credits

    def must_be_noted(self) -> None:
        """The journal has the fault and its channel."""
        noted = [each for each in self.world.journal if each.scenario == self.name]
        assert [each.channel for each in noted] == [self.channel]

    def wait_until_noted(self) -> None:
        """Return when the server has the request, and it has gone wrong."""
        while not any(each.faults for each in self.world.journal):
            self.whole(calls.get("/_mock/health"))

    def must_have_made(self, count: int) -> None:
        assert self.counts() == (count, count * calls.PRICES[self.api])

    def must_go_right_next(self) -> None:
        """Through the door the scenario happens once: the next create is answered."""
        if self.channel == calls.DOOR:
            before, _ = self.counts()
            head, _, body = self.whole(self.create()).partition(b"\r\n\r\n")
            assert head.split()[1] in {b"200", b"201", b"202"}
            assert calls.task_id_of(json.loads(body))
            self.must_have_made(before + 1)


JSON = {"content-type": "application/json"}
OnWire = Callable[[Wire], None]


def _until_the_end(wire: socket.socket) -> bytes:
    received = bytearray()
    while chunk := wire.recv(1 << 16):
        received += chunk
    return bytes(received)


def reset(*, made: int) -> OnWire:
    """No byte comes, and the connection is reset."""

    def expect(wire: Wire) -> None:
        with wire.open(wire.create()) as connection, pytest.raises(ConnectionResetError):
            connection.recv(1)
        wire.must_have_made(made)
        wire.must_be_noted()
        wire.must_go_right_next()

    return expect


def hangs(*, made: int) -> OnWire:
    """No byte comes, and the connection stays open until the client hangs up."""

    def expect(wire: Wire) -> None:
        with wire.open(wire.create()) as connection:
            wire.wait_until_noted()
            connection.settimeout(PATIENCE_S)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            wire.must_have_made(made)
        wire.must_be_noted()
        wire.must_go_right_next()

    return expect


def cut(wire: Wire) -> None:
    """Twenty bytes of the body come, then the end; the head promised more."""
    with wire.open(wire.create()) as connection:
        head, _, body = _until_the_end(connection).partition(b"\r\n\r\n")
    assert len(body) == 20 < _promised(head)
    assert b"mock-scenario: " + wire.name.encode() in head
    wire.must_have_made(1)
    wire.must_be_noted()
    wire.must_go_right_next()


def reset_in_the_middle(wire: Wire) -> None:
    """Not all of the body comes before the connection is reset."""
    with wire.open(wire.create()) as connection:
        head = _head(connection)
        body = bytearray()
        while (byte := _byte_or_reset(connection)) is not None:
            assert byte, "the connection was closed as it should be"
            body += byte
    assert head.startswith(b"HTTP/1.1 20")
    assert len(body) <= 20 < _promised(head)
    wire.must_have_made(1)
    wire.must_be_noted()
    wire.must_go_right_next()


def _byte_or_reset(connection: socket.socket) -> bytes | None:
    try:
        return connection.recv(1)
    except ConnectionResetError:
        return None


def dribbles(wire: Wire) -> None:
    """The body comes byte by byte, its length is right."""
    began_s = monotonic()
    with wire.open(wire.create()) as connection:
        head = _head(connection)
        for _ in range(20):
            assert len(connection.recv(1)) == 1
    assert monotonic() - began_s > 0.99 * 20 / 200
    assert _promised(head) > 20
    wire.must_have_made(1)
    wire.must_be_noted()
    wire.must_go_right_next()


def _promised(head: bytes) -> int:
    (length,) = (
        line.partition(b": ")[2]
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    return int(length)


def _head(connection: socket.socket) -> bytes:
    """The head of an answer; not a byte of its body is taken."""
    received = bytearray()
    while not received.endswith(b"\r\n\r\n"):
        received += connection.recv(1)
    return bytes(received)


def _ended_on_wire(wire: Wire) -> calls.Request:
    """A request for the video of a task that has succeeded."""
    head, _, body = wire.whole(wire.create()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 20"), head
    wire.mock.advance(1)
    return calls.get(_video_path(calls.task_id_of(json.loads(body))))


def video_cut(wire: Wire) -> None:
    with wire.open(_ended_on_wire(wire)) as connection:
        head, _, body = _until_the_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"content-type: video/mp4" in head
    assert len(body) == 1000 < _promised(head)


def video_slow(wire: Wire) -> None:
    asked = _ended_on_wire(wire)
    began_s = monotonic()
    with wire.open(asked) as connection:
        head = _head(connection)
        for _ in range(200):
            assert len(connection.recv(1)) == 1
    assert monotonic() - began_s > 0.99 * 200 / 2000
    assert head.startswith(b"HTTP/1.1 200")
    assert _promised(head) > 200


# --- the table -------------------------------------------------------------------------------

ON_CREATE = ("create",)

EXPECTED: dict[str, Expectation] = {
    # refused as one of the two error tables has it
    "api_error": refused(acedata_code="api_error"),
    "api_key_expired": refused(rivya_code="api_key_expired", acedata_code="token_expired"),
    "api_key_invalid": refused(rivya_code="api_key_invalid", acedata_code="invalid_token"),
    "api_key_missing": refused(rivya_code="api_key_missing", acedata_code="no_token"),
    "api_key_revoked": refused(rivya_code="api_key_revoked", acedata_code="invalid_token"),
    "api_not_implemented": refused(acedata_code="api_not_implemented"),
    "api_scope_denied": refused(rivya_code="api_scope_denied"),
    "bad_request": refused(acedata_code="bad_request", at=ON_CREATE),
    "disabled": refused(acedata_code="disabled"),
    "forbidden": refused(acedata_code="forbidden", at=ON_CREATE),
    "idempotency_conflict": refused(rivya_code="idempotency_conflict", at=ON_CREATE),
    "insufficient_credits": refused(
        rivya_code="insufficient_credits", acedata_code="used_up", at=ON_CREATE
    ),
    "internal_error": refused(rivya_code="internal_error", acedata_code="api_error"),
    "invalid_token": refused(acedata_code="invalid_token"),
    "method_not_allowed": refused(
        rivya_code="method_not_allowed", acedata_code="method_not_allowed"
    ),
    "no_api": refused(acedata_code="no_api"),
    "no_token": refused(acedata_code="no_token"),
    "public_api_disabled": refused(
        rivya_code="public_api_disabled", acedata_code="api_not_implemented"
    ),
    "rate_limited": limited("2"),
    **{f"rate_limited{way}": limited(value) for way, value in WAITS.items()},
    "timeout": refused(acedata_code="timeout", at=ON_CREATE),
    "token_expired": refused(acedata_code="token_expired"),
    "token_mismatched": refused(acedata_code="token_mismatched"),
    "too_many_requests": refused(acedata_code="too_many_requests", retry_after="2"),
    "used_up": refused(acedata_code="used_up", at=ON_CREATE),
    "validation_failed": refused(
        rivya_code="validation_failed", acedata_code="bad_request", at=ON_CREATE
    ),
    "not_found": lost_task("not_found", "task_not_found"),
    "task_not_found": lost_task("", "task_not_found"),
    "webhook_url_rejected": webhook_refused,
    "rate_limited_after_three": limited_after_three,
    "error_unknown": unknown_error,
    # a proxy answers
    "bad_gateway": proxied(502),
    "gateway_timeout": proxied(504),
    "unavailable": proxied(503, "2"),
    **{f"unavailable{way}": proxied(503, value) for way, value in WAITS.items()},
    "bad_gateway_after": proxied_after(502),
    "gateway_timeout_after": proxied_after(504),
    "internal_error_after": broken_after,
    # the answer is not what it should be
    "answer_not_json": body_is(b"upstream connect error", "application/json"),
    "answer_wrong_content_type": body_is(None, "text/html"),
    "field_dropped": create_shows(_gone("id"), _gone("task_id")),
    "field_null": create_shows(_is("status", None), _is("task_id", None)),
    "field_renamed": create_shows(_renamed("id", "taskId"), _renamed("task_id", "taskId")),
    "field_retyped": create_shows(_is("id", 12345), _is("task_id", 12345)),
    "field_unknown": create_shows(
        _is("beta_features", {"upscale": True}), _is("beta_features", {"upscale": True})
    ),
    "status_unknown": read_shows(_is("status", "upscaling"), _upscaling),
    "success_without_url": success_without_url,
    "failure_without_error": failure_without_error,
    "status_backwards": goes_backwards,
    "fails_after_success": fails_after_success,
    # the task
    "generation_failed": task_goes((0.1, "queued"), (0.5, "processing"), (1, "failed")),
    "task_failed_moderation": fails_because("moderation"),
    "task_failed_bad_input": fails_because("bad_input"),
    "task_failed_upstream_outage": fails_because("upstream_outage"),
    "task_failed_timeout": fails_because("timeout"),
    "fails_at_once": task_goes((0, "failed")),
    "fails_late": task_goes((0.5, "processing"), (HOUR_S, "processing"), (HOUR_S + 0.2, "failed")),
    "stuck": task_goes((0.1, "queued"), (0.2, "processing"), (10**6, "processing")),
    # the time
    "slow": slow(3, 3),
    "slow_uniform": slow(1, 4),
    "slow_lognormal": slow(0, 1000),
    "late_answer": late,
    # the video
    "range_ignored": whole_video,
    "result_expired": video_is(403, "application/xml", b"Request has expired"),
    "result_expired_after_first": video_expires,
    "task_expired_after_first": task_expires,
    "upload_expired": upload_unknown,
    "result_missing": video_is(404, "text/html", b"gone"),
    # what is delivered; tests/test_delivery_scenarios.py has it byte by byte
    "delivery_before_answer": delivered_first,
    "delivery_altered": delivered(),
    "delivery_cut": delivered(),
    "delivery_deleted_endpoint": delivered(),
    "delivery_dns": delivered(),
    "delivery_dribble": delivered(),
    "delivery_empty": delivered(),
    "delivery_error": delivered(),
    "delivery_extra_fields": delivered(),
    "delivery_future": delivered(),
    "delivery_gone": delivered(),
    "delivery_hang": delivered(),
    "delivery_late": delivered(),
    "delivery_never": delivered(0),
    "delivery_not_json": delivered(),
    "delivery_old_secret": delivered(),
    "delivery_out_of_order": delivered(),
    "delivery_redirected": delivered(),
    "delivery_reformatted": delivered(),
    "delivery_answer_lost": delivered(),
    "delivery_reset": delivered(),
    "delivery_stale": delivered(),
    "delivery_storm": delivered(50),
    "delivery_success_after_failure": delivered(2),
    "delivery_throttled": delivered(),
    "delivery_tls": delivered(),
    "delivery_twice": delivered(2),
    "delivery_twice_at_once": delivered(2),
    "delivery_unknown_task": delivered(),
    "delivery_unknown_type": delivered(),
    "delivery_unsigned": delivered(),
    "delivery_wrong_content_type": delivered(),
    "delivery_wrong_secret": delivered(),
}

EXPECTED_ON_WIRE: dict[str, OnWire] = {
    "connection_reset": reset(made=0),
    "lost_answer": reset(made=1),
    "hang": hangs(made=0),
    "lost_answer_hang": hangs(made=1),
    "answer_cut": cut,
    "answer_reset": reset_in_the_middle,
    "answer_dribble": dribbles,
    "result_cut": video_cut,
    "result_slow": video_slow,
}


def cells(names: dict[str, Any]) -> Iterator[Any]:
    """Scenario, channel and API, for every API that the scenario names."""
    for name in names:
        for channel in calls.CHANNELS:
            for api in content(name).get("apis", calls.APIS) if name in FILES else ():
                place = f"{name}-{channel.replace(' ', '_')}-{api}"
                yield pytest.param(name, channel, api, id=place)


@contextmanager
def scene_of(name: str, channel: str, api: str) -> Iterator[Scene]:
    """A mock in which the scenario is asked for. At the end no credit may be missing."""
    with ExitStack() as ending:
        mock = Mock(scenario=name) if channel == calls.DEFAULT else Mock()
        ending.callback(mock.close)
        twin = Mock()
        ending.callback(twin.close)
        scene = Scene(name, channel, api, mock, twin)
        yield scene
        assert calls.is_balanced(mock.world)


def test_every_scenario_has_an_expectation_and_every_expectation_a_scenario() -> None:
    assert sorted([*EXPECTED, *EXPECTED_ON_WIRE]) == sorted(FILES)


@pytest.mark.parametrize(("name", "channel", "api"), list(cells(EXPECTED)))
def test_a_scenario_shows_the_same_through_every_channel(name: str, channel: str, api: str) -> None:
    with scene_of(name, channel, api) as scene:
        EXPECTED[name](scene)


@pytest.mark.parametrize(("name", "channel", "api"), list(cells(EXPECTED_ON_WIRE)))
def test_a_scenario_of_the_network_shows_the_same_through_every_channel(
    name: str, channel: str, api: str
) -> None:
    with live(**({"scenario": name} if channel == calls.DEFAULT else {})) as mock:
        wire = Wire(name, channel, api, mock)
        EXPECTED_ON_WIRE[name](wire)
        assert calls.is_balanced(wire.world)
