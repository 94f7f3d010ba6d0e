"""One world, its clock, faults and inboxes: each for tests without async, and for async tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from typing import Any, Literal, Unpack

from mock_server.control import answers
from mock_server.control.clock import ClockCalls
from mock_server.control.deliveries import DeliveryCalls
from mock_server.control.faults import FaultBlock, FaultsCalls, Terms
from mock_server.control.history import HistoryCalls
from mock_server.control.judgement_answers import Judgement
from mock_server.control.requests import RequestCalls
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
from mock_server.control.waits import WaitCalls
from mock_server.core.lifecycle import FailureReason

_JUDGING_S = 120.0
"""The time limit of a judgement: a long journal takes some seconds."""


class _WorldCalls(DeliveryCalls, RequestCalls, WaitCalls, HistoryCalls):
    """The calls about a world. name, seed, keys: as it was made.
    base_url, rivya_url, acedata_url: the base URL of all APIs in this world; Rivya's paths begin
    with `/api/v1/`, those of Ace Data Cloud with `/hailuo/`. plain_url: the base URL of the server,
    where a request belongs to the world of its key. media_url: the start of the URLs of media."""

    def __init__(self, transport: Transport | AsyncTransport, facts: answers.WorldFacts) -> None:
        super().__init__(transport, f"/_mock/worlds/{step(facts.name)}")
        self.name = facts.name
        self.seed = facts.seed
        self.keys = facts.keys
        self.base_url = self.rivya_url = self.acedata_url = facts.base_url
        self.plain_url = facts.plain_base_url
        self.media_url = facts.media_url
        self._facts = facts

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} at {self.base_url}, seed {self.seed}>"

    @property
    def rivya_key(self) -> str:
        """A key of Rivya's. Raises LookupError if the world was made without one."""
        return self._key_of("rivya")

    @property
    def acedata_token(self) -> str:
        """A token of Ace Data Cloud's. Raises LookupError if the world was made without one."""
        return self._key_of("acedata")

    def headers(self, api: answers.Api) -> dict[str, str]:
        """The headers of a client with all permissions at this API."""
        return {"Authorization": f"Bearer {self._key_of(api)}"}

    def _key_of(self, api: answers.Api) -> str:
        for key in self.keys:
            if key.api == api:
                return key.key
        raise LookupError(f"the world '{self.name}' was made without a key for {api}")

    # --- accounts -----------------------------------------------------------------------------

    @ClientMethod
    def accounts(self) -> RequestFlow[list[answers.Account]]:
        """Every account, with its credits and keys."""
        return (yield Request("GET", f"{self._path}/accounts")).read(answers.AccountList).accounts

    @ClientMethod
    def account(self, name: str) -> RequestFlow[answers.Account]:
        """One account, by its name."""
        return (yield Request("GET", f"{self._path}/accounts/{step(name)}")).read(answers.Account)

    @ClientMethod
    def ledger(self, account: str) -> RequestFlow[answers.Balance]:
        """An account's credits."""
        reply = yield Request("GET", f"{self._path}/accounts/{step(account)}")
        return reply.read(answers.Account).ledger

    @ClientMethod
    def make_account(
        self,
        name: str,
        *,
        credits: int,
        keys: Sequence[Json] = (),
        in_flight: int | None = None,
    ) -> RequestFlow[answers.Account]:
        """Make an account. keys: `{"key": …, "api": …}` each, with scopes, expiry and limits.
        in_flight: as for `set_in_flight`."""
        body = {"name": name, "credits": credits, "keys": keys, "in_flight": in_flight}
        return (yield Request("POST", f"{self._path}/accounts", body)).read(answers.Account)

    @ClientMethod
    def set_credits(self, account: str, credits: int) -> RequestFlow[answers.Account]:
        """Set the credits that an account can spend."""
        path = f"{self._path}/accounts/{step(account)}"
        return (yield Request("PATCH", path, {"credits": credits})).read(answers.Account)

    @ClientMethod
    def set_in_flight(self, account: str, in_flight: int) -> RequestFlow[answers.Account]:
        """Set how many tasks of an account may not have ended; 0: any number."""
        path = f"{self._path}/accounts/{step(account)}"
        return (yield Request("PATCH", path, {"in_flight": in_flight})).read(answers.Account)

    @ClientMethod
    def set_key(
        self,
        account: str,
        key: str,
        *,
        api: answers.Api,
        scopes: Sequence[str] | None = None,
        revoked: bool = False,
        disabled: bool = False,
        expires_at: datetime | None = None,
        rate_limit: int | None = None,
        in_flight: int | None = None,
    ) -> RequestFlow[answers.Account]:
        """Issue a key, or replace the account's key of the same name.
        scopes: None: all. rate_limit: requests per window; in_flight: tasks that may not have
        ended; None: as in the server's settings."""
        issued = {
            "key": key,
            "api": api,
            "revoked": revoked,
            "disabled": disabled,
            "expires_at": expires_at,
            "rate_limit": rate_limit,
            "in_flight": in_flight,
        }
        body = {"keys": [issued if scopes is None else issued | {"scopes": scopes}]}
        path = f"{self._path}/accounts/{step(account)}"
        return (yield Request("PATCH", path, body)).read(answers.Account)

    # --- tasks --------------------------------------------------------------------------------

    @ClientMethod
    def tasks(self) -> RequestFlow[list[answers.Task]]:
        """Every task of all APIs, the oldest first."""
        return (yield Request("GET", f"{self._path}/tasks")).read(answers.TaskList).tasks

    @ClientMethod
    def task(self, task_id: str) -> RequestFlow[answers.Task]:
        """One task, as it is now."""
        return (yield Request("GET", f"{self._path}/tasks/{step(task_id)}")).read(answers.Task)

    @ClientMethod
    def finish(
        self,
        task: str | answers.Task,
        state: Literal["succeeded", "failed"] = "succeeded",
        *,
        reason: FailureReason | None = None,
    ) -> RequestFlow[answers.Task]:
        """End a task now: credits are settled, held requests answered, and callbacks are due.
        reason: why it fails; None: as planned."""
        path = f"{self._path}/tasks/{step(answers.id_of(task))}/finish"
        body = {"state": state, "reason": reason}
        return (yield Request("POST", path, body)).read(answers.Task)

    # --- the client ---------------------------------------------------------------------------

    @ClientMethod
    def judge(
        self,
        *,
        control: str | _WorldCalls | None = None,
        expected_jobs: int | None = None,
        so_far: bool = False,
        run: Json | None = None,
        effects: Sequence[Json] = (),
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
    ) -> RequestFlow[Judgement]:
        """What the client did wrong in this world, with the evidence. Nothing changes.

        control: a world in which the same client ran without faults. expected_jobs: how many videos
        it was to order in all. so_far: whether it goes on: only findings that stand whatever it
        does later are looked for. run: how it ended, as `/_mock/control.json` describes it.
        effects: `{"at": …, "count": …}`: how often it had acted. only, skip: codes of rules.
        """
        name = control.name if isinstance(control, _WorldCalls) else control
        body: dict[str, Any] = {"control": name, "expected_jobs": expected_jobs, "effects": effects}
        body |= {"so_far": so_far, "only": only, "skip": skip}
        body |= {} if run is None else {"run": run}
        request = Request("POST", f"{self._path}/judgement", body, timeout_s=_JUDGING_S)
        return (yield request).read(Judgement)

    # --- the whole world ----------------------------------------------------------------------

    @ClientMethod
    def snapshot(self) -> RequestFlow[bytes]:
        """The whole world as one document; the same bytes for the same world."""
        return (yield Request("GET", f"{self._path}/snapshot")).content

    @ClientMethod
    def restore(self, snapshot: bytes) -> RequestFlow[None]:
        """Replace the world with a snapshot, of this world or another."""
        yield Request("PUT", f"{self._path}/snapshot", snapshot)

    @ClientMethod
    def reset(self) -> RequestFlow[None]:
        """Reset the world to how it was made."""
        yield Request("POST", f"{self._path}/reset")

    @ClientMethod
    def drop(self) -> RequestFlow[None]:
        """Drop the world and everything in it."""
        yield Request("DELETE", self._path)


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


class World(_WorldCalls, SyncCaller):
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


class AsyncWorld(_WorldCalls, AsyncCaller):
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
