"""A page for each operation of an OpenAPI document: of the APIs, and of the control door."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tools.manual.page import Page, code, prose, section, table
from tools.manual.schema_fields import Schema, alternatives, fields_of, kind_of, resolved
from tools.manual.sources import origin

METHODS = ("get", "post", "put", "patch", "delete", "options")
CodesOf = Callable[[Mapping[str, Any], str], list[str]]
"""Links to the error codes of an operation's status."""


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Method, path and operation, with the parameters of the path."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                shared = item.get("parameters", [])
                given = item[method].get("parameters", [])
                yield method, path, {**item[method], "parameters": [*shared, *given]}


def operation_pages(document: Schema, said: str, codes_of: CodesOf) -> list[Page]:
    """The pages. said: one sentence at each about where its facts come from."""
    return [
        Page(
            operation["operationId"],
            f"`{method.upper()} {path}`",
            _sentence(operation),
            _body(document, operation, said, codes_of),
        )
        for method, path, operation in operations(document)
    ]


def _sentence(operation: Schema) -> str:
    summary = prose(operation["summary"])
    return f"{summary[0].upper()}{summary[1:]}."


def _body(document: Schema, operation: Schema, said: str, codes_of: CodesOf) -> str:
    parameters = [resolved(each, document) for each in operation["parameters"]]
    request = resolved(operation.get("requestBody", {}), document)
    responses = {
        status: resolved(each, document) for status, each in operation["responses"].items()
    }
    parts = [
        prose(operation.get("description", "")),
        said,
        "; ".join(filter(None, [f"Operation `{operation['operationId']}`", origin(operation)])),
        section("Parameters", _parameters(parameters, document)),
        section("Body", *_optional(request), *_contents(request, document)),
        section("Answers", _statuses(operation, responses, codes_of)),
        *(
            section(f"Answer {status}", *_contents(answer, document))
            for status, answer in responses.items()
            if status.startswith("2")
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _parameters(parameters: list[Schema], document: Schema) -> str:
    return table(
        ("name", "in", "type", "required", "meaning", "source"),
        (
            (
                f"`{each['name']}`",
                each["in"],
                kind_of(each["schema"], document),
                "yes" if each.get("required") else "",
                prose(each.get("description") or each["schema"].get("description", "")),
                origin(each),
            )
            for each in parameters
        ),
    )


def _statuses(operation: Schema, responses: Mapping[str, Schema], codes_of: CodesOf) -> str:
    return table(
        ("status", "when", "error codes", "source"),
        (
            (
                status,
                prose(answer["description"]),
                ", ".join(codes_of(operation, status)),
                origin(answer),
            )
            for status, answer in responses.items()
        ),
    )


def _optional(request: Schema) -> Iterator[str]:
    if request and not request.get("required"):
        yield "It may be left out."


def _contents(message: Schema, document: Schema) -> Iterator[str]:
    """Each form that a body can have, with its fields and examples."""
    for media_type, content in message.get("content", {}).items():
        if "schema" not in content:
            continue
        for form in alternatives(content["schema"], document):
            rows = [
                (
                    f"`{field.path}`",
                    field.kind,
                    "yes" if field.is_required else "",
                    prose(field.schema.get("description", "")),
                    origin(field.schema),
                )
                for field in fields_of(form, document)
            ]
            yield f"**{form.get('title', 'Body')}** (`{media_type}`)"
            yield table(("field", "type", "required", "meaning", "source"), rows)
        for example in content.get("examples", {}).values():
            yield f"{prose(example.get('summary', 'Example'))}:"
            yield code("json", json.dumps(example["value"], indent=2, ensure_ascii=False))
