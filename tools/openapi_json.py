"""Writes `schemas/openapi.json` from `schemas/openapi.yaml` each time the package is built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class OpenapiJson(BuildHookInterface[Any]):
    """The build hook: an installed server reads JSON, which needs no YAML library."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called before a wheel is packed, and before an editable install."""
        source = Path(self.root, "schemas", "openapi.yaml")
        written = source.with_suffix(".json")
        text = json.dumps(yaml.safe_load(source.read_text("utf-8")), ensure_ascii=False)
        if not written.exists() or written.read_text("utf-8") != text:
            written.write_text(text, "utf-8")
