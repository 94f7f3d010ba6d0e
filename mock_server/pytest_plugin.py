"""Fixtures for pytest: a server of this process, and a world in it for each test.

There is nothing to configure. What a fixture needs is imported when it is first used, so that a
suite without any of them pays nothing.
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
    from mock_server.server.loop_thread import ThreadedApp

_WORLD = pytest.StashKey["World"]()
_MARK = "hailuo_world"
_URL = "HAILUO_MOCK_URL"
_TOKEN = "HAILUO_MOCK_CONTROL_TOKEN"  # noqa: S105 (the name of a variable)
_CONFIG = "HAILUO_MOCK_CONFIG"


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers",
        f"{_MARK}(seed=…, credits=…, clock='frozen', now=…, scale=…): what the test's world is "
        "made from",
    )


@pytest.fixture(scope="session")
def hailuo_mock_settings() -> dict[str, Any]:
    """The server's settings by their dotted names; a suite that wants others overrides this.

    `{"tasks.queued_s": 0, "seed": 7}`. They win over the environment and over hailuo-mock.toml.
    """
    return {}


@pytest.fixture(scope="session")
def hailuo_mock(hailuo_mock_settings: dict[str, Any]) -> Iterator[Control]:
    """The control door of a server on a free port in a thread of this process.

    If HAILUO_MOCK_URL is set, of the server there: it may be shared, it has settings of its own,
    and HAILUO_MOCK_CONTROL_TOKEN opens its door.
    """
    from mock_server.control import Control
    from mock_server.server.embedded import served

    shared = _variable(_URL)
    if shared:
        with Control(shared, _variable(_TOKEN)) as control:
            control.version()  # raises if nobody is there
            yield control
        return
    settings = _settings(hailuo_mock_settings)
    with served(settings) as url, Control(url, settings.control_token) as control:
        yield control


@pytest.fixture
def world(hailuo_mock: Control, request: pytest.FixtureRequest) -> Iterator[World]:
    """A world that no other test sees: URLs, keys, clock, faults, ledger, journal, inboxes.

    Made from what the mark `hailuo_world` says, dropped after the test. The same test has the same
    name, seed and so ids each time, whatever runs beside it; at a shared server the same seed.
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
    """The world of `world`, to be awaited; from any event loop, with whichever plugin."""
    return world.awaited()


@pytest.fixture
def hailuo_mock_app(hailuo_mock_settings: dict[str, Any]) -> Iterator[ThreadedApp]:
    """A fake of the test's own as an ASGI app: no socket is opened. `Control(hailuo_mock_app)` is
    its control door."""
    from mock_server.server.embedded import in_process

    with in_process(_settings(hailuo_mock_settings)) as app:
        yield app


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell what went on in the world of a test that failed."""
    report = yield
    world = item.stash.get(_WORLD, None)
    if world is not None and report.failed:
        report.sections += _told(world)
    return report


def _variable(name: str) -> str | None:
    """A variable of the environment; None if it is unset or blank."""
    return os.environ.get(name, "").strip() or None


def _settings(asked: dict[str, Any]) -> Settings:
    """The settings that hold for a fixture. Raises SettingsError."""
    from mock_server.config.settings import knobs
    from mock_server.config.sources import SettingsError, read_settings
    from mock_server.core.suggestions import near

    known = [knob.name for knob in knobs()]
    for name in asked:
        if name not in known:
            hint = near(name, known)
            raise SettingsError(f"hailuo_mock_settings: there is no setting '{name}'{hint}")
    config = _variable(_CONFIG)
    settings, _ = read_settings(
        flags={"port": 0} | asked,
        environment=os.environ,
        file=Path(config) if config else None,
    )
    return settings


def _plan(test: pytest.Item) -> dict[str, Any]:
    """What a test's world is made from."""
    plan: dict[str, Any] = {}
    digest = sha256(test.nodeid.encode())
    if _variable(_URL):  # names belong to whoever comes first, so there the server gives them
        plan["seed"] = int.from_bytes(digest.digest()[:6], "big")
    else:
        words = re.sub("[^a-z0-9]+", "-", test.name.lower().removeprefix("test_")).strip("-")
        plan["name"] = f"{words[:31]}-{digest.hexdigest()[:8]}".strip("-")
    mark = test.get_closest_marker(_MARK)
    return plan if mark is None else plan | dict(mark.kwargs)


def _told(world: World) -> list[tuple[str, str]]:
    """Sections for a report: the world, what was asked there, and who has which credits."""
    from mock_server.control import ControlError

    sections = [("hailuo-mock world", f"{world.name} at {world.base_url}, seed {world.seed}")]
    try:
        journal = world.journal()
        ledger = [f"{account.name}: {account.ledger}" for account in world.accounts()]
    except ControlError as error:
        return [*sections, ("hailuo-mock requests", f"not to be had: {error}")]
    requests = [str(exchange) for exchange in journal.requests]
    if journal.evicted:
        requests.insert(0, f"{journal.evicted} before these are no longer kept")
    return [
        *sections,
        ("hailuo-mock requests", "\n".join(requests) or "none came"),
        ("hailuo-mock ledger", "\n".join(ledger)),
    ]
