"""The contract: the content of `schemas/`. It is read-only."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mock_server.contract.request_rules import Derive, Schema
from mock_server.core.catalog import Catalog, Clip, MediaRules, Model

Part = TypeVar("Part")


class ApiSchemas(Protocol):
    """The attributes of an API that the contract uses."""

    @property
    def name(self) -> str:
        """The name of the folder of its schemas, and of the API in its models' files."""

    @property
    def schemas(self) -> Path | None:
        """The folder that contains the API's folder and `models`; None: the contract's folder."""

    @property
    def uploads(self) -> Callable[[Contract], Iterable[MediaRules]]:
        """Returns all rules that an upload to this API may be checked against."""

    @property
    def document_schemas(self) -> Callable[[Contract], Mapping[str, Schema]]:
        """Returns the schemas that replace general ones in the OpenAPI document, by name."""


class Contract:
    """Reads one `schemas` folder; most parts at their first use."""

    def __init__(self, folder: Path, apis: Iterable[ApiSchemas] = ()) -> None:
        """apis: those whose error codes and models are known."""
        self._folder = folder
        self._apis = tuple(apis)
        self._folder_of = {api.name: api.schemas or folder for api in self._apis}
        self._parts: dict[object, Any] = {}
        self.catalog = Catalog(
            _read_model(json.loads(path.read_text("utf-8")))
            for each in dict.fromkeys([folder, *self._folder_of.values()])
            for path in sorted((each / "models").glob("*.json"))
        )

    def of(self, kind: Callable[[Contract], Part]) -> Part:
        """The result of `kind(self)`, such as the rules of one API. Each is made once."""
        if kind not in self._parts:
            self._parts[kind] = kind(self)
        part: Part = self._parts[kind]
        return part

    def schema(self, name: str) -> Schema:
        """A schema file by its path without suffix (`API/file`). References are replaced."""
        folder = self._folder_of.get(name.partition("/")[0], self._folder)
        path = folder / f"{name}.json"
        found: Schema = _with_files_in_place(json.loads(path.read_text("utf-8")), path.parent)
        return found

    def error_statuses(self, api: str) -> dict[str, int | None]:
        """The status of each of an API's error codes; None for codes that are no HTTP error."""
        rows = self.schema(f"{api}/error-codes")["anyOf"]
        return {row["const"]: row["x-status"] for row in rows if "const" in row}

    @cached_property
    def codes(self) -> Mapping[str, Collection[str]]:
        """The error codes of each API."""
        return {api.name: self.error_statuses(api.name) for api in self._apis}

    @cached_property
    def uploads(self) -> MediaRules:
        """All kinds and types of uploads, and the largest size."""
        every = [rules for api in self._apis for rules in api.uploads(self)]
        return MediaRules(
            tuple(dict.fromkeys(kind for rules in every for kind in rules.kinds)),
            tuple(dict.fromkeys(name for rules in every for name in rules.mime_types)),
            max((rules.max_bytes for rules in every), default=0),
        )

    @cached_property
    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of all APIs, bundled: it refers to nothing outside itself. An API
        with a schemas folder of its own may have its part of the document there."""
        from mock_server.contract import openapi  # most servers do not need the document

        schemas: dict[Path, dict[Path, Mapping[str, Schema]]] = {self._folder: {}}
        for api in self._apis:
            folder = self._folder_of[api.name]
            schemas.setdefault(folder, {})[folder / api.name] = api.document_schemas(self)
        others = [each for each in schemas if (each / "openapi.json").exists()]
        folders = dict.fromkeys([self._folder, *others])
        return openapi.joined([openapi.bundle(each, schemas[each]) for each in folders])

    def document_of(self, base_url: str, prefix: str | None = None) -> dict[str, Any]:
        """The OpenAPI document of the server at this URL; of one path prefix only, if given."""
        from mock_server.contract import openapi  # as above

        document = self.openapi if prefix is None else openapi.part_under(self.openapi, prefix)
        return openapi.at(document, base_url)

    def per_model(self, name: str, derive: Derive) -> Mapping[str, Schema]:
        """The schema of a request for each model, as the document shows it.
        name: of the general schema."""
        general = self.document_schema(name)
        models = self.catalog.of(name.partition("/")[0])
        return {model.id: derive(general, model) for model in models if model.accepts_generations}

    def document_schema(self, name: str) -> Schema:
        """A schema file as the document shows it. It refers to files beside it."""
        folder = self._folder_of[name.partition("/")[0]]
        schema: Schema = json.loads((folder / f"{name}.json").read_text("utf-8"))
        schema.pop("$schema", None)
        return schema


def _read_model(facts: dict[str, Any]) -> Model:
    references = facts.get("references")
    return Model(
        api=facts["api"],
        id=facts["id"],
        price_credits=facts["price_credits"],
        references=references
        and MediaRules(
            tuple(references["kinds"]), tuple(references["mime_types"]), references["max_bytes"]
        ),
        defaults={param["key"]: param["default"] for param in facts.get("params", ())},
        clips=tuple(Clip(**clip) for clip in facts["clips"]),
        facts=facts,
    )


def _with_files_in_place(node: Any, folder: Path) -> Any:
    """The node with every reference to a file replaced by that file's schema."""
    if isinstance(node, list):
        return [_with_files_in_place(item, folder) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref", "#")
    rest = {
        key: _with_files_in_place(value, folder) for key, value in node.items() if key != "$ref"
    }
    if reference.startswith("#"):
        return rest | ({"$ref": reference} if "$ref" in node else {})
    path = folder / reference
    target = _with_files_in_place(json.loads(path.read_text("utf-8")), path.parent)
    target.pop("$schema", None)
    # In JSON Schema, the rules of the file and the rules beside the reference both apply.
    return target if not rest else {"allOf": [target], **rest}
