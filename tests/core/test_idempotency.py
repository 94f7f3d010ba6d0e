"""Row by row, the table of dossier rivya 5. What a replay costs is in test_world.py."""

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
    """Where `key()` led to task-1 at moment 0, and the answer has gone out."""
    idempotency = Idempotency(DAY_MS)
    idempotency.keep(key(), "task-1", 0)
    idempotency.answered(key())
    return idempotency


def test_a_key_never_used_is_free() -> None:
    assert Idempotency(DAY_MS).task_of(key(), 0) is None


def test_the_same_key_and_body_lead_to_the_same_task(kept: Idempotency) -> None:
    assert kept.task_of(key(), 1) == "task-1"


def test_it_does_so_as_often_as_asked(kept: Idempotency) -> None:
    assert [kept.task_of(key(), 1) for _ in range(3)] == ["task-1"] * 3


def test_another_body_is_a_conflict(kept: Idempotency) -> None:
    with pytest.raises(IdempotencyMismatch):
        kept.task_of(key(body=b"other"), 1)


def test_a_conflict_does_not_take_the_key_away(kept: Idempotency) -> None:
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


def test_while_the_first_call_is_running_the_key_is_a_conflict() -> None:
    idempotency = Idempotency(DAY_MS)
    idempotency.keep(key(), "task-1", 0)
    with pytest.raises(IdempotencyRunning):
        idempotency.task_of(key(), 1)


def test_another_body_is_told_so_even_while_the_first_call_is_running() -> None:
    idempotency = Idempotency(DAY_MS)
    idempotency.keep(key(), "task-1", 0)
    with pytest.raises(IdempotencyMismatch):
        idempotency.task_of(key(body=b"other"), 1)


def test_an_answer_frees_only_its_own_key() -> None:
    idempotency = Idempotency(DAY_MS)
    idempotency.keep(key("a"), "task-1", 0)
    idempotency.keep(key("b"), "task-2", 0)
    idempotency.answered(key("a"))
    assert idempotency.task_of(key("a"), 1) == "task-1"
    with pytest.raises(IdempotencyRunning):
        idempotency.task_of(key("b"), 1)


def test_a_key_that_was_looked_up_but_not_kept_stays_free(kept: Idempotency) -> None:
    """A refused request keeps nothing: its key can be used again, with another body too."""
    assert kept.task_of(key("new"), 1) is None
    assert kept.task_of(key("new", body=b"corrected"), 1) is None


def test_an_answer_without_a_task_is_no_harm(kept: Idempotency) -> None:
    kept.answered(key("never kept"))
    assert kept.task_of(key("never kept"), 1) is None


def test_a_key_holds_to_the_last_millisecond_of_its_lifetime(kept: Idempotency) -> None:
    assert kept.task_of(key(), DAY_MS - 1) == "task-1"


def test_at_the_end_of_its_lifetime_a_key_is_free_for_any_body(kept: Idempotency) -> None:
    assert kept.task_of(key(body=b"other"), DAY_MS) is None


def test_a_replay_does_not_lengthen_the_lifetime(kept: Idempotency) -> None:
    kept.task_of(key(), DAY_MS - 1)
    assert kept.task_of(key(), DAY_MS) is None


def test_a_key_used_again_after_its_lifetime_gets_a_whole_new_one(kept: Idempotency) -> None:
    assert kept.task_of(key(), DAY_MS) is None
    kept.keep(key(), "task-2", DAY_MS)
    kept.answered(key())
    assert kept.task_of(key(), 2 * DAY_MS - 1) == "task-2"
    assert kept.task_of(key(), 2 * DAY_MS) is None


def test_each_key_ends_at_its_own_moment(kept: Idempotency) -> None:
    kept.keep(key("later"), "task-2", 10)
    kept.answered(key("later"))
    assert kept.task_of(key(), DAY_MS) is None
    assert kept.task_of(key("later"), DAY_MS) == "task-2"


def test_all_that_has_expired_is_forgotten_at_once(kept: Idempotency) -> None:
    for number in range(5):
        kept.keep(key(f"more-{number}"), f"task-{number}", number)
    assert kept.task_of(key("more-4"), 2 * DAY_MS) is None
