"""Lists all promises: what is promised, its source, and its place in the documents.

Promises about fields, codes, statuses, headers, parameters and models are read from the contract's
files. Rules that no schema can have are in the TOML files of this folder. Each check names its
promises (`@pytest.mark.holds`).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contract_tests.contract import APIS, METHODS, TAG, Api, Contract
from contract_tests.contract import contract as read_contract

REQUESTS = frozenset(
    {
        "GenerationRequest", "ReferenceItem", "FileUpload", "WebhookCreate", "WebhookUpdate",
        "VideoRequest", "TaskQuery",
    }
)  # fmt: skip
_RULES = Path(__file__).parent


@dataclass(frozen=True)
class Promise:
    """One promise. place: its file and JSON Pointer, or its section of the dossier.

    source: seed, docs:PAGE, openapi, client, or assumed:ID. assumes: ids of further assumptions.
    """

    id: str
    api: Api
    kind: str
    text: str
    source: str
    place: str
    assumes: tuple[str, ...] = ()

    @property
    def is_assumed(self) -> bool:
        """Whether no document of a vendor has it."""
        return self.source.startswith("assumed:")

    @property
    def origin(self) -> str:
        """The kind of source: seed, docs page, openapi, client or assumed."""
        head = self.source.partition(":")[0]
        return "docs page" if head == "docs" else head


@cache
def promises() -> Mapping[str, Promise]:
    """Every promise by its id, rules last."""
    rows: dict[str, Promise] = {}
    for row in _all_promises(read_contract()):
        if row.id in rows:
            raise ValueError(
                f"two promises have the id {row.id}: {rows[row.id].place}, {row.place}"
            )
        rows[row.id] = row
    return rows


def of_api(apis: Iterable[str]) -> list[Promise]:
    """The promises of some APIs."""
    wanted = set(apis)
    return [row for row in promises().values() if row.api in wanted]


def _all_promises(contract: Contract) -> Iterator[Promise]:
    for api in APIS:
        for path in sorted((contract.folder / api).glob("*.json")):
            if path.stem == "error-codes":
                yield from _code_promises(api, path)
            else:
                yield from _field_promises(api, path)
        yield from _model_promises(api, contract)
    yield from _document_promises(contract)
    for api in APIS:
        yield from _rule_promises(api)


# --- fields -----------------------------------------------------------------------------------


def _field_promises(api: Api, path: Path) -> Iterator[Promise]:
    schema = json.loads(path.read_text("utf-8"))
    title = schema["title"]
    kind = "request field" if title in REQUESTS else "answer field"
    for name, pointer, node in _fields(schema, "", ""):
        described = node.get("description") or _form(node)
        yield Promise(
            id=f"{api}.{title}{name}",
            api=api,
            kind=kind,
            text=f"{title}{name}: {described}",
            source=node["x-source"],
            place=f"schemas/{api}/{path.name}#{pointer}",
            assumes=tuple(node.get("x-assumes", ())),
        )


def _fields(schema: Any, name: str, pointer: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each property with its name, pointer and schema. `?then` in a name stands for a condition."""
    for key, node in schema.get("properties", {}).items():
        here, there = f"{name}.{key}", f"{pointer}/properties/{key}"
        if "x-source" in node:
            yield here, there, node
        yield from _fields(node, here, there)
    if isinstance(schema.get("items"), Mapping):
        yield from _fields(schema["items"], f"{name}[]", f"{pointer}/items")
    for branch in ("then", "else"):
        if isinstance(schema.get(branch), Mapping):
            yield from _fields(schema[branch], f"{name}?{branch}", f"{pointer}/{branch}")


def _form(node: Mapping[str, Any]) -> str:
    for keyword in ("const", "enum", "type", "pattern"):
        if keyword in node:
            return f"{keyword} {json.dumps(node[keyword])}"
    return "is there"


# --- codes, models ----------------------------------------------------------------------------


