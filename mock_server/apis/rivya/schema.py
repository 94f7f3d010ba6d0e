"""The rules for Rivya's request bodies, from its schema files and models.

`Contract.of` compiles each at its first use."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

from mock_server.contract.contract import Contract
from mock_server.contract.request_rules import OrderRules, Schema, require_field
from mock_server.contract.unions import open_list_of_codes, union_of_conditions, union_of_models
from mock_server.contract.violations import BodyRules
from mock_server.core.catalog import MediaRules, Model


def strict_generation(contract: Contract) -> OrderRules:
    """The rules for creating a generation with documented params only."""
    return _generation(contract, strict=True)


def lenient_generation(contract: Contract) -> OrderRules:
    """The rules for creating a generation; other params and spellings are accepted."""
    return _generation(contract, strict=False)


def _generation(contract: Contract, *, strict: bool) -> OrderRules:
    derive = partial(generation_schema, strict=strict)
    general = contract.schema("rivya/generation-request")
    return OrderRules(general, contract.catalog.of("rivya"), derive)


def upload_rules(contract: Contract) -> BodyRules:
    """The rules for the fields of an upload's form."""
    return BodyRules(upload_form_schema(contract))


def webhook_create_rules(contract: Contract) -> BodyRules:
    """The rules for creating a webhook endpoint."""
    return BodyRules(contract.schema("rivya/webhook-create"))


def webhook_update_rules(contract: Contract) -> BodyRules:
    """The rules for changing a webhook endpoint."""
    return BodyRules(contract.schema("rivya/webhook-update"))


def upload_limits(contract: Contract) -> Mapping[str, MediaRules]:
    """The limits of uploads without a model, by kind."""
    limits = contract.schema("rivya/file-upload")["properties"]["kind"]["x-limits"]
    return {
        kind: MediaRules((kind,), tuple(row["mime_types"]), row["max_bytes"])
        for kind, row in limits.items()
    }


def uploads(contract: Contract) -> Iterable[MediaRules]:
    """All rules that uploads may have."""
    yield from contract.of(upload_limits).values()
    yield from (each.references for each in contract.catalog.of("rivya") if each.references)


def document_schemas(contract: Contract) -> Mapping[str, Schema]:
    """The schemas that replace the general ones in the OpenAPI document."""
    request = contract.document_schema("rivya/generation-request")
    generation = contract.document_schema("rivya/generation")
    return {
        **union_of_models(
            request, contract.per_model("rivya/generation-request", generation_schema)
        ),
        **union_of_conditions(generation, "status", "Unfinished"),
        **open_list_of_codes(contract.document_schema("rivya/error-codes")),
        "FileUpload": _documented_upload_form(contract),
    }


def generation_schema(general: Mapping[str, Any], model: Model, *, strict: bool = True) -> Schema:
    """The schema of a create for one model.
    strict: params have only the model's keys and documented options. Otherwise other keys are
    accepted, and JSON true or 6 for "true" or "6"."""
    schema = deepcopy(dict(general))
    properties = schema["properties"]
    properties["model"] |= {"const": model.id}
    prompt = model.facts["prompt"]
    if prompt is not None:
        properties["prompt"] |= {"maxLength": prompt["max_chars"]}
        require_field(schema, "prompt", when=prompt["required"])
    properties["params"] = _params_schema(properties["params"], model, strict=strict)
    return schema


def _params_schema(general: Mapping[str, Any], model: Model, *, strict: bool) -> Schema:
    params = deepcopy(dict(general))
    references = params.get("properties", {}).pop("referenceMediaItems", {"type": "array"})
    properties: Schema = {
        param["key"]: {
            "enum": param["options"] if strict else _spellings(param["options"]),
            "description": param.get("description", ""),
            "x-source": _source_of(model.facts, f"/params/{index}"),
        }
        for index, param in enumerate(model.facts["params"])
    }
    if model.references is not None:
        references["maxItems"] = model.facts["references"]["max_files"]
        narrower = {
            "kind": {"enum": list(model.references.kinds)},
            "mimeType": {"enum": list(model.references.mime_types)},
        }
        references["items"] = {"allOf": [references["items"], {"properties": narrower}]}
        properties["referenceMediaItems"] = references
    required = [param["key"] for param in model.facts["params"] if param["required"]]
    params |= {"properties": properties, "additionalProperties": not strict}
    return params | ({"required": required} if required else {})


def upload_form_schema(contract: Contract) -> Schema:
    """The schema of an upload's form. Its model must accept reference files."""
    schema = contract.schema("rivya/file-upload")
    named = [each.id for each in contract.catalog.of("rivya") if each.references is not None]
    schema["properties"]["model"] |= {"enum": named}
    return schema


def _documented_upload_form(contract: Contract) -> Schema:
    """The schema of an upload's form, with the kinds that models accept."""
    models = [each.references for each in contract.catalog.of("rivya") if each.references]
    kinds = {"enum": sorted({kind for references in models for kind in references.kinds})}
    return upload_form_schema(contract) | {
        "dependentSchemas": {"model": {"properties": {"kind": kinds}}}
    }


def _source_of(facts: Mapping[str, Any], place: str) -> str:
    """The source of a fact in a model's file: that of the nearest object that contains `place`."""
    sources: Mapping[str, str] = facts["x-source"]
    above = [noted for noted in sources if place == noted or place.startswith(noted + "/")]
    return sources[max(above, key=len)]


def _spellings(options: list[str]) -> list[Any]:
    """The options, and the other JSON values that clients send for them."""
    loose: list[Any] = list(options)
    for option in options:
        if option in {"true", "false"}:
            loose.append(option == "true")
        elif option.isdecimal():
            loose.append(int(option))
    return loose
