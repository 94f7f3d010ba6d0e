"""Clients that wait too long, too eagerly, or not long enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from mock_server.apis import ALL as ALL_APIS
from mock_server.core.journal import Exchange, Journal
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.tasks import Order, PlannedOutcome, Task
from mock_server.verdict.catalogue import RULES
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.judging import judge
from mock_server.verdict.request_log import RequestLog
from tests.verdict.day import ENDED, LOOK, QUIET, Day, quiet_run
from tests.verdict.judgements import assert_clean, found, noted, reason_of

# --- HM301 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", ["rivya", "acedata"])
@pytest.mark.parametrize("outcome", ["failed", "succeeded"])
def test_looks_that_go_on_after_the_end_are_found(day: Day, api: str, outcome: str) -> None:
    day.fault({"type": "task", "outcome": outcome}, times=1)
    task_id = day.create(api=api).id
    for _ in range(4):
        day.pass_s(5)
        day.look(task_id, api=api)
    finding = found(day.judge("HM301"), "HM301")
    assert f"{task_id} was {outcome}; 3 more looks" in finding.sentence


def test_two_looks_after_the_end_are_right(day: Day) -> None:
    task_id = day.create().id
    day.look_on(task_id, 3)
    assert_clean(day.judge("HM301"), ["HM301"])


def test_a_client_that_was_started_again_may_look_twice_more(day: Day) -> None:
    run = ENDED | {"restarted_at": day.wall_ms}
    task_id = day.create().id
    day.look_on(task_id, 5)
    found(day.judge("HM301", run=ENDED), "HM301")
    assert_clean(day.judge("HM301", run=run), ["HM301"])
    day.look(task_id)
    found(day.judge("HM301", run=run), "HM301")


def test_looks_while_another_task_of_the_same_look_is_open_are_right(day: Day) -> None:
    first = day.create(api="acedata").id
    day.fault({"type": "task", "processing_s": 60}, times=1)
    second = day.create(api="acedata", prompt="Slow").id
    for _ in range(14):
        day.pass_s(5)
        body = {"action": "retrieve_batch", "ids": [first, second]}
        day.send("POST", "/hailuo/tasks", body, api="acedata")
    assert_clean(day.judge("HM301"), ["HM301"])
    for _ in range(3):
        day.send("POST", "/hailuo/tasks", body, api="acedata")
    assert {each.task for each in day.judge("HM301").findings} == {first, second}


def test_one_look_for_each_event_and_each_failed_download_is_right(day: Day) -> None:
    task_id = day.create(api="acedata", callback_url="http://127.0.0.1:9/closed").id
    day.pass_s(5)
    day.fault("result_expired", times=1)
    day.look(task_id, api="acedata")
    day.download(task_id)
    for _ in range(3):
        day.look(task_id, api="acedata")
    assert_clean(day.judge("HM301"), ["HM301"])
    for _ in range(2):
        day.look(task_id, api="acedata")
    found(day.judge("HM301"), "HM301")


def test_an_answer_that_a_fault_changed_has_not_told_the_end(day: Day) -> None:
    day.fault("status_unknown")
    task_id = day.create().id
    day.look_on(task_id, 5)
    assert "never came up" in reason_of(day.judge("HM301"), "HM301")


# --- HM302 ------------------------------------------------------------------------------------

STUCK = {"type": "task", "stuck": True}


def at_limit(day: Day, started_ms: int, limit_s: float = 60) -> dict[str, object]:
    """A run that its user's limit has ended."""
    times = {"started_at": started_ms, "ended_at": day.wall_ms}
    return {"ended_by": "judge", "limit_s": limit_s, **times}


def look_for(day: Day, task_id: str, times: int) -> int:
    """Looks every five seconds; returns when they began."""
    started_ms = day.wall_ms
    for _ in range(times):
        day.pass_s(5)
        day.look(task_id)
    return started_ms


