"""A long JSON document read as one type, part by part: nothing in it takes long by itself.

For a thread beside the event loop: in one piece, even reading would keep the loop waiting.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, cached_property
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from mock_server.contract.violations import BodyRules, most_telling_first
from mock_server.core.json_pointer import pointer
from mock_server.core.refusals import MOST_VIOLATIONS, Invalid, Violation
from mock_server.edge.json_body import Path, not_json, parse, text_of, too_deep
from mock_server.edge.typed_body import TypedBody

Value = TypeVar("Value")


class LongBody(Generic[Value]):
    """Reads documents of one msgspec type, whose arrays and large objects may be long."""

    def __init__(self, kind: type[Value], large: Iterable[type]) -> None:
        """large: the types, this one among them, that are read field by field."""
        self._kind = kind
        self._large = {each: _Fields(each) for each in large}

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the type, whole in itself."""
        return TypedBody(self._kind, closed=True).schema

    def read(self, pieces: Iterable[bytes], *, max_depth: int, max_values: int) -> Value:
        """The value a body spells. Refuses with Invalid, naming the places that are wrong.

        max_values: how many there may be in a part that is read in one go.
        """
        body = bytearray()  # to join them all takes longer than any of these steps
        for piece in pieces:
            body += piece
        reading = _Reading(text_of(body), max_depth, max_values, self._large)
        value: Value = reading.read(self._kind, ())
        reading.require_end()
        if reading.wrong:
            raise Invalid(most_telling_first(reading.wrong))
        return value


class _Fields:
    """The fields of a large type."""

    def __init__(self, kind: Any) -> None:
        self.kinds = get_type_hints(kind, include_extras=True)

    def kind_of(self, name: str) -> Any:
        """The type of a field; Any for one that is not known."""
        return self.kinds.get(name, Any)

    @cached_property
    def rules(self) -> BodyRules:
        """Every field is there, and no other."""
        return BodyRules(
            {
                "type": "object",
                "required": list(self.kinds),
                "properties": {name: {} for name in self.kinds},
                "additionalProperties": False,
            }
        )


