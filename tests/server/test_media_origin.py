"""The second origin: where it listens, what it serves, and what the journal keeps of it."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from mock_server.config.settings import Settings
from mock_server.control import Control, World
from mock_server.control.answers import Exchange
from mock_server.server.embedded import in_process, served
from mock_server.server.listening import with_media_socket
from tests.mock import MINIMAL, PNG, VIDEO, MakeMock, settings_of
from tests.server.test_serve import run_apart, serving
from tools.proxy import free_port

URLS = re.compile(r"https?://[^\s\"'\\]+")
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def control() -> Iterator[Control]:
    """A server with a second origin."""
    with served(settings_of(port=0, media_url="auto")) as url, Control(url) as control:
        yield control


@pytest.fixture
def world(control: Control) -> Iterator[World]:
    with control.world(clock="frozen") as world:
        yield world


def sent(world: World, method: str, url: str, **how: Any) -> httpx2.Response:
    """An answer to a request with the world's key."""
    how["headers"] = world.headers("rivya") | how.get("headers", {})
    return httpx2.request(method, url, **how)


def video_url(world: World) -> str:
    """The URL of a finished video."""
    made = sent(world, "POST", f"{world.base_url}/api/v1/generations", json=MINIMAL).json()
    world.clock.advance(seconds=10)
    read = sent(world, "GET", f"{world.base_url}/api/v1/generations/{made['id']}").json()
    url: str = read["result"]["primary_url"]
    return url


def at_media(world: World) -> list[Exchange]:
    return [each for each in world.requests() if each.origin == "media"]


def port_of(url: str) -> int:
    port = httpx2.URL(url).port
    assert port
    return port


def test_every_url_of_media_leads_to_the_second_origin(world: World) -> None:
    upload = sent(
        world,
        "POST",
        f"{world.base_url}/api/v1/files",
        data={"kind": "image"},
        files={"file": ("a.png", PNG)},
    ).json()
    assert httpx2.get(upload["url"]).content == PNG
    inbox = f"{world.plain_url}/_mock/inbox/{world.name}/hook"
    video = httpx2.post(
        f"{world.base_url}/hailuo/videos",
        json=VIDEO | {"callback_url": inbox},
        headers=world.headers("acedata"),
    ).json()
    shown = video_url(world)
    task = httpx2.post(
        f"{world.base_url}/hailuo/tasks",
        json={"id": video["task_id"]},
        headers=world.headers("acedata"),
    ).json()
    (told,) = world.inbox("hook").requests()
    for url in (upload["url"], shown, *URLS.findall(json.dumps([task["response"], told.json()]))):
        assert url.startswith(f"{world.media_url}/media/{world.name}/"), url
        assert httpx2.get(url).status_code == 200
    assert port_of(world.media_url) != port_of(world.plain_url)


def test_media_stay_at_the_first_origin_too(world: World) -> None:
    url = video_url(world).replace(world.media_url, world.plain_url)
    assert httpx2.get(url).status_code == 200
    assert at_media(world) == []


def test_a_key_that_is_sent_to_the_second_origin_is_in_the_journal_but_not_shown(
    world: World,
) -> None:
    url = video_url(world)
    assert sent(world, "GET", url).status_code == httpx2.get(url).status_code == 200
    with_key, without_key = at_media(world)
    assert with_key.request.header("authorization") == "[redacted]"
    assert without_key.request.header("authorization") is None
    assert all(each.operation == "media" for each in (with_key, without_key))
    assert all(each.origin == "api" for each in world.requests(operation="create"))
    urls = [entry["request"]["url"] for entry in json.loads(world.export("har"))["log"]["entries"]]
    assert urls[-2:] == [url, url]
    assert urls[0].startswith(world.plain_url)


