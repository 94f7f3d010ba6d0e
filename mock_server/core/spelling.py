"""Spellings of JSON: other bytes for the same value. They begin with compact JSON, as msgspec
writes it: no spaces, and no escapes that JSON does not demand.

A receiver has to check a signature over the bytes that came. One that parses the body and checks
what its own library writes must fail, so the default is a spelling that no common library has.
"""

import re
from typing import Any, Literal

import msgspec

Spelling = Literal["unusual", "compact"]

_SLASH = re.compile(rb"(?<!\\)/")
_FIRST_NAME = re.compile(rb'\{"[^"\\]*(?:\\.[^"\\]*)*":')
_TOKEN = re.compile(
    rb'"(?P<text>[^"\\]*(?:\\.[^"\\]*)*)"'
    rb"|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    rb"|(?P<mark>[:,\[{])"
)
_EXACT_DIGITS = 16
"""A whole number with fewer digits keeps its value if it is read as a float."""


def spelled(body: bytes, spelling: Spelling) -> bytes:
    """The body in this spelling. `unusual`: one space after the first colon, the first slash
    escaped. Libraries put a space after each colon or after none."""
    if spelling == "compact":
        return body
    escaped = _SLASH.sub(rb"\\/", body, count=1)  # JSON has slashes in strings only
    return _FIRST_NAME.sub(rb"\g<0> ", escaped, count=1)


def reformatted(body: bytes) -> bytes:
    """The body with its members in the opposite order, white space, escaped slashes and first
    letters, and `.0` after whole numbers."""
    backwards = msgspec.json.encode(_backwards(msgspec.json.decode(body)))
    return _TOKEN.sub(_respelled, backwards)


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _backwards(value[name]) for name in reversed(value)}
    return list(map(_backwards, value)) if isinstance(value, list) else value


def _respelled(token: re.Match[bytes]) -> bytes:
    kind, text = token.lastgroup, token[0]
    if kind == "mark":
        return text + (b"\n\t" if text == b"," else b" ")
    if kind == "number":
        is_whole = text.lstrip(b"-").isdigit() and len(text) < _EXACT_DIGITS
        return text + b".0" if is_whole else text
    text = token["text"].replace(b"/", b"\\/")
    if text[:1].isalnum():
        text = b"\\u%04x" % text[0] + text[1:]
    return b'"' + text + b'"'
