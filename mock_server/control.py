"""The control door as a typed client, for a server here or elsewhere, or an app in this process.

```python
with Control("http://127.0.0.1:4010").world(clock="frozen") as world:
    with world.fault("lost_answer", times=1):
        ...  # your client, at world.rivya_url with world.rivya_key
    world.clock.advance(120)
    assert world.ledger("rivya-test").spent == 57
```

`AsyncControl` is the same with everything awaited.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Literal, TypeAlias, TypedDict, TypeVar, Unpack
from urllib.parse import quote

import msgspec
from starlette.types import ASGIApp

from mock_server.control_answers import (
    Account,
    Api,
    Balance,
    ClockState,
    Delivery,
    Effect,
    Exchange,
    Explanation,
    Fault,
    InboxContents,
    Journal,
    Received,
    Scenario,
    ScenarioWithCommands,
    Task,
    TaskState,
    Verdict,
    Version,
    WorldFacts,
)
from mock_server.control_wire import (
    PATIENCE_S,
    AsyncLine,
    Awaited,
    Call,
    ControlError,
    Line,
    Question,
    Steps,
    Waiting,
)
from mock_server.core.faults import Operation

__all__ = ["AsyncControl", "AsyncWorld", "Control", "ControlError", "World"]

Described: TypeAlias = Mapping[str, Any] | msgspec.Struct
"""A part of a rule, as the door's document has it: plain data, or the struct itself."""

_LONG_S = 600.0
"""Patience with a clock that moves: it waits for receivers, and those have time of their own."""


class Terms(TypedDict, total=False):
    """What goes wrong, unless a scenario says it, and when.

    match: which requests it concerns. skip: the first so many go right. times: how often it
    happens at most. every: only each so many-th. probability: how likely it is each time.
    """

    effect: Described
    match: Described
    skip: int
    times: int
    every: int
    probability: float


class Filters(TypedDict, total=False):
    """Which requests are meant: those that have all of this.

    path: without the world before it, `*` stands for anything. task: the one it made or looked at.
    """

    method: str
    path: str
    api: Api
    operation: Operation
    status: int
    account: str
    task: str


class Match(Filters, total=False):
    """The same, by what was sent too. body: values by JSON Pointer in the request's JSON."""

    body: Mapping[str, Any]


W = TypeVar("W", bound="World | AsyncWorld")


class _ControlCalls(Generic[W]):
    """What both kinds of control can do. url: where the server answers."""

    url: str

    @Call
    def world(
        self,
        name: str | None = None,
        *,
        seed: int | None = None,
        credits: int | None = None,
        clock: Literal["real", "frozen"] = "real",
        now: datetime | None = None,
        scale: float = 1.0,
    ) -> Steps[W]:
        """Make a world; as a context manager it is dropped in the end.

        name: of a to z, digits and hyphens; None: the next free one. seed: None draws it from the
        server's seed and the name. credits: of every account. now: the world's first moment.
        scale: how much faster than real time it runs.
        """
        plan = {
            "name": name,
            "seed": seed,
            "credits": credits,
            "clock": {"mode": clock, "now": now, "scale": scale},
        }
        reply = yield Question("POST", "/_mock/worlds", plan)
        return self._enter(reply.read(WorldFacts))

    @Call
    def find(self, name: str = "default") -> Steps[W]:
        """A world that is there already."""
        reply = yield Question("GET", f"/_mock/worlds/{_step(name)}")
        return self._enter(reply.read(WorldFacts))

    @Call
    def worlds(self) -> Steps[list[W]]:
        """Every world, the oldest first."""
        reply = yield Question("GET", "/_mock/worlds")
        return [self._enter(facts) for facts in reply.read(_Worlds).worlds]

    @Call
    def version(self) -> Steps[Version]:
        """What runs there."""
        return (yield Question("GET", "/_mock/version")).read(Version)

    @Call
    def scenarios(self) -> Steps[list[Scenario]]:
        """Every scenario, by name."""
        return (yield Question("GET", "/_mock/scenarios")).read(_Scenarios).scenarios

    @Call
    def scenario(self, name: str) -> Steps[ScenarioWithCommands]:
        """One scenario, with ready-made requests for each channel."""
        reply = yield Question("GET", f"/_mock/scenarios/{_step(name)}")
        return reply.read(ScenarioWithCommands)

    @Call
    def explain(self, request_id: str) -> Steps[Explanation]:
        """Why the answer to a request was what it was; its id is in the answer's `Mock-Request`."""
        return (yield Question("GET", f"/_mock/explain/{_step(request_id)}")).read(Explanation)

    def _enter(self, facts: WorldFacts) -> W:
        raise NotImplementedError


