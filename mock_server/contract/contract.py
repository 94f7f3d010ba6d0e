"""The contract as the server uses it: read from `schemas/`, compiled once, then only looked at."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mock_server.contract.request_rules import (
    OrderRules,
    acedata_request_schema,
    any_model,
    rivya_request_schema,
    upload_form_schema,
)
from mock_server.contract.violations import BodyRules
from mock_server.core.catalog import Catalog, Clip, MediaRules, Model
from mock_server.core.faults import OPERATIONS_OF, Api


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A row of an API's error table. status: None for codes that are no HTTP error."""

    code: str
    status: int | None


class Contract:
    """Everything read from one `schemas` folder; parts that few need are read when asked for."""

    def __init__(self, folder: Path, *, strict_params: bool = True) -> None:
        self._folder = folder
        self._strict_params = strict_params
        self.catalog = Catalog(
            _read_model(json.loads(path.read_text("utf-8")))
            for path in sorted((folder / "models").glob("*.json"))
        )

    def schema(self, name: str) -> dict[str, Any]:
        """A schema file by its path without ending (`rivya/file`), references put in place."""
        path = self._folder / f"{name}.json"
        found: dict[str, Any] = _with_files_in_place(
            json.loads(path.read_text("utf-8")), path.parent
        )
        return found

    def error_codes(self, api: str) -> Mapping[str, ErrorCode]:
        """An API's error table, by code."""
        rows = self.schema(f"{api}/error-codes")["anyOf"]
        return MappingProxyType(
            {
                row["const"]: ErrorCode(row["const"], row["x-status"])
                for row in rows
                if "const" in row
            }
        )

    @cached_property
    def codes(self) -> Mapping[Api, Collection[str]]:
        """The error codes of each API."""
        return {api: self.error_codes(api) for api in OPERATIONS_OF}

    @cached_property
    def generation_rules(self) -> OrderRules:
        """Rules for the body of Rivya's create."""
        derive = partial(rivya_request_schema, strict=self._strict_params)
        return OrderRules(self.schema("rivya/generation-request"), self.catalog.of("rivya"), derive)

    @cached_property
    def video_rules(self) -> OrderRules:
        """Rules for the body of AceData's create."""
        return OrderRules(
            self.schema("acedata/video-request"), self.catalog.of("acedata"), acedata_request_schema
        )

    @cached_property
    def task_query_rules(self) -> BodyRules:
        """Rules for the body of AceData's task query."""
        return BodyRules(self.schema("acedata/task-query"))

    @cached_property
    def upload_rules(self) -> BodyRules:
        """Rules for the fields of Rivya's upload form."""
        general = self.schema("rivya/file-upload")
        return BodyRules(upload_form_schema(general, self.catalog.of("rivya")))

    @cached_property
    def webhook_create_rules(self) -> BodyRules:
        """Rules for the body that makes a webhook endpoint."""
        return BodyRules(self.schema("rivya/webhook-create"))

    @cached_property
    def webhook_update_rules(self) -> BodyRules:
        """Rules for the body that changes a webhook endpoint."""
        return BodyRules(self.schema("rivya/webhook-update"))

    @cached_property
    def upload_limits(self) -> Mapping[str, MediaRules]:
        """What an upload must be if its form names no model, by kind."""
        limits = self.schema("rivya/file-upload")["properties"]["kind"]["x-limits"]
        return MappingProxyType(
            {
                kind: MediaRules((kind,), tuple(row["mime_types"]), row["max_bytes"])
                for kind, row in limits.items()
            }
        )

    @cached_property
    def uploads(self) -> MediaRules:
        """What any upload may be, whatever its form names."""
        models = self.catalog.of("rivya")
        every = [*self.upload_limits.values(), *(m.references for m in models if m.references)]
        return MediaRules(
            tuple(dict.fromkeys(kind for rules in every for kind in rules.kinds)),
            tuple(dict.fromkeys(name for rules in every for name in rules.mime_types)),
            max(rules.max_bytes for rules in every),
        )

    @cached_property
    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of both APIs, bundled: it refers to nothing outside itself."""
        from mock_server.contract import openapi  # YAML is slow to read; few ask for the document

        return openapi.bundle(
            self._folder,
            {
                "GenerationRequest": any_model(
                    self._published("rivya/generation-request", "rivya", rivya_request_schema),
                    "GenerationRequest",
                ),
                "VideoRequest": any_model(
                    self._published("acedata/video-request", "acedata", acedata_request_schema),
                    "VideoRequest",
                ),
                "FileUpload": upload_form_schema(
                    self.schema("rivya/file-upload"), self.catalog.of("rivya")
                ),
            },
        )

    def openapi_part(self, prefix: str) -> dict[str, Any]:
        """The part of the document under one path prefix, with nothing else in it."""
        from mock_server.contract import openapi  # as above

        return openapi.only(self.openapi, prefix)

    def _published(self, name: str, api: str, derive: Any) -> dict[str, dict[str, Any]]:
        """The per-model schemas as the document shows them: references by file, rules strict."""
        path = self._folder / f"{name}.json"
        general = json.loads(path.read_text("utf-8"))
        general.pop("$schema", None)
        models = (model for model in self.catalog.of(api) if model.is_callable)
        return {model.id: _anchored(derive(general, model), api) for model in models}


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
    # Both the file's rules and those beside the reference hold, as JSON Schema has it.
    return target if not rest else {"allOf": [target], **rest}


def _anchored(node: Any, folder: str) -> Any:
    """The node with file references counted from the schemas folder."""
    if isinstance(node, list):
        return [_anchored(item, folder) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"{folder}/{value}" if key == "$ref" and "/" not in value else _anchored(value, folder)
        for key, value in node.items()
    }
