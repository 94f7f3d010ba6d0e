"""Explains a rule by its code: what it proves, when it cannot, its traps and the fix."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import msgspec

from mock_server.contract.data_paths import FIXTURES
from mock_server.judge.console import WIDTH
from mock_server.judge.days import read_days
from mock_server.verdict.catalogue import rule_info


def explained(code: str, apis: Iterable[str], *, as_json: bool) -> str:
    """The rule, and the days that can decide it. apis: every API.
    Raises UnknownRule, which names near codes."""
    rule, known = rule_info(code.upper()), tuple(apis)
    days = {
        day.name: day.shows
        for api in known
        for day in read_days(FIXTURES / "days", api, known)
        if rule.code in day.codes
    }
    rows = {**msgspec.structs.asdict(rule), "days": days}
    if as_json:
        return msgspec.json.encode(rows).decode()
    lines = []
    for name, value in rows.items():
        if isinstance(value, dict):
            texts = [f"{day}: {shows}" for day, shows in value.items()]
        else:
            texts = [value] if isinstance(value, str) else list(value)
        for number, text in enumerate(texts):
            start = f"{'' if number else name.replace('_', ' '):>9}  "
            lines += textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=" " * 11)
    return "\n".join(lines)
