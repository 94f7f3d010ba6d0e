"""Which task a create led to, and what goes wrong with it: kept with the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_server.core.delivery_faults import DeliveryFault
from mock_server.core.faults import Faults, moment_of
from mock_server.core.journal import Cause
from mock_server.core.tasks import Task

if TYPE_CHECKING:
    from mock_server.core.world import World
    from mock_server.edge.call import Call

DOOR, DEFAULT, OF_TASK = "control door", "server default", "its task"
"""Ways in which a fault can be asked for that no request names."""


def note_task(call: Call, task: Task) -> None:
    """Keep with a create which task it led to, and what goes wrong with that task."""
    exchange, fate, world = call.exchange, task.fate, call.world
    if world.is_rehearsal:
        return
    exchange.task = task.id
    own = call.task_faults
    if own is None and fate.fault is None:
        return
    if own is None or world.task_faults.get(task.id) is not own:
        own = Faults(world.chance)  # an earlier request has made the task
    if fate.fault is not None:
        channel = _channel_of(world, fate.fault, own)
        exchange.add_cause(Cause(fate.scenario, channel, "task"))
    first_of_deliveries = own.of_kind(DeliveryFault)[:1]
    for fault in own:
        if moment_of(fault.rule.effect) is not None or fault in first_of_deliveries:
            exchange.add_cause(Cause(fault.scenario, fault.channel, "task"))


def _channel_of(world: World, fault_id: str, own: Faults) -> str:
    """How the fault was asked for that settled the fate of a task; own: what came with it."""
    if world.faults.get(fault_id) is not None:
        return DOOR
    if world.default_faults.get(fault_id) is not None:
        return DEFAULT
    fault = own.get(fault_id)
    return OF_TASK if fault is None else fault.channel
