"""Reads a long JSON document as one type, part by part.

It runs in a thread. To parse the document in one call would block the event loop.
"""

import json
import re
from binascii import a2b_base64
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from mock_server.contract.violations import BodyRules, missing_first
from mock_server.core.json_values import pointer
from mock_server.core.refusals import MOST_VIOLATIONS, Invalid, Violation
from mock_server.edge.json_body import Path, explanation, not_json, parse, text_of, too_deep
from mock_server.edge.typed_body import TypedBody

Value = TypeVar("Value")


class LongBody(Generic[Value]):
    """Reads documents of one msgspec type with long arrays and large objects."""

    def __init__(self, kind: type[Value], large: Iterable[type]) -> None:
        """large: the types that are read field by field, including `kind`."""
        self._kind = kind
        self._large = {each: get_type_hints(each, include_extras=True) for each in large}

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the type, without references to other files."""
        return TypedBody(self._kind, closed=True).schema

    def read(
        self, pieces: Iterable[bytes], *, max_depth: int, max_values: int, apis: Collection[str]
    ) -> Value:
        """The value of a body. Refuses with Invalid, naming the places that are wrong.
        max_values: of one part. apis: the names of APIs that are allowed in a body. They are not
        checked in a part whose bytes are as this server writes them."""
        body = bytearray()  # joining all pieces at once would block the other thread for longer
        for piece in pieces:
            body += piece
        reading = _DocumentReader(text_of(body), max_depth, max_values, self._large, apis)
        value: Value = reading.read_all(self._kind)
        return value


class _DocumentReader(Struct):
    """Parses one document. large: the types of the fields of each large type."""

    text: str
    max_depth: int
    max_values: int
    large: Mapping[type, dict[str, Any]]
    apis: Collection[str]
    wrong: list[Violation] = field(default_factory=list)
    at: int = 0

    def read_all(self, kind: Any) -> Any:
        """The document's value. Refuses with Invalid if anything in it or after it is wrong."""
        self._skip_blanks()
        value = self._read(kind, ())
        if self.at < len(self.text):
            raise self._not_json("Extra data")
        if self.wrong:
            raise Invalid(missing_first(self.wrong))
        return value

    def _read(self, kind: Any, path: Path) -> Any:
        """Parse the next value; None if something in it is wrong."""
        if kind in self.large:
            return self._fields(kind, path)
        if get_origin(kind) is tuple and get_args(kind)[-1] is Ellipsis:
            return self._items(get_args(kind)[0], path)
        if get_origin(kind) is dict:
            return self._members(lambda _: get_args(kind)[1], path)
        if kind is bytes and (content := self._content()) is not None:
            return content
        return self._part(kind, path)

    def _fields(self, kind: Any, path: Path) -> Any:
        kinds = self.large[kind]
        members = self._members(lambda name: kinds.get(name, Any), path)
        self._note(path, _rules_of(kind).violations(dict.fromkeys(members)))
        return None if self.wrong else kind(**members)

    def _items(self, kind: Any, path: Path) -> tuple[Any, ...]:
        self._open("[", path)
        items: list[Any] = []
        has_next = not self._skip("]")
        while has_next:
            items.append(self._read(kind, (*path, len(items))))
            has_next = self._has_next("]")
        return tuple(items)

    def _members(self, kind_of: Callable[[str], Any], path: Path) -> dict[str, Any]:
        self._open("{", path)
        members: dict[str, Any] = {}
        has_next = not self._skip("}")
        while has_next:
            self._member(members, kind_of, path)
            has_next = self._has_next("}")
        return members

    def _member(self, members: dict[str, Any], kind_of: Callable[[str], Any], path: Path) -> None:
        if not self.text.startswith('"', self.at):
            raise self._not_json("Expecting property name enclosed in double quotes")
        name = self._part(str, path)
        if name is None:
            raise Invalid(missing_first(self.wrong))
        if not self._skip(":"):
            raise self._not_json("Expecting ':' delimiter")
        if name in members:
            raise Invalid.at(pointer((*path, name)), "uniqueNames", "occurs twice in one object")
        members[name] = self._read(kind_of(name), (*path, name))

    def _part(self, kind: Any, path: Path) -> Any:
        start = self.at
        self.at = self._end()
        part = self.text[start : self.at].encode()
        self._skip_blanks()
        try:
            depth = self.max_depth - len(path)
            return _read_part(kind, part, depth, self.max_values, self.apis)
        except Invalid as wrong:
            if wrong.violations[0].rule == "json":
                self._require_json(start)  # the same error, with its place in the document
            self._note(path, wrong.violations)
            return None

    def _content(self) -> bytes | None:
        """Parse the next value as base64, of any length; None if it is not plain base64."""
        end = self.text.find('"', self.at + 1)
        if not self.text.startswith('"', self.at) or end < 0:
            return None
        try:
            content = b"".join(
                a2b_base64(self.text[start : min(start + _BASE64_CHARS, end)], strict_mode=True)
                for start in range(self.at + 1, end, _BASE64_CHARS)
            )
        except ValueError:
            return None
        self.at = end + 1
        self._skip_blanks()
        return content

    def _note(self, path: Path, violations: Iterable[Violation]) -> None:
        """Add violations. Refuses with Invalid if there are more than MOST_VIOLATIONS."""
        place = pointer(path)
        self.wrong += (replace(each, place=place + each.place) for each in violations)
        if len(self.wrong) > MOST_VIOLATIONS:
            raise Invalid(missing_first(self.wrong))

    def _open(self, bracket: str, path: Path) -> None:
        if not self._skip(bracket):
            kind = {"[": "array", "{": "object"}[bracket]
            first = self.text[self.at : self.at + 1]
            if first not in _LIKE:
                raise self._not_json("Expecting value")
            found = _LIKE[first]
            self._note(path, BodyRules({"type": kind}).violations(found))
            raise Invalid(missing_first(self.wrong))

    def _has_next(self, bracket: str) -> bool:
        """Skip a comma or the closing bracket; True if it was a comma."""
        if self._skip(","):
            return True
        if not self._skip(bracket):
            raise self._not_json("Expecting ',' delimiter")
        return False

    def _skip(self, letter: str) -> bool:
        """Skip this letter and the blanks after it; False if another letter is next."""
        if not self.text.startswith(letter, self.at):
            return False
        self.at += 1
        self._skip_blanks()
        return True

    def _skip_blanks(self) -> None:
        self.at = _NO_BLANK.search(self.text, self.at).start()  # type: ignore[union-attr]

    def _end(self) -> int:
        """Where the next value ends, if it is JSON."""
        if not self.text.startswith(("[", "{"), self.at):
            return _SCALAR.match(self.text, self.at).end()  # type: ignore[union-attr]
        depth = 0
        for token in _TEXT_OR_BRACKET.finditer(self.text, self.at):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
            if not depth:
                return token.end()
        return len(self.text)

    def _require_json(self, start: int) -> None:
        """Refuses with Invalid, with its place, a value that is not JSON."""
        try:
            _scan(self.text, start)
        except StopIteration as stop:
            self.at = stop.value
            raise self._not_json("Expecting value") from None
        except json.JSONDecodeError as error:
            self.at = error.pos
            raise self._not_json(error.msg) from None
        except RecursionError:
            raise too_deep(self.max_depth) from None

    def _not_json(self, sentence: str) -> Invalid:
        error = json.JSONDecodeError(sentence, self.text, self.at)
        why = explanation(self.text, error)
        return not_json(f"must be JSON: {why} at line {error.lineno}, column {error.colno}")


