"""Times are written as ISO 8601 has them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.clock import LAST_MS
from mock_server.edge.timestamps import moment, moment_text, timestamp


@given(st.integers(0, LAST_MS) | st.sampled_from([0, 999, 1000, LAST_MS]))
def test_a_time_in_milliseconds_is_written_like_its_moment(at_ms: int) -> None:
    assert timestamp(at_ms) == moment_text(moment(at_ms))


def test_a_time_has_three_digits_after_the_second() -> None:
    assert timestamp(1772446530007) == "2026-03-02T10:15:30.007Z"
