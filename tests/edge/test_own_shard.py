"""One of several processes: it makes worlds with its mark, and refuses the requests of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mock_server.apis import ALL
from mock_server.config.sources import SettingsError, read_settings
from mock_server.server.make_server import make_server
from tests.apis.made_up import LUMEN
from tests.asgi import Answer
from tests.mock import KEY, MINIMAL, START, START_MS, TOKEN, VIDEO, MakeMock, Mock, settings_of

WORLDS = "/_mock/worlds"
JSON = {"content-type": "application/json"}


@pytest.fixture
def mock(make_mock: MakeMock) -> Mock:
    """The third of eight processes."""
    return make_mock(shard="2/8")


def door(mock: Mock, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    content = b"" if body is None else json.dumps(body).encode()
    return mock.request(method, path, headers=(JSON if content else {}) | headers, body=content)


def make(mock: Mock, **plan: Any) -> dict[str, Any]:
    plan = {"clock": {"mode": "frozen", "now": START}} | plan
    answer = door(mock, "POST", WORLDS, plan)
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.json()
    return made


def keys_of(facts: dict[str, Any]) -> dict[str, str]:
    return {key["api"]: key["key"] for key in facts["keys"]}


def misdirected(answer: Answer, shard: str) -> bool:
    """Whether it is the answer to a request that belongs to this shard."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    return (answer.status, body["status"], body["shard"]) == (421, 421, shard)


def test_worlds_and_keys_of_a_shard_have_its_mark(mock: Mock) -> None:
    made, named = make(mock), make(mock, name="checkout")
    assert (made["name"], named["name"]) == ("w2-world-1", "w2-checkout")
    assert keys_of(named) == {
        "rivya": "rvya_sk_w2-test-checkout",
        "acedata": "w2-test-token-checkout",
    }
    assert make(mock, name="w2-again")["name"] == "w2-again"
    assert door(mock, "POST", WORLDS, {"name": "w2-checkout"}).status == 409
    assert [each["name"] for each in door(mock, "GET", WORLDS).json()["worlds"]] == [
        "w2-world-1",
        "w2-checkout",
        "w2-again",
    ]


def test_a_third_api_has_the_mark_after_the_letters_of_its_own_keys() -> None:
    apis = (*ALL, LUMEN)
    settings, _ = read_settings(flags={"shard": "2/8"}, environment={}, file=None, apis=apis)
    worlds = make_server(settings, lambda: START_MS, apis=apis).worlds
    key = worlds.own_key(LUMEN.key, "w2-checkout")
    assert key == LUMEN.key.replace(LUMEN.key_prefix, f"{LUMEN.key_prefix}w2-", 1) + "-checkout"


def test_a_key_of_the_shard_leads_to_its_world_also_with_a_scenario(mock: Mock) -> None:
    keys = keys_of(make(mock, name="a"))
    make(mock, name="b")
    created = mock.rivya("POST", "/generations", MINIMAL, key=keys["rivya"])
    assert (created.status, created.headers["mock-world"]) == (200, "w2-a")
    assert created.json()["id"].startswith("task_")
    limited = mock.rivya("GET", "/credits", key=f"{keys['rivya']}+rate_limited")
    assert (limited.status, limited.headers["mock-world"]) == (429, "w2-a")
    video = mock.acedata("/videos", VIDEO | {"async": True}, token=keys["acedata"])
    assert (video.status, video.headers["mock-world"]) == (200, "w2-a")


@pytest.mark.parametrize(
    ("path", "key", "shard"),
    [
        ("/api/v1/credits", None, "w0"),
        ("/api/v1/credits", KEY, "w0"),
        ("/api/v1/credits", "rvya_sk_w3-test-a", "w3"),
        ("/api/v1/credits", "rvya_sk_w3-test-a+rate_limited", "w3"),
        ("/hailuo/tasks", TOKEN, "w0"),
        ("/hailuo/tasks", "w3-test-token-a", "w3"),
        ("/w/w3-a/api/v1/credits", "rvya_sk_w2-test-a", "w3"),
        ("/w/default/api/v1/credits", "rvya_sk_w2-test-a", "w0"),
        ("/w/w3/_mock/metrics", None, "w3"),
        ("/media/w3-a/task_1.mp4", None, "w3"),
        ("/media/default/task_1.mp4", None, "w0"),
        ("/_mock/worlds/w3-a", None, "w3"),
        ("/_mock/worlds/default", None, "w0"),
        ("/_mock/inbox/w3-a/in", None, "w3"),
        ("/_mock/explain/req_1", "rvya_sk_w3-test-a", "w3"),
        ("/elsewhere", None, "w0"),
        ("/w/w2-a/_mock/worlds/w3-a", None, "w3"),
        ("/api/v1/credits", "rvya_sk_w9-test-a", "w9"),
    ],
)
def test_a_request_of_another_shard_is_answered_421_with_its_name(
    mock: Mock, path: str, key: str | None, shard: str
) -> None:
    make(mock, name="a")
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    answer = door(mock, "GET", path, **headers)
    assert misdirected(answer, shard)
    assert not {"mock-world", "location"} & answer.headers.keys()
    assert door(mock, "GET", f"{WORLDS}/w2-a/requests").json()["requests"] == []


def test_a_misdirected_request_is_counted_and_a_shard_that_is_none_is_named(mock: Mock) -> None:
    answer = mock.rivya("GET", "/credits", key="rvya_sk_w9-test")
    assert answer.json()["title"] == "there is no shard w9: the last one is w7"
    assert misdirected(door(mock, "POST", WORLDS, {"name": "w3-a"}), "w3")
    metrics = door(mock, "GET", "/_mock/metrics").body.decode()
    assert 'requests_total{api="none",operation="none",status="421"} 1' in metrics


