"""Lists scenarios, and the commands that request one through each channel."""

import msgspec
from starlette.responses import Response

from mock_server.control import answers
from mock_server.core.refusals import UnknownPath
from mock_server.core.scenarios import UnknownScenario
from mock_server.core.wishes import wish_of
from mock_server.edge.call import Call, json_response
from mock_server.faults.scenarios import how_to_ask


async def list_scenarios(call: Call) -> Response:
    """GET /_mock/scenarios: every scenario by name."""
    scenarios = map(call.server.scenarios.find, call.server.scenarios.names)
    listed = [answers.answer_of(answers.Scenario, each, wish=wish_of(each)) for each in scenarios]
    return json_response(answers.ScenarioList(listed))


async def get_scenario(call: Call) -> Response:
    """GET /_mock/scenarios/{name}: one scenario, with a command for each channel."""
    try:
        scenario = call.server.scenarios.find(call.path_value("name"))
    except UnknownScenario as unknown:
        raise UnknownPath(str(unknown)) from None
    others = {"faults": msgspec.to_builtins(scenario.faults), "wish": wish_of(scenario)}
    how = how_to_ask(scenario, call.base_url, call.server.apis)
    return json_response(
        answers.answer_of(answers.ScenarioWithCommands, scenario, how=how, **others)
    )
