"""Scenarios as the command line shows them: a list, or one with commands to paste."""

from __future__ import annotations

import textwrap
from typing import Any

import msgspec

from mock_server.scenarios import Scenario, Scenarios, how_to_ask

_COLUMNS = 80


def all_of(scenarios: Scenarios, *, as_json: bool) -> str:
    """Every scenario with its sentence; the name of an API stands with those of one API only."""
    found = [scenarios.find(name) for name in scenarios.names]
    if as_json:
        return _json([_plain(each) for each in found])
    width = max(len(each.name) for each in found) + 2
    return "\n".join(_line(each, width) for each in found)


def one(scenario: Scenario, url: str, *, as_json: bool) -> str:
    """A scenario, its rules, and a command for each channel."""
    how = how_to_ask(scenario, url)
    if as_json:
        return _json(_plain(scenario) | {"how": how})
    rules = [msgspec.json.encode(rule).decode() for rule in scenario.faults]
    channels = [f"# {channel}\n{command}" for channel, command in how.items()]
    head = f"{scenario.name} ({', '.join(scenario.apis)})\n{scenario.shows}"
    return "\n\n".join([head, "\n".join(rules), *channels])


def _line(scenario: Scenario, width: int) -> str:
    shows = scenario.shows if len(scenario.apis) > 1 else f"({scenario.apis[0]}) {scenario.shows}"
    return textwrap.fill(
        shows,
        _COLUMNS,
        initial_indent=scenario.name.ljust(width),
        subsequent_indent=" " * width,
    )


def _plain(scenario: Scenario) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(scenario)
    return plain


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
