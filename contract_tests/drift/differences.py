"""Compares recorded answers with the contract, or with those of another recording."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_tests.conformance import Conformance
from contract_tests.contract import Contract
from contract_tests.drift.recording import RecordedExchange, Recording, as_exchange
from contract_tests.drift.shape import type_of, values_by_path
from contract_tests.json_values import value_at
from contract_tests.promises import Promise, promises
from contract_tests.verdicts import Finding

CREATE = "createGeneration"
_ENUM_FIELDS = frozenset(
    {"status", "object", "type", "kind", "category", "runtime", "billing_type", "state", "code"}
)


@dataclass(frozen=True)
class Difference:
    """One difference from the contract, or from another recording.

    kind: field, type, enum, form, status, header, code, price or timing. cause: contract, fake or
    service. edit: a JSON Patch (RFC 6902) operation on a file of the contract that would remove it.
    """

    kind: str
    place: str
    expected: str
    got: str
    cause: str
    edit: Mapping[str, Any] | None = None


# --- with the contract ------------------------------------------------------------------------


def compare_with_contract(recording: Recording, contract: Contract) -> list[Difference]:
    """The differences between a recording and the contract."""
    conformance = Conformance(contract)
    found: dict[tuple[str, str, str], Difference] = {}
    for recorded in recording.exchanges:
        for finding in conformance.check(as_exchange(recorded))[1]:
            difference = _difference(recording, recorded, finding)
            found.setdefault((difference.kind, difference.place, difference.got), difference)
        for difference in _unknown_fields(recording, recorded, conformance):
            found.setdefault((difference.kind, difference.place, ""), difference)
    for difference in _prices(recording, contract):
        found.setdefault((difference.kind, difference.place, difference.got), difference)
    return sorted(found.values(), key=lambda each: (each.kind, each.place))


def _difference(recording: Recording, recorded: RecordedExchange, finding: Finding) -> Difference:
    keyword = finding.expected.partition(": ")[2].partition(" ")[0]
    kind = _KIND_OF_KEYWORD.get(keyword) or _kind_of_promise(finding.promise)
    return Difference(
        kind,
        f"{recorded.operation} {recorded.status} {finding.promise.id}",
        finding.expected,
        finding.got,
        _cause(recording, finding.promise, is_form=keyword not in {"type", "required"}),
        _edit(finding.promise, keyword, recorded),
    )


_KIND_OF_KEYWORD = {
    "required": "field",
    "type": "type",
    "enum": "enum",
    "const": "enum",
    "pattern": "form",
    "format": "form",
    "minItems": "form",
    "minLength": "form",
}


def _kind_of_promise(promise: Promise) -> str:
    if promise.id.endswith("documented-statuses"):
        return "status"
    return {"header": "header", "error code": "code"}.get(promise.kind, "form")


def _cause(recording: Recording, promise: Promise, *, is_form: bool) -> str:
    if recording.is_fake:
        return "fake"
    if promise.is_assumed or (is_form and promise.assumes):
        return "contract"
    return "service"


def _edit(promise: Promise, keyword: str, recorded: RecordedExchange) -> Mapping[str, Any] | None:
    """The edit of the schema file that would allow the recorded value."""
    file, _, pointer = promise.place.partition("#")
    if not pointer.startswith("/properties") or not file.startswith("schemas/"):
        return None
    name = pointer.rpartition("/")[2]
    seen = [value for place, value in values_by_path(recorded.answer) if place.endswith(f".{name}")]
    if keyword == "required":
        owner = pointer.rpartition("/properties/")[0]
        return {"file": file, "op": "remove", "path": f"{owner}/required", "value": name}
    if not seen:
        return None
    if keyword == "type":
        types = sorted({type_of(value) for value in seen})
        return {"file": file, "op": "replace", "path": f"{pointer}/type", "value": types}
    if keyword in {"enum", "const"}:
        return {"file": file, "op": "add", "path": f"{pointer}/enum/-", "value": seen[0]}
    return {"file": file, "op": "remove", "path": f"{pointer}/{keyword}"}


def _unknown_fields(
    recording: Recording, recorded: RecordedExchange, conformance: Conformance
) -> Iterator[Difference]:
    """The fields that no schema names. Both vendors may add fields."""
    names = conformance.names_of(as_exchange(recorded))
    for path, owner in names.items():
        if not path or path[-1] != "" or _is_echo(owner):
            continue
        found = value_at(recorded.answer, path[:-1])
        for key in found if isinstance(found, dict) else ():
            if (*path[:-1], key) not in names:
                yield Difference(
                    "field",
                    f"{recorded.operation} {recorded.status} {owner}.{key}",
                    "no such field",
                    type_of(found[key]),
                    "fake" if recording.is_fake else "service",
                    _new_field(owner, key, found[key]),
                )


def _is_echo(owner: str) -> bool:
    """Whether the object repeats a request, or is the OpenAPI document: any field is allowed."""
    return owner.endswith(".request") or owner.startswith("rivya.OpenApiDocument")


def _new_field(owner: str, key: str, value: Any) -> Mapping[str, Any] | None:
    """The edit that adds a new field to the schema of its object."""
    for promise in promises().values():
        prefix, name = promise.id.rpartition(".")[::2]
        if prefix == owner and name:
            file, _, pointer = promise.place.partition("#")
            there = pointer.rpartition("/")[0]
            described = {"type": type_of(value), "x-source": "observed"}
            return {"file": file, "op": "add", "path": f"{there}/{key}", "value": described}
    return None


def _prices(recording: Recording, contract: Contract) -> Iterator[Difference]:
    """The differences between the recorded prices and the catalogue."""
    for model, reserved in _charged(recording).items():
        listed = {m["id"]: m["price_credits"] for m in contract.models("rivya")}.get(model)
        for credits in sorted(reserved):
            if listed is not None and credits != listed:
                promise = promises()[f"rivya.model.{model}.price_credits"]
                yield Difference(
                    "price", f"{CREATE} {model}", str(listed), str(credits),
                    "fake" if recording.is_fake else "contract",
                    {"file": promise.place.partition("#")[0], "op": "replace",
                     "path": "/price_credits", "value": credits},
                )  # fmt: skip


def _charged(recording: Recording) -> dict[str, set[int]]:
    """The prices in a recording, by model. Answers without a price have none."""
    charged: dict[str, set[int]] = defaultdict(set)
    for recorded in recording.exchanges:
        if recorded.status < 300 and isinstance(recorded.answer, dict):
            rows: list[tuple[Any, Any]] = []
            if recorded.operation == CREATE:
                rows = [(recorded.answer.get("model"), recorded.answer.get("reserved_credits"))]
            elif recorded.operation == "listModels":
                listed = recorded.answer.get("data")
                models = listed if isinstance(listed, list) else []
                rows = [(m.get("id"), m.get("base_credits")) for m in models if isinstance(m, dict)]
            for model, credits in rows:
                if isinstance(model, str) and type(credits) is int:
                    charged[model].add(credits)
    return charged


# --- with another recording -------------------------------------------------------------------


def compare_recordings(before: Recording, after: Recording, contract: Contract) -> list[Difference]:
    """The differences between answers of the same operation, status and code."""
    found: list[Difference] = []
    befores, afters = _by_kind(before), _by_kind(after)
    for kind in sorted(befores.keys() & afters.keys(), key=str):
        place = " ".join(str(part) for part in kind if part is not None)
        cause = _cause_of_kind(before, after, contract, kind)
        found += _answers_differ(place, befores[kind], afters[kind], cause)
    operations = {kind[0] for kind in befores} & {kind[0] for kind in afters}
    for operation in sorted(operations):
        was = {(kind[1], kind[2]) for kind in befores if kind[0] == operation}
        now = {(kind[1], kind[2]) for kind in afters if kind[0] == operation}
        for status, code in sorted(now - was, key=str):
            is_code = status in {known for known, _ in was}
            cause = _cause_of_kind(before, after, contract, (operation, status, code))
            found.append(
                Difference(
                    "code" if is_code else "status", operation, _kinds_text(was),
                    f"{status} {code or ''}".strip(), cause,
                )
            )  # fmt: skip
    for model in sorted(_charged(before).keys() & _charged(after).keys()):
        was_paid, is_paid = _charged(before)[model], _charged(after)[model]
        if was_paid != is_paid:
            cause = "fake" if after.is_fake and not before.is_fake else "service"
            found.append(
                Difference("price", f"{CREATE} {model}", str(sorted(was_paid)),
                           str(sorted(is_paid)), cause)
            )  # fmt: skip
    return found


def _kinds_text(kinds: set[tuple[int, str | None]]) -> str:
    return ", ".join(f"{status} {code or ''}".strip() for status, code in sorted(kinds, key=str))


def _by_kind(recording: Recording) -> dict[tuple[str, int, str | None], list[RecordedExchange]]:
    kinds: dict[tuple[str, int, str | None], list[RecordedExchange]] = defaultdict(list)
    for recorded in recording.exchanges:
        kinds[recorded.kind].append(recorded)
    return kinds


def _cause_of_kind(
    before: Recording, after: Recording, contract: Contract, kind: tuple[str, int, str | None]
) -> str:
    """The cause of a difference: the side whose answers of this kind break the contract."""
    breaks = {
        name: any(
            Conformance(contract).check(as_exchange(recorded))[1]
            for recorded in recording.exchanges
            if recorded.kind == kind
        )
        for name, recording in (("before", before), ("after", after))
    }
    if before.is_fake is after.is_fake:
        return "fake" if after.is_fake else "service"
    if breaks["before"] != breaks["after"]:
        wrong = before if breaks["before"] else after
        return "fake" if wrong.is_fake else "contract"
    return "contract"  # both keep it: the contract allows both


def _answers_differ(
    place: str, befores: list[RecordedExchange], afters: list[RecordedExchange], cause: str
) -> Iterator[Difference]:
    was, now = _merged(befores), _merged(afters)
    for name in sorted(was.keys() ^ now.keys()):
        around = name.rpartition(".")[0] if "." in name else name.removesuffix("[]")
        if name.endswith("[]") or around not in (was if name in now else now):
            continue  # an empty array shows nothing about its items
        got = "there" if name in now else "not there"
        expected = "not there" if name in now else "there"
        yield Difference("field", f"{place} {name}", expected, got, cause)
    for name in sorted(was.keys() & now.keys()):
        types = [sorted({type_of(value) for value in values[name]}) for values in (was, now)]
        if set(types[1]) - set(types[0]):
            yield Difference("type", f"{place} {name}", str(types[0]), str(types[1]), cause)
        elif name.rpartition(".")[2] in _ENUM_FIELDS:
            values = [sorted({str(value) for value in each[name]}) for each in (was, now)]
            if set(values[1]) - set(values[0]):
                yield Difference("enum", f"{place} {name}", str(values[0]), str(values[1]), cause)
    headers = [
        sorted({name for each in some for name in each.headers}) for some in (befores, afters)
    ]
    if headers[0] != headers[1]:
        yield Difference("header", place, str(headers[0]), str(headers[1]), cause)
    timing = [sorted({each.timing for each in some}) for some in (befores, afters)]
    if timing[0] != timing[1]:
        yield Difference("timing", place, str(timing[0]), str(timing[1]), cause)


def _merged(some: list[RecordedExchange]) -> dict[str, list[Any]]:
    """All values at each path, over all answers of a kind."""
    merged: dict[str, list[Any]] = defaultdict(list)
    for recorded in some:
        for name, value in values_by_path(recorded.answer):
            if ".request." not in name:
                merged[name].append(value)
    return merged