class Control(_ControlCalls["World"], Waiting):
    """A server's control door, for tests that are not async. Many threads may use it."""

    def __init__(self, server: str | ASGIApp, token: str | None = None) -> None:
        """server: its URL, or an app in this process. token: what `--control-token` asks for."""
        self._line = Line(server, token)
        self.url = self._line.url

    def close(self) -> None:
        """Ask nothing more; the worlds stay. Of an app in this process it ends the thread."""
        self._line.close()

    def __enter__(self) -> Control:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _enter(self, facts: WorldFacts) -> World:
        return World(self._line, facts)


class AsyncControl(_ControlCalls["AsyncWorld"], Awaited):
    """A server's control door, for async tests. It needs no closing, and minds no event loop."""

    def __init__(self, server: str | ASGIApp, token: str | None = None) -> None:
        """As for `Control`. An app in this process runs in the caller's event loop."""
        self._line = AsyncLine(server, token)
        self.url = self._line.url

    def _enter(self, facts: WorldFacts) -> AsyncWorld:
        return AsyncWorld(self._line, facts)


class _WorldCalls:
    """What both kinds of world can do.

    name, seed: as it was made. keys: that it was made with.
    """

    def __init__(self, facts: WorldFacts) -> None:
        self.name = facts.name
        self.seed = facts.seed
        self.keys = facts.keys
        self._facts = facts
        self._path = f"/_mock/worlds/{_step(facts.name)}"

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
        return (yield Question("GET", f"{self._path}/accounts")).read(_Accounts).accounts

    @Call
    def account(self, name: str) -> Steps[Account]:
        """One account, by its name."""
        return (yield Question("GET", f"{self._path}/accounts/{_step(name)}")).read(Account)

    @Call
    def ledger(self, account: str) -> Steps[Balance]:
        """An account's credits."""
        reply = yield Question("GET", f"{self._path}/accounts/{_step(account)}")
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
        path = f"{self._path}/accounts/{_step(account)}"
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
        path = f"{self._path}/accounts/{_step(account)}"
        return (yield Question("PATCH", path, body)).read(Account)

    # --- tasks --------------------------------------------------------------------------------

    @Call
    def tasks(self) -> Steps[list[Task]]:
        """Every task of both APIs, the oldest first."""
        return (yield Question("GET", f"{self._path}/tasks")).read(_Tasks).tasks

    @Call
    def task(self, task_id: str) -> Steps[Task]:
        """One task, as it is now."""
        return (yield Question("GET", f"{self._path}/tasks/{_step(task_id)}")).read(Task)

    @Call
    def finish(
        self, task: str | Task, state: Literal["succeeded", "failed"] = "succeeded"
    ) -> Steps[Task]:
        """End a task now: its credits are settled, whoever waits is answered, callbacks are due."""
        path = f"{self._path}/tasks/{_step(_id(task))}/finish"
        return (yield Question("POST", path, {"state": state})).read(Task)

    # --- the journal --------------------------------------------------------------------------

    @Call
    def requests(self, **filters: Unpack[Filters]) -> Steps[list[Exchange]]:
        """The requests that came, the oldest first; also those that are under way."""
        reply = yield Question("GET", f"{self._path}/requests", query=_query(filters))
        return list(reply.read(Journal).requests)

    @Call
    def journal(
        self, *, since: str | None = None, limit: int | None = None, **filters: Unpack[Filters]
    ) -> Steps[Journal]:
        """The same, and how many requests are no longer kept.

        since: only those after the request with this id. limit: only the newest so many.
        """
        query = _query(filters) | {"since": since, "limit": limit}
        return (yield Question("GET", f"{self._path}/requests", query=query)).read(Journal)

    @Call
    def export(self, format: Literal["har", "ndjson"], **filters: Unpack[Filters]) -> Steps[bytes]:
        """The journal as a document for other tools."""
        query = _query(filters) | {"format": format}
        return (yield Question("GET", f"{self._path}/requests", query=query)).content

    @Call
    def request(self, request_id: str) -> Steps[Exchange]:
        """One request; its id is in the answer's `Mock-Request`."""
        reply = yield Question("GET", f"{self._path}/requests/{_step(request_id)}")
        return reply.read(Exchange)

    @Call
    def clear_requests(self) -> Steps[None]:
        """Forget the requests that have been answered."""
        yield Question("DELETE", f"{self._path}/requests")

    @Call
    def verify(
        self,
        *,
        count: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        order: Sequence[Match] = (),
        **match: Unpack[Match],
    ) -> Steps[Verdict]:
        """Assert that so many such requests came; without a number, at least one.

        order: such requests came one after the other, others perhaps between them. Raises
        AssertionError with what was found and what came near.
        """
        __tracebackhide__ = True
        bounds = {"count": count, "at_least": at_least, "at_most": at_most}
        body: dict[str, Any] = {"match": match, "order": order}
        body |= {name: bound for name, bound in bounds.items() if bound is not None}
        verdict = (yield Question("POST", f"{self._path}/requests/verify", body)).read(Verdict)
        if not verdict.verified:
            raise AssertionError(str(verdict))
        return verdict

    # --- waiting ------------------------------------------------------------------------------

    @Call
    def wait_for_request(
        self, *, after: str | None = None, timeout_s: float = 10.0, **filters: Unpack[Filters]
    ) -> Steps[Exchange]:
        """The first such request that has been answered, as soon as there is one.

        after: only after the request with this id. timeout_s: real seconds, at most 60. Raises
        ControlError with the status 408 when they are over, 503 if the world ends before.
        """
        reply = yield self._wait(_query(filters) | {"after": after}, timeout_s)
        return reply.read(_FoundRequest).request

    @Call
    def wait_for_task(
        self,
        task: str | Task,
        state: TaskState | Literal["ended"] = "ended",
        *,
        timeout_s: float = 10.0,
    ) -> Steps[Task]:
        """The task, as soon as it is so. A frozen clock has to be moved meanwhile.

        Raises as `wait_for_request` does.
        """
        reply = yield self._wait({"task": _id(task), "state": state}, timeout_s)
        return reply.read(_FoundTask).task

    @Call
    def wait_for_delivery(
        self,
        task: str | Task | None = None,
        outcome: Literal["succeeded", "failed", "attempted"] = "attempted",
        *,
        timeout_s: float = 10.0,
    ) -> Steps[Delivery]:
        """A delivery that tells of this task, or of any, as soon as one has gone so.

        Raises as `wait_for_request` does.
        """
        about = None if task is None else _id(task)
        reply = yield self._wait({"task": about, "delivery": outcome}, timeout_s)
        return reply.read(_FoundDelivery).delivery

    def _wait(self, what: dict[str, str | int | float | None], timeout_s: float) -> Question:
        query = what | {"timeout_s": timeout_s}
        patience_s = timeout_s + PATIENCE_S
        return Question("GET", f"{self._path}/wait", query=query, patience_s=patience_s)

    # --- deliveries ---------------------------------------------------------------------------

    @Call
    def deliveries(self) -> Steps[list[Delivery]]:
        """Every callback and webhook that went out or is going to, the oldest first."""
        return (yield Question("GET", f"{self._path}/deliveries")).read(_Deliveries).deliveries

    @Call
    def delivery(self, delivery_id: str) -> Steps[Delivery]:
        """One delivery, as it is now."""
        reply = yield Question("GET", f"{self._path}/deliveries/{_step(delivery_id)}")
        return reply.read(Delivery)

    @Call
    def redeliver(self, delivery: str | Delivery) -> Steps[Delivery]:
        """Try a delivery once more; the attempt is due now."""
        path = f"{self._path}/deliveries/{_step(_id(delivery))}/redeliver"
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
    def fault(self, scenario: str | None = None, **terms: Unpack[Terms]) -> Iterator[list[Fault]]:
        """Have something go wrong until the block is left. Takes what `faults.add` takes."""
        standing = self.faults.add(scenario, **terms)
        try:
            yield standing
        finally:
            for fault in standing:
                with suppress(ControlError):  # whoever took it away already is welcome to it
                    self.faults.remove(fault)

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
        self, scenario: str | None = None, **terms: Unpack[Terms]
    ) -> AsyncIterator[list[Fault]]:
        """Have something go wrong until the block is left. Takes what `faults.add` takes."""
        standing = await self.faults.add(scenario, **terms)
        try:
            yield standing
        finally:
            for fault in standing:
                with suppress(ControlError):  # whoever took it away already is welcome to it
                    await self.faults.remove(fault)

    async def __aenter__(self) -> AsyncWorld:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.drop()


