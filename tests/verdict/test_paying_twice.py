"""Clients that pay twice, and clients that only seem to."""

from __future__ import annotations

import pytest

from tests.verdict.day import CREATE, ENDED, LOOK, QUIET, Day, quiet_run
from tests.verdict.judgements import assert_clean, found, noted, reason_of

RESET_AFTER = {"type": "connection", "how": "reset", "when": "after"}


def lose_answer(day: Day, **effect: object) -> None:
    """The answer to the next create is lost after its task was made."""
    day.fault(RESET_AFTER | effect, match=CREATE, times=1)


def repeat_lost(day: Day, first_key: str, second_key: str) -> None:
    """The answer to a create is lost, and it is sent again 1 s later."""
    lose_answer(day)
    day.create(key=first_key)
    day.pass_s(1)
    day.create(key=second_key)


# --- HM101 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", ["rivya", "acedata"])
def test_a_create_that_is_repeated_without_a_key_after_a_lost_answer_is_found(
    day: Day, api: str
) -> None:
    lose_answer(day)
    day.create(api=api)
    day.pass_s(1)
    second = day.create(api=api)
    finding = found(day.judge("HM101"), "HM101")
    first_task, second_task = (task.id for task in day.world.tasks)
    price = day.world.tasks[first_task].order.price_credits
    assert finding.task == second_task == second.id
    assert finding.credits_lost == price
    assert first_task in finding.sentence
    assert f"{price} credits too much" in finding.sentence
    requests = [each.id for each in day.world.journal]
    assert list(finding.requests) == requests
    assert [each.what for each in finding.timeline] == [
        f"POST {PATHS[api]}: no answer, the connection was broken; made task {first_task}, "
        f"{price} credits held",
        f"POST {PATHS[api]}: answered 200; made task {second_task}, {price} credits held",
    ]
    assert (finding.fix[0].startswith("This API has no")) == (api == "acedata")


PATHS = {"rivya": "/api/v1/generations", "acedata": "/hailuo/videos"}


@pytest.mark.parametrize(
    "effect",
    [
        {"type": "connection", "how": "hang", "when": "after"},
        {"type": "answer", "status": 502, "body": "<html>", "when": "after"},
        {"type": "error", "code": "internal_error", "when": "after"},
        {"type": "body", "cut_at": 2},
        {"type": "body", "replace": "<html>no JSON</html>"},
        {"type": "body", "drop": ["/id"]},
    ],
)
def test_an_answer_can_be_lost_in_many_ways(day: Day, effect: dict[str, object]) -> None:
    day.fault(effect, match=CREATE, times=1)
    day.create(leaves=True)
    day.pass_s(1)
    day.create()
    assert found(day.judge("HM101"), "HM101").credits_lost == 57


def test_three_attempts_are_one_finding_with_all_credits(day: Day) -> None:
    day.fault(RESET_AFTER, match=CREATE, times=2)
    for _ in range(3):
        day.create()
        day.pass_s(1)
    assert found(day.judge("HM101"), "HM101").credits_lost == 2 * 57


def test_a_repeat_within_milliseconds_is_put_down_to_the_library(day: Day) -> None:
    lose_answer(day)
    day.create(api="acedata")
    day.pass_s(0.01)
    day.create(api="acedata")
    assert "library" in found(day.judge("HM101"), "HM101").fix[0]


@pytest.mark.parametrize("api", ["rivya", "acedata"])
def test_a_client_that_does_not_repeat_an_ambiguous_create_is_right(day: Day, api: str) -> None:
    lose_answer(day)
    day.create(api=api)
    day.create(api=api, prompt="Another job")
    assert_clean(day.judge("HM101"), ["HM101"])


def test_a_repeat_with_the_same_key_is_right(day: Day) -> None:
    repeat_lost(day, "job-1", "job-1")
    assert_clean(day.judge("HM101", "HM102", "HM103"), ["HM101", "HM102", "HM103"])


def test_a_repeat_after_an_error_that_made_no_task_is_right(day: Day) -> None:
    day.fault({"type": "error", "code": "internal_error"}, match=CREATE, times=1)
    day.create()
    day.create()
    assert "never came up" in reason_of(day.judge("HM101"), "HM101")


