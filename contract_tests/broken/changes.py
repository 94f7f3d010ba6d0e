"""Changes that make broken servers of both APIs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contract_tests.broken.broken_server import Answer, Delivery


def put(**fields: Any) -> Callable[[Any], None]:
    """A change that sets fields of an object."""
    return lambda shown: shown.update(fields)


def drop(*names: str) -> Callable[[Any], None]:
    """A change that removes fields of an object."""

    def change(shown: Any) -> None:
        for name in names:
            shown.pop(name, None)

    return change


def wrong_status(wrong: int, *codes: str) -> Callable[[Answer], None]:
    """A change of the status of errors with these codes."""

    def change(answer: Answer) -> None:
        error = answer.json.get("error") if isinstance(answer.json, dict) else None
        if isinstance(error, dict) and error.get("code") in codes and answer.status >= 400:
            answer.status = wrong

    return change


def wrong_code(right: str, wrong: str) -> Callable[[Answer], None]:
    """A change of one error code into another."""

    def change(answer: Answer) -> None:
        if answer.status >= 400:
            answer.body = answer.body.replace(f'"{right}"'.encode(), f'"{wrong}"'.encode())

    return change


def call_without_query(delivery: Delivery) -> None:
    """Leave out the query of the receiver's URL."""
    delivery.url = delivery.url.partition("?")[0]


def call_decoded(delivery: Delivery) -> None:
    """Write the spaces in the receiver's URL as pluses."""
    delivery.url = delivery.url.replace("%20", "+")
