"""Notes the task of a create, and the faults of that task, in the journal."""

from mock_server.core.effects import DeliveryFault, when_of
from mock_server.core.faults import Faults
from mock_server.core.journal import Cause
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.edge.call import Call

DOOR, DEFAULT, OF_TASK = "control door", "server default", "its task"
"""Channels of faults that are not named by the request itself."""


def note_task(call: Call, task: Task) -> None:
    """Note in the exchange of a create its task and the faults of that task."""
    exchange, planned, world = call.exchange, task.planned, call.world
    if world.is_dry_run:
        return
    exchange.task = task.id
    own = call.task_faults
    if own is None and planned.fault is None:
        return
    if own is None or world.task_faults.get(task.id) is not own:
        own = Faults(world.chance)  # an earlier request made the task
    if planned.fault is not None:
        channel = _channel_of(world, planned.fault, own)
        exchange.add_cause(Cause(planned.scenario, channel, "task"))
    first_of_deliveries = own.of_kind(DeliveryFault)[:1]
    for fault in own:
        if when_of(fault.rule.effect) is not None or fault in first_of_deliveries:
            exchange.add_cause(Cause(fault.scenario, fault.channel, "task"))


def _channel_of(world: World, fault_id: str, own: Faults) -> str:
    """The channel of the fault that changed the planned outcome. own: the faults of the create."""
    if world.faults.get(fault_id) is not None:
        return DOOR
    if world.default_faults.get(fault_id) is not None:
        return DEFAULT
    fault = own.get(fault_id)
    return OF_TASK if fault is None else fault.channel
