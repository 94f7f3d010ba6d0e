"""Explanations: why an answer was what it was, and what it would have been otherwise."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from mock_server.core.journal import Exchange
from mock_server.core.refusals import UnknownPath
from mock_server.core.world import World
from mock_server.edge.call import Call, json_response


async def explain(call: Call) -> Response:
    """GET /_mock/explain/{request}: the request by its id, from whichever world it was in.

    Worlds of one seed have the same ids: below `/w/{world}`, or with a world's key, that one's
    requests come first.
    """
    request_id = call.path_value("request_id")
    for home in sorted(call.fake.worlds, key=lambda home: home.world is not call.world):
        for exchange in home.world.journal:
            if exchange.id == request_id:
                return json_response(_explained(home.world, exchange))
    raise UnknownPath("no request with that id is known (any more); Mock-Request has its id")


def _explained(world: World, exchange: Exchange) -> dict[str, Any]:
    return {
        "request": exchange.id,
        "world": world.name,
        "asked": f"{exchange.method} {exchange.path}",
        "status": exchange.status,
        "because": _because(world, exchange),
        "scenario": exchange.scenario,
        "channel": exchange.channel,
        "faults": exchange.faults,
        "refusal": exchange.refusal,
        "without": exchange.without,
    }


def _because(world: World, exchange: Exchange) -> str:
    """The reason in a sentence."""
    if exchange.faults:
        by = _named(exchange.scenario)
        otherwise = exchange.without or "not known"
        return f"{by} wanted it so, through the {exchange.channel}; otherwise: {otherwise}"
    if exchange.refusal is not None:
        rule, _, sentence = exchange.refusal.partition(": ")
        return f"the rule {rule} said no: {sentence}"
    if exchange.ended_ms is None:
        return "it is under way"
    if exchange.status is None:
        return "there was no answer: the caller hung up before"
    return "every rule was kept" + _of_replay(world, exchange) + _of_task(world, exchange)


def _of_replay(world: World, exchange: Exchange) -> str:
    """Which request made the task that this create was answered with, if it was another one."""
    if exchange.operation != "create" or exchange.task is None:
        return ""
    creates = (each for each in world.journal if each.operation == "create")
    maker = next(each for each in creates if each.task == exchange.task)
    if maker is exchange:
        return ""
    return f"; its Idempotency-Key found the task of {maker.id}: nothing was charged again"


def _of_task(world: World, exchange: Exchange) -> str:
    """What settled the fate of the task that the request made or looked at, if anything did."""
    if exchange.scenario is not None:
        return (
            f"; the scenario '{exchange.scenario}', asked for through the {exchange.channel}, "
            "concerns the task and not this answer"
        )
    task = world.tasks.get(exchange.task or "")
    if task is None or task.fate.fault is None:
        return ""
    return f"; {_named(task.fate.scenario)} ({task.fate.fault}) settled how its task goes"


def _named(scenario: str | None) -> str:
    return f"the scenario '{scenario}'" if scenario else "a fault"
