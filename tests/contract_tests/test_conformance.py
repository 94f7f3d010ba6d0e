"""The check of one answer against the contract: the promises that it keeps and breaks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract_tests.conformance import Conformance
from contract_tests.contract import contract
from contract_tests.curl import curl
from contract_tests.exchange import Exchange
from contract_tests.verdicts import Finding

TASK = {
    "id": "task_1", "status": "queued", "model": "hailuo-pro", "reserved_credits": 57,
    "final_credits": 0, "created_at": "2026-05-11T00:00:00.000Z",
    "updated_at": "2026-05-11T00:00:00.000Z", "result": None, "error": None,
}  # fmt: skip
NOT_FOUND = {"error": {"code": "not_found", "message": "no", "requestId": "req_1"}}
KEY = "rvya_sk_secret"


def exchange(
    body: Any, status: int = 200, *, path: str = "/api/v1/generations/task_1", **headers: str
) -> Exchange:
    return Exchange(
        method="GET",
        url=f"http://127.0.0.1:1{path}",
        path=path,
        sent_headers={"authorization": f"Bearer {KEY}", "user-agent": "x"},
        sent_body=b"",
        status=status,
        headers={"content-type": "application/json"} | headers,
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        started_s=0.0,
        took_s=0.0,
    )


def findings(*args: Any, **how: Any) -> list[Finding]:
    return Conformance(contract()).check(exchange(*args, **how))[1]


def test_a_valid_answer_keeps_the_promises_of_its_fields() -> None:
    kept, broken = Conformance(contract()).check(exchange(TASK))
    assert broken == []
    assert {"rivya.Generation.id", "rivya.getGeneration.200", "rivya.rule.json-answers"} <= kept
    assert "rivya.Generation?else?else.result" in kept
    assert "rivya.Generation.result.urls" not in kept


def test_a_lone_surrogate_is_no_json() -> None:
    whole = TASK | {"model": "\U0001f3a5"}
    assert findings(json.dumps(whole).encode()) == []
    (finding,) = findings(json.dumps(TASK | {"model": "\ud83c"}).encode())
    assert finding.promise.id == "rivya.rule.json-answers"


@pytest.mark.parametrize(
    ("change", "promise_id"),
    [
        ({"id": 5}, "rivya.Generation.id"),
        ({"status": "done"}, "rivya.Generation.status"),
        ({"created_at": "yesterday"}, "rivya.Generation.created_at"),
        ({"result": {"primary_url": "https://a.test/"}}, "rivya.Generation.result.urls"),
    ],
)
def test_a_wrong_field_breaks_its_own_promise(change: dict[str, Any], promise_id: str) -> None:
    assert promise_id in {finding.promise.id for finding in findings(TASK | change)}


def test_a_missing_field_breaks_its_own_promise() -> None:
    without = {name: value for name, value in TASK.items() if name != "model"}
    assert [finding.promise.id for finding in findings(without)] == ["rivya.Generation.model"]


@pytest.mark.parametrize(
    ("answer", "promise_id"),
    [
        (exchange(TASK, 418), "rivya.rule.documented-statuses"),
        (exchange(b"<html>", 200), "rivya.rule.json-answers"),
        (exchange(json.dumps(TASK | {"eta": float("nan")}).encode()), "rivya.rule.json-answers"),
        (exchange(json.dumps(TASK | {"eta": float("-inf")}).encode()), "rivya.rule.json-answers"),
        (exchange(json.dumps(TASK).encode("utf-16")), "rivya.rule.json-answers"),
        (exchange(json.dumps(TASK).encode("utf-8-sig")), "rivya.rule.json-answers"),
        (exchange(json.dumps(TASK | {"x": "?"}).encode().replace(b"?", b"\xe9")),
         "rivya.rule.json-answers"),
        (exchange(NOT_FOUND, 400), "rivya.rule.documented-statuses"),
        (exchange(NOT_FOUND, 403), "rivya.error.not_found"),
        (exchange({"error": {"code": "api_key_missing", "message": "", "requestId": "req_1"}}, 401),
         "rivya.header.WwwAuthenticate"),
    ],
    ids=["status", "html", "nan", "infinity", "utf-16", "bom", "latin-1",
         "undocumented", "code", "header"],
)  # fmt: skip
def test_status_code_and_headers_are_checked_too(answer: Exchange, promise_id: str) -> None:
    broken = Conformance(contract()).check(answer)[1]
    assert promise_id in {finding.promise.id for finding in broken}


def test_texts_about_nan_and_unknown_fields_are_no_finding() -> None:
    extra = {"name": "NaN and Infinity", "x": {"y": [None, True]}}
    assert findings(TASK | extra) == []


def test_paths_of_no_api_are_not_checked() -> None:
    assert findings(b"video", path="/media/default/a.mp4") == []


def test_a_curl_command_has_a_variable_in_place_of_the_key() -> None:
    command = curl(exchange(TASK), {KEY: "HAILUO_CHECK_API_KEY"})
    assert KEY not in command
    assert '"authorization: Bearer $HAILUO_CHECK_API_KEY"' in command
    assert "user-agent" not in command
