"""The story of a task, the rows of an account and the changes of a world, over the control door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import calls
from tests.asgi import Answer
from tests.mock import KEY, START_MS, VIDEO, MakeMock, Mock
from tests.rich_world import SETTINGS as RICH
from tests.rich_world import door, live_in

WORLD = "/_mock/worlds/default"
JSON = {"content-type": "application/json"}


def get(mock: Mock, path: str) -> Any:
    answer = mock.request("GET", WORLD + path)
    assert answer.status == 200, answer.body
    return answer.json()


def refused(mock: Mock, path: str) -> Answer:
    answer = mock.request("GET", WORLD + path)
    assert answer.status in {400, 404}, answer.body
    return answer


def story(mock: Mock, task_id: str, query: str = "") -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = get(mock, f"/tasks/{task_id}/story{query}")["entries"]
    return entries


def types(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["type"] for entry in entries]


def advance(mock: Mock, seconds: float) -> None:
    door(mock, "POST", "/clock/advance", {"seconds": seconds})


def lived(mock: Mock) -> str:
    """The id of a task that was read three times, ended and was downloaded."""
    task_id: str = mock.create().json()["id"]
    for seconds in (0.3, 0.5, 0.4):
        advance(mock, seconds)
        mock.generation(task_id)
    mock.request("GET", f"/media/default/{task_id}.mp4")
    return task_id


# --- stories ----------------------------------------------------------------------------------


def test_a_story_has_everything_in_order(mock: Mock) -> None:
    entries = story(mock, lived(mock))
    assert types(entries) == [
        "request", "ledger", "state", "clock", "state", "looks", "clock", "clock", "ledger",
        "state", "no_delivery", "download",
    ]  # fmt: skip
    assert [each["state"] for each in entries if each["type"] == "state"] == [
        "queued", "processing", "succeeded",
    ]  # fmt: skip
    moves = [(each["moved"], each["amount"], each["change"]) for each in entries if "moved" in each]
    assert moves == [("held", 57, -57), ("spent", 57, 0)]
    (looks,) = [each for each in entries if each["type"] == "looks"]
    assert (looks["count"], looks["after_end"], looks["shortest_gap_s"]) == (3, 1, 0.4)
    assert entries[-1]["sent_bytes"] > 0
    assert {each["wall_at"] for each in entries} == {"2026-05-11T00:00:00.000Z"}


def test_links_lead_to_what_they_name(mock: Mock) -> None:
    door(mock, "POST", "/faults", {"effect": {"type": "delivery", "late_s": 1}})
    answer = mock.acedata("/videos", VIDEO | {"callback_url": "http://127.0.0.1:9/hook"})
    task_id = answer.json()["task_id"]
    mock.world.faults.add(next(iter(mock.world.faults)).rule)
    advance(mock, 1.5)
    links = [link for entry in story(mock, task_id) for link in entry["links"].items()]
    assert {name for name, _ in links} == {"request", "delivery", "fault", "task"}
    for name, path in links:
        shown = mock.request("GET", path)
        assert shown.status == 200, (name, path)
        assert shown.json()["id"] == path.rpartition("/")[2]


def test_a_story_survives_the_journal(make_mock: MakeMock) -> None:
    mock = make_mock(limits__journal_exchanges=1, deliveries__kept=1)
    task_id = lived(mock)
    before = story(mock, task_id)
    for _ in range(5):
        mock.rivya("GET", "/models")
        mock.acedata("/videos", VIDEO | {"callback_url": "http://127.0.0.1:9/hook"})
    advance(mock, 100)
    later = [each for each in story(mock, task_id) if each["type"] != "clock"]
    assert later == [each for each in before if each["type"] != "clock"]


def test_a_held_create_is_in_the_story_before_it_is_answered(mock: Mock) -> None:
    held = calls.OpenRequest(mock, calls.Request("POST", "/hailuo/videos", OTHER, VIDEO_BODY))
    (task,) = mock.world.tasks
    (request,) = story(mock, task.id, "?type=request")
    assert (request["status"], request["ended_by"], request["ended_at"]) == (None, None, None)
    mock.advance(1)
    mock.request("GET", "/_mock/health")
    held.answer()
    (request,) = story(mock, task.id, "?type=request")
    assert (request["status"], request["ended_by"]) == (200, "answered")


OTHER = JSON | {"authorization": "Bearer test-token"}
VIDEO_BODY = json.dumps(VIDEO).encode()


def test_replays_and_batches_belong_to_the_story(mock: Mock) -> None:
    first = mock.rivya("POST", "/generations", MINIMAL_BODY, headers={"idempotency-key": "a"})
    mock.rivya("POST", "/generations", MINIMAL_BODY, headers={"idempotency-key": "a"})
    requests = story(mock, first.json()["id"], "?type=request")
    assert [each["replay_of"] for each in requests] == [None, requests[0]["request"]]
    ids = [mock.acedata("/videos", VIDEO | {"async": True}).json()["task_id"] for _ in range(2)]
    mock.acedata("/tasks", {"action": "retrieve_batch", "ids": ids})
    for task_id in ids:
        (looks,) = story(mock, task_id, "?type=looks")
        assert looks["count"] == 1


MINIMAL_BODY = {"model": "hailuo-pro", "prompt": "A fox"}


def test_a_story_can_be_filtered(mock: Mock) -> None:
    task_id = lived(mock)
    every = story(mock, task_id)
    assert story(mock, task_id, "?type=ledger") == [e for e in every if e["type"] == "ledger"]
    assert story(mock, task_id, "?limit=2") == every[-2:]
    since, until = "2026-05-11T00:00:00Z", "2026-05-11T00:00:00.300Z"
    between = story(mock, task_id, f"?since={since}&until={until}")
    assert between == [e for e in every if "00:00:00.000Z" < e["at"][11:] <= "00:00:00.300Z"]
    assert 0 < len(between) < len(every)


@pytest.mark.parametrize(
    "query", ["type=looked", "limit=0", "limit=10001", "since=now", "until=0001-01-01T00:00:00Z"]
)
def test_a_wrong_query_is_refused(mock: Mock, query: str) -> None:
    task_id = mock.create().json()["id"]
    assert refused(mock, f"/tasks/{task_id}/story?{query}").status == 400


def test_there_is_no_story_of_an_unknown_task(mock: Mock) -> None:
    assert refused(mock, "/tasks/none/story").status == 404


# --- rows of an account -----------------------------------------------------------------------


def test_rows_add_up(mock: Mock) -> None:
    lived(mock)
    mock.create(prompt="mock:generation_failed")
    door(mock, "PATCH", "/accounts/rivya-test", {"credits": 9})
    advance(mock, 5)
    ledger = get(mock, "/accounts/rivya-test/ledger")
    moved = [row["moved"] for row in ledger["rows"]]
    assert moved == ["granted", "held", "spent", "held", "set", "given_back"]
    assert [row["number"] for row in ledger["rows"]] == [1, 2, 3, 4, 5, 6]
    assert ledger["opening"] == dict.fromkeys(ledger["opening"], 0)
    change = sum(row["change"] for row in ledger["rows"])
    assert change == ledger["balance"]["available"] == ledger["rows"][-1]["available"]
    for query in ("?limit=2", "?since=4"):
        page = get(mock, f"/accounts/rivya-test/ledger{query}")
        assert page["rows"] == ledger["rows"][-2:]
        change = sum(row["change"] for row in page["rows"])
        assert page["opening"]["available"] + change == page["balance"]["available"]


def test_rows_can_be_filtered(mock: Mock) -> None:
    task_id = lived(mock)
    mock.create()
    path = "/accounts/rivya-test/ledger"
    of_task = get(mock, f"{path}?task={task_id}")["rows"]
    assert [row["moved"] for row in of_task] == ["held", "spent"]
    assert len(get(mock, f"{path}?moved=held")["rows"]) == 2
    assert len(get(mock, f"{path}?until=2026-05-11T00:00:00Z")["rows"]) == 2
    assert refused(mock, "/accounts/rivya-test/ledger?moved=lost").status == 400
    assert refused(mock, "/accounts/nobody/ledger").status == 404


def test_old_rows_are_counted(make_mock: MakeMock) -> None:
    mock = make_mock(limits__history_entries=2)
    for _ in range(3):
        mock.create()
    ledger = get(mock, "/accounts/rivya-test/ledger")
    assert ledger["evicted"] == 2
    assert [row["number"] for row in ledger["rows"]] == [3, 4]
    change = sum(row["change"] for row in ledger["rows"])
    assert ledger["opening"]["available"] + change == ledger["balance"]["available"]


# --- changes ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rich() -> Any:
    mock = Mock(**RICH)
    live_in(mock)
    yield mock
    mock.close()


@settings(max_examples=30, deadline=None)
@given(limits=st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_changes_in_any_pieces_are_the_same_changes(rich: Mock, limits: list[int]) -> None:
    whole = get(rich, "/changes?limit=10000")
    assert not whole["more"]
    pieces, page, number = [], {"cursor": None, "more": True}, 0
    while page["more"]:
        since = "" if page["cursor"] is None else f"&since={page['cursor']}"
        page = get(rich, f"/changes?limit={limits[number % len(limits)]}{since}")
        assert page["missed"] == 0
        pieces += page["changes"]
        number += 1
    assert pieces == whole["changes"]
    assert page["cursor"] == whole["cursor"]


def test_changes_have_every_type(rich: Mock) -> None:
    named = set(types(get(rich, "/changes?limit=10000")["changes"]))
    expected = {"request_started", "request", "ledger", "state", "delivery", "attempt", "clock"}
    assert named == expected | {"fault"}


def test_changes_after_a_cursor_are_new(mock: Mock) -> None:
    cursor = get(mock, "/changes")["cursor"]
    assert get(mock, f"/changes?since={cursor}")["changes"] == []
    task_id = mock.create().json()["id"]
    page = get(mock, f"/changes?since={cursor}")
    assert types(page["changes"]) == ["request_started", "ledger", "state", "request"]
    of_task = get(mock, f"/changes?since={cursor}&task={task_id}")
    assert types(of_task["changes"]) == ["ledger", "state", "request"]
    assert of_task["cursor"] == page["cursor"]
    assert types(get(mock, f"/changes?since={cursor}&type=state")["changes"]) == ["state"]


def test_a_cursor_that_is_too_old_is_told(make_mock: MakeMock) -> None:
    mock = make_mock(limits__history_entries=3)
    cursor = get(mock, "/changes")["cursor"]
    for _ in range(3):
        mock.rivya("GET", "/models")
    page = get(mock, f"/changes?since={cursor}")
    assert (page["missed"], len(page["changes"])) == (3, 3)
    end = get(mock, f"/changes?since={page['cursor']}")
    assert (end["missed"], end["changes"]) == (0, [])


def test_a_foreign_cursor_is_refused(mock: Mock) -> None:
    cursor = get(mock, "/changes")["cursor"]
    incarnation, _, number = cursor.rpartition("-")
    beyond = f"{incarnation}-{int(number) + 1}"
    for wrong in ("", "x", "5", "a-b", "1-2-3", beyond, f"{cursor}0000000000000000", "-1"):
        answer = refused(mock, f"/changes?since={wrong}")
        assert answer.json()["errors"][0]["pointer"] == "/since"
        assert "cursor" in answer.json()["errors"][0]["detail"]
    mock.request("POST", "/_mock/worlds", headers=JSON, body=b'{"name": "other"}')
    other = mock.request("GET", "/_mock/worlds/other/changes").json()["cursor"]
    assert "another world" in refused(mock, f"/changes?since={other}").json()["title"]
    mock.request("POST", f"{WORLD}/reset")
    assert "was reset" in refused(mock, f"/changes?since={cursor}").json()["title"]


def test_a_wait_for_changes_ends_with_the_first(mock: Mock) -> None:
    cursor = get(mock, "/changes")["cursor"]
    waiting = calls.OpenRequest(mock, calls.get(f"{WORLD}/changes?since={cursor}&timeout_s=60"))
    assert waiting.is_open
    mock.rivya("GET", "/models")
    answered = waiting.answer().json()
    assert types(answered["changes"])[0] == "request_started"


def test_a_wait_for_a_type_ignores_other_changes(mock: Mock) -> None:
    cursor = get(mock, "/changes")["cursor"]
    path = f"{WORLD}/changes?since={cursor}&timeout_s=60&type=clock"
    waiting = calls.OpenRequest(mock, calls.get(path))
    mock.rivya("GET", "/models")
    assert waiting.is_open
    advance(mock, 1)
    assert types(waiting.answer().json()["changes"]) == ["clock"]


def test_a_wait_without_changes_ends_empty(mock: Mock) -> None:
    cursor = get(mock, "/changes")["cursor"]
    page = get(mock, f"/changes?since={cursor}&timeout_s=0.01")
    assert page == {"cursor": cursor, "missed": 0, "more": False, "changes": []}


def test_a_wait_ends_if_the_world_is_reset(mock: Mock) -> None:
    cursor = get(mock, "/changes")["cursor"]
    waiting = calls.OpenRequest(mock, calls.get(f"{WORLD}/changes?since={cursor}&timeout_s=60"))
    mock.request("POST", f"{WORLD}/reset")
    assert waiting.answer().status == 503


def test_faults_that_were_set_and_happened_are_changes(mock: Mock) -> None:
    cursor = get(mock, "/changes")["cursor"]
    effect = {"type": "answer", "status": 503}
    fault = door(mock, "POST", "/faults", {"effect": effect, "times": 1}).json()["faults"][0]["id"]
    mock.rivya("GET", "/models")
    door(mock, "DELETE", f"/faults/{fault}")
    changes = get(mock, f"/changes?since={cursor}&type=fault")["changes"]
    assert [(each["what"], each["fault"]) for each in changes] == [
        ("armed", fault), ("bitten", fault), ("removed", fault),
    ]  # fmt: skip
    assert changes[1]["concerns"] == "answer"
    assert changes[1]["request"] is not None


# --- snapshots --------------------------------------------------------------------------------


def test_a_restored_world_keeps_its_history_and_a_reset_one_does_not(mock: Mock) -> None:
    task_id = lived(mock)
    before, rows = story(mock, task_id), get(mock, "/accounts/rivya-test/ledger")
    snapshot = mock.request("GET", f"{WORLD}/snapshot").body
    mock.request("POST", f"{WORLD}/reset")
    assert refused(mock, f"/tasks/{task_id}/story").status == 404
    assert len(get(mock, "/accounts/rivya-test/ledger")["rows"]) == 1
    assert mock.request("PUT", f"{WORLD}/snapshot", headers=JSON, body=snapshot).status == 200
    assert story(mock, task_id) == before
    assert get(mock, "/accounts/rivya-test/ledger") == rows


def test_a_snapshot_of_an_earlier_version_has_no_history(mock: Mock) -> None:
    task_id = lived(mock)
    document = mock.request("GET", f"{WORLD}/snapshot").json()
    del document["history"], document["ledger"]["rows"], document["rules"]["history_entries"]
    for account in document["ledger"]["accounts"]:
        del account["rows_evicted"]
    for exchange in document["journal"]["exchanges"]:
        for name in NEW_FIELDS:
            del exchange[name]
    body = json.dumps(document).encode()
    assert mock.request("PUT", f"{WORLD}/snapshot", headers=JSON, body=body).status == 200
    assert types(story(mock, task_id)) == ["ledger", "state", "state", "ledger", "state"]
    ledger = get(mock, "/accounts/rivya-test/ledger")
    assert (ledger["rows"], ledger["opening"]) == ([], ledger["balance"])


NEW_FIELDS = (
    "ended_by", "sent_bytes", "connection", "started_wall_ms", "ended_wall_ms", "number", "tasks",
)  # fmt: skip


@pytest.mark.parametrize(
    ("place", "value", "pointer"),
    [
        (("history", "tasks", 0, "task_id"), "none", "/history/tasks/0/task_id"),
        (("ledger", "rows", -1, "available_credits"), 1, None),
        (("ledger", "rows", 0, "account"), "none", "/ledger/rows/0/account"),
        (("history", "clock_moves", 0, "at_ms"), -1, "/history/clock_moves/0/at_ms"),
        (("history", "tasks", 0, "facts", "status"), 70_000, "/history/tasks/0/facts/status"),
    ],
)
def test_a_history_that_contradicts_its_world_is_refused(
    mock: Mock, place: tuple[str | int, ...], value: Any, pointer: str | None
) -> None:
    lived(mock)
    document = mock.request("GET", f"{WORLD}/snapshot").json()
    inner: Any = document
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    answer = mock.request(
        "PUT", f"{WORLD}/snapshot", headers=JSON, body=json.dumps(document).encode()
    )
    assert answer.status == 400
    pointers = [each["pointer"] for each in answer.json()["errors"]]
    assert pointer in pointers or pointer is None


def test_no_key_is_in_a_story_or_a_change(make_mock: MakeMock) -> None:
    mock = make_mock()
    task_id = lived(mock)
    mock.request("GET", f"/api/v1/generations/{KEY}?token={KEY}")
    told = [f"{WORLD}/tasks/{task_id}/story", f"{WORLD}/changes"]
    for path in told:
        assert KEY.encode() not in mock.request("GET", path).body
    assert mock.world.clock.wall_ms() == START_MS
