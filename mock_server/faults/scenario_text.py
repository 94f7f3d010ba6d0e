"""Writes scenario files."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from mock_server.core.faults import FaultRule

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NOT_IN_TOML = re.compile("[\x7f\ud800-\udfff]")
_NOT_IN_COMMENT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def scenario_text(
    shows: str, apis: Sequence[str], rules: Iterable[FaultRule], comments: Iterable[str] = ()
) -> str:
    """The text of a scenario file; each of the comments becomes a line at its beginning.
    Raises ValueError for a rule with null in a value: TOML has none."""
    lines = [f"# {_NOT_IN_COMMENT.sub(' ', comment)}" for comment in comments]
    lines += [f"shows = {_toml(shows)}", f"apis = {_toml(list(apis))}"]
    for rule in rules:
        members = msgspec.to_builtins(rule).items()
        lines += ["", "[[faults]]", *(f"{name} = {_toml(value)}" for name, value in members)]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A value in one line of TOML."""
    if value is None:
        raise ValueError("TOML has no null")
    if isinstance(value, str):
        # TOML writes text as JSON does, except for surrogates and U+007F.
        return _NOT_IN_TOML.sub(_escaped, json.dumps(value, ensure_ascii=False))
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        members = (f"{_name(name)} = {_toml(each)}" for name, each in value.items())
        return f"{{ {', '.join(members)} }}" if value else "{}"
    return json.dumps(value)


def _name(name: str) -> str:
    return name if _BARE.fullmatch(name) else _toml(name)


def _escaped(found: re.Match[str]) -> str:
    return "\\u007f" if found[0] == "\x7f" else "\\ufffd"
