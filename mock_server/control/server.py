"""Calls to a server, or to several processes of one: make and find worlds, list scenarios, explain
answers."""

from __future__ import annotations

from datetime import datetime
from itertools import cycle
from typing import Generic, Literal, NamedTuple, TypeVar

from mock_server.control import answers
from mock_server.control.transport import (
    AsyncCaller,
    AsyncTransport,
    Caller,
    ClientMethod,
    ControlError,
    Request,
    RequestFlow,
    Server,
    SyncCaller,
    Transport,
    step,
)
from mock_server.control.world import AsyncWorld, World
from mock_server.core.clock import ClockMode
from mock_server.core.shards import Shard, has_mark, name_of, shard_of_world

W = TypeVar("W", bound="World | AsyncWorld")


class _ControlCalls(Caller, Generic[W]):
    """The calls of Control and AsyncControl. url: the base URL of the first server."""

    def __init__(self, transport: Transport | AsyncTransport) -> None:
        super().__init__(transport, "")
        self.url, self._urls = transport.url, transport.urls
        self._turns = cycle(range(len(self._urls)))
        self._shards: list[Shard] | None = None

    @ClientMethod
    def world(
        self,
        name: str | None = None,
        *,
        seed: int | None = None,
        credits: int | None = None,
        in_flight: int | None = None,
        clock: ClockMode = "real",
        now: datetime | None = None,
        scale: float = 1.0,
        signatures: Literal["world", "machine"] | None = None,
    ) -> RequestFlow[W]:
        """Make a world. As a context manager it is dropped at the end of the block.

        name: of a to z, digits and hyphens; None: the next free one. One of several processes puts
        its mark before it, such as `w2-`; a name with this mark is made there. seed: None: drawn
        from the server's seed and the name. credits: of every account. in_flight: how many of its
        tasks may not have ended. now: the world's first moment. scale: how much faster than real
        time it runs. signatures: the clock that dates signatures of webhooks. None: as in the
        server's settings.
        """
        plan = {
            "name": name,
            "seed": seed,
            "credits": credits,
            "in_flight": in_flight,
            "clock": {"mode": clock, "now": now, "scale": scale, "signatures": signatures},
        }
        at = _Place(next(self._turns))
        if name is not None and has_mark(name):
            at = yield from self._place_of(name)
        reply = yield Request("POST", f"{at.path}/_mock/worlds", plan, process=at.process)
        return self._world_of(reply.read(answers.WorldFacts), at.process)

    @ClientMethod
    def find(self, name: str = "default") -> RequestFlow[W]:
        """A world that exists already."""
        at = yield from self._place_of(name)
        reply = yield Request("GET", f"/_mock/worlds/{step(name)}", process=at.process)
        return self._world_of(reply.read(answers.WorldFacts), at.process)

    @ClientMethod
    def worlds(self) -> RequestFlow[list[W]]:
        """Every world of each process, the oldest first. With the URL of one process of several,
        its own worlds; with the URL of their proxy, those of all."""
        found = []
        for at in (yield from self._places()):
            path = f"{at.path}/_mock/worlds"
            reply = yield Request("GET", path, process=at.process, allowed=_ELSEWHERE)
            if not reply.is_refusal:
                worlds = reply.read(answers.WorldList).worlds
                found += [self._world_of(facts, at.process) for facts in worlds]
        return found

    @ClientMethod
    def version(self) -> RequestFlow[answers.Version]:
        """The version of the server, and the seed of its default world."""
        return (yield Request("GET", "/_mock/version")).read(answers.Version)

    @ClientMethod
    def scenarios(self) -> RequestFlow[list[answers.Scenario]]:
        """Every scenario, by name."""
        return (yield Request("GET", "/_mock/scenarios")).read(answers.ScenarioList).scenarios

    @ClientMethod
    def scenario(self, name: str) -> RequestFlow[answers.ScenarioWithCommands]:
        """One scenario, with a command for each channel."""
        reply = yield Request("GET", f"/_mock/scenarios/{step(name)}")
        return reply.read(answers.ScenarioWithCommands)

    @ClientMethod
    def explain(self, request_id: str) -> RequestFlow[answers.Explanation]:
        """Why a request was answered as it was. Its id is in the answer's `Mock-Request`.
        Several processes are asked one after the other."""
        path = f"/_mock/explain/{step(request_id)}"
        for at in (yield from self._places()):
            asked = f"{at.path}{path}"
            reply = yield Request("GET", asked, process=at.process, allowed=_ELSEWHERE)
            if not reply.is_refusal:
                return reply.read(answers.Explanation)
        return (yield Request("GET", path)).read(answers.Explanation)

    @ClientMethod
    def metrics(self) -> RequestFlow[str]:
        """The counters of the server since its start, as text for Prometheus; of several
        processes, those of the first."""
        return (yield Request("GET", "/_mock/metrics")).content.decode()

    def _places(self) -> RequestFlow[list[_Place]]:
        """Where the processes are asked for their worlds: at one URL each, or behind a proxy."""
        shards = yield from self._known_shards()
        if len(shards) == 1 and shards[0].count > 1:
            return [_Place(0, f"/w/{name_of(number)}") for number in range(shards[0].count)]
        return [_Place(process) for process in range(len(shards))]

    def _place_of(self, world: str) -> RequestFlow[_Place]:
        """Where the process of this world is asked. Raises ControlError if it is not there."""
        if len(self._urls) == 1 and not has_mark(world):
            return _Place(0)
        shards, number = (yield from self._known_shards()), shard_of_world(world)
        if len(shards) == 1:
            return _Place(0, f"/w/{name_of(number)}" if shards[0].count > 1 else "")
        for process, shard in enumerate(shards):
            if shard.number == number:
                return _Place(process)
        raise ControlError(f"none of these processes is the shard {name_of(number)} of '{world}'")

    def _known_shards(self) -> RequestFlow[list[Shard]]:
        """The shard of each server; asked once. One process is the shard 0 of 1.
        Raises ControlError if several servers are not different shards."""
        if self._shards is None:
            shards: list[Shard] = []
            for process, url in enumerate(self._urls):
                reply = yield Request("GET", "/_mock/version", process=process)
                named = reply.read(answers.Version).shard
                if named is None and len(self._urls) > 1:
                    raise ControlError(f"{url} is no process of several: start it with --shard")
                shards.append(Shard.read(named or "0/1"))
                if shards[-1] in shards[:-1]:
                    raise ControlError(f"{url} is the shard {shards[-1].name}, as one before it is")
            self._shards = shards
        return self._shards

    def _world_of(self, facts: answers.WorldFacts, process: int) -> W:
        raise NotImplementedError


