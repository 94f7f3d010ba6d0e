"""The rules for creates: one schema per model, from the general schema and the model's file."""

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from typing import Any

import msgspec

from mock_server.contract.violations import BodyRules
from mock_server.core.catalog import Model
from mock_server.core.journal import IgnoredField
from mock_server.core.refusals import Invalid

Schema = dict[str, Any]
Derive = Callable[[Mapping[str, Any], Model], Schema]
"""Makes the schema of a request for one model from the general one."""


class OrderRules:
    """The rules of every model of one API, each compiled once."""

    def __init__(
        self, general: Mapping[str, Any], models: tuple[Model, ...], derive: Derive
    ) -> None:
        callable_models = [model for model in models if model.accepts_generations]
        self._uncallable = {model.id: model for model in models if not model.accepts_generations}
        self._default = next((m.id for m in callable_models if m.facts.get("is_default")), None)
        self.schemas = {model.id: derive(general, model) for model in callable_models}
        self._rules = {model_id: BodyRules(schema) for model_id, schema in self.schemas.items()}
        named = deepcopy(dict(general))
        named["properties"]["model"] |= {"enum": list(self.schemas)}
        self._general = BodyRules(named)

    def require(self, body: Any) -> str:
        """The model id in the body. Refuses with Invalid a body that breaks the model's rules."""
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
        """The first few fields of a valid body that the model's rules do not have."""
        return self._rules[model_id].ignored_in(body)

    def kept(
        self, body: dict[str, Any], model_id: str, *, whole_bytes: int, also: Collection[str] = ()
    ) -> bytes:
        """The JSON of a request that is stored with its task, without white space. If it has more
        than `whole_bytes`, ignored fields are left out, except those in `also`.
        """
        text = msgspec.json.encode(body)
        if len(text) > whole_bytes:
            others = {name: body[name] for name in also if name in body}
            text = msgspec.json.encode(self._rules[model_id].without_ignored(body) | others)
        return text


def require_field(schema: Schema, name: str, *, when: bool) -> None:
    """Add the field to the required ones of an object's schema, if `when` holds."""
    if when and name not in schema.setdefault("required", []):
        schema["required"] = [*schema["required"], name]
