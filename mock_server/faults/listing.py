"""Scenarios as the command line shows them: a list, or one with commands to paste."""

from __future__ import annotations

import textwrap
from typing import Any

import msgspec

from mock_server.faults.scenarios import Scenario, Scenarios, how_to_ask

_COLUMNS = 80
_WIDEST_NAME = 30


def all_of(scenarios: Scenarios, *, as_json: bool) -> str:
    """Every scenario with its sentence; the name of an API stands with those of one API only."""
    found = [scenarios.find(name) for name in scenarios.names]
    if as_json:
        return _json([_plain(each) for each in found])
    width = min(max(len(each.name) for each in found), _WIDEST_NAME) + 2
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
    indent = " " * width
    if len(scenario.name) > _WIDEST_NAME:
        beside = textwrap.fill(shows, _COLUMNS, initial_indent=indent, subsequent_indent=indent)
        return f"{scenario.name}\n{beside}"
    name = scenario.name.ljust(width)
    return textwrap.fill(shows, _COLUMNS, initial_indent=name, subsequent_indent=indent)


def _plain(scenario: Scenario) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(scenario)
    return plain


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
