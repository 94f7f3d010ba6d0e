"""Moving time through the control door: the answer comes after everything due has happened."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from mock_server.core.agenda import Occasion
from tests.live import Live, live
from tests.mock import KEY, TOKEN, VIDEO, Mock
from tests.outgoing.test_sender import silent_receiver
from tests.receiver import receiver

CLOCK = "/_mock/worlds/default/clock"


def advance(mock: Live, **body: Any) -> Any:
    return httpx2.post(f"{mock.url}{CLOCK}/advance", json=body, timeout=30).json()


def ask(mock: Live, url: str) -> str:
    headers = {"authorization": f"Bearer {TOKEN}"}
    body = VIDEO | {"callback_url": url}
    answer = httpx2.post(f"{mock.url}/hailuo/videos", json=body, headers=headers)
    return str(answer.json()["task_id"])


def test_advance_lists_what_happened_in_order_with_the_answers_of_receivers() -> None:
    with live(acedata__callback_waits_s=[60]) as mock, receiver(500, 200) as hook:
        task_id = ask(mock, hook.url)
        effects = advance(mock, seconds=120)["effects"]
    told = [(effect["at"][11:], effect["what"], effect["outcome"]) for effect in effects]
    assert told == [
        ("00:00:00.200Z", "task_taken_up", "processing"),
        ("00:00:01.000Z", "task_ends", "succeeded"),
        ("00:00:01.000Z", "attempt_due", "due"),
        ("00:00:01.000Z", "attempt", "answered 500"),
        ("00:01:01.000Z", "attempt_due", "due"),
        ("00:01:01.000Z", "attempt", "answered 200"),
    ]
    assert [effect["subject"] for effect in effects[:2]] == [task_id, task_id]


def test_the_clock_stays_where_it_was_moved() -> None:
    with live() as mock:
        assert advance(mock, seconds=90.5)["now"] == "2026-05-11T00:01:30.500Z"
        clock = httpx2.get(f"{mock.url}{CLOCK}").json()
        assert clock == {
            "mode": "frozen",
            "now": "2026-05-11T00:01:30.500Z",
            "scale": 1.0,
            "signatures": "world",
        }


def test_until_idle_advances_until_nothing_is_due() -> None:
    with live(acedata__callback_waits_s=[60, 3600]) as mock, receiver(500) as hook:
        ask(mock, hook.url)
        effects = advance(mock, until="idle")["effects"]
        attempts = [effect for effect in effects if effect["what"] == "attempt"]
        assert len(attempts) == 3
        assert advance(mock, until="idle")["effects"] == []


def test_two_advances_at_once_move_the_clock_by_both() -> None:
    with (
        live(deliveries__timeout_s=0.5) as mock,
        silent_receiver() as url,
        ThreadPoolExecutor() as pool,
    ):
        ask(mock, url)
        moved = [pool.submit(advance, mock, seconds=60) for _ in range(2)]
        effects = [each.result()["effects"] for each in moved]
        assert sorted(len(each) for each in effects) == [0, 4]
        clock = httpx2.get(f"{mock.url}{CLOCK}").json()
    assert clock["now"] == "2026-05-11T00:02:00.000Z"


def test_a_failing_effect_is_reported_and_the_others_happen() -> None:
    with live() as mock, receiver(200) as hook:
        world = mock.fake.world()
        world.ledger.reserve("acedata-test", "ghost", 1)  # for a task that is not there
        world.agenda.add(world.clock.now_ms() + 1000, Occasion.TASK_ENDS, "ghost")
        ask(mock, hook.url)
        effects = advance(mock, until="idle")["effects"]
    told = {effect["what"]: effect["outcome"] for effect in effects if effect["subject"] == "ghost"}
    assert told == {"task_ends": "broke: KeyError('ghost')"}
    assert effects[-1]["outcome"] == "answered 200"


def test_what_has_happened_can_be_seen_by_the_next_request(mock: Mock) -> None:
    created = mock.create().json()
    answer = mock.request(
        "POST",
        f"{CLOCK}/advance",
        headers={"content-type": "application/json"},
        body=b'{"seconds": 1}',
    )
    assert answer.status == 200
    assert mock.generation(created["id"])["status"] == "succeeded"
    assert mock.rivya("GET", "/credits", key=KEY).json() == {"current_credits": 1_000_000 - 57}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"{}", "body"),
        (b'{"seconds": -1}', "/seconds"),
        (b'{"seconds": "1"}', "/seconds"),
        (b'{"until": "idel"}', "/until"),
        (b'{"secons": 1}', "/secons"),
        (b'{"seconds": 1, "until": "idle"}', "body"),
        (b"[]", "body"),
        (b"nope", "body"),
    ],
)
def test_a_wrong_advance_is_refused_at_its_place_and_moves_nothing(
    mock: Mock, body: bytes, place: str
) -> None:
    before_ms = mock.world.clock.now_ms()
    answer = mock.request(
        "POST", f"{CLOCK}/advance", headers={"content-type": "application/json"}, body=body
    )
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert place in answer.json()["title"]
    assert mock.world.clock.now_ms() == before_ms