_NO_BLANK = re.compile(r"[^ \t\n\r]|\Z")
_TEXT = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_TEXT_OR_BRACKET = re.compile(rf"{_TEXT}|[\[\]{{}}]")
_SCALAR = re.compile(rf"{_TEXT}|[^ \t\n\r,:\]}}]*")
_BASE64_CHARS = 4 << 18
_LIKE: dict[str, Any] = {"[": [], "{": {}, '"': "", "t": True, "f": False, "n": None}
_LIKE |= dict.fromkeys("-0123456789", 0)
"""An example of the values that begin with this letter."""
_scan = json.JSONDecoder(parse_int=len, parse_float=len).scan_once  # type: ignore[attr-defined]


@cache
def _rules_of(kind: Any) -> BodyRules:
    """The rules of a large type: every field without a default is required, no other is allowed."""
    fields = msgspec.structs.fields(kind)
    return BodyRules(
        {
            "type": "object",
            "required": [each.encode_name for each in fields if each.required],
            "properties": {each.encode_name: {} for each in fields},
            "additionalProperties": False,
        }
    )


@cache
def _typed(kind: Any) -> TypedBody[Any]:
    return TypedBody(kind, closed=True)


def _read_part(
    kind: Any, part: bytes, max_depth: int, max_values: int, apis: Collection[str]
) -> Any:
    if kind is not Any:
        try:
            value = msgspec.json.decode(part, type=kind)
            if msgspec.json.encode(value, order="sorted") == part:
                return value  # the same bytes as this server writes: no further check
        except (ValueError, RecursionError):
            pass  # `parse` and `read` below report the error and its place
    value = parse(part, max_depth=max_depth, max_values=max_values)
    return value if kind is Any else _typed(kind).read(value, apis)