def test_a_client_that_waits_for_ever_is_found_at_its_limit(day: Day) -> None:
    day.fault(STUCK)
    task_id = day.create().id
    started_ms = look_for(day, task_id, 12)
    finding = found(day.judge("HM302", run=at_limit(day, started_ms)), "HM302")
    assert finding.task == task_id
    assert "after 60 s" in finding.sentence


def test_a_client_that_gives_up_is_right(day: Day) -> None:
    day.fault(STUCK)
    look_for(day, day.create().id, 12)
    assert_clean(day.judge("HM302", run=ENDED | {"exit_code": 1}), ["HM302"])


def test_a_client_that_was_ended_before_its_limit_may_have_a_ceiling(day: Day) -> None:
    day.fault(STUCK)
    started_ms = look_for(day, day.create().id, 12)
    for limit_s in (61, None):
        run = at_limit(day, started_ms) | {"limit_s": limit_s}
        assert "limit" in reason_of(day.judge("HM302", run=run), "HM302")


def test_a_client_that_stopped_looking_long_before_its_limit_is_not_judged(day: Day) -> None:
    day.fault(STUCK)
    started_ms = look_for(day, day.create().id, 3)
    day.pass_s(45)
    assert reason_of(day.judge("HM302", run=at_limit(day, started_ms)), "HM302")


# --- HM303 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("exit_code", [0, 1, None])
def test_looks_that_go_on_after_final_errors_are_found(day: Day, exit_code: int | None) -> None:
    look_for(day, "task_nobody", 10)
    run = ENDED | {"exit_code": exit_code}
    finding = found(day.judge("HM303", run=run), "HM303")
    assert "the first of 10 in a row that were answered 404" in finding.sentence


def test_a_few_final_errors_are_right(day: Day) -> None:
    look_for(day, "task_nobody", 9)
    assert_clean(day.judge("HM303"), ["HM303"])


def test_final_errors_with_growing_pauses_are_right(day: Day) -> None:
    for number in range(12):
        day.look("task_nobody")
        day.pass_s(1.5**number)
    assert_clean(day.judge("HM303"), ["HM303"])


def test_final_errors_that_pass_are_right(day: Day) -> None:
    day.fault("not_found", match=LOOK, times=12)
    task_id = day.create().id
    look_for(day, task_id, 13)
    assert "never came up" in reason_of(day.judge("HM303"), "HM303")


# --- HM304, HM308, HM309, HM310 ---------------------------------------------------------------

ODD_ANSWERS: dict[str, dict[str, Any]] = {
    "HM304": {"type": "body", "set": {"/status": "upscaling"}},
    "HM308": {"type": "answer", "status": 502, "body": "<html>Bad Gateway</html>"},
    "HM309": {"type": "body", "set": {"/beta_features": {"upscale": True}}},
}


@pytest.mark.parametrize("code", ODD_ANSWERS)
def test_a_client_that_an_odd_answer_ends_is_found(day: Day, code: str) -> None:
    quiet_run(day)
    day.fault(ODD_ANSWERS[code], match=LOOK)
    task_id = day.create().id
    day.pass_s(0.5)
    day.look(task_id)
    judgement = day.judge(*ODD_ANSWERS, "HM310", control=True, run=ENDED | {"exit_code": 1})
    finding = found(judgement, code)
    assert (finding.task, finding.credits_lost) == (task_id, 57)


@pytest.mark.parametrize("code", ODD_ANSWERS)
def test_a_client_that_goes_on_after_an_odd_answer_is_right(day: Day, code: str) -> None:
    quiet_run(day)
    day.fault(ODD_ANSWERS[code], match=LOOK, times=2)
    day.wait_and_fetch(day.create().id)
    assert_clean(day.judge(code, control=True, run=ENDED), [code])


@pytest.mark.parametrize("code", ODD_ANSWERS)
def test_a_client_that_gives_up_after_several_odd_answers_is_right(day: Day, code: str) -> None:
    quiet_run(day)
    day.fault(ODD_ANSWERS[code], match=LOOK)
    task_id = day.create().id
    for _ in range(3):
        day.look(task_id)
    run = ENDED | {"exit_code": 1}
    assert_clean(day.judge(code, control=True, run=run), [code])


