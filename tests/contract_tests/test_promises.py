"""Every documented fact has a row, every row somebody who holds it, and every check a row."""

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
from mock_server.contract.contract import Contract as ServedContract
from mock_server.contract.data_paths import SCHEMAS
from tests.contract.test_sources import SOURCE

RULES = Path(sys.modules["contract_tests.promises"].__file__ or "").parent


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
    """Place and source of every fact in a schema file."""
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
def test_every_fact_of_the_schemas_has_a_row(path: Path) -> None:
    here = path.relative_to(SCHEMAS.parent).as_posix()
    places = {row.place: row.source for row in promises().values()}
    missing = [
        (place, source)
        for place, source in facts(json.loads(path.read_text("utf-8")), f"{here}#")
        if places.get(place) != source
    ]
    assert missing == []


def test_every_error_code_has_a_row() -> None:
    for api in APIS:
        for code in contract().error_codes(api):
            assert f"{api}.error.{code}" in promises()


@pytest.mark.parametrize("row", promises().values(), ids=lambda row: row.id)
def test_a_row_names_a_source_that_exists(row: Promise) -> None:
    assert SOURCE.fullmatch(row.source), row
    assert row.text.strip()
    assumed = [row.source.removeprefix("assumed:")] if row.is_assumed else []
    assert set(assumed) | set(row.assumes) <= contract().assumptions.keys()


@pytest.mark.parametrize("api", APIS)
def test_a_rule_says_what_by_whom_and_where(api: str) -> None:
    for name, row in tomllib.loads((RULES / f"{api}.toml").read_text("utf-8")).items():
        assert row.keys() - {"assumes"} == {"promise", "source", "section"}, name
        assert row["promise"].endswith("."), name
        assert re.fullmatch(rf"{api} [0-9.]+(, row [0-9]+)?", row["section"]), name


def test_every_row_has_somebody_who_holds_it() -> None:
    assert {row["id"] for row in listed()} == promises().keys()
    idle = {
        "rivya.error.internal_error",  # nobody can make a server break
        "rivya.error.more-codes",  # a promise of what may come
        "acedata.error.more-codes",
        "rivya.answer.RivyaServerFault",
    }
    alone = {row["id"] for row in listed() if not row["checks"]}
    assert alone <= idle


def test_every_check_holds_a_row() -> None:
    """A check that holds none, or names a row there is none of, ends `--list` with an error."""
    names = {check for row in listed() for check in row["checks"]} - {"every answer"}
    sources = Path(sys.modules["contract_tests"].__file__ or "").parent.rglob("test_*.py")
    written = {
        name
        for source in sources
        for name in re.findall(r"^def (test_\w+)", source.read_text("utf-8"), re.MULTILINE)
    }
    assert {check.rpartition("::")[2] for check in names} == written


def test_what_every_answer_is_held_to_is_there() -> None:
    kinds = {row.kind for row in promises().values()}
    assert kinds >= PASSIVE
    assert promises().keys() >= PASSIVE_RULES


# --- the contract, read without the server ----------------------------------------------------


def test_the_suite_and_the_server_read_the_same_contract() -> None:
    assert schemas_folder() == SCHEMAS
    mine, served = Contract(SCHEMAS).document, ServedContract(SCHEMAS).openapi
    assert mine["paths"] == served["paths"]
    same = mine["components"]["schemas"].keys()
    assert same == served["components"]["schemas"].keys()


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
