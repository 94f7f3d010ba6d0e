"""The kept JSON of a generation is always that of the generation as it is now."""

from __future__ import annotations

from typing import get_args

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis.rivya.response_bodies import generation, generation_json
from mock_server.core.lifecycle import FailureReason, TaskEvent
from mock_server.core.tasks import Order, PlannedOutcome, Task

TIMES = st.integers(0, 4)
TASKS = st.builds(
    Task,
    st.sampled_from(["task_1", "task_2", "t" * 100]),
    st.builds(
        lambda model, price: Order("rivya", "a", "k", model, price, b"{}", "http://a"),
        st.sampled_from(["hailuo-pro", "hailuo-standard"]),
        st.integers(1, 2),
    ),
    TIMES,
    st.builds(
        PlannedOutcome,
        TIMES,
        TIMES,
        st.sampled_from([TaskEvent.RENDERED, TaskEvent.BROKE]),
        st.sampled_from(get_args(FailureReason)),
    ),
)


@given(st.lists(st.tuples(TASKS, TIMES, st.sampled_from("ab"), st.sampled_from("ab")), max_size=9))
def test_a_kept_generation_is_the_same_as_a_new_one(
    reads: list[tuple[Task, int, str, str]],
) -> None:
    for task, now_ms, world, base_url in reads:
        new = generation(task, world=world, now_ms=now_ms, base_url=base_url)
        kept = generation_json(task, world=world, now_ms=now_ms, base_url=base_url)
        assert bytes(kept) == msgspec.json.encode(new)
