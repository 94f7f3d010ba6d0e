"""No request sees another world: shown with a thousand worlds, and rule by rule with a few.

The thousand are driven at random, all by turns, and everything they were asked is then asked again
of each world alone. A world that was touched by another in any way answers otherwise the second
time. What is random is drawn from a fixed seed.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import re
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from benchmarks.orders import generation_order
from mock_server.simulation.worlds import _FREED_AT_ONCE
from tests import calls
from tests.asgi import Answer
from tests.mock import KEY, MINIMAL, PNG, START, TOKEN, VIDEO, MakeMock, Mock, form

WORLDS = 1000
STEPS = 4000
HOT = 100
"""So many worlds get half of all the steps: a long story each."""
MOCK_URL = "http://127.0.0.1"
DOOR = "/_mock/worlds"
Sent = tuple[str, str, dict[str, str], bytes]
"""Method, path, headers, body."""


# --- asking ---------------------------------------------------------------------------------------


def mock_with_callbacks(**changes: Any) -> Mock:
    """A mock whose callbacks go to its own app, without a socket."""
    mock = Mock(**changes)
    transport = httpx2.ASGITransport(mock.app)
    mock.fake.sender._client = httpx2.AsyncClient(transport=transport)
    return mock


def rivya(method: str, path: str, name: str, body: Any = None, **headers: str) -> Sent:
    """A request with the key of a world; `path` counts from /api/v1."""
    key = headers.pop("key", f"{KEY}-{name}")
    return asked(method, f"/api/v1{path}", body, authorization=f"Bearer {key}", **headers)


def acedata(path: str, name: str, body: Any, **headers: str) -> Sent:
    """A POST with the token of a world; `path` counts from /hailuo."""
    token = f"{TOKEN}-{name}"
    return asked("POST", f"/hailuo{path}", body, authorization=f"Bearer {token}", **headers)


def door(method: str, name: str, path: str, body: Any = None) -> Sent:
    """A request to the door about a world."""
    return asked(method, f"{DOOR}/{name}{path}", body)


def asked(method: str, path: str, body: Any = None, **headers: str) -> Sent:
    headers = {"host": "127.0.0.1"} | {each.replace("_", "-"): headers[each] for each in headers}
    if body is None or isinstance(body, bytes):
        return method, path, headers, body or b""
    return method, path, headers | {"content-type": "application/json"}, json.dumps(body).encode()


def upload(name: str, content: bytes) -> Sent:
    body = form({"kind": "image"}, {"file": (f"{name}.png", content)})
    kind = "multipart/form-data; boundary=frontier"
    return rivya("POST", "/files", name, body, content_type=kind)


def send(mock: Mock, sent: Sent) -> Answer:
    method, path, headers, body = sent
    return mock.request(method, path, headers=headers, body=body)


def made(mock: Mock, name: str, **plan: Any) -> None:
    """A world on a frozen clock."""
    plan = {"name": name, "clock": {"mode": "frozen", "now": START}} | plan
    answer = send(mock, asked("POST", DOOR, plan))
    assert answer.status == 201, answer.body


def canaries(text: str) -> set[str]:
    """The worlds that a text names."""
    return set(re.findall(r"canary-\d{4}", text))


def of_world(answer: Answer) -> str:
    return answer.headers["mock-world"]


# --- a thousand worlds ----------------------------------------------------------------------------


@dataclass
class Story:
    """A world, what it was asked and answered, and the ids it gave out."""

    name: str
    seed: int
    is_there: bool = True
    named: set[str] = field(default_factory=set)
    told: list[tuple[Sent, Answer]] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    videos: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    endpoints: list[str] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)

    @property
    def plan(self) -> dict[str, Any]:
        return {"name": self.name, "seed": self.seed, "clock": {"mode": "frozen", "now": START}}


class Crowd:
    """Worlds. Each step chooses one, and another one whose ids it asks for."""

    def __init__(self, mock: Mock, draw: random.Random) -> None:
        self.mock = mock
        self.draw = draw
        # Two worlds each have one seed, and so the same ids for different things.
        self.stories = [Story(f"canary-{number:04}", number // 2) for number in range(WORLDS)]
        self.by_name = {story.name: story for story in self.stories}
        self.default = Story("default", 0)
        self.crossings: list[str] = []

    def ask(self, story: Story, sent: Sent) -> Answer:
        """Send a request, and keep it in the story of this world, where it must have come in."""
        answer = send(self.mock, sent)
        story.told.append((sent, answer))
        story.named |= canaries(str(sent) if story is self.default else sent[1])
        came_to = answer.headers.get("mock-world", story.name)
        if came_to != story.name:
            self.crossings.append(f"{sent[:2]} was for {story.name} and came to {came_to}")
        # A request for a foreign address names a foreign world, and the journal keeps the name.
        said = canaries(str(sent)) | (story.named if sent[1].endswith("/snapshot") else set())
        strange = canaries(f"{answer.headers} {answer.body!r}") - said - {story.name}
        if strange:
            self.crossings.append(f"{sent[:2]} of {story.name} was told of {strange}")
        return answer

    def of_key(self, story: Story) -> Story:
        """Where the key of a world leads."""
        return story if story.is_there else self.default

    def run(self) -> None:
        for story in self.stories:
            self.ask(story, asked("POST", DOOR, story.plan))
        for _ in range(STEPS):
            crowd = self.stories[:HOT] if self.draw.random() < 0.5 else self.stories
            mine, other = self.draw.choice(crowd), self.draw.choice(crowd)
            (step,) = self.draw.choices(STEPS_TO_TAKE, WEIGHTS)
            step(self, mine, other)
        for story in self.stories:
            if story.is_there:
                self.ask(story, door("GET", story.name, "/snapshot"))
        self.ask(self.default, door("GET", "default", "/snapshot"))


def creates(crowd: Crowd, mine: Story, _: Story) -> None:
    headers = (
        {"idempotency_key": f"again-{len(mine.tasks) % 3}"} if crowd.draw.random() < 0.3 else {}
    )
    prompt = f"{mine.name} {len(mine.told)}"
    sent = rivya("POST", "/generations", mine.name, MINIMAL | {"prompt": prompt}, **headers)
    answer = crowd.ask(crowd.of_key(mine), sent)
    if answer.status == 200:
        mine.tasks.append(answer.json()["id"])


def creates_with_callback(crowd: Crowd, mine: Story, _: Story) -> None:
    inbox = f"{MOCK_URL}/_mock/inbox/{mine.name}/{mine.name}-in"
    body = VIDEO | {"prompt": mine.name, "callback_url": inbox, "callback_secret": mine.name}
    answer = crowd.ask(crowd.of_key(mine), acedata("/videos", mine.name, body))
    if answer.status == 200:
        mine.videos.append(answer.json()["task_id"])


def reads(crowd: Crowd, mine: Story, other: Story) -> None:
    """One id of its own and one of another world, on either API."""
    for story in (mine, other):
        for task_id in story.tasks[-1:]:
            sent = rivya("GET", f"/generations/{task_id}", mine.name)
            answer = crowd.ask(crowd.of_key(mine), sent)
            if answer.status == 200 and answer.json()["result"]:
                mine.urls.append(answer.json()["result"]["primary_url"].removeprefix(MOCK_URL))
    ids = mine.videos[-2:] + other.videos[-2:]
    if ids:
        body = {"action": "retrieve_batch", "ids": ids}
        crowd.ask(crowd.of_key(mine), acedata("/tasks", mine.name, body))


def uploads(crowd: Crowd, mine: Story, other: Story) -> None:
    answer = crowd.ask(crowd.of_key(mine), upload(mine.name, PNG + mine.name.encode()))
    if answer.status == 200:
        mine.files.append(answer.json()["id"])
        mine.urls.append(answer.json()["url"].removeprefix(MOCK_URL))
    for file_id in other.files[-1:]:
        crowd.ask(crowd.of_key(mine), rivya("GET", f"/files/{file_id}", mine.name))


def downloads(crowd: Crowd, mine: Story, other: Story) -> None:
    """The plain address is a request to the owner; below another world's path it is not found."""
    key = {"authorization": f"Bearer {KEY}-{mine.name}"}
    for url in mine.urls[-2:] + other.urls[-2:]:
        owner = crowd.by_name[url.split("/")[2]]
        if owner.is_there:
            crowd.ask(owner, asked("GET", url, **key))
    for url in other.urls[-2:]:
        if mine.is_there:
            crowd.ask(mine, asked("GET", f"/w/{mine.name}{url}"))


