"""The OpenAPI document of the control door, made from its table of routes."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

import msgspec
from msgspec import Struct

from mock_server import __version__
from mock_server.contract.unions import with_unions_of_variants
from mock_server.control.answers import Problem
from mock_server.core.apis import with_api_names
from mock_server.door.routes import DoorRoute

_TOKEN: dict[str, list[str]] = {"ControlToken": []}


def document(table: Sequence[DoorRoute], apis: Iterable[str]) -> dict[str, Any]:
    """OpenAPI 3.1. Every refusal is a problem document (RFC 9457). apis: their names."""
    kinds = dict.fromkeys(kind for row in table for kind in _kinds(row))
    _, components = msgspec.json.schema_components([*kinds, Problem], ref_template=_REF)
    # An answer has every field; a problem document only those that say something.
    for struct in _structs(msgspec.inspect.multi_type_info(kinds)):
        if not struct.__struct_config__.omit_defaults:
            components[struct.__name__]["required"] = list(struct.__struct_encode_fields__)
    routes_of = Counter(row.handler for row in table)
    paths: dict[str, dict[str, Any]] = {}
    for row in table:
        path = paths.setdefault(row.path, _path_parameters(row.path))
        if row.method != "HEAD":
            path[row.method.lower()] = _operation(row, is_shared=routes_of[row.handler] > 1)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "hailuo-mock control door",
            "version": __version__,
            "description": "Reads and changes the state of the server.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "ControlToken": {"type": "apiKey", "in": "header", "name": "Mock-Control-Token"}
            },
            "schemas": components,
        },
    }
    named: dict[str, Any] = with_api_names(whole, apis)
    return named


def _structs(info: Any) -> Iterator[type[Struct]]:
    """The structs in these descriptions of types."""
    if isinstance(info, list | tuple):
        for each in info:
            yield from _structs(each)
    elif isinstance(info, msgspec.inspect.StructType):
        yield info.cls
        yield from _structs([each.type for each in info.fields])
    elif isinstance(info, msgspec.inspect.Type):
        yield from _structs([getattr(info, name) for name in info.__struct_fields__])


def _path_parameters(path: str) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    return {"parameters": parameters} if parameters else {}


def _operation(row: DoorRoute, *, is_shared: bool) -> dict[str, Any]:
    """is_shared: whether the handler has other routes."""
    _, _, told = " ".join((row.handler.__doc__ or "").split()).partition(": ")
    summary, _, rest = told.partition(". ")
    name = row.handler.__name__
    content = {"content": _json([{"$ref": _ref(kind)} for kind in _kinds(row)])}
    operation: dict[str, Any] = {
        "operationId": f"{name}_{row.method.lower()}" if is_shared else name,
        "summary": summary.rstrip("."),
        "responses": {
            "2XX": {"description": row.description} | (content if row.answer else {}),
            "default": {
                "description": "Refused, and nothing has changed.",
                "content": {"application/problem+json": {"schema": {"$ref": _ref(Problem)}}},
            },
        },
    }
    if rest:
        operation["description"] = rest
    if not row.is_open:
        operation["security"] = [_TOKEN, {}]
    if row.query is not None:
        operation["parameters"] = [
            {"name": name, "in": "query", "schema": schema}
            for name, schema in row.query.schema["properties"].items()
        ]
    if row.bodies:
        schemas = [with_unions_of_variants(kind.schema) for kind in row.bodies]
        body = {"content": _json(schemas)}
        operation["requestBody"] = body if row.may_lack_body else {"required": True} | body
    return operation


def _kinds(row: DoorRoute) -> Sequence[type]:
    return () if row.answer is None else get_args(row.answer) or (row.answer,)


def _ref(kind: type) -> str:
    return _REF.format(name=kind.__name__)


def _json(schemas: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The content of a JSON body with one of these schemas."""
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"application/json": {"schema": schema}}


_REF = "#/components/schemas/{name}"
