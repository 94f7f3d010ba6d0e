"""Fixtures for pytest: a server of this process, and a world in it for each test.

It needs no configuration. A fixture imports its modules when it is first used, so that other test
suites start as fast as before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mock_server.config.settings import Settings
    from mock_server.control import AsyncWorld, Control, World
    from mock_server.control.loop_thread import ThreadedApp

_WORLD = pytest.StashKey["World"]()
_MARK = "hailuo_world"
_URL = "HAILUO_MOCK_URL"
_TOKEN = "HAILUO_MOCK_CONTROL_TOKEN"  # noqa: S105 (the name of a variable)
_CONFIG = "HAILUO_MOCK_CONFIG"


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line(
        "markers",
        f"{_MARK}(seed=…, credits=…, clock='frozen', now=…, scale=…): how the test's world is made",
    )


@pytest.fixture(scope="session")
def hailuo_mock_settings() -> dict[str, Any]:
    """The server's settings by their dotted names; override it for other settings.

    `{"tasks.queued_s": 0, "seed": 7}`. They override the environment and hailuo-mock.toml.
    """
    return {}


@pytest.fixture(scope="session")
def hailuo_mock(hailuo_mock_settings: dict[str, Any]) -> Iterator[Control]:
    """The control door of a server on a free port in a thread of this process.

    If HAILUO_MOCK_URL is set, of the server at that URL: it has its own settings, other suites may
    use it, too, and HAILUO_MOCK_CONTROL_TOKEN is its control token.
    """
    from mock_server.control import Control
    from mock_server.server.embedded import served

    shared = _variable(_URL)
    if shared:
        with Control(shared, _variable(_TOKEN)) as control:
            control.version()  # raises if there is no server
            yield control
        return
    settings = _settings(hailuo_mock_settings)
    with served(settings) as url, Control(url, settings.control_token) as control:
        yield control


@pytest.fixture
def world(hailuo_mock: Control, request: pytest.FixtureRequest) -> Iterator[World]:
    """A world that no other test sees: URLs, keys, clock, faults, ledger, journal, inboxes.

    It is made with the arguments of the mark `hailuo_world`, and dropped after the test. A test has
    the same world name, seed and ids in every run; on a shared server the same seed.
    """
    from mock_server.control import ControlError

    world = hailuo_mock.world(**_plan(request.node))
    request.node.stash[_WORLD] = world
    yield world
    del request.node.stash[_WORLD]
    try:
        world.drop()
    except ControlError as error:
        if error.status != 404:  # the test may have dropped it
            raise


@pytest.fixture
def async_world(world: World) -> AsyncWorld:
    """The world of `world`, for async tests with any plugin and event loop."""
    return world.awaited()


@pytest.fixture
def hailuo_mock_app(hailuo_mock_settings: dict[str, Any]) -> Iterator[ThreadedApp]:
    """A server for one test as an ASGI app, without a socket. `Control(hailuo_mock_app)` is its
    control door."""
    from mock_server.server.embedded import in_process

    with in_process(_settings(hailuo_mock_settings)) as app:
        yield app


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the requests and credits of its world to the report of a failed test."""
    report = yield
    world = item.stash.get(_WORLD, None)
    if world is not None and report.failed:
        report.sections += _sections(world)
    return report


def _variable(name: str) -> str | None:
    """A variable of the environment; None if it is unset or blank."""
    return os.environ.get(name, "").strip() or None


def _settings(asked: dict[str, Any]) -> Settings:
    """The settings of a fixture's server. Raises SettingsError."""
    from mock_server.apis import ALL
    from mock_server.config.settings import setting_infos
    from mock_server.config.sources import SettingsError, read_settings
    from mock_server.core.suggestions import did_you_mean

    known = [info.name for info in setting_infos(ALL)]
    for name in asked:
        if name not in known:
            hint = did_you_mean(name, known)
            raise SettingsError(f"hailuo_mock_settings: there is no setting '{name}'{hint}")
    config = _variable(_CONFIG)
    settings, _ = read_settings(
        flags={"port": 0} | asked,
        environment=os.environ,
        file=Path(config) if config else None,
        apis=ALL,
    )
    return settings


def _plan(test: pytest.Item) -> dict[str, Any]:
    """The arguments that a test's world is made with."""
    plan: dict[str, Any] = {}
    digest = sha256(test.nodeid.encode())
    if _variable(_URL):  # the name may be in use, so the server chooses one
        plan["seed"] = int.from_bytes(digest.digest()[:6], "big")
    else:
        words = re.sub("[^a-z0-9]+", "-", test.name.lower().removeprefix("test_")).strip("-")
        plan["name"] = f"{words[:31]}-{digest.hexdigest()[:8]}".strip("-")
    mark = test.get_closest_marker(_MARK)
    return plan if mark is None else plan | dict(mark.kwargs)


def _sections(world: World) -> list[tuple[str, str]]:
    """Sections of a report: the world, its requests, and the credits of its accounts."""
    from mock_server.control import ControlError

    sections = [("hailuo-mock world", f"{world.name} at {world.base_url}, seed {world.seed}")]
    try:
        journal = world.journal()
        ledger = [f"{account.name}: {account.ledger}" for account in world.accounts()]
    except ControlError as error:
        return [*sections, ("hailuo-mock requests", f"not available: {error}")]
    requests = [str(exchange) for exchange in journal.requests]
    if journal.evicted:
        requests.insert(0, f"{journal.evicted} before these are no longer kept")
    return [
        *sections,
        ("hailuo-mock requests", "\n".join(requests) or "none came"),
        ("hailuo-mock ledger", "\n".join(ledger)),
    ]
