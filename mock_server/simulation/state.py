"""The state of one running server."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import BinaryIO, Protocol

from msgspec import Struct

from mock_server.config.settings import Settings
from mock_server.contract.contract import Contract
from mock_server.core.apis import Apis
from mock_server.core.counts import Counts
from mock_server.core.journal import Exchange
from mock_server.core.refusals import Refusal
from mock_server.core.scenarios import Scenario
from mock_server.core.world import World
from mock_server.outgoing.host_names import Resolve
from mock_server.outgoing.outbox import Outbox
from mock_server.outgoing.release import AtOnce, Release
from mock_server.outgoing.sender import Sender
from mock_server.simulation.blobs import Blobs
from mock_server.simulation.worlds import DEFAULT_WORLD, Worlds


class ScenarioSource(Protocol):
    """Finds scenarios by name."""

    @property
    def names(self) -> list[str]:
        """Every name, in order of the alphabet."""

    def find(self, name: str) -> Scenario:
        """The scenario of this name. Raises UnknownScenario."""

    def find_for(self, name: str, api: str) -> Scenario:
        """The same for a request to this API. Raises UnknownScenario for one of another API too."""


class Restart(Struct, frozen=True):
    """What a server that goes on with a state file does not know.

    requests: how many the journals do not have; after a crash it is an upper limit. attempts: how
    many delivery attempts have an unknown outcome, and are made again.
    """

    requests: int
    attempts: int


class StateKeeper(Release, Protocol):
    """Keeps the worlds of the server in a file.

    on_lost: called if it cannot be written. restart: None if the file was empty.
    """

    on_lost: Callable[[], None]
    restart: Restart | None

    def begin(self) -> None:
        """Continue what an earlier server began, and run what has come due since its end. Called
        in the event loop."""

    def close(self) -> None:
        """Write everything, and close the file."""


class NoKeeper(AtOnce):
    """The keeper of a server without a state file."""

    restart: Restart | None = None
    on_lost: Callable[[], None] = staticmethod(lambda: None)

    def begin(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


NO_KEEPER = NoKeeper()


class ServerState(Struct, frozen=True):
    """Read-only: settings, contract, scenarios. Mutable: worlds and what they store and send.
    on_locked_out: called with each request that the control door refuses for want of its token."""

    settings: Settings
    apis: Apis
    contract: Contract
    scenarios: ScenarioSource
    worlds: Worlds
    blobs: Blobs
    sender: Sender
    outbox: Outbox
    resolve: Resolve
    counts: Counts
    on_locked_out: Callable[[Exchange], None]
    keeper: StateKeeper = NO_KEEPER

    def world(self, name: str = DEFAULT_WORLD) -> World:
        """A world by name. KeyError if there is none of that name."""
        return self.worlds[name].world

    def release_all_waiters(self) -> None:
        """Answer all requests that are held: the server is about to stop."""
        for slot in self.worlds:
            slot.timekeeper.stop()

    @asynccontextmanager
    async def uploads_kept(
        self, contents: Sequence[BinaryIO], place: str
    ) -> AsyncIterator[list[str]]:
        """As `Blobs.added`. After a refusal, files that no world has are deleted."""
        try:
            async with self.blobs.added(contents, place) as digests:
                yield digests
        except Refusal:
            await self.free_uploads()
            raise

    async def free_uploads(self) -> None:
        """Delete the bytes of uploads that no world has any more, nor the state file."""
        if self.blobs.is_empty:  # as most are: the worlds may be many
            return
        await self.keeper.released()
        await self.blobs.keep_only(
            {file.content for slot in self.worlds for file in slot.world.uploads}
        )

    async def begin(self) -> None:
        """Continue with the worlds of a state file."""
        self.keeper.begin()
        await self.free_uploads()

    async def close(self) -> None:
        """Stop waiting and sending, and delete all uploads."""
        self.release_all_waiters()
        await self.sender.stop()
        self.keeper.close()
        self.blobs.close()
