"""Two processes behind a stock proxy, nginx and HAProxy: no request sees the world of another."""

from __future__ import annotations

import http.client
import json
import random
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from mock_server.control import Control
from tests.asgi import Answer
from tests.deploy.running import Asking, Site, site
from tests.mock import MINIMAL, PNG, START, VIDEO, form
from tools.proxy import program

WORLDS = 200
JSON = {"content-type": "application/json"}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            name, marks=pytest.mark.skipif(program(name) is None, reason=f"no {name} is installed")
        )
        for name in ("nginx", "haproxy")
    ],
)
def behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A proxy and two processes."""
    with site(request.param, tmp_path_factory.mktemp(request.param)) as running:
        yield running


class Client:
    """The clients of one world, which know its keys only."""

    def __init__(self, asking: Asking, url: str, **plan: Any) -> None:
        self.asking, self.url = asking, url
        self.facts = asking.door("POST", plan.pop("at", "/_mock/worlds"), plan)
        self.name = self.facts["name"]
        self.keys = {each["api"]: each["key"] for each in self.facts["keys"]}

    @property
    def door(self) -> str:
        return f"/_mock/worlds/{self.name}"

    def send(self, api: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        key = self.keys[api] + headers.pop("plus", "")
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = JSON | {"authorization": f"Bearer {key}"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.asking.request(method, path, headers=named, body=content if body else b"")

    def create(self, **headers: str) -> Answer:
        body = MINIMAL | {"prompt": self.name}
        return self.send("rivya", "POST", "/api/v1/generations", body, **headers)

    def upload(self, content: bytes) -> Answer:
        body = form({"kind": "image"}, {"file": (f"{self.name}.png", content)})
        kind = "multipart/form-data; boundary=frontier"
        return self.send("rivya", "POST", "/api/v1/files", body, content_type=kind)


def new_world(behind: Site, shard: str, **plan: Any) -> Client:
    """A world of this shard, on a frozen clock."""
    clock = {"clock": {"mode": "frozen", "now": START}}
    return Client(behind.asking, behind.url, at=f"/w/{shard}/_mock/worlds", **clock, **plan)


def canaries(text: str) -> set[str]:
    return set(re.findall(r"w\d-canary-\d{3}", text))


def test_no_request_of_200_worlds_comes_to_another_one(behind: Site) -> None:
    clock = {"clock": {"mode": "frozen", "now": START}}
    clients = [
        Client(behind.asking, behind.url, name=f"canary-{number:03}", seed=number // 2, **clock)
        for number in range(WORLDS)
    ]
    shards = [client.name.partition("-")[0] for client in clients]
    assert 50 < shards.count("w0") < 150
    crossings: list[str] = []

    def require(client: Client, answer: Answer, status: int) -> Answer:
        told = canaries(f"{answer.headers} {answer.body!r}") - {client.name}
        if answer.headers.get("mock-world") != client.name or told or answer.status != status:
            crossings.append(f"{client.name}: {answer}")
        return answer

    draw = random.Random(1)
    files = {}
    for client in draw.sample(clients, WORLDS):
        # One key in all worlds: elsewhere it would be a conflict.
        require(client, client.create(idempotency_key="same"), 200)
        require(client, client.create(plus="+insufficient_credits"), 402)
        inbox = f"{behind.url}/_mock/inbox/{client.name}/{client.name}"
        body = VIDEO | {"prompt": client.name, "callback_url": inbox}
        require(client, client.send("acedata", "POST", "/hailuo/videos", body), 200)
        files[client.name] = require(client, client.upload(PNG + client.name.encode()), 200).json()
    for client in draw.sample(clients, WORLDS):
        behind.asking.door("POST", f"{client.door}/clock/advance", {"until": "idle"})
        other = draw.choice(clients)
        path = f"/api/v1/files/{files[other.name]['id']}"
        is_same_seed = other.facts["seed"] == client.facts["seed"]
        if not is_same_seed:
            require(client, client.send("rivya", "GET", path), 404)
        require(client, client.send("rivya", "GET", f"/w/{client.name}/api/v1/credits"), 200)
        url = files[client.name]["url"]
        assert url.startswith(f"{behind.url}/media/{client.name}/")
        media = behind.asking.request("GET", url.removeprefix(behind.url))
        assert require(client, media, 200).body == PNG + client.name.encode()
    for client in clients:
        snapshot = behind.asking.request("GET", f"{client.door}/snapshot").body.decode()
        assert canaries(snapshot) == {client.name}
        arrived = behind.asking.door("GET", f"{client.door}/inbox/{client.name}")["requests"]
        assert [json.loads(each["body"])["success"] for each in arrived] == [True]
        tasks = behind.asking.door("GET", f"{client.door}/tasks")
        assert tasks["total"] == 2
        behind.asking.door("DELETE", client.door)
    assert crossings == []


@pytest.mark.parametrize("shard", ["w0", "w1"])
def test_held_requests_uploads_and_urls_pass_the_proxy(behind: Site, shard: str) -> None:
    client = new_world(behind, shard)
    assert client.facts["base_url"] == f"{behind.url}/w/{client.name}"
    held: list[Answer] = []

    def hold() -> None:
        asking = behind.connection()
        headers = JSON | {"authorization": f"Bearer {client.keys['acedata']}"}
        body = json.dumps(VIDEO).encode()
        held.append(asking.request("POST", "/hailuo/videos", headers=headers, body=body))
        asking.close()

    thread = threading.Thread(target=hold)
    thread.start()
    until = f"{client.door}/changes?timeout_s=10"
    changes = behind.asking.door("GET", until)
    while not any("task" in str(each) for each in changes["changes"]):
        changes = behind.asking.door("GET", f"{until}&since={changes['cursor']}")
    assert held == []
    content = PNG + random.Random(2).randbytes(4_000_000)
    url = client.upload(content).json()["url"]
    assert behind.asking.request("GET", url.removeprefix(behind.url)).body == content
    behind.asking.door("POST", f"{client.door}/clock/advance", {"until": "idle"})
    thread.join(20)
    (answer,) = held
    assert answer.headers["mock-world"] == client.name
    video = answer.json()["data"][0]["video_url"]
    assert video.startswith(f"{behind.url}/media/{client.name}/")
    assert behind.asking.request("GET", video.removeprefix(behind.url)).status == 200


def test_a_fault_that_breaks_the_connection_makes_the_task_and_gives_no_answer(
    behind: Site,
) -> None:
    """nginx answers 502; HAProxy does so, or closes the connection of the client, too."""
    client = new_world(behind, "w1")
    asking, client.asking = client.asking, behind.connection()
    with suppress(http.client.RemoteDisconnected):
        assert client.create(plus="+lost_answer").status == 502
    client.asking.close()
    assert asking.door("GET", f"{client.door}/tasks")["total"] == 1


def test_a_killed_process_comes_back_and_the_other_one_never_noticed(behind: Site) -> None:
    staying, leaving = new_world(behind, "w0"), new_world(behind, "w1")
    statuses: list[int] = []
    is_over = threading.Event()

    def ask_on() -> None:
        asking = behind.connection()
        headers = {"authorization": f"Bearer {staying.keys['rivya']}"}
        while not is_over.is_set():
            statuses.append(asking.request("GET", "/api/v1/credits", headers=headers).status)
        asking.close()

    thread = threading.Thread(target=ask_on)
    thread.start()
    try:
        behind.processes[1].kill()
        answered = len(statuses)
        credits = leaving.send("rivya", "GET", "/api/v1/credits").status
        made = [Client(behind.asking, behind.url).name[:3] for _ in range(4)]
        behind.processes[1].start()
        back = behind.asking.door("GET", "/w/w1/_mock/version")["shard"]
        again = leaving.create().status
    finally:
        is_over.set()
        thread.join(20)
    assert credits in {502, 503}
    assert (made, back, again) == (["w0-"] * 4, "1/2", 200)
    assert set(statuses[answered:]) == {200}
    assert len(statuses) > answered


def test_control_lists_and_finds_the_worlds_of_all_processes_at_the_proxy(behind: Site) -> None:
    with Control(behind.url) as control:
        made = [
            control.world(),
            control.world(),
            control.world("w1-named"),
            control.world("w0-named"),
        ]
        assert {"default", *(world.name for world in made)} <= {
            world.name for world in control.worlds()
        }
        for world in made:
            assert control.find(world.name).base_url == f"{behind.url}/w/{world.name}"
            headers = {"authorization": f"Bearer {world.rivya_key}"}
            answer = behind.asking.request("GET", "/api/v1/credits", headers=headers)
            assert control.explain(answer.headers["mock-request"]).world == world.name
            world.drop()