def registers_a_webhook(crowd: Crowd, mine: Story, other: Story) -> None:
    body = {
        "name": mine.name,
        "url": f"{MOCK_URL}/_mock/inbox/{mine.name}/{mine.name}-hook",
        "event_types": ["generation.succeeded", "generation.failed"],
    }
    answer = crowd.ask(crowd.of_key(mine), rivya("POST", "/webhooks", mine.name, body))
    if answer.status == 200:
        mine.endpoints.append(answer.json()["id"])
    crowd.ask(crowd.of_key(mine), rivya("GET", "/webhooks", mine.name))
    for endpoint_id in other.endpoints[-1:]:
        sent = rivya("DELETE", f"/webhooks/{endpoint_id}", mine.name)
        crowd.ask(crowd.of_key(mine), sent)


def enters_by_the_path_of_another(crowd: Crowd, mine: Story, other: Story) -> None:
    """The path decides, and there the key is not known."""
    owner = other if other.is_there else crowd.of_key(mine)
    method, path, headers, body = rivya("GET", "/credits", mine.name)
    crowd.ask(owner, (method, f"/w/{other.name}{path}", headers, body))
    method, path, headers, body = rivya("POST", "/generations", mine.name, MINIMAL)
    crowd.ask(owner, (method, f"/w/{other.name}{path}", headers, body))


