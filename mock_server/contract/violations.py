"""Checks a body against a schema, and explains each violation in a sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from mock_server.contract.ignored_fields import KnownFields
from mock_server.contract.web_urls import is_web_url
from mock_server.core.journal import IgnoredField
from mock_server.core.json_values import pointer
from mock_server.core.printable import printable
from mock_server.core.refusals import MOST_VIOLATIONS, Invalid, Violation
from mock_server.core.suggestions import did_you_mean, nearest

if TYPE_CHECKING:
    import jsonschema_rs

_KINDS = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
    "null": "null",
}
_JSON_TYPES = {
    list: "array",
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    type(None): "null",
}

_EXPLAINED_BY_SCHEMA = frozenset({"pattern", "not", "minProperties", "maxProperties"})
"""The rules that `x-sentence` of a schema explains."""

_SMALL = 500
"""The maximum number of values in a small body."""
_MOST_KEPT, _MOST_KEPT_CHARS = 256, 128
"""The maximum number of cached errors, and the maximum length of text and place together."""


class BodyRules:
    """One compiled schema. `schema` must have no `$ref` to other files."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        import jsonschema_rs  # takes milliseconds, and the first answers may need no rules

        self.schema = schema
        self._explained: dict[tuple[Any, ...], list[Violation]] = {}
        self._validator = jsonschema_rs.Draft202012Validator(
            dict(schema), validate_formats=True, formats={"uri": is_web_url}
        )

    def accepts(self, body: Any) -> bool:
        """Whether the body breaks no rule."""
        return self._validator.is_valid(body)

    def require(self, body: Any) -> None:
        """Refuses with Invalid, naming the places where the body breaks a rule."""
        if not self._validator.is_valid(body):
            raise Invalid(self.violations(body))

    def violations(self, body: Any) -> list[Violation]:
        """Every violation, missing fields first, then by place.
        Only one if the body is large: a search for all of them would take long."""
        found = [each for error in self._errors(body) for each in self._violations_of(error)]
        return missing_first(found)

    def _errors(self, body: Any) -> list[jsonschema_rs.ValidationError]:
        if _is_small(body):
            # The validator collects all errors at once, each with a copy of the wrong value.
            return list(self._validator.iter_errors(body))
        import jsonschema_rs  # as above

        try:
            self._validator.validate(body)
        except jsonschema_rs.ValidationError as error:
            return [error]
        return []

    def ignored_in(self, body: Any) -> tuple[IgnoredField, ...]:
        """The first few unknown fields of a body."""
        return self._known_fields.ignored_in(body)

    def without_ignored(self, body: Any) -> Any:
        """A valid body without its unknown fields."""
        return self._known_fields.without_ignored(body)

    @cached_property
    def _known_fields(self) -> KnownFields:
        return KnownFields(self.schema)

    def _violations_of(self, error: jsonschema_rs.ValidationError) -> list[Violation]:
        """The violations of one error. Cached for short texts: clients repeat their mistakes."""
        text, place = error.instance, pointer(error.instance_path)
        if not isinstance(text, str) or len(text) + len(place) > _MOST_KEPT_CHARS:
            return self._explain(error)
        key = (place, text, *error.schema_path)
        told = self._explained.get(key)
        if told is None:
            if len(self._explained) >= _MOST_KEPT:
                self._explained.clear()
            told = self._explained[key] = self._explain(error)
        return told

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
                Violation(
                    place + pointer([name]), rule, "is no field here" + did_you_mean(name, known)
                )
                for name in unknown
            ]
        if rule == "format":
            rule = "pattern"  # callers see both as one rule: a malformed text often breaks both
        if rule in _EXPLAINED_BY_SCHEMA and (words := self._schema_around(error).get("x-sentence")):
            return [Violation(place, rule, words)]
        return [Violation(place, rule, _sentence(rule, wanted, instance))]

    def _schema_around(self, error: jsonschema_rs.ValidationError) -> Mapping[str, Any]:
        """The subschema that has the violated keyword."""
        found: Any = self.schema
        for step in error.schema_path[:-1]:
            found = found[step]
        return found if isinstance(found, Mapping) else {}


def missing_first(found: Iterable[Violation]) -> list[Violation]:
    """The violations, each once, missing fields first, then by place."""
    every = dict.fromkeys(found)
    if len(every) == 1:  # most refused bodies have one mistake
        return list(every)
    return sorted(every, key=lambda found: (found.rule != "required", found.place))


def _is_small(value: Any) -> bool:
    """Whether it has at most _SMALL values. Names count, and each 256 characters of a string."""
    if len(msgspec.json.encode(value)) <= _SMALL:  # each value has a byte; faster than counting
        return True
    room, waiting = _SMALL, [value]
    while waiting and room > 0:
        inner = waiting.pop()
        room -= 1
        if isinstance(inner, str):
            room -= len(inner) >> 8
        elif isinstance(inner, dict):
            waiting += inner
            waiting += inner.values()
        elif isinstance(inner, list):
            waiting += inner
    return room > 0


def _sent_instead(missing: str, instance: Any, known: Collection[str]) -> str:
    """A question that names an unknown field similar to the missing one; empty without one."""
    unknown = [name for name in instance if name not in known]
    wanted = missing.casefold()
    longer = (name for name in unknown if name.casefold().endswith(wanted))  # task_id, taskId
    found = nearest(missing, unknown) or next(longer, None)
    return f"; was it sent as '{found}'?" if found is not None else ""


def _sentence(rule: str, wanted: Any, instance: Any) -> str:
    match rule:
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            right = " or ".join(_KINDS.get(kind, kind) for kind in kinds)
            return f"must be {right}, not {_kind_of(instance)}"
        case "enum":
            right = ", ".join(show(option) for option in wanted)
            hint = did_you_mean(instance, map(str, wanted)) if isinstance(instance, str) else ""
            if not hint and str(instance).casefold() in map(str, wanted):
                hint = f"; as a string: {show(str(instance).casefold())}"
            return f"must be one of {right}, not {show(instance)}{hint}"
        case "const":
            return f"must be {show(wanted)}, not {show(instance)}"
        case (
            "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties" | "minProperties"
        ):
            bound, parts = rule[:3], _PARTS[rule[3:]]
            return (
                f"has {len(instance)} {parts}; at {'most' if bound == 'max' else 'least'} {wanted}"
            )
        case "pattern" if wanted == "date-time":
            return f"must be a time with a zone, like 2026-05-11T12:00:00Z, not {show(instance)}"
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


_PARTS = {"Length": "characters", "Items": "items", "Properties": "fields"}
_BOUNDS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}


def _kind_of(value: Any) -> str:
    return _KINDS[_JSON_TYPES.get(type(value), "object")]


def show(value: Any, max_chars: int = 40) -> str:
    """A value as text for a sentence, cut after `max_chars`."""
    if isinstance(value, str):
        text = repr(value)
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, dict | list | None):
        return _kind_of(value)
    else:
        text = str(value)
    return text if len(text) <= max_chars else text[:max_chars] + "…"
