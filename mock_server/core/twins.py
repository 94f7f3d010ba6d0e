"""Tasks with the same request as another: a client that repeats a create is charged again."""

from collections.abc import Iterator
from typing import Literal

from mock_server.core.field_types import Count
from mock_server.core.history_entries import Entry
from mock_server.core.lifecycle import TaskState
from mock_server.core.tasks import Task
from mock_server.core.world import World

MOST_COMPARED = 20_000
"""How many of the newest tasks are compared."""

Keys = Literal["none", "other", "unknown"]


class TwinEntry(Entry, frozen=True, gc=False, tag="twin"):
    """Another task of the same account with the same body, made at `at_ms`.

    task: the one of the story. twin: the other one. number: which of all with this body it is,
    counted from 1. apart_ms: between the two, by the machine's clock if it was recorded; negative:
    the other one is older. keys: whether its create had an Idempotency-Key. charged: how many of
    the two were not given back.
    """

    task: str
    twin: str
    number: Count
    apart_ms: int
    keys: Keys
    price_credits: Count
    charged: Count
    request: str | None = None


def twins_of(world: World, task: Task) -> Iterator[TwinEntry]:
    """The nearest older and the nearest newer task with the same body; none among older tasks than
    the newest MOST_COMPARED."""
    order = task.order
    same = [
        each
        for each in world.tasks.newest(MOST_COMPARED)
        if each.order.request == order.request and each.belongs_to(order.api, order.account)
    ]
    place = next((place for place, each in enumerate(same) if each.id == task.id), None)
    if place is None:
        return
    for other in (place - 1, place + 1):
        if 0 <= other < len(same):
            yield _entry(world, task, same[other], other + 1)


def _entry(world: World, task: Task, twin: Task, number: int) -> TwinEntry:
    wall_ms, own_wall_ms = _made_wall_ms(world, twin), _made_wall_ms(world, task)
    apart_ms = twin.created_ms - task.created_ms
    if wall_ms is not None and own_wall_ms is not None:
        apart_ms = wall_ms - own_wall_ms
    record = world.history.records.get(twin.id)
    request = record.facts.request_number if record is not None else 0
    return TwinEntry(
        twin.created_ms,
        wall_ms,
        task.id,
        twin.id,
        number,
        apart_ms,
        _keys(world, twin),
        twin.order.price_credits,
        sum(_is_charged(world, each) for each in (task, twin)),
        world.request_id(request) if request else None,
    )


def _made_wall_ms(world: World, task: Task) -> int | None:
    record = world.history.records.get(task.id)
    return None if record is None else record.facts.held_wall_ms


def _is_charged(world: World, task: Task) -> bool:
    return world.state_of(task) is not TaskState.FAILED


def _keys(world: World, task: Task) -> Keys:
    """Whether the create of a task had an Idempotency-Key; unknown if it could be forgotten."""
    if any(kept.task_id == task.id for kept in world.idempotency.state()):
        return "other"
    age_ms = world.clock.now_ms() - task.created_ms
    return "none" if age_ms < world.rules.idempotency_lifetime_ms else "unknown"
