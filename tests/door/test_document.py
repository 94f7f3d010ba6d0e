"""The control door describes itself, and keeps to what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from mock_server.door.routes import table
from tests.mock import Mock

VALUES = {"world": "default", "name": "lost_answer", "account": "rivya-test"}


@pytest.fixture
def document(mock: Mock) -> Any:
    return mock.request("GET", "/_mock/control.json").json()


def test_the_document_is_openapi(document: Any) -> None:
    validate(document)


def test_every_route_is_described_with_a_sentence_of_its_own(document: Any) -> None:
    operations = [
        operation
        for path in document["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    ]
    assert all(operation["summary"] for operation in operations)
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))


def test_what_may_stand_in_a_query_is_described(document: Any) -> None:
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


@pytest.mark.parametrize("path", [row.path for row in table()])
def test_a_method_that_is_not_described_is_refused_with_those_that_are(
    mock: Mock, document: Any, path: str
) -> None:
    described = {method.upper() for method in document["paths"][path]} - {"PARAMETERS"}
    if "OPTIONS" in described:
        return
    there = re.sub(r"{(\w+)}", lambda found: VALUES.get(found[1], "none"), path)
    answer = mock.request("OPTIONS", there)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == described
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "row"),
    [(method, row) for row in table() for method in row.bodies],
    ids=lambda value: value if isinstance(value, str) else value.path,
)
def test_a_body_of_another_kind_is_refused_with_a_place(mock: Mock, method: str, row: Any) -> None:
    there = re.sub(r"{(\w+)}", lambda found: VALUES.get(found[1], "none"), row.path)
    headers = {"content-type": "application/json"}
    answer = mock.request(method, there, headers=headers, body=b'{"surprise": 1}')
    if answer.status == 404:  # of a task or a file that is not there, whatever was sent
        return
    assert answer.status == 400
    assert "/surprise" in {error["pointer"] for error in answer.json()["errors"]}
