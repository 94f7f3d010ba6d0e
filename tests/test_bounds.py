"""Everything that clients can make repeatedly has a limit. A refusal names it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mock_server.config.settings import LimitSettings
from tests.asgi import Answer
from tests.mock import PNG, MakeMock, Mock

WORLD = "/_mock/worlds/default"
MOST = 3

HTTP = {"header_bytes", "url_bytes", "head_timeout_s", "body_timeout_s"}
"""Kept by the protocol: tests/test_request_limits.py."""

NOT_COUNTED = {
    "held_requests": "tests/test_held_requests.py",
    "body_bytes": "tests/rivya/test_validation.py",
    "json_depth": "tests/rivya/test_validation.py",
    "json_values": "tests/core/test_json_body.py",
    "whole_request_bytes": "no limit: what is longer is kept shorter",
    "upload_bytes": "tests/rivya/test_files.py",
    "stored_upload_bytes": "tests/rivya/test_files.py",
    "snapshot_bytes": "tests/test_snapshots_door.py",
    "journal_exchanges": "the oldest are evicted: tests/core/test_journal.py",
    "journal_body_bytes": "tests/core/test_journal.py",
    "journal_header_bytes": "tests/core/test_journal.py",
    "journal_archive_bytes": "the oldest are evicted: tests/core/test_packed_ring.py",
    "history_entries": "the oldest are evicted: tests/door/test_history.py",
    "inbox_bytes": "the oldest are evicted: tests/core/test_inbox.py",
}


def door(mock: Mock, method: str, path: str, body: Any = None) -> Answer:
    return mock._send(method, path, body, None, {})


def make_world(mock: Mock, _: int) -> Answer:
    return door(mock, "POST", "/_mock/worlds", {})


def make_account(mock: Mock, number: int) -> Answer:
    account = {"name": f"account-{number}", "credits": 1, "keys": []}
    return door(mock, "POST", f"{WORLD}/accounts", account)


def make_key(mock: Mock, number: int) -> Answer:
    change = {"keys": [{"key": f"rvya_sk_{number}", "api": "rivya"}]}
    return door(mock, "PATCH", f"{WORLD}/accounts/rivya-test", change)


def set_fault(mock: Mock, _: int) -> Answer:
    return door(mock, "POST", f"{WORLD}/faults", {"scenario": "used_up"})


def set_pattern(mock: Mock, number: int) -> Answer:
    effect = {"type": "error", "code": "used_up"}
    rule = {"match": {"prompt": f"a{number}"}, "effect": effect}
    return door(mock, "POST", f"{WORLD}/faults", rule)


def set_header_pattern(mock: Mock, number: int) -> Answer:
    match = {"headers": {"X-A": f"a{number}", "X-B": True}}
    rule = {"match": match, "effect": {"type": "answer", "status": 502}}
    return door(mock, "POST", f"{WORLD}/faults", rule)


def set_answer_match(mock: Mock, number: int) -> Answer:
    effect = {"type": "answer", "status": 500, "when": "after"}
    rule = {"match": {"answer": {f"/a{number}": 1}}, "effect": effect}
    return door(mock, "POST", f"{WORLD}/faults", rule)


def set_change(mock: Mock, number: int) -> Answer:
    rule = {"effect": {"type": "body", "set": {f"/a{number}": 1}}}
    return door(mock, "POST", f"{WORLD}/faults", rule)


def set_change_of_events(mock: Mock, number: int) -> Answer:
    rule = {"effect": {"type": "delivery", "null": [f"/a{number}"]}}
    return door(mock, "POST", f"{WORLD}/faults", rule)


def register_webhook(mock: Mock, _: int) -> Answer:
    events = ["generation.succeeded"]
    return mock.rivya("POST", "/webhooks", {"url": "http://127.0.0.1/a", "event_types": events})


def register_and_revoke_webhook(mock: Mock, number: int) -> Answer:
    answer = register_webhook(mock, number)
    if answer.status == 200:
        mock.rivya("DELETE", f"/webhooks/{answer.json()['id']}")
    return answer


def write_to_inbox(mock: Mock, number: int) -> Answer:
    return mock.request("POST", f"/_mock/inbox/default/name-{number}", body=b"x")


def program_inbox(mock: Mock, number: int) -> Answer:
    return door(mock, "PUT", f"{WORLD}/inbox/name-{number}", {"answers": []})


def upload(mock: Mock, number: int) -> Answer:
    return mock.upload(PNG + b"%d" % number)


MADE: dict[str, list[tuple[Callable[[Mock, int], Answer], int]]] = {
    "worlds": [(make_world, 409)],
    "accounts": [(make_account, 409)],
    "keys": [(make_key, 409)],
    "faults": [(set_fault, 409)],
    "fault_patterns": [(set_pattern, 409), (set_header_pattern, 409)],
    "fault_pointer_steps": [
        (set_answer_match, 409),
        (set_change, 409),
        (set_change_of_events, 409),
    ],
    "webhook_endpoints": [(register_webhook, 400), (register_and_revoke_webhook, 400)],
    "inboxes": [(write_to_inbox, 409), (program_inbox, 409)],
    "stored_uploads": [(upload, 400)],
}
"""By the name of its limit: what makes one more, and the status of the refusal."""

WAYS = [(name, *way) for name, ways in MADE.items() for way in ways]


@pytest.mark.parametrize(("limit", "make", "status"), WAYS)
def test_the_first_one_over_a_limit_is_refused_with_the_name_of_the_limit(
    make_mock: MakeMock, limit: str, make: Callable[[Mock, int], Answer], status: int
) -> None:
    mock = make_mock(**{f"limits__{limit}": MOST})
    answers = [make(mock, number) for number in range(MOST + 2)]
    refused = [answer for answer in answers if answer.status >= 400]
    assert [answer.status for answer in refused] == [status] * len(refused)
    assert 2 <= len(refused) <= 4  # some are there from the start
    assert f"limits.{limit}" in refused[-1].body.decode()
    assert f"{MOST} " in refused[-1].body.decode()


@pytest.mark.parametrize(("limit", "make", "status"), WAYS)
def test_a_world_is_usable_after_a_refusal_and_empty_after_a_reset(
    make_mock: MakeMock, limit: str, make: Callable[[Mock, int], Answer], status: int
) -> None:
    mock = make_mock(**{f"limits__{limit}": MOST})
    for number in range(MOST + 1):
        make(mock, number)
    assert mock.create().status == 200
    if limit == "worlds":
        door(mock, "DELETE", "/_mock/worlds/world-1")
    else:
        door(mock, "POST", f"{WORLD}/reset")
    assert make(mock, MOST + 1).status < 300


def test_every_limit_has_a_test() -> None:
    assert set(MADE) | HTTP | set(NOT_COUNTED) == set(LimitSettings.__struct_fields__)


def test_every_limit_is_on_its_page() -> None:
    page = (Path(__file__).parent.parent / "docs/limits.md").read_text("utf-8")
    known = set(LimitSettings.__struct_fields__) - {"whole_request_bytes"}
    assert [name for name in sorted(known) if f"{name}`" not in page] == []


def test_reading_an_inbox_does_not_make_it(mock: Mock) -> None:
    for number in range(5):
        assert door(mock, "GET", f"{WORLD}/inbox/name-{number}").json()["requests"] == []
    assert list(mock.world.inboxes) == []


def test_webhook_tests_end_where_too_many_deliveries_wait(make_mock: MakeMock) -> None:
    mock = make_mock(deliveries__tests_waiting=MOST)
    endpoint = register_webhook(mock, 0).json()["id"]
    answers = [mock.rivya("POST", f"/webhooks/{endpoint}/test") for _ in range(MOST + 1)]
    assert [answer.status for answer in answers] == [200] * MOST + [429]
    assert "deliveries.tests_waiting" in answers[-1].body.decode()


def test_the_attempts_of_a_delivery_are_limited(make_mock: MakeMock) -> None:
    mock = make_mock(deliveries__attempts=MOST)
    endpoint = register_webhook(mock, 0).json()["id"]
    mock.rivya("POST", f"/webhooks/{endpoint}/test")
    (delivery,) = mock.world.deliveries
    for _ in range(MOST):
        mock.world.dispatch.end_attempt(delivery, delivery.begin_attempt(0))
    answer = door(mock, "POST", f"{WORLD}/deliveries/{delivery.id}/redeliver")
    assert answer.status == 409
    assert "deliveries.attempts" in answer.body.decode()


def test_the_journal_cuts_a_long_refusal(mock: Mock) -> None:
    mock.create(**{"x" * 500_000: {}, "prompt": 1})
    mock.create(params={"y" * 500_000: 1})
    noted = [exchange.refusal or "" for exchange in mock.world.journal]
    assert max(map(len, noted)) <= 4096
    assert noted[1].startswith("Invalid: /params")
