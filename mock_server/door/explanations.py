"""Explanations: why an answer was what it was, and what it would have been otherwise."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from mock_server.core.journal import Exchange
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.refusals import UnknownPath
from mock_server.core.world import World
from mock_server.door.journal_export import Record
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
    told = Record(world).redacted(exchange)
    return {
        "request": told.id,
        "world": world.name,
        "asked": f"{told.method} {told.path}",
        "status": told.status,
        "because": _because(world, told),
        "scenario": told.scenario,
        "channel": told.channel,
        "faults": told.faults,
        "refusal": told.refusal,
        "without": told.without,
        "ignored": told.ignored,
    }


def _because(world: World, exchange: Exchange) -> str:
    """The reason in a sentence."""
    if exchange.faults:
        otherwise = exchange.without or "not known"
        reason = f"{_wanted(exchange)}; otherwise: {otherwise}"
        return reason + _of_create(world, exchange) + _of_scenarios(exchange)
    if exchange.refusal is not None:
        rule, _, sentence = exchange.refusal.partition(": ")
        return f"the rule {rule} said no: {sentence}" + _of_create(world, exchange)
    if exchange.ended_ms is None:
        return "it is under way"
    if exchange.status is None:
        return "there was no answer: the caller hung up before" + _of_create(world, exchange)
    if exchange.status >= 500:
        return "the server broke; its log says how" + _of_create(world, exchange)
    if exchange.status >= 400:
        return f"no rule of an API said no: the server itself answered {exchange.status}"
    if exchange.operation is None:
        return "no rule was asked: what is at this path belongs to no API"
    ignored = "".join(f", but the field {field}" for field in exchange.ignored)
    reason = _of_replay(exchange) or "every rule was kept"
    return reason + ignored + _of_unread(exchange) + _of_task(world, exchange)


def _of_unread(exchange: Exchange) -> str:
    """What came with the request and is not looked at as a whole: a query, a body without need."""
    if exchange.operation == "media":
        return ""
    headers = {name.lower(): value for name, value in exchange.request_headers}
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    unread = ["query"] if exchange.query else []
    unread += ["body"] if has_body and not exchange.request_size_bytes else []
    verb = "was" if len(unread) == 1 else "were"
    return f", but its {' and its '.join(unread)} {verb} not looked at" if unread else ""


def _of_create(world: World, exchange: Exchange) -> str:
    """What a create that was not answered as its client hoped did all the same."""
    task = world.tasks.get(exchange.task or "")
    if task is None or exchange.operation != "create":
        return ""
    if exchange.replay_of is not None:
        return f"; {_of_replay(exchange)}"
    money = "spent" if task.fate.outcome is TaskEvent.RENDERED else "given back"
    if world.ledger.holds(task.id):
        money = "held"
    price = task.order.price_credits
    return f"; the task {task.id} was made all the same (credits {money}: {price})"


def _of_replay(exchange: Exchange) -> str:
    """Which request made the task that this create was answered with, if it was another one."""
    if exchange.replay_of is None:
        return ""
    maker = exchange.replay_of or "an earlier request"
    return f"its Idempotency-Key found the task of {maker}: nothing was charged again"


def _of_task(world: World, exchange: Exchange) -> str:
    """What settled the fate of the task that the request made or looked at, if anything did."""
    if told := _of_scenarios(exchange):
        return told
    task = world.tasks.get(exchange.task or "")
    if task is None or task.fate.fault is None:
        return ""
    return f"; {_named(task.fate.scenario)} ({task.fate.fault}) settled how its task goes"


def _wanted(exchange: Exchange) -> str:
    """What changed the answer, and how it was asked for."""
    causes = [each for each in exchange.causes if each.concerns == "answer"]
    if len(causes) == 1:
        return f"{_named(causes[0].scenario)} wanted it so, through the {causes[0].channel}"
    told = [f"{_named(each.scenario)} (through the {each.channel})" for each in causes]
    return f"{' and '.join(told)} wanted it so"


def _of_scenarios(exchange: Exchange) -> str:
    """The scenarios that concern the task which the request made, if there are any."""
    told = [
        f"{_named(each.scenario)}, asked for through the {each.channel},"
        for each in exchange.causes
        if each.concerns == "task" and each.scenario is not None
    ]
    if not told:
        return ""
    verb = "concerns" if len(told) == 1 else "concern"
    return f"; {' and '.join(told)} {verb} the task and not this answer"


def _named(scenario: str | None) -> str:
    return f"the scenario '{scenario}'" if scenario else "a fault"