class Control(_ControlCalls["World"], SyncCaller):
    """The control door of a server, for tests without async. Several threads may use it."""

    def __init__(self, server: Server, token: str | None = None) -> None:
        """server: its URL, or an app in this process; for several processes the URL of their proxy,
        or a list of their own. token: the value of `--control-token`."""
        super().__init__(Transport(server, token))

    def close(self) -> None:
        """Close the client; the worlds stay. For an app in this process, its thread ends."""
        self._transport.close()

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _world_of(self, facts: answers.WorldFacts, process: int) -> World:
        return World(self._transport.to(process), facts)


class AsyncControl(_ControlCalls["AsyncWorld"], AsyncCaller):
    """The control door of a server, for async tests, in any event loop. It needs no closing."""

    def __init__(self, server: Server, token: str | None = None) -> None:
        """As for `Control`. An app in this process runs in the caller's event loop."""
        super().__init__(AsyncTransport(server, token))

    def _world_of(self, facts: answers.WorldFacts, process: int) -> AsyncWorld:
        return AsyncWorld(self._transport.to(process), facts)


class _Place(NamedTuple):
    """Where a process is asked: the index of a server, and the beginning of the path."""

    process: int
    path: str = ""


_ELSEWHERE = (404, 421)
"""The statuses of a request that another process may know."""
