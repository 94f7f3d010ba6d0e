"""The contract as the suite reads it: one document, an error table and a catalogue per API."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs
import yaml

Schema = dict[str, Any]
Api = Literal["rivya", "acedata"]
APIS: tuple[Api, ...] = ("rivya", "acedata")
PREFIX: Mapping[Api, str] = {"rivya": "/api/v1", "acedata": "/hailuo"}
TAG: Mapping[str, Api] = {"Rivya": "rivya", "AceData": "acedata"}
METHODS = ("get", "post", "put", "patch", "delete")

_HERE = Path(__file__).resolve().parent.parent
_COMPONENT = "#/components/schemas/"


def schemas_folder() -> Path:
    """The contract's files: beside this package in a checkout, in the server's once installed."""
    for folder in (_HERE / "schemas", _HERE / "mock_server" / "schemas"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the contract is neither in {_HERE} nor in {_HERE / 'mock_server'}")


class Contract:
    """Everything read from one `schemas` folder. It is only looked at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._validators: dict[int, tuple[object, jsonschema_rs.Draft202012Validator]] = {}

    @cached_property
    def document(self) -> dict[str, Any]:
        """Both APIs in one OpenAPI document; requests as each model wants them."""
        document = yaml.safe_load((self.folder / "openapi.yaml").read_text("utf-8"))
        taken: dict[str, Schema] = {}
        whole: dict[str, Any] = _with_files_taken_in(document, self.folder, taken)
        schemas = whole["components"]["schemas"] | taken
        schemas["GenerationRequest"] = self._per_model(
            "rivya", schemas["GenerationRequest"], _rivya_request
        )
        schemas["VideoRequest"] = self._per_model(
            "acedata", schemas["VideoRequest"], _acedata_request
        )
        referring = [model["id"] for model in self.models("rivya") if model["references"]]
        schemas["FileUpload"]["properties"]["model"]["enum"] = referring
        whole["components"]["schemas"] = schemas
        return whole

    def part(self, api: Api) -> dict[str, Any]:
        """The document with the paths of one API alone; components are shared."""
        paths = self.document["paths"].items()
        return self.document | {
            "paths": {path: item for path, item in paths if path.startswith(PREFIX[api])},
            "webhooks": {},
        }

    @cache  # noqa: B019 - one contract per process
    def error_codes(self, api: Api) -> Mapping[str, Mapping[str, Any]]:
        """Every row of an API's error table, by code."""
        table = json.loads((self.folder / api / "error-codes.json").read_text("utf-8"))
        return {row["const"]: row for row in table["anyOf"] if "const" in row}

    @cache  # noqa: B019 - one contract per process
    def models(self, api: Api) -> tuple[Mapping[str, Any], ...]:
        """The catalogue of one API."""
        files = sorted((self.folder / "models").glob("*.json"))
        facts = [json.loads(path.read_text("utf-8")) for path in files]
        return tuple(model for model in facts if model["api"] == api)

    def callable_models(self, api: Api) -> tuple[Mapping[str, Any], ...]:
        """The models that take requests."""
        return tuple(
            model
            for model in self.models(api)
            if model.get("listing", {}).get("api_status", "available") == "available"
        )

    def price_credits(self, api: Api, model_id: str) -> int:
        """What one generation with this model costs, by the catalogue. KeyError: no such model."""
        prices = {model["id"]: model["price_credits"] for model in self.callable_models(api)}
        price: int = prices[model_id]
        return price

    @cached_property
    def assumptions(self) -> Mapping[str, Mapping[str, str]]:
        """Every choice that the documents leave open, by its ID."""
        return tomllib.loads((self.folder / "assumptions.toml").read_text("utf-8"))

    def operations(self, api: Api) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Method, path and description of every operation."""
        for path, item in self.part(api)["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method]

    def resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a reference inside the document stands for."""
        while "$ref" in node:
            found: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def validator(self, schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
        """A compiled part of the document; compiled once, as the document never changes."""
        known = self._validators.get(id(schema))
        if known is None or known[0] is not schema:
            components = {"schemas": self.document["components"]["schemas"]}
            compiled = jsonschema_rs.Draft202012Validator(
                {**schema, "components": components}, validate_formats=True
            )
            known = self._validators[id(schema)] = (schema, compiled)
        return known[1]

    def _per_model(self, api: Api, general: Schema, derive: Any) -> Schema:
        branches = [derive(deepcopy(general), model) for model in self.callable_models(api)]
        return {"title": general["title"], "anyOf": branches}


@cache
def contract() -> Contract:
    """The contract that comes with this package."""
    return Contract(schemas_folder())


def _with_files_taken_in(node: Any, folder: Path, taken: dict[str, Schema]) -> Any:
    """A copy of `node` in which every file it refers to is a component, named by its title."""
    if isinstance(node, list):
        return [_with_files_taken_in(item, folder, taken) for item in node]
    if not isinstance(node, dict):
        return node
    target = node.get("$ref", "#")
    rest = {key: _with_files_taken_in(value, folder, taken) for key, value in node.items()}
    if isinstance(target, str) and not target.startswith("#"):
        schema = json.loads((folder / target).read_text("utf-8"))
        schema.pop("$schema", None)
        title = schema["title"]
        if title not in taken:
            taken[title] = {}  # two files may refer to each other
            inner = (folder / target).parent
            taken[title].update(_with_files_taken_in(schema, inner, taken))
        rest["$ref"] = _COMPONENT + title
    return rest


def _rivya_request(schema: Schema, model: Mapping[str, Any]) -> Schema:
    """A generation request for one model: its prompt rules, its params, its references."""
    properties = schema["properties"]
    properties["model"]["const"] = model["id"]
    properties["prompt"]["maxLength"] = model["prompt"]["max_chars"]
    schema["required"] = ["model", "prompt"] if model["prompt"]["required"] else ["model"]
    items = properties["params"]["properties"]["referenceMediaItems"]
    narrower = {
        "kind": {"enum": model["references"]["kinds"]},
        "mimeType": {"enum": model["references"]["mime_types"]},
    }
    items["maxItems"] = model["references"]["max_files"]
    items["items"] = {"allOf": [items["items"], {"properties": narrower}]}
    for param in model["params"]:
        properties["params"]["properties"][param["key"]] = {"enum": param["options"]}
    properties["params"]["additionalProperties"] = False
    return schema | {"title": f"GenerationRequest {model['id']}"}


def _acedata_request(schema: Schema, model: Mapping[str, Any]) -> Schema:
    """A video request for one model; only the default one may go unnamed."""
    schema["properties"]["model"]["const"] = model["id"]
    needs = {
        "model": not model["is_default"],
        "prompt": model["needs_prompt"],
        "first_image_url": model["needs_image"],
    }
    schema["required"] = ["action", *(name for name, needed in needs.items() if needed)]
    return schema | {"title": f"VideoRequest {model['id']}"}
