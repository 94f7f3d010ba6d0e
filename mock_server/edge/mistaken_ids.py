"""Recognizes ids of another kind than the one that was expected."""

import re
from collections.abc import Iterable
from typing import TypeVar

from mock_server.core.apis import IdKind
from mock_server.core.refusals import Refusal
from mock_server.core.suggestions import UNSET
from mock_server.edge.call import Call

R = TypeVar("R", bound=Refusal)

_DOOR_ID_KINDS = (
    IdKind(
        re.compile("delivery_"),
        "a delivery of the control door: GET /_mock/worlds/{world}/deliveries/{id}",
    ),
    IdKind(re.compile("req_"), "a request: GET /_mock/explain/{id} explains it"),
)
_TEMPLATE = re.compile(r"\{.*\}|<.*>|\$\{?\w+\}?|:\w+|%7b.*%7d", re.IGNORECASE)


def with_hint(call: Call, refusal: R, given: str, wanted: IdKind) -> R:
    """The refusal of an unknown id. Its sentence names the kind of id that it looks like.
    wanted: the expected kind."""
    of_apis = (kind for api in call.server.apis.values() for kind in api.id_kinds)
    hint = _hint(given[:100], wanted, [*of_apis, *_DOOR_ID_KINDS])
    return refusal if hint is None else type(refusal)(f"{refusal}; {hint}")


def _hint(given: str, wanted: IdKind, kinds: Iterable[IdKind]) -> str | None:
    if given.lower() in UNSET:
        return f"'{given.lower()}' is no id: a variable was not set"
    if _TEMPLATE.fullmatch(given):
        return "that is a placeholder: replace it with an id"
    kind = next((kind for kind in kinds if kind.looks.match(given)), wanted)
    return None if kind == wanted else f"that is the id of {kind.meaning}"
