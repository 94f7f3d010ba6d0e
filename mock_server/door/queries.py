"""Query strings read as typed values. Errors have a pointer and similar names, as in bodies."""

import math
import re
from typing import Annotated, Any, get_type_hints
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from mock_server.contract.field_sentences import field_sentences
from mock_server.core.json_values import pointer
from mock_server.core.refusals import Invalid
from mock_server.edge.call import Call
from mock_server.edge.typed_body import TypedBody, Value


class Newest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """limit: only the newest so many; None: all."""

    limit: Annotated[int, Meta(ge=1)] | None = None


class Query(TypedBody[Value]):
    """Reads query strings as one type, whose fields are strings and numbers. A field is left out
    instead of null, because a query has no null."""

    def __init__(self, kind: Any) -> None:
        super().__init__(kind)
        hints = get_type_hints(kind).items()
        self._numbers = {name for name, hint in hints if str(hint) not in _TEXTS}

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the query as one object, with a sentence for each field."""
        schema, sentences = super().schema, field_sentences(self._kind)
        fields = {
            name: _without_null(each) | {"description": sentences.get(name, "")}
            for name, each in schema["properties"].items()
        }
        return schema | {"properties": fields}

    def of(self, call: Call) -> Value:
        """The value of the query string of a request. Refuses with Invalid."""
        values: dict[str, Any] = {}
        query = call.scope["query_string"].decode("latin-1")
        for name, text in parse_qsl(query, keep_blank_values=True):
            if name in values:
                raise Invalid.at(pointer([name]), "uniqueNames", "stands twice in the query")
            values[name] = _number(text) if name in self._numbers else text
        return self.read(values, call.server.apis)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    changed = dict(schema)
    if "enum" in schema:
        changed["enum"] = [each for each in schema["enum"] if each is not None]
    elif isinstance(schema.get("type"), list):
        (changed["type"],) = (each for each in schema["type"] if each != "null")
    return changed


_TEXTS = {str(str | None), str(str)}
NEWEST: Query[Newest] = Query(Newest)


def _number(text: str) -> Any:
    """The number in a text; the text itself if it is no number."""
    if _WHOLE.fullmatch(text):
        return int(text)
    number = float(text) if _FRACTION.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text


_WHOLE = re.compile("-?[0-9]{1,18}")
_FRACTION = re.compile("-?[0-9]{1,18}([.][0-9]+)?([eE][+-]?[0-9]+)?")
