"""The broken servers are many, each breaks one promise, and each is named after what it does."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import contract_tests
from contract_tests.broken.__main__ import BREAKAGES, name_of
from contract_tests.broken.breakage import Breakage
from contract_tests.contract import APIS
from contract_tests.promises import promises

PACKAGE = Path(contract_tests.__file__ or "").parent


def test_there_are_enough_of_them_over_both_apis() -> None:
    per_api = Counter(breakage.api for breakage in BREAKAGES)
    assert len(BREAKAGES) >= 60
    assert min(per_api[api] for api in APIS) >= 30


def test_no_two_have_one_name() -> None:
    assert [n for n, times in Counter(map(name_of, BREAKAGES)).items() if times > 1] == []


@pytest.mark.parametrize("breakage", BREAKAGES, ids=name_of)
def test_each_breaks_one_promise_that_is_documented_or_assumed(breakage: Breakage) -> None:
    assert breakage.promise in promises()
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", breakage.name)
    ways = (breakage.on_request, breakage.on_answer, breakage.on_delivery, breakage.patch)
    assert sum(way is not None for way in ways) == 1


def test_only_the_broken_servers_know_the_server() -> None:
    wrong = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "broken"
        and re.search(r"(from|import) mock_server", path.read_text("utf-8"))
    ]
    assert wrong == []
