"""No rule accuses a client that does everything right, whatever goes wrong around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.verdict.catalogue import RULES
from tests.verdict.day import ENDED, QUIET, Day
from tests.verdict.perfect import PerfectClient

ERRORS = {
    "rivya": ["internal_error", "rate_limited", "public_api_disabled", "insufficient_credits",
              "validation_failed", "api_key_revoked", "not_found", "idempotency_conflict"],
    "acedata": ["api_error", "too_many_requests", "used_up", "bad_request", "invalid_token",
                "task_not_found", "timeout"],
}  # fmt: skip


def effects(api: str) -> st.SearchStrategy[dict[str, Any]]:
    """Everything that can go wrong with an answer."""
    when = st.sampled_from(["before", "after"])
    codes = st.sampled_from(ERRORS[api])
    retry_after_s = st.one_of(st.none(), st.sampled_from([1, 5, 30, 86400]))
    statuses = st.sampled_from([429, 500, 502, 503, 504])
    bodies: list[dict[str, Any]] = [
        {"replace": ""},
        {"replace": "<html>502</html>"},
        {"cut_at": 10},
        {"set": {"/beta": {"x": 1}}},
        {"set": {"/status": "upscaling", "/response/state": "upscaling"}},
        {"drop": ["/id", "/task_id"]},
        {"null": ["/result", "/response"]},
    ]
    fixed = st.fixed_dictionaries
    return st.one_of(
        fixed({"type": st.just("error"), "code": codes, "retry_after_s": retry_after_s,
               "when": when}),
        fixed({"type": st.just("answer"), "status": statuses, "body": st.just("<html>"),
               "when": when}),
        fixed({"type": st.just("connection"), "how": st.sampled_from(["reset", "hang"]),
               "when": when}),
        st.sampled_from(bodies).map(lambda body: {"type": "body"} | body),
    )  # fmt: skip


def faults(api: str) -> st.SearchStrategy[dict[str, Any]]:
    """Faults of creates, looks, downloads and tasks."""
    fixed = st.fixed_dictionaries
    often: dict[str, st.SearchStrategy[Any]] = {
        "times": st.sampled_from([1, 2, 4, 30]),
        "skip": st.sampled_from([0, 0, 1, 3]),
    }
    operations = fixed({"operation": st.sampled_from(["create", "read"])})
    api_calls = fixed({"effect": effects(api), "match": operations, **often})
    media: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
        [
            {"type": "body", "cut_at": 1000},
            {"type": "connection", "how": "reset"},
            {"type": "connection", "how": "reset", "after_bytes": 500},
            {"type": "answer", "status": 503},
            {"type": "answer", "status": 403},
        ]
    )
    downloads = fixed({"effect": media, "match": st.just({"operation": "media"}), **often})
    slow: list[dict[str, Any]] = [{"stuck": True}, {"processing_s": 40}, {"queued_s": 300}]
    task = st.sampled_from([*slow, {"outcome": "failed"}])
    tasks = fixed({"effect": task.map(lambda fault: {"type": "task"} | fault)})
    return st.one_of(api_calls, api_calls, downloads, tasks)


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    with Day() as day:
        yield day


def begin(day: Day, name: str, scale: float) -> None:
    """The client's requests go to this world from now on; nothing has happened in it."""
    day.name = name
    day.door("POST", f"/_mock/worlds/{name}/reset")
    day.door("PATCH", f"/_mock/worlds/{name}/clock", {"scale": scale})


@pytest.mark.parametrize("api", ["rivya", "acedata"])
@settings(max_examples=25)
@given(data=st.data())
def test_a_perfect_client_is_never_accused(day: Day, api: str, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(faults(api), max_size=4))
    scale = data.draw(st.sampled_from([1.0, 60.0]))
    restart_at = data.draw(st.one_of(st.none(), st.integers(1, 6)))
    begin(day, QUIET, scale)
    assert PerfectClient(day, api).run() == 0
    begin(day, "default", scale)
    for fault in chosen:
        day.fault(**fault)
    started_ms = day.wall_ms
    client = PerfectClient(day, api, restart_at)
    exit_code = client.run()
    times = {"started_at": started_ms, "ended_at": day.wall_ms}
    if client.restarted_ms is not None:
        times["restarted_at"] = client.restarted_ms
    ended = ENDED | {"exit_code": exit_code}
    for run in (ended, {"ended_by": "judge", "limit_s": 10**6}):
        judgement = day.judge(control=True, run=run | times, expected_jobs=1)
        assert judgement.findings == (), str(judgement)
    assert day.judge().findings == ()
    told = [*judgement.judged, *(each.code for each in judgement.inconclusive)]
    assert sorted({*told, *(each.code for each in judgement.notes)}) == list(RULES)