def goes_wrong_by_header(crowd: Crowd, mine: Story, _: Story) -> None:
    name = crowd.draw.choice(["rate_limited", "insufficient_credits", "stuck", f"x-{mine.name}"])
    body = MINIMAL | {"prompt": mine.name}
    sent = rivya("POST", "/generations", mine.name, body, mock_scenario=name)
    crowd.ask(crowd.of_key(mine), sent)


def goes_wrong_by_key(crowd: Crowd, mine: Story, _: Story) -> None:
    scenario = crowd.draw.choice(["api_scope_denied", f"x-{mine.name}"])
    key = f"{KEY}-{mine.name}+{scenario}"
    crowd.ask(crowd.of_key(mine), rivya("GET", "/credits", mine.name, key=key))


def goes_wrong_by_prompt(crowd: Crowd, mine: Story, _: Story) -> None:
    body = VIDEO | {"prompt": f"{mine.name} mock:{crowd.draw.choice(['stuck', 'fails_late'])}"}
    body |= {"callback_url": f"{MOCK_URL}/_mock/inbox/{mine.name}/{mine.name}-bad"}
    crowd.ask(crowd.of_key(mine), acedata("/videos", mine.name, body))


def sets_a_fault(crowd: Crowd, mine: Story, _: Story) -> None:
    effect = {"type": "error", "code": "rate_limited", "message": f"{mine.name} has it so"}
    rule = {"effect": effect, "match": {"api": "rivya"}, "times": 2, "probability": 0.5}
    with_scenario = {"scenario": f"x-{mine.name}", "times": 1}
    body = crowd.draw.choice([rule, with_scenario, {"scenario": "delivery_twice", "times": 1}])
    at_door(crowd, mine, "POST", "/faults", body)


def clears_faults(crowd: Crowd, mine: Story, _: Story) -> None:
    at_door(crowd, mine, "DELETE", "/faults")


def moves_its_clock(crowd: Crowd, mine: Story, _: Story) -> None:
    seconds = crowd.draw.choice([0.1, 0.5, 3, 4000])
    at_door(crowd, mine, "POST", "/clock/advance", {"seconds": seconds})
    at_door(crowd, mine, "GET", f"/inbox/{mine.name}-in")


def changes_its_clock(crowd: Crowd, mine: Story, _: Story) -> None:
    """Real time stands still in this test, so this moves nothing by itself."""
    mode = crowd.draw.choice(["real", "frozen"])
    at_door(crowd, mine, "PATCH", "/clock", {"mode": mode, "scale": crowd.draw.randint(1, 60)})


