import pytest

# Their asserts show the values, as those of test files do.
pytest.register_assert_rewrite(
    "tests.faults.channel_scene",
    "tests.faults.expected_answers",
    "tests.faults.expected_on_wire",
    "tests.faults.expected_tasks",
)
