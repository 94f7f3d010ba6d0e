"""One world, its clock, faults and inboxes: each for tests without async, and for async tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Unpack

from mock_server.control import answers
from mock_server.control.clock import ClockCalls
from mock_server.control.faults import FaultBlock, FaultsCalls, Terms
from mock_server.control.transport import (
    AsyncCaller,
    AsyncTransport,
    Caller,
    ClientMethod,
    ControlError,
    Json,
    Request,
    RequestFlow,
    SyncCaller,
    Transport,
    step,
)
from mock_server.control.world_calls import WorldCalls


class Clock(ClockCalls, SyncCaller):
    """The clock of a world, read and moved."""


class AsyncClock(ClockCalls, AsyncCaller):
    """The clock of a world, for async tests."""


class Faults(FaultsCalls, SyncCaller):
    """The faults of a world."""


class AsyncFaults(FaultsCalls, AsyncCaller):
    """The faults of a world, for async tests."""


class InboxCalls(Caller):
    """The calls of an inbox. url: the address to give as a callback URL."""

    def __init__(
        self, transport: Transport | AsyncTransport, facts: answers.WorldFacts, name: str
    ) -> None:
        super().__init__(transport, f"/_mock/worlds/{step(facts.name)}/inbox/{step(name)}")
        self.name = name
        self.url = f"{facts.plain_base_url}/_mock/inbox/{step(facts.name)}/{step(name)}"

    @ClientMethod
    def requests(self) -> RequestFlow[list[answers.Received]]:
        """The requests in the inbox, the oldest first."""
        return list((yield Request("GET", self._path)).read(answers.InboxContents).requests)

    @ClientMethod
    def contents(self) -> RequestFlow[answers.InboxContents]:
        """The requests in the inbox, the number of deleted ones, and the planned answers."""
        return (yield Request("GET", self._path)).read(answers.InboxContents)

    @ClientMethod
    def program(self, *planned: int | Json) -> RequestFlow[answers.InboxContents]:
        """Set the answers to the next requests and replace earlier ones. Later requests get 200.

        A status, or `{"status": 500, "times": 2}`, `{"hang": True}`, `{"delay_s": 3}`,
        `{"cut": True}`, with `headers` and `body`.
        """
        body = [{"status": each} if isinstance(each, int) else each for each in planned]
        return (yield Request("PUT", self._path, {"answers": body})).read(answers.InboxContents)


class Inbox(InboxCalls, SyncCaller):
    """A receiver of callbacks."""


class AsyncInbox(InboxCalls, AsyncCaller):
    """A receiver of callbacks, for async tests."""


class World(WorldCalls, SyncCaller):
    """One world, for tests without async. As a context manager it is dropped at the end.
    clock: its time. faults: what goes wrong in it."""

    def __init__(self, transport: Transport, facts: answers.WorldFacts) -> None:
        super().__init__(transport, facts)
        self.clock = Clock(transport, self._path)
        self.faults = Faults(transport, self._path)

    def awaited(self) -> AsyncWorld:
        """The same world, for async tests."""
        return AsyncWorld(self._transport.async_transport(), self._facts)

    def inbox(self, name: str) -> Inbox:
        """A receiver of callbacks, by any name."""
        return Inbox(self._transport, self._facts, name)

    @contextmanager
    def fault(
        self, scenario: str | None = None, *, must_happen: bool = True, **terms: Unpack[Terms]
    ) -> Iterator[list[answers.Fault]]:
        """Add faults, and remove them at the end of the block. Takes what `faults.add` takes.

        Afterwards the faults have their last counts. If none of them happened, it warns with
        FaultNeverHappened, unless `must_happen` is False or an exception leaves the block.
        """
        __tracebackhide__ = True
        block = FaultBlock(self.faults.add(scenario, **terms))
        try:
            yield block.faults
        finally:
            for fault in block.faults:
                with suppress(ControlError):  # the test may have removed it
                    block.note_removed(fault, self.faults.remove(fault))
        if must_happen:
            block.warn_if_never_happened()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()


class AsyncWorld(WorldCalls, AsyncCaller):
    """One world, for async tests. As an async context manager it is dropped at the end."""

    def __init__(self, transport: AsyncTransport, facts: answers.WorldFacts) -> None:
        super().__init__(transport, facts)
        self.clock = AsyncClock(transport, self._path)
        self.faults = AsyncFaults(transport, self._path)

    def inbox(self, name: str) -> AsyncInbox:
        """A receiver of callbacks, by any name."""
        return AsyncInbox(self._transport, self._facts, name)

    @asynccontextmanager
    async def fault(
        self, scenario: str | None = None, *, must_happen: bool = True, **terms: Unpack[Terms]
    ) -> AsyncIterator[list[answers.Fault]]:
        """Add faults, and remove them at the end of the block, as `World.fault` does."""
        __tracebackhide__ = True
        block = FaultBlock(await self.faults.add(scenario, **terms))
        try:
            yield block.faults
        finally:
            for fault in block.faults:
                with suppress(ControlError):  # the test may have removed it
                    block.note_removed(fault, await self.faults.remove(fault))
        if must_happen:
            block.warn_if_never_happened()

    async def __aenter__(self) -> AsyncWorld:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.drop()
