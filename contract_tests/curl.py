"""A request as the curl command that repeats it. The key is named, never shown."""

from __future__ import annotations

import shlex

from contract_tests.contract import PREFIX
from contract_tests.exchange import Exchange

KEY_VARIABLE = {"rivya": "HAILUO_CHECK_API_KEY", "acedata": "HAILUO_CHECK_ACEDATA_API_KEY"}
_OF_THE_CLIENT = frozenset(
    {"user-agent", "accept-encoding", "accept", "connection", "content-length", "host"}
)
_LONGEST_BODY = 2000


def curl(exchange: Exchange, *, key: str | None = None) -> str:
    """The command, on several lines. key: what the account's own key is, so that its place is
    taken by a shell variable; any other credential is made up and is shown."""
    words = ["curl -s -i", *_method(exchange), shlex.quote(exchange.url)]
    for name, value in exchange.sent_headers.items():
        if name not in _OF_THE_CLIENT:
            words.append("-H " + _header(exchange, name, value, key))
    if exchange.sent_body:
        words.append("--data-raw " + shlex.quote(_body(exchange.sent_body)))
    return " \\\n  ".join(words)


def _method(exchange: Exchange) -> list[str]:
    implied = "POST" if exchange.sent_body else "GET"
    return [] if exchange.method == implied else [f"-X {exchange.method}"]


def _header(exchange: Exchange, name: str, value: str, key: str | None) -> str:
    if key and key in value:
        api = "acedata" if exchange.path.startswith(PREFIX["acedata"]) else "rivya"
        return f'"{name}: {value.replace(key, "$" + KEY_VARIABLE[api])}"'
    return shlex.quote(f"{name}: {value}")


def _body(raw: bytes) -> str:
    text = raw.decode(errors="backslashreplace")
    if len(text) <= _LONGEST_BODY:
        return text
    return f"{text[:_LONGEST_BODY]}... ({len(raw)} bytes)"
