from __future__ import annotations

import os

import pytest

from contract_tests.broken import forked
from tests.crash import doomed_server  # noqa: F401  # it forks, too

_PRINT = "import sys; print([name for name in {names} if name not in sys.modules])"


@pytest.mark.parametrize("names", [["schemathesis", "contract_tests.run"], ["httpx2"]])
def test_one_process_has_imported_what_every_fork_needs(names: list[str]) -> None:
    done = forked.run("--help", environment=os.environ, before=_PRINT.format(names=names))
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "[]"
