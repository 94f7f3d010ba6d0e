"""Writes a request as the curl command that repeats it. Keys are shell variables in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from contract_tests.exchange import Exchange
from contract_tests.shell import body_command, is_form

_CLIENT_HEADERS = frozenset(
    {"user-agent", "accept-encoding", "accept", "connection", "content-length", "host"}
)
_ACTIVE = re.compile(r'["$`\\]')
"""Characters that the shell does not take as they are inside double quotes."""


def curl(exchange: Exchange, variables: Mapping[str, str]) -> str:
    """The command, on several lines.

    variables: the shell variable that replaces each key. Other credentials are made up by the suite
    and are shown.
    """
    pipe, options = body_command(exchange)
    words = [*([pipe] if pipe else []), "curl -s -i", *_method(exchange), shlex.quote(exchange.url)]
    made_by_curl = _CLIENT_HEADERS | ({"content-type"} if is_form(exchange) else set())
    if any(letter in exchange.url for letter in "[]{}"):
        words.append("-g")
    if exchange.sent_body and "content-type" not in exchange.sent_headers:
        words.append("-H content-type:")
    for name, value in exchange.sent_headers.items():
        if name not in made_by_curl:
            words.append("-H " + _header(name, value, variables))
    words += options
    return " \\\n  ".join(words)


def _method(exchange: Exchange) -> list[str]:
    implied = "POST" if exchange.sent_body else "GET"
    return [] if exchange.method == implied else [f"-X {exchange.method}"]


def _header(name: str, value: str, variables: Mapping[str, str]) -> str:
    key = max((key for key in variables if key in value), key=len, default=None)
    if key is None:
        return shlex.quote(f"{name}: {value}")
    before, after = (_ACTIVE.sub(r"\\\g<0>", part) for part in value.split(key, 1))
    return f'"{name}: {before}${variables[key]}{after}"'
