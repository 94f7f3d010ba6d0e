"""Checks one answer against the contract: the promises it shows to be kept, and those it breaks.

Every answer of a run is checked here, whatever check caused it.
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
from contract_tests.json_values import JsonPath, json_fault, pointer_of
from contract_tests.promises import promises
from contract_tests.redaction import OF_PROCESS
from contract_tests.verdicts import Finding

# These kinds and rules need no check of their own: every answer is checked for them.
PASSIVE = frozenset({"answer field", "status", "answer", "header"})
PASSIVE_RULES = frozenset(
    f"{api}.rule.{name}" for api in APIS for name in ("json-answers", "documented-statuses")
)
_ERROR = {"rivya": "RivyaError", "acedata": "AceDataError"}
_ANSWER_OF_STATUS = {
    "rivya": {401: "RivyaUnauthorized", 405: "RivyaMethodNotAllowed"},
    "acedata": {401: "AceDataUnauthorized", 405: "AceDataMethodNotAllowed"},
}
# Keywords that the vendors document for a named field. Patterns and lengths follow from examples.
_DOCUMENTED_KEYWORDS = frozenset({"type", "required"})

Operation = Mapping[str, Any]


class Conformance:
    """Checks answers against one contract.

    reached: the operations and statuses seen so far. keywords: the schema keywords seen so far.
    """

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.reached: set[tuple[str, int]] = set()
        self.keywords: set[str] = set()

    def check(self, exchange: Exchange) -> tuple[set[str], list[Finding]]:
        """The ids of the promises that the answer shows to be kept, and the broken promises."""
        api = api_of(exchange.path)
        if api is None:
            return set(), []
        operation = operation_of(self.contract, exchange.method, exchange.path)
        findings = list(self._findings(api, operation, exchange))
        kept = self._kept(api, operation, exchange)
        return kept - {finding.promise.id for finding in findings}, findings

    def names_of(self, exchange: Exchange) -> dict[JsonPath, str]:
        """The contract's name of each field of an answer. A path that ends in "" is an object's."""
        api = api_of(exchange.path)
        operation = operation_of(self.contract, exchange.method, exchange.path)
        schema = api and _schema(self.contract, api, operation, exchange.status)
        return self._names(api, schema, exchange.json) if api and schema else {}

    # --- broken promises ---

    def _findings(
        self, api: Api, operation: Operation | None, exchange: Exchange
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
            # No documentation gives the numbers of the statuses of success.
            yield replace(finding, is_assumed_form=exchange.status in {201, 202})
            return
        if not exchange.headers.get("content-type", "").startswith("application/json"):
            yield _finding(
                f"{api}.rule.json-answers",
                "content-type: application/json",
                exchange.headers.get("content-type", "no content-type"),
                exchange,
            )
            return
        if exchange.json is None or _has_lone_surrogate(exchange):
            start = OF_PROCESS.text(exchange.body[:800].decode(errors="replace"))[:80] or "nothing"
            yield _finding(f"{api}.rule.json-answers", "a JSON document", start, exchange)
            return
        if fault := json_fault(exchange.body):
            expected = "a JSON document in UTF-8 that every JSON reader accepts"
            yield _finding(f"{api}.rule.json-answers", expected, f"{fault} in it", exchange)
            return
        yield from self._body_findings(api, schema, exchange)
        yield from _header_findings(api, exchange)
        if exchange.status >= 400:
            yield from self._code_findings(api, exchange)

    def _reached_by(self, operation: Operation | None, exchange: Exchange) -> set[str]:
        """The operations that an answer belongs to; for a wrong method all those of its path."""
        if operation is not None:
            return {operation["operationId"]}
        if exchange.status != 405:
            return set()
        found = (operation_of(self.contract, method.upper(), exchange.path) for method in METHODS)
        return {each["operationId"] for each in found if each is not None}

    def _body_findings(
        self, api: Api, schema: Mapping[str, Any], exchange: Exchange
    ) -> Iterator[Finding]:
        errors = list(self.contract.validator(schema).iter_errors(exchange.json))
        if not errors:
            return
        names = self._names(api, schema, exchange.json)
        for error in _innermost(errors):
            promise_id, pointer = _promise_of_error(api, error, names)
            expected = f"{pointer or 'body'}: {error.kind.name} {getattr(error.kind, 'value', '')}"
            finding = _finding(promise_id, expected[:300], str(error.message), exchange)
            is_documented = error.kind.name in _DOCUMENTED_KEYWORDS or not finding.promise.assumes
            yield replace(finding, is_assumed_form=not is_documented)

    def _code_findings(self, api: Api, exchange: Exchange) -> Iterator[Finding]:
        error = exchange.json.get("error") if isinstance(exchange.json, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        row = self.contract.error_codes(api).get(str(code))
        if row is not None and row["x-status"] != exchange.status:
            expected = f"{code} with status {row['x-status']}"
            yield _finding(f"{api}.error.{code}", expected, str(exchange.status), exchange)

    # --- kept promises ---

    def _kept(self, api: Api, operation: Operation | None, exchange: Exchange) -> set[str]:
        kept = {f"{api}.rule.documented-statuses", f"{api}.rule.json-answers"}
        if operation is not None:
            kept.add(f"{api}.{operation['operationId']}.{exchange.status}")
            reference = operation["responses"].get(str(exchange.status), {}).get("$ref", "")
            kept.add(f"{api}.answer.{reference.rpartition('/')[2]}")
        if exchange.status in _ANSWER_OF_STATUS[api]:
            kept.add(f"{api}.answer.{_ANSWER_OF_STATUS[api][exchange.status]}")
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

    def _names(self, api: Api, schema: Any, body: Any) -> dict[JsonPath, str]:
        """The contract's name of every field in a body."""
        walk = _SchemaWalk(self.contract, api, self.keywords)
        walk.visit(schema, body, f"{api}.", ())
        return walk.names


