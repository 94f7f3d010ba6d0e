"""Explanations: why a request was answered as it was, and the answer without a fault."""

from starlette.responses import Response

from mock_server.control import answers
from mock_server.core.journal import Exchange
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.refusals import UnknownPath
from mock_server.core.world import World
from mock_server.door.journal_export import Record
from mock_server.edge.call import Call, json_response
from mock_server.edge.problems import SERVER_BROKE


async def explain(call: Call) -> Response:
    """GET /_mock/explain/{request}: why a request of any world of this process was answered as it
    was.
    Worlds of one seed have the same ids: below `/w/{world}`, or with a key of a world, the requests
    of that world come first."""
    request_id = call.path_value("request_id")
    for slot in sorted(call.server.worlds, key=lambda slot: slot.world is not call.world):
        for exchange in slot.world.journal:
            if exchange.id == request_id:
                return json_response(_explanation(slot.world, exchange))
    raise UnknownPath("no request with that id is known (any more); Mock-Request has its id")


def _explanation(world: World, exchange: Exchange) -> answers.Explanation:
    exchange = Record(world).redacted(exchange)
    return answers.answer_of(
        answers.Explanation,
        exchange,
        request=exchange.id,
        world=world.name,
        asked=f"{exchange.method} {exchange.path}",
        because=because(world, exchange),
    )


def because(world: World, exchange: Exchange) -> str:
    """Why a request was answered as it was: a clause without its full stop."""
    if exchange.faults:
        reason = f"{_causes_text(exchange)}; otherwise: {exchange.without or 'not known'}"
        return reason + _create_text(world, exchange) + _scenarios_text(exchange)
    made = _create_text(world, exchange)
    if exchange.refusal is not None:
        rule, _, sentence = exchange.refusal.partition(": ")
        return f"the rule {rule} refused it: {sentence}{made}"
    if exchange.ended_ms is None:
        return "it is under way"
    if exchange.status is None:
        return f"there was no answer: the client closed the connection{made}"
    if exchange.status >= 500:
        return f"{SERVER_BROKE}{made}"
    if exchange.status >= 400:
        return f"no rule of an API refused it: the server itself answered {exchange.status}"
    if exchange.operation is None:
        return "no rule was checked: this path belongs to no API"
    ignored = "".join(f", but the field {field}" for field in exchange.ignored)
    reason = _replay_text(exchange) or "every rule was kept"
    return reason + ignored + _unread_text(exchange) + _task_text(world, exchange)


def _unread_text(exchange: Exchange) -> str:
    """A query or a body that was ignored as a whole."""
    if exchange.operation == "media":
        return ""
    headers = {name.lower(): value for name, value in exchange.request_headers}
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    unread = ["query"] if exchange.query else []
    unread += ["body"] if has_body and not exchange.request_size_bytes else []
    verb = "was" if len(unread) == 1 else "were"
    return f", but its {' and its '.join(unread)} {verb} ignored" if unread else ""


def _create_text(world: World, exchange: Exchange) -> str:
    """What a create did although its client got another answer."""
    task = world.tasks.get(exchange.task or "")
    if task is None or exchange.operation != "create":
        return ""
    if exchange.replay_of is not None:
        return f"; {_replay_text(exchange)}"
    money = "spent" if task.planned.outcome is TaskEvent.RENDERED else "given back"
    if world.ledger.holds(task.id):
        money = "reserved"
    price = task.order.price_credits
    return f"; the task {task.id} was made anyway (credits {money}: {price})"


def _replay_text(exchange: Exchange) -> str:
    """The request that made the task, if this create repeated it."""
    if exchange.replay_of is None:
        return ""
    maker = exchange.replay_of or "an earlier request"
    return f"its Idempotency-Key found the task of {maker}: nothing was charged again"


def _task_text(world: World, exchange: Exchange) -> str:
    """The fault that decided how the task of the request goes, if there is one."""
    if text := _scenarios_text(exchange):
        return text
    task = world.tasks.get(exchange.task or "")
    if task is None or task.planned.fault is None:
        return ""
    return (
        f"; {scenario_name(task.planned.scenario)} ({task.planned.fault}) decided how its task goes"
    )


def _causes_text(exchange: Exchange) -> str:
    """The faults that changed the answer, and their channels."""
    causes = [each for each in exchange.causes if each.concerns == "answer"]
    if len(causes) == 1:
        return f"{scenario_name(causes[0].scenario)} caused it, through the {causes[0].channel}"
    names = [f"{scenario_name(each.scenario)} (through the {each.channel})" for each in causes]
    return f"{' and '.join(names)} caused it"


def _scenarios_text(exchange: Exchange) -> str:
    """The scenarios that concern the task of the request, if there are any."""
    names = [
        f"{scenario_name(each.scenario)}, asked for through the {each.channel},"
        for each in exchange.causes
        if each.concerns == "task" and each.scenario is not None
    ]
    if not names:
        return ""
    verb = "concerns" if len(names) == 1 else "concern"
    return f"; {' and '.join(names)} {verb} the task and not this answer"


def scenario_name(scenario: str | None) -> str:
    """What caused something, as a part of a sentence."""
    return f"the scenario '{scenario}'" if scenario else "a fault"
