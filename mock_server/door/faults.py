"""Faults of a world: added as a rule or by the name of a scenario."""

from typing import Any

import msgspec
from msgspec.structs import replace
from starlette.responses import Response

from mock_server.control import answers
from mock_server.core.apis import Apis
from mock_server.core.faults import Fault, FaultRule, FaultTerms, require_possible
from mock_server.core.refusals import Invalid
from mock_server.core.scenarios import UnknownScenario
from mock_server.door.limits import counts_of_faults, require_room
from mock_server.door.worlds import found, world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list
from mock_server.edge.typed_body import TypedBody
from mock_server.faults.scenarios import ScenarioOfOtherApi, require_known_names


class ScenarioAsked(FaultTerms, frozen=True, kw_only=True):
    """A scenario, and when it happens; what is left out is as in the scenario."""

    scenario: str


RULE: TypedBody[FaultRule] = TypedBody(FaultRule)
SCENARIO: TypedBody[ScenarioAsked] = TypedBody(ScenarioAsked)


async def list_faults(call: Call) -> Response:
    """GET /_mock/worlds/{world}/faults: every fault with its rule and its counts."""
    return json_list(answers.FaultList([]), "faults", map(_answer, list(world_of(call).faults)))


async def get_fault(call: Call) -> Response:
    """GET /_mock/worlds/{world}/faults/{fault_id}: one fault with its rule and its counts."""
    return json_response(_answer(_fault(call)))


async def add_fault(call: Call) -> Response:
    """POST /_mock/worlds/{world}/faults: add a fault.
    A rule, or `{"scenario": NAME}` for all its rules. `match`, `times`, `every`, `skip` and
    `probability` beside a scenario are for all its rules."""
    world = world_of(call)
    rules, name = _asked(call, call.json())
    all_rules = [*(fault.rule for fault in world.faults), *rules]
    for kind, count in counts_of_faults(all_rules).items():
        require_room(call, kind, count)
    faults = [world.add_fault(rule, name) for rule in rules]
    return json_response(answers.FaultList(list(map(_answer, faults))), 201)


async def remove_fault(call: Call) -> Response:
    """DELETE /_mock/worlds/{world}/faults/{fault_id}: remove one fault."""
    fault = _fault(call)
    world_of(call).remove_fault(fault)
    return json_response(_answer(fault))


async def clear_faults(call: Call) -> Response:
    """DELETE /_mock/worlds/{world}/faults: remove every fault."""
    world = world_of(call)
    for fault in list(world.faults):
        world.remove_fault(fault)
    return json_response(answers.FaultList([]))


def _asked(call: Call, body: Any) -> tuple[list[FaultRule], str | None]:
    """The rules that a body asks for, and the scenario they belong to."""
    if not (isinstance(body, dict) and "scenario" in body):
        rule = RULE.read(body, call.server.apis)
        require_known_names(rule, call.server.contract.codes, call.server.apis)
        return [rule], None
    asked = SCENARIO.read(body, call.server.apis)
    api = asked.match.api
    try:
        scenario = call.server.scenarios.find_for(asked.scenario, api or "")
    except UnknownScenario as unknown:
        place = "/match/api" if isinstance(unknown, ScenarioOfOtherApi) else "/scenario"
        raise Invalid.at(place, "enum", str(unknown)) from None
    terms = {name: getattr(asked, name) for name in body if name not in {"scenario", "match"}}
    where = {name: getattr(asked.match, name) for name in body.get("match", {})}
    if api is None:
        where.pop("api", None)
    of_api = [rule for rule in scenario.faults if api is None or rule.match.api in (None, api)]
    return _with_terms(of_api, terms, where, call.server.apis), scenario.name


def _with_terms(
    rules: list[FaultRule], terms: dict[str, Any], where: dict[str, Any], apis: Apis
) -> list[FaultRule]:
    """The rules of a scenario with these terms, without those that can then never happen. Refuses
    with Invalid if none is left."""
    found, reasons = [], []
    for rule in rules:
        try:
            changed = replace(rule, match=replace(rule.match, **where), **terms)
            found.append(require_possible(changed, apis))
        except ValueError as never:
            reasons.append(str(never))
    if not found:
        raise Invalid.at("/match", "value", reasons[0])
    return found


def _fault(call: Call) -> Fault:
    fault = world_of(call).faults.get(call.path_value("fault_id"))
    return found(fault, "no fault with that id stands in this world")


def _answer(fault: Fault) -> answers.Fault:
    return answers.Fault(
        id=fault.id,
        scenario=fault.scenario,
        matched=fault.matched,
        happened=fault.happened,
        **{"match": {}} | msgspec.to_builtins(fault.rule),
    )
