"""The OpenAPI document is valid, its bundle is complete, and its examples keep its rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from mock_server.apis import ALL
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import SCHEMAS
from mock_server.contract.openapi import bundle, part_under
from tests.contract.test_sources import nodes

OPERATIONS = {
    "/api/v1": {
        "listModels", "createGeneration", "getGeneration", "uploadFile", "getFile", "getCredits",
        "listWebhooks", "createWebhook", "getWebhook", "updateWebhook", "deleteWebhook",
        "rotateWebhookSecret", "listWebhookDeliveries", "testWebhook", "listWebhookEvents",
        "getOpenapiDocument",
    },
    "/hailuo": {"createVideo", "queryTasks"},
}  # fmt: skip


@cache
def general() -> dict[str, Any]:
    """The bundle with the request schemas as the files have them."""
    return bundle(SCHEMAS, {})


@cache
def served() -> dict[str, Any]:
    """The bundle that the server serves: with unions in place of conditions."""
    return Contract(SCHEMAS, ALL).openapi


def documents() -> dict[str, dict[str, Any]]:
    whole = {"general": general(), "served": served()}
    parts = {f"served {prefix}": part_under(served(), prefix) for prefix in OPERATIONS}
    return whole | parts


every_document = pytest.mark.parametrize(
    "name", ["general", "served", "served /api/v1", "served /hailuo"]
)


def follow(document: Mapping[str, Any], reference: str) -> Any:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


# --- soundness --------------------------------------------------------------------------------


def test_the_file_is_valid_openapi() -> None:
    from openapi_spec_validator import validate  # it takes a quarter of a second to import

    path = SCHEMAS / "openapi.yaml"
    validate(yaml.safe_load(path.read_text("utf-8")), base_uri=path.as_uri())


def test_the_built_file_has_the_content_of_its_source() -> None:
    """If it fails, `make setup` builds the file again."""
    source = yaml.safe_load((SCHEMAS / "openapi.yaml").read_text("utf-8"))
    assert json.loads((SCHEMAS / "openapi.json").read_text("utf-8")) == source


@every_document
def test_a_bundle_is_valid_openapi(name: str) -> None:
    from openapi_spec_validator import validate

    validate(documents()[name])


@pytest.mark.parametrize("api", ["rivya", "acedata"])
def test_every_schema_file_is_a_valid_schema(api: str) -> None:
    for path in (SCHEMAS / api).glob("*.json"):
        jsonschema_rs.meta.validate(json.loads(path.read_text("utf-8")))


@every_document
def test_every_reference_of_a_bundle_points_inside_the_bundle(name: str) -> None:
    document = documents()[name]
    for place, node in nodes(document):
        if "$ref" in node:
            assert node["$ref"].startswith("#/"), place
            assert follow(document, node["$ref"]), place


@every_document
def test_a_bundle_has_no_unused_component(name: str) -> None:
    document = documents()[name]
    used = {node["$ref"] for _, node in nodes(document) if "$ref" in node}
    used |= {
        f"#/components/securitySchemes/{scheme}"
        for _, node in nodes(document["paths"])
        for demand in node.get("security", ())
        for scheme in demand
    }
    there = {
        f"#/components/{kind}/{component}"
        for kind, named in document["components"].items()
        for component in named
    }
    assert there - used == set()


def test_every_required_field_is_described() -> None:
    for component, schema in general()["components"]["schemas"].items():
        for place, node in nodes(schema, component):
            described = node.get("properties", {}).keys() | schema.get("properties", {}).keys()
            if "/if" not in place and isinstance(node.get("required"), list):
                assert set(node["required"]) <= described, place


def test_every_constant_and_option_has_a_type() -> None:
    for place, node in nodes(served()["components"]["schemas"]):
        if "const" in node or isinstance(node.get("enum"), list):
            assert "type" in node, place


def test_the_model_decides_between_the_branches_of_a_generation_request() -> None:
    schemas = served()["components"]["schemas"]
    mapping = schemas["GenerationRequest"]["discriminator"]["mapping"]
    assert mapping.keys() == {"hailuo-pro", "hailuo-standard"}
    for model_id, reference in mapping.items():
        branch = follow(served(), reference)
        assert branch["properties"]["model"]["const"] == model_id
        assert "model" in branch["required"]
        assert {"$ref": reference} in schemas["GenerationRequest"]["oneOf"]


# --- what it describes ------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", OPERATIONS)
def test_every_operation_has_its_name(prefix: str) -> None:
    paths = part_under(general(), prefix)["paths"]
    found = [
        operation["operationId"]
        for item in paths.values()
        for operation in item.values()
        if isinstance(operation, dict)
    ]
    assert sorted(found) == sorted(OPERATIONS[prefix])


def test_every_link_leads_to_an_operation() -> None:
    links = [
        link for _, node in nodes(general()["paths"]) for link in node.get("links", {}).values()
    ]
    assert {link["operationId"] for link in links} == {"getGeneration", "getFile", "queryTasks"}


def test_every_operation_documents_its_common_refusals() -> None:
    for path, item in general()["paths"].items():
        for operation in (value for value in item.values() if isinstance(value, dict)):
            common = {"200", "405", "429", "500"} | ({"503"} if path.startswith("/api") else set())
            common |= {"401", "403"} if operation["security"] else set()
            common |= {"400"} if "requestBody" in operation else set()
            common |= {"404"} if "{" in path else set()
            assert common - operation["responses"].keys() == set(), operation["operationId"]


def test_the_statuses_that_need_a_header_have_it() -> None:
    wanted = {"401": "WWW-Authenticate", "405": "Allow", "429": "Retry-After"}
    for path, item in general()["paths"].items():
        for operation in (value for value in item.values() if isinstance(value, dict)):
            for status in wanted.keys() & operation["responses"].keys():
                response = follow(general(), operation["responses"][status]["$ref"])
                assert wanted[status] in response["headers"], f"{path} {status}"


# --- examples ---------------------------------------------------------------------------------


def examples(document: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Place, schema and value of every example: of bodies, parameters and headers."""
    for place, node in nodes(document):
        if "schema" in node and "/properties" not in place:
            for name, example in node.get("examples", {}).items():
                yield f"{place}/examples/{name}", node["schema"], example["value"]
            if "example" in node:
                yield f"{place}/example", node["schema"], node["example"]


