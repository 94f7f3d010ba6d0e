"""Kills a server again and again on one file, at a point of each kind in turn."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, cycle, islice
from pathlib import Path

from mock_server.control import Control
from tests.crash.acknowledged import Acknowledged, untrue
from tests.crash.doomed_server import NO_DEATH, Death, DoomedServer, doomed_server
from tests.crash.load import Load
from tests.crash.receiver import Received, receiver

KINDS = (
    "at a random time",
    "before a commit",
    "after a commit, before the answer",
    "during an attempt",
    "during an upload",
    "during the start",
)
FULL_DISK = "after the disk was full"
_POINTS_A_FILE = 25
_LATEST_ANSWER = 200
_LATEST_S = 0.01
_LATEST_COMMIT = 80
_LATEST_EVENT = 12
_REQUESTS = 240
_LONGEST_START_S = 0.3
_LONGEST_STOP_S = 5
_PAGES = (12, 40)


@dataclass(frozen=True)
class Point:
    """One death. acknowledged: how many things had been acknowledged on the file until then.
    untrue: what was no longer so after the next start."""

    kind: str
    was_killed: bool
    answered: int
    acknowledged: int
    untrue: tuple[str, ...]


def killed_at_points(
    folder: Path, points: int, seed: int, *options: str, kinds: Sequence[str] = KINDS
) -> Iterator[Point]:
    """Kill a server at as many points, and check each time after the next start.
    options: more options of `serve`."""
    chance = random.Random(seed)
    cycled = islice(cycle(kinds), points)
    for number, batch in enumerate(_batches(cycled, _POINTS_A_FILE)):
        with receiver() as received:
            place = _Place(folder / f"state-{number}.db", received, chance, options)
            yield from (_killed(kind, place) for kind in batch)


def _batches(kinds: Iterator[str], size: int) -> Iterator[list[str]]:
    while batch := list(islice(kinds, size)):
        yield batch


@dataclass
class _Place:
    """A file on which servers are killed one after another, and what it must hold."""

    state: Path
    received: Received
    chance: random.Random
    options: tuple[str, ...]
    worlds: list[Acknowledged] = field(default_factory=list)


def _killed(kind: str, place: _Place) -> Point:
    """Start, load, kill; start again and check."""
    state, options, worlds, received = place.state, place.options, place.worlds, place.received
    chance, death = place.chance, _death(kind, place.chance)
    is_starting = kind == "during the start"
    answered = 0
    with doomed_server(state, *options, death=death, wait=not is_starting) as server:
        if is_starting:
            server.wait(chance.uniform(0, _LONGEST_START_S))
            server.kill()
        else:
            load = Load(server.url, received, chance, worlds)
            asyncio.run(_load_until_death(kind, load, server, chance))
            answered = load.answered
        received.on_event = None
        code = server.wait(5)
    with doomed_server(state, *options) as again:
        if not again.url:
            return Point(kind, code == -9, answered, _size(worlds), (again.log.read_text(),))
        with Control(again.url) as control:
            wrong = untrue(control, received, worlds)
            _keep_few(control, worlds)
    return Point(kind, code == -9, answered, _size(worlds), tuple(wrong))


def _death(kind: str, chance: random.Random) -> Death:
    number = chance.randint(1, _LATEST_COMMIT)
    if kind == "before a commit":
        return Death(before_commit=number)
    if kind == "after a commit, before the answer":
        return Death(after_commit=number)
    if kind == FULL_DISK:
        return Death(most_pages=chance.randint(*_PAGES))
    return NO_DEATH


async def _load_until_death(
    kind: str, load: Load, server: DoomedServer, chance: random.Random
) -> None:
    """Run the load; kill the server at the point, and after the load in any case."""
    loop = asyncio.get_running_loop()
    if kind == "at a random time":
        after_s = chance.uniform(0, _LATEST_S)
        load.on_answer = _at_the(
            chance.randint(1, _LATEST_ANSWER), lambda: loop.call_later(after_s, server.kill)
        )
    elif kind == "during an attempt":
        load.received.on_event = _at_the(chance.randint(1, _LATEST_EVENT), server.kill)
    elif kind == "during an upload":
        load.on_upload = lambda: loop.call_later(chance.uniform(0, _LATEST_S), server.kill)
    await load.run(_REQUESTS)
    if kind == FULL_DISK:
        server.wait(_LONGEST_STOP_S)
    server.kill()


def _at_the(number: int, act: Callable[[], object]) -> Callable[[], None]:
    """A function that acts when it is called for the n-th time, from any thread."""
    calls, lock = count(1), threading.Lock()

    def called() -> None:
        with lock:
            if next(calls) == number:
                act()

    return called


def _keep_few(control: Control, worlds: list[Acknowledged]) -> None:
    """Drop all worlds but the newest, so that each check takes about as long as the first."""
    for world in worlds[:-1]:
        if world.is_dropped is False:
            control.find(world.name).drop()
    del worlds[:-1]


def _size(worlds: list[Acknowledged]) -> int:
    return sum(
        len(world.receivers) + len(world.files) + len(world.keys) + len(world.faults) + 2
        for world in worlds
    )