def test_a_repeat_after_an_answer_that_wrongly_said_no_is_right(day: Day) -> None:
    day.fault({"type": "answer", "status": 429, "when": "after"}, match=CREATE, times=1)
    day.create()
    day.create()
    assert "never came up" in reason_of(day.judge("HM101"), "HM101")


def test_a_repeat_after_the_first_task_failed_is_right(day: Day) -> None:
    day.fault({"type": "task", "outcome": "failed"}, times=1)
    lose_answer(day)
    day.create()
    day.pass_s(10)
    day.create()
    assert_clean(day.judge("HM101"), ["HM101"])


def test_equal_orders_are_wanted_if_the_quiet_run_has_as_many(day: Day) -> None:
    day.name = QUIET
    for _ in range(2):
        day.create(api="acedata", callback_url="http://127.0.0.1:9/quiet")
    day.name = "default"
    lose_answer(day)
    for _ in range(2):
        day.create(api="acedata", callback_url="http://127.0.0.1:9/bad")
    assert_clean(day.judge("HM101", control=True), ["HM101"])
    day.create(api="acedata", callback_url="http://127.0.0.1:9/bad")
    assert found(day.judge("HM101", control=True), "HM101").credits_lost > 0


def test_equal_orders_are_wanted_if_so_many_jobs_are_expected(day: Day) -> None:
    lose_answer(day)
    for _ in range(2):
        day.create()
    day.create(prompt="Another job")
    assert_clean(day.judge("HM101", expected_jobs=3), ["HM101"])
    assert found(day.judge("HM101", expected_jobs=2), "HM101").credits_lost == 57


def test_two_workers_with_the_same_order_at_the_same_time_do_not_repeat(day: Day) -> None:
    day.fault({"type": "connection", "how": "hang", "when": "after"}, match=CREATE, times=1)
    with day.held_create() as first:
        day.create()
        day.pass_s(1)
        first.leave()
    assert_clean(day.judge("HM101"), ["HM101"])


# --- HM102 ------------------------------------------------------------------------------------


def test_a_new_key_for_each_attempt_is_found(day: Day) -> None:
    repeat_lost(day, "one", "two")
    finding = found(day.judge("HM101", "HM102", "HM104"), "HM102")
    assert finding.credits_lost == 57


def test_a_new_key_after_an_error_that_made_no_task_is_right(day: Day) -> None:
    day.fault({"type": "error", "code": "internal_error"}, match=CREATE, times=1)
    day.create(key="one")
    day.create(key="two")
    judgement = day.judge("HM101", "HM102", "HM104")
    assert (judgement.findings, judgement.notes) == ((), ())


# --- HM103 ------------------------------------------------------------------------------------


def test_another_body_under_the_same_key_is_found(day: Day) -> None:
    lose_answer(day)
    day.create(key="one", client_request_id="attempt-1")
    assert day.create(key="one", client_request_id="attempt-2").status == 409
    assert "key one" in found(day.judge("HM103"), "HM103").sentence


def test_a_key_used_again_after_a_refusal_is_right(day: Day) -> None:
    assert day.create(key="one", model="no-model").status == 400
    assert day.create(key="one").status == 200
    assert "never came up" in reason_of(day.judge("HM103"), "HM103")


# --- HM104 ------------------------------------------------------------------------------------


def create_after_conflict(day: Day, key: str, next_key: str) -> None:
    """A create is refused because an equal one is under way, and is sent again 1 s later."""
    day.fault({"type": "delay", "seconds": 30, "when": "after"}, match=CREATE, times=1)
    with day.held_create(key=key) as first:
        assert day.create(key=key).status == 409
        first.leave()
        day.pass_s(1)
        day.create(key=next_key)


def test_a_new_key_after_a_conflict_is_found(day: Day) -> None:
    create_after_conflict(day, "one", "two")
    finding = found(day.judge("HM101", "HM102", "HM104"), "HM104")
    assert finding.credits_lost == 57


def test_the_same_key_after_a_conflict_is_right(day: Day) -> None:
    create_after_conflict(day, "one", "one")
    assert_clean(day.judge("HM101", "HM102", "HM104"), ["HM101", "HM102", "HM104"])


# --- HM110 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "effect", [{"type": "body", "cut_at": 1000}, {"type": "answer", "status": 503}]
)
def test_a_job_made_anew_after_a_broken_download_is_found(
    day: Day, effect: dict[str, object]
) -> None:
    day.fault(effect, match={"operation": "media"}, times=1)
    task_id = day.create().id
    day.wait_and_fetch(task_id)
    day.create()
    finding = found(day.judge("HM110"), "HM110")
    assert finding.credits_lost == 57
    assert task_id in finding.sentence