@every_document
def test_every_example_is_valid_for_its_schema(name: str) -> None:
    document = documents()[name]
    checked = 0
    for place, schema, value in examples(document):
        rules = {**deepcopy(schema), "components": document["components"]}
        validator = jsonschema_rs.Draft202012Validator(rules, validate_formats=True)
        assert [error.message for error in validator.iter_errors(value)] == [], place
        checked += 1
    assert checked > 15


def test_every_json_body_except_the_document_itself_has_an_example() -> None:
    for place, node in nodes(general()["paths"]):
        body = node.get("application/json")
        if body and "openapi.json" not in place:
            assert body.get("examples"), place


# --- bundling ---------------------------------------------------------------------------------


def test_a_derived_request_schema_replaces_the_general_one() -> None:
    finished = {"title": "Mine", "oneOf": [{"$ref": "reference-item.json", "x-mine": 1}]}
    before = deepcopy(finished)
    replacements = {SCHEMAS / "rivya": {"GenerationRequest": finished}}
    schemas = bundle(SCHEMAS, replacements)["components"]["schemas"]
    item = {"$ref": "#/components/schemas/ReferenceItem", "x-mine": 1}
    assert schemas["GenerationRequest"] == {"title": "Mine", "oneOf": [item]}
    assert schemas["ReferenceItem"]["required"] == ["url", "kind"]
    assert finished == before


def test_a_bundle_keeps_the_order_of_the_file() -> None:
    document = yaml.safe_load((SCHEMAS / "openapi.yaml").read_text("utf-8"))
    assert list(general()) == list(document)
    assert list(general()["paths"]) == list(document["paths"])


def test_part_under_does_not_change_the_document() -> None:
    before = json.dumps(general())
    part_under(general(), "/hailuo")
    assert json.dumps(general()) == before


def test_a_part_has_nothing_of_the_other_api() -> None:
    for prefix, other in (("/api/v1", "AceData"), ("/hailuo", "Rivya")):
        part = part_under(served(), prefix)
        assert all(path.startswith(prefix) for path in part["paths"])
        named = [name for named in part["components"].values() for name in named]
        assert [name for name in named if name.startswith(other)] == []
        assert other not in {tag["name"] for tag in part["tags"]}


def test_only_rivyas_part_has_webhooks() -> None:
    hooks = {"generation.succeeded", "generation.failed"}
    assert part_under(served(), "/api/v1")["webhooks"].keys() == hooks
    assert "webhooks" not in part_under(served(), "/hailuo")


def write(folder: Path, **files: Any) -> Path:
    for name, data in files.items():
        (folder / f"{name}.json").write_text(json.dumps(data), "utf-8")
    return folder


def test_files_may_refer_to_each_other_in_a_circle(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        openapi={"paths": {"/a": {"$ref": "one.json"}}},
        one={"title": "One", "items": {"$ref": "two.json"}},
        two={"title": "Two", "items": {"$ref": "one.json"}},
    )
    schemas = bundle(folder, {})["components"]["schemas"]
    assert schemas["One"]["items"] == {"$ref": "#/components/schemas/Two"}
    assert schemas["Two"]["items"] == {"$ref": "#/components/schemas/One"}


def test_two_files_of_one_title_are_refused(tmp_path: Path) -> None:
    refer = {"/a": {"$ref": "one.json"}, "/b": {"$ref": "two.json"}}
    folder = write(tmp_path, openapi={"paths": refer}, one={"title": "Same"}, two={"title": "Same"})
    with pytest.raises(ValueError, match="both have the title Same"):
        bundle(folder, {})


def test_a_reference_to_a_part_of_a_file_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, openapi={"paths": {"/a": {"$ref": "one.json#/x"}}})
    with pytest.raises(ValueError, match="whole files only"):
        bundle(folder, {})