def changes_credits(crowd: Crowd, mine: Story, _: Story) -> None:
    account = crowd.draw.choice(["rivya-test", "acedata-test"])
    body = {"credits": crowd.draw.choice([0, 60, 10**6])}
    at_door(crowd, mine, "PATCH", f"/accounts/{account}", body)
    crowd.ask(crowd.of_key(mine), rivya("GET", "/credits", mine.name))


def ends_a_task(crowd: Crowd, mine: Story, other: Story) -> None:
    """Also one of another world, which is unknown."""
    state = crowd.draw.choice(["succeeded", "failed"])
    for task_id in (mine.tasks + mine.videos)[-1:] + (other.tasks + other.videos)[-1:]:
        at_door(crowd, mine, "POST", f"/tasks/{task_id}/finish", {"state": state})
    at_door(crowd, mine, "POST", "/clock/advance", {"seconds": 0})


def looks_at_deliveries(crowd: Crowd, mine: Story, other: Story) -> None:
    answer = at_door(crowd, mine, "GET", "/deliveries")
    if answer is not None:
        mine.deliveries = [each["id"] for each in answer.json()["deliveries"]]
    for delivery_id in mine.deliveries[:1] + other.deliveries[:1]:
        at_door(crowd, mine, "POST", f"/deliveries/{delivery_id}/redeliver")
    at_door(crowd, mine, "POST", "/clock/advance", {"seconds": 0})


def programs_its_inbox(crowd: Crowd, mine: Story, _: Story) -> None:
    answers = [{"status": 500, "body": mine.name, "times": 2}]
    at_door(crowd, mine, "PUT", f"/inbox/{mine.name}-in", {"answers": answers})


def begins_anew(crowd: Crowd, mine: Story, _: Story) -> None:
    at_door(crowd, mine, "POST", "/reset")


def is_dropped_or_made_again(crowd: Crowd, mine: Story, _: Story) -> None:
    if mine.is_there:
        at_door(crowd, mine, "DELETE", "")
    else:
        crowd.ask(mine, asked("POST", DOOR, mine.plan))
    mine.is_there = not mine.is_there


def is_taken_out_and_put_back(crowd: Crowd, mine: Story, _: Story) -> None:
    answer = at_door(crowd, mine, "GET", "/snapshot")
    if answer is not None:
        at_door(crowd, mine, "PUT", "/snapshot", answer.json())


def at_door(crowd: Crowd, story: Story, method: str, path: str, body: Any = None) -> Answer | None:
    """A request to the door about a world, if it exists."""
    if not story.is_there:
        return None
    return crowd.ask(story, door(method, story.name, path, body))


Step = Callable[[Crowd, Story, Story], object]
OFTEN: dict[Step, int] = {
    creates: 12,
    creates_with_callback: 10,
    moves_its_clock: 10,
    reads: 8,
    uploads: 3,
    downloads: 3,
    registers_a_webhook: 4,
    enters_by_the_path_of_another: 3,
    goes_wrong_by_header: 4,
    goes_wrong_by_key: 3,
    goes_wrong_by_prompt: 3,
    sets_a_fault: 5,
    clears_faults: 1,
    changes_its_clock: 2,
    changes_credits: 3,
    ends_a_task: 4,
    looks_at_deliveries: 3,
    programs_its_inbox: 2,
    begins_anew: 1,
    is_dropped_or_made_again: 2,
    is_taken_out_and_put_back: 2,
}
STEPS_TO_TAKE, WEIGHTS = list(OFTEN), list(OFTEN.values())


def own_scenarios(folder: Path) -> Path:
    """A scenario for each world, by its name: an error with the name in its message."""
    for number in range(WORLDS):
        name = f"canary-{number:04}"
        effect = f'{{ type = "error", code = "rate_limited", message = "{name} wants it so" }}'
        match = '{ api = "rivya" }'
        text = f'shows = "the error of {name}"\n[[faults]]\nmatch = {match}\neffect = {effect}\n'
        (folder / f"x-{name}.toml").write_text(text, "utf-8")
    return folder


