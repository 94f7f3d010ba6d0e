"""Encodes a long JSON document in parts, each in a short time."""

from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

_ENCODER = msgspec.json.Encoder(order="sorted")
_BASE64_BYTES = 3 << 18


def json_parts(value: Any, large: Collection[type[Struct]]) -> Iterator[bytes]:
    """The JSON of a value with sorted names, in parts: the same bytes as msgspec's.

    large: types that are encoded field by field; tuples and dicts are encoded item by item.
    """
    if type(value) in large:
        fields = sorted(type(value).__struct_fields__)
        yield from _object(((name, getattr(value, name)) for name in fields), large)
    elif isinstance(value, dict):
        yield from _object(sorted(value.items()), large)
    elif isinstance(value, tuple):
        comma = b"["
        for item in value:
            yield comma
            yield from json_parts(item, large)
            comma = b","
        yield b"]" if value else b"[]"
    elif isinstance(value, bytes) and len(value) > _BASE64_BYTES:
        yield b'"'
        for start in range(0, len(value), _BASE64_BYTES):
            yield b64encode(value[start : start + _BASE64_BYTES])
        yield b'"'
    else:
        yield _ENCODER.encode(value)


def _object(members: Iterable[tuple[str, Any]], large: Collection[type[Struct]]) -> Iterator[bytes]:
    comma = b"{"
    for name, value in members:
        yield comma + _ENCODER.encode(name) + b":"
        yield from json_parts(value, large)
        comma = b","
    yield b"}" if comma == b"," else b"{}"