class _ClockCalls:
    """What both kinds of clock can do."""

    _path: str

    @Call
    def get(self) -> Steps[ClockState]:
        """What time it is, and how it goes on."""
        return (yield Question("GET", f"{self._path}/clock")).read(ClockState)

    @Call
    def freeze(self) -> Steps[ClockState]:
        """Have time stand still, except for `advance` and its like."""
        return (yield Question("PATCH", f"{self._path}/clock", {"mode": "frozen"})).read(ClockState)

    @Call
    def run(self, scale: float = 1.0) -> Steps[ClockState]:
        """Have time go by; with a scale of 60 a minute passes in a second."""
        body = {"mode": "real", "scale": scale}
        return (yield Question("PATCH", f"{self._path}/clock", body)).read(ClockState)

    @Call
    def move_to(self, now: datetime) -> Steps[ClockState]:
        """Move to a moment, not before the present and with a time zone; what is due happens."""
        question = Question("PATCH", f"{self._path}/clock", {"now": now}, patience_s=_LONG_S)
        return (yield question).read(ClockState)

    @Call
    def advance(self, seconds: float) -> Steps[list[Effect]]:
        """Move forward. Returns all that came due, in order, when it has happened: deliveries have
        been answered."""
        return (yield self._advance({"seconds": float(seconds)})).read(_Advanced).effects

    @Call
    def until_idle(self) -> Steps[list[Effect]]:
        """Move forward until nothing is due any more. Returns as `advance` does."""
        return (yield self._advance({"until": "idle"})).read(_Advanced).effects

    def _advance(self, how: dict[str, Any]) -> Question:
        return Question("POST", f"{self._path}/clock/advance", how, patience_s=_LONG_S)


