"""Clients that receive events: forged, repeated, slow, contradictory and lost ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mock_server.apis.rivya.events import check_timestamped
from mock_server.core.signing import BadSignature
from tests.receiver import running
from tests.verdict.day import ENDED, QUIET, Day
from tests.verdict.judgements import assert_clean, found, noted, reason_of

SUCCEEDED, FAILED = "generation.succeeded", "generation.failed"


@dataclass
class Hook:
    """The client's receiver. answer: the status for a body and its headers."""

    url: str = ""
    answer: Callable[[bytes, dict[str, str]], int] = lambda *_: 200
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hook.bodies.append(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(hook.answer(body, headers))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as hook.url:
        yield hook


class Receiving(Day):
    """A client with a receiver, whose clock only `advance` moves, in step with real time."""

    def __init__(self, hook: Hook, **changes: Any) -> None:
        super().__init__(**{"clock__mode": "frozen"} | changes)
        self.hook = hook
        self.endpoint = {"name": "Mine", "url": hook.url, "event_types": [SUCCEEDED, FAILED]}
        made = self.send("POST", "/api/v1/webhooks", self.endpoint)
        assert made.status == 200, made.body
        self.secret = next(iter(self.world.endpoints)).secret

    def advance(self, seconds: float) -> None:
        """Move the clock; the events that come due are sent and answered."""
        self.pass_s(seconds)
        self.door("POST", f"/_mock/worlds/{self.name}/clock/advance", {"seconds": seconds})

    def finished_task(self, **fields: Any) -> str:
        """A task that has ended, and whose event has been sent."""
        task_id = self.create(**fields).id
        self.advance(5)
        return task_id

    def effects(self, count: int) -> list[dict[str, Any]]:
        return [{"at": self.iso(self.wall_ms), "count": count}]


@pytest.fixture
def day() -> Iterator[Receiving]:
    with listening() as hook, Receiving(hook) as day:
        yield day


def delivery(day: Receiving, **effect: Any) -> None:
    day.fault({"type": "delivery"} | effect, times=1)


# --- HM501 and HM502 --------------------------------------------------------------------------

FORGED = [{"signed_with": "wrong"}, {"signed_with": "nothing"}, {"altered": True}]
STALE = [{"signed_s": -3600}, {"signed_s": 3600}]
WRONG = [("HM501", each) for each in FORGED] + [("HM502", each) for each in STALE]


@pytest.mark.parametrize(("code", "effect"), WRONG)
@pytest.mark.parametrize("ask", [Day.look, Day.download])
def test_a_client_that_looks_or_fetches_because_of_a_wrong_event_is_found(
    day: Receiving, code: str, effect: dict[str, Any], ask: Callable[[Day, str], object]
) -> None:
    delivery(day, **effect)
    task_id = day.finished_task()
    ask(day, task_id)
    finding = found(day.judge("HM501", "HM502"), code)
    assert finding.task == task_id


@pytest.mark.parametrize(("code", "effect"), WRONG)
def test_an_accepted_wrong_event_is_a_finding_if_the_client_acts_and_else_a_note(
    day: Receiving, code: str, effect: dict[str, Any]
) -> None:
    delivery(day, **effect)
    day.finished_task()
    found(day.judge("HM501", "HM502", effects=day.effects(1)), code)
    noted(day.judge("HM501", "HM502"), code)
    assert_clean(day.judge(code, effects=day.effects(0)), [code])


@pytest.mark.parametrize(("code", "effect"), WRONG)
def test_a_client_that_refuses_a_wrong_event_is_right(
    day: Receiving, code: str, effect: dict[str, Any]
) -> None:
    day.hook.answer = lambda *_: 401
    delivery(day, **effect)
    day.finished_task()
    assert_clean(day.judge(code, effects=day.effects(0)), [code])


@pytest.mark.parametrize(("code", "effect"), WRONG)
def test_a_client_that_looks_by_its_own_clock_is_right(
    day: Receiving, code: str, effect: dict[str, Any]
) -> None:
    delivery(day, **effect)
    task_id = day.create().id
    for _ in range(4):
        day.advance(0.5)
        day.look(task_id)
    day.download(task_id)
    assert_clean(day.judge(code, effects=day.effects(1)), [code])


@pytest.mark.parametrize("late_s", [0, 0.9])
def test_a_look_that_also_came_in_the_quiet_run_may_be_due(day: Receiving, late_s: float) -> None:
    day.name = QUIET
    task_id = day.create().id
    day.pass_s(5 + late_s)  # a busy machine: in the other run it comes earlier
    day.look(task_id)
    day.name = "default"
    delivery(day, signed_with="wrong")
    task_id = day.finished_task()
    day.look(task_id)
    found(day.judge("HM501"), "HM501")
    noted(day.judge("HM501", control=True), "HM501")


def test_a_look_while_an_event_is_answered_for_long_may_have_come_by_itself() -> None:
    with listening() as hook, real_day(hook) as day:

        def answer(*_: object) -> int:
            day.pass_s(1)
            return 200

        day.hook.answer = answer
        delivery(day, signed_with="wrong")
        task_id = day.finished_task()
        day.look(task_id)
        noted(day.judge("HM501"), "HM501")


def test_callbacks_of_an_api_that_does_not_sign_are_no_forgeries(day: Receiving) -> None:
    delivery(day, signed_with="nothing")
    task_id = day.finished_task(api="acedata", callback_url=day.hook.url)
    day.download(task_id)
    assert "never came up" in reason_of(day.judge("HM501"), "HM501")


# --- HM503 ------------------------------------------------------------------------------------


def rewrites(day: Receiving) -> Callable[[bytes, dict[str, str]], int]:
    """The answer of a receiver that checks the signature over JSON that it writes anew."""

    def answer(body: bytes, headers: dict[str, str]) -> int:
        written = json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode()
        try:
            signature = headers["rivya-signature"]
            check_timestamped(signature, [day.secret], written, day.world.clock.now_ms() // 1000)
        except BadSignature:
            return 401
        return 200

    return answer


@pytest.fixture
def plain_day() -> Iterator[Receiving]:
    """Events are written as common libraries write them."""
    with listening() as hook, Receiving(hook, deliveries__spelling="compact") as day:
        yield day


def test_a_signature_over_rewritten_json_is_found(plain_day: Receiving) -> None:
    plain_day.hook.answer = rewrites(plain_day)
    plain_day.finished_task()
    delivery(plain_day, reformatted=True)
    plain_day.finished_task()
    assert "answered 401" in found(plain_day.judge("HM503"), "HM503").sentence


def test_the_quiet_run_shows_that_plain_bytes_are_accepted(plain_day: Receiving) -> None:
    day, day.name = plain_day, QUIET
    day.send("POST", "/api/v1/webhooks", day.endpoint)
    day.finished_task()
    day.name = "default"
    day.hook.answer = lambda *_: 401
    delivery(day, reformatted=True)
    day.finished_task()
    found(day.judge("HM503", control=True), "HM503")


def test_a_receiver_that_refuses_all_events_may_have_another_secret(day: Receiving) -> None:
    day.hook.answer = lambda *_: 401
    day.finished_task()
    noted(day.judge("HM503"), "HM503")


def test_a_signature_over_the_raw_bytes_is_right(day: Receiving) -> None:
    day.finished_task()
    assert_clean(day.judge("HM503"), ["HM503"])


# --- HM504 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 401])
def test_an_event_with_two_signatures_must_not_be_refused(status: int) -> None:
    with listening() as hook, Receiving(hook, rivya__rotation_overlap_s=3600) as day:
        day.finished_task()
        endpoint = next(iter(day.world.endpoints))
        day.send("POST", f"/api/v1/webhooks/{endpoint.id}/rotate-secret")
        hook.answer = lambda *_: status
        day.finished_task(prompt="Another job")
        if status == 200:
            assert_clean(day.judge("HM504"), ["HM504"])
        else:
            assert "answered 401" in found(day.judge("HM504"), "HM504").sentence


def test_a_receiver_that_never_accepted_anything_is_not_judged_at_a_rotation() -> None:
    with listening() as hook, Receiving(hook, rivya__rotation_overlap_s=3600) as day:
        hook.answer = lambda *_: 401
        endpoint = next(iter(day.world.endpoints))
        day.send("POST", f"/api/v1/webhooks/{endpoint.id}/rotate-secret")
        day.finished_task()
        assert "before the rotation" in reason_of(day.judge("HM504"), "HM504")
        day.name = QUIET
        day.send("POST", "/api/v1/webhooks", day.endpoint)
        hook.answer = lambda *_: 200
        day.finished_task()
        found(day.judge("HM504", control=True), "HM504")


# --- HM505 to HM508 ---------------------------------------------------------------------------

TWICE = ["HM505", "HM506", "HM507", "HM508"]


def repeat(day: Receiving, code: str) -> str:
    """A task of whose end the client learns twice, in the way that the rule is about."""
    if code == "HM505":
        delivery(day, copies=2, apart_s=2)
    elif code == "HM506":
        delivery(day, copies=2)
    elif code == "HM507":
        statuses = iter([500, 200])
        day.hook.answer = lambda *_: next(statuses)
    task_id = day.finished_task()
    day.advance(3600)
    if code == "HM508":
        day.look(task_id)
    return task_id


@pytest.mark.parametrize("code", TWICE)
def test_a_client_that_acts_twice_is_found(day: Receiving, code: str) -> None:
    task_id = repeat(day, code)
    finding = found(day.judge(*TWICE, effects=day.effects(2)), code)
    assert finding.task == task_id


def test_a_retry_that_is_sent_once_more_stays_a_retry(day: Receiving) -> None:
    repeat(day, "HM507")
    day.hook.answer = lambda *_: 200
    (sent,) = day.world.deliveries
    day.door("POST", f"/_mock/worlds/default/deliveries/{sent.id}/redeliver")
    day.advance(1)
    assert [each.status for each in sent.attempts] == [500, 200, 200]
    found(day.judge(*TWICE, effects=day.effects(3)), "HM507")


@pytest.mark.parametrize("code", TWICE)
def test_a_client_that_acts_once_is_right(day: Receiving, code: str) -> None:
    repeat(day, code)
    assert_clean(day.judge(code, effects=day.effects(1)), [code])


@pytest.mark.parametrize("code", TWICE)
def test_without_counts_a_second_download_is_noted(day: Receiving, code: str) -> None:
    task_id = repeat(day, code)
    assert "no counts" in reason_of(day.judge(code), code)
    day.download(task_id)
    day.download(task_id, range="bytes=0-99")
    day.download(task_id, range="bytes=100-")
    assert "no counts" in reason_of(day.judge(code), code)
    day.download(task_id)
    noted(day.judge(code), code)


# --- HM509 and HM510 --------------------------------------------------------------------------


def test_an_event_that_is_acknowledged_too_early_is_found() -> None:
    with listening() as hook, Receiving(hook, clock__mode="real") as day:
        day.finished_task()
        day.pass_s(1)
        run = ENDED | {"restarted_at": day.wall_ms}
        day.pass_s(1)
        finding = found(day.judge("HM509", run=run, effects=day.effects(0)), "HM509")
        assert "0 times for 1 ended" in finding.sentence
        assert_clean(day.judge("HM509", run=run, effects=day.effects(1)), ["HM509"])
        killed = run | {"ended_by": "judge", "ended_at": day.wall_ms}
        judgement = day.judge("HM509", run=killed, effects=day.effects(0))
        assert "from outside" in reason_of(judgement, "HM509")
        later = killed | {"ended_at": day.wall_ms + 9_000}
        found(day.judge("HM509", run=later, effects=day.effects(0)), "HM509")


def test_an_event_that_is_marked_as_done_before_its_work_is_found(day: Receiving) -> None:
    repeat(day, "HM507")
    finding = found(day.judge("HM510", run=ENDED, effects=day.effects(0)), "HM510")
    assert "at attempt 2" in finding.sentence
    assert_clean(day.judge("HM510", run=ENDED, effects=day.effects(1)), ["HM510"])
    judgement = day.judge("HM510", run={"ended_by": "judge"}, effects=day.effects(0))
    assert "from outside" in reason_of(judgement, "HM510")


@pytest.mark.parametrize(("waited_s", "is_found"), [(2.999, False), (3, True)])
def test_work_that_came_shortly_before_the_limit_is_not_lost(
    day: Receiving, waited_s: float, *, is_found: bool
) -> None:
    started_ms = day.wall_ms
    repeat(day, "HM507")
    day.pass_s(waited_s)
    taken_s = (day.wall_ms - started_ms) / 1000
    run = {"ended_by": "judge", "started_at": started_ms, "ended_at": day.wall_ms}
    judgement = day.judge("HM510", run=run | {"limit_s": taken_s}, effects=day.effects(0))
    assert [each.code for each in judgement.findings] == ["HM510"] * is_found


# --- HM511 ------------------------------------------------------------------------------------


def test_what_came_during_a_cold_start_may_be_slow_too() -> None:
    with listening() as hook, real_day(hook) as day:
        answer_after(day, 3, 6)
        delivery(day, copies=2)
        day.finished_task()
        judgement = day.judge("HM511")
        assert (judgement.findings, judgement.notes) == ((), ())


def answer_after(day: Receiving, *seconds: float) -> None:
    """The receiver takes so long for its next events."""
    takes = iter(seconds)

    def answer(*_: object) -> int:
        day.pass_s(next(takes))
        return 200

    day.hook.answer = answer


def real_day(hook: Hook) -> Receiving:
    return Receiving(hook, clock__mode="real")


def test_a_slow_acknowledgement_is_found() -> None:
    with listening() as hook, real_day(hook) as day:
        answer_after(day, 1, 6, 6)
        day.finished_task()
        day.finished_task(prompt="Another job")
        noted(day.judge("HM511"), "HM511")  # a busy machine may be slow once
        day.finished_task(prompt="A third job")
        judgement = day.judge("HM511")
        assert [each.code for each in judgement.findings] == ["HM511"] * 2
        assert "took 6.0 s" in judgement.findings[0].sentence


def test_a_receiver_whose_looks_fail_may_be_slow() -> None:
    with listening() as hook, real_day(hook) as day:
        answer_after(day, 1, 6)
        day.finished_task()
        day.fault({"type": "error", "code": "internal_error"}, match={"operation": "read"})
        task_id = day.create(prompt="Another job").id
        day.pass_s(5)
        day.look(task_id)  # the task's end is noticed now, and its event is sent
        day.door("POST", "/_mock/worlds/default/clock/advance", {"seconds": 0})
        assert "failed while it answered" in reason_of(day.judge("HM511"), "HM511")


def test_a_cold_start_may_be_slow() -> None:
    with listening() as hook, real_day(hook) as day:
        answer_after(day, 8, 0.5)
        day.finished_task()
        assert "first event" in reason_of(day.judge("HM511"), "HM511")
        day.finished_task(prompt="Another job")
        judgement = day.judge("HM511")
        assert (judgement.findings, judgement.notes) == ((), ())


def test_a_quick_acknowledgement_is_right() -> None:
    with listening() as hook, real_day(hook) as day:
        answer_after(day, 1, 1)
        day.finished_task()
        day.finished_task(prompt="Another job")
        assert_clean(day.judge("HM511"), ["HM511"])


# --- HM512 ------------------------------------------------------------------------------------


def test_an_order_after_a_false_failure_is_found(day: Receiving) -> None:
    delivery(day, contradicted=True, late_s=1)
    task_id = day.create().id
    day.advance(1.5)
    day.create()
    finding = found(day.judge("HM512"), "HM512")
    assert finding.credits_lost == 57
    assert f"Task {task_id} succeeded" in finding.sentence


def test_a_look_after_a_false_failure_is_right(day: Receiving) -> None:
    delivery(day, contradicted=True, late_s=1)
    task_id = day.finished_task()
    day.look(task_id)
    assert_clean(day.judge("HM512"), ["HM512"])


# --- HM513 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400])
def test_a_refusal_of_an_unknown_type_is_noted(day: Receiving, status: int) -> None:
    day.hook.answer = lambda *_: status
    delivery(day, event_type="generation.upscaled")
    day.finished_task()
    if status == 200:
        assert_clean(day.judge("HM513"), ["HM513"])
    else:
        assert "generation.upscaled" in noted(day.judge("HM513"), "HM513").sentence


# --- HM514 ------------------------------------------------------------------------------------


def lose_event(day: Receiving, api: str) -> tuple[str, dict[str, Any]]:
    """A task whose event is never sent, and a run that has reached its limit."""
    started_at = day.wall_ms
    delivery(day, copies=0)
    fields = {"callback_url": day.hook.url} if api == "acedata" else {}
    task_id = day.finished_task(api=api, **fields)
    day.advance(60)
    times = {"started_at": started_at, "ended_at": day.wall_ms}
    return task_id, {"ended_by": "judge", "limit_s": 60} | times


@pytest.mark.parametrize("api", ["rivya", "acedata"])
def test_a_lost_event_that_is_never_noticed_is_found(day: Receiving, api: str) -> None:
    task_id, run = lose_event(day, api)
    finding = found(day.judge("HM514", run=run), "HM514")
    assert finding.task == task_id
    assert finding.credits_lost > 0
    assert reason_of(day.judge("HM514", run=run | {"limit_s": 90}), "HM514")
    assert reason_of(day.judge("HM514", run=ENDED), "HM514")
    assert_clean(day.judge("HM514", run=ENDED | {"exit_code": 1}), ["HM514"])


def test_a_look_at_a_task_whose_event_was_lost_is_right(day: Receiving) -> None:
    task_id, run = lose_event(day, "rivya")
    day.look(task_id)
    assert_clean(day.judge("HM514", run=run), ["HM514"])


# --- what is not judged -----------------------------------------------------------------------


def test_an_inbox_of_this_server_is_no_receiver_of_the_client() -> None:
    with Day(clock__mode="frozen") as day:
        url = "http://127.0.0.1:9/_mock/inbox/default/mine"
        day.create(api="acedata", callback_url=url)
        assert "receiver of the client" in reason_of(day.judge("HM501"), "HM501")
