"""A server as its control door shows it: worlds to make and find, scenarios, explanations."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Generic, Literal, TypeVar

from starlette.types import ASGIApp

from mock_server.control.answers import (
    Explanation,
    Scenario,
    ScenarioList,
    ScenarioWithCommands,
    Version,
    WorldFacts,
    WorldList,
)
from mock_server.control.wire import (
    AsyncLine,
    Awaited,
    Call,
    Line,
    Question,
    Steps,
    Waiting,
    step,
)
from mock_server.control.world import AsyncWorld, World

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
        signatures: Literal["world", "machine"] | None = None,
    ) -> Steps[W]:
        """Make a world; as a context manager it is dropped in the end.

        name: of a to z, digits and hyphens; None: the next free one. seed: None draws it from the
        server's seed and the name. credits: of every account. now: the world's first moment.
        scale: how much faster than real time it runs. signatures: whose clock dates those of
        webhooks; None: as in the server's settings.
        """
        plan = {
            "name": name,
            "seed": seed,
            "credits": credits,
            "clock": {"mode": clock, "now": now, "scale": scale, "signatures": signatures},
        }
        reply = yield Question("POST", "/_mock/worlds", plan)
        return self._enter(reply.read(WorldFacts))

    @Call
    def find(self, name: str = "default") -> Steps[W]:
        """A world that is there already."""
        reply = yield Question("GET", f"/_mock/worlds/{step(name)}")
        return self._enter(reply.read(WorldFacts))

    @Call
    def worlds(self) -> Steps[list[W]]:
        """Every world, the oldest first."""
        reply = yield Question("GET", "/_mock/worlds")
        return [self._enter(facts) for facts in reply.read(WorldList).worlds]

    @Call
    def version(self) -> Steps[Version]:
        """What runs there."""
        return (yield Question("GET", "/_mock/version")).read(Version)

    @Call
    def scenarios(self) -> Steps[list[Scenario]]:
        """Every scenario, by name."""
        return (yield Question("GET", "/_mock/scenarios")).read(ScenarioList).scenarios

    @Call
    def scenario(self, name: str) -> Steps[ScenarioWithCommands]:
        """One scenario, with ready-made requests for each channel."""
        reply = yield Question("GET", f"/_mock/scenarios/{step(name)}")
        return reply.read(ScenarioWithCommands)

    @Call
    def explain(self, request_id: str) -> Steps[Explanation]:
        """Why the answer to a request was what it was; its id is in the answer's `Mock-Request`."""
        return (yield Question("GET", f"/_mock/explain/{step(request_id)}")).read(Explanation)

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
