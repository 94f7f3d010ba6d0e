"""One world, looked into and steered from outside: where it is, and everything in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from types import TracebackType
from typing import Literal, Unpack

from mock_server.control.answers import (
    Account,
    AccountList,
    Api,
    Balance,
    Delivery,
    DeliveryList,
    Fault,
    Task,
    TaskList,
    WorldFacts,
    id_of,
)
from mock_server.control.clock import AsyncClock, Clock
from mock_server.control.faults import (
    AsyncFaults,
    Faults,
    Terms,
    note_ends,
    warn_if_never_happened,
)
from mock_server.control.inbox import AsyncInbox, Inbox
from mock_server.control.requests import RequestCalls
from mock_server.control.waits import WaitCalls
from mock_server.control.wire import (
    AsyncLine,
    Awaited,
    Call,
    ControlError,
    Described,
    Line,
    Question,
    Steps,
    Waiting,
    step,
)


class _WorldCalls(RequestCalls, WaitCalls):
    """What both kinds of world can do.

    name, seed: as it was made. keys: that it was made with.
    """

    def __init__(self, facts: WorldFacts) -> None:
        self.name = facts.name
        self.seed = facts.seed
        self.keys = facts.keys
        self._facts = facts
        self._path = f"/_mock/worlds/{step(facts.name)}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} at {self.base_url}, seed {self.seed}>"

    # --- where it is, and how to get in -------------------------------------------------------

    @property
    def base_url(self) -> str:
        """Where both APIs are; every request to it lands in this world."""
        return self._facts.base_url

    @property
    def rivya_url(self) -> str:
        """The base URL of Rivya; its paths begin with `/api/v1/`."""
        return self._facts.base_url

    @property
    def acedata_url(self) -> str:
        """The base URL of Ace Data Cloud; its paths begin with `/hailuo/`."""
        return self._facts.base_url

    @property
    def plain_url(self) -> str:
        """The server's own base URL, where the key alone tells the world."""
        return self._facts.plain_base_url

    @property
    def rivya_key(self) -> str:
        """A key of Rivya's. Raises LookupError if the world was made without one."""
        return self._key_of("rivya")

    @property
    def acedata_token(self) -> str:
        """A token of Ace Data Cloud's. Raises LookupError if the world was made without one."""
        return self._key_of("acedata")

    def headers(self, api: Api) -> dict[str, str]:
        """The headers of somebody who may do everything at this API."""
        return {"Authorization": f"Bearer {self._key_of(api)}"}

    def _key_of(self, api: Api) -> str:
        for key in self.keys:
            if key.api == api:
                return key.key
        raise LookupError(f"the world '{self.name}' was made without a key for {api}")

    # --- accounts -----------------------------------------------------------------------------

    @Call
    def accounts(self) -> Steps[list[Account]]:
        """Everybody who has credits and keys."""
        return (yield Question("GET", f"{self._path}/accounts")).read(AccountList).accounts

    @Call
    def account(self, name: str) -> Steps[Account]:
        """One account, by its name."""
        return (yield Question("GET", f"{self._path}/accounts/{step(name)}")).read(Account)

    @Call
    def ledger(self, account: str) -> Steps[Balance]:
        """An account's credits."""
        reply = yield Question("GET", f"{self._path}/accounts/{step(account)}")
        return reply.read(Account).ledger

    @Call
    def make_account(
        self, name: str, *, credits: int, keys: Sequence[Described] = ()
    ) -> Steps[Account]:
        """A new account. keys: `{"key": …, "api": …}` each, with scopes, expiry and limits."""
        body = {"name": name, "credits": credits, "keys": keys}
        return (yield Question("POST", f"{self._path}/accounts", body)).read(Account)

    @Call
    def set_credits(self, account: str, credits: int) -> Steps[Account]:
        """Have an account so much to spend from now on."""
        path = f"{self._path}/accounts/{step(account)}"
        return (yield Question("PATCH", path, {"credits": credits})).read(Account)

    @Call
    def set_key(
        self,
        account: str,
        key: str,
        *,
        api: Api,
        scopes: Sequence[str] | None = None,
        revoked: bool = False,
        disabled: bool = False,
        expires_at: datetime | None = None,
        rate_limit: int | None = None,
    ) -> Steps[Account]:
        """Issue a key, or put it in the place of the account's key of the same name.

        scopes: None is all of them. rate_limit: requests per window; None is the server's own.
        """
        issued = {
            "key": key,
            "api": api,
            "revoked": revoked,
            "disabled": disabled,
            "expires_at": expires_at,
            "rate_limit": rate_limit,
        }
        body = {"keys": [issued if scopes is None else issued | {"scopes": scopes}]}
        path = f"{self._path}/accounts/{step(account)}"
        return (yield Question("PATCH", path, body)).read(Account)

    # --- tasks --------------------------------------------------------------------------------

    @Call
    def tasks(self) -> Steps[list[Task]]:
        """Every task of both APIs, the oldest first."""
        return (yield Question("GET", f"{self._path}/tasks")).read(TaskList).tasks

    @Call
    def task(self, task_id: str) -> Steps[Task]:
        """One task, as it is now."""
        return (yield Question("GET", f"{self._path}/tasks/{step(task_id)}")).read(Task)

    @Call
    def finish(
        self, task: str | Task, state: Literal["succeeded", "failed"] = "succeeded"
    ) -> Steps[Task]:
        """End a task now: its credits are settled, whoever waits is answered, callbacks are due."""
        path = f"{self._path}/tasks/{step(id_of(task))}/finish"
        return (yield Question("POST", path, {"state": state})).read(Task)

    # --- deliveries ---------------------------------------------------------------------------

    @Call
    def deliveries(self) -> Steps[list[Delivery]]:
        """Every callback and webhook that went out or is going to, the oldest first."""
        return (yield Question("GET", f"{self._path}/deliveries")).read(DeliveryList).deliveries

    @Call
    def delivery(self, delivery_id: str) -> Steps[Delivery]:
        """One delivery, as it is now."""
        reply = yield Question("GET", f"{self._path}/deliveries/{step(delivery_id)}")
        return reply.read(Delivery)

    @Call
    def redeliver(self, delivery: str | Delivery) -> Steps[Delivery]:
        """Try a delivery once more; the attempt is due now."""
        path = f"{self._path}/deliveries/{step(id_of(delivery))}/redeliver"
        return (yield Question("POST", path)).read(Delivery)

    # --- the whole world ----------------------------------------------------------------------

    @Call
    def snapshot(self) -> Steps[bytes]:
        """Everything in the world, in one document; the same bytes for the same world."""
        return (yield Question("GET", f"{self._path}/snapshot")).content

    @Call
    def restore(self, snapshot: bytes) -> Steps[None]:
        """Have the world be what a snapshot says, of this world or another."""
        yield Question("PUT", f"{self._path}/snapshot", snapshot)

    @Call
    def reset(self) -> Steps[None]:
        """Begin the world anew, as it was when it was made."""
        yield Question("POST", f"{self._path}/reset")

    @Call
    def drop(self) -> Steps[None]:
        """Forget the world and everything in it."""
        yield Question("DELETE", self._path)


