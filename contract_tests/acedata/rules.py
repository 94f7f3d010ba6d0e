"""Names in the documents of Ace Data Cloud, and checks of its rules."""

from __future__ import annotations

from typing import Any

from contract_tests.contract import contract
from contract_tests.exchange import Exchange
from contract_tests.json_values import is_same
from contract_tests.verdicts import Require

RULE = "acedata.rule."
TEXT = "minimax-t2v"
IMAGE = "minimax-i2v"
DIRECTOR = "minimax-i2v-director"
IMAGE_URL = "https://cdn.example.com/first.png"
UNREACHABLE_URL = "http://127.0.0.1:9/callback"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def require_equal(require: Require, rule: str, got: object, expected: object, by: Exchange) -> None:
    """Require that two JSON values are equal, because of a rule."""
    require(RULE + rule, is_same(got, expected), expected=expected, got=got, by=by)


def known(task: Any) -> Any:
    """A task without undocumented fields, which may change at any time."""
    return contract().known("Task", task)
