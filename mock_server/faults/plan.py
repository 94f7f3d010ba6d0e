"""Chooses the faults of a request, by precedence of four kinds of channels.

1. faults set through the control door; 2. the header `Mock-Scenario: NAME`, or `Prefer:
scenario=NAME` and `Prefer: code=429`; 3. `KEY+NAME` as the key, or `mock:NAME` in the prompt;
4. the scenario of the server's settings. The scenarios of a create also apply to later requests
about its task. At each moment the first channel with a matching fault is used, and all faults of
that channel apply."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mock_server.contract.violations import show
from mock_server.core.apis import Operation
from mock_server.core.effects import ErrorFault, When, when_of
from mock_server.core.faults import Fault, FaultRule, Faults, FaultTarget
from mock_server.core.refusals import Invalid
from mock_server.core.scenarios import UnknownScenario
from mock_server.edge.call import Call
from mock_server.edge.created_task import DEFAULT, DOOR, OF_TASK
from mock_server.edge.resource import ErrorResponses

HEADER, PREFER, KEY, PROMPT = "Mock-Scenario header", "Prefer header", "key", "prompt"

_WORD = re.compile(r"\bmock:([A-Za-z0-9_.-]+)")
_PREFERENCE = re.compile(r"(?:^|[;,])\s*(scenario|code)\s*=\s*\"?([^\s;,\"]*)", re.IGNORECASE)


class Asked(Struct, frozen=True):
    """Faults that a request names.
    counted_as: the name for counting; a scenario may have the name of an error."""

    name: str
    channel: str
    rules: tuple[FaultRule, ...]
    counted_as: str


class FaultPlan(Struct, frozen=True):
    """The faults that can match one exchange. sources: channel and faults, by precedence."""

    target: FaultTarget
    sources: tuple[tuple[str, tuple[Faults, ...]], ...]

    def matches(
        self, when: When, answer: Any = None, *, of_answer: bool | None = None
    ) -> tuple[str, list[Fault]]:
        """The faults that match at a moment, and their channel. Counts them as used.
        of_answer: as for `Faults.matches`."""
        target = replace(self.target, answer=answer)
        for channel, parts in self.sources:
            matches = [
                fault
                for faults in parts
                for fault in faults.matches(target, when, of_answer=of_answer)
            ]
            if matches:
                return channel, matches
        return "", []


Downloaded = Callable[[Call], FaultTarget | None]
"""The target of the task or upload that a request downloads; None without one."""


def plan_for(
    call: Call,
    errors: ErrorResponses,
    operation: Operation,
    body: bytes | None,
    downloaded: Downloaded | None,
) -> FaultPlan | None:
    """The plan for a request; None if no fault can match, which is decided quickly.
    body: the JSON body, if the operation has one and it could be read.
    Raises UnknownScenario for an unknown name, and for a scenario of another API only."""
    world = call.world
    may_ask = _may_ask(call, operation, body)
    is_free = world.faults.is_empty and world.default_faults.is_empty and not world.task_faults
    if is_free and not may_ask:
        return None
    known = None if downloaded is None else downloaded(call)
    api, account = (errors.api, _account(call)) if known is None else (known.api, known.account)
    asked = _asked(call, errors, api, operation, body) if may_ask else []
    of_tasks = list(_faults_of_read_tasks(call, operation, body)) if world.task_faults else []
    candidates = world.faults.of_requests(api, operation, account)
    if not world.default_faults.is_empty:
        candidates += world.default_faults.of_requests(api, operation, account)
    if not (asked or of_tasks or candidates):
        return None
    model, prompt = (
        (known.model, known.prompt) if known else _model_and_prompt(call, operation, body)
    )
    if not (asked or of_tasks or _can_happen(candidates, account, model, prompt)):
        return None
    known = known or FaultTarget(api, operation, account, model, prompt, errors.statuses)
    target = replace(known, headers=call.scope["headers"])
    if operation == "create":
        call.task_faults = _faults_of_task(call, asked, account, api)
    sources: list[tuple[str, tuple[Faults, ...]]] = [(DOOR, (world.faults,))]
    for channel, names in groupby(asked, key=lambda each: each.channel):
        sources.append((channel, tuple(_faults_of_request(call, each, account) for each in names)))
    sources += [(OF_TASK, (faults,)) for faults in of_tasks]
    sources.append((DEFAULT, (world.default_faults,)))
    return FaultPlan(target, tuple(sources))


def require_known_scenarios(call: Call, errors: ErrorResponses) -> None:
    """Raises UnknownScenario as `plan_for` does, for a path without faults."""
    if _may_ask(call, "document", None):
        _asked(call, errors, errors.api, "document", None)


def _faults_of_request(call: Call, asked: Asked, account: str) -> Faults:
    """The faults that a request names, shared by the account's requests with the same name."""
    faults = call.world.faults_of_channel(account, asked.channel, asked.counted_as)
    if not faults:
        for rule in asked.rules:
            faults.add(rule, asked.name)
    return faults


