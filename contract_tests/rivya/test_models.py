"""Checks of the public list of models against the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from contract_tests.requirements import require_success
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

_LISTED_AS = {
    "/id": "id",
    "/price_credits": "base_credits",
    "/prompt": "max_prompt_length",
    "/references": "reference_media",
}


@pytest.mark.rank(0)
@pytest.mark.holds(
    "rivya.rule.callable-models-listed", "rivya.model.hailuo-pro.*",
    "rivya.model.hailuo-standard.*",
        "rivya.model.hailuo-next.*", "rivya.model.studio-sketch.*", "rivya.Model*",
)  # fmt: skip
def test_the_list_shows_the_models_as_the_catalogue_has_them(
    rivya: Caller, run: Run, require: Require
) -> None:
    answer = rivya.target.caller("rivya", None).get("/models")
    listed = require_success(require, "rivya.rule.callable-models-listed", answer)["data"]
    ids = [entry["id"] for entry in listed]
    rule = "rivya.rule.callable-models-listed"
    require(rule, len(ids) == len(set(ids)), expected="each once", got=ids, by=answer)
    by_id = {entry["id"]: entry for entry in listed}
    for model in run.contract.models("rivya"):
        is_callable = model["listing"]["api_status"] == "available"
        require(
            rule, model["id"] in by_id or not (is_callable or run.target.is_fake),
            expected=model["id"], got=ids, by=answer,
        )  # fmt: skip
        if model["id"] in by_id:
            for promise_id, expected, got in _compared_fields(model, by_id[model["id"]]):
                if run.target.is_fake or not _has_other_shape(expected, got):
                    require(promise_id, got == expected, expected=expected, got=got, by=answer)


def _has_other_shape(expected: Any, got: Any) -> bool:
    """Whether fields whose shape is only assumed are not there."""
    return isinstance(expected, dict) and isinstance(got, dict) and None in got.values()


def _compared_fields(
    model: Mapping[str, Any], entry: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Promise id, value in the catalogue, value in the list. It has no clips and no api."""
    for pointer in model["x-source"]:
        promise_id = f"rivya.model.{model['id']}{pointer.replace('/', '.')}"
        section, _, name = pointer.strip("/").partition("/")
        if section == "listing" and not name:
            listing = model["listing"]
            yield promise_id, listing, {field: entry.get(field) for field in listing}
        elif section == "listing":
            yield promise_id, model["listing"][name], entry[name]
        elif section == "params" and name:
            param = model["params"][int(name)]
            shown = {key: param[key] for key in ("key", "type", "required", "default", "options")}
            listed = entry["params"][int(name)] if int(name) < len(entry["params"]) else {}
            yield promise_id, shown, _fields_of(listed, shown)
        elif pointer in _LISTED_AS:
            value = _listed_value(model, pointer)
            yield promise_id, value, _fields_of(entry[_LISTED_AS[pointer]], value)
        elif pointer == "/params":
            yield promise_id, len(model["params"]), len(entry["params"])
        elif pointer == "/references/max_bytes":
            megabytes = model["references"]["max_bytes"] // 1024**2
            shown = {"max_size_mb": megabytes}
            yield promise_id, shown, _fields_of(entry["reference_media"], shown)
        elif pointer in ("/api", "/clips"):
            yield promise_id, None, None  # a generation with this model shows it


def _fields_of(shown: Any, expected: Any) -> Any:
    """Of two objects, the fields of the first that the second has."""
    if isinstance(shown, dict) and isinstance(expected, dict):
        return {name: shown.get(name) for name in expected}
    return shown


def _listed_value(model: Mapping[str, Any], pointer: str) -> Any:
    if pointer == "/prompt":
        return model["prompt"] and model["prompt"]["max_chars"]
    if pointer == "/references":
        references = model["references"]
        return references and {
            "kinds": references["kinds"],
            "max_files": references["max_files"],
            "max_size_mb": references["max_bytes"] // 1024**2,
            "mime_types": references["mime_types"],
        }
    return model[pointer.strip("/")]
