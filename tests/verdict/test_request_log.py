"""Requests become evidence once, when they have ended, and within a number of bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mock_server.core.journal import Exchange
from mock_server.verdict import request_log
from mock_server.verdict.requests import Request
from tests.verdict.day import CREATE, LOOK, Day, quiet_run
from tests.verdict.judgements import found, reason_of

LOST = {"type": "connection", "how": "reset", "when": "after"}


def troubled_client(day: Day) -> Iterator[None]:
    """A client that pays twice, looks too often, and fetches; pauses after each request."""
    day.fault(LOST, match=CREATE, times=1)
    day.fault({"type": "error", "code": "internal_error"}, match=LOOK, times=2)
    for number in range(3):
        task = day.create(prompt="p" if number < 2 else "q")
        yield
        day.pass_s(1)
    for _ in range(8):
        day.look(task.id)
        yield
    day.pass_s(30)
    day.download(task.id)
    yield


def test_a_judgement_is_the_same_however_often_it_was_asked_for_before() -> None:
    judgements = []
    for asks_before in (False, True):
        with Day() as day:
            quiet_run(day)
            for _ in troubled_client(day):
                if asks_before:
                    day.judge(control=True)
            judgements.append(day.judge(control=True))
    assert judgements[0] == judgements[1]
    assert "HM101" in {each.code for each in judgements[0].findings}


def test_each_request_becomes_evidence_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    class Counted(Request):
        def __init__(self, exchange: Exchange) -> None:
            super().__init__(exchange)
            made.append(exchange.id)

    monkeypatch.setattr(request_log, "Request", Counted)
    with Day() as day:
        for _ in troubled_client(day):
            day.door("POST", "/_mock/worlds/default/judgement", {"only": ["HM101"]})
        assert len(made) == len(set(made)) == day.world.journal.opened


def test_a_request_that_ends_late_has_its_place_and_is_there_once() -> None:
    with Day() as day:
        day.fault({"type": "connection", "how": "hang", "when": "after"}, match=CREATE, times=1)
        with day.held_create() as held:
            day.judge("HM101")
            task = day.create(prompt="another").id
            day.judge("HM101")
            held.leave()
            day.pass_s(1)
            day.create()
            day.look(task)
            judgement = day.judge("HM101", expected_jobs=2)
            finding = found(judgement, "HM101")
            assert finding.sentence.count("req_") == 2
            assert len(finding.timeline) == 2
            assert day.judge("HM101", expected_jobs=2) == judgement


def test_without_room_for_all_requests_nothing_is_judged() -> None:
    with Day(limits__journal_archive_bytes=10_000) as day:
        day.fault(LOST, match=CREATE, times=1)
        day.create()
        day.create()
        found(day.judge("HM101"), "HM101")
        for _ in range(20):
            day.look("task_any")
            day.judge("HM101")
        assert "22 requests" in reason_of(day.judge("HM101"), "HM101")
        day.door("DELETE", "/_mock/worlds/default/requests")
        assert "never came up" in reason_of(day.judge("HM101"), "HM101")


def test_a_quiet_run_that_is_not_kept_compares_with_nothing() -> None:
    with Day(limits__journal_archive_bytes=10_000) as day:
        day.name = "quiet"
        for _ in range(20):
            day.look("task_any")
        day.name = "default"
        day.create()
        assert "20 requests" in reason_of(day.judge("HM109", control=True), "HM109")
