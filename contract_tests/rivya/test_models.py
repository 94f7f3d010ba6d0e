"""The public list of models, held against the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from contract_tests.refusals import require_success
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

_DERIVED = {
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
            for row, expected, got in _facts(model, by_id[model["id"]]):
                require(row, got == expected, expected=expected, got=got, by=answer)


def _facts(model: Mapping[str, Any], entry: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Row, what the catalogue says, what the list says; clips and api are not in the list."""
    for pointer in model["x-source"]:
        row = f"rivya.model.{model['id']}{pointer.replace('/', '.')}"
        section, _, name = pointer.strip("/").partition("/")
        if section == "listing" and not name:
            facts = model["listing"]
            yield row, facts, {fact: entry.get(fact) for fact in facts}
        elif section == "listing":
            yield row, model["listing"][name], entry[name]
        elif section == "params" and name:
            param = model["params"][int(name)]
            shown = {key: param[key] for key in ("key", "type", "required", "default", "options")}
            listed = entry["params"][int(name)]
            yield row, shown, {key: listed.get(key) for key in shown}
        elif pointer in _DERIVED:
            yield row, _derived(model, pointer), entry[_DERIVED[pointer]]
        elif pointer == "/params":
            yield row, len(model["params"]), len(entry["params"])
        elif pointer == "/references/max_bytes":
            megabytes = model["references"]["max_bytes"] // 1024**2
            yield row, megabytes, entry["reference_media"]["max_size_mb"]
        elif pointer in ("/api", "/clips"):
            yield row, None, None  # shown by a generation with this model


def _derived(model: Mapping[str, Any], pointer: str) -> Any:
    if pointer == "/prompt":
        return model["prompt"] and model["prompt"]["max_chars"]
    if pointer == "/references":
        facts = model["references"]
        return facts and {
            "kinds": facts["kinds"],
            "max_files": facts["max_files"],
            "max_size_mb": facts["max_bytes"] // 1024**2,
            "mime_types": facts["mime_types"],
        }
    return model[pointer.strip("/")]
