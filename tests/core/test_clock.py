"""The clock of a world: scaled or frozen, and never backwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.clock import Clock


class Source:
    """Real time that the test sets."""

    def __init__(self, ms: int = 1_000) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms


def test_a_clock_begins_at_real_time() -> None:
    assert Clock(Source(1_234)).now_ms() == 1_234


@pytest.mark.parametrize("frozen", [False, True])
def test_a_clock_can_begin_at_any_moment(frozen: bool) -> None:
    assert Clock(Source(), start_ms=0, frozen=frozen).now_ms() == 0


def test_a_real_clock_follows_its_source() -> None:
    source = Source()
    clock = Clock(source, start_ms=50)
    source.ms += 7
    assert clock.now_ms() == 57


def test_a_scale_of_60_makes_a_second_a_minute() -> None:
    source = Source()
    clock = Clock(source, start_ms=0, scale=60)
    source.ms += 1_000
    assert clock.now_ms() == 60_000


def test_a_scale_below_one_slows_time_down() -> None:
    source = Source()
    clock = Clock(source, start_ms=0, scale=0.5)
    source.ms += 1_000
    assert clock.now_ms() == 500


def test_a_frozen_clock_ignores_real_time() -> None:
    source = Source()
    clock = Clock(source, frozen=True)
    source.ms += 1_000_000
    assert clock.now_ms() == 1_000


@pytest.mark.parametrize("frozen", [False, True])
def test_advance_moves_at_once_and_by_world_time(frozen: bool) -> None:
    clock = Clock(Source(), start_ms=0, scale=60, frozen=frozen)
    clock.advance(250)
    assert clock.now_ms() == 250


@pytest.mark.parametrize("frozen", [False, True])
def test_a_clock_cannot_move_back(frozen: bool) -> None:
    clock = Clock(Source(), start_ms=500, frozen=frozen)
    with pytest.raises(ValueError, match="forward only"):
        clock.advance(-1)
    assert clock.now_ms() == 500


def test_advancing_by_nothing_is_allowed() -> None:
    clock = Clock(Source(), start_ms=500, frozen=True)
    clock.advance(0)
    assert clock.now_ms() == 500


@given(
    st.lists(st.one_of(st.integers(-500, 500), st.none()), max_size=20),
    st.sampled_from([0.5, 1.0, 60.0]),
)
def test_time_never_goes_back_even_if_the_source_does(
    steps_ms: list[int | None], scale: float
) -> None:
    """The machine's clock may be set back. A step None: the test advances the clock."""
    source = Source()
    clock = Clock(source, scale=scale)
    shown_ms = clock.now_ms()
    for step_ms in steps_ms:
        if step_ms is None:
            clock.advance(5)
        else:
            source.ms += step_ms
        assert clock.now_ms() >= shown_ms
        shown_ms = clock.now_ms()


def test_a_frozen_clock_never_reaches_a_later_time_by_itself() -> None:
    assert Clock(Source(), start_ms=0, frozen=True).real_wait_s(1) is None


@pytest.mark.parametrize(("scale", "wait_s"), [(1, 30.0), (60, 0.5), (0.5, 60.0)])
def test_the_real_wait_is_in_seconds_and_counts_the_scale(scale: float, wait_s: float) -> None:
    assert Clock(Source(), start_ms=0, scale=scale).real_wait_s(30_000) == wait_s


def test_the_real_wait_for_a_past_time_is_zero() -> None:
    assert Clock(Source(), start_ms=1_000).real_wait_s(999) == 0


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from([0.5, 1.0, 4.0, 60.0]))
def test_after_the_real_wait_the_clock_shows_the_time(
    passed_ms: int, until_ms: int, scale: float
) -> None:
    source = Source()
    clock = Clock(source, start_ms=0, scale=scale)
    source.ms += passed_ms
    wait_s = clock.real_wait_s(until_ms)
    assert wait_s is not None
    source.ms += -int(-wait_s * 1000 // 1)
    assert clock.now_ms() >= until_ms
