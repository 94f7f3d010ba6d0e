"""Requests made by Schemathesis from the document, and what its checks found, as findings.

Traps it would fall into are put out of its way here: credentials go in by configuration, creates
a new Idempotency-Key each, and generated addresses lead to nobody. A built-in check
is off only for one operation at a time, with its reason in `OFF`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import requests
import schemathesis
import schemathesis.engine.context
from schemathesis.engine import events, from_schema

from contract_tests.contract import Api, contract
from contract_tests.exchange import Exchange
from contract_tests.promises import promises
from contract_tests.verdicts import Finding

_SCHEMES: Mapping[Api, str] = {"rivya": "RivyaKey", "acedata": "AceDataToken"}
_NOBODYS_URL = "https://hooks.example.com/generated"
_METHODS_TRIED = ["PUT", "PATCH", "DELETE", "TRACE", "QUERY"]


@dataclass(frozen=True)
class Off:
    """A built-in check that is off for one operation, and why."""

    operation: str
    check: str
    reason: str


OFF = (
    Off("createVideo", "ignored_auth", "no token is 400 here, as printed; test_refusals.py has it"),
    Off("queryTasks", "ignored_auth", "no token is 400 here, as printed; test_refusals.py has it"),
    Off("createVideo", "missing_required_header", "the same: 400 instead of 401"),
    Off("queryTasks", "missing_required_header", "the same: 400 instead of 401"),
    Off("uploadFile", "positive_data_acceptance", "no schema can say that a file is what it says"),
    Off("getWebhook", "use_after_free", "a deleted endpoint stays as a record, revoked"),
    Off("listWebhookDeliveries", "use_after_free", "the record of a revoked endpoint stays"),
    Off("deleteWebhook", "use_after_free", "deleting twice is no error"),
    Off("rotateWebhookSecret", "use_after_free", "the record of a revoked endpoint stays"),
    Off("testWebhook", "use_after_free", "the record of a revoked endpoint stays"),
)

_ROW_OF = {
    "negative_data_rejection": "rule.refuses-what-is-invalid",
    "positive_data_acceptance": "rule.takes-what-is-valid",
    "unsupported_method": "rule.wrong-method",
    "allow_header_conformance": "rule.wrong-method",
    "status_code_conformance": "rule.documented-statuses",
    "content_type_conformance": "rule.json-answers",
    "response_schema_conformance": "rule.documented-statuses",
    "response_headers_conformance": "rule.documented-statuses",
    "not_a_server_error": "rule.answers",
}
_NEEDS_KEY = {
    "rivya": "rivya.rule.every-operation-needs-a-key",
    "acedata": "acedata.rule.every-operation-needs-a-token",
}


@dataclass
class Outcome:
    """What one run of the engine brought: how many requests, what was accepted, what is wrong."""

    requests: int = 0
    accepted: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Generation:
    """How requests are made for one API: with whose key, from which seed, how many."""

    api: Api
    base_url: str
    key: str
    seed: int
    examples: int
    session: requests.Session

    def run(self, phase: str, *operations: str) -> Outcome:
        """One phase (examples, coverage, fuzzing, stateful) over some operations, or over all."""
        config = schemathesis.Config.from_dict(self._config(phase, operations))
        schema = schemathesis.openapi.from_dict(contract().part(self.api), config=config)
        outcome = Outcome()
        with _sent_through(self.session):
            for event in from_schema(schema).execute():
                self._note(event, outcome)
        return outcome

    def _config(self, phase: str, operations: tuple[str, ...]) -> dict[str, Any]:
        phases: dict[str, dict[str, Any]] = {name: {"enabled": name == phase} for name in _PHASES}
        phases["coverage"] |= {"unexpected-methods": _METHODS_TRIED}
        phases["stateful"] |= {"max-steps": 5}
        return {
            "base-url": self.base_url,
            "seed": self.seed,
            "auth": {"openapi": {_SCHEMES[self.api]: {"bearer": self.key}}},
            "cache": {"enabled": False},
            "generation": {"max-examples": self.examples},
            "phases": phases,
            # The fake's source lies beside this; its texts must not become inputs.
            "analysis": {"constants": {"enabled": False}},
            "operations": [
                self._of_operation(described["operationId"], operations)
                for _, _, described in contract().operations(self.api)
            ],
        }

    @staticmethod
    def _of_operation(name: str, chosen: tuple[str, ...]) -> dict[str, Any]:
        return {
            "include-operation-id": name,
            "enabled": not chosen or name in chosen,
            "checks": {off.check: {"enabled": False} for off in OFF if off.operation == name},
        }

    def _note(self, event: Any, outcome: Outcome) -> None:
        if isinstance(event, events.NonFatalError):
            outcome.errors.append(f"{event.label}: {event.value}")
        if isinstance(event, events.FatalError):
            raise event.exception
        if not isinstance(event, events.ScenarioFinished):
            return
        for case_id, interaction in event.recorder.interactions.items():
            case = event.recorder.cases[case_id].value
            outcome.requests += 1
            outcome.tried.add(case.operation.label)
            if interaction.response is None:
                continue
            if interaction.response.status_code < 300:
                outcome.accepted.add(case.operation.label)
            for check in event.recorder.checks.get(case_id, ()):
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    outcome.findings.append(
                        self._finding(check.name, failure, _exchange(interaction))
                    )

    def _finding(self, check: str, failure: Any, exchange: Exchange) -> Finding:
        row = f"{self.api}.{_ROW_OF.get(check, 'rule.answers')}"
        if check in {"ignored_auth", "missing_required_header"}:
            row = _NEEDS_KEY[self.api]
        got = " ".join(f"{exchange.status}: {failure.title}. {failure.message}".split())
        return Finding(promises()[row], _EXPECTED.get(check, check), got, exchange)


_PHASES = ("examples", "coverage", "fuzzing", "stateful")
_EXPECTED = {
    "negative_data_rejection": "a refusal: the request breaks its schema",
    "positive_data_acceptance": "an acceptance: the request keeps its schema",
    "unsupported_method": "405 with Allow: the path has no such method",
    "not_a_server_error": "no 5xx",
}


@contextmanager
def _sent_through(session: requests.Session) -> Iterator[None]:
    """Let the engine, which makes its own sessions and can be given none, use this one."""

    def the_one(*_: Any, **_how: Any) -> requests.Session:
        return session

    with patch.object(schemathesis.engine.context, "make_session", the_one):
        yield


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Keep generated requests out of harm's way, and those that are to be accepted acceptable."""
    name = case.operation.definition.raw.get("operationId")
    body = case.body if isinstance(case.body, dict) else {}
    if isinstance(body.get("callback_url"), str) and "://" in body["callback_url"]:
        body["callback_url"] = _NOBODYS_URL
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if name == "createGeneration":
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if name == "createVideo" and "callback_url" not in body:
        body["async"] = True  # held open it would take as long as a video does
    if name in {"createWebhook", "updateWebhook"} and "url" in body:
        body["url"] = _NOBODYS_URL


def _exchange(interaction: Any) -> Exchange:
    """The engine's record of a request and its answer as the suite writes it down."""
    sent, answer = interaction.request, interaction.response
    path = "/" + sent.uri.partition("://")[2].partition("/")[2].partition("?")[0]
    return Exchange(
        method=sent.method,
        url=sent.uri,
        path=path,
        sent_headers={name.lower(): values[0] for name, values in sent.headers.items()},
        sent_body=sent.body or b"",
        status=answer.status_code,
        headers={name.lower(): values[0] for name, values in answer.headers.items()},
        body=answer.content or b"",
        started_s=interaction.timestamp,
        took_s=answer.elapsed,
    )
