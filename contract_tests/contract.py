"""Reads the contract for the suite: one OpenAPI document; error codes and models of each API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs

Schema = dict[str, Any]
Api = Literal["rivya", "acedata"]
APIS: tuple[Api, ...] = ("rivya", "acedata")
PREFIX: Mapping[Api, str] = {"rivya": "/api/v1", "acedata": "/hailuo"}
TAG: Mapping[str, Api] = {"Rivya": "rivya", "AceData": "acedata"}
METHODS = ("get", "post", "put", "patch", "delete")

_HERE = Path(__file__).resolve().parent.parent
_COMPONENT = "#/components/schemas/"


def schemas_folder() -> Path:
    """The folder of the contract: beside this package, or inside the installed server."""
    for folder in (_HERE / "schemas", _HERE / "mock_server" / "schemas"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the contract is neither in {_HERE} nor in {_HERE / 'mock_server'}")


class Contract:
    """The contract in one `schemas` folder. Callers must not change what they get from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._validators: dict[int, tuple[object, jsonschema_rs.Draft202012Validator]] = {}

    @cached_property
    def document(self) -> dict[str, Any]:
        """Both APIs in one OpenAPI document, with one request schema for each model."""
        document = json.loads((self.folder / "openapi.json").read_text("utf-8"))
        components: dict[str, Schema] = {}
        whole: dict[str, Any] = _bundled(document, self.folder, components)
        schemas = whole["components"]["schemas"] | components
        schemas["GenerationRequest"] = self._per_model(
            "rivya", schemas["GenerationRequest"], _rivya_request
        )
        schemas["VideoRequest"] = self._per_model(
            "acedata", schemas["VideoRequest"], _acedata_request
        )
        with_references = [model["id"] for model in self.models("rivya") if model["references"]]
        schemas["FileUpload"]["properties"]["model"]["enum"] = with_references
        whole["components"]["schemas"] = schemas
        return whole

    def part(self, api: Api) -> dict[str, Any]:
        """The document with the paths of one API only. Its components are those of both."""
        paths = self.document["paths"].items()
        return self.document | {
            "paths": {path: item for path, item in paths if path.startswith(PREFIX[api])},
            "webhooks": {},
        }

    @cache  # noqa: B019 - one contract per process
    def error_codes(self, api: Api) -> Mapping[str, Mapping[str, Any]]:
        """The rows of an API's error table, by code."""
        table = json.loads((self.folder / api / "error-codes.json").read_text("utf-8"))
        return {row["const"]: row for row in table["anyOf"] if "const" in row}

    @cache  # noqa: B019 - one contract per process
    def models(self, api: Api) -> tuple[Mapping[str, Any], ...]:
        """The models of one API."""
        files = sorted((self.folder / "models").glob("*.json"))
        models = [json.loads(path.read_text("utf-8")) for path in files]
        return tuple(model for model in models if model["api"] == api)

    def callable_models(self, api: Api) -> tuple[Mapping[str, Any], ...]:
        """The models that can be named in a request."""
        return tuple(
            model
            for model in self.models(api)
            if model.get("listing", {}).get("api_status", "available") == "available"
        )

    def operations(self, api: Api) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Method, path and description of every operation."""
        for path, item in self.part(api)["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method]

    def resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """The target of a `$ref` inside the document; the node itself if it has none."""
        while "$ref" in node:
            found: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def known(self, title: str, value: Any) -> Any:
        """The value without the fields that the component's schema does not have."""
        return self._known(self.document["components"]["schemas"][title], value)

    def _known(self, schema: Mapping[str, Any], value: Any) -> Any:
        parts = [self.resolved(part) for part in (schema, *schema.get("anyOf", ()))]
        if isinstance(value, list):
            items: Mapping[str, Any] = next(
                (part["items"] for part in parts if "items" in part), {}
            )
            return [self._known(items, item) for item in value]
        fields = {name: node for part in parts for name, node in part.get("properties", {}).items()}
        if not fields or not isinstance(value, dict):
            return value
        return {name: self._known(fields[name], value[name]) for name in value if name in fields}

    def validator(self, schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
        """The compiled validator of a schema in the document. It is compiled once."""
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


def _bundled(node: Any, folder: Path, components: dict[str, Schema]) -> Any:
    """A copy of `node` that refers to components instead of files.

    Each file is added to `components` under its title.
    """
    if isinstance(node, list):
        return [_bundled(item, folder, components) for item in node]
    if not isinstance(node, dict):
        return node
    target = node.get("$ref", "#")
    rest = {key: _bundled(value, folder, components) for key, value in node.items()}
    if isinstance(target, str) and not target.startswith("#"):
        schema = json.loads((folder / target).read_text("utf-8"))
        schema.pop("$schema", None)
        title = schema["title"]
        if title not in components:
            components[title] = {}  # two files may refer to each other
            inner = (folder / target).parent
            components[title].update(_bundled(schema, inner, components))
        rest["$ref"] = _COMPONENT + title
    return rest


def _rivya_request(schema: Schema, model: Mapping[str, Any]) -> Schema:
    """The schema of a generation request for one model: its prompt, params and references."""
    properties = schema["properties"]
    properties["model"]["const"] = model["id"]
    properties["prompt"]["maxLength"] = model["prompt"]["max_chars"]
    schema["required"] = ["model", "prompt"] if model["prompt"]["required"] else ["model"]
    items = properties["params"]["properties"]["referenceMediaItems"]
    model_limits = {
        "kind": {"enum": model["references"]["kinds"]},
        "mimeType": {"enum": model["references"]["mime_types"]},
    }
    items["maxItems"] = model["references"]["max_files"]
    items["items"] = {"allOf": [items["items"], {"properties": model_limits}]}
    for param in model["params"]:
        properties["params"]["properties"][param["key"]] = {"enum": param["options"]}
    properties["params"]["additionalProperties"] = False
    return schema | {"title": f"GenerationRequest {model['id']}"}


def _acedata_request(schema: Schema, model: Mapping[str, Any]) -> Schema:
    """The schema of a video request for one model. Only the default model may be left out."""
    schema["properties"]["model"]["const"] = model["id"]
    del schema["anyOf"]  # replaced by the required fields
    is_required = {
        "model": not model["is_default"],
        "prompt": model["needs_prompt"],
        "first_image_url": model["needs_image"],
    }
    schema["required"] = ["action", *(name for name, required in is_required.items() if required)]
    return schema | {"title": f"VideoRequest {model['id']}"}