class Clock(_ClockCalls, Waiting):
    """A world's time."""

    def __init__(self, line: Line, path: str) -> None:
        self._line, self._path = line, path


class AsyncClock(_ClockCalls, Awaited):
    """A world's time."""

    def __init__(self, line: AsyncLine, path: str) -> None:
        self._line, self._path = line, path


class _FaultsCalls:
    """What both kinds of faults can do."""

    _path: str

    @Call
    def add(self, scenario: str | None = None, **terms: Unpack[Terms]) -> Steps[list[Fault]]:
        """Have a scenario or an effect go wrong from now on; the faults that make it so."""
        body = {"scenario": scenario, **terms} if scenario is not None else terms
        return (yield Question("POST", f"{self._path}/faults", body)).read(_Faults).faults

    @Call
    def standing(self) -> Steps[list[Fault]]:
        """Everything that goes wrong, the oldest first, with how often it did."""
        return (yield Question("GET", f"{self._path}/faults")).read(_Faults).faults

    @Call
    def get(self, fault: str | Fault) -> Steps[Fault]:
        """A fault as it is now, with how often it happened."""
        return (yield Question("GET", f"{self._path}/faults/{_step(_id(fault))}")).read(Fault)

    @Call
    def remove(self, fault: str | Fault) -> Steps[Fault]:
        """Have it go wrong no more; what came of it."""
        return (yield Question("DELETE", f"{self._path}/faults/{_step(_id(fault))}")).read(Fault)

    @Call
    def clear(self) -> Steps[None]:
        """Have everything go right again."""
        yield Question("DELETE", f"{self._path}/faults")


