"""Which faults concern a request: four ways to ask for them, the more direct one first.

1. set by hand through the control door; 2. the header `Mock-Scenario: NAME`, or `Prefer:
scenario=NAME` and `Prefer: code=429`; 3. `KEY+NAME` as the key, or the words `mock:NAME` in the
prompt; 4. the scenario the server was started with. What was asked for with a create also concerns
later requests about its task. At each moment the first of them that has something wrong counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mock_server.core.exchange_faults import ErrorFault, When
from mock_server.core.faults import Fault, FaultRule, Faults, Operation, Situation, moment_of
from mock_server.core.refusals import Invalid
from mock_server.core.tasks import Task
from mock_server.scenarios import UnknownScenario

if TYPE_CHECKING:
    from mock_server.edge.call import Call
    from mock_server.edge.resource import Voice

_WORD = re.compile(r"\bmock:([A-Za-z0-9_.-]+)")
_PREFERENCE = re.compile(r"(?:^|[;,])\s*(scenario|code)\s*=\s*\"?([^\s;,\"]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """Faults that a request asks for itself: by what name, in which way."""

    name: str
    channel: str
    rules: tuple[FaultRule, ...]


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What can go wrong with one exchange; where from, the more direct source first."""

    situation: Situation
    sources: tuple[tuple[str, Faults], ...]

    def struck(self, when: When, answer: Any = None) -> tuple[str, list[Fault]]:
        """What does go wrong at a moment, and the channel it came through; counts."""
        situation = replace(self.situation, answer=answer)
        for channel, faults in self.sources:
            if struck := faults.struck(situation, when):
                return channel, struck
        return "", []


def draw(call: Call, voice: Voice, operation: Operation, body: bytes | None) -> FaultPlan | None:
    """The plan for a request; None, at no cost to speak of, if nothing can go wrong.

    body: what came, if the operation has a JSON body and it could be read. Raises UnknownScenario.
    """
    world = call.world
    asked = _asked(call, voice, operation, body) if _may_ask(call, body) else None
    of_task = list(_of_tasks(call, operation, body)) if world.task_faults else []
    if not (asked or of_task or _stands(call, voice, operation, body)):
        return None
    situation = _situation(call, voice, operation, body)
    sources = [("control door", world.faults)]
    if asked is not None:
        sources.append((asked.channel, _now(call, asked, situation)))
        _later(call, asked, operation)
    sources += [("its task", faults) for faults in of_task]
    sources.append(("server default", world.default_faults))
    return FaultPlan(situation, tuple(sources))


def require_known(call: Call, voice: Voice) -> None:
    """For a path where nothing can go wrong. Raises UnknownScenario for a name nobody knows."""
    if _may_ask(call, None):
        _asked(call, voice, "document", None)


def note_task(call: Call, task: Task) -> None:
    """Keep with a create which task it led to, and what settled that task's fate."""
    exchange, fate, world = call.exchange, task.fate, call.world
    exchange.task = task.id
    if fate.fault is None or exchange.scenario is not None:
        return
    exchange.scenario, exchange.channel = fate.scenario, "its task"
    if world.faults.get(fate.fault) is not None:
        exchange.channel = "control door"
    elif world.default_faults.get(fate.fault) is not None:
        exchange.channel = "server default"


def _now(call: Call, asked: Asked, situation: Situation) -> Faults:
    """What a request asks for itself; an account's requests that ask alike count together."""
    faults = call.world.faults_asked(situation.account, asked.channel, asked.name)
    if not faults:
        for rule in asked.rules:
            faults.add(rule, asked.name)
    return faults


def _later(call: Call, asked: Asked, operation: Operation) -> None:
    """What a create asks for its task, whose faults are its own."""
    later = Faults(call.world.chance, f"{call.exchange.id}_later")
    for rule in asked.rules:
        if operation == "create" and _concerns_task(rule):
            later.add(rule, asked.name)
    if later:
        call.task_faults = later
        call.exchange.scenario, call.exchange.channel = asked.name, asked.channel