def test_each_of_a_thousand_worlds_answers_as_if_it_were_alone(tmp_path: Path) -> None:
    settings = {"scenario_dir": str(own_scenarios(tmp_path)), "webhook_urls": "local"}
    mock = mock_with_callbacks(**settings)
    crowd = Crowd(mock, random.Random(20260511))
    crowd.run()
    mock.close()
    assert crowd.crossings == []

    alone = mock_with_callbacks(**settings)
    for story in [*crowd.stories, crowd.default]:
        for number, (sent, answer) in enumerate(story.told):
            again = send(alone, sent)
            where = f"step {number} of {story.name}: {sent[0]} {sent[1]} {sent[3]!r}"
            assert again == answer, where
        if story.is_there and story is not crowd.default:
            alone.fake.worlds.drop(story.name)
    alone.close()


# --- law by law -----------------------------------------------------------------------------------


@pytest.fixture
def two() -> Iterator[Mock]:
    """A mock with the worlds `ours` and `theirs`."""
    mock = mock_with_callbacks()
    made(mock, "ours")
    made(mock, "theirs")
    yield mock
    mock.close()


def generation(mock: Mock, name: str) -> str:
    """A new generation in a world."""
    task_id: str = send(mock, rivya("POST", "/generations", name, MINIMAL)).json()["id"]
    return task_id


def video(mock: Mock, name: str, **fields: Any) -> str:
    """A new video task in a world."""
    body = VIDEO | {"async": True} | fields
    task_id: str = send(mock, acedata("/videos", name, body)).json()["task_id"]
    return task_id


def uploaded(mock: Mock, name: str) -> dict[str, Any]:
    """A new file in a world."""
    document: dict[str, Any] = send(mock, upload(name, PNG + name.encode())).json()
    return document


def advance(mock: Mock, name: str, seconds: float) -> None:
    assert send(mock, door("POST", name, "/clock/advance", {"seconds": seconds})).status == 200


def snapshot(mock: Mock, name: str) -> bytes:
    """Everything in a world."""
    return send(mock, door("GET", name, "/snapshot")).body


def test_a_task_of_another_world_is_unknown(two: Mock) -> None:
    theirs = send(two, rivya("GET", f"/generations/{generation(two, 'theirs')}", "ours"))
    nobodys = send(two, rivya("GET", "/generations/task_nobody", "ours"))
    assert (theirs.status, nobodys.status) == (404, 404)
    assert theirs.json()["error"]["message"] == nobodys.json()["error"]["message"]

    their_video, our_video = video(two, "theirs"), video(two, "ours")
    one = send(two, acedata("/tasks", "ours", {"action": "retrieve", "id": their_video}))
    assert one.status == 404
    body = {"action": "retrieve_batch", "ids": [their_video, our_video]}
    several = send(two, acedata("/tasks", "ours", body)).json()
    assert [item["id"] for item in several["items"]] == [our_video]


def test_a_file_of_another_world_is_unknown_and_is_no_reference(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__references="own")
    made(mock, "ours")
    made(mock, "theirs")
    theirs, ours = uploaded(mock, "theirs"), uploaded(mock, "ours")
    assert send(mock, rivya("GET", f"/files/{theirs['id']}", "ours")).status == 404
    for url, status in ((ours["url"], 200), (theirs["url"], 400)):
        references = [{"kind": "image", "url": url}]
        body = MINIMAL | {"params": {"referenceMediaItems": references}}
        assert send(mock, rivya("POST", "/generations", "ours", body)).status == status


def test_a_media_url_leads_to_its_world_with_every_key(
    two: Mock,
) -> None:
    """The address is enough, as with the vendor's own. A key changes nothing."""
    file, task_id = uploaded(two, "theirs"), generation(two, "theirs")
    advance(two, "theirs", 5)
    shown = send(two, rivya("GET", f"/generations/{task_id}", "theirs")).json()
    before = snapshot(two, "ours")
    for url in (file["url"], shown["result"]["primary_url"]):
        path = url.removeprefix(MOCK_URL)
        answer = send(two, asked("GET", path, authorization=f"Bearer {KEY}-ours"))
        assert (answer.status, of_world(answer)) == (200, "theirs")
    assert snapshot(two, "ours") == before


