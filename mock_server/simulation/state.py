"""The fake: all that one running server holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mock_server.apis.acedata.callbacks import Callbacks
from mock_server.apis.rivya.events import Events
from mock_server.config.settings import Settings
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import FIXTURES, SCHEMAS
from mock_server.core.refusals import Refusal
from mock_server.core.world import World
from mock_server.faults.scenarios import ScenarioError, Scenarios
from mock_server.outgoing.host_names import Resolve, addresses_of
from mock_server.outgoing.outbox import Outbox, Writer
from mock_server.outgoing.sender import Sender
from mock_server.simulation.blobs import Blobs
from mock_server.simulation.timekeeper import Timekeeper
from mock_server.simulation.worlds import DEFAULT_WORLD, Worlds


@dataclass(frozen=True, slots=True)
class Fake:
    """Settings, contract, scenarios, which never change, and worlds, which do nothing else."""

    settings: Settings
    contract: Contract
    scenarios: Scenarios
    worlds: Worlds
    blobs: Blobs
    sender: Sender
    outbox: Outbox
    resolve: Resolve

    @property
    def timekeepers(self) -> dict[str, Timekeeper]:
        """Who wakes which world, by its name."""
        return self.worlds.timekeepers

    def world(self, name: str = DEFAULT_WORLD) -> World:
        """A world by name. KeyError if there is none of that name."""
        return self.worlds[name].world

    def let_everybody_go(self) -> None:
        """Answer whoever is held: the server is about to stop."""
        for home in self.worlds:
            home.timekeeper.stop()

    @asynccontextmanager
    async def uploads_kept(
        self, contents: Sequence[BinaryIO], place: str
    ) -> AsyncIterator[list[str]]:
        """As `Blobs.added`. If a world does not take them in the end, nothing is kept."""
        try:
            async with self.blobs.added(contents, place) as digests:
                yield digests
        except Refusal:
            await self.free_uploads()
            raise

    async def free_uploads(self) -> None:
        """Delete the bytes of uploads that no world has any more."""
        if self.blobs.is_empty:
            return
        await self.blobs.keep_only(
            {file.content for home in self.worlds for file in home.world.uploads}
        )

    async def close(self) -> None:
        """Stop waiting and sending, and leave nothing on the disk."""
        self.let_everybody_go()
        await self.sender.stop()
        self.blobs.close()


def make_fake(
    settings: Settings, source_ms: Callable[[], int], resolve: Resolve = addresses_of
) -> Fake:
    """A fake with its default world.

    source_ms: tells real time in milliseconds since 1970. resolve: tells a host's addresses.
    Raises ScenarioError for a broken file in the user's folder, and UnknownScenario.
    """
    contract = Contract(SCHEMAS, strict_params=settings.rivya.params == "strict")
    scenarios = _scenarios(settings, contract)
    is_strict = settings.webhook_urls == "strict"
    sender = Sender(settings.deliveries, settings.callback_hosts, resolve if is_strict else None)
    writers: dict[str, Writer] = {
        "acedata": Callbacks(settings.acedata),
        "rivya": Events(settings.rivya),
    }
    outbox = Outbox(writers, sender)
    return Fake(
        settings=settings,
        contract=contract,
        scenarios=scenarios,
        worlds=Worlds(settings, source_ms, outbox, scenarios),
        blobs=Blobs(settings.limits.stored_upload_bytes),
        sender=sender,
        outbox=outbox,
        resolve=resolve,
    )


def _scenarios(settings: Settings, contract: Contract) -> Scenarios:
    """The scenarios of this server; the user's own are read at once, so that none is broken."""
    shipped = FIXTURES / "scenarios"
    if settings.scenario_dir is None:
        return Scenarios([shipped], contract.codes)
    own = Path(settings.scenario_dir)
    if not own.is_dir():
        raise ScenarioError(f"scenario_dir: there is no folder {own}")
    scenarios = Scenarios([shipped, own], contract.codes)
    scenarios.read_all(own)
    return scenarios