def _code_promises(api: Api, path: Path) -> Iterator[Promise]:
    table = json.loads(path.read_text("utf-8"))["anyOf"]
    for index, row in enumerate(table):
        code = row.get("const", "more-codes")
        status = f" ({row['x-status']})" if row.get("x-status") else ""
        yield Promise(
            id=f"{api}.error.{code}",
            api=api,
            kind="error code",
            text=f"{code}{status}: {row.get('x-when') or row['description']}",
            source=row["x-source"],
            place=f"schemas/{api}/{path.name}#/anyOf/{index}",
            assumes=tuple(row.get("x-assumes", ())),
        )


def _model_promises(api: Api, contract: Contract) -> Iterator[Promise]:
    for model in contract.models(api):
        for pointer, source in model["x-source"].items():
            yield Promise(
                id=f"{api}.model.{model['id']}{pointer.replace('/', '.')}",
                api=api,
                kind="model fact",
                text=f"{model['id']}: {pointer.strip('/')} is {_short(_at(model, pointer))}",
                source=source,
                place=f"schemas/models/{model['id']}.json#{pointer}",
            )


def _at(node: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        node = node[int(step)] if isinstance(node, list) else node[step]
    return node


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


# --- the document -----------------------------------------------------------------------------


def _document_promises(contract: Contract) -> Iterator[Promise]:
    document = json.loads((contract.folder / "openapi.json").read_text("utf-8"))
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield from _operation_promises(path, method, item[method])
    components = document["components"]
    for kind, word in (
        ("responses", "answer"),
        ("headers", "header"),
        ("parameters", "parameter"),
        ("securitySchemes", "security"),
    ):
        for name, node in components[kind].items():
            yield from _component_promises(kind, word, name, node)


def _operation_promises(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[Promise]:
    api, name = TAG[operation["tags"][0]], operation["operationId"]
    place = f"schemas/openapi.yaml#/paths/{path.replace('/', '~1')}/{method}"
    for status, answer in operation["responses"].items():
        if "x-source" in answer:
            text = f"{method.upper()} {path} answers {status}: {answer['description']}"
            yield _row(f"{api}.{name}.{status}", api, "status", text, answer, f"{place}/{status}")
    for parameter in operation.get("parameters", ()):
        if "x-source" in parameter:
            text = f"{method.upper()} {path} takes {parameter['name']}: {parameter['description']}"
            there = f"{place}/parameters/{parameter['name']}"
            yield _row(
                f"{api}.{name}.{parameter['name']}", api, "parameter", text, parameter, there
            )
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for key, example in content.get("examples", {}).items():
            if "x-source" in example:
                text = f"{method.upper()} {path} takes the documented request: {example['summary']}"
                there = f"{place}/examples/{key}"
                yield _row(f"{api}.{name}.example.{key}", api, "example", text, example, there)


def _component_promises(
    kind: str, word: str, name: str, node: Mapping[str, Any]
) -> Iterator[Promise]:
    place = f"schemas/openapi.yaml#/components/{kind}/{name}"
    for api in APIS:
        if _belongs_to(name, api):
            text = f"{name}: {node['description']}"
            yield _row(f"{api}.{word}.{name}", api, word, text, node, place)


def _belongs_to(component: str, api: Api) -> bool:
    """Whether a component belongs to an API: by its name, or because both use it."""
    if component in {"WwwAuthenticate", "Allow"}:
        return True
    return component.startswith("AceData") is (api == "acedata")


def _row(  # noqa: PLR0917 - the fields of a row, in their order
    row_id: str, api: Api, kind: str, text: str, node: Mapping[str, Any], place: str
) -> Promise:
    assumes = tuple(node.get("x-assumes", ()))
    return Promise(row_id, api, kind, text, node["x-source"], place, assumes)


# --- rules ------------------------------------------------------------------------------------


def _rule_promises(api: Api) -> Iterator[Promise]:
    for name, row in tomllib.loads((_RULES / f"{api}.toml").read_text("utf-8")).items():
        yield Promise(
            id=f"{api}.rule.{name}",
            api=api,
            kind="rule",
            text=row["promise"],
            source=row["source"],
            place=f"dossier {row['section']}",
            assumes=tuple(row.get("assumes", ())),
        )
