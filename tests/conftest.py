from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, settings
from starlette import routing

from mock_server.apis import ALL
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import FIXTURES, SCHEMAS
from mock_server.faults.scenarios import Scenarios
from tests.long_first import long_first
from tests.mock import MakeMock, Mock

settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")


@pytest.hookimpl(optionalhook=True)  # pytest runs without xdist, too
def pytest_xdist_auto_num_workers() -> int:
    """Two workers for each core: half of the time, tests wait for other processes and for times."""
    return 2 * (os.cpu_count() or 1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--adversaries", type=int, default=50, help="servers that try to overspend")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the long tests first, where several workers share the tests."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        items[:] = [items[place] for place in long_first([item.nodeid for item in items], workers)]


def pytest_collectstart() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    """Keeps the garbage collector from going through what collecting made and will stay."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def shared_data() -> Iterator[None]:
    """Reads once what never changes: shipped schemas and scenarios, routes, and the certificates
    that each HTTP client loads."""
    contract, folders = Contract(SCHEMAS, ALL), [FIXTURES / "scenarios"]
    scenarios = Scenarios(folders, ALL, contract.codes)

    def contract_of(folder: Path, apis: Any) -> Contract:
        return contract if apis is ALL else Contract(folder, apis)

    def scenarios_of(of: list[Path], apis: Any, codes: Any) -> Scenarios:
        return scenarios if (of, apis) == (folders, ALL) else Scenarios(of, apis, codes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mock_server.server.make_server.Contract", contract_of)
        patch.setattr("mock_server.server.make_server.Scenarios", scenarios_of)
        patch.setattr(Contract, "schema", cache(Contract.schema))
        patch.setattr(routing, "compile_path", cache(routing.compile_path))
        certificates = "httpx2._transports.default.create_ssl_context"
        patch.setattr(certificates, cache(httpx2.create_ssl_context))
        yield


@pytest.fixture
def default_signals() -> Iterator[None]:
    """SIGINT and SIGHUP end what a test starts, also if nohup or `&` ignores them here."""
    numbers = (signal.SIGINT, signal.SIGHUP)
    ignored = [number for number in numbers if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def make_mock() -> Iterator[MakeMock]:
    """Makes mocks with settings of their own. Every answer must keep the contract."""
    made: list[Mock] = []

    def make(**changes: Any) -> Mock:
        made.append(Mock(**changes))
        return made[-1]

    yield make
    for mock in made:
        mock.close()


@pytest.fixture
def mock(make_mock: MakeMock) -> Mock:
    """A mock with the default settings, on a frozen clock."""
    return make_mock()
