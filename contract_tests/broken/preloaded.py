"""What every fork needs, imported once. The garbage collector leaves it alone in every fork."""

from __future__ import annotations

import gc
from importlib import import_module

from hypothesis import given, settings
from hypothesis import strategies as st

# Not contract_tests.plugin and what it imports: pytest rewrites it, so it must import it first.
# The suite imports Schemathesis and its like only when they are needed.
for _name in (
    *("mock_server.server.serve", "mock_server.server.make_server", "mock_server.door.routes"),
    *("mock_server.durable.reading", "mock_server.durable.state_writer", "httpx2", "httpcore2"),
    *("mock_server.__main__", "contract_tests.command", "contract_tests.run"),
    *("harfile", "hypothesis.stateful", "jinja2.ext", "multiprocessing.pool", "pyrate_limiter"),
    *("schemathesis.engine.core", "schemathesis.engine.run.probes"),
    *("schemathesis.engine.run.unit._hypothesis_executor", "schemathesis.engine.run.stateful"),
    *("schemathesis.specs.openapi.schemas", "schemathesis.specs.openapi.stateful.inference"),
    *("schemathesis.specs.openapi.analysis", "schemathesis.transport.requests"),
    *("_pytest.cacheprovider", "_pytest.faulthandler", "_pytest.helpconfig", "_pytest.junitxml"),
    *("_pytest.pastebin", "_pytest.setuponly", "_pytest.setupplan", "_pytest.skipping"),
    *("_pytest.stepwise", "_pytest.terminal", "_pytest.threadexception", "_pytest.tmpdir"),
    *("_pytest.tracemalloc", "_pytest.unittest", "_pytest.unraisableexception"),
    "_pytest.warnings",
):
    import_module(_name)


@settings(max_examples=50, database=None, derandomize=True)
@given(st.tuples(st.text(), st.integers()))
def _read_once(_: object) -> None:
    """Has Hypothesis make its table of letters, and read the constants of all modules above."""


_read_once()
gc.collect()
gc.freeze()
