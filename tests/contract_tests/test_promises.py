"""Every documented fact is a promise, every promise has a check, and every check has a promise."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from contract_tests.conformance import PASSIVE, PASSIVE_RULES
from contract_tests.contract import APIS, Contract, contract, schemas_folder
from contract_tests.promises import Promise, promises
from mock_server.apis import ALL
from mock_server.contract.contract import Contract as ServedContract
from mock_server.contract.data_paths import FIXTURES, SCHEMAS
from tests.contract.test_sources import SOURCE
from tests.rows import each_row

RULES = Path(sys.modules["contract_tests.promises"].__file__ or "").parent
ASSUMPTIONS = tomllib.loads((SCHEMAS / "assumptions.toml").read_text("utf-8"))


@cache
def listed() -> list[dict[str, Any]]:
    """`hailuo-mock check --list --json`."""
    done = subprocess.run(
        [sys.executable, "-m", "mock_server", "check", "--list", "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def facts(node: Any, place: str) -> Iterator[tuple[str, str]]:
    """JsonPath and source of every fact in a schema file."""
    if isinstance(node, Mapping):
        noted = node.get("x-source")
        if isinstance(noted, str):
            yield place, noted
        elif isinstance(noted, Mapping):
            yield from ((f"{place}{pointer}", source) for pointer, source in noted.items())
        for key, value in node.items():
            yield from facts(value, f"{place}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from facts(value, f"{place}/{index}")


def files_with_facts() -> list[Path]:
    folders = [*APIS, "models"]
    return sorted(path for folder in folders for path in (SCHEMAS / folder).glob("*.json"))


@pytest.mark.parametrize(
    "path", files_with_facts(), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_every_fact_of_the_schemas_is_a_promise(path: Path) -> None:
    here = path.relative_to(SCHEMAS.parent).as_posix()
    places = {row.place: row.source for row in promises().values()}
    missing = [
        (place, source)
        for place, source in facts(json.loads(path.read_text("utf-8")), f"{here}#")
        if places.get(place) != source
    ]
    assert missing == []


def test_every_error_code_is_a_promise() -> None:
    for api in APIS:
        for code in contract().error_codes(api):
            assert f"{api}.error.{code}" in promises()


@each_row("row", promises().values())
def test_a_promise_names_a_source_that_exists(row: Promise) -> None:
    assert SOURCE.fullmatch(row.source), row
    assert row.text.strip()
    assumed = [row.source.removeprefix("assumed:")] if row.is_assumed else []
    assert set(assumed) | set(row.assumes) <= ASSUMPTIONS.keys()


@pytest.mark.parametrize("api", APIS)
def test_a_rule_has_a_text_a_source_and_a_section(api: str) -> None:
    for name, row in tomllib.loads((RULES / f"{api}.toml").read_text("utf-8")).items():
        assert row.keys() - {"assumes"} == {"promise", "source", "section"}, name
        assert row["promise"].endswith("."), name
        assert re.fullmatch(rf"{api} [0-9.]+(, row [0-9]+)?", row["section"]), name


def test_every_promise_has_a_check() -> None:
    assert {row["id"] for row in listed()} == promises().keys()
    never_checked = {
        "rivya.error.internal_error",  # no request can cause it
        "rivya.error.more-codes",  # a promise about codes of the future
        "acedata.error.more-codes",
        "rivya.answer.RivyaServerFault",
    }
    without_check = {row["id"] for row in listed() if not row["checks"]}
    assert without_check <= never_checked


def test_every_check_has_a_promise() -> None:
    """A check that names an unknown promise ends `--list` with an error."""
    names = {check for row in listed() for check in row["checks"]} - {"every answer"}
    sources = Path(sys.modules["contract_tests"].__file__ or "").parent.rglob("test_*.py")
    written = {
        name
        for source in sources
        for name in re.findall(r"^def (test_\w+)", source.read_text("utf-8"), re.MULTILINE)
    }
    assert {check.rpartition("::")[2] for check in names} == written


def test_the_promises_checked_by_every_answer_exist() -> None:
    kinds = {row.kind for row in promises().values()}
    assert kinds >= PASSIVE
    assert promises().keys() >= PASSIVE_RULES


# --- the contract as the suite reads it -------------------------------------------------------


def test_the_suite_and_the_server_read_the_same_contract() -> None:
    assert schemas_folder() == SCHEMAS
    mine, served = Contract(SCHEMAS).document, ServedContract(SCHEMAS, ALL).openapi
    assert mine["paths"] == served["paths"]
    schemas = served["components"]["schemas"]
    branches = {
        branch["$ref"].rpartition("/")[2]
        for keyword in ("oneOf", "anyOf")
        for name in ("GenerationRequest", "Generation", "VideoRequest", "TaskQuery")
        for branch in schemas[name].get(keyword, ())
    }
    assert mine["components"]["schemas"].keys() == schemas.keys() - branches


@pytest.mark.parametrize(
    ("name", "body", "is_right"),
    [
        ("GenerationRequest", {"model": "hailuo-pro", "prompt": "x"}, True),
        ("GenerationRequest", {"model": "hailuo-pro", "prompt": "x" * 1501}, False),
        ("GenerationRequest", {"model": "hailuo-pro"}, False),
        ("GenerationRequest", {"model": "hailuo-next", "prompt": "x"}, False),
        ("GenerationRequest", {"model": "hailuo-pro", "prompt": "x", "params": {"a": "b"}}, False),
        ("VideoRequest", {"action": "generate", "prompt": "x"}, True),
        ("VideoRequest", {"action": "generate", "model": "minimax-i2v"}, False),
        ("VideoRequest", {"action": "generate", "model": "other", "prompt": "x"}, False),
    ],
)
def test_requests_are_described_for_each_model(
    name: str, body: dict[str, Any], is_right: bool
) -> None:
    read = contract()
    schema = {"$ref": f"#/components/schemas/{name}"}
    assert read.validator(schema).is_valid(body) is is_right


def test_the_suite_and_the_handed_out_configuration_except_the_same_checks() -> None:
    from contract_tests.generated import DISABLED_CHECKS  # it takes a second to import

    configuration = tomllib.loads((FIXTURES / "schemathesis.toml").read_text("utf-8"))
    excepted = {
        (operation, check)
        for row in configuration["operations"]
        for operation in _listed(row["include-operation-id"])
        for check in row["checks"]
    }
    assert excepted == {(each.operation, each.check) for each in DISABLED_CHECKS}


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names
