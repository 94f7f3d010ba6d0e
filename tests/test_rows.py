from __future__ import annotations

from inspect import signature

import pytest

from tests.rows import each_row


def test_every_row_runs_and_each_that_fails_is_named() -> None:
    ran = []

    @each_row("shift", [0, 10])
    @each_row("number, word", [(1, "one"), (2, "two"), (3, "three")])
    def odd(base: int, number: int, word: str, shift: int) -> None:
        ran.append(base + shift + number)
        assert (base + shift + number) % 2, word

    assert list(signature(odd).parameters) == ["base"]
    with pytest.raises(ExceptionGroup, match="2 of 2 rows failed") as raised:
        odd(base=100)
    assert ran == [101, 102, 103, 111, 112, 113]
    for shift, group in zip([0, 10], raised.value.exceptions, strict=True):
        assert isinstance(group, ExceptionGroup)
        assert group.__notes__ == [f"in the row {{'shift': {shift}}}"]
        (error,) = group.exceptions
        assert error.__notes__ == ["in the row {'number': 2, 'word': 'two'}"]
    each_row("number", [1, 3])(lambda number: None)()
    with pytest.raises(BaseExceptionGroup, match="1 of 1 rows failed"):
        each_row("number", [1])(lambda number: pytest.fail("no"))()
    with pytest.raises(AssertionError, match="without rows"):
        each_row("number", [])
