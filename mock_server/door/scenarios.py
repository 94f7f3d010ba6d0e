"""Scenarios: listed, shown with a command for each channel, and made of what happened to a task."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec
from starlette.responses import Response

from mock_server import __version__
from mock_server.control import answers
from mock_server.core.faults import FaultRule, Faults
from mock_server.core.journal import Exchange
from mock_server.core.refusals import Conflict, UnknownPath
from mock_server.core.reproduction import reproduction_of
from mock_server.core.scenarios import Scenario, UnknownScenario
from mock_server.core.tasks import Task
from mock_server.core.wishes import wish_of
from mock_server.core.world import World
from mock_server.door.journal_export import Record
from mock_server.door.tasks import task_of
from mock_server.door.worlds import world_of
from mock_server.edge.call import Call, json_response
from mock_server.faults.scenario_text import scenario_text
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


async def get_scenario_of_task(call: Call) -> Response:
    """GET /_mock/worlds/{world}/tasks/{task_id}/scenario: what went wrong, as a scenario file.
    `toml` is the file for a folder of `--scenario-dir`. A client that sends the same requests to a
    new world meets the same faults; what went wrong without a fault is one there. `left_out` says
    what the file does not repeat. 409 if nothing went wrong that a fault can repeat."""
    world, task = world_of(call), task_of(call)
    record = Record(world)

    def answered(request: str) -> Exchange | None:
        exchange = world.journal.get(request)
        return None if exchange is None else record.redacted(exchange)

    rules_of = partial(_rules_of, world, task, call.server.scenarios.find)
    made = reproduction_of(world, task, rules_of, answered)
    rules, left_out = [], list(made.left_out)
    for rule in made.rules:
        try:
            scenario_text("", (), [rule])
        except ValueError as error:
            left_out.append(f"A fault of type {type(rule.effect).__name__} has a null: {error}.")
        else:
            rules.append(rule)
    if not rules:
        reasons = " ".join(left_out) or "Each answer followed from the state of the world."
        raise Conflict(f"nothing went wrong in this task that a fault can repeat. {reasons}")
    text = scenario_text(
        _shows(task, rules),
        [task.order.api],
        rules,
        [f"Made by hailuo-mock {__version__} from the story of {task.id}.", *left_out],
    )
    return json_response(answers.TaskScenario(task.id, text, tuple(left_out)))


def _rules_of(
    world: World,
    task: Task,
    find: Callable[[str], Scenario],
    fault_id: str,
    scenario: str | None,
) -> Sequence[FaultRule]:
    """The rule of a fault that is still in the world, else all rules of its scenarios' files."""
    for faults in _groups(world, task):
        if (fault := faults.get(fault_id)) is not None:
            return [fault.rule]
    rules: list[FaultRule] = []
    for name in (scenario or "").split(", "):
        try:
            rules += find(name).faults
        except UnknownScenario:
            continue  # an error code that `Prefer: code=` asked for, or a file that was removed
    return rules


def _groups(world: World, task: Task) -> Iterator[Faults]:
    yield from (world.faults, world.default_faults, *world.asked_faults.values())
    if (of_task := world.task_faults.get(task.id)) is not None:
        yield of_task


def _shows(task: Task, rules: Sequence[FaultRule]) -> str:
    effects = dict.fromkeys(
        f"{rule.match.operation}: {rule.effect.__struct_config__.tag}" for rule in rules
    )
    return f"What went wrong in the task {task.id} ({', '.join(effects)})."