def test_a_media_url_of_another_world_is_not_found_below_the_path_of_this_one(two: Mock) -> None:
    file, task_id = uploaded(two, "theirs"), generation(two, "theirs")
    advance(two, "theirs", 5)
    for path in (file["url"].removeprefix(MOCK_URL), f"/media/theirs/{task_id}.mp4"):
        answer = send(two, asked("GET", f"/w/ours{path}"))
        assert (answer.status, of_world(answer)) == (404, "ours")


def test_below_the_path_of_another_world_the_key_of_this_one_is_unknown(two: Mock) -> None:
    before = snapshot(two, "ours")
    for sent, code in (
        (rivya("POST", "/generations", "ours", MINIMAL), "api_key_invalid"),
        (acedata("/videos", "ours", VIDEO | {"async": True}), "invalid_token"),
    ):
        method, path, headers, body = sent
        answer = send(two, (method, f"/w/theirs{path}", headers, body))
        assert (answer.status, of_world(answer)) == (401, "theirs")
        assert answer.json()["error"]["code"] == code
    assert snapshot(two, "ours") == before
    assert two.fake.world("theirs").tasks.get("task") is None
    assert len(two.fake.world("theirs").tasks) == 0


def test_keys_path_and_media_of_a_dropped_world_are_unknown(two: Mock) -> None:
    file = uploaded(two, "theirs")
    assert send(two, door("DELETE", "theirs", "")).status == 200
    before = snapshot(two, "ours")
    assert send(two, rivya("GET", "/credits", "theirs")).status == 401
    assert send(two, acedata("/videos", "theirs", VIDEO)).status == 401
    assert send(two, asked("GET", "/w/theirs/api/v1/models")).status == 404
    assert send(two, asked("GET", file["url"].removeprefix(MOCK_URL))).status == 404
    assert send(two, asked("POST", "/_mock/inbox/theirs/in", b"news")).status == 404
    assert send(two, door("GET", "theirs", "/snapshot")).status == 404
    assert snapshot(two, "ours") == before


def test_a_world_under_the_name_of_a_dropped_one_begins_with_nothing(two: Mock) -> None:
    empty = snapshot(two, "theirs")
    task_id, file = generation(two, "theirs"), uploaded(two, "theirs")
    send(two, door("POST", "theirs", "/faults", {"scenario": "rate_limited"}))
    send(two, door("DELETE", "theirs", ""))
    made(two, "theirs")
    assert snapshot(two, "theirs") == empty
    assert send(two, rivya("GET", f"/generations/{task_id}", "theirs")).status == 404
    assert send(two, asked("GET", file["url"].removeprefix(MOCK_URL))).status == 404


def test_a_key_with_a_scenario_concerns_only_its_own_world(
    two: Mock,
) -> None:
    before = snapshot(two, "theirs")
    plus = f"{KEY}-ours+insufficient_credits"
    answer = send(two, rivya("POST", "/generations", "ours", MINIMAL, key=plus))
    assert (answer.json()["error"]["code"], of_world(answer)) == ("insufficient_credits", "ours")
    assert snapshot(two, "theirs") == before
    assert send(two, rivya("POST", "/generations", "theirs", MINIMAL)).status == 200


def test_a_fault_concerns_only_its_own_world(two: Mock) -> None:
    send(two, door("POST", "theirs", "/faults", {"scenario": "rate_limited"}))
    assert send(two, rivya("GET", "/credits", "theirs")).status == 429
    assert send(two, rivya("GET", "/credits", "ours")).status == 200
    assert send(two, door("GET", "ours", "/faults")).json() == {"faults": []}


def test_each_world_has_a_clock_of_its_own(two: Mock) -> None:
    task_id, before = generation(two, "ours"), send(two, door("GET", "ours", "/clock")).body
    advance(two, "theirs", 100_000)
    send(two, door("PATCH", "theirs", "/clock", {"mode": "real", "scale": 60}))
    assert send(two, door("GET", "ours", "/clock")).body == before
    shown = send(two, rivya("GET", f"/generations/{task_id}", "ours")).json()
    assert shown["status"] == "queued"


