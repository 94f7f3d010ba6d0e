"""Names in the documents of Rivya, and checks of its rules."""

from __future__ import annotations

from typing import Any

from contract_tests.contract import contract
from contract_tests.exchange import Exchange
from contract_tests.json_values import is_same
from contract_tests.verdicts import Require

RULE = "rivya.rule."
CHEAP = "hailuo-standard"
DEAR = "hailuo-pro"


def require_equal(require: Require, rule: str, got: object, expected: object, by: Exchange) -> None:
    """Require that two JSON values are equal, because of a rule."""
    require(RULE + rule, is_same(got, expected), expected=expected, got=got, by=by)


def known(shown: Any, title: str = "Generation") -> Any:
    """An object without undocumented fields, which may change at any time."""
    return contract().known(title, shown)