class _SchemaWalk:
    """Walks a body along its schema, names each field, and collects the keywords it meets.

    names: by path. A path that ends in "" is an object's; one that ends in "?" is a field that
        holds under a condition.
    """

    def __init__(self, contract: Contract, api: Api, keywords: set[str]) -> None:
        self._contract, self._api, self._keywords = contract, api, keywords
        self.names: dict[JsonPath, str] = {}

    def visit(self, schema: Any, value: Any, name: str, path: JsonPath) -> None:
        """Name all that is in a value."""
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            self._visit_reference(schema["$ref"].rpartition("/")[2], value, path)
            return
        self._keywords.update(f"{name}:{keyword}" for keyword in schema if keyword in _KEYWORDS)
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                self.visit(self._nearest_branch(schema[keyword], value), value, name, path)
        if isinstance(value, dict):
            self._visit_members(schema, value, name, path)
        if isinstance(value, list) and "items" in schema:
            for index, item in enumerate(value):
                self.visit(schema["items"], item, f"{name}[]", (*path, index))
        if "if" in schema:
            self._visit_condition(schema, value, name, path)

    def _visit_reference(self, title: str, value: Any, path: JsonPath) -> None:
        if title.endswith("ErrorCode"):
            return
        schema = self._contract.document["components"]["schemas"][title]
        self.visit(schema, value, f"{self._api}.{title}", path)

    def _visit_members(self, schema: Any, value: dict[str, Any], name: str, path: JsonPath) -> None:
        self.names.setdefault((*path, ""), name)  # a branch of oneOf has named the object before
        for key, inner in schema.get("properties", {}).items():
            if key in value:
                self.names[*path, key] = f"{name}.{key}"
                self.visit(inner, value[key], f"{name}.{key}", (*path, key))

    def _visit_condition(self, schema: Any, value: Any, name: str, path: JsonPath) -> None:
        is_met = self._contract.validator(schema["if"]).is_valid(value)
        branch = "then" if is_met else "else"
        inner = _SchemaWalk(self._contract, self._api, self._keywords)
        inner.visit(schema.get(branch), value, f"{name}?{branch}", path)
        for inner_path, inner_name in inner.names.items():
            if inner_path[-1] != "":
                self.names[*inner_path, "?"] = inner_name

    def _nearest_branch(self, branches: list[Any], value: Any) -> Any:
        """The branch that accepts the value, else the one with the fewest errors."""
        counts = [
            len(list(self._contract.validator(branch).iter_errors(value))) for branch in branches
        ]
        return branches[counts.index(min(counts))]


def keywords_of(contract: Contract, api: Api) -> set[str]:
    """Every keyword of every schema of an answer of this API, each after the name of its field."""
    all_keywords = _SchemaKeywords(contract, api)
    for _, _, operation in contract.operations(api):
        for answer in operation["responses"].values():
            content = contract.resolved(answer)["content"]
            all_keywords.collect(content["application/json"]["schema"], f"{api}.")
    return all_keywords.found


class _SchemaKeywords:
    """Collects the keywords of a schema and of all it refers to, with the names of _SchemaWalk."""

    def __init__(self, contract: Contract, api: Api) -> None:
        self._contract, self._api = contract, api
        self._seen: set[str] = set()
        self.found: set[str] = set()

    def collect(self, schema: Any, name: str) -> None:
        """Add the keywords of a schema."""
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            title = schema["$ref"].rpartition("/")[2]
            if title not in self._seen and not title.endswith("ErrorCode"):
                self._seen.add(title)
                self.collect(self._contract.resolved(schema), f"{self._api}.{title}")
            return
        self.found.update(f"{name}:{keyword}" for keyword in schema if keyword in _KEYWORDS)
        inner = [(branch, name) for word in ("oneOf", "anyOf") for branch in schema.get(word, ())]
        inner += [(node, f"{name}.{key}") for key, node in schema.get("properties", {}).items()]
        inner += [(schema[word], f"{name}?{word}") for word in ("then", "else") if word in schema]
        inner += [(schema["items"], f"{name}[]")] if "items" in schema else []
        for node, its_name in inner:
            self.collect(node, its_name)


