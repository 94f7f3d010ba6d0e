"""The control door and requests of web pages of other origins."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from mock_server.door.routes import table
from tests.asgi import Answer
from tests.live import WAIT_S, Live, live
from tests.mock import KEY, TOKEN, VIDEO

EVIL = "https://evil.example"
RESET = "/_mock/worlds/default/reset"
VALUES = {"world": "default", "name": "index.html", "account": "rivya-test"}
ROUTES = [(row.method, row.path) for row in table() if not row.is_public]
INBOX_METHODS = [row.method for row in table() if row.is_public]

# What a browser says of a request that a page of another origin caused. PORT is the server's.
CAUSED_BY_ANOTHER_PAGE = {
    "fetch": {"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    "fetch without CORS": {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
    "fetch in an old browser": {"Origin": EVIL},
    "image": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "page of a neighbouring port": {"Origin": "http://localhost:3000"},
    "image of a neighbouring port": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    "sandboxed frame": {"Origin": "null"},
    "this page over https": {"Origin": "https://127.0.0.1:1"},
    "name that leads here": {"Host": "evil.example:PORT"},
    "name that leads here, own origin": {
        "Host": "evil.example:PORT",
        "Origin": "http://evil.example:PORT",
        "Sec-Fetch-Site": "same-origin",
    },
    "name like localhost": {"Host": "localhost.evil.example:PORT"},
    "address of another machine": {"Host": "192.168.1.5:PORT"},
    "address that carries this one": {"Host": "[64:ff9b::7f00:1]:PORT"},
}

# What clients send that no other page can have caused.
OWN = {
    "no browser": {},
    "own page": {"Origin": "http://127.0.0.1:PORT", "Sec-Fetch-Site": "same-origin"},
    "own page, by GET": {"Sec-Fetch-Site": "same-origin"},
    "address bar": {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
    "fetch of Node": {"Sec-Fetch-Mode": "cors"},
    "localhost": {"Host": "localhost:PORT", "Origin": "http://localhost:PORT"},
    "localhost with a dot": {"Host": "localhost.:PORT", "Origin": "http://localhost.:PORT"},
    "capitals": {"Host": "LocalHost:PORT"},
    "name below localhost": {"Host": "mock.localhost:PORT"},
    "IPv6": {"Host": "[::1]:PORT", "Origin": "http://[::1]:PORT"},
    "port that is mapped here": {"Host": "localhost:8080", "Origin": "http://localhost:8080"},
    "port of the scheme": {"Host": "localhost", "Origin": "http://localhost"},
    "TLS of a proxy": {"Host": "localhost", "Origin": "https://localhost"},
    "no name": {"Host": ""},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live() as server:
        yield server


def ask(
    server: Live, method: str, path: str, headers: Mapping[str, str], body: Any = None
) -> Answer:
    """Ask as a browser or another client does; `body` is sent as JSON."""
    address = urlsplit(server.url)
    sent = {name: value.replace("PORT", str(address.port)) for name, value in headers.items()}
    content = b""
    if body is not None:
        content = json.dumps(body).encode()
        sent["Content-Type"] = "application/json"
    with closing(HTTPConnection(str(address.hostname), address.port, timeout=WAIT_S)) as connection:
        connection.request(method, path, content, sent)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, told, answer.read())


def filled(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda found: VALUES.get(found[1], "none"), path)


@pytest.mark.parametrize("cause", CAUSED_BY_ANOTHER_PAGE)
def test_a_page_of_another_origin_can_use_no_route_of_the_door(server: Live, cause: str) -> None:
    headers = CAUSED_BY_ANOTHER_PAGE[cause]
    statuses = {
        f"{method} {prefix}{path}": ask(server, method, prefix + filled(path), headers).status
        for method, path in ROUTES
        for prefix in ("", "/w/default")
    }
    assert statuses == dict.fromkeys(statuses, 403)
    assert len(statuses) > 40


@pytest.mark.parametrize("client", OWN)
def test_other_clients_are_not_affected(server: Live, client: str) -> None:
    for path in ("/_mock/", "/_mock/version", "/_mock/worlds"):
        assert ask(server, "GET", path, OWN[client]).status == 200
    assert ask(server, "POST", RESET, OWN[client]).status == 200


def test_a_request_of_a_page_of_another_origin_has_no_effect(server: Live) -> None:
    key = {"Authorization": f"Bearer {TOKEN}"}
    created = ask(server, "POST", "/hailuo/videos", key, VIDEO | {"async": True})
    for headers in CAUSED_BY_ANOTHER_PAGE.values():
        assert ask(server, "POST", RESET, headers).status == 403
    tasks = ask(server, "GET", "/_mock/worlds/default/tasks", {}).json()["tasks"]
    assert created.json()["task_id"] in {task["id"] for task in tasks}


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"Host": "rebind.example:PORT"}, "--control-hosts rebind.example"),
        ({"Origin": "http://localhost:3000"}, "http://localhost:3000"),
        ({"Origin": "http://localhost:3000"}, "--browser-origins"),
        ({"Sec-Fetch-Site": "cross-site"}, "--browser-origins"),
    ],
)
def test_a_refusal_names_the_setting_that_allows_the_request(
    server: Live, headers: dict[str, str], told: str
) -> None:
    answer = ask(server, "GET", "/_mock/worlds", headers)
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["title"]


def test_a_link_on_another_page_can_open_the_page_for_people_alone(
    server: Live,
) -> None:
    link = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    assert ask(server, "GET", "/_mock/", link).status == 200
    assert ask(server, "GET", "/_mock", link).status == 307
    assert ask(server, "GET", "/_mock/worlds", link).status == 403
    assert ask(server, "GET", "/_mock/", link | {"Sec-Fetch-Dest": "iframe"}).status == 403
    assert ask(server, "POST", RESET, link | {"Origin": EVIL}).status == 403


@pytest.mark.parametrize("cause", CAUSED_BY_ANOTHER_PAGE)
def test_apis_media_and_inboxes_answer_under_every_host_name(server: Live, cause: str) -> None:
    headers = CAUSED_BY_ANOTHER_PAGE[cause]
    key = {"authorization": f"Bearer {KEY}"}
    assert ask(server, "GET", "/api/v1/credits", headers | key).status == 200
    assert ask(server, "GET", "/w/default/api/v1/credits", headers | key).status == 200
    assert ask(server, "GET", "/media/default/none.mp4", headers).status == 404
    for method in INBOX_METHODS:
        inbox = "/_mock/inbox/default/hook"
        assert ask(server, method, inbox, headers).status == 200, method


def test_host_names_of_the_setting_and_the_public_url_are_accepted() -> None:
    settings: dict[str, Any] = {
        "control_hosts": ["hailuo-mock", "Box.lan", "[fd00::1]"],
        "public_url": "https://mock.example/fake/",
    }
    with live(**settings) as server:
        for host in ("hailuo-mock", "box.lan", "[fd00::1]", "mock.example", "localhost"):
            for headers in ({"Host": f"{host}:9"}, {"Host": host, "Origin": f"http://{host}"}):
                assert ask(server, "POST", RESET, headers).status == 200, headers
        # Behind a proxy that does not pass the name on.
        proxied = {"Host": "localhost:1", "Origin": "https://mock.example"}
        assert ask(server, "POST", RESET, proxied).status == 200
        assert ask(server, "POST", RESET, {"Host": "other.lan"}).status == 403
        assert ask(server, "POST", RESET, {"Origin": "https://mock.example:1"}).status == 403


def test_pages_of_a_named_origin_may_use_the_door() -> None:
    with live(browser_origins=["http://localhost:3000"]) as server:
        named = {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}
        assert ask(server, "POST", RESET, named).status == 200
        rebound = named | {"Host": "evil.example"}
        assert ask(server, "POST", RESET, rebound).status == 403
        for headers in CAUSED_BY_ANOTHER_PAGE.values():
            if headers.get("Origin") != "http://localhost:3000":
                assert ask(server, "POST", RESET, headers).status == 403


def test_a_token_replaces_the_checks_of_host_and_origin() -> None:
    with live(control_token="secret") as server:
        for headers in CAUSED_BY_ANOTHER_PAGE.values():
            assert ask(server, "POST", RESET, headers).status == 401
            known = headers | {"Mock-Control-Token": "secret"}
            assert ask(server, "POST", RESET, known).status == 200


def test_only_inboxes_are_public() -> None:
    public = {row.path for row in table() if row.is_public}
    assert public == {"/_mock/inbox/{world}/{name}"}
