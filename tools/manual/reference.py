"""All generated pages, from the same data as the server."""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from mock_server.__main__ import main as commands
from mock_server.apis import ALL
from mock_server.config.settings import setting_infos
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import FIXTURES, SCHEMAS
from mock_server.door.document import document as door_document
from mock_server.door.routes import table as door_table
from mock_server.faults.scenarios import Scenarios
from mock_server.judge.days import read_days
from mock_server.verdict.catalogue import RULES, rule_info
from tools.manual.fact_pages import assumption_pages, rule_pages, setting_pages
from tools.manual.fault_pages import ErrorRows, effect_pages, scenario_pages
from tools.manual.operations import operation_pages, operations
from tools.manual.page import Group
from tools.manual.schema_fields import Schema, resolved
from tools.manual.sources import FORMS, OWN, assumptions_in

_SCENARIOS = FIXTURES / "scenarios"


def groups() -> list[Group]:
    """Every group of generated pages, in the order of the manual."""
    contract = Contract(SCHEMAS, ALL)
    apis = {api.name: api for api in ALL}
    errors = _error_rows(apis)
    scenarios = Scenarios([_SCENARIOS], ALL, contract.codes)
    door = door_document(door_table(), apis)
    assumptions = tomllib.loads((SCHEMAS / "assumptions.toml").read_text("utf-8"))
    days = (day for name in apis for day in read_days(FIXTURES / "days", name, apis))

    def codes_of(operation: Mapping[str, Any], status: str) -> list[str]:
        """Links to the scenarios of the error codes with this status."""
        (api,) = (api for api in ALL if api.short_title.replace(" ", "") in operation["tags"])
        return [
            f"[`{code}`](../scenarios/{code}.md)"
            for code, row in errors[api.name].items()
            if str(row["x-status"]) == status
        ]

    return [
        Group(
            "operations",
            "Operations of the APIs",
            f"Every operation of both APIs. Each fact says whether it is [documented]({FORMS}) or "
            "assumed. `GET /_mock/openapi.json` has the same for programs.",
            operation_pages(
                contract.openapi,
                f"Each fact below is [documented]({FORMS}) or [assumed](../assumptions/index.md).",
                codes_of,
            ),
        ),
        Group(
            "scenarios",
            "Scenarios",
            "Every scenario that is shipped. [Scenarios and faults](../../docs/scenarios.md) has "
            "the rules.",
            scenario_pages(_SCENARIOS, scenarios, apis, errors),
        ),
        Group("effects", "Effects of faults", "What a fault can do.", effect_pages()),
        Group(
            "settings",
            "Settings",
            "Every setting. [Settings, time and credits](../../docs/settings.md) says where a "
            "value can be set.",
            setting_pages(setting_infos(ALL), _flags(), assumptions),
        ),
        Group(
            "door",
            "Routes of the control door",
            "Every route under `/_mock/`. [The control door](../../docs/control-door.md) explains "
            "them.",
            operation_pages(door, OWN, lambda _operation, _status: []),
        ),
        Group(
            "rules",
            "Rules of the judge",
            "Every mistake that `hailuo-mock judge` knows. [Judge a client](../../docs/judge.md) "
            "says how to run it.",
            rule_pages((rule_info(code) for code in RULES), days),
        ),
        Group(
            "assumptions",
            "Assumptions",
            "Every choice that the documents of the APIs leave open.",
            assumption_pages(assumptions, _uses(contract.openapi)),
        ),
    ]


def _flags() -> Iterable[str]:
    """The names of the settings that `serve` has a flag for."""
    return (option.name or "" for option in commands.commands["serve"].params)


def _error_rows(apis: Iterable[str]) -> ErrorRows:
    return {
        api: {
            row["const"]: row
            for row in json.loads((SCHEMAS / api / "error-codes.json").read_bytes())["anyOf"]
            if "const" in row
        }
        for api in apis
    }


def _uses(document: Schema) -> Mapping[str, list[str]]:
    """Assumption -> links to the operations that rely on it."""
    found: dict[str, list[str]] = defaultdict(list)
    for method, path, operation in operations(document):
        link = f"[`{method.upper()} {path}`](../operations/{operation['operationId']}.md)"
        for name in sorted(assumptions_in(_whole(operation, document))):
            found[name].append(link)
    return found


def _whole(node: Any, document: Schema, inside: tuple[str, ...] = ()) -> Any:
    """A part of a document with what it refers to in place of the references."""
    if isinstance(node, list):
        return [_whole(each, document, inside) for each in node]
    if not isinstance(node, Mapping):
        return node
    reference = node.get("$ref", "")
    if reference in inside:
        return {}
    if reference:
        node, inside = resolved(node, document), (*inside, reference)
    return {name: _whole(each, document, inside) for name, each in node.items()}
