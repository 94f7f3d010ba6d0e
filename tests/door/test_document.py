"""The control door describes itself, and keeps to what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import jsonschema_rs
import pytest

from mock_server.control.history_answers import Change, ChangeType, EntryType, StoryEntry
from mock_server.door.routes import table
from tests.mock import Mock

VALUES = {"world": "default", "name": "lost_answer", "account": "rivya-test"}


@pytest.fixture
def document(mock: Mock) -> Any:
    return mock.request("GET", "/_mock/control.json").json()


def test_the_document_is_openapi(document: Any) -> None:
    from openapi_spec_validator import validate  # it takes a quarter of a second to import

    validate(document)


def test_every_route_is_described_with_a_sentence_of_its_own(document: Any) -> None:
    operations = [
        operation
        for path in document["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    ]
    assert all(operation["summary"] for operation in operations)
    for operation in operations:  # the summary is a whole sentence, and the description begins one
        assert ". " not in operation["summary"]
        assert not operation.get("description", "W")[0].islower()
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))


def test_every_query_parameter_is_described(document: Any) -> None:
    told = {
        f"{method} {path}": {each["name"] for each in operation["parameters"]}
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method != "parameters" and "parameters" in operation
    }
    world = "/_mock/worlds/{world}"
    assert told[f"get {world}/tasks"] == told[f"get {world}/deliveries"] == {"limit"}
    assert {"since", "format", "limit", "path"} < told[f"get {world}/requests"]
    assert {"delivery_id", "state", "timeout_s"} < told[f"get {world}/wait"]
    silent = [
        (row.path, name)
        for row in table()
        for name, schema in (row.query.schema["properties"] if row.query else {}).items()
        if not schema["description"]
    ]
    assert silent == []


def test_a_choice_is_a_union_that_takes_what_the_server_takes(mock: Mock, document: Any) -> None:
    assert '"if"' not in json.dumps(document)
    body = document["paths"]["/_mock/worlds/{world}/faults"]["post"]["requestBody"]
    fault, _ = body["content"]["application/json"]["schema"]["anyOf"]
    effect = jsonschema_rs.validator_for(fault["properties"]["effect"])
    for scenario in mock.request("GET", "/_mock/scenarios").json()["scenarios"]:
        one = mock.request("GET", f"/_mock/scenarios/{scenario['name']}").json()
        assert all(effect.is_valid(each["effect"]) for each in one["faults"])
    for wrong in ({"type": "eror"}, {"type": "error"}, {"type": "delay", "code": "x"}):
        assert not effect.is_valid(wrong)


def test_an_answer_always_has_the_fields_that_it_is_described_with(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for name in ("Exchange", "Recorded", "Task", "Story", "Judgement"):
        assert schemas[name]["required"] == list(schemas[name]["properties"])
    assert "note" not in schemas["Journal"]["required"]
    assert "detail" not in schemas["Problem"]["required"]


@pytest.mark.parametrize("path", sorted({row.path for row in table()}))
def test_another_method_is_refused_with_the_described_ones(
    mock: Mock, document: Any, path: str
) -> None:
    described = {method.upper() for method in document["paths"][path]} - {"PARAMETERS"}
    if "OPTIONS" in described:
        return
    there = _filled(path, VALUES)
    answer = mock.request("OPTIONS", there)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == described
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "row",
    [row for row in table() if row.bodies],
    ids=lambda row: f"{row.method} {row.path}",
)
def test_a_body_of_another_kind_is_refused_with_a_place(mock: Mock, row: Any) -> None:
    there = _filled(row.path, VALUES)
    headers = {"content-type": "application/json"}
    answer = mock.request(row.method, there, headers=headers, body=b'{"surprise": 1}')
    if answer.status == 404:  # of a task or a file that is not there, whatever was sent
        return
    assert answer.status == 400
    assert "/surprise" in {error["pointer"] for error in answer.json()["errors"]}


def test_a_body_is_required_where_the_server_requires_one(mock: Mock, document: Any) -> None:
    there = VALUES | {"task_id": mock.create().json()["id"]}
    refused = set()
    for row in (row for row in table() if row.bodies):
        headers = {"content-type": "application/json"}
        answer = mock.request(row.method, _filled(row.path, there), headers=headers, body=b"")
        if answer.status == 400 and "the body is empty" in answer.json()["title"]:
            refused.add((row.method.lower(), row.path))
    assert refused == {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method != "parameters" and operation.get("requestBody", {}).get("required")
    }


def test_a_refused_choice_lists_only_what_can_be_typed(mock: Mock) -> None:
    there = VALUES | {"task_id": mock.create().json()["id"]}

    def errors(path: str, name: str, value: str) -> list[str]:
        answer = mock.request("GET", f"{path}?{name}={value}&timeout_s=0")
        found = answer.json().get("errors", []) if answer.status == 400 else []
        return [each["detail"] for each in found if each["pointer"] == f"/{name}"]

    asked = [
        (_filled(row.path, there), name)
        for row in table()
        for name in (row.query.schema["properties"] if row.query else ())
    ]
    choices = [
        (path, name, choice)
        for path, name in asked
        for sentence in errors(path, name, "zzz")
        for choice in re.findall(r"'(\w+)'|(null)", sentence.partition(", not 'zzz'")[0])
    ]
    assert len(choices) > 30
    assert [each for each in choices if errors(*each[:2], "".join(each[2]))] == []


@pytest.mark.parametrize(
    ("choices", "entries"),
    [(EntryType, StoryEntry), (ChangeType, Change)],
    ids=["story", "changes"],
)
def test_the_types_that_can_be_asked_for_are_those_of_the_entries(
    choices: Any, entries: Any
) -> None:
    assert set(get_args(choices)) == {kind.__struct_config__.tag for kind in get_args(entries)}


def test_each_form_of_a_text_has_a_sentence() -> None:
    schemas = [kind.schema for row in table() for kind in (*row.bodies, *filter(None, [row.query]))]
    silent = {
        str(node["pattern"])
        for node in _nodes(schemas)
        if isinstance(node.get("pattern"), str) and "x-sentence" not in node
    }
    assert silent == set()


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from _nodes(inner)


def _filled(path: str, values: Mapping[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: values.get(found[1], "none"), path)