_KEYWORDS = frozenset(
    {
        "type", "enum", "const", "required", "pattern", "format", "minimum", "maximum", "minItems",
        "maxItems", "minLength", "maxLength", "oneOf", "anyOf", "if", "items", "properties",
        "additionalProperties", "maxProperties",
    }
)  # fmt: skip


def _has_lone_surrogate(exchange: Exchange) -> bool:
    """Whether a text in the body has half of a surrogate pair, which cannot be encoded."""
    if b"\\ud" not in exchange.body.lower():
        return False
    try:
        json.dumps(exchange.json, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def api_of(path: str) -> Api | None:
    """The API that a path belongs to, if any."""
    return next((api for api in APIS if path.startswith(PREFIX[api] + "/")), None)


def _finding(promise_id: str, expected: str, got: str, exchange: Exchange) -> Finding:
    return Finding(promises()[promise_id], expected, got, exchange)


def _name(operation: Operation | None, exchange: Exchange) -> str:
    return operation["operationId"] if operation else f"{exchange.method} {exchange.path}"


def _header_findings(api: Api, exchange: Exchange) -> Iterator[Finding]:
    required = {401: ("WwwAuthenticate", "www-authenticate"), 405: ("Allow", "allow")}
    if exchange.status in required:
        name, header = required[exchange.status]
        if header not in exchange.headers:
            yield _finding(f"{api}.header.{name}", f"a header {header}", "none", exchange)
    after = exchange.headers.get("retry-after")
    if exchange.status == 429 and after is not None and not after.isdigit():
        promise_id = f"{api}.header.{'Rivya' if api == 'rivya' else 'AceData'}RetryAfter"
        yield _finding(promise_id, "whole seconds", after, exchange)


def _innermost(
    errors: list[jsonschema_rs.ValidationError],
) -> Iterator[jsonschema_rs.ValidationError]:
    """The errors, that of a oneOf or anyOf replaced by the errors of its nearest branch."""
    for error in errors:
        branches = getattr(error.kind, "context", None)
        if not branches:
            yield error
            continue
        inner = [branch for branch in branches if branch]
        yield from _innermost(min(inner, key=_distance)) if inner else [error]


def _distance(branch: list[jsonschema_rs.ValidationError]) -> tuple[bool, int]:
    return any(error.kind.name == "maxProperties" for error in branch), len(branch)


def _promise_of_error(
    api: Api,
    error: jsonschema_rs.ValidationError,
    names: Mapping[JsonPath, str],
) -> tuple[str, str]:
    """The id of the promise that an error breaks, and the JSON Pointer of its place."""
    path: JsonPath = tuple(error.instance_path)
    if error.kind.name == "required":
        missing = str(getattr(error.kind, "value", ""))
        name = f"{names.get((*path, ''), '')}.{missing}"
        if name in promises():
            return name, pointer_of((*path, missing))
    for length in range(len(path), -1, -1):
        name = names.get(path[:length], "")
        if name in promises():
            return name, pointer_of(path)
    return f"{api}.rule.json-answers", pointer_of(path)


# --- cached ---


@lru_cache(maxsize=4096)
def operation_of(contract: Contract, method: str, path: str) -> Operation | None:
    """The operation of a request, or None if the contract has none."""
    verb = "get" if method == "HEAD" else method.lower()
    for template, pattern in _templates(contract):
        if pattern.fullmatch(path):
            found: Operation | None = contract.document["paths"][template].get(verb)
            return found
    return None


@cache
def _templates(contract: Contract) -> list[tuple[str, re.Pattern[str]]]:
    paths = contract.document["paths"]
    return [(path, re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))) for path in paths]


def _schema(
    contract: Contract, api: Api, operation: Operation | None, status: int
) -> Mapping[str, Any] | None:
    """The schema of an answer's body; None if no such answer is documented."""
    if operation is None:
        # An unknown path or method: both APIs refuse it in their error envelope.
        error = {"$ref": f"#/components/schemas/{_ERROR[api]}"}
        return error if 400 <= status < 500 else None
    answer = operation["responses"].get(str(status))
    if answer is None:
        return None
    content = contract.resolved(answer)["content"]
    schema: Mapping[str, Any] = content["application/json"]["schema"]
    return schema