def test_each_world_has_credits_of_its_own(two: Mock) -> None:
    send(two, door("PATCH", "theirs", "/accounts/rivya-test", {"credits": 57}))
    generation(two, "theirs")
    assert send(two, rivya("POST", "/generations", "theirs", MINIMAL)).status == 402
    assert send(two, rivya("GET", "/credits", "ours")).json()["current_credits"] == 1_000_000


def test_each_world_has_idempotency_keys_of_its_own(two: Mock) -> None:
    first = send(two, rivya("POST", "/generations", "ours", MINIMAL, idempotency_key="once"))
    other = MINIMAL | {"prompt": "Something else"}
    second = send(two, rivya("POST", "/generations", "theirs", other, idempotency_key="once"))
    assert (first.status, second.status) == (200, 200)
    assert first.json()["id"] != second.json()["id"]


def test_each_world_has_rate_limits_of_its_own(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1)
    made(mock, "ours")
    made(mock, "theirs")
    statuses = [send(mock, rivya("GET", "/credits", "theirs")).status for _ in range(2)]
    assert statuses == [200, 429]
    assert send(mock, rivya("GET", "/credits", "ours")).status == 200


def test_callbacks_and_events_stay_in_their_world(two: Mock) -> None:
    for name in ("ours", "theirs"):
        body = {"url": f"{MOCK_URL}/_mock/inbox/{name}/in", "event_types": ["generation.succeeded"]}
        assert send(two, rivya("POST", "/webhooks", name, body)).status == 200
    generation(two, "theirs")
    video(two, "theirs", callback_url=f"{MOCK_URL}/_mock/inbox/theirs/in")
    advance(two, "theirs", 5)
    advance(two, "ours", 5)
    came = {
        name: len(send(two, door("GET", name, "/inbox/in")).json()["requests"])
        for name in ("ours", "theirs")
    }
    assert came == {"ours": 0, "theirs": 2}


def test_worlds_of_one_seed_have_the_same_ids_and_share_nothing() -> None:
    mock = mock_with_callbacks()
    made(mock, "ours", seed=7)
    made(mock, "theirs", seed=7)
    theirs = generation(mock, "theirs")
    assert send(mock, rivya("GET", f"/generations/{theirs}", "ours")).status == 404
    assert generation(mock, "ours") == theirs
    send(mock, door("POST", "theirs", f"/tasks/{theirs}/finish", {"state": "failed"}))
    states = [
        send(mock, rivya("GET", f"/generations/{theirs}", name)).json()["status"]
        for name in ("ours", "theirs")
    ]
    assert states == ["queued", "failed"]
    mock.close()


def test_nothing_in_another_world_ends_a_waiting_request(two: Mock) -> None:
    """Of one seed, so that both wait for a task of the same id."""
    method, path, headers, body = acedata("/videos", "ours", VIDEO)
    waiting = calls.OpenRequest(two, calls.Request(method, path, headers, body))
    generation(two, "theirs")
    advance(two, "theirs", 100)
    send(two, door("POST", "theirs", "/reset"))
    send(two, door("DELETE", "theirs", ""))
    assert waiting.is_open
    advance(two, "ours", 2)
    assert waiting.answer().status == 200


def test_a_reset_concerns_only_its_own_world(two: Mock) -> None:
    generation(two, "ours")
    generation(two, "theirs")
    before = snapshot(two, "ours")
    send(two, door("POST", "theirs", "/reset"))
    assert snapshot(two, "ours") == before
    assert len(two.fake.world("theirs").tasks) == 0


def test_receivers_that_hang_delay_no_other_world(make_mock: MakeMock) -> None:
    """Though all inboxes have one address, the server's."""
    mock = mock_with_callbacks(deliveries__timeout_s=600)
    made(mock, "ours")
    made(mock, "theirs")
    hang = {"answers": [{"hang": True, "times": 1000}]}
    assert send(mock, door("PUT", "theirs", "/inbox/in", hang)).status == 200
    for _ in range(20):
        video(mock, "theirs", callback_url=f"{MOCK_URL}/_mock/inbox/theirs/in")
    video(mock, "ours", callback_url=f"{MOCK_URL}/_mock/inbox/ours/in")
    method, path, headers, body = door("POST", "theirs", "/clock/advance", {"seconds": 5})
    waiting = calls.OpenRequest(mock, calls.Request(method, path, headers, body))
    advancing = mock.fake.worlds["ours"].timekeeper.advance(5000)
    mock.driver.loop.run_until_complete(asyncio.wait_for(advancing, 5))
    assert len(send(mock, door("GET", "ours", "/inbox/in")).json()["requests"]) == 1
    assert waiting.is_open
    send(mock, door("DELETE", "theirs", ""))
    assert waiting.answer().status == 200
    mock.close()


