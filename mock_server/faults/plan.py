"""Which faults concern a request: four ways to ask for them, the more direct one first.

1. set by hand through the control door; 2. the header `Mock-Scenario: NAME`, or `Prefer:
scenario=NAME` and `Prefer: code=429`; 3. `KEY+NAME` as the key, or the words `mock:NAME` in the
prompt; 4. the scenario the server was started with. What was asked for with a create also concerns
later requests about its task. At each moment the first of them that has something wrong counts.
Several names in one channel go wrong together, as the rules of one scenario do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mock_server.contract.violations import show
from mock_server.core.exchange_faults import ErrorFault, When
from mock_server.core.faults import Fault, FaultRule, Faults, Operation, Situation, moment_of
from mock_server.core.refusals import Invalid
from mock_server.edge.created_task import DEFAULT, DOOR, OF_TASK
from mock_server.faults.scenarios import UnknownScenario

if TYPE_CHECKING:
    from mock_server.edge.call import Call
    from mock_server.edge.resource import Voice

HEADER, PREFER, KEY, PROMPT = "Mock-Scenario header", "Prefer header", "key", "prompt"

_WORD = re.compile(r"\bmock:([A-Za-z0-9_.-]+)")
_PREFERENCE = re.compile(r"(?:^|[;,])\s*(scenario|code)\s*=\s*\"?([^\s;,\"]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """Faults that a request asks for itself: by what name, in which way.

    counted_as: what they are counted under; a scenario may have the name of an error.
    """

    name: str
    channel: str
    rules: tuple[FaultRule, ...]
    counted_as: str


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What can go wrong with one exchange; where from, the more direct source first."""

    situation: Situation
    sources: tuple[tuple[str, tuple[Faults, ...]], ...]

    def struck(
        self, when: When, answer: Any = None, *, of_answer: bool | None = None
    ) -> tuple[str, list[Fault]]:
        """What does go wrong at a moment, and the channel it came through; counts.

        of_answer: as for `Faults.struck`.
        """
        situation = replace(self.situation, answer=answer)
        for channel, parts in self.sources:
            struck = [
                fault
                for faults in parts
                for fault in faults.struck(situation, when, of_answer=of_answer)
            ]
            if struck:
                return channel, struck
        return "", []


Downloaded = Callable[["Call"], Situation | None]
"""Tells whose task or upload a request downloads; None if there is none."""


def plan_for(
    call: Call,
    voice: Voice,
    operation: Operation,
    body: bytes | None,
    downloaded: Downloaded | None = None,
) -> FaultPlan | None:
    """The plan for a request; None, at no cost to speak of, if nothing can go wrong.

    body: what came, if the operation has a JSON body and it could be read.
    Raises UnknownScenario for a name that nobody knows, or that is of the other API only.
    """
    world = call.world
    may_ask = _may_ask(call, operation, body)
    if not (may_ask or world.faults or world.default_faults or world.task_faults):
        return None
    known = None if downloaded is None else downloaded(call)
    api, account = (voice.api, _account(call)) if known is None else (known.api, known.account)
    asked = _asked(call, voice, api, operation, body) if may_ask else []
    of_tasks = list(_of_tasks(call, operation, body)) if world.task_faults else []
    candidates = [
        fault
        for faults in (world.faults, world.default_faults)
        if faults
        for fault in faults.of_exchanges(api, operation, account)
    ]
    if not (asked or of_tasks or candidates):
        return None
    situation = known or Situation(
        api, operation, account, *_order(call, operation, body), voice.statuses
    )
    if not (asked or of_tasks or any(_may_happen(each, situation) for each in candidates)):
        return None
    if operation == "create":
        call.task_faults = _faults_of_task(call, asked, account, api)
    sources: list[tuple[str, tuple[Faults, ...]]] = [(DOOR, (world.faults,))]
    for channel, names in groupby(asked, key=lambda each: each.channel):
        sources.append((channel, tuple(_faults_of_request(call, each, account) for each in names)))
    sources += [(OF_TASK, (faults,)) for faults in of_tasks]
    sources.append((DEFAULT, (world.default_faults,)))
    return FaultPlan(situation, tuple(sources))


def require_known(call: Call, voice: Voice) -> None:
    """For a path where nothing can go wrong. Raises UnknownScenario as `plan_for` does."""
    if _may_ask(call, "document", None):
        _asked(call, voice, voice.api, "document", None)


