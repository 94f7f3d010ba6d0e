"""Clients that retry what cannot succeed, too early, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from tests.verdict.day import CREATE, ENDED, LOOK, QUIET, Day, quiet_run
from tests.verdict.judgements import assert_clean, found, noted, reason_of

# --- HM201 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", ["rivya", "acedata"])
def test_a_create_repeated_for_lack_of_credits_is_found(day: Day, api: str) -> None:
    set_credits(day, f"{api}-test", 0)
    for _ in range(3):
        assert day.create(api=api).status in {402, 403}
        day.pass_s(20)
    assert "2 more times" in found(day.judge("HM201"), "HM201").sentence


def test_one_more_attempt_for_lack_of_credits_is_right(day: Day) -> None:
    day.fault("insufficient_credits")
    for _ in range(2):
        day.create()
    assert_clean(day.judge("HM201"), ["HM201"])


def test_attempts_after_credits_were_given_back_are_right(day: Day) -> None:
    set_credits(day, "rivya-test", 60)
    day.fault({"type": "task", "outcome": "failed", "processing_s": 30}, times=3)
    for _ in range(3):
        assert day.create(prompt="First").status == 200
        assert day.create().status == 402
        day.pass_s(60)
        day.look("task_any")  # the world notices that its task has failed
    assert_clean(day.judge("HM201"), ["HM201"])


def test_attempts_after_a_top_up_are_right(day: Day) -> None:
    for credits in (0, 1, 2, 3):
        set_credits(day, "rivya-test", credits)
        assert day.create().status == 402
        day.pass_s(1)
    assert_clean(day.judge("HM201"), ["HM201"])


def test_a_lack_of_credits_that_comes_as_429_is_judged_by_another_rule(day: Day) -> None:
    quiet_run(day)
    no_credits_as_429(day)
    for _ in range(3):
        day.create()
    judgement = day.judge("HM201", "HM204", "HM205", control=True, run=ENDED)
    noted(judgement, "HM204")


def test_stopping_at_a_lack_of_credits_that_comes_as_429_is_right(day: Day) -> None:
    quiet_run(day)
    no_credits_as_429(day)
    day.create()
    assert_clean(day.judge("HM204", control=True, run=ENDED), ["HM204"])
    assert "never came up" in reason_of(day.judge("HM205", control=True, run=ENDED), "HM205")


def no_credits_as_429(day: Day) -> None:
    body = '{"error": {"code": "insufficient_credits", "message": "Too few."}}'
    empty = {"type": "answer", "status": 429, "body": body, "content_type": "application/json"}
    day.fault(empty, match=CREATE)


def set_credits(day: Day, account: str, credits: int) -> None:
    day.door("PATCH", f"/_mock/worlds/default/accounts/{account}", {"credits": credits})


# --- HM202 ------------------------------------------------------------------------------------


def test_a_refused_body_that_comes_again_is_found(day: Day) -> None:
    for number in range(3):
        assert day.create(model="no-model", key=f"key-{number}").status == 400
    finding = found(day.judge("HM202"), "HM202")
    assert "with 400; the same body came 2 more times" in finding.sentence


def test_a_corrected_body_is_right(day: Day) -> None:
    assert day.create(model="no-model").status == 400
    assert day.create().status == 200
    assert_clean(day.judge("HM202"), ["HM202"])


def test_two_equal_wrong_orders_are_no_retry_if_the_quiet_run_has_two(day: Day) -> None:
    day.name = QUIET
    for _ in range(2):
        day.create()
    day.name = "default"
    day.fault("validation_failed")
    for _ in range(2):
        day.create()
    assert_clean(day.judge("HM202", control=True), ["HM202"])
    day.create()
    found(day.judge("HM202", control=True), "HM202")


# --- HM206 ------------------------------------------------------------------------------------


def test_a_request_that_comes_before_retry_after_has_passed_is_found(day: Day) -> None:
    day.fault("rate_limited", match={"api": "rivya"}, times=1)
    day.create()
    day.pass_s(1.5)
    day.create()
    finding = found(day.judge("HM206"), "HM206")
    assert "asked for a pause of 2 s" in finding.sentence
    assert "after 1.5 s" in finding.sentence


def test_waiting_for_retry_after_and_giving_up_are_right(day: Day) -> None:
    day.fault("rate_limited", match={"api": "rivya"}, times=2)
    day.create()
    day.pass_s(2)
    day.create()
    assert_clean(day.judge("HM206"), ["HM206"])


def test_another_worker_need_not_wait(day: Day) -> None:
    day.fault("rate_limited", match={"api": "rivya"}, times=1)
    day.create()
    day.create(prompt="Another job")
    assert_clean(day.judge("HM206"), ["HM206"])


@pytest.mark.parametrize(
    ("connections", "first_s", "third_s", "is_right"),
    [
        ((0, 1, 0, 1, 1), 0, 2, True),  # two looks at once show that there are two workers
        ((0, 1, 2, 3, 4), 0, 2, True),
        ((0, 0, 1, 0, 1), 1, 2, True),  # one worker would have stayed on its first connection
        ((0, 0, 0, 0, 0), 1, 2, True),  # it made no such pause before: it keeps this one
        ((0, 0, 0, 1, 1), 1, 1, False),
        ((0, 1, 2, 3, 4), 1, 1, False),  # a new connection for each request proves nothing
    ],
)
@pytest.mark.parametrize("late_s", [0.01, 0.9])
def test_a_request_that_another_worker_has_sent_already_is_no_repeat(
    day: Day,
    connections: tuple[int, ...],
    first_s: float,
    third_s: float,
    late_s: float,
    *,
    is_right: bool,
) -> None:
    task = day.create().id
    day.fault("rate_limited", match=LOOK, skip=2, times=1)
    for connection, pause_s in zip(connections, (first_s, 1, late_s, third_s, 0), strict=True):
        day.connection = connection
        day.look(task)
        day.pass_s(pause_s)
    if is_right:
        assert_clean(day.judge("HM206"), ["HM206"])
    else:
        found(day.judge("HM206"), "HM206")


@pytest.mark.parametrize(
    ("late_s", "run", "looks", "is_right"),
    [
        (0.2, ENDED, 3, True),
        (0.2, {"ended_by": "judge"}, 3, False),
        (1.2, ENDED, 3, False),
        (0.2, ENDED, 4, False),
    ],
)
def test_a_client_that_ends_at_the_pause_is_not_accused_of_a_look_on_its_way(
    day: Day, late_s: float, run: dict[str, Any], looks: int, *, is_right: bool
) -> None:
    task = day.create().id
    day.fault("rate_limited", match=LOOK, skip=1, times=1)
    for _ in range(looks):
        day.look(task)
        day.pass_s(late_s)
    if is_right:
        assert_clean(day.judge("HM206", run=run), ["HM206"])
    else:
        found(day.judge("HM206", run=run), "HM206")


def test_an_order_that_comes_too_early_is_found_also_if_nothing_follows(day: Day) -> None:
    day.fault("rate_limited", match=CREATE, times=1)
    day.create()
    day.pass_s(0.2)
    day.create()
    found(day.judge("HM206", run=ENDED), "HM206")


def test_the_end_of_an_answer_may_be_noted_after_the_client_had_it(day: Day) -> None:
    day.fault("rate_limited", match={"api": "rivya"}, times=1)
    asked_s = int(day.create().retry_after or 0)
    late = list(day.world.journal)[-1]
    late.ended_ms = late.started_ms + 400
    late.ended_wall_ms = day.wall_ms + 400
    day.pass_s(asked_s)
    day.create()
    assert_clean(day.judge("HM206"), ["HM206"])


def test_a_fast_clock_does_not_shorten_the_pause() -> None:
    with Day(time_scale=60.0) as day:
        day.fault("rate_limited", match={"api": "rivya"}, times=2)
        day.create()
        day.pass_s(0.1)  # six seconds of the world
        day.create()
        assert "after 0.1 s" in found(day.judge("HM206"), "HM206").sentence


@pytest.mark.parametrize(("mode", "seconds"), [("frozen", 2), ("real", 5)])
def test_a_clock_that_is_moved_counts_as_a_pause(mode: str, seconds: int) -> None:
    with Day(clock__mode=mode) as day:
        day.fault("rate_limited", match={"api": "rivya"}, times=1)
        day.create()
        day.door("POST", "/_mock/worlds/default/clock/advance", {"seconds": seconds})
        day.create()
        assert_clean(day.judge("HM206"), ["HM206"])


def test_without_retry_after_nothing_is_judged(day: Day) -> None:
    day.create()
    assert "never came up" in reason_of(day.judge("HM206"), "HM206")


# --- HM203 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["api_key_revoked", "api_scope_denied"])
def test_a_refused_key_that_is_sent_again_is_found(day: Day, code: str) -> None:
    day.fault(code, match={"api": "rivya"})
    for _ in range(3):
        day.create()
        day.pass_s(1)
    assert "2 more times" in found(day.judge("HM203"), "HM203").sentence


def test_one_more_attempt_with_a_key_that_may_be_new_is_right(day: Day) -> None:
    day.fault("api_key_expired", times=2)
    for _ in range(3):
        day.create()
    assert_clean(day.judge("HM203"), ["HM203"])


def test_unknown_keys_may_be_several(day: Day) -> None:
    for number in range(3):
        headers = {"authorization": f"Bearer rvya_sk_number_{number}"}
        assert day.send("GET", "/api/v1/credits", headers=headers).status == 401
    noted(day.judge("HM203"), "HM203")


# --- HM204 ------------------------------------------------------------------------------------


def test_exhausted_credits_as_429_that_are_retried_are_noted(day: Day) -> None:
    no_credits_as_429(day)
    for _ in range(3):
        day.create()
    assert "2 more times" in noted(day.judge("HM204"), "HM204").sentence


def test_a_rate_limit_is_no_lack_of_credits(day: Day) -> None:
    day.fault("rate_limited", match={"api": "rivya"})
    for _ in range(3):
        day.create()
    assert "never came up" in reason_of(day.judge("HM204"), "HM204")


# --- HM205 ------------------------------------------------------------------------------------


def test_a_client_that_gives_up_at_429_is_found(day: Day) -> None:
    quiet_run(day)
    day.fault("rate_limited", match={"api": "rivya", **CREATE})
    day.create()
    finding = found(day.judge("HM205", control=True, run=ENDED | {"exit_code": 1}), "HM205")
    assert "without another attempt" in finding.sentence


def test_a_client_whose_order_came_late_may_have_no_time_to_send_it_again(day: Day) -> None:
    quiet_run(day)
    day.send("GET", "/api/v1/credits")
    day.pass_s(60)  # longer than the whole quiet run took
    day.fault("rate_limited", match={"api": "rivya", **CREATE})
    day.create()
    judgement = day.judge("HM205", control=True, run=ENDED | {"exit_code": 1})
    assert "its own time limit" in reason_of(judgement, "HM205")


def test_a_client_that_gives_up_at_429_on_a_look_is_found(day: Day) -> None:
    quiet_run(day)
    day.fault("rate_limited", match={"api": "rivya", **LOOK})
    task_id = day.create().id
    day.look(task_id)
    judgement = day.judge("HM205", "HM111", control=True, run=ENDED)
    assert found(judgement, "HM205").task == task_id


def test_a_client_that_tries_again_after_429_is_right(day: Day) -> None:
    quiet_run(day)
    day.fault("rate_limited", match={"api": "rivya"}, times=2)
    for _ in range(3):
        day.create()
        day.pass_s(2)
    assert_clean(day.judge("HM205", control=True, run=ENDED), ["HM205"])


def test_giving_up_after_several_429_is_right(day: Day) -> None:
    quiet_run(day)
    day.fault("rate_limited", match={"api": "rivya", **CREATE})
    for _ in range(2):
        day.create()
        day.pass_s(2)
    run = ENDED | {"exit_code": 1}
    assert_clean(day.judge("HM205", control=True, run=run), ["HM205"])


def test_giving_up_instead_of_a_long_wait_is_right(day: Day) -> None:
    quiet_run(day)
    limited = {"type": "error", "code": "rate_limited", "retry_after_s": 60}
    day.fault(limited, match={"api": "rivya", **CREATE})
    day.create()
    run = ENDED | {"exit_code": 1}
    assert_clean(day.judge("HM205", "HM206", control=True, run=run), ["HM205", "HM206"])


def test_giving_up_instead_of_waiting_for_a_date_is_right(day: Day) -> None:
    quiet_run(day)
    limit_until(day, 3)
    day.create()
    assert_clean(day.judge("HM205", control=True, run=ENDED | {"exit_code": 1}), ["HM205"])


def test_a_client_that_was_ended_from_outside_has_not_given_up(day: Day) -> None:
    quiet_run(day)
    day.fault("rate_limited", match={"api": "rivya", **CREATE})
    day.create()
    killed = {"ended_by": "judge"}
    assert "from outside" in reason_of(day.judge("HM205", control=True, run=killed), "HM205")


# --- HM207 ------------------------------------------------------------------------------------


def limit_until(day: Day, seconds: float) -> None:
    """The next request is answered 429 with a date in Retry-After."""
    at = datetime.fromtimestamp(day.wall_ms / 1000 + seconds, UTC)
    headers = {"Retry-After": format_datetime(at, usegmt=True)}
    day.fault({"type": "answer", "status": 429, "headers": headers}, times=1)


def test_a_request_before_the_date_of_retry_after_is_found(day: Day) -> None:
    limit_until(day, 30)
    day.create()
    day.pass_s(1)
    day.create()
    finding = found(day.judge("HM206", "HM207"), "HM207")
    assert "pause of 30 s" in finding.sentence
    assert "after 1.0 s" in finding.sentence


@pytest.mark.parametrize("waited_s", [29.1, 30])
def test_a_request_after_the_date_of_retry_after_is_right(day: Day, waited_s: float) -> None:
    limit_until(day, 30)
    day.create()
    day.pass_s(waited_s)
    day.create()
    assert_clean(day.judge("HM207"), ["HM207"])


def test_a_client_that_ignores_each_retry_after_is_found_once(day: Day) -> None:
    limit_until(day, 30)
    day.create()
    day.fault("rate_limited", match={"api": "rivya"}, times=1)
    day.create()
    day.create()
    found(day.judge("HM206", "HM207"), "HM206")


def test_waiting_for_a_huge_retry_after_is_noted(day: Day) -> None:
    huge = {"type": "error", "code": "rate_limited", "retry_after_s": 86400}
    day.fault(huge, match={"api": "rivya"})
    started_at = day.wall_ms
    day.create()
    day.pass_s(30)
    run = {"ended_by": "judge", "limit_s": 30, "started_at": started_at, "ended_at": day.wall_ms}
    assert "seems to wait" in noted(day.judge("HM207", run=run), "HM207").sentence
    assert_clean(day.judge("HM207", run=ENDED), ["HM207"])
    day.create()
    assert found(day.judge("HM207", run=ENDED), "HM207").requests


def test_a_retry_after_that_is_no_time_is_not_judged(day: Day) -> None:
    headers = {"Retry-After": "soon"}
    day.fault({"type": "answer", "status": 429, "headers": headers}, times=1)
    day.create()
    day.create()
    judgement = day.judge("HM206", "HM207")
    assert len(judgement.inconclusive) == 2


# --- HM208 and HM209 --------------------------------------------------------------------------


def fail_creates(day: Day, pauses_s: list[float], **fields: Any) -> None:
    day.create(**fields)
    for pause_s in pauses_s:
        day.pass_s(pause_s)
        day.create(**fields)


def test_pauses_that_do_not_grow_are_noted(day: Day) -> None:
    day.fault({"type": "error", "code": "internal_error"})
    fail_creates(day, [1, 1, 1, 1])
    assert "from 1.00 s to 1.00 s" in noted(day.judge("HM208"), "HM208").sentence


def test_pauses_that_grow_are_right(day: Day) -> None:
    day.fault({"type": "error", "code": "internal_error"})
    fail_creates(day, [1, 2, 4, 8])
    assert_clean(day.judge("HM208"), ["HM208"])


def test_equal_pauses_that_retry_after_asks_for_are_not_judged(day: Day) -> None:
    day.fault("rate_limited", match={"api": "rivya"})
    fail_creates(day, [2, 2, 2, 2])
    assert "never came up" in reason_of(day.judge("HM208"), "HM208")


def test_looks_at_the_advised_pace_need_not_slow_down(day: Day) -> None:
    day.fault({"type": "error", "code": "internal_error"}, match=LOOK)
    task_id = day.create().id
    day.look_on(task_id, 6)
    assert_clean(day.judge("HM208"), ["HM208"])


def test_two_jobs_with_the_same_pauses_are_noted(day: Day) -> None:
    day.fault({"type": "error", "code": "internal_error"})
    fail_creates(day, [1, 2, 4], prompt="One")
    fail_creates(day, [1.09, 2.03, 4.001], prompt="Two")  # one is late, and timers are not exact
    noted(day.judge("HM209"), "HM209")


@pytest.mark.parametrize("others_s", [[1.1, 2.3, 4], [1.09, 2.05, 4], [0.9, 2.8, 3.4]])
def test_two_jobs_with_other_pauses_are_right(day: Day, others_s: list[float]) -> None:
    day.fault({"type": "error", "code": "internal_error"})
    fail_creates(day, [1, 2, 4], prompt="One")
    fail_creates(day, others_s, prompt="Two")
    assert_clean(day.judge("HM209"), ["HM209"])


# --- HM210 ------------------------------------------------------------------------------------


def test_a_run_that_ends_with_a_broken_look_is_found(day: Day) -> None:
    quiet_run(day)
    day.fault({"type": "connection", "how": "reset"}, match=LOOK)
    task_id = day.create().id
    day.look_on(task_id)
    judgement = day.judge("HM210", "HM111", control=True, run=ENDED | {"exit_code": 1})
    assert found(judgement, "HM210").credits_lost == 57


def test_a_client_may_give_up_because_its_own_time_is_over(day: Day) -> None:
    quiet_run(day)
    day.fault({"type": "task", "processing_s": 600})
    day.fault({"type": "connection", "how": "reset"}, match=LOOK, skip=3)
    day.look_on(day.create().id, 4)  # longer than the whole quiet run took
    judgement = day.judge("HM210", control=True, run=ENDED | {"exit_code": 1})
    assert "its own time limit" in reason_of(judgement, "HM210")


def test_giving_up_after_two_different_troubles_is_right(day: Day) -> None:
    quiet_run(day)
    day.fault({"type": "error", "code": "internal_error"}, match=LOOK, times=1)
    day.fault({"type": "connection", "how": "reset"}, match=LOOK)
    task_id = day.create().id
    assert day.look(task_id).status == 500
    assert day.look(task_id).status is None
    assert_clean(day.judge("HM210", control=True, run=ENDED | {"exit_code": 1}), ["HM210"])


def test_a_look_after_a_broken_one_is_right(day: Day) -> None:
    quiet_run(day)
    day.fault({"type": "connection", "how": "reset"}, match=LOOK, times=2)
    day.wait_and_fetch(day.create().id)
    assert_clean(day.judge("HM210", "HM111", control=True, run=ENDED), ["HM111", "HM210"])
