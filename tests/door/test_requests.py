"""The journal through the control door: filters, counts, verification, clearing, and the token."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.types import Message

from tests import calls
from tests.asgi import Answer, scope
from tests.live import live
from tests.mock import KEY, MINIMAL, PNG, START, START_MS, TOKEN, VIDEO, MakeMock, Mock

WORLD = "/_mock/worlds/default"
REQUESTS = f"{WORLD}/requests"
JSON = {"content-type": "application/json"}
HELD = calls.Request(
    "POST",
    "/hailuo/videos",
    JSON | {"authorization": f"Bearer {TOKEN}"},
    json.dumps(VIDEO).encode(),
)


def journal(mock: Mock, query: str = "") -> Any:
    answer = mock.request("GET", f"{REQUESTS}?{query}")
    assert answer.status == 200, answer.body
    return answer.json()


def listed(mock: Mock, query: str = "") -> list[Any]:
    found: list[Any] = journal(mock, query)["requests"]
    return found


def path_of_upload(mock: Mock, size_bytes: int) -> str:
    """Where a picture of this size is served."""
    file = mock.upload(PNG.ljust(size_bytes, b"\x00")).json()
    return urlsplit(str(file["url"])).path


def verify(mock: Mock, expectation: Any) -> Answer:
    raw = expectation if isinstance(expectation, bytes) else json.dumps(expectation).encode()
    return mock.request("POST", f"{REQUESTS}/verify", headers=JSON, body=raw)


def verified(mock: Mock, **expectation: Any) -> Any:
    answer = verify(mock, expectation)
    assert answer.status == 200, answer.body
    return answer.json()


@pytest.fixture
def used(mock: Mock) -> Mock:
    """A mock with eight requests in its journal, 100 ms apart."""
    task_id = mock.create(prompt="a red balloon").json()["id"]
    mock.advance(0.1)
    mock.create(model="hailuo-por")
    mock.advance(0.1)
    mock.rivya("GET", f"/generations/{task_id}")
    mock.advance(0.1)
    mock.rivya("GET", "/credits")
    mock.advance(0.1)
    video_id = mock.acedata("/videos", VIDEO | {"async": True}).json()["task_id"]
    mock.advance(0.1)
    mock.acedata("/tasks", {"action": "retrieve", "id": video_id})
    mock.advance(0.1)
    mock.request("GET", "/nowhere?x=1")
    mock.advance(0.1)
    mock.rivya("GET", "/models", key=None)
    return mock


# --- what is there ---------------------------------------------------------------------------


def test_a_new_world_has_an_empty_journal(mock: Mock) -> None:
    assert journal(mock) == {"requests": [], "evicted": 0}


def test_a_request_is_shown_with_its_answer_and_its_facts(mock: Mock) -> None:
    answer = mock.create(prompt="a red balloon")
    (shown,) = listed(mock)
    asked, answered = shown.pop("request"), shown.pop("answer")
    assert shown == {
        "id": answer.headers["mock-request"],
        "at": "2026-05-11T00:00:00.000Z",
        "ended_at": "2026-05-11T00:00:00.000Z",
        "method": "POST",
        "path": "/api/v1/generations",
        "query": "",
        "api": "rivya",
        "operation": "create",
        "account": "rivya-test",
        "task": answer.json()["id"],
        "status": 200,
        "refusal": None,
        "scenario": None,
        "channel": None,
        "faults": [],
        "without": None,
        "replay_of": None,
        "ended_by": "answered",
        "sent_bytes": answered["size_bytes"],
        "connection": None,
        "wall_at": "2026-05-11T00:00:00.000Z",
        "ended_wall_at": "2026-05-11T00:00:00.000Z",
        "origin": "api",
        "ignored": [],
    }
    assert json.loads(asked["body"]) == MINIMAL | {"prompt": "a red balloon"}
    assert ["content-type", "application/json"] in asked["headers"]
    assert asked["size_bytes"] == len(asked["body"])
    assert answered["body"].encode() == answer.body
    assert ["mock-world", "default"] in answered["headers"]
    assert answered["size_bytes"] == len(answer.body)


def test_requests_are_listed_oldest_first_with_the_time_they_came(used: Mock) -> None:
    shown = listed(used)
    assert [each["at"] for each in shown] == [
        f"{START[:-1]}.{tenths}00Z" for tenths in range(len(shown))
    ]
    assert len({each["id"] for each in shown}) == len(shown) == 8


def test_a_refusal_is_shown_by_its_rule_and_sentence(used: Mock) -> None:
    refused = listed(used)[1]
    assert (refused["status"], refused["account"], refused["task"]) == (400, "rivya-test", None)
    assert "hailuo-por" in refused["refusal"]


def test_a_fault_is_shown_with_the_answer_without_it(mock: Mock) -> None:
    standing = [fault["id"] for fault in calls.add_faults(mock, scenario="insufficient_credits")]
    mock.create()
    (shown,) = listed(mock)
    assert len(shown["faults"]) == 1
    assert shown["faults"][0] in standing
    assert (shown["scenario"], shown["status"]) == ("insufficient_credits", 402)
    assert shown["without"] == "accepted"


def test_a_query_is_kept_beside_the_path(used: Mock) -> None:
    assert (listed(used)[6]["path"], listed(used)[6]["query"]) == ("/nowhere", "x=1")


def test_one_request_can_be_read(used: Mock) -> None:
    for shown in listed(used):
        answer = used.request("GET", f"{REQUESTS}/{shown['id']}")
        assert (answer.status, answer.json()) == (200, shown)


def test_requests_to_the_door_are_not_kept_and_similar_paths_are(mock: Mock) -> None:
    journal(mock)
    for path in ("/_mock/health", "/_mock/nothing", "/_mock", "/w/default/_mock/health"):
        mock.request("GET", path)
    assert listed(mock) == []
    mock.request("GET", "/_mockery")
    assert [shown["path"] for shown in listed(mock)] == ["/_mockery"]


def test_a_world_knows_only_its_own_requests_and_shows_their_paths_without_its_name(
    used: Mock,
) -> None:
    world = used.request("POST", "/_mock/worlds", headers=JSON, body=b'{"name": "other"}').json()
    used.rivya("GET", "/credits", key=f"{KEY}-other")
    used.request("GET", "/w/other/api/v1/models")
    assert world["name"] == "other"
    shown = used.request("GET", "/_mock/worlds/other/requests").json()["requests"]
    assert [each["path"] for each in shown] == ["/api/v1/credits", "/api/v1/models"]
    assert len(listed(used)) == 8


# --- filters ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("method=POST", [0, 1, 4, 5]),
        ("method=GET", [2, 3, 6, 7]),
        ("method=post", []),
        ("path=/api/v1/credits", [3]),
        ("path=/api/v1/generations", [0, 1]),
        ("path=/api/v1/generations*", [0, 1, 2]),
        ("path=%2Fapi%2Fv1%2F%2A", [0, 1, 2, 3, 7]),
        ("path=*", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("api=rivya", [0, 1, 2, 3, 7]),
        ("api=acedata", [4, 5]),
        ("operation=create", [0, 1, 4]),
        ("operation=read", [2, 5]),
        ("operation=credits", [3]),
        ("status=200", [0, 2, 3, 4, 5, 7]),
        ("status=400", [1]),
        ("status=404", [6]),
        ("status=500", []),
        ("account=rivya-test", [0, 1, 2, 3]),
        ("account=acedata-test", [4, 5]),
        ("account=", []),
        ("limit=1", [7]),
        ("limit=3", [5, 6, 7]),
        ("limit=99", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("method=POST&api=rivya", [0, 1]),
        ("method=POST&api=rivya&status=200", [0]),
        ("operation=create&api=acedata&status=200&account=acedata-test", [4]),
        ("operation=create&account=rivya-test&limit=1", [1]),
        ("method=GET&status=400", []),
        ("since=req_unknown", [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_a_list_can_be_filtered(used: Mock, query: str, numbers: list[int]) -> None:
    everything = listed(used)
    assert listed(used, query) == [everything[number] for number in numbers]


@pytest.mark.parametrize(("asked", "numbers"), [(0, [0, 2]), (4, [4, 5])])
def test_requests_can_be_filtered_by_task(used: Mock, asked: int, numbers: list[int]) -> None:
    everything = listed(used)
    task_id = everything[asked]["task"]
    assert listed(used, f"task={task_id}") == [everything[number] for number in numbers]


def test_requests_can_be_filtered_by_an_earlier_request(used: Mock) -> None:
    everything = listed(used)
    for number, shown in enumerate(everything):
        assert listed(used, f"since={shown['id']}") == everything[number + 1 :]
    assert listed(used, f"since={everything[1]['id']}&method=POST") == everything[4:6]
    assert listed(used, f"since={everything[1]['id']}&method=POST&limit=1") == everything[5:6]


@pytest.mark.parametrize("format_", ["ndjson", "har"])
def test_an_export_can_be_filtered(used: Mock, format_: str) -> None:
    answer = used.request("GET", f"{REQUESTS}?method=POST&status=200&format={format_}")
    document = answer.body.splitlines() if format_ == "ndjson" else answer.json()["log"]["entries"]
    assert len(document) == 3


ODD_INTEGERS = ["ten", "", "1_0", "%D9%A3", "%201", "1.5", "nan", "1e999", "9" * 5000]


@pytest.mark.parametrize(
    ("query", "pointer", "hint"),
    [
        *[("metod=GET", "/metod", "'method'"), ("format=hra", "/format", "did you mean 'har'")],
        *[(f"limit={low}", "/limit", "1") for low in (0, -1)],
        *[(f"limit={odd}", "/limit", "an integer") for odd in ODD_INTEGERS],
        *[(f"status={odd}", "/status", "an integer") for odd in ODD_INTEGERS],
        ("method=GET&method=POST", "/method", "twice"),
        ("a/b=1&a/b=2", "/a~1b", "twice"),
        ("a/b=1", "/a~1b", "no field"),
    ],
)
def test_a_wrong_query_is_refused_at_its_place(
    used: Mock, query: str, pointer: str, hint: str
) -> None:
    calls.require_refused(used.request("GET", f"{REQUESTS}?{query}"), pointer, hint)


@pytest.mark.parametrize("rest", ["requests", "requests/x", "wait", "requests/verify"])
def test_an_unknown_world_has_no_journal(mock: Mock, rest: str) -> None:
    method = "POST" if rest.endswith("verify") else "GET"
    answer = mock.request(method, f"/_mock/worlds/defualt/{rest}", headers=JSON, body=b"{}")
    assert answer.status == 404
    assert "did you mean 'default'" in answer.json()["title"]


# --- under way -------------------------------------------------------------------------------


def test_a_request_that_is_held_open_can_be_seen_without_an_answer(mock: Mock) -> None:
    caller = calls.OpenRequest(mock, HELD)
    (shown,) = listed(mock)
    assert (shown["status"], shown["answer"], shown["ended_at"]) == (None, None, None)
    assert (shown["api"], shown["account"]) == ("acedata", "acedata-test")
    assert json.loads(shown["request"]["body"]) == VIDEO
    assert listed(mock, f"task={shown['task']}&operation=create") == [shown]
    assert listed(mock, "status=200") == []
    assert mock.request("GET", f"{REQUESTS}/{shown['id']}").json() == shown
    assert verified(mock, match={"path": "/hailuo/videos"}, count=1)["requests"] == [shown["id"]]
    calls.advance(mock, 1)
    assert caller.answer().status == 200
    (ended,) = listed(mock)
    assert (ended["id"], ended["status"]) == (shown["id"], 200)
    assert ended["ended_at"] == "2026-05-11T00:00:01.000Z"


def test_a_request_whose_client_hung_up_has_ended_without_an_answer(
    mock: Mock,
) -> None:
    calls.OpenRequest(mock, HELD).hang_up()
    (shown,) = listed(mock)
    assert (shown["status"], shown["answer"]) == (None, None)
    assert shown["ended_at"] == "2026-05-11T00:00:00.000Z"


def test_a_request_has_ended_when_its_answer_has_arrived(mock: Mock) -> None:
    seen = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        (exchange,) = mock.world.journal
        seen.append((message["type"], exchange.ended_ms))

    asked = mock.app(scope("GET", "/api/v1/models", {}), receive, send)
    mock.driver.loop.run_until_complete(asked)
    assert seen == [("http.response.start", None), ("http.response.body", START_MS)]


def test_clearing_removes_ended_requests_and_keeps_running_ones(used: Mock) -> None:
    caller = calls.OpenRequest(used, HELD)
    held = listed(used)[-1]
    answer = used.request("DELETE", REQUESTS)
    assert (answer.status, answer.json()) == (200, {"requests": [], "evicted": 8})
    assert journal(used) == {"requests": [held], "evicted": 8}
    calls.advance(used, 2)
    assert caller.answer().status == 200
    assert [shown["status"] for shown in listed(used)] == [200]


def test_ids_are_not_reused_after_clearing(used: Mock) -> None:
    before = {shown["id"] for shown in listed(used)}
    used.request("DELETE", REQUESTS)
    used.rivya("GET", "/credits")
    assert listed(used)[0]["id"] not in before


# --- bounds ----------------------------------------------------------------------------------


def test_the_last_requests_are_kept_and_the_others_are_counted(make_mock: MakeMock) -> None:
    mock = make_mock(limits__journal_exchanges=3)
    ids = [mock.rivya("GET", "/credits").headers["mock-request"] for _ in range(5)]
    told = journal(mock)
    assert ([shown["id"] for shown in told["requests"]], told["evicted"]) == (ids[2:], 2)
    gone = mock.request("GET", f"{REQUESTS}/{ids[0]}")
    assert (gone.status, gone.headers["content-type"]) == (404, "application/problem+json")
    assert journal(mock, "status=500")["evicted"] == 2


@pytest.mark.parametrize("gone", [0, 1, None])
@pytest.mark.parametrize("format_", ["json", "ndjson"])
def test_all_kept_requests_are_listed_with_a_note_after_an_evicted_one(
    make_mock: MakeMock, gone: int | None, format_: str
) -> None:
    mock = make_mock(limits__journal_exchanges=3)
    ids = [mock.rivya("GET", "/credits").headers["mock-request"] for _ in range(5)]
    since = "req_nobody" if gone is None else ids[gone]
    answer = mock.request("GET", f"{REQUESTS}?since={since}&format={format_}")
    if format_ == "json":
        assert [shown["id"] for shown in answer.json()["requests"]] == ids[2:]
        note = answer.json()["note"]
    else:
        assert len(answer.body.splitlines()) == 3
        note = answer.headers["mock-note"]
    assert "'since'" in note
    assert "2 older requests are no longer kept" in note
    assert "note" not in journal(mock, f"since={ids[2]}")


# --- what the journal no longer knows --------------------------------------------------------


LOOKED_AT = {"match": {"operation": "credits"}}


@pytest.mark.parametrize(
    ("expectation", "answer"),
    [
        ({"count": 0}, False),
        ({"count": 2}, False),
        ({"count": 3}, None),
        ({"count": 5}, None),
        ({"at_most": 2}, False),
        ({"at_most": 5}, None),
        ({"at_least": 3}, True),
        ({"at_least": 4}, None),
        ({"at_least": 3, "at_most": 9}, None),
        ({}, True),
        ({"match": {"operation": "create"}}, None),
        ({"match": {"operation": "create"}, "count": 0}, None),
        ({"match": {"task": "task_x"}, "at_most": 0}, None),
        ({"order": [{"operation": "credits"}] * 3}, True),
        ({"order": [{"operation": "create"}, {"operation": "credits"}]}, None),
        ({"count": 2, "order": [{"operation": "create"}]}, False),
    ],
)
def test_an_expectation_that_depends_on_evicted_requests_is_undecided(
    make_mock: MakeMock, expectation: dict[str, Any], answer: bool | None
) -> None:
    mock = make_mock(limits__journal_exchanges=3)
    for _ in range(5):
        mock.rivya("GET", "/credits")
    told = verified(mock, **LOOKED_AT | expectation)
    assert told["verified"] is answer, told["said"]
    assert ("2 older requests are no longer in the journal" in told["said"]) is (answer is None)
    assert ("limits.journal_exchanges" in told["said"]) is (answer is None)


def test_cleared_requests_do_not_count_as_evicted(make_mock: MakeMock) -> None:
    mock = make_mock(limits__journal_exchanges=3)
    for _ in range(5):
        mock.rivya("GET", "/credits")
    mock.request("DELETE", REQUESTS)
    assert verified(mock, count=0)["verified"] is True
    for number in range(1, 4):
        mock.rivya("GET", "/credits")
        assert verified(mock, count=number)["verified"] is True
    mock.rivya("GET", "/credits")
    told = verified(mock, count=3)
    assert told["verified"] is None
    assert "1 older request is no longer in the journal" in told["said"]


def test_a_snapshot_keeps_the_count_of_evicted_requests(make_mock: MakeMock) -> None:
    mock = make_mock(limits__journal_exchanges=3)
    mock.rivya("GET", "/credits")
    mock.request("DELETE", REQUESTS)
    for number, answer in ((3, True), (1, None)):
        for _ in range(number):
            mock.rivya("GET", "/credits")
        document = mock.request("GET", f"{WORLD}/snapshot").body
        mock.request("DELETE", REQUESTS)
        assert mock.request("PUT", f"{WORLD}/snapshot", headers=JSON, body=document).status == 200
        assert verified(mock, count=3)["verified"] is answer


@pytest.mark.parametrize("cleared", [-1, 2])
def test_a_snapshot_with_a_wrong_count_of_cleared_requests_is_refused(
    mock: Mock, cleared: int
) -> None:
    mock.rivya("GET", "/credits")
    mock.request("DELETE", REQUESTS)
    document = mock.request("GET", f"{WORLD}/snapshot").json()
    document["journal"]["cleared"] = cleared
    answer = mock.request(
        "PUT", f"{WORLD}/snapshot", headers=JSON, body=json.dumps(document).encode()
    )
    assert answer.status == 400
    assert answer.json()["errors"][0]["pointer"] == "/journal/cleared"


@pytest.mark.parametrize(
    ("expectation", "answer"),
    [
        ({"count": 0}, None),
        ({"count": 1}, None),
        ({}, None),
        ({"count": 2}, False),
        ({"at_most": 1}, True),
        ({"order": [{"body": {"/prompt": "so"}}]}, None),
    ],
)
def test_a_cut_body_leaves_an_expectation_undecided(
    make_mock: MakeMock, expectation: dict[str, Any], answer: bool | None
) -> None:
    mock = make_mock(limits__journal_body_bytes=20)
    mock.create()
    told = verified(mock, **{"match": {"body": {"/prompt": "so"}}} | expectation)
    if "order" in expectation:
        told = verified(mock, **expectation)
    assert told["verified"] is answer, told["said"]
    assert ("limits.journal_body_bytes" in told["said"]) is (answer is None)
    other = {"match": {"method": "PUT", "body": {"/prompt": "so"}}}
    assert verified(mock, **other | {"count": 0})["verified"] is True


def test_a_near_miss_with_a_cut_body_says_so(make_mock: MakeMock) -> None:
    mock = make_mock(limits__journal_body_bytes=20)
    mock.create()
    told = verified(mock, match={"body": {"/prompt": "so"}})
    assert told["near_misses"][0]["differences"] == ["the whole body is not kept"]


def test_every_format_shows_the_count_of_evicted_requests(make_mock: MakeMock) -> None:
    mock = make_mock(limits__journal_exchanges=3)
    for _ in range(5):
        mock.rivya("GET", "/credits")
    assert journal(mock, "format=har")["log"]["comment"] == "2 older requests had to go"
    lines = mock.request("GET", f"{REQUESTS}?format=ndjson")
    assert lines.headers["mock-evicted"] == "2"


def test_a_wait_returns_a_request_that_is_evicted_meanwhile(make_mock: MakeMock) -> None:
    mock = make_mock(limits__journal_exchanges=1)
    caller = calls.OpenRequest(mock, HELD)
    mock.rivya("GET", "/credits")
    assert [shown["path"] for shown in listed(mock)] == ["/api/v1/credits"]
    calls.advance(mock, 1)
    assert caller.answer().status == 200


def test_a_long_body_is_cut_and_shown_with_its_size(
    make_mock: MakeMock,
) -> None:
    mock = make_mock(limits__journal_body_bytes=100)
    sent = json.dumps(MINIMAL | {"prompt": "a" * 500}).encode()
    mock.rivya("POST", "/generations", sent)
    (shown,) = listed(mock)
    assert (shown["request"]["body"].encode(), shown["request"]["size_bytes"]) == (
        sent[:100],
        len(sent),
    )
    streamed = mock.request("GET", path_of_upload(mock, 300_000)).body
    shown = listed(mock)[-1]["answer"]
    assert shown["size_bytes"] == len(streamed) == 300_000
    assert b64decode(shown["body_base64"]) == streamed[:100]


def test_the_size_of_a_partial_answer_is_that_of_the_part(mock: Mock) -> None:
    path = path_of_upload(mock, 300_000)
    mock.request("GET", path, headers={"range": "bytes=10-200009"})
    shown = listed(mock)[-1]
    assert (shown["status"], shown["answer"]["size_bytes"]) == (206, 200_000)


def test_the_size_of_a_body_in_pieces_is_that_of_all_pieces(mock: Mock) -> None:
    sent = json.dumps(MINIMAL).encode()
    pieces = [sent[:5], b"", sent[5:30], sent[30:]]
    headers = JSON | {"authorization": f"Bearer {KEY}"}
    answer = mock.driver.request("POST", "/api/v1/generations", headers=headers, chunks=pieces)
    assert answer.status == 200
    (shown,) = listed(mock)
    assert (shown["request"]["size_bytes"], shown["request"]["body"].encode()) == (len(sent), sent)


def test_the_size_of_a_cut_answer_is_that_of_the_sent_bytes() -> None:
    with live() as server:
        rule = {"effect": {"type": "body", "cut_at": 7}, "match": {"operation": "credits"}}
        assert httpx2.post(f"{server.url}{WORLD}/faults", json=rule).status_code == 201
        headers = {"authorization": f"Bearer {KEY}"}
        with pytest.raises(httpx2.RemoteProtocolError):
            httpx2.get(f"{server.url}/api/v1/credits", headers=headers)
        (shown,) = httpx2.get(f"{server.url}{REQUESTS}").json()["requests"]
    answer = shown["answer"]
    assert (answer["size_bytes"], answer["body"]) == (7, '{"curre')
    assert int(dict(answer["headers"])["content-length"]) > 7


# --- verify ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expectation", "is_so", "number"),
    [
        ({}, True, 8),
        ({"match": {}}, True, 8),
        ({"count": 8}, True, 8),
        ({"count": 7}, False, 8),
        ({"match": {"method": "POST"}, "count": 4}, True, 4),
        ({"match": {"method": "POST"}, "count": 3}, False, 4),
        ({"match": {"method": "POST"}, "at_least": 4}, True, 4),
        ({"match": {"method": "POST"}, "at_least": 5}, False, 4),
        ({"match": {"method": "POST"}, "at_most": 4}, True, 4),
        ({"match": {"method": "POST"}, "at_most": 3}, False, 4),
        ({"match": {"method": "POST"}, "at_least": 3, "at_most": 5}, True, 4),
        ({"match": {"method": "POST"}, "at_least": 5, "at_most": 9}, False, 4),
        ({"match": {"method": "PUT"}}, False, 0),
        ({"match": {"method": "PUT"}, "count": 0}, True, 0),
        ({"match": {"method": "PUT"}, "at_most": 0}, True, 0),
        ({"match": {"path": "/api/v1/*", "status": 200}, "count": 4}, True, 4),
        ({"match": {"api": "rivya", "operation": "create", "status": 400}, "count": 1}, True, 1),
        ({"match": {"account": "acedata-test"}, "count": 2}, True, 2),
        ({"match": {"body": {"/prompt": "a red balloon"}}, "count": 1}, True, 1),
        ({"match": {"body": {"/async": True}}, "count": 1}, True, 1),
        ({"match": {"body": {"/async": 1}}, "count": 0}, True, 0),
    ],
)
def test_a_number_of_requests_can_be_verified(
    used: Mock, expectation: dict[str, Any], is_so: bool, number: int
) -> None:
    told = verified(used, **expectation)
    assert (told["verified"], len(told["requests"])) == (is_so, number)
    assert f"found {number}" in told["said"]


CREATE, CREDITS = {"operation": "create"}, {"operation": "credits"}
VIDEOS = {"path": "/hailuo/videos"}


@pytest.mark.parametrize(
    ("order", "wrong"),
    [
        ([CREATE, CREDITS, VIDEOS], None),
        ([CREATE, CREATE, CREATE], None),
        ([CREATE, CREATE, CREATE, CREATE], 3),
        ([CREDITS, VIDEOS], None),
        ([VIDEOS, CREDITS], 1),
        ([CREDITS, CREDITS], 1),
        ([{"method": "PUT"}], 0),
        ([], None),
    ],
)
def test_an_order_can_be_verified_and_the_first_that_breaks_it_is_named(
    used: Mock, order: list[Any], wrong: int | None
) -> None:
    told = verified(used, order=order)
    assert told["verified"] is (wrong is None)
    assert wrong is None or f"/order/{wrong} " in told["said"]


def test_both_a_number_and_an_order_must_hold(used: Mock) -> None:
    right = {"match": CREATE, "count": 3, "order": [CREATE, CREDITS]}
    assert verified(used, **right)["verified"] is True
    assert verified(used, **right | {"count": 2})["verified"] is False
    assert verified(used, **right | {"order": [CREDITS, CREDITS]})["verified"] is False


def test_no_expectation_of_requests_holds_in_an_empty_journal(mock: Mock) -> None:
    assert verified(mock)["verified"] is False
    assert verified(mock, count=0)["verified"] is True
    assert verified(mock, order=[CREATE])["verified"] is False


def test_near_misses_are_shown_with_their_differences(used: Mock) -> None:
    told = verified(used, match={"method": "POST", "operation": "create", "status": 402})
    everything = listed(used)
    assert [miss["request"] for miss in told["near_misses"]] == [
        everything[number]["id"] for number in (0, 1, 4)
    ]
    assert told["near_misses"][0]["asked"] == "POST /api/v1/generations"
    assert told["near_misses"][0]["differences"] == ["status is 200, not 402"]
    assert told["said"] == "expected at least 1 such requests, found 0"


def test_near_misses_of_the_first_missing_request_of_an_order_are_shown(used: Mock) -> None:
    told = verified(used, order=[CREATE, {"operation": "read", "api": "rivya", "status": 404}])
    assert told["near_misses"][0]["request"] == listed(used)[2]["id"]
    assert told["near_misses"][0]["differences"] == ["status is 200, not 404"]


def test_an_expectation_that_holds_has_no_near_misses(used: Mock) -> None:
    assert verified(used, match=CREATE, count=3)["near_misses"] == []


@pytest.mark.parametrize(
    ("body", "pointer", "hint"),
    [
        (b"", "", "JSON"),
        (b"nope", "", "JSON"),
        ([], "", "an object"),
        ({"mtch": {}}, "/mtch", "did you mean 'match'"),
        ({"match": []}, "/match", "an object"),
        ({"match": {"metod": "GET"}}, "/match/metod", "did you mean 'method'"),
        ({"match": {"status": "200"}}, "/match/status", "an integer"),
        ({"match": {"method": 5}}, "/match/method", "a string"),
        ({"match": {"body": []}}, "/match/body", "an object"),
        ({"match": {"body": {"prompt": "x"}}}, "/match/body", ""),
        ({"count": -1}, "/count", "0"),
        ({"count": "1"}, "/count", "an integer"),
        ({"count": 1.5}, "/count", "an integer"),
        ({"at_least": -1}, "/at_least", "0"),
        ({"at_most": True}, "/at_most", "an integer"),
        ({"count": 1, "at_least": 1}, "", "count stands alone"),
        ({"at_least": 2, "at_most": 1}, "", "no number is at least"),
        ({"count": -1}, "/count", "must be at least 0, not -1"),
        (
            {"match": {"operation": "crate"}, "count": 0},
            "/match/operation",
            "did you mean 'create'",
        ),
        ({"match": {"api": "rivia"}, "count": 0}, "/match/api", "did you mean 'rivya'"),
        ({"match": {"body": {"prompt": 1}}}, "/match/body", 'has a name of a wrong form: "prompt"'),
        ({"order": {}}, "/order", "an array"),
        ({"order": [{}, {"api": 5}]}, "/order/1/api", "must be one of"),
        ({"order": [{"apy": "rivya"}]}, "/order/0/apy", "did you mean 'api'"),
    ],
)
def test_a_wrong_expectation_is_refused_at_its_place(
    used: Mock, body: Any, pointer: str, hint: str
) -> None:
    answer = verify(used, body)
    assert answer.status == 400, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    wrong = answer.json()["errors"][0]
    assert wrong["pointer"].removeprefix("body").startswith(pointer)
    assert hint in wrong["detail"]


def test_a_request_with_a_very_deep_body_can_be_verified(mock: Mock) -> None:
    mock.rivya("POST", "/generations", b'{"a":' * 8000)
    told = verified(mock, match={"body": {"/a": 1}}, count=0)
    assert told["verified"] is True
    assert verified(mock, match={"body": {"/a": 1}})["verified"] is False


# --- the lock --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/requests"),
        ("GET", "/requests?format=ndjson"),
        ("GET", "/requests?format=har"),
        ("HEAD", "/requests"),
        ("DELETE", "/requests"),
        ("GET", "/requests/{id}"),
        ("POST", "/requests/verify"),
        ("GET", "/wait?operation=credits"),
    ],
)
def test_a_client_without_the_token_can_neither_read_nor_clear(
    make_mock: MakeMock, method: str, path: str
) -> None:
    mock = make_mock(control_token="sesame")
    request_id = mock.rivya("GET", "/credits").headers["mock-request"]
    path = WORLD + path.format(id=request_id)
    for sent in ({}, {"mock-control-token": "sesam"}, {"authorization": "Bearer sesame"}):
        refused = mock.request(method, path, headers=JSON | sent, body=b"{}")
        assert refused.status == 401
        assert set(refused.json()) == {"title", "status", "instance"}
    assert len(mock.world.journal) == 1
    token = JSON | {"mock-control-token": "sesame"}
    assert mock.request(method, path, headers=token, body=b"{}").status == 200