def test_the_path_decides_before_the_key_as_in_one_process(mock: Mock) -> None:
    make(mock, name="a")
    answer = mock.request(
        "GET", "/w/w2-a/api/v1/credits", headers={"authorization": "Bearer rvya_sk_w3-test-b"}
    )
    assert (answer.status, answer.headers["mock-world"]) == (401, "w2-a")


@pytest.mark.parametrize(
    "path", ["/_mock/version", "/_mock/worlds", "/_mock/metrics", "/_mock/health", "/_mock/"]
)
def test_a_process_answers_for_itself_and_by_its_name(mock: Mock, path: str) -> None:
    plain, named = door(mock, "GET", path), door(mock, "GET", f"/w/w2{path}")
    assert (plain.status, plain.body) == (200, named.body)


def test_the_name_of_a_process_in_a_path_changes_nothing_else(mock: Mock) -> None:
    headers = {"authorization": f"Bearer {keys_of(make(mock, name='a'))['rivya']}"}
    answer = mock.request("GET", "/w/w2/api/v1/credits", headers=headers)
    assert (answer.status, answer.headers["mock-world"]) == (200, "w2-a")
    assert misdirected(mock.request("GET", "/w/w2/api/v1/credits"), "w0")
    assert misdirected(mock.request("GET", "/w/w2/_mock/worlds/w3-a"), "w3")


def test_a_process_says_which_shard_it_is(mock: Mock, make_mock: MakeMock) -> None:
    assert door(mock, "GET", "/_mock/version").json()["shard"] == "2/8"
    assert door(make_mock(), "GET", "/_mock/version").json()["shard"] is None


def test_the_first_shard_has_the_default_world(make_mock: MakeMock) -> None:
    mock = make_mock(shard="0/8")
    assert mock.create().headers["mock-world"] == "default"
    assert make(mock)["name"] == "w0-world-1"
    assert misdirected(mock.rivya("GET", "/credits", key="rvya_sk_w2-test-a"), "w2")
    assert mock.rivya("GET", "/credits", key="unknown").status == 401


def test_without_shards_a_name_may_look_like_a_mark(make_mock: MakeMock) -> None:
    mock = make_mock()
    assert keys_of(make(mock, name="w3-a"))["rivya"] == f"{KEY}-w3-a"
    assert mock.rivya("GET", "/credits", key=f"{KEY}-w3-a").headers["mock-world"] == "w3-a"


@pytest.mark.parametrize(
    ("shard", "key", "sentence"),
    [
        ("2/8", "rvya_sk_w3-mine", "has the mark of the shard w3, and this is w2"),
        ("2/8", "rvya_sk_mine", "must have the mark w2- of this shard"),
        ("0/8", "rvya_sk_w3-mine", "has the mark of the shard w3, and this is w0"),
        ("2/8", "rvya_sk_w2-mine", None),
        ("0/8", "rvya_sk_mine", None),
    ],
)
def test_a_key_that_leads_elsewhere_is_not_issued(
    make_mock: MakeMock, shard: str, key: str, sentence: str | None
) -> None:
    mock = make_mock(shard=shard)
    path = f"{WORLDS}/{make(mock)['name']}/accounts"
    body = {"name": "mine", "credits": 1, "keys": [{"key": key, "api": "rivya"}]}
    answer = door(mock, "POST", path, body)
    if sentence is None:
        assert answer.status == 201
        assert mock.rivya("GET", "/credits", key=key).status == 200
    else:
        assert answer.status == 409
        assert sentence in answer.json()["title"]


def test_a_snapshot_of_another_shard_can_be_put_back_and_says_which_keys_lead_elsewhere(
    make_mock: MakeMock,
) -> None:
    first, third = make_mock(shard="1/8"), make_mock(shard="2/8")
    key = keys_of(make(first, name="a"))["rivya"]
    taken = first.request("GET", f"{WORLDS}/w1-a/snapshot").body
    make(third, name="a")
    put = third.request("PUT", f"{WORLDS}/w2-a/snapshot", headers=JSON, body=taken)
    assert put.status == 200
    assert key in put.json()["keys_leading_elsewhere"]
    there = {"authorization": f"Bearer {key}"}
    assert third.request("GET", "/w/w2-a/api/v1/credits", headers=there).status == 200
    assert misdirected(third.request("GET", "/api/v1/credits", headers=there), "w1")


def test_a_key_in_the_settings_with_the_mark_of_another_shard_is_an_error() -> None:
    accounts = [{"name": "a", "credits": 1, "keys": [{"key": "rvya_sk_w3-x", "api": "rivya"}]}]
    with pytest.raises(SettingsError) as caught:
        settings_of(shard="2/8", accounts=accounts)
    assert str(caught.value) == (
        "flag --accounts: accounts: a key of 'a' has the mark of the shard w3, and this is w2"
    )
    assert settings_of(shard="3/8", accounts=accounts).shard == "3/8"


def test_the_state_file_of_another_shard_is_refused_and_stays_as_it_is(
    make_mock: MakeMock, tmp_path: Path
) -> None:
    state = {"state__file": str(tmp_path / "w1.db")}
    first = Mock(shard="1/8", **state)
    key = keys_of(make(first, name="a"))["rivya"]
    first.close()
    for other in ("0/8", "2/8"):
        settings = settings_of(shard=other, **state)
        with pytest.raises(OSError, match=r"w1.db cannot be used: it is the file of the shard w1$"):
            make_server(settings, lambda: START_MS)
    again = make_mock(shard="1/9", **state)
    assert again.rivya("GET", "/credits", key=key).headers["mock-world"] == "w1-a"
