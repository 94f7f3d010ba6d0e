"""The output of `hailuo-mock scenarios`: a list, or one scenario with commands to paste."""

import textwrap

import msgspec

from mock_server.core.apis import Apis
from mock_server.core.scenarios import Scenario
from mock_server.faults.scenarios import Scenarios, how_to_ask

_COLUMNS = 80
_MAX_NAME_CHARS = 30


def all_of(scenarios: Scenarios, *, as_json: bool) -> str:
    """Every scenario with its sentence, and the API of those for one API only."""
    found = [scenarios.find(name) for name in scenarios.names]
    if as_json:
        return msgspec.json.encode(found).decode()
    width = min(max(len(each.name) for each in found), _MAX_NAME_CHARS) + 2
    return "\n".join(_line(each, width) for each in found)


def one(scenario: Scenario, url: str, apis: Apis, *, as_json: bool) -> str:
    """A scenario, its rules, and a command for each channel."""
    how = how_to_ask(scenario, url, apis)
    if as_json:
        return msgspec.json.encode(msgspec.to_builtins(scenario) | {"how": how}).decode()
    rules = [msgspec.json.encode(rule).decode() for rule in scenario.faults]
    channels = [f"# {channel}\n{command}" for channel, command in how.items()]
    head = f"{scenario.name} ({', '.join(scenario.apis)})\n{scenario.shows}"
    return "\n\n".join([head, "\n".join(rules), *channels])


def _line(scenario: Scenario, width: int) -> str:
    shows = scenario.shows if len(scenario.apis) > 1 else f"({scenario.apis[0]}) {scenario.shows}"
    indent = " " * width
    if len(scenario.name) > _MAX_NAME_CHARS:
        beside = textwrap.fill(shows, _COLUMNS, initial_indent=indent, subsequent_indent=indent)
        return f"{scenario.name}\n{beside}"
    name = scenario.name.ljust(width)
    return textwrap.fill(shows, _COLUMNS, initial_indent=name, subsequent_indent=indent)
