"""One scenario, asked for through one channel on one API, in a mock without a socket."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import asdict

from mock_server.contract.data_paths import FIXTURES
from mock_server.core.journal import Exchange
from mock_server.core.world import World
from tests import calls
from tests.asgi import Answer
from tests.mock import Mock

FILES = {file.stem: file for file in sorted((FIXTURES / "scenarios").glob("*.toml"))}


def content(name: str) -> dict[str, Any]:
    return tomllib.loads(FILES[name].read_text("utf-8"))


@dataclass
class Scene:
    """A mock in which one scenario is asked for through one channel.

    twin: another mock from the same seed without a fault.
    """

    name: str
    channel: str
    api: str
    mock: Mock
    twin: Mock

    def __post_init__(self) -> None:
        self.arm()

    @property
    def world(self) -> World:
        return self.mock.world

    @property
    def is_once(self) -> bool:
        """Whether the scenario happens once: through the door it is added for one time."""
        return self.channel == calls.DOOR

    def arm(self) -> None:
        """Add the scenario once more, if it comes through the door."""
        if self.channel == calls.DOOR:
            calls.add_faults(self.mock, scenario=self.name, times=1)

    def create(self, **fields: Any) -> calls.Request:
        return calls.create(self.api, self.name, self.channel, **fields)

    def read(self, task_id: str, *, asking: bool = False) -> calls.Request:
        return calls.read(self.api, task_id, self.name, self.channel if asking else "")

    def ask(self, asked: calls.Request) -> Answer:
        return calls.send(self.mock, asked)

    def begin(self, asked: calls.Request) -> calls.OpenRequest:
        return calls.OpenRequest(self.mock, asked)

    def make(self, **fields: Any) -> str:
        """The id of a task that was asked for through the channel, and is as it should be."""
        answer = self.ask(self.create(**fields))
        assert answer.status in {200, 201, 202}, answer.body
        return calls.task_id_of(answer.json())

    def look(self, task_id: str) -> Any:
        answer = self.ask(self.read(task_id))
        assert answer.status == 200, answer.body
        return answer.json()

    def state_of(self, task_id: str) -> str:
        """The state that the task shows, in the words of Rivya."""
        shown = self.look(task_id)
        if self.api == "rivya":
            state: str = shown["status"]
            return state
        response = shown["response"]
        if not response:
            return "processing" if "started_at" in shown else "queued"
        return "succeeded" if response["success"] else "failed"

    def twin_of(self, asked: calls.Request) -> Any:
        """What is answered where nothing goes wrong."""
        body = asked.body.replace(f" mock:{self.name}".encode(), b"")
        headers = asked.headers | {"authorization": asked.headers["authorization"].split("+")[0]}
        headers = {name: headers[name] for name in headers.keys() - {"prefer", "mock-scenario"}}
        return calls.send(self.twin, calls.Request(asked.method, asked.path, headers, body)).json()

    def advance(self, seconds: float) -> None:
        calls.advance(self.mock, seconds)
        self.twin.advance(seconds)

    @property
    def exchange(self) -> Exchange:
        return list(self.world.journal)[-1]

    def money(self) -> dict[str, int]:
        return asdict(self.world.ledger.balance(calls.ACCOUNTS[self.api]))

    def traces(self) -> tuple[object, ...]:
        """Everything that a request without effect leaves as it was."""
        return self.money(), len(self.world.tasks), len(self.world.deliveries)

    def require_named(self, answer: Answer, channel: str = "") -> None:
        """The answer has the scenario's name, and the journal has its channel."""
        assert answer.headers.get("mock-scenario") == self.name
        assert self.exchange.scenario == self.name
        assert self.exchange.channel == (channel or self.channel)
        assert self.exchange.faults

    def must_be_spent(self, kind: str, count: int = 1) -> None:
        price = calls.PRICES[self.api] * count
        balance = self.money()
        assert balance[f"{kind}_credits"] == price
        assert balance["granted_credits"] == balance["available_credits"] + price


Expectation = Callable[[Scene], None]


def video_path(task_id: str) -> str:
    return f"/media/default/{task_id}.mp4"


def cells(names: Iterable[str]) -> Iterator[Any]:
    """Scenario, channel and API, for every API that the scenario names."""
    for name in names:
        for channel in calls.CHANNELS:
            for api in content(name).get("apis", calls.APIS) if name in FILES else ():
                place = f"{name}-{channel.replace(' ', '_')}-{api}"
                yield pytest.param(name, channel, api, id=place)


@contextmanager
def scene_of(name: str, channel: str, api: str) -> Iterator[Scene]:
    """A mock in which the scenario is asked for. At the end no credit may be missing."""
    with ExitStack() as ending:
        mock = Mock(scenario=name) if channel == calls.DEFAULT else Mock()
        ending.callback(mock.close)
        twin = Mock()
        ending.callback(twin.close)
        scene = Scene(name, channel, api, mock, twin)
        yield scene
        assert calls.is_balanced(mock.world)