@pytest.mark.parametrize("path", ["/api/v1/credits", "/w/WORLD/api/v1/credits", "/hailuo/tasks"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_second_origin_has_no_api(world: World, method: str, path: str) -> None:
    url = world.media_url + path.replace("WORLD", world.name)
    answer = sent(world, method, url)
    assert answer.status_code == 404
    assert "media only" in answer.json()["title"]
    (kept,) = at_media(world)
    assert (kept.status, kept.account) == (404, None)


@pytest.mark.parametrize("path", ["/_mock/", "/_mock/health", "/_mock/worlds/WORLD", "/"])
@pytest.mark.parametrize("headers", [{}, PAGE])
def test_the_second_origin_has_no_control_door(
    world: World, path: str, headers: dict[str, str]
) -> None:
    url = world.media_url + path.replace("WORLD", world.name)
    answer = sent(world, "GET", url, headers=headers)
    assert answer.status_code == 404
    assert [each.path for each in at_media(world)] == [path.replace("WORLD", world.name)]


def test_a_fault_of_a_download_happens_at_the_second_origin(world: World) -> None:
    url = video_url(world)
    with world.fault("result_expired"):
        assert httpx2.get(url).status_code == 403


def test_a_snapshot_leads_to_the_second_origin_of_the_server_that_restores_it(
    world: World,
) -> None:
    sent(world, "POST", f"{world.base_url}/api/v1/generations", json=MINIMAL)
    snapshot = world.snapshot()
    assert world.media_url.encode() not in snapshot
    with served(settings_of(port=0)) as url, Control(url) as other, other.world() as plain:
        plain.restore(snapshot)
        (task,) = plain.tasks()
        plain.clock.advance(seconds=10)
        key = httpx2.get(f"{plain.plain_url}/_mock/worlds/{plain.name}").json()["keys"][0]["key"]
        read = httpx2.get(
            f"{plain.base_url}/api/v1/generations/{task.id}",
            headers={"Authorization": f"Bearer {key}"},
        ).json()
        assert read["result"]["primary_url"].startswith(plain.plain_url)


# --- where it listens -----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_it_listens_at_a_loopback_address_with_a_port(host: str) -> None:
    media_url = f"http://{host}:{free_port()}"
    with served(settings_of(port=0, media_url=media_url)) as url, Control(url) as control:
        assert control.find().media_url == media_url
        assert httpx2.get(f"{media_url}/media/default/none.mp4").status_code == 404


NOT_OURS = [
    None,
    "https://127.0.0.1:4011",
    "http://127.0.0.1",
    "http://127.0.0.1:4011/cdn",
    "http://cdn.example:4011",
    "http://127.0.0.1:4010",
    "http://localhost:4010",
]


@pytest.mark.parametrize("media_url", NOT_OURS)
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_other_urls_are_only_handed_out(media_url: str | None, host: str) -> None:
    settings = Settings(host=host, port=4010, media_url=media_url)
    assert with_media_socket(settings) == (settings, None)


def test_a_url_of_another_server_begins_the_urls_of_media(make_mock: MakeMock) -> None:
    mock = make_mock(media_url="https://cdn.example/fake/")
    made = mock.create().json()["id"]
    mock.advance(5)
    url = mock.generation(made)["result"]["primary_url"]
    assert url == f"https://cdn.example/fake/media/default/{made}.mp4"
    assert mock.request("GET", f"/media/default/{made}.mp4").status == 200


def test_a_taken_port_ends_the_start_with_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(OSError, match="--media-url auto picks one"),
            served(settings_of(port=0, media_url=url)),
        ):
            pass
        ended = run_apart("serve", "--port", "0", "--media-url", url)
    assert ended.returncode == 2
    assert "media_url: could not listen on 127.0.0.1" in ended.stderr
    assert ended.stdout == ""


def test_the_ready_line_has_the_media_url() -> None:
    with serving("--media-url", "auto") as (_, ready):
        assert port_of(ready["media_url"]) not in {0, port_of(ready["url"])}
        assert httpx2.get(f"{ready['media_url']}/_mock/health").status_code == 404
    with serving() as (_, ready):
        assert "media_url" not in ready


def test_an_app_without_a_socket_has_no_origin_at_a_free_port() -> None:
    with in_process(settings_of(media_url="auto")) as app, Control(app) as control:
        world = control.find()
        assert world.media_url == world.plain_url


def test_a_server_that_stops_closes_the_second_origin() -> None:
    with served(settings_of(port=0, media_url="auto")) as url, Control(url) as control:
        media_url = control.find().media_url
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(media_url)
