"""Query strings read as typed values: refused with a place and near names, like bodies."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Generic, TypeVar, get_type_hints
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from mock_server.core.json_pointer import pointer
from mock_server.core.refusals import Invalid
from mock_server.edge.call import Call
from mock_server.edge.typed_body import TypedBody

Value = TypeVar("Value")


class Newest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """limit: only the newest so many; None: all of them."""

    limit: Annotated[int, Meta(ge=1)] | None = None


class Query(Generic[Value]):
    """Reads query strings as one type whose fields are texts and numbers."""

    def __init__(self, kind: Any) -> None:
        self._numbers = {
            name for name, hint in get_type_hints(kind).items() if str(hint) not in _TEXTS
        }
        self._body: TypedBody[Value] = TypedBody(kind)

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the query as one object."""
        return self._body.schema

    def read(self, call: Call) -> Value:
        """What the query string says. Refuses with Invalid."""
        said: dict[str, Any] = {}
        for name, text in parse_qsl(
            call.scope["query_string"].decode("latin-1"), keep_blank_values=True
        ):
            if name in said:
                raise Invalid.at(pointer([name]), "uniqueNames", "stands twice in the query")
            said[name] = _number(text) if name in self._numbers else text
        return self._body.read(said)


_TEXTS = {str(str | None), str(str)}
NEWEST: Query[Newest] = Query(Newest)


def _number(text: str) -> Any:
    """The number a text spells; the text itself if it spells none."""
    if _WHOLE.fullmatch(text):
        return int(text)
    number = float(text) if _FRACTION.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text


_WHOLE = re.compile("-?[0-9]{1,18}")
_FRACTION = re.compile("-?[0-9]{1,18}([.][0-9]+)?([eE][+-]?[0-9]+)?")
