"""Scenarios: what there is, what each does, and how to ask for it in every channel."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from mock_server.core.faults import FaultRule
from mock_server.core.refusals import UnknownPath
from mock_server.edge.call import Call, json_response
from mock_server.faults.scenarios import Scenario, UnknownScenario, how_to_ask


async def list_scenarios(call: Call) -> Response:
    """GET /_mock/scenarios: every scenario by name."""
    scenarios = call.fake.scenarios
    shown = [_show(scenarios.find(name)) for name in scenarios.names]
    return json_response({"scenarios": shown})


async def get_scenario(call: Call) -> Response:
    """GET /_mock/scenarios/{name}: with ready-made requests for each channel."""
    try:
        scenario = call.fake.scenarios.find(call.path_value("name"))
    except UnknownScenario as unknown:
        raise UnknownPath(str(unknown)) from None
    return json_response(
        _show(scenario)
        | {
            "faults": [_show_rule(rule) for rule in scenario.faults],
            "how": how_to_ask(scenario, call.base_url),
        }
    )


def _show(scenario: Scenario) -> dict[str, Any]:
    return {"name": scenario.name, "shows": scenario.shows, "apis": scenario.apis}


def _show_rule(rule: FaultRule) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(rule)
    return shown
