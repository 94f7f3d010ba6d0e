"""Fixed windows per key; the first request starts one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.rate import RateWindows
from mock_server.core.refusals import RateLimited


def passes(windows: RateWindows, now_ms: int, *, key: str = "k", limit: int = 2) -> bool:
    try:
        windows.count(key, now_ms, limit=limit, window_ms=1_000)
    except RateLimited:
        return False
    return True


def retry_after_s(*, now_ms: int, window_ms: int) -> int:
    """The Retry-After at `now_ms` of a key that used up its window at 0."""
    windows = RateWindows()
    windows.count("k", 0, limit=1, window_ms=window_ms)
    with pytest.raises(RateLimited) as refused:
        windows.count("k", now_ms, limit=1, window_ms=window_ms)
    return refused.value.retry_after_s


def test_the_limit_is_the_number_of_requests_that_pass() -> None:
    windows = RateWindows()
    assert [passes(windows, 0) for _ in range(4)] == [True, True, False, False]


def test_a_limit_of_zero_is_no_limit() -> None:
    windows = RateWindows()
    assert all(passes(windows, 0, limit=0) for _ in range(100))


def test_keys_do_not_share_a_window() -> None:
    windows = RateWindows()
    assert passes(windows, 0, key="a", limit=1)
    assert passes(windows, 0, key="b", limit=1)


@pytest.mark.parametrize(
    "passing",
    [
        pytest.param({500: True, 1_499: False, 1_500: True}, id="ends at its last millisecond"),
        pytest.param(
            {0: True, 1_700: True, 2_699: False, 2_700: True}, id="starts with the next request"
        ),
        pytest.param(
            {0: True, 999: False, 1_000: True, 1_999: False}, id="a refused request moves nothing"
        ),
    ],
)
def test_a_window_lasts_a_second_from_its_first_request(passing: dict[int, bool]) -> None:
    windows = RateWindows()
    assert {at_ms: passes(windows, at_ms, limit=1) for at_ms in passing} == passing


def test_a_refused_request_does_not_count_when_the_limit_is_raised() -> None:
    windows = RateWindows()
    assert passes(windows, 0, limit=1)
    assert not passes(windows, 0, limit=1)
    assert passes(windows, 0, limit=2)


@pytest.mark.parametrize(
    ("now_ms", "told_s"), [(0, 60), (1, 60), (1_000, 59), (58_999, 2), (59_000, 1), (59_999, 1)]
)
def test_retry_after_is_whole_seconds_rounded_up(now_ms: int, told_s: int) -> None:
    assert retry_after_s(now_ms=now_ms, window_ms=60_000) == told_s


@given(st.integers(1, 100_000), st.data())
def test_after_retry_after_a_request_passes(window_ms: int, data: st.DataObject) -> None:
    now_ms = data.draw(st.integers(0, window_ms - 1))
    wait_s = retry_after_s(now_ms=now_ms, window_ms=window_ms)
    assert wait_s >= 1
    assert now_ms + wait_s * 1_000 >= window_ms


@given(st.integers(1, 10**9), st.floats(1e-6, 1e6))
def test_retry_after_is_in_the_callers_seconds_and_not_longer_than_needed(
    window_ms: int, scale: float
) -> None:
    windows = RateWindows()
    windows.count("k", 0, limit=1, window_ms=window_ms, scale=scale)
    with pytest.raises(RateLimited) as refused:
        windows.count("k", 0, limit=1, window_ms=window_ms, scale=scale)
    needed_s = min(window_ms / 1000 / scale, 10**9)
    assert needed_s <= refused.value.retry_after_s < max(needed_s + 1, 1.5)


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e308])
def test_a_very_large_scale_has_a_retry_after_too(scale: float) -> None:
    windows = RateWindows()
    windows.count("k", 0, limit=1, window_ms=60_000)
    with pytest.raises(RateLimited) as refused:
        windows.count("k", 0, limit=1, window_ms=60_000, scale=scale)
    assert 1 <= refused.value.retry_after_s <= 10**9


def test_the_refusal_names_limit_window_and_wait() -> None:
    windows = RateWindows()
    windows.count("k", 0, limit=1, window_ms=1_500)
    with pytest.raises(RateLimited, match=r"1 requests in 1\.5 s .* opens in 0\.5 s"):
        windows.count("k", 1_000, limit=1, window_ms=1_500)
