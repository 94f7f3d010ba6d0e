"""Runs a test for each row of a table, as one test: hundreds of small tests of their own take
longer to collect and to report than to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import signature
from typing import Any

import pytest

Test = Callable[..., None]


def each_row(names: str, rows: Iterable[Any]) -> Callable[[Test], Test]:
    """A decorator like `pytest.mark.parametrize`. Every row runs, and the fixtures are the same for
    all. Raises an exception group that names each row that fails."""
    arguments = names.split(", ")
    table = [row if len(arguments) > 1 else (row,) for row in rows]
    assert table, "a table without rows proves nothing"

    def decorated(test: Test) -> Test:
        @wraps(test)
        def run(**fixtures: Any) -> None:
            failed: list[BaseException] = []
            for row in table:
                given = dict(zip(arguments, row, strict=True))
                try:
                    test(**fixtures, **given)
                except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - named below
                    error.add_note(f"in the row {given}")
                    failed.append(error)
            if failed:
                raise BaseExceptionGroup(f"{len(failed)} of {len(table)} rows failed", failed)

        known = signature(test)
        others = [each for each in known.parameters.values() if each.name not in arguments]
        run.__signature__ = known.replace(parameters=others)  # type: ignore[attr-defined]
        return run

    return decorated