def _faults_of_task(call: Call, asked: Iterable[Asked], account: str, api: str) -> Faults | None:
    """The faults that a create names for its task; None if there are none.
    Faults of the outcome and of deliveries are counted per account, faults of reads per task."""
    faults = Faults(call.world.chance, f"{call.exchange.id}_later")
    for each in asked:
        named = _faults_of_request(call, each, account)
        for fault in named:
            rule = fault.rule
            if _concerns_task(rule) and rule.match.api in (None, api):
                counted_by = (named, fault) if when_of(rule.effect) is None else None
                faults.add(rule, each.name, each.channel, counted_by)
    return faults or None


def _concerns_task(rule: FaultRule) -> bool:
    """Whether a rule of a create applies to its task, not to its answer."""
    return when_of(rule.effect) is None or rule.match.operation in {"read", "media"}


def _can_happen(faults: Iterable[Fault], account: str, model: str, prompt: str) -> bool:
    """Whether one of them can match a request of this account with this model and prompt."""
    for fault in faults:
        if fault.rule.match.matches_order(model, prompt) and not fault.is_used_up(account):
            return True
    return False


def _may_ask(call: Call, operation: Operation, body: bytes | None) -> bool:
    """Whether a request may name a scenario: a quick check, made for every request."""
    return (
        call.known.may_name_scenarios
        # In JSON any letter of the prompt may be written as \u and four digits.
        # Not `in`: for bytes it makes and drops an exception first.
        or (
            operation == "create"
            and body is not None
            and (body.find(b"mock:") >= 0 or body.find(b"\\u") >= 0)
        )
    )


def _asked(
    call: Call, errors: ErrorResponses, api: str, operation: Operation, body: bytes | None
) -> list[Asked]:
    """Every scenario that a request names, once per channel, by precedence of the channels.
    Raises UnknownScenario for one that is unknown or not for this API."""
    named: dict[tuple[str, str], Asked] = {}
    for each in _named(call, errors, api, operation, body):
        named.setdefault((each.channel, each.counted_as), each)
    return list(named.values())


def _named(
    call: Call, errors: ErrorResponses, api: str, operation: Operation, body: bytes | None
) -> Iterator[Asked]:
    for value in _values(call, b"mock-scenario"):
        for name in value.split(","):
            yield _scenario(call, api, name.strip(), HEADER)
    for value in _values(call, b"prefer"):
        for kind, wanted in _PREFERENCE.findall(value):
            if kind.lower() == "scenario":
                yield _scenario(call, api, wanted, PREFER)
            else:
                yield _error_of_status(errors, wanted)
    if names := call.credential[1]:
        for name in names.split("+"):
            yield _scenario(call, api, name, KEY)
    words = dict.fromkeys(_WORD.findall(_model_and_prompt(call, operation, body)[1]))
    for name in dict.fromkeys(word.rstrip(".") for word in words):
        yield _scenario(call, api, name, PROMPT)


def _values(call: Call, name: bytes) -> Iterator[str]:
    """All values of a header."""
    return (value.decode("latin-1") for each, value in call.scope["headers"] if each == name)


def _scenario(call: Call, api: str, name: str, channel: str) -> Asked:
    """The faults of a named scenario. Raises UnknownScenario, which names the channel."""
    try:
        return Asked(name, channel, call.server.scenarios.find_for(name, api).faults, name)
    except UnknownScenario as unknown:
        place = channel if channel != PROMPT else f"prompt, where 'mock:{name[:40]}' stands"
        raise UnknownScenario(f"{place}: {unknown}") from None


def _error_of_status(errors: ErrorResponses, status: str) -> Asked:
    """The first error with this status in the API's table. Raises UnknownScenario."""
    codes: dict[str, str] = {}
    for code, known_status in errors.statuses.items():
        if known_status is not None:
            codes.setdefault(str(known_status), code)
    if status not in codes:
        known = ", ".join(sorted(codes)) or "none"
        sentence = f"no error of this API has status {show(status)}; there are {known}"
        raise UnknownScenario(f"{PREFER}: {sentence}")
    rule = FaultRule(effect=ErrorFault(code=codes[status]))
    return Asked(codes[status], PREFER, (rule,), f"code={codes[status]}")


def _faults_of_read_tasks(call: Call, operation: Operation, body: bytes | None) -> Iterator[Faults]:
    """The faults that creates named for the tasks that this request reads."""
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
    """The account of the key; empty for an unknown key."""
    key = call.world.keys.get(call.credential[0])
    return "" if key is None else key.account


def _model_and_prompt(call: Call, operation: Operation, body: bytes | None) -> tuple[str, str]:
    """Model and prompt of a create; empty if they cannot be read."""
    if body is None or operation != "create":
        return "", ""
    fields = _fields(call, body)
    model, prompt = fields.get("model"), fields.get("prompt")
    return model if isinstance(model, str) else "", prompt if isinstance(prompt, str) else ""


def _fields(call: Call, body: bytes) -> dict[str, Any]:
    """The fields of a body, unchecked; empty if it cannot be read."""
    try:
        fields = call.value_of(body)
    except Invalid:
        return {}
    return fields if isinstance(fields, dict) else {}
