"""The list of broken servers: how many there are, their names, and the promise of each."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import contract_tests
from contract_tests.broken.__main__ import BROKEN_SERVERS, name_of
from contract_tests.broken.broken_server import BrokenServer
from contract_tests.contract import APIS
from contract_tests.promises import promises
from tests.rows import each_row

PACKAGE = Path(contract_tests.__file__ or "").parent


def test_there_are_many_broken_servers_for_both_apis() -> None:
    per_api = Counter(broken_server.api for broken_server in BROKEN_SERVERS)
    assert len(BROKEN_SERVERS) >= 240
    assert min(per_api[api] for api in APIS) >= 30


def test_the_names_of_broken_servers_differ() -> None:
    assert [n for n, times in Counter(map(name_of, BROKEN_SERVERS)).items() if times > 1] == []


@each_row("broken_server", BROKEN_SERVERS)
def test_each_broken_server_breaks_one_promise(broken_server: BrokenServer) -> None:
    assert broken_server.promise in promises()
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", broken_server.name)
    ways = (
        broken_server.on_request,
        broken_server.on_answer,
        broken_server.on_delivery,
        broken_server.patch,
    )
    assert any(way is not None for way in ways)


def test_only_the_broken_servers_import_the_server() -> None:
    wrong = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if "broken" not in path.parts
        and re.search(r"(from|import) mock_server", path.read_text("utf-8"))
    ]
    assert wrong == []
