"""The facts about an API that the rules and the control door use; nothing in them concerns HTTP."""

from collections.abc import Iterable, Mapping
from re import Pattern
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from mock_server.core.ids import TaskId
from mock_server.core.json_values import Pointer

Operation = Literal[
    "create",
    "read",
    "upload",
    "read_file",
    "models",
    "credits",
    "webhooks",
    "document",
    "media",
]
"""The kind of a request, the same for all APIs: `create` makes a task, `read` shows one."""

_NAMES = "x-api-names"
ApiName = Annotated[str, Meta(extra_json_schema={_NAMES: []})]
"""The name of an API. `with_api_names` adds the known names to its schema."""
KeyApi = Annotated[str, Meta(extra_json_schema={_NAMES: ["other"]})]
"""The API that accepts a key: a known one, or `other`."""


class IdKind(Struct, frozen=True):
    """A kind of id. looks: matches its beginning. meaning: what such an id identifies, and which
    request shows that."""

    looks: Pattern[str]
    meaning: str


class ClientFacts(Struct, frozen=True, kw_only=True):
    """What an API's documents ask of its clients, and where its answers say what.

    has_idempotency_keys: whether creates with the header Idempotency-Key are safe to repeat.
    no_credits, refused_key, refused_body, used_key, unknown_task: the error codes for too few
        credits, for a key or its permissions, for a body that can never be accepted, for an
        idempotency key that was used or is in use, and for a task that does not exist.
    pause_between_looks_s: the shortest pause that is advised between two reads of a task.
    acknowledged_within_s: the time in which a receiver has to answer an event.
    signs_events: whether every event is signed.
    state_at, states: where an answer has the state of a task, and all documented states.
    url_at: where an answer has the URL of a result.
    """

    has_idempotency_keys: bool = False
    no_credits: frozenset[str] = frozenset()
    refused_key: frozenset[str] = frozenset()
    refused_body: frozenset[str] = frozenset()
    used_key: frozenset[str] = frozenset()
    unknown_task: frozenset[str] = frozenset()
    pause_between_looks_s: float | None = None
    acknowledged_within_s: float | None = None
    signs_events: bool = False
    state_at: tuple[Pointer, ...] = ()
    states: frozenset[str] = frozenset()
    url_at: tuple[Pointer, ...] = ()


class ApiFacts(Struct, frozen=True, kw_only=True):
    """The facts about an API that the rules and the control door use.

    name: in settings, in the control door and in scenarios. title, short_title: for people.
    prefix: the beginning of its paths, such as `/v1`. own_paths: the beginning of the unknown
        paths that get an error answer of this API.
    key_prefix: the beginning of its keys; empty if they have no common beginning.
    settings: the type of its settings, a Struct with a default for each.
    account, key: of a new server. has_scopes: True: this key has all scopes; False: it has none.
    hint: the end of the sentence about an unknown path if no known path is similar; empty: the
        hint for all APIs.
    create_path, create_body: an example of a create that this key may send. answered_at_once:
        further fields of the body; with them the create is answered before its task ends.
    operations: of the API. task_id: makes the ids of its tasks. id_kinds: the kinds of ids in its
        answers.
    key_variable: the end of the name of the variable in which clients have the key.
    signs_time: whether the signatures of its events have a time. has_endpoints: whether its events
        go to webhook endpoints. names_events: whether the body of an event has its `type`.
    of_clients: what its documents ask of clients.
    """

    name: str
    title: str
    short_title: str
    prefix: str
    own_paths: str
    settings: type[Struct]
    account: str
    key: str
    create_path: str
    create_body: Mapping[str, Any]
    operations: tuple[Operation, ...]
    task_id: TaskId
    key_prefix: str = ""
    has_scopes: bool = False
    answered_at_once: Mapping[str, Any] = {}
    hint: str = ""
    id_kinds: tuple[IdKind, ...] = ()
    key_variable: str = "API_KEY"
    signs_time: bool = False
    has_endpoints: bool = False
    of_clients: ClientFacts = ClientFacts()
    names_events: bool = False


Apis = Mapping[str, ApiFacts]
"""The APIs of a server, by their names."""


def with_api_names(schema: Any, names: Iterable[str]) -> Any:
    """The JSON Schema with these names as the only values of each field that names an API."""
    if isinstance(schema, list | tuple):
        return [with_api_names(each, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if _NAMES in schema:
        others = {name: value for name, value in schema.items() if name not in {_NAMES, "type"}}
        null = [None] if "null" in schema["type"] else []
        return {"enum": [*sorted([*names, *schema[_NAMES]]), *null]} | others
    return {name: with_api_names(each, names) for name, each in schema.items()}