def test_a_job_made_before_the_broken_download_does_not_follow_from_it(day: Day) -> None:
    day.fault("result_cut", times=1)
    task_id = day.create().id
    day.create()
    day.wait_and_fetch(task_id)
    assert_clean(day.judge("HM110"), ["HM110"])


def test_a_second_download_after_a_broken_one_is_right(day: Day) -> None:
    day.fault("result_cut", times=1)
    task_id = day.create().id
    day.wait_and_fetch(task_id)
    day.download(task_id, range="bytes=1000-")
    assert_clean(day.judge("HM110", "HM401", run=ENDED), ["HM110", "HM401"])


def test_giving_up_after_several_failed_looks_is_right(day: Day) -> None:
    quiet_run(day)
    day.fault({"type": "error", "code": "internal_error"}, match=LOOK)
    task_id = day.create().id
    day.look_on(task_id, 2)
    assert_clean(day.judge("HM111", control=True, run=ENDED | {"exit_code": 1}), ["HM111"])


# --- HM105 ------------------------------------------------------------------------------------


def test_one_key_for_two_jobs_is_found(day: Day) -> None:
    day.create(key="global")
    assert day.create(key="global", prompt="Another job").status == 409
    finding = found(day.judge("HM103", "HM105"), "HM105")
    assert "the same key global" in finding.sentence


def test_a_key_for_each_job_is_right(day: Day) -> None:
    day.create(key="one")
    day.create(key="two", prompt="Another job")
    assert_clean(day.judge("HM105"), ["HM105"])


# --- HM106 ------------------------------------------------------------------------------------


def fail_with_pauses(day: Day, pauses_s: list[float]) -> None:
    """Creates that fail, with these pauses between them."""
    day.fault({"type": "error", "code": "internal_error"}, match=CREATE)
    day.create()
    for pause_s in pauses_s:
        day.pass_s(pause_s)
        day.create()


def test_bursts_of_attempts_are_noted(day: Day) -> None:
    fail_with_pauses(day, [0.5, 1, 10, 0.5, 1, 20, 0.5, 1])
    sentence = noted(day.judge("HM106"), "HM106").sentence
    assert "came 9 times, in bursts of 3" in sentence


@pytest.mark.parametrize("pauses_s", [[1, 2, 4, 8, 16, 32], [5, 5, 5, 5, 5], [1, 3, 2, 7, 4, 9]])
def test_one_series_of_attempts_is_no_burst(day: Day, pauses_s: list[float]) -> None:
    fail_with_pauses(day, pauses_s)
    assert_clean(day.judge("HM106"), ["HM106"])


# --- HM107 and HM108 --------------------------------------------------------------------------


def kill(day: Day) -> dict[str, object]:
    """The client is killed and started again; it then ends by itself."""
    day.pass_s(0.5)
    restarted_at = day.wall_ms
    day.pass_s(0.5)
    return ENDED | {"restarted_at": restarted_at}


def test_a_running_job_ordered_again_after_a_restart_is_found(day: Day) -> None:
    first = day.create().id
    run = kill(day)
    second = day.create().id
    finding = found(day.judge("HM107", "HM108", "HM306", run=run), "HM107")
    assert (finding.task, finding.credits_lost) == (second, 57)
    assert first in finding.sentence


def test_the_same_key_after_a_restart_is_right(day: Day) -> None:
    day.create(key="job-1")
    run = kill(day)
    day.create(key="job-1")
    assert_clean(day.judge("HM107", "HM108", run=run), ["HM107", "HM108"])


def test_a_look_after_a_restart_is_right(day: Day) -> None:
    task_id = day.create().id
    run = kill(day)
    day.wait_and_fetch(task_id)
    assert_clean(day.judge("HM107", "HM108", run=run), ["HM107", "HM108"])


def test_a_task_that_is_forgotten_by_a_restart_is_found(day: Day) -> None:
    task_id = day.create().id
    run = kill(day)
    finding = found(day.judge("HM107", "HM108", run=run), "HM108")
    assert (finding.task, finding.credits_lost) == (task_id, 57)
    killed = run | {"ended_by": "judge", "exit_code": None}
    assert day.judge("HM108", run=killed).judged == ()
    assert "from outside" in reason_of(day.judge("HM108", run=killed), "HM108")


