"""Runs Schemathesis on the OpenAPI document, and turns what its checks report into findings.

Credentials are given by configuration. Each create has an Idempotency-Key of its own, and each
generated URL is replaced by one that no server has. `DISABLED_CHECKS` lists the built-in checks
that are disabled for an operation, each with its reason.
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

from contract_tests.budget import NotSent
from contract_tests.contract import Api, contract
from contract_tests.exchange import Exchange
from contract_tests.origins import Base
from contract_tests.promises import promises
from contract_tests.target import Target
from contract_tests.verdicts import Finding

_SCHEMES: Mapping[Api, str] = {"rivya": "RivyaKey", "acedata": "AceDataToken"}
_UNUSED_URL = "https://hooks.example.com/generated"
_METHODS_TRIED = ["PUT", "PATCH", "DELETE", "TRACE", "QUERY"]


@dataclass(frozen=True)
class DisabledCheck:
    """A check of Schemathesis that is disabled for one operation, and the reason."""

    operation: str
    check: str
    reason: str


DISABLED_CHECKS = tuple(
    DisabledCheck(operation, check, reason)
    for operations, check, reason in (
        ("createVideo queryTasks", "ignored_auth", "no token is 400; test_refusals.py checks it"),
        ("createVideo queryTasks", "missing_required_header", "no token is 400 instead of 401"),
        ("uploadFile", "positive_data_acceptance", "no schema can require the named file type"),
        ("deleteWebhook", "use_after_free", "deleting twice is no error"),
        (
            "getWebhook listWebhookDeliveries rotateWebhookSecret testWebhook",
            "use_after_free",
            "a revoked endpoint can still be read",
        ),
    )
    for operation in operations.split()
)

_RULE_OF_CHECK = {
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
class EngineResult:
    """The result of one run of Schemathesis.

    accepted: operations with at least one 2xx answer. not_sent: why not all was sent.
    """

    requests: int = 0
    accepted: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    not_sent: NotSent | None = None


@dataclass(frozen=True)
class Generator:
    """Generates and sends requests to one API. examples: how many at most for each operation."""

    api: Api
    target: Target
    seed: int
    examples: int

    def run(self, phase: str, *operations: str) -> EngineResult:
        """Run one phase (examples, coverage, fuzzing, stateful), for some operations or all."""
        config = schemathesis.Config.from_dict(self._config(phase, operations))
        schema = schemathesis.openapi.from_dict(contract().part(self.api), config=config)
        result = EngineResult()
        transport = self.target.transport
        transport.not_sent = None
        with _engine_session(self.target.session):
            for event in from_schema(schema).execute():
                self._add(event, result)
        result.not_sent = transport.not_sent
        return result

    def _config(self, phase: str, operations: tuple[str, ...]) -> dict[str, Any]:
        key = self.target.keys[self.api]["own"]
        phases: dict[str, dict[str, Any]] = {name: {"enabled": name == phase} for name in _PHASES}
        phases["coverage"] |= {"unexpected-methods": _METHODS_TRIED}
        phases["stateful"] |= {"max-steps": 5}
        return {
            "base-url": self.target.base_url,
            "seed": self.seed,
            "auth": {"openapi": {_SCHEMES[self.api]: {"bearer": key}}},
            "cache": {"enabled": False},
            "generation": {"max-examples": self.examples},
            "phases": phases,
            # Without this, constants in the source code of the fake would become inputs.
            "analysis": {"constants": {"enabled": False}},
            "operations": [
                self._operation_config(described["operationId"], operations)
                for _, _, described in contract().operations(self.api)
            ],
        }

    @staticmethod
    def _operation_config(name: str, chosen: tuple[str, ...]) -> dict[str, Any]:
        return {
            "include-operation-id": name,
            "enabled": not chosen or name in chosen,
            "checks": {
                disabled.check: {"enabled": False}
                for disabled in DISABLED_CHECKS
                if disabled.operation == name
            },
        }

    def _add(self, event: Any, result: EngineResult) -> None:
        if isinstance(event, events.NonFatalError) and not isinstance(event.value, NotSent):
            result.errors.append(f"{event.label}: {event.value}")
        if isinstance(event, events.FatalError):
            raise event.exception
        if not isinstance(event, events.ScenarioFinished):
            return
        for case_id, interaction in event.recorder.interactions.items():
            case = event.recorder.cases[case_id].value
            result.requests += 1
            if interaction.response is None:
                continue
            if interaction.response.status_code < 300:
                result.accepted.add(case.operation.label)
            for check in event.recorder.checks.get(case_id, ()):
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    result.findings.append(
                        self._finding(check.name, failure, self._exchange(interaction))
                    )

    def _finding(self, check: str, failure: Any, exchange: Exchange) -> Finding:
        promise_id = f"{self.api}.{_RULE_OF_CHECK.get(check, 'rule.answers')}"
        if check in {"ignored_auth", "missing_required_header"}:
            promise_id = _NEEDS_KEY[self.api]
        got = " ".join(f"{exchange.status}: {failure.title}. {failure.message}".split())
        return Finding(promises()[promise_id], _EXPECTED.get(check, check), got, exchange)

    def _exchange(self, interaction: Any) -> Exchange:
        """A request and its answer as Schemathesis recorded them, as an Exchange."""
        sent, answer = interaction.request, interaction.response
        return Exchange(
            method=sent.method,
            url=sent.uri,
            path=Base.of(self.target.base_url).path_of(sent.uri),
            sent_headers={name.lower(): values[0] for name, values in sent.headers.items()},
            sent_body=sent.body or b"",
            status=answer.status_code,
            headers={name.lower(): values[0] for name, values in answer.headers.items()},
            body=answer.content or b"",
            started_s=interaction.timestamp,
            took_s=answer.elapsed,
        )


_PHASES = ("examples", "coverage", "fuzzing", "stateful")
_EXPECTED = {
    "negative_data_rejection": "a refusal: the request is invalid for its schema",
    "positive_data_acceptance": "an acceptance: the request is valid for its schema",
    "unsupported_method": "405 with Allow: the path has no such method",
    "not_a_server_error": "no 5xx",
}


@contextmanager
def _engine_session(session: requests.Session) -> Iterator[None]:
    """Inside, Schemathesis uses this session. It has no option for that."""

    def make_session(*_: Any, **_how: Any) -> requests.Session:
        return session

    with patch.object(schemathesis.engine.context, "make_session", make_session):
        yield


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Replace generated URLs, and complete the requests that must be accepted."""
    name = case.operation.definition.raw.get("operationId")
    body = case.body if isinstance(case.body, dict) else {}
    if isinstance(body.get("callback_url"), str) and "://" in body["callback_url"]:
        body["callback_url"] = _UNUSED_URL
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if name == "createGeneration":
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if name == "createVideo" and "callback_url" not in body:
        body["async"] = True  # otherwise it would be held open until the video is finished
    if name in {"createWebhook", "updateWebhook"} and "url" in body:
        body["url"] = _UNUSED_URL
