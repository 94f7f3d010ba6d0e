"""What a generation request must be like, per model: derived from the catalogue, never written.

The general schema says what all models share; a model's file says the rest (prompt, params,
references). Putting the two together gives one schema per model, which the server checks bodies
with and which the OpenAPI document shows. Adding a model is adding a file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from typing import Any

import msgspec

from mock_server.contract.violations import BodyRules
from mock_server.core.catalog import Model
from mock_server.core.journal import IgnoredField
from mock_server.core.refusals import Invalid

Schema = dict[str, Any]


def rivya_request_schema(
    general: Mapping[str, Any], model: Model, *, strict: bool = True
) -> Schema:
    """The schema of a request for one Rivya model.

    strict: params hold only the model's keys, with options spelled as documented. Otherwise
    other keys are let through and JSON true or 6 may stand for "true" or "6".
    """
    schema = deepcopy(dict(general))
    properties = schema["properties"]
    properties["model"] |= {"const": model.id}
    prompt = model.facts["prompt"]
    if prompt is not None:
        properties["prompt"] |= {"maxLength": prompt["max_chars"]}
        _require(schema, "prompt", when=prompt["required"])
    properties["params"] = _params_schema(properties["params"], model, strict=strict)
    return schema


def _params_schema(general: Mapping[str, Any], model: Model, *, strict: bool) -> Schema:
    params = deepcopy(dict(general))
    references = params.get("properties", {}).pop("referenceMediaItems", {"type": "array"})
    properties: Schema = {
        param["key"]: {
            "enum": param["options"] if strict else _spellings(param["options"]),
            "description": param.get("description", ""),
            "x-source": source_of(model.facts, f"/params/{index}"),
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


def acedata_request_schema(general: Mapping[str, Any], model: Model) -> Schema:
    """The schema of a request for one AceData model; the default one may go unnamed."""
    schema = deepcopy(dict(general))
    schema["properties"]["model"] |= {"const": model.id}
    schema["properties"]["model"].pop("enum", None)
    _require(schema, "model", when=not model.facts["is_default"])
    _require(schema, "prompt", when=model.facts["needs_prompt"])
    _require(schema, "first_image_url", when=model.facts["needs_image"])
    return schema


def upload_form_schema(general: Mapping[str, Any], models: tuple[Model, ...]) -> Schema:
    """The schema of an upload's form: it may name a model that takes reference files."""
    schema = deepcopy(dict(general))
    named = [model.id for model in models if model.references is not None]
    schema["properties"]["model"] |= {"enum": named}
    return schema


def any_model(schemas: Mapping[str, Schema], title: str) -> Schema:
    """One schema that takes a request for any of the models."""
    branches = [schema | {"title": f"{title} {model_id}"} for model_id, schema in schemas.items()]
    return {"title": title, "anyOf": branches}


def source_of(facts: Mapping[str, Any], place: str) -> str:
    """Where a fact of a model's file comes from: the source noted nearest above `place`."""
    sources: Mapping[str, str] = facts["x-source"]
    above = [noted for noted in sources if place == noted or place.startswith(noted + "/")]
    return sources[max(above, key=len)]


class OrderRules:
    """The rules of every model of one API, each compiled once.

    fields: the names a body may have; others are ignored, by both APIs.
    """

    def __init__(
        self,
        general: Mapping[str, Any],
        models: tuple[Model, ...],
        derive: Callable[[Mapping[str, Any], Model], Schema],
    ) -> None:
        callable_models = [model for model in models if model.is_callable]
        self._uncallable = {model.id: model for model in models if not model.is_callable}
        self._default = next((m.id for m in callable_models if m.facts.get("is_default")), None)
        self.schemas = {model.id: derive(general, model) for model in callable_models}
        self._rules = {model_id: BodyRules(schema) for model_id, schema in self.schemas.items()}
        self.fields = frozenset(general["properties"])
        named = deepcopy(dict(general))
        named["properties"]["model"] |= {"enum": list(self.schemas)}
        self._general = BodyRules(named)

    def require(self, body: Any) -> str:
        """The id of the model asked for; refuses with Invalid a body that breaks its rules."""
        model_id = body.get("model", self._default) if isinstance(body, dict) else None
        if isinstance(model_id, str) and model_id in self._rules:
            self._rules[model_id].require(body)
            return model_id
        if isinstance(model_id, str) and model_id in self._uncallable:
            status = self._uncallable[model_id].facts["listing"]["api_status"]
            raise Invalid.at(
                "/model", "callable", f"'{model_id}' is {status}: it takes no requests"
            )
        raise Invalid(self._general.violations(body))

    def ignored_in(self, model_id: str, body: Any) -> tuple[IgnoredField, ...]:
        """The first few fields of a right body that the model's rules do not have."""
        return self._rules[model_id].ignored_in(body)

    def kept(
        self,
        body: dict[str, Any],
        model_id: str,
        *,
        whole_bytes: int,
        also: Collection[str] = (),
    ) -> bytes:
        """A request as it is kept with its task: JSON without white space.

        One of more than `whole_bytes` is kept without the fields that the API ignores.
        also: top-level fields that are kept nevertheless.
        """
        text = msgspec.json.encode(body)
        if len(text) > whole_bytes:
            others = {name: body[name] for name in also if name in body}
            text = msgspec.json.encode(self._rules[model_id].without_ignored(body) | others)
        return text


def _require(schema: Schema, name: str, *, when: bool) -> None:
    if when and name not in schema.setdefault("required", []):
        schema["required"] = [*schema["required"], name]


def _spellings(options: list[str]) -> list[Any]:
    """The options and the JSON values a careless client would send for them."""
    loose: list[Any] = list(options)
    for option in options:
        if option in {"true", "false"}:
            loose.append(option == "true")
        elif option.isdecimal():
            loose.append(int(option))
    return loose
