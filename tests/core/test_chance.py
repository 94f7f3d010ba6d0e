"""Random values from a seed, a purpose and a subject."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.chance import Chance

SEEDS = st.integers(-(2**63), 2**63)
SUBJECTS = st.one_of(st.text(max_size=8), st.integers())


@given(SEEDS, st.text(max_size=8), SUBJECTS)
def test_the_same_seed_purpose_and_subject_give_the_same_bytes(
    seed: int, purpose: str, subject: str | int
) -> None:
    assert Chance(seed).random_bytes(purpose, subject) == Chance(seed).random_bytes(
        purpose, subject
    )


@given(SEEDS, st.lists(SUBJECTS, max_size=5))
def test_random_bytes_do_not_depend_on_earlier_ones(seed: int, before: list[str | int]) -> None:
    chance = Chance(seed)
    for subject in before:
        chance.random_bytes("failure", subject)
    assert chance.random_bytes("failure", "task") == Chance(seed).random_bytes("failure", "task")


def test_random_bytes_are_sixteen() -> None:
    assert len(Chance(1).random_bytes("failure", "task")) == 16


def test_seed_purpose_and_subject_each_make_a_difference() -> None:
    draws = {
        Chance(1).random_bytes("failure", "a"),
        Chance(2).random_bytes("failure", "a"),
        Chance(1).random_bytes("latency", "a"),
        Chance(1).random_bytes("failure", "b"),
        Chance(11).random_bytes("failure", "a"),
        Chance(-1).random_bytes("failure", "a"),
    }
    assert len(draws) == 6


@given(SEEDS, SUBJECTS)
def test_a_fraction_is_at_least_0_and_below_1(seed: int, subject: str | int) -> None:
    assert 0 <= Chance(seed).fraction("failure", subject) < 1


def test_fractions_are_spread_evenly() -> None:
    fractions = [Chance(7).fraction("failure", number) for number in range(4_000)]
    tenths = [sum(1 for fraction in fractions if fraction // 0.1 == tenth) for tenth in range(10)]
    assert min(tenths) > 320
    assert max(tenths) < 480