class _Reading:
    """One document on its way. wrong: the places found so far that break a rule."""

    def __init__(
        self, text: str, max_depth: int, max_values: int, large: Mapping[type, _Fields]
    ) -> None:
        self.wrong: list[Violation] = []
        self._text = text
        self._max_depth = max_depth
        self._max_values = max_values
        self._large = large
        self._at = 0
        self._skip_blanks()

    def read(self, kind: Any, path: Path) -> Any:
        """The value that comes next; None if something in it is wrong."""
        if kind in self._large:
            return self._fields(kind, path)
        if get_origin(kind) is tuple and get_args(kind)[-1] is Ellipsis:
            return self._items(get_args(kind)[0], path)
        if get_origin(kind) is dict:
            return self._members(lambda _: get_args(kind)[1], path)
        if kind is bytes and (content := self._content()) is not None:
            return content
        return self._part(kind, path)

    def require_end(self) -> None:
        """Refuses with Invalid if anything comes after the value."""
        if self._at < len(self._text):
            raise self._not_json("Extra data")

    def _fields(self, kind: Any, path: Path) -> Any:
        fields = self._large[kind]
        members = self._members(fields.kind_of, path)
        self._note(path, fields.rules.violations(dict.fromkeys(members)))
        return None if self.wrong else kind(**members)

    def _items(self, kind: Any, path: Path) -> tuple[Any, ...]:
        self._open("[", path)
        items: list[Any] = []
        if not self._comes("]"):
            items.append(self.read(kind, (*path, 0)))
            while self._goes_on("]"):
                items.append(self.read(kind, (*path, len(items))))
        return tuple(items)

    def _members(self, kind_of: Callable[[str], Any], path: Path) -> dict[str, Any]:
        self._open("{", path)
        members: dict[str, Any] = {}
        if not self._comes("}"):
            self._member(members, kind_of, path)
            while self._goes_on("}"):
                self._member(members, kind_of, path)
        return members

    def _member(self, members: dict[str, Any], kind_of: Callable[[str], Any], path: Path) -> None:
        if not self._text.startswith('"', self._at):
            raise self._not_json("Expecting property name enclosed in double quotes")
        name = self._part(str, path)
        if name is None:
            raise Invalid(most_telling_first(self.wrong))
        if not self._comes(":"):
            raise self._not_json("Expecting ':' delimiter")
        if name in members:
            raise Invalid.at(pointer((*path, name)), "uniqueNames", "stands twice in one object")
        members[name] = self.read(kind_of(name), (*path, name))

    def _part(self, kind: Any, path: Path) -> Any:
        """A value that is read in one go."""
        start = self._at
        self._at = self._end()
        part = self._text[start : self._at].encode()
        self._skip_blanks()
        try:
            return _read_part(kind, part, self._max_depth - len(path), self._max_values)
        except Invalid as wrong:
            if wrong.violations[0].rule == "json":
                self._require_json(start)  # the same, with its place in the document
            self._note(path, wrong.violations)
            return None

    def _content(self) -> bytes | None:
        """Bytes in base 64, however many; None if these are no such bytes, or none spelled so."""
        end = self._text.find('"', self._at + 1)
        if not self._text.startswith('"', self._at) or end < 0:
            return None
        try:
            content = b"".join(
                a2b_base64(self._text[start : min(start + _BASE64_CHARS, end)], strict_mode=True)
                for start in range(self._at + 1, end, _BASE64_CHARS)
            )
        except ValueError:
            return None
        self._at = end + 1
        self._skip_blanks()
        return content

    def _note(self, path: Path, violations: Iterable[Violation]) -> None:
        """Keep what is wrong at a place. Refuses with Invalid when that is enough."""
        place = pointer(path)
        self.wrong += (replace(each, place=place + each.place) for each in violations)
        if len(self.wrong) > MOST_VIOLATIONS:
            raise Invalid(most_telling_first(self.wrong))

    def _open(self, bracket: str, path: Path) -> None:
        if not self._comes(bracket):
            kind = {"[": "array", "{": "object"}[bracket]
            first = self._text[self._at : self._at + 1]
            if first not in _LIKE:
                raise self._not_json("Expecting value")
            found = _LIKE[first]
            self._note(path, BodyRules({"type": kind}).violations(found))
            raise Invalid(most_telling_first(self.wrong))

    def _goes_on(self, bracket: str) -> bool:
        """Whether another value follows; else the bracket that ends them all."""
        if self._comes(","):
            return True
        if not self._comes(bracket):
            raise self._not_json("Expecting ',' delimiter")
        return False

    def _comes(self, letter: str) -> bool:
        """Whether this letter is next; if so, it is passed."""
        if not self._text.startswith(letter, self._at):
            return False
        self._at += 1
        self._skip_blanks()
        return True

    def _skip_blanks(self) -> None:
        self._at = _NO_BLANK.search(self._text, self._at).start()  # type: ignore[union-attr]

    def _end(self) -> int:
        """Where the value that comes next ends, if it is JSON."""
        if not self._text.startswith(("[", "{"), self._at):
            return _SCALAR.match(self._text, self._at).end()  # type: ignore[union-attr]
        depth = 0
        for token in _TEXT_OR_BRACKET.finditer(self._text, self._at):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
            if not depth:
                return token.end()
        return len(self._text)

    def _require_json(self, start: int) -> None:
        """Refuses with Invalid, telling the place, a value that is no JSON."""
        try:
            _scan(self._text, start)
        except StopIteration as stop:
            self._at = stop.value
            raise self._not_json("Expecting value") from None
        except json.JSONDecodeError as error:
            self._at = error.pos
            raise self._not_json(error.msg) from None
        except RecursionError:
            raise too_deep(self._max_depth) from None

    def _not_json(self, sentence: str) -> Invalid:
        error = json.JSONDecodeError(sentence, self._text, self._at)
        return not_json(f"must be JSON: {sentence} at line {error.lineno}, column {error.colno}")


_NO_BLANK = re.compile(r"[^ \t\n\r]|\Z")
_TEXT = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_TEXT_OR_BRACKET = re.compile(rf"{_TEXT}|[\[\]{{}}]")
_SCALAR = re.compile(rf"{_TEXT}|[^ \t\n\r,:\]}}]*")
_BASE64_CHARS = 4 << 18
_LIKE: Mapping[str, Any] = dict.fromkeys("-0123456789", 0) | {
    "[": [],
    "{": {},
    '"': "",
    "t": True,
    "f": False,
    "n": None,
}
"""A value of the kind that begins with this letter."""
_scan = json.JSONDecoder(parse_int=len, parse_float=len).scan_once  # type: ignore[attr-defined]


@cache
def _typed(kind: Any) -> TypedBody[Any]:
    return TypedBody(kind, closed=True)


def _read_part(kind: Any, part: bytes, max_depth: int, max_values: int) -> Any:
    if kind is not Any:
        try:
            value = msgspec.json.decode(part, type=kind)
            if msgspec.json.encode(value, order="sorted") == part:
                return value  # spelled just as it is written: nothing is left to look for
        except (ValueError, RecursionError):
            pass  # what is wrong, and where, comes out below
    value = parse(part, max_depth=max_depth, max_values=max_values)
    return value if kind is Any else _typed(kind).read(value)
