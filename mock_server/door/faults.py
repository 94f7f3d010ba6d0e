"""Faults: what is to go wrong in a world, as a rule or as a scenario by its name."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from starlette.responses import Response

from mock_server.core.faults import Fault, FaultRule, Match, Share
from mock_server.core.numbers import Count, Positive
from mock_server.core.refusals import Invalid, UnknownPath
from mock_server.door.limits import counts_of_faults, require_room
from mock_server.door.worlds import world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list
from mock_server.edge.typed_body import TypedBody
from mock_server.faults.scenarios import ScenarioOfOtherApi, UnknownScenario, require_known_code


class ScenarioAsked(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A scenario, and when it is to happen; what is not said is as the scenario has it."""

    scenario: str
    match: Match = Match()
    skip: Count = 0
    times: Positive | None = None
    every: Positive = 1
    probability: Share = 1.0


RULE: TypedBody[FaultRule] = TypedBody(FaultRule)
SCENARIO: TypedBody[ScenarioAsked] = TypedBody(ScenarioAsked)


async def list_faults(call: Call) -> Response:
    """GET /_mock/worlds/{world}/faults: what stands, and how often it happened."""
    return json_list("faults", map(_show, list(world_of(call).faults)))


async def get_fault(call: Call) -> Response:
    """GET /_mock/worlds/{world}/faults/{fault_id}: its rule, and how often it happened."""
    return json_response(_show(_fault(call)))


async def add_fault(call: Call) -> Response:
    """POST /_mock/worlds/{world}/faults: a rule, or `{"scenario": NAME}` for all of its rules.

    Beside a scenario stand `match`, `times`, `every`, `skip` and `probability` for all of them.
    """
    world = world_of(call)
    rules, name = _asked(call, call.json())
    standing = [*(fault.rule for fault in world.faults), *rules]
    for kind, count in counts_of_faults(standing).items():
        require_room(call, kind, count)
    faults = [world.faults.add(rule, name) for rule in rules]
    return json_response({"faults": [_show(fault) for fault in faults]}, 201)


async def remove_fault(call: Call) -> Response:
    """DELETE /_mock/worlds/{world}/faults/{fault_id}: it goes wrong no more."""
    fault = _fault(call)
    world_of(call).faults.remove(fault.id)
    return json_response(_show(fault))


async def clear_faults(call: Call) -> Response:
    """DELETE /_mock/worlds/{world}/faults: everything goes right again."""
    world_of(call).faults.clear()
    return json_response({"faults": []})


def _asked(call: Call, body: Any) -> tuple[list[FaultRule], str | None]:
    """The rules a body asks for, and the scenario they are of."""
    if not (isinstance(body, dict) and "scenario" in body):
        rule = RULE.read(body)
        require_known_code(rule, call.fake.contract.codes)
        return [rule], None
    asked = SCENARIO.read(body)
    api = asked.match.api
    try:
        scenario = call.fake.scenarios.find_for(asked.scenario, api or "")
    except UnknownScenario as unknown:
        place = "/match/api" if isinstance(unknown, ScenarioOfOtherApi) else "/scenario"
        raise Invalid.at(place, "enum", str(unknown)) from None
    terms = {name: getattr(asked, name) for name in body if name not in {"scenario", "match"}}
    where = {name: getattr(asked.match, name) for name in body.get("match", {})}
    if api is None:
        where.pop("api", None)
    of_api = [rule for rule in scenario.faults if api is None or rule.match.api in (None, api)]
    return _on_terms(of_api, terms, where), scenario.name


def _on_terms(
    rules: list[FaultRule], terms: dict[str, Any], where: dict[str, Any]
) -> list[FaultRule]:
    """The rules of a scenario on other terms, without those that then can never happen. Refuses
    with Invalid if none is left."""
    found, reasons = [], []
    for rule in rules:
        try:
            found.append(replace(rule, match=replace(rule.match, **where), **terms))
        except ValueError as never:
            reasons.append(str(never))
    if not found:
        raise Invalid.at("/match", "value", reasons[0])
    return found


def _fault(call: Call) -> Fault:
    fault = world_of(call).faults.get(call.path_value("fault_id"))
    if fault is None:
        raise UnknownPath("no fault with that id stands in this world")
    return fault


def _show(fault: Fault) -> dict[str, Any]:
    rule: dict[str, Any] = msgspec.to_builtins(fault.rule)
    counts = {"matched": fault.matched, "happened": fault.happened}
    return {"id": fault.id, "scenario": fault.scenario} | rule | counts