def test_a_trouble_at_the_last_of_very_many_looks_is_not_judged(day: Day) -> None:
    quiet_run(day)
    day.fault(STUCK)
    day.fault({"type": "connection", "how": "reset"}, match=LOOK, skip=9)
    task_id = day.create().id
    for _ in range(10):
        day.look(task_id)
    assert "may have reached" in reason_of(day.judge("HM210", control=True, run=ENDED), "HM210")


@pytest.mark.parametrize("code", ODD_ANSWERS)
def test_a_client_that_was_ended_after_an_odd_answer_is_not_judged(day: Day, code: str) -> None:
    quiet_run(day)
    day.fault(ODD_ANSWERS[code], match=LOOK)
    day.look(day.create().id)
    judgement = day.judge(code, control=True, run={"ended_by": "judge"})
    assert "from outside" in reason_of(judgement, code)


def test_an_unknown_state_of_the_other_api_is_found(day: Day) -> None:
    quiet_run(day, api="acedata")
    day.fault("status_unknown", match={"api": "acedata"})
    task_id = day.create(api="acedata").id
    day.pass_s(5)
    day.look(task_id, api="acedata")
    assert found(day.judge("HM304", control=True, run=ENDED), "HM304").task == task_id


def test_an_empty_answer_that_ends_the_client_is_found(day: Day) -> None:
    quiet_run(day)
    day.fault({"type": "body", "replace": ""}, match=LOOK)
    day.look(day.create().id)
    found(day.judge("HM308", control=True, run=ENDED), "HM308")


def test_a_new_field_in_the_answer_to_the_create_is_found(day: Day) -> None:
    quiet_run(day)
    day.fault("field_unknown")
    day.create()
    found(day.judge("HM309", control=True, run=ENDED), "HM309")


def test_a_new_field_in_a_look_is_found_although_the_one_of_the_create_was_ignored(
    day: Day,
) -> None:
    quiet_run(day)
    day.fault("field_unknown")
    day.fault(ODD_ANSWERS["HM309"], match=LOOK)
    day.look(day.create().id)
    assert "look" in found(day.judge("HM309", control=True, run=ENDED), "HM309").sentence


def test_a_known_field_of_another_type_is_no_new_field(day: Day) -> None:
    quiet_run(day)
    day.fault("field_retyped")
    day.look(day.create().id)
    assert "never came up" in reason_of(day.judge("HM309", control=True, run=ENDED), "HM309")


@pytest.mark.parametrize("api", ["rivya", "acedata"])
def test_a_success_without_a_url_that_is_believed_is_found(day: Day, api: str) -> None:
    quiet_run(day, api=api)
    day.fault("success_without_url")
    task_id = day.create(api=api).id
    day.pass_s(5)
    day.look(task_id, api=api)
    finding = found(day.judge("HM310", control=True, run=ENDED), "HM310")
    assert finding.task == task_id
    failed = ENDED | {"exit_code": 1}
    assert_clean(day.judge("HM310", control=True, run=failed), ["HM310"])


def test_a_look_after_a_success_without_a_url_is_right(day: Day) -> None:
    quiet_run(day)
    day.fault("success_without_url", times=1)
    task_id = day.create().id
    day.look_on(task_id)
    day.look(task_id)
    assert_clean(day.judge("HM310", control=True, run=ENDED), ["HM310"])


# --- HM305 ------------------------------------------------------------------------------------


def test_looks_that_come_too_often_are_noted(day: Day) -> None:
    task_id = day.create().id
    for _ in range(5):
        day.pass_s(0.2)
        day.look(task_id)
    assert "the shortest was 0.20 s" in noted(day.judge("HM305"), "HM305").sentence


def test_looks_at_the_advised_pace_are_right(day: Day) -> None:
    task_id = day.create().id
    look_for(day, task_id, 5)
    assert_clean(day.judge("HM305"), ["HM305"])