def _stands(call: Call, voice: Voice, operation: Operation, body: bytes | None) -> bool:
    """Whether a fault that stands in the world concerns this request, as far as can be told now.

    Asked for every request, so nothing is looked up before a fault wants to know it.
    """
    faults, default_faults = call.world.faults, call.world.default_faults
    if not (faults or default_faults):
        return False
    account = _account(call)
    candidates = faults.of_exchanges(voice.api, operation, account)
    if default_faults:
        candidates += default_faults.of_exchanges(voice.api, operation, account)
    if not candidates:
        return False
    model, prompt = _order(call, operation, body)
    for fault in candidates:
        if fault.rule.match.fits_order(model, prompt) and not fault.is_used_up:
            return True
    return False


def _may_ask(call: Call, body: bytes | None) -> bool:
    """Whether a request could name a scenario at all: looked at for every one of them."""
    headers = call.headers
    return (
        b"mock-scenario" in headers
        or b"prefer" in headers
        or b"+" in headers.get(b"authorization", b"")
        or (body is not None and b"mock:" in body)
    )


def _concerns_task(rule: FaultRule) -> bool:
    """Whether a rule that came with a create is for its task, not for its answer."""
    return moment_of(rule.effect) is None or rule.match.operation in {"read", "media"}


def _asked(call: Call, voice: Voice, operation: Operation, body: bytes | None) -> Asked | None:
    """The scenario a request names, whichever way comes first. Raises UnknownScenario."""
    if (name := call.header(b"mock-scenario")) is not None:
        return _scenario(call, name.strip(), "Mock-Scenario header")
    for preferred in _PREFERENCE.finditer(call.header(b"prefer") or ""):
        kind, value = preferred[1].lower(), preferred[2]
        if kind == "scenario":
            return _scenario(call, value, "Prefer header")
        return _error_of_status(voice, value)
    if name := call.credential[1]:
        return _scenario(call, name, "key")
    if operation == "create" and body is not None and b"mock:" in body:
        prompt = _fields(call, body).get("prompt")
        if isinstance(prompt, str) and (found := _WORD.search(prompt)):
            return _scenario(call, found[1].rstrip("."), "prompt")
    return None


def _scenario(call: Call, name: str, channel: str) -> Asked:
    return Asked(name, channel, call.fake.scenarios.find(name).faults)


def _error_of_status(voice: Voice, status: str) -> Asked:
    """The first error of this status in the vendor's table. Raises UnknownScenario."""
    codes: dict[str, str] = {}
    for code, known_status in voice.statuses.items():
        if known_status is not None:
            codes.setdefault(str(known_status), code)
    if status not in codes:
        known = ", ".join(sorted(codes)) or "none"
        raise UnknownScenario(f"no error of this API has status '{status}'; there are {known}")
    rule = FaultRule(effect=ErrorFault(code=codes[status]))
    return Asked(codes[status], "Prefer header", (rule,))


def _of_tasks(call: Call, operation: Operation, body: bytes | None) -> Iterator[Faults]:
    """What was asked for, with their creates, of the tasks this request looks at."""
    if operation not in {"read", "media"}:
        return
    values = dict(call.scope["path_params"])
    if body is not None:
        values |= _fields(call, body)
    ids = values.get("ids")
    video_of = str(values.get("name", "")).removesuffix(".mp4")
    named = [values.get("task_id"), values.get("id"), video_of]
    for task_id in [*named, *(ids if isinstance(ids, list) else ())]:
        faults = call.world.task_faults.get(task_id) if isinstance(task_id, str) else None
        if faults is not None:
            yield faults


def _situation(call: Call, voice: Voice, operation: Operation, body: bytes | None) -> Situation:
    model, prompt = _order(call, operation, body)
    return Situation(voice.api, operation, _account(call), model, prompt, voice.statuses)


def _account(call: Call) -> str:
    """Whose key came; empty if it is nobody's."""
    key = call.world.keys.get(call.credential[0])
    return "" if key is None else key.account


def _order(call: Call, operation: Operation, body: bytes | None) -> tuple[str, str]:
    """Model and prompt of a create, as far as they can be read; otherwise empty."""
    if body is None or operation != "create":
        return "", ""
    fields = _fields(call, body)
    model, prompt = fields.get("model"), fields.get("prompt")
    return model if isinstance(model, str) else "", prompt if isinstance(prompt, str) else ""


def _fields(call: Call, body: bytes) -> dict[str, Any]:
    """What a body says, as far as it can be read; whether it is right is for others to say."""
    try:
        fields = call.value_of(body)
    except Invalid:
        return {}
    return fields if isinstance(fields, dict) else {}
