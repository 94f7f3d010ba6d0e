"""Safe retries: the same Idempotency-Key and body lead to one task and one charge."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis.rivya.generations import VISIBLE_ASCII
from tests import rivya
from tests.asgi import Answer
from tests.contract_hook import document
from tests.mock import KEY, MINIMAL, PNG, START, MakeMock, Mock, form

OTHER = MINIMAL | {"prompt": "Something else"}
DAY_S = 24 * 3600


# --- the same again ----------------------------------------------------------------------------


def test_the_same_key_and_body_lead_to_the_same_task(mock: Mock) -> None:
    assert rivya.create_once(mock, "k").json() == rivya.create_once(mock, "k").json()
    assert len(mock.world.tasks) == 1


def test_a_replay_is_not_charged(mock: Mock) -> None:
    rivya.create_once(mock, "k")
    after_first = rivya.credits_of(mock)
    rivya.create_once(mock, "k")
    assert rivya.credits_of(mock) == after_first == 1_000_000 - rivya.PRO_CREDITS


def test_a_replay_has_the_status_of_the_first_answer(mock: Mock) -> None:
    assert rivya.create_once(mock, "k").status == rivya.create_once(mock, "k").status == 200


@pytest.mark.parametrize(
    ("failure_rate", "after_s", "status"),
    [(0, 0, "queued"), (0, 0.2, "processing"), (0, 1, "succeeded"), (1, 1, "failed")],
)
def test_a_replay_shows_the_task_as_it_is_now(
    make_mock: MakeMock, failure_rate: int, after_s: float, status: str
) -> None:
    mock = make_mock(tasks__failure_rate=failure_rate)
    task_id = rivya.create_once(mock, "k").json()["id"]
    mock.advance(after_s)
    replay = rivya.create_once(mock, "k").json()
    assert replay["status"] == status
    assert replay == mock.generation(task_id)


def test_a_replay_of_a_failed_task_gives_nothing_back_again(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    rivya.create_once(mock, "k")
    mock.advance(1)
    rivya.create_once(mock, "k")
    assert rivya.credits_of(mock) == 1_000_000


def test_a_replay_does_not_fail_for_lack_of_credits(poor: Mock) -> None:
    task_id = rivya.create_once(poor, "k").json()["id"]
    rivya.refusal(rivya.create_once(poor, "other"), "insufficient_credits")
    assert rivya.create_once(poor, "k").json()["id"] == task_id


def test_many_replays_are_one_task(mock: Mock) -> None:
    assert len({rivya.create_once(mock, "k").json()["id"] for _ in range(10)}) == 1


BODY = rivya.with_references(rivya.reference(), prompt_optimizer="true") | {
    "client_request_id": "c"
}


@pytest.mark.parametrize(
    "spelling",
    [
        json.dumps(BODY, indent=4),
        json.dumps(BODY, separators=(",", ":")),
        " \n" + json.dumps(BODY) + "\r\n\t",
        json.dumps(dict(reversed(BODY.items()))),
        json.dumps(BODY, sort_keys=True),
        json.dumps(BODY).replace("A cinematic", "\\u0041 cinematic"),
        json.dumps(BODY).replace("https://", "https:\\/\\/"),
    ],
)
def test_white_space_key_order_and_escapes_do_not_make_another_body(
    mock: Mock, spelling: str
) -> None:
    first = rivya.create_once(mock, "k", BODY)
    assert rivya.create_once(mock, "k", spelling.encode()).body == first.body


# --- another body ------------------------------------------------------------------------------


def changed(**fields: Any) -> dict[str, Any]:
    return BODY | fields


@pytest.mark.parametrize(
    "body",
    [
        changed(prompt="A"),
        changed(model="hailuo-standard"),
        changed(params={}),
        changed(client_request_id="d"),
        changed(ignored=1),
        rivya.with_references(rivya.reference(), rivya.reference(), prompt_optimizer="true")
        | {"client_request_id": "c"},
        {name: value for name, value in BODY.items() if name != "client_request_id"},
    ],
)
def test_the_same_key_with_another_body_is_a_conflict(mock: Mock, body: dict[str, Any]) -> None:
    rivya.create_once(mock, "k", BODY)
    rivya.refusal(rivya.create_once(mock, "k", body), "idempotency_conflict")


@pytest.mark.parametrize(
    ("first", "second"), [(1, 1.0), (1, True), (0, False), ("1", 1), ([], {}), (None, "null")]
)
def test_values_of_different_types_are_different(mock: Mock, first: Any, second: Any) -> None:
    rivya.create_once(mock, "k", MINIMAL | {"x": first})
    rivya.refusal(rivya.create_once(mock, "k", MINIMAL | {"x": second}), "idempotency_conflict")


def test_the_order_of_a_list_is_part_of_the_body(mock: Mock) -> None:
    one, two = rivya.reference(name="1"), rivya.reference(name="2")
    rivya.create_once(mock, "k", rivya.with_references(one, two))
    rivya.refusal(
        rivya.create_once(mock, "k", rivya.with_references(two, one)), "idempotency_conflict"
    )


def test_a_conflict_creates_and_charges_nothing(mock: Mock) -> None:
    rivya.create_once(mock, "k")
    before = rivya.state(mock)
    rivya.create_once(mock, "k", OTHER)
    assert rivya.state(mock) == before


def test_a_conflict_leaves_the_key_with_its_first_body(mock: Mock) -> None:
    task_id = rivya.create_once(mock, "k").json()["id"]
    rivya.create_once(mock, "k", OTHER)
    assert rivya.create_once(mock, "k").json()["id"] == task_id


# --- what a key is -----------------------------------------------------------------------------


def test_without_a_key_every_create_is_another_task(mock: Mock) -> None:
    assert mock.create().json()["id"] != mock.create().json()["id"]


@pytest.mark.parametrize(("one", "two"), [("k", "l"), ("k", "K"), ("k", "kk"), ("1", "01")])
def test_another_key_is_another_task(mock: Mock, one: str, two: str) -> None:
    assert rivya.create_once(mock, one).json()["id"] != rivya.create_once(mock, two).json()["id"]


@pytest.mark.parametrize(
    "value", ["k", "a" * 255, "!~", "".join(map(chr, range(0x21, 0x7F))), '"quoted"', "a,b;c=d"]
)
def test_a_key_is_1_to_255_visible_ascii_characters(mock: Mock, value: str) -> None:
    assert rivya.create_once(mock, value).json() == rivya.create_once(mock, value).json()


@pytest.mark.parametrize(
    "value", ["", "a" * 256, "a b", " ", "a\tb", "k\xe4se", "k\x7f", "k\xa0", "k\x00", "k\n"]
)
def test_a_key_of_another_form_is_refused_and_creates_nothing(mock: Mock, value: str) -> None:
    before = rivya.state(mock)
    rivya.invalid_at(rivya.create_once(mock, value), "header Idempotency-Key")
    assert rivya.state(mock) == before


# --- whose it is -------------------------------------------------------------------------------


def test_the_same_key_of_another_account_is_another_key(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", test={}), rivya.account("b", b={})])
    first = rivya.create_once(mock, "k").json()["id"]
    assert rivya.create_once(mock, "k", key="rvya_sk_b").json()["id"] != first


def test_the_same_key_of_another_account_may_have_another_body(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", test={}), rivya.account("b", b={})])
    rivya.create_once(mock, "k")
    assert rivya.create_once(mock, "k", OTHER, key="rvya_sk_b").status == 200


def test_another_key_of_the_same_account_shares_its_idempotency_keys(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", test={}, second={})])
    first = rivya.create_once(mock, "k").json()["id"]
    assert rivya.create_once(mock, "k", key="rvya_sk_second").json()["id"] == first


# --- what is remembered ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [MINIMAL | {"prompt": ""}, MINIMAL | {"model": "x"}, {}, [], MINIMAL | {"files": []}]
)
def test_a_refused_body_leaves_the_key_free(mock: Mock, body: Any) -> None:
    rivya.refusal(rivya.create_once(mock, "k", body), "validation_failed")
    assert rivya.create_once(mock, "k").status == 200


def test_a_create_without_credits_leaves_the_key_free(make_mock: MakeMock) -> None:
    mock = make_mock(
        accounts=[rivya.account("a", credits=rivya.PRO_CREDITS, test={})], tasks__failure_rate=1
    )
    mock.create()
    rivya.refusal(rivya.create_once(mock, "k"), "insufficient_credits")
    mock.advance(1)  # the first task fails, and its credits come back
    assert rivya.create_once(mock, "k", OTHER).status == 200


def test_a_request_over_the_rate_limit_leaves_the_key_free(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1)
    mock.rivya("GET", "/credits")
    rivya.refusal(rivya.create_once(mock, "k"), "rate_limited")
    mock.advance(60)
    assert rivya.create_once(mock, "k", OTHER).status == 200


def test_a_key_is_remembered_for_a_day(mock: Mock) -> None:
    first = rivya.create_once(mock, "k").json()["id"]
    mock.advance(DAY_S - 0.001)
    assert rivya.create_once(mock, "k").json()["id"] == first


def test_a_key_is_free_after_a_day(mock: Mock) -> None:
    first = rivya.create_once(mock, "k").json()["id"]
    mock.advance(DAY_S)
    assert rivya.create_once(mock, "k").json()["id"] != first


def test_after_a_day_a_key_may_have_another_body(mock: Mock) -> None:
    rivya.create_once(mock, "k")
    mock.advance(DAY_S)
    assert rivya.create_once(mock, "k", OTHER).status == 200


def test_a_replay_does_not_make_a_key_live_longer(mock: Mock) -> None:
    first = rivya.create_once(mock, "k").json()["id"]
    mock.advance(DAY_S / 2)
    rivya.create_once(mock, "k")
    mock.advance(DAY_S / 2)
    assert rivya.create_once(mock, "k").json()["id"] != first


def test_each_key_has_a_day_of_its_own(mock: Mock) -> None:
    rivya.create_once(mock, "early")
    mock.advance(DAY_S / 2)
    late = rivya.create_once(mock, "late").json()["id"]
    mock.advance(DAY_S / 2)
    rivya.create_once(mock, "early")
    assert rivya.create_once(mock, "late").json()["id"] == late


def test_the_lifetime_is_a_setting(make_mock: MakeMock) -> None:
    mock = make_mock(idempotency__lifetime_s=10)
    first = rivya.create_once(mock, "k").json()["id"]
    mock.advance(9.999)
    assert rivya.create_once(mock, "k").json()["id"] == first
    mock.advance(0.001)
    assert rivya.create_once(mock, "k").json()["id"] != first


# --- the header elsewhere ----------------------------------------------------------------------


@pytest.mark.parametrize("value", ["k", "", "k\xe4se", "a" * 300])
def test_on_uploads_the_header_is_ignored(mock: Mock, value: str) -> None:
    def upload() -> Answer:
        return mock.rivya(
            "POST",
            "/files",
            form({"kind": "image"}, {"file": ("a.png", PNG)}),
            headers=rivya.UPLOAD_HEADERS | {"idempotency-key": value},
        )

    assert upload().json()["id"] != upload().json()["id"]


@pytest.mark.parametrize("path", ["/credits", "/models"])
def test_on_reads_the_header_is_ignored(mock: Mock, path: str) -> None:
    assert mock.rivya("GET", path, headers={"idempotency-key": ""}).status == 200


def test_an_idempotency_key_of_an_upload_is_free_for_a_create(mock: Mock) -> None:
    body = form({"kind": "image"}, {"file": ("a.png", PNG)})
    mock.rivya("POST", "/files", body, headers=rivya.UPLOAD_HEADERS | {"idempotency-key": "k"})
    assert rivya.create_once(mock, "k").status == 200


# --- while the first request is still running --------------------------------------------------


def while_running(mock: Mock, second: dict[str, Any], *, key: str = KEY) -> tuple[Answer, Answer]:
    """A second create with the key `k`, before and after the first has its answer."""

    async def story() -> tuple[Answer, Answer]:
        async with _slow_create(mock):
            during = await _create(mock, second, key)
        return during, await _create(mock, second, key)

    return mock.driver.loop.run_until_complete(story())


@asynccontextmanager
async def _slow_create(mock: Mock) -> AsyncIterator[None]:
    """A create with the key `k`. Its client takes the answer at the end."""
    first = rivya.SlowReader(mock)
    sending = asyncio.ensure_future(first.send("/generations", MINIMAL, {"idempotency-key": "k"}))
    await first.answered.wait()
    yield
    first.released.set()
    await sending
    assert first.status == 200


async def _create(mock: Mock, body: dict[str, Any], key: str) -> Answer:
    return await mock.driver.exchange(
        "POST",
        "/api/v1/generations",
        headers={
            "authorization": f"Bearer {key}",
            "content-type": "application/json",
            "idempotency-key": "k",
        },
        chunks=[json.dumps(body).encode()],
    )


def test_a_second_request_conflicts_until_the_first_has_its_answer(mock: Mock) -> None:
    during, _ = while_running(mock, MINIMAL)
    rivya.refusal(during, "idempotency_conflict")


def test_a_second_request_after_the_answer_finds_the_task(mock: Mock) -> None:
    _, after = while_running(mock, MINIMAL)
    assert after.status == 200
    assert len(mock.world.tasks) == 1


def test_another_body_is_a_conflict_before_and_after(mock: Mock) -> None:
    during, after = while_running(mock, OTHER)
    rivya.refusal(during, "idempotency_conflict")
    rivya.refusal(after, "idempotency_conflict")


def test_another_account_does_not_wait(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", test={}), rivya.account("b", b={})])
    during, after = while_running(mock, MINIMAL, key="rvya_sk_b")
    assert during.json()["id"] == after.json()["id"]


def test_a_conflict_does_not_end_the_running_request(mock: Mock) -> None:
    first = rivya.SlowReader(mock)

    async def story() -> list[Answer]:
        sending = asyncio.ensure_future(
            first.send("/generations", MINIMAL, {"idempotency-key": "k"})
        )
        await first.answered.wait()
        seen = [await _create(mock, MINIMAL, KEY) for _ in range(3)]
        first.released.set()
        await sending
        return seen

    for answer in mock.driver.loop.run_until_complete(story()):
        rivya.refusal(answer, "idempotency_conflict")


def test_a_request_ends_also_if_its_client_has_hung_up(mock: Mock) -> None:
    first = rivya.SlowReader(mock)

    async def story() -> Answer:
        sending = asyncio.ensure_future(
            first.send("/generations", MINIMAL, {"idempotency-key": "k"})
        )
        await first.answered.wait()
        sending.cancel()
        await asyncio.wait([sending])
        return await _create(mock, MINIMAL, KEY)

    answer = mock.driver.loop.run_until_complete(story())
    assert answer.status == 200
    assert rivya.credits_of(mock) == 1_000_000 - rivya.PRO_CREDITS


def test_a_slow_reader_of_a_replay_delays_no_other_request(mock: Mock) -> None:
    rivya.create_once(mock, "k")
    during, _ = while_running(mock, MINIMAL)
    assert during.status == 200


def test_the_first_moment_of_a_replayed_task_stays(mock: Mock) -> None:
    rivya.create_once(mock, "k")
    mock.advance(5)
    created_at = rivya.create_once(mock, "k").json()["created_at"]
    assert created_at == START.replace("Z", ".000Z")


@given(st.text(max_size=4) | st.integers(0, 400).map("k".__mul__))
def test_the_document_and_the_server_take_the_same_keys(value: str) -> None:
    schema = document()["components"]["parameters"]["IdempotencyKey"]["schema"]
    by_document = jsonschema_rs.Draft202012Validator(schema).is_valid(value)
    assert bool(VISIBLE_ASCII.fullmatch(value)) == by_document
