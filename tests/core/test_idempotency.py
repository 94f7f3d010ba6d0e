"""Every row of the table of dossier rivya 5. The price of a replay is in test_world.py."""

from __future__ import annotations

import pytest

from mock_server.core.idempotency import Idempotency, IdempotencyKey
from mock_server.core.refusals import IdempotencyMismatch, IdempotencyRunning

DAY_MS = 24 * 3600 * 1000


def key(
    value: str = "k", *, body: bytes = b"body", account: str = "ada", operation: str = "create"
) -> IdempotencyKey:
    return IdempotencyKey(account, operation, value, body)


@pytest.fixture
def kept() -> Idempotency:
    """Keys of which `key()` was used for task-1 at time 0 and is answered."""
    idempotency = Idempotency(DAY_MS)
    idempotency.keep(key(), "task-1", 0)
    idempotency.mark_answered(key())
    return idempotency


def test_an_unused_key_has_no_task() -> None:
    assert Idempotency(DAY_MS).task_of(key(), 0) is None


def test_the_same_key_and_body_lead_to_the_same_task(kept: Idempotency) -> None:
    assert kept.task_of(key(), 1) == "task-1"


def test_a_key_leads_to_the_same_task_each_time(kept: Idempotency) -> None:
    assert [kept.task_of(key(), 1) for _ in range(3)] == ["task-1"] * 3


def test_another_body_is_a_conflict(kept: Idempotency) -> None:
    with pytest.raises(IdempotencyMismatch):
        kept.task_of(key(body=b"other"), 1)


def test_a_conflict_leaves_the_key_with_its_first_task(kept: Idempotency) -> None:
    with pytest.raises(IdempotencyMismatch):
        kept.task_of(key(body=b"other"), 1)
    assert kept.task_of(key(), 1) == "task-1"


@pytest.mark.parametrize(
    "elsewhere",
    [key(account="ben"), key(operation="other"), key("K")],
    ids=["account", "operation", "value"],
)
def test_the_same_value_in_another_scope_is_another_key(
    kept: Idempotency, elsewhere: IdempotencyKey
) -> None:
    assert kept.task_of(elsewhere, 1) is None


def test_while_the_first_request_is_running_its_key_is_a_conflict() -> None:
    idempotency = Idempotency(DAY_MS)
    idempotency.keep(key(), "task-1", 0)
    with pytest.raises(IdempotencyRunning):
        idempotency.task_of(key(), 1)


def test_another_body_is_a_mismatch_while_the_first_request_is_running() -> None:
    idempotency = Idempotency(DAY_MS)
    idempotency.keep(key(), "task-1", 0)
    with pytest.raises(IdempotencyMismatch):
        idempotency.task_of(key(body=b"other"), 1)


def test_an_answer_ends_only_its_own_key() -> None:
    idempotency = Idempotency(DAY_MS)
    idempotency.keep(key("a"), "task-1", 0)
    idempotency.keep(key("b"), "task-2", 0)
    idempotency.mark_answered(key("a"))
    assert idempotency.task_of(key("a"), 1) == "task-1"
    with pytest.raises(IdempotencyRunning):
        idempotency.task_of(key("b"), 1)


def test_looking_a_key_up_does_not_use_it(kept: Idempotency) -> None:
    """After a refused request its key can be used again, also with another body."""
    assert kept.task_of(key("new"), 1) is None
    assert kept.task_of(key("new", body=b"corrected"), 1) is None


def test_an_answer_for_an_unused_key_changes_nothing(kept: Idempotency) -> None:
    kept.mark_answered(key("never kept"))
    assert kept.task_of(key("never kept"), 1) is None


def test_a_key_lasts_to_the_end_of_its_lifetime(
    kept: Idempotency,
) -> None:
    assert kept.task_of(key(), DAY_MS - 1) == "task-1"


def test_after_its_lifetime_a_key_can_be_used_with_any_body(kept: Idempotency) -> None:
    assert kept.task_of(key(body=b"other"), DAY_MS) is None


def test_a_replay_does_not_lengthen_the_lifetime(kept: Idempotency) -> None:
    kept.task_of(key(), DAY_MS - 1)
    assert kept.task_of(key(), DAY_MS) is None


def test_a_key_used_again_after_its_lifetime_gets_a_new_lifetime(kept: Idempotency) -> None:
    assert kept.task_of(key(), DAY_MS) is None
    kept.keep(key(), "task-2", DAY_MS)
    kept.mark_answered(key())
    assert kept.task_of(key(), 2 * DAY_MS - 1) == "task-2"
    assert kept.task_of(key(), 2 * DAY_MS) is None


def test_each_key_expires_at_its_own_time(kept: Idempotency) -> None:
    kept.keep(key("later"), "task-2", 10)
    kept.mark_answered(key("later"))
    assert kept.task_of(key(), DAY_MS) is None
    assert kept.task_of(key("later"), DAY_MS) == "task-2"


def test_all_expired_keys_are_deleted_at_once(kept: Idempotency) -> None:
    for number in range(5):
        kept.keep(key(f"more-{number}"), f"task-{number}", number)
    assert kept.task_of(key("more-4"), 2 * DAY_MS) is None
