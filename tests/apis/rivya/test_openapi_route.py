"""The OpenAPI document that Rivya serves: it has nothing of the other API."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.mock import Mock
from tests.rivya import OPERATIONS, PUBLIC_OPERATIONS, STATUS_OF


@pytest.fixture
def document(mock: Mock) -> Any:
    answer = mock.rivya("GET", "/openapi.json", key=None)
    assert answer.status == 200
    return answer.json()


def references(node: Any) -> set[str]:
    """Every `$ref` in a piece of the document."""
    if isinstance(node, list):
        return {ref for item in node for ref in references(item)}
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
    return own.union(*(references(value) for value in node.values()))


def test_the_document_is_openapi(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    assert {"info", "paths", "components"} <= set(document)


def test_the_document_has_rivyas_paths_only(document: Any) -> None:
    assert document["paths"]
    assert {path for path in document["paths"] if not path.startswith("/api/v1/")} == set()


def test_the_document_has_every_documented_route_and_no_other(document: Any) -> None:
    described = {
        (method.upper(), re.sub(r"\{\w+\}", "*", path.removeprefix("/api/v1")))
        for path, item in document["paths"].items()
        for method in item
        if method in {"get", "post", "put", "patch", "delete"}
    }
    known = [*PUBLIC_OPERATIONS, *[(method, path) for method, path, _ in OPERATIONS]]
    assert described == {
        (method, re.sub(r"(task|file|whend)_x", "*", path)) for method, path in known
    }


def test_every_reference_of_the_document_leads_to_a_part_of_it(
    document: Any,
) -> None:
    for reference in references(document):
        assert reference.startswith("#/")
        found = document
        for step in reference[2:].split("/"):
            found = found[step]


def test_nothing_of_the_other_api_is_in_the_document(document: Any) -> None:
    text = json.dumps(document["paths"]) + json.dumps(document["components"])
    assert "minimax" not in text
    assert "/hailuo/" not in text
    assert not [name for name in document["components"]["schemas"] if name.startswith("AceData")]


def test_the_upload_answer_has_its_public_name(document: Any) -> None:
    assert "PublicApiFile" in document["components"]["schemas"]


def test_the_document_names_every_error_code(document: Any) -> None:
    known, other = document["components"]["schemas"]["RivyaErrorCode"]["anyOf"]
    assert set(known["enum"]) == set(STATUS_OF)
    assert other["type"] == "string"


def test_the_document_names_the_server_that_it_comes_from(make_mock: Any) -> None:
    mock = make_mock(public_url="https://fake.test:8443")
    document = mock.rivya("GET", "/openapi.json").json()
    for node in (document, *document["paths"].values()):
        assert node["servers"][0]["url"] == "https://fake.test:8443"


def test_the_document_shows_nothing_of_an_account(mock: Mock) -> None:
    before = mock.rivya("GET", "/openapi.json", key=None).body
    mock.create()
    mock.upload()
    assert mock.rivya("GET", "/openapi.json").body == before


def test_the_document_is_only_read(mock: Mock) -> None:
    mock.rivya("GET", "/openapi.json")
    assert len(mock.world.tasks) == 0


def test_the_document_shows_the_strict_rules_also_when_params_are_lenient(make_mock: Any) -> None:
    strict, lenient = make_mock(), make_mock(rivya__params="lenient")
    path = "/openapi.json"
    assert strict.rivya("GET", path).body == lenient.rivya("GET", path).body