def test_without_a_restart_nothing_is_forgotten(day: Day) -> None:
    day.create()
    assert "started again" in reason_of(day.judge("HM108", run=ENDED), "HM108")


def test_a_result_that_was_fetched_before_the_restart_may_be_forgotten(day: Day) -> None:
    day.wait_and_fetch(day.create().id)
    run = kill(day)
    assert "never came up" in reason_of(day.judge("HM108", run=run), "HM108")


# --- HM109 ------------------------------------------------------------------------------------


def test_two_creates_for_one_wish_are_found(day: Day) -> None:
    day.create()
    day.pass_s(0.3)
    day.create()
    finding = found(day.judge("HM109", expected_jobs=1), "HM109")
    assert "within 300 ms" in finding.sentence
    assert finding.credits_lost == 57
    noted(day.judge("HM109"), "HM109")
    assert_clean(day.judge("HM109", expected_jobs=2), ["HM109"])


def test_two_creates_that_the_quiet_run_has_too_are_right(day: Day) -> None:
    for day.name in (QUIET, "default"):
        day.create()
        day.create()
    assert_clean(day.judge("HM109", control=True), ["HM109"])
    day.create()
    assert found(day.judge("HM109", control=True), "HM109").credits_lost == 57


def test_two_creates_that_another_rule_explains_are_found_once(day: Day) -> None:
    day.fault({"type": "error", "code": "internal_error"}, match=LOOK, times=1)
    day.look(day.create().id)
    day.create()
    found(day.judge("HM109", "HM111", expected_jobs=1), "HM111")
    found(day.judge("HM109", expected_jobs=1), "HM109")


# --- HM111 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "effect",
    [
        {"type": "error", "code": "internal_error"},
        {"type": "error", "code": "rate_limited"},
        {"type": "connection", "how": "reset"},
        {"type": "answer", "status": 502, "body": "<html>"},
    ],
)
def test_an_order_after_a_failed_look_is_found(day: Day, effect: dict[str, object]) -> None:
    day.fault(effect, match=LOOK, times=1)
    task_id = day.create().id
    day.look_on(task_id)
    day.create()
    finding = found(day.judge("HM111", "HM306", "HM101"), "HM111")
    assert finding.credits_lost == 57
    assert task_id in finding.sentence


def test_an_order_before_the_failed_look_does_not_follow_from_it(day: Day) -> None:
    task_id = day.create().id
    day.create()
    day.fault({"type": "error", "code": "rate_limited"}, match=LOOK, times=1)
    day.look_on(task_id, 2)
    assert_clean(day.judge("HM111"), ["HM111"])


def test_a_client_may_know_its_task_by_a_replay(day: Day) -> None:
    day.fault(RESET_AFTER, match=CREATE, times=1)
    day.fault({"type": "error", "code": "internal_error"}, match=LOOK, times=1)
    assert day.create(key="one").status is None
    day.look_on(day.create(key="one").id)
    day.create(key="two")
    found(day.judge("HM111"), "HM111")


def test_silence_after_a_failed_look_is_found(day: Day) -> None:
    quiet_run(day)
    day.fault({"type": "error", "code": "internal_error"}, match=LOOK)
    task_id = day.create().id
    day.look_on(task_id)
    finding = found(day.judge("HM111", control=True, run=ENDED), "HM111")
    assert (finding.task, finding.credits_lost) == (task_id, 57)
    for asked in ({"run": ENDED}, {"control": True}):
        assert reason_of(day.judge("HM111", **asked), "HM111")


def test_another_look_after_a_failed_one_is_right(day: Day) -> None:
    quiet_run(day)
    day.fault({"type": "error", "code": "internal_error"}, match=LOOK, times=2)
    day.wait_and_fetch(day.create().id)
    assert_clean(day.judge("HM111", control=True, run=ENDED), ["HM111"])


def test_a_client_that_never_goes_on_has_given_nothing_up(day: Day) -> None:
    day.name = QUIET
    day.look(day.create().id)
    day.name = "default"
    day.fault({"type": "error", "code": "internal_error"}, match=LOOK)
    day.look(day.create().id)
    judgement = day.judge("HM111", control=True, run=ENDED)
    assert "did not go on either" in reason_of(judgement, "HM111")
