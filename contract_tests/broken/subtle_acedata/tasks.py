"""The tasks in answers of Ace Data Cloud, for broken servers that change them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contract_tests.broken.acedata import is_batch, is_task
from contract_tests.broken.broken_server import Answer


def tasks_in(shown: Any) -> list[Any]:
    """The tasks in an answer: one, those of a batch, or none."""
    if not isinstance(shown, dict):
        return []
    return shown["items"] if is_batch(shown) else [shown] if is_task(shown) else []


def each_task(change: Callable[[Any], Any]) -> Callable[[Answer], None]:
    """A change of each task in an answer."""

    def change_all(answer: Answer) -> None:
        shown = answer.json
        if answer.status == 200 and (tasks := tasks_in(shown)):
            for task in tasks:
                change(task)
            answer.json = shown

    return change_all