class World(_WorldCalls, Waiting):
    """One world, for tests that are not async. As a context manager it is dropped in the end.

    clock: what time it is there, and moving it. faults: what goes wrong there.
    """

    def __init__(self, line: Line, facts: WorldFacts) -> None:
        super().__init__(facts)
        self._line = line
        self.clock = Clock(line, self._path)
        self.faults = Faults(line, self._path)

    def awaited(self) -> AsyncWorld:
        """The same world, for async tests."""
        return AsyncWorld(self._line.awaited(), self._facts)

    def inbox(self, name: str) -> Inbox:
        """A receiver of callbacks; any name will do."""
        return Inbox(self._line, self._facts, name)

    @contextmanager
    def fault(
        self, scenario: str | None = None, *, must_happen: bool = True, **terms: Unpack[Terms]
    ) -> Iterator[list[Fault]]:
        """Have something go wrong until the block is left. Takes what `faults.add` takes.

        Afterwards the faults show how often they happened. If none did, FaultNeverHappened is
        warned of, unless `must_happen` is False or the block is left by an exception.
        """
        __tracebackhide__ = True
        standing = self.faults.add(scenario, **terms)
        ended: list[Fault] = []
        try:
            yield standing
        finally:
            for fault in standing:
                with suppress(ControlError):  # whoever took it away already is welcome to it
                    ended.append(self.faults.remove(fault))
            note_ends(standing, ended)
        if must_happen:
            warn_if_never_happened(standing, ended)

    def __enter__(self) -> World:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.drop()


class AsyncWorld(_WorldCalls, Awaited):
    """One world, for async tests. As an async context manager it is dropped in the end.

    clock: what time it is there, and moving it. faults: what goes wrong there.
    """

    def __init__(self, line: AsyncLine, facts: WorldFacts) -> None:
        super().__init__(facts)
        self._line = line
        self.clock = AsyncClock(line, self._path)
        self.faults = AsyncFaults(line, self._path)

    def inbox(self, name: str) -> AsyncInbox:
        """A receiver of callbacks; any name will do."""
        return AsyncInbox(self._line, self._facts, name)

    @asynccontextmanager
    async def fault(
        self, scenario: str | None = None, *, must_happen: bool = True, **terms: Unpack[Terms]
    ) -> AsyncIterator[list[Fault]]:
        """Have something go wrong until the block is left. Takes what `faults.add` takes.

        Afterwards the faults show how often they happened. If none did, FaultNeverHappened is
        warned of, unless `must_happen` is False or the block is left by an exception.
        """
        __tracebackhide__ = True
        standing = await self.faults.add(scenario, **terms)
        ended: list[Fault] = []
        try:
            yield standing
        finally:
            for fault in standing:
                with suppress(ControlError):  # whoever took it away already is welcome to it
                    ended.append(await self.faults.remove(fault))
            note_ends(standing, ended)
        if must_happen:
            warn_if_never_happened(standing, ended)

    async def __aenter__(self) -> AsyncWorld:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.drop()
