"""What one answer has against the contract, and which promises it shows to be kept.

Every answer of a run passes here, whatever check caused it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import jsonschema_rs

from contract_tests.contract import APIS, METHODS, PREFIX, Api, Contract
from contract_tests.exchange import Exchange
from contract_tests.promises import promises
from contract_tests.verdicts import Finding

# What needs no check of its own: every answer is held to it.
PASSIVE = frozenset({"answer field", "status", "answer", "header"})
PASSIVE_RULES = frozenset(
    f"{api}.rule.{name}" for api in APIS for name in ("json-answers", "documented-statuses")
)
Place = tuple[str | int, ...]
_ERROR = {"rivya": "RivyaError", "acedata": "AceDataError"}
_OF_STATUS = {
    "rivya": {401: "RivyaUnauthorized", 405: "RivyaMethodNotAllowed"},
    "acedata": {401: "AceDataUnauthorized", 405: "AceDataMethodNotAllowed"},
}


class Conformance:
    """Holds answers against one contract. `reached` is what of it was seen so far."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.reached: set[tuple[str, int]] = set()
        self.keywords: set[str] = set()

    def of(self, exchange: Exchange) -> tuple[set[str], list[Finding]]:
        """The ids of the promises this answer shows to be kept, and what it breaks."""
        api = api_of(exchange.path)
        if api is None:
            return set(), []
        operation = operation_of(self.contract, exchange.method, exchange.path)
        found = [*self._answer(api, operation, exchange)]
        kept = self._kept(api, operation, exchange)
        return kept - {finding.promise.id for finding in found}, found

    def names_of(self, exchange: Exchange) -> dict[Place, str]:
        """What the contract calls each place of an answer; (…, "") is the object at a place."""
        api = api_of(exchange.path)
        operation = operation_of(self.contract, exchange.method, exchange.path)
        schema = api and _schema(self.contract, api, operation, exchange.status)
        return self._names(api, schema, exchange.json) if api and schema else {}

    # --- what is wrong ---

    def _answer(
        self, api: Api, operation: Mapping[str, Any] | None, exchange: Exchange
    ) -> Iterator[Finding]:
        if exchange.method == "HEAD":
            return
        self.reached |= {(name, exchange.status) for name in self._reached_by(operation, exchange)}
        schema = _schema(self.contract, api, operation, exchange.status)
        if schema is None:
            finding = _finding(
                f"{api}.rule.documented-statuses",
                f"one of the statuses listed for {_name(operation, exchange)}",
                f"{exchange.status}",
                exchange,
            )
            # No page numbers the statuses of success.
            yield replace(finding, rests_on_ours=exchange.status in {201, 202})
            return
        if not exchange.headers.get("content-type", "").startswith("application/json"):
            yield _finding(
                f"{api}.rule.json-answers",
                "content-type: application/json",
                exchange.headers.get("content-type", "no content-type"),
                exchange,
            )
            return
        if exchange.json is None or _has_half_a_character(exchange):
            yield _finding(
                f"{api}.rule.json-answers", "a JSON document", _start(exchange), exchange
            )
            return
        yield from self._body(api, schema, exchange)
        yield from _headers(api, exchange)
        if exchange.status >= 400:
            yield from self._error(api, exchange)

    def _reached_by(self, operation: Mapping[str, Any] | None, exchange: Exchange) -> set[str]:
        """The operations an answer belongs to: a wrong method's to all those of its path."""
        if operation is not None:
            return {operation["operationId"]}
        if exchange.status != 405:
            return set()
        found = (operation_of(self.contract, method.upper(), exchange.path) for method in METHODS)
        return {each["operationId"] for each in found if each is not None}

    def _body(self, api: Api, schema: Mapping[str, Any], exchange: Exchange) -> Iterator[Finding]:
        errors = list(self.contract.validator(schema).iter_errors(exchange.json))
        if not errors:
            return
        names = self._names(api, schema, exchange.json)
        for error in _causes(errors):
            row, at = _row_of(api, error, names)
            expected = f"{at or 'body'}: {error.kind.name} {getattr(error.kind, 'value', '')}"
            finding = _finding(row, expected[:300], str(error.message), exchange)
            ours = error.kind.name not in _OF_THE_VENDOR and bool(finding.promise.assumes)
            yield replace(finding, rests_on_ours=ours)

    def _error(self, api: Api, exchange: Exchange) -> Iterator[Finding]:
        error = exchange.json.get("error") if isinstance(exchange.json, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        row = self.contract.error_codes(api).get(str(code))
        if row is not None and row["x-status"] != exchange.status:
            expected = f"{code} with status {row['x-status']}"
            yield _finding(f"{api}.error.{code}", expected, str(exchange.status), exchange)

    # --- what is right ---

    def _kept(self, api: Api, operation: Mapping[str, Any] | None, exchange: Exchange) -> set[str]:
        kept = {f"{api}.rule.documented-statuses", f"{api}.rule.json-answers"}
        if operation is not None:
            kept.add(f"{api}.{operation['operationId']}.{exchange.status}")
            reference = operation["responses"].get(str(exchange.status), {}).get("$ref", "")
            kept.add(f"{api}.answer.{reference.rpartition('/')[2]}")
        if exchange.status in _OF_STATUS[api]:
            kept.add(f"{api}.answer.{_OF_STATUS[api][exchange.status]}")
        for status, name, header in (
            (401, "WwwAuthenticate", "www-authenticate"),
            (405, "Allow", "allow"),
            (429, "RivyaRetryAfter", "retry-after"),
            (429, "AceDataRetryAfter", "retry-after"),
        ):
            if exchange.status == status and header in exchange.headers:
                kept.add(f"{api}.header.{name}")
        if exchange.status >= 400 and isinstance(exchange.json, dict):
            error = exchange.json.get("error")
            kept.add(f"{api}.error.{error.get('code') if isinstance(error, dict) else ''}")
        schema = _schema(self.contract, api, operation, exchange.status)
        if schema is not None:
            kept |= set(self._names(api, schema, exchange.json).values())
        return kept & promises().keys()

    def _names(self, api: Api, schema: Any, body: Any) -> dict[Place, str]:
        """The row of every field that a body has, by its place there."""
        walk = _Walk(self.contract, api, self.keywords)
        walk.into(schema, body, f"{api}.", ())
        return walk.names


class _Walk:
    """Goes through a body along its schema and names what it meets.

    names: place -> row. (…, "") is the object at a place, (…, "?") what holds under a condition.
    """

    def __init__(self, contract: Contract, api: Api, keywords: set[str]) -> None:
        self._contract, self._api, self._keywords = contract, api, keywords
        self.names: dict[Place, str] = {}

    def into(self, schema: Any, value: Any, name: str, at: Place) -> None:
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            self._referred(schema["$ref"].rpartition("/")[2], value, at)
            return
        self._keywords.update(f"{name}:{keyword}" for keyword in schema if keyword in _KEYWORDS)
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                self.into(self._branch(schema[keyword], value), value, name, at)
        if isinstance(value, dict):
            self._members(schema, value, name, at)
        if isinstance(value, list) and "items" in schema:
            for index, item in enumerate(value):
                self.into(schema["items"], item, f"{name}[]", (*at, index))
        if "if" in schema:
            self._condition(schema, value, name, at)

    def _referred(self, title: str, value: Any, at: Place) -> None:
        if title.endswith("ErrorCode"):
            return
        schema = self._contract.document["components"]["schemas"][title]
        self.into(schema, value, f"{self._api}.{title}", at)

    def _members(self, schema: Any, value: dict[str, Any], name: str, at: Place) -> None:
        self.names.setdefault((*at, ""), name)  # what a choice leads to was there first
        for key, inner in schema.get("properties", {}).items():
            if key in value:
                self.names[*at, key] = f"{name}.{key}"
                self.into(inner, value[key], f"{name}.{key}", (*at, key))

    def _condition(self, schema: Any, value: Any, name: str, at: Place) -> None:
        is_met = self._contract.validator(schema["if"]).is_valid(value)
        branch = "then" if is_met else "else"
        inner = _Walk(self._contract, self._api, self._keywords)
        inner.into(schema.get(branch), value, f"{name}?{branch}", at)
        for place, row in inner.names.items():
            if place[-1] != "":
                self.names[*place, "?"] = row

    def _branch(self, branches: list[Any], value: Any) -> Any:
        """The branch that takes the value, else the one that comes nearest."""
        counts = [
            len(list(self._contract.validator(branch).iter_errors(value))) for branch in branches
        ]
        return branches[counts.index(min(counts))]


# What a page says of a field by naming it; a pattern or a length was drawn from an example.
_OF_THE_VENDOR = frozenset({"type", "required"})


def keywords_of(contract: Contract, api: Api) -> set[str]:
    """Every keyword of every schema that an answer of this API can be held to, by its place."""
    all_keywords = _Keywords(contract, api)
    for _, _, operation in contract.operations(api):
        for answer in operation["responses"].values():
            content = contract.resolved(answer)["content"]
            all_keywords.gather(content["application/json"]["schema"], f"{api}.")
    return all_keywords.found


class _Keywords:
    """Gathers the keywords of a schema and of all that it leads to, named as `_Walk` names them."""

    def __init__(self, contract: Contract, api: Api) -> None:
        self._contract, self._api = contract, api
        self._seen: set[str] = set()
        self.found: set[str] = set()

    def gather(self, schema: Any, name: str) -> None:
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            title = schema["$ref"].rpartition("/")[2]
            if title not in self._seen and not title.endswith("ErrorCode"):
                self._seen.add(title)
                self.gather(self._contract.resolved(schema), f"{self._api}.{title}")
            return
        self.found.update(f"{name}:{keyword}" for keyword in schema if keyword in _KEYWORDS)
        inner = [(branch, name) for word in ("oneOf", "anyOf") for branch in schema.get(word, ())]
        inner += [(node, f"{name}.{key}") for key, node in schema.get("properties", {}).items()]
        inner += [(schema[word], f"{name}?{word}") for word in ("then", "else") if word in schema]
        inner += [(schema["items"], f"{name}[]")] if "items" in schema else []
        for node, its_name in inner:
            self.gather(node, its_name)


_KEYWORDS = frozenset(
    {
        "type", "enum", "const", "required", "pattern", "format", "minimum", "maximum", "minItems",
        "maxItems", "minLength", "maxLength", "oneOf", "anyOf", "if", "items", "properties",
        "additionalProperties", "maxProperties",
    }
)  # fmt: skip


def _has_half_a_character(exchange: Exchange) -> bool:
    """Whether a text in it is half a surrogate pair: nothing could write it down again."""
    if b"\\ud" not in exchange.body.lower():
        return False
    try:
        json.dumps(exchange.json, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def api_of(path: str) -> Api | None:
    """Whose path it is, if it is one of ours."""
    return next((api for api in APIS if path.startswith(PREFIX[api] + "/")), None)


def _finding(promise_id: str, expected: str, got: str, exchange: Exchange) -> Finding:
    return Finding(promises()[promise_id], expected, got, exchange)


def _name(operation: Mapping[str, Any] | None, exchange: Exchange) -> str:
    return operation["operationId"] if operation else f"{exchange.method} {exchange.path}"


def _start(exchange: Exchange) -> str:
    return exchange.body[:80].decode(errors="replace") or "nothing"


def _headers(api: Api, exchange: Exchange) -> Iterator[Finding]:
    wanted = {401: ("WwwAuthenticate", "www-authenticate"), 405: ("Allow", "allow")}
    if exchange.status in wanted:
        name, header = wanted[exchange.status]
        if header not in exchange.headers:
            yield _finding(f"{api}.header.{name}", f"a header {header}", "none", exchange)
    after = exchange.headers.get("retry-after")
    if exchange.status == 429 and after is not None and not after.isdigit():
        row = f"{api}.header.{'Rivya' if api == 'rivya' else 'AceData'}RetryAfter"
        yield _finding(row, "whole seconds", after, exchange)


def _causes(
    errors: list[jsonschema_rs.ValidationError],
) -> Iterator[jsonschema_rs.ValidationError]:
    """The errors, those of a choice replaced by what keeps its nearest branch from matching."""
    for error in errors:
        branches = getattr(error.kind, "context", None)
        if not branches:
            yield error
            continue
        inner = [branch for branch in branches if branch]
        yield from _causes(min(inner, key=_distance)) if inner else [error]


def _distance(branch: list[jsonschema_rs.ValidationError]) -> tuple[bool, int]:
    return any(error.kind.name == "maxProperties" for error in branch), len(branch)


def _row_of(
    api: Api,
    error: jsonschema_rs.ValidationError,
    names: Mapping[Place, str],
) -> tuple[str, str]:
    """The promise an error is about, and the place as a JSON Pointer."""
    at: Place = tuple(error.instance_path)
    if error.kind.name == "required":
        missing = str(getattr(error.kind, "value", ""))
        row = f"{names.get((*at, ''), '')}.{missing}"
        if row in promises():
            return row, "/" + "/".join(map(str, (*at, missing)))
    for length in range(len(at), -1, -1):
        place = at[:length]
        row = names.get(place, "")
        if row in promises():
            return row, "/" + "/".join(map(str, at))
    return f"{api}.rule.json-answers", "/" + "/".join(map(str, at))


# --- looked up once ---------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def operation_of(contract: Contract, method: str, path: str) -> Mapping[str, Any] | None:
    """The operation of a request, or None if the contract has none there."""
    verb = "get" if method == "HEAD" else method.lower()
    for template, pattern in _templates(contract):
        if pattern.fullmatch(path):
            found: Mapping[str, Any] | None = contract.document["paths"][template].get(verb)
            return found
    return None


@cache
def _templates(contract: Contract) -> list[tuple[str, re.Pattern[str]]]:
    paths = contract.document["paths"]
    return [(path, re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))) for path in paths]


def _schema(
    contract: Contract, api: Api, operation: Mapping[str, Any] | None, status: int
) -> Mapping[str, Any] | None:
    """What the body of an answer must be; None if no such answer is documented."""
    if operation is None:
        # No operation: an unknown path or method, which both refuse in their envelope.
        error = {"$ref": f"#/components/schemas/{_ERROR[api]}"}
        return error if 400 <= status < 500 else None
    answer = operation["responses"].get(str(status))
    if answer is None:
        return None
    content = contract.resolved(answer)["content"]
    schema: Mapping[str, Any] = content["application/json"]["schema"]
    return schema
