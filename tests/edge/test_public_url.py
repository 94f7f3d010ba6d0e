"""The start of every URL that the server hands out: `public_url`, or the Host of the request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from starlette.types import Message

from mock_server.__main__ import main
from mock_server.config.settings import Settings
from mock_server.core.refusals import Invalid
from mock_server.edge.call import Call
from tests.asgi import scope
from tests.live import live
from tests.mock import KEY, MINIMAL, VIDEO, MakeMock, Mock

STARTS = [
    ("https://mock.example", "https://mock.example"),
    ("https://mock.example/", "https://mock.example"),
    ("https://mock.example:8443/fake/v2", "https://mock.example:8443/fake/v2"),
    ("https://mock.example/fake//", "https://mock.example/fake"),
]
FORWARDED = {
    "Forwarded": "for=1.2.3.4;host=evil.example;proto=https",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-For": "1.2.3.4",
    "X-Original-Host": "evil.example",
    "X-Scheme": "https",
}


def handed_out(mock: Mock) -> Iterator[tuple[str, str]]:
    """Every URL of the server in its answers, by its place."""

    def of(place: str, document: Any) -> Iterator[tuple[str, str]]:
        text = document if isinstance(document, str) else json.dumps(document)
        for url in re.findall(r"https?://[^\s\"'\\]+", text):
            yield place, url

    generation = mock.create().json()["id"]
    upload = mock.upload().json()
    yield from of("upload", upload)
    read_back = mock.rivya("GET", f"/files/{upload['id']}").json()
    yield from of("file", read_back)
    video = mock.acedata("/videos", VIDEO | {"async": True}).json()["task_id"]
    mock.advance(5)
    yield from of("generation", mock.generation(generation))
    task = mock.acedata("/tasks", {"action": "retrieve", "id": video}).json()
    yield from of("task", task["response"])
    for path in ("/scenarios/lost_answer", "/worlds", "/worlds/default"):
        yield from of(f"door {path}", mock.request("GET", f"/_mock{path}").json())
    har = mock.request("GET", "/_mock/worlds/default/requests?format=har").json()
    for entry in har["log"]["entries"]:
        yield "har", entry["request"]["url"]


@pytest.mark.parametrize(("public_url", "start"), STARTS)
def test_every_url_handed_out_begins_with_the_public_url(
    make_mock: MakeMock, public_url: str, start: str
) -> None:
    found = list(handed_out(make_mock(public_url=public_url)))
    assert {place for place, _ in found} >= {"upload", "file", "generation", "task", "har"}
    for place, url in found:
        assert url.startswith(start + "/") or url == start, place
        assert "//" not in url.removeprefix("https://"), place


def test_settings_made_in_code_end_without_a_slash_too() -> None:
    assert (
        Settings(public_url="https://mock.example/fake/").public_url == "https://mock.example/fake"
    )


@pytest.mark.parametrize(("public_url", "start"), STARTS)
def test_an_upload_is_recognised_by_its_url(
    make_mock: MakeMock, public_url: str, start: str
) -> None:
    mock = make_mock(public_url=public_url, rivya__references="own")
    url = mock.upload().json()["url"]
    for known in (url, url.replace(start, "http://127.0.0.1:4010")):
        assert mock.rivya("POST", "/generations", with_references(known)).status == 200
    strange = url.replace("/files/", "/elsewhere/files/")
    assert mock.rivya("POST", "/generations", with_references(strange)).status == 400


def with_references(url: str) -> dict[str, Any]:
    reference = {"kind": "image", "role": "firstFrame", "url": url}
    return MINIMAL | {"params": {"referenceMediaItems": [reference]}}


@pytest.mark.parametrize(
    "wrong",
    ["mock.example", "//mock.example", "ftp://mock.example", "https://", "https:///fake",
     "https://user:pass@mock.example", "https://mock.example/?a=1", "https://mock.example/#a",
     "https://mock.example/a b"],
)  # fmt: skip
def test_an_invalid_public_url_is_refused(make_mock: MakeMock, wrong: str) -> None:
    with pytest.raises(Exception, match="public_url"):
        make_mock(public_url=wrong)


def test_forwarded_headers_change_nothing() -> None:
    """They are ignored. A server behind a proxy has a `public_url`."""
    with live() as server, httpx2.Client(base_url=server.url) as client:
        key = {"Authorization": f"Bearer {KEY}"}
        for headers in (key, key | FORWARDED):
            created = client.post("/api/v1/generations", json=MINIMAL, headers=headers).json()
            server.advance(5)
            shown = client.get(f"/api/v1/generations/{created['id']}", headers=headers).json()
            assert shown["result"]["primary_url"].startswith(f"{server.url}/media/")
            world = client.get("/_mock/worlds/default", headers=headers).json()
            assert world["plain_base_url"] == server.url


@pytest.mark.parametrize(
    ("host", "server", "start"),
    [
        ("hailuo-mock:4010", ("127.0.0.1", 80), "http://hailuo-mock:4010"),
        ("mock.example:", ("127.0.0.1", 80), "http://mock.example"),
        ("[::1]:4010", ("127.0.0.1", 80), "http://[::1]:4010"),
        ("", ("127.0.0.1", 80), "http://127.0.0.1:80"),
        ("", ("::1", 4010), "http://[::1]:4010"),
        ("", None, "http://127.0.0.1:80"),
    ],
)
def test_urls_begin_with_the_address_that_the_client_used_by_default(
    mock: Mock, host: str, server: tuple[str, int] | None, start: str
) -> None:
    assert call_of(mock, host, server).base_url == start


@pytest.mark.parametrize("host", ["a/b", "user:pass@a", "a b", "a\r\nb", "evil.example/?", "a#"])
def test_a_url_has_only_name_and_port_of_the_host_header(mock: Mock, host: str) -> None:
    with pytest.raises(Invalid, match="header Host"):
        _ = call_of(mock, host).base_url


def call_of(mock: Mock, host: str, server: tuple[str, int] | None = None) -> Call:
    """A request as a handler sees it."""
    timekeeper = mock.fake.worlds["default"].timekeeper
    exchange = timekeeper.world.open_exchange("GET", "/")
    asked = scope("GET", "/", {"host": host}) | {"server": server, "server_state": mock.fake}
    return Call(asked | {"timekeeper": timekeeper, "exchange": exchange}, nothing_comes)


async def nothing_comes() -> Message:
    raise AssertionError


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_printed_commands_begin_with_the_public_url(end: str) -> None:
    url = "http://127.0.0.1:4010/fake"
    shown = CliRunner().invoke(main, ["scenarios", "lost_answer", "--url", url + end])
    assert shown.exit_code == 0
    assert f"curl {url}/api/v1/" in shown.output
    assert f"{url}//" not in shown.output