def test_a_dropped_world_sends_nothing(two: Mock) -> None:
    """Not even to a world of the same name, in real time."""
    real = {"name": "real", "clock": {"mode": "real"}}
    assert send(two, asked("POST", DOOR, real)).status == 201
    video(two, "real", callback_url=f"{MOCK_URL}/_mock/inbox/real/in")
    timekeeper = two.fake.worlds["real"].timekeeper
    send(two, door("DELETE", "real", ""))
    send(two, asked("POST", DOOR, real))
    assert timekeeper._timer is None
    timekeeper.watch()
    assert timekeeper._timer is None
    assert len(send(two, door("GET", "real", "/inbox/in")).json()["requests"]) == 0


def test_a_world_that_cannot_have_its_keys_is_not_made(two: Mock) -> None:
    account = {"name": "x", "credits": 1, "keys": [{"key": f"{TOKEN}-third", "api": "acedata"}]}
    assert send(two, door("POST", "ours", "/accounts", account)).status == 201
    assert send(two, asked("POST", DOOR, {"name": "third"})).status == 409
    assert send(two, door("GET", "third", "")).status == 404
    assert two.fake.worlds.leads_to_other_world(f"{KEY}-third", two.fake.worlds["ours"])
    assert of_world(send(two, rivya("GET", "/credits", "third"))) == "default"


def test_a_key_with_a_plus_leads_to_its_world(two: Mock) -> None:
    account = {"name": "x", "credits": 3, "keys": [{"key": "a+b", "api": "rivya"}]}
    assert send(two, door("POST", "ours", "/accounts", account)).status == 201
    answer = send(two, rivya("GET", "/credits", "ours", key="a+b"))
    assert (answer.status, of_world(answer)) == (200, "ours")


def test_a_world_of_a_path_explains_its_own_requests() -> None:
    mock = mock_with_callbacks()
    for name in ("ours", "theirs"):
        made(mock, name, seed=7)
        answer = send(mock, rivya("GET", f"/generations/{name}", name))
    request_id = answer.headers["mock-request"]
    for name in ("ours", "theirs"):
        explained = send(mock, asked("GET", f"/w/{name}/_mock/explain/{request_id}")).json()
        assert (explained["world"], explained["asked"]) == (name, f"GET /api/v1/generations/{name}")
    mock.close()


def test_a_world_that_is_reset_or_dropped_is_freed_at_once(two: Mock) -> None:
    gone = [weakref.ref(two.fake.world(name)) for name in ("ours", "theirs")]
    gc.disable()  # the collector would stop the server, for as long as there are many worlds
    try:
        assert send(two, door("POST", "ours", "/reset")).status == 200
        assert send(two, door("DELETE", "theirs", "")).status == 200
        assert [each() for each in gone] == [None, None]
    finally:
        gc.enable()


def test_a_large_world_that_is_reset_is_freed_bit_by_bit() -> None:
    mock = Mock()
    mock.world.ledger.grant("rivya", 10**6)
    for number in range(2 * _FREED_AT_ONCE):
        mock.world.submit(generation_order(number))
    world, first = mock.world, next(iter(mock.world.tasks))
    freed = weakref.ref(world)

    async def freed_in_turns() -> list[bool]:
        mock.fake.worlds.reset("default")
        nonlocal world
        del world
        held = []
        for _ in range(8):
            held.append(sys.getrefcount(first) > 2)
            await asyncio.sleep(0)
        return held

    held = asyncio.run(freed_in_turns())
    assert freed() is None
    assert (held[0], held[-1]) == (True, False)
    mock.close()
