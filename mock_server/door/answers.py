"""What the door's document says of answers: the types that the client reads them as.

It is looked at only when somebody asks for the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec

from mock_server.control import answers as wire
from mock_server.door import (
    accounts,
    clock,
    deliveries,
    explanations,
    faults,
    inbox,
    requests,
    scenarios,
    server,
    tasks,
    waits,
    worlds,
)
from mock_server.edge.resource import Handler

ANSWERS: Mapping[Handler, type | tuple[type, ...]] = {
    server.version: wire.Version,
    scenarios.list_scenarios: wire.ScenarioList,
    scenarios.get_scenario: wire.ScenarioWithCommands,
    explanations.explain: wire.Explanation,
    worlds.list_worlds: wire.WorldList,
    worlds.make_world: wire.WorldFacts,
    worlds.get_world: wire.WorldFacts,
    worlds.drop_world: wire.WorldFacts,
    worlds.reset_world: wire.WorldFacts,
    clock.get_clock: wire.ClockState,
    clock.change_clock: wire.ClockState,
    clock.advance_clock: wire.Advanced,
    accounts.list_accounts: wire.AccountList,
    accounts.make_account: wire.Account,
    accounts.get_account: wire.Account,
    accounts.change_account: wire.Account,
    tasks.list_tasks: wire.TaskList,
    tasks.get_task: wire.Task,
    tasks.finish_task: wire.Task,
    faults.list_faults: wire.FaultList,
    faults.add_fault: wire.FaultList,
    faults.clear_faults: wire.FaultList,
    faults.get_fault: wire.Fault,
    faults.remove_fault: wire.Fault,
    requests.list_requests: wire.Journal,
    requests.clear_requests: wire.Journal,
    requests.verify_requests: wire.Verdict,
    requests.get_request: wire.Exchange,
    waits.wait: (wire.FoundRequest, wire.FoundTask, wire.FoundDelivery),
    deliveries.list_deliveries: wire.DeliveryList,
    deliveries.get_delivery: wire.Delivery,
    deliveries.redeliver: wire.Delivery,
    inbox.read_inbox: wire.InboxContents,
    inbox.program_inbox: wire.InboxContents,
}


def schemas() -> tuple[dict[Handler, dict[str, Any]], dict[str, Any]]:
    """A JSON Schema for each handler's answer, and the components they refer to."""
    kinds = [(kind if isinstance(kind, tuple) else (kind,)) for kind in ANSWERS.values()]
    told, components = msgspec.json.schema_components(
        [each for kind in kinds for each in kind], ref_template="#/components/schemas/{name}"
    )
    rest = iter(told)
    choices = [list(islice(rest, len(kind))) for kind in kinds]
    one_of = [each[0] if len(each) == 1 else {"anyOf": each} for each in choices]
    return dict(zip(ANSWERS, one_of, strict=True)), components