def test_several_workers_have_a_pace_each() -> None:
    """Two workers on connections of their own: each waits, although both together are quick."""
    looks = [
        Exchange(
            f"req_{number}", at_ms, "GET", "/api/v1/generations/task_1", api="rivya",
            operation="read", account="a", task="task_1", status=200, ended_ms=at_ms,
            ended_by="answered", started_wall_ms=at_ms, ended_wall_ms=at_ms,
            connection=number % 2, number=number,
        )
        for number, at_ms in enumerate(range(0, 10_000, 1000))
    ]  # fmt: skip
    order = Order("rivya", "a", "k", "m", 57, b"{}", "http://x")
    task = Task("task_1", order, 0, PlannedOutcome(0, 60_000, TaskEvent.RENDERED))
    apis = {api.name: api for api in ALL_APIS}
    log = RequestLog(Journal(max_exchanges=0, max_body_bytes=0))
    evidence = Evidence(apis, log, under_way=looks, tasks={"task_1": task}, now_ms=10_000)
    assert judge(evidence, [RULES["HM305"]]).judged == ("HM305",)
    one_connection = [structs.replace(each, connection=1) for each in looks]
    judgement = judge(replace(evidence, under_way=one_connection), [RULES["HM305"]])
    assert [each.code for each in judgement.notes] == ["HM305"]


# --- HM306 ------------------------------------------------------------------------------------


def test_orders_in_place_of_looks_are_found(day: Day) -> None:
    day.fault({"type": "task", "processing_s": 60})
    for _ in range(4):
        day.create()
        day.pass_s(5)
    finding = found(day.judge("HM306", "HM109", expected_jobs=1), "HM306")
    assert finding.credits_lost == 3 * 57
    noted(day.judge("HM306"), "HM306")
    assert_clean(day.judge("HM306", expected_jobs=4), ["HM306"])


def test_quick_orders_in_place_of_looks_are_not_two_for_one_wish(day: Day) -> None:
    day.fault({"type": "task", "processing_s": 60})
    for _ in range(3):
        day.create()
        day.pass_s(0.3)
    found(day.judge("HM306", "HM109", expected_jobs=1), "HM306")


def test_more_orders_than_in_the_quiet_run_are_found(day: Day) -> None:
    day.name = QUIET
    day.create()
    day.name = "default"
    day.fault(STUCK)
    for _ in range(3):
        day.create()
        day.pass_s(5)
    assert found(day.judge("HM306", control=True), "HM306").credits_lost == 2 * 57


def test_an_equal_order_when_the_first_job_is_done_is_right(day: Day) -> None:
    for _ in range(3):
        day.wait_and_fetch(day.create().id)
    assert_clean(day.judge("HM306"), ["HM306"])


# --- HM307 ------------------------------------------------------------------------------------


def test_a_client_without_a_time_limit_is_found(day: Day) -> None:
    started_ms = day.wall_ms
    day.fault("hang", match=LOOK)
    with day.held_look("task_any"):
        day.pass_s(60)
        finding = found(day.judge("HM307", run=at_limit(day, started_ms)), "HM307")
        assert "for 60 s" in finding.sentence
        run = at_limit(day, started_ms, 90)
        assert "limit" in reason_of(day.judge("HM307", run=run), "HM307")


def test_a_client_that_hangs_up_is_right(day: Day) -> None:
    started_ms = day.wall_ms
    day.fault("hang", match=LOOK)
    with day.held_look("task_any") as look:
        day.pass_s(20)
        look.leave()
    day.pass_s(40)
    assert_clean(day.judge("HM307", run=at_limit(day, started_ms)), ["HM307"])
    assert_clean(day.judge("HM307"), ["HM307"])


def test_a_create_that_may_be_held_open_may_be_waited_for(day: Day) -> None:
    started_ms = day.wall_ms
    day.fault("lost_answer_hang")
    video = {"action": "generate", "prompt": "Held"}
    with day.held("POST", "/hailuo/videos", video, api="acedata"):
        day.pass_s(60)
        run = at_limit(day, started_ms)
        assert "never came up" in reason_of(day.judge("HM307", run=run), "HM307")
