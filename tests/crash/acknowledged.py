"""What a server has acknowledged of a world, and whether it is still true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx2

from mock_server.control import Control, World
from mock_server.control.answers import Account, Task
from tests.crash.receiver import Received

CREATE = {"model": "hailuo-pro", "prompt": "A calm sea"}


@dataclass
class Acknowledged:
    """The world `name`, and what answered requests say of it.

    receivers: the path that the event of a task goes to, by the task's id. keyed: the id of a task,
    by its Idempotency-Key. files: sizes in bytes, by id. is_dropped: None while it is not known
    whether the world was dropped.
    """

    name: str
    rivya_key: str
    acedata_token: str
    receivers: dict[str, str] = field(default_factory=dict)
    keyed: dict[str, str] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    endpoints: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    is_dropped: bool | None = False


def untrue(control: Control, received: Received, worlds: list[Acknowledged]) -> list[str]:
    """Sentences about everything acknowledged that is no longer true. Moves the clock of every
    world until nothing more is due."""
    kept = {world.name: world for world in control.worlds()}
    wrong = []
    for each in worlds:
        world = kept.get(each.name)
        if each.is_dropped and world is not None:
            wrong.append(f"{each.name}: was dropped, and is there again")
        elif each.is_dropped is False and world is None:
            wrong.append(f"{each.name}: the world is gone")
        elif world is not None:
            wrong += [f"{each.name}: {said}" for said in _untrue_of(world, each, received)]
    return wrong


def _untrue_of(world: World, said: Acknowledged, received: Received) -> Iterator[str]:
    world.clock.freeze()
    yield from _untrue_money(world)
    tasks = {task.id: task for task in world.tasks()}
    yield from (f"task {task} is gone" for task in said.receivers.keys() - tasks.keys())
    yield from _untrue_things(world, said)
    world.clock.until_idle()
    yield from _untrue_money(world)
    yield from _untrue_events(world, said, received)


def _untrue_money(world: World) -> Iterator[str]:
    tasks = world.tasks()
    for account in world.accounts():
        credits, own = account.ledger, [each for each in tasks if each.account == account.name]
        if credits.granted != credits.available + credits.reserved + credits.spent:
            yield f"{account.name}: {credits} does not add up"
        if credits.reserved != _price(own, "queued", "processing"):
            yield f"{account.name}: {credits.reserved} credits are held; its tasks differ"
        if credits.spent != _price(own, "succeeded"):
            yield f"{account.name}: {credits.spent} credits are spent; its tasks differ"


def _price(tasks: list[Task], *states: str) -> int:
    return sum(task.price_credits for task in tasks if task.state in states)


def _untrue_things(world: World, said: Acknowledged) -> Iterator[str]:
    accounts: list[Account] = world.accounts()
    missing = said.keys - {key.key for account in accounts for key in account.keys}
    yield from (f"key {key} is gone" for key in missing)
    missing = said.faults - {fault.id for fault in world.faults.standing()}
    yield from (f"fault {fault} is gone" for fault in missing)
    headers = {"authorization": f"Bearer {said.rivya_key}"}
    with httpx2.Client(base_url=f"{world.rivya_url}/api/v1", headers=headers) as rivya:
        for file, size_bytes in said.files.items():
            shown = rivya.get(f"/files/{file}")
            if shown.status_code != 200 or shown.json()["size_bytes"] != size_bytes:
                yield f"file {file} is gone"
            elif len(rivya.get(shown.json()["url"]).content) != size_bytes:
                yield f"file {file} has lost its content"
        for endpoint in said.endpoints:
            if rivya.get(f"/webhooks/{endpoint}").status_code != 200:
                yield f"endpoint {endpoint} is gone"
        for key, task in said.keyed.items():
            again = rivya.post("/generations", json=CREATE, headers={"idempotency-key": key})
            if again.json().get("id") != task:
                yield f"Idempotency-Key {key} has forgotten {task}: {again.text}"


def _untrue_events(world: World, said: Acknowledged, received: Received) -> Iterator[str]:
    attempts: dict[tuple[str, str], list[bool]] = {}
    state = {}
    for delivery in world.deliveries():
        answered = [attempt.answer is not None for attempt in delivery.attempts]
        state[delivery.event.subject] = delivery.state, [each.error for each in delivery.attempts]
        for event in (delivery.event.id, delivery.event.subject):
            attempts[urlsplit(delivery.url).path, event] = answered
    for task, path in said.receivers.items():
        if path and task not in received.subjects[path]:
            yield f"the event of {task} never came to {path}: {state.get(task)}"
    for (path, event), times in received.times.items():
        if path.startswith(f"/{world.name}/"):
            answered = attempts.get((path, event), [])
            if times > len(answered):
                yield f"event {event} came {times} times; {len(answered)} attempts are recorded"
            elif times > 1 and times - 1 > answered.count(False):
                yield f"event {event} came {times} times, after an answer, too"