class Faults(_FaultsCalls, Waiting):
    """What goes wrong in a world."""

    def __init__(self, line: Line, path: str) -> None:
        self._line, self._path = line, path


class AsyncFaults(_FaultsCalls, Awaited):
    """What goes wrong in a world."""

    def __init__(self, line: AsyncLine, path: str) -> None:
        self._line, self._path = line, path


class _InboxCalls:
    """What both kinds of inbox can do. url: where callbacks are to be sent."""

    def __init__(self, facts: WorldFacts, name: str) -> None:
        self.name = name
        self.url = f"{facts.plain_base_url}/_mock/inbox/{_step(facts.name)}/{_step(name)}"
        self._path = f"/_mock/worlds/{_step(facts.name)}/inbox/{_step(name)}"

    @Call
    def requests(self) -> Steps[list[Received]]:
        """What came, the oldest first."""
        return list((yield Question("GET", self._path)).read(InboxContents).requests)

    @Call
    def contents(self) -> Steps[InboxContents]:
        """What came, how much of it is no longer kept, and the answers that are planned."""
        return (yield Question("GET", self._path)).read(InboxContents)

    @Call
    def program(self, *answers: int | Described) -> Steps[InboxContents]:
        """The answers to the next requests, in place of those planned before; then 200 again.

        A status, or `{"status": 500, "times": 2}`, `{"hang": True}`, `{"delay_s": 3}`,
        `{"cut": True}`, with `headers` and `body`.
        """
        planned = [{"status": each} if isinstance(each, int) else each for each in answers]
        return (yield Question("PUT", self._path, {"answers": planned})).read(InboxContents)


class Inbox(_InboxCalls, Waiting):
    """A receiver of callbacks."""

    def __init__(self, line: Line, facts: WorldFacts, name: str) -> None:
        super().__init__(facts, name)
        self._line = line


class AsyncInbox(_InboxCalls, Awaited):
    """A receiver of callbacks."""

    def __init__(self, line: AsyncLine, facts: WorldFacts, name: str) -> None:
        super().__init__(facts, name)
        self._line = line


class _Worlds(msgspec.Struct, frozen=True):
    worlds: list[WorldFacts]


class _Scenarios(msgspec.Struct, frozen=True):
    scenarios: list[Scenario]


class _Accounts(msgspec.Struct, frozen=True):
    accounts: list[Account]


class _Tasks(msgspec.Struct, frozen=True):
    tasks: list[Task]


class _Deliveries(msgspec.Struct, frozen=True):
    deliveries: list[Delivery]


class _Faults(msgspec.Struct, frozen=True):
    faults: list[Fault]


class _FoundRequest(msgspec.Struct, frozen=True):
    request: Exchange


class _FoundTask(msgspec.Struct, frozen=True):
    task: Task


class _FoundDelivery(msgspec.Struct, frozen=True):
    delivery: Delivery


class _Advanced(msgspec.Struct, frozen=True):
    effects: list[Effect]


def _id(thing: str | Task | Delivery | Fault) -> str:
    return thing if isinstance(thing, str) else thing.id


def _query(filters: Filters) -> dict[str, str | int | float | None]:
    query: dict[str, Any] = {**filters}
    return query


def _step(name: str) -> str:
    """A name as one step of a path."""
    return quote(name, safe="")