def _faults_of_request(call: Call, asked: Asked, account: str) -> Faults:
    """What a request asks for itself; an account's requests that ask alike count together."""
    faults = call.world.faults_asked(account, asked.channel, asked.counted_as)
    if not faults:
        for rule in asked.rules:
            faults.add(rule, asked.name)
    return faults


def _faults_of_task(call: Call, asked: Iterable[Asked], account: str, api: str) -> Faults | None:
    """What a create asks for its task, whose faults are its own; None if that is nothing.

    What happens to the task itself counts with the account's other tasks, what happens to looks at
    it for each task.
    """
    faults = Faults(call.world.chance, f"{call.exchange.id}_later")
    for each in asked:
        for fault in _faults_of_request(call, each, account):
            rule = fault.rule
            if _concerns_task(rule) and rule.match.api in (None, api):
                counted_by = fault if moment_of(rule.effect) is None else None
                faults.add(rule, each.name, each.channel, counted_by)
    return faults or None


def _concerns_task(rule: FaultRule) -> bool:
    """Whether a rule that came with a create is for its task, not for its answer."""
    return moment_of(rule.effect) is None or rule.match.operation in {"read", "media"}


def _may_happen(fault: Fault, situation: Situation) -> bool:
    """Whether a fault that could concern this account's requests may concern this one."""
    fits = fault.rule.match.fits_order(situation.model, situation.prompt)
    return fits and not fault.is_used_up(situation.account)


def _may_ask(call: Call, operation: Operation, body: bytes | None) -> bool:
    """Whether a request could name a scenario at all: looked at for every one of them."""
    headers = call.headers
    return (
        b"mock-scenario" in headers
        or b"prefer" in headers
        or b"+" in headers.get(b"authorization", b"")
        # JSON may spell any letter of a prompt as \u and four digits.
        or (operation == "create" and body is not None and (b"mock:" in body or b"\\u" in body))
    )


def _asked(
    call: Call, voice: Voice, api: str, operation: Operation, body: bytes | None
) -> list[Asked]:
    """Every scenario that a request names, each once in a channel, the more direct channel first.

    Raises UnknownScenario for one that is not known, or not for this API, in whichever channel.
    """
    named: dict[tuple[str, str], Asked] = {}
    for each in _named(call, voice, api, operation, body):
        named.setdefault((each.channel, each.counted_as), each)
    return list(named.values())


def _named(
    call: Call, voice: Voice, api: str, operation: Operation, body: bytes | None
) -> Iterator[Asked]:
    for value in _values(call, b"mock-scenario"):
        for name in value.split(","):
            yield _scenario(call, api, name.strip(), HEADER)
    for value in _values(call, b"prefer"):
        for kind, wanted in _PREFERENCE.findall(value):
            if kind.lower() == "scenario":
                yield _scenario(call, api, wanted, PREFER)
            else:
                yield _error_of_status(voice, wanted)
    if names := call.credential[1]:
        for name in names.split("+"):
            yield _scenario(call, api, name, KEY)
    words = dict.fromkeys(_WORD.findall(_order(call, operation, body)[1]))
    for name in dict.fromkeys(word.rstrip(".") for word in words):
        yield _scenario(call, api, name, PROMPT)


def _values(call: Call, name: bytes) -> Iterator[str]:
    """The values of a header, which may come several times."""
    return (value.decode("latin-1") for each, value in call.scope["headers"] if each == name)


def _scenario(call: Call, api: str, name: str, channel: str) -> Asked:
    """Raises UnknownScenario, which says in which channel the name stood."""
    try:
        return Asked(name, channel, call.fake.scenarios.find_for(name, api).faults, name)
    except UnknownScenario as unknown:
        place = channel if channel != PROMPT else f"prompt, where 'mock:{name[:40]}' stands"
        raise UnknownScenario(f"{place}: {unknown}") from None


def _error_of_status(voice: Voice, status: str) -> Asked:
    """The first error of this status in the vendor's table. Raises UnknownScenario."""
    codes: dict[str, str] = {}
    for code, known_status in voice.statuses.items():
        if known_status is not None:
            codes.setdefault(str(known_status), code)
    if status not in codes:
        known = ", ".join(sorted(codes)) or "none"
        sentence = f"no error of this API has status {show(status)}; there are {known}"
        raise UnknownScenario(f"{PREFER}: {sentence}")
    rule = FaultRule(effect=ErrorFault(code=codes[status]))
    return Asked(codes[status], PREFER, (rule,), f"code={codes[status]}")


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
