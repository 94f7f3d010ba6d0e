"""One answer against the contract: what it shows to be kept, and what it breaks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract_tests.conformance import Conformance
from contract_tests.contract import contract
from contract_tests.curl import curl
from contract_tests.exchange import HIDDEN, Exchange, without_secrets
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


def found(*args: Any, **how: Any) -> list[Finding]:
    return Conformance(contract()).of(exchange(*args, **how))[1]


def test_a_right_answer_shows_its_fields_to_be_kept() -> None:
    kept, broken = Conformance(contract()).of(exchange(TASK))
    assert broken == []
    assert {"rivya.Generation.id", "rivya.getGeneration.200", "rivya.rule.json-answers"} <= kept
    assert "rivya.Generation?else?else.result" in kept
    assert "rivya.Generation.result.urls" not in kept


def test_half_a_character_is_no_json() -> None:
    whole = TASK | {"model": "\U0001f3a5"}
    assert found(json.dumps(whole).encode()) == []
    (finding,) = found(json.dumps(TASK | {"model": "\ud83c"}).encode())
    assert finding.promise.id == "rivya.rule.json-answers"


@pytest.mark.parametrize(
    ("change", "row"),
    [
        ({"id": 5}, "rivya.Generation.id"),
        ({"status": "done"}, "rivya.Generation.status"),
        ({"created_at": "yesterday"}, "rivya.Generation.created_at"),
        ({"result": {"primary_url": "https://a.test/"}}, "rivya.Generation.result.urls"),
    ],
)
def test_a_wrong_field_breaks_its_own_row(change: dict[str, Any], row: str) -> None:
    assert row in {finding.promise.id for finding in found(TASK | change)}


def test_a_missing_field_breaks_its_own_row() -> None:
    without = {name: value for name, value in TASK.items() if name != "model"}
    assert [finding.promise.id for finding in found(without)] == ["rivya.Generation.model"]


@pytest.mark.parametrize(
    ("answer", "row"),
    [
        (exchange(TASK, 418), "rivya.rule.documented-statuses"),
        (exchange(b"<html>", 200), "rivya.rule.json-answers"),
        (exchange(NOT_FOUND, 400), "rivya.rule.documented-statuses"),
        (exchange(NOT_FOUND, 403), "rivya.error.not_found"),
        (exchange({"error": {"code": "api_key_missing", "message": "", "requestId": "req_1"}}, 401),
         "rivya.header.WwwAuthenticate"),
    ],
    ids=["status", "html", "undocumented", "code", "header"],
)  # fmt: skip
def test_what_goes_around_a_body_is_held_too(answer: Exchange, row: str) -> None:
    broken = Conformance(contract()).of(answer)[1]
    assert row in {finding.promise.id for finding in broken}


def test_other_paths_are_nobody_s_business() -> None:
    assert found(b"video", path="/media/default/a.mp4") == []


def test_a_request_can_be_repeated_without_showing_the_key() -> None:
    command = curl(exchange(TASK), key=KEY)
    assert KEY not in command
    assert '"authorization: Bearer $HAILUO_CHECK_API_KEY"' in command
    assert "user-agent" not in command


def test_what_is_written_down_holds_no_secret() -> None:
    kept = without_secrets(exchange({"signing_secret": "whsec_abc", "name": KEY}), [KEY])
    assert b"whsec_abc" not in kept.body
    assert KEY.encode() not in kept.body
    assert kept.sent_headers["authorization"] == HIDDEN
