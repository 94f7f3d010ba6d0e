"""A body held against a schema: fast when it is right, telling when it is not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

import jsonschema_rs

from mock_server.contract.ignored_fields import KnownFields
from mock_server.core.journal import IgnoredField
from mock_server.core.json_pointer import pointer
from mock_server.core.printable import printable
from mock_server.core.refusals import MOST_VIOLATIONS, Invalid, Violation
from mock_server.core.suggestions import near, nearest

_KINDS = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
    "null": "null",
}


_SMALL = 500


class BodyRules:
    """One schema, compiled once. `schema` must be self-contained (no `$ref` to other files)."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self._validator = jsonschema_rs.Draft202012Validator(dict(schema))

    def accepts(self, body: Any) -> bool:
        """Whether the body breaks no rule."""
        return self._validator.is_valid(body)

    def require(self, body: Any) -> None:
        """Refuses with Invalid, naming the places where the body breaks a rule."""
        if not self._validator.is_valid(body):
            raise Invalid(self.violations(body))

    def violations(self, body: Any) -> list[Violation]:
        """The places where the body breaks a rule, missing things first, then by place: all of
        them, or one place of a body so large that to look for more would take long."""
        found = [violation for error in self._errors(body) for violation in self._explain(error)]
        return most_telling_first(found)

    def _errors(self, body: Any) -> list[jsonschema_rs.ValidationError]:
        if _is_small(body):
            # It finds all before it tells the first, and each has a copy of what it is about.
            return list(self._validator.iter_errors(body))
        try:
            self._validator.validate(body)
        except jsonschema_rs.ValidationError as error:
            return [error]
        return []

    def ignored_in(self, body: Any) -> tuple[IgnoredField, ...]:
        """The first few fields of a body that the schema does not have."""
        return self._known_fields.ignored_in(body)

    def without_ignored(self, body: Any) -> Any:
        """A right body without the fields that the schema does not have."""
        return self._known_fields.without_ignored(body)

    @cached_property
    def _known_fields(self) -> KnownFields:
        return KnownFields(self.schema)

    def _explain(self, error: jsonschema_rs.ValidationError) -> list[Violation]:
        rule, wanted = error.kind.name, error.kind.value
        instance: Any = error.instance
        place = pointer(error.instance_path)
        if rule == "required":
            missing = str(wanted)
            known = self._schema_around(error).get("properties", {})
            sentence = "is required" + _sent_instead(missing, instance, known)
            return [Violation(place + pointer([missing]), rule, sentence)]
        if rule == "additionalProperties":
            known = self._schema_around(error).get("properties", {})
            unknown = islice((name for name in instance if name not in known), MOST_VIOLATIONS + 1)
            return [
                Violation(place + pointer([name]), rule, "is no field here" + near(name, known))
                for name in unknown
            ]
        if rule in {"pattern", "not"} and (words := self._schema_around(error).get("x-sentence")):
            return [Violation(place, rule, words)]
        return [Violation(place, rule, _sentence(rule, wanted, instance))]

    def _schema_around(self, error: jsonschema_rs.ValidationError) -> Mapping[str, Any]:
        """The subschema in which the broken keyword stands."""
        found: Any = self.schema
        for step in error.schema_path[:-1]:
            found = found[step]
        return found if isinstance(found, Mapping) else {}


def most_telling_first(found: Iterable[Violation]) -> list[Violation]:
    """What is missing first, then by place."""
    return sorted(found, key=lambda found: (found.rule != "required", found.place))


def _is_small(value: Any) -> bool:
    """Whether there is little in it: some hundred values, names counted, or some long texts."""
    room, waiting = _SMALL, [value]
    while waiting and room > 0:
        inner = waiting.pop()
        room -= 1
        if isinstance(inner, str):
            room -= len(inner) // 256
        elif isinstance(inner, dict):
            waiting += (*inner, *inner.values())
        elif isinstance(inner, list):
            waiting += inner
    return room > 0


def _sent_instead(missing: str, instance: Any, known: Collection[str]) -> str:
    """Names a field that was sent, is not known, and looks like the missing one."""
    strangers = [name for name in instance if name not in known]
    wanted = missing.casefold()
    longer = (name for name in strangers if name.casefold().endswith(wanted))  # task_id, taskId
    found = nearest(missing, strangers) or next(longer, None)
    return f"; was it sent as '{found}'?" if found is not None else ""


def _sentence(rule: str, wanted: Any, instance: Any) -> str:
    match rule:
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            right = " or ".join(_KINDS.get(kind, kind) for kind in kinds)
            return f"must be {right}, not {_kind_of(instance)}"
        case "enum":
            right = ", ".join(show(option) for option in wanted)
            hint = near(instance, map(str, wanted)) if isinstance(instance, str) else ""
            if not hint and str(instance).casefold() in map(str, wanted):
                hint = f"; as a string: {show(str(instance).casefold())}"
            return f"must be one of {right}, not {show(instance)}{hint}"
        case "const":
            return f"must be {show(wanted)}, not {show(instance)}"
        case "maxLength" | "minLength" | "maxItems" | "minItems":
            parts = "characters" if rule.endswith("Length") else "items"
            bound = "at most" if rule.startswith("max") else "at least"
            return f"has {len(instance)} {parts}; {bound} {wanted}"
        case "minimum" | "maximum" | "exclusiveMinimum":
            return f"must be {_BOUNDS[rule]} {show(wanted)}, not {show(instance)}"
        case "propertyNames":
            return (
                f"has a name of a wrong form: {printable(str(wanted).partition(chr(10))[0], 200)}"
            )
        case "not":
            return "is not accepted here"
        case _:
            return f"breaks the rule {rule}: {show(wanted)}"


_BOUNDS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def show(value: Any, max_chars: int = 40) -> str:
    """A value as a short piece of a sentence."""
    if isinstance(value, dict | list):
        return _kind_of(value)
    text = repr(value) if isinstance(value, str) else str(value)
    if isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    if len(text) > max_chars:
        text = text[:max_chars] + "…"
    return text
