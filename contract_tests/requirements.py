"""Requirements on answers that are common to both APIs."""

from __future__ import annotations

from typing import Any

from contract_tests.contract import Api, contract
from contract_tests.exchange import Exchange
from contract_tests.json_values import json_fault
from contract_tests.receiver import ReceivedRequest
from contract_tests.redaction import OF_PROCESS
from contract_tests.target import Target
from contract_tests.verdicts import Require


def code_of(answer: Exchange) -> Any:
    """The error code in an answer's envelope, or None."""
    error = answer.json.get("error") if isinstance(answer.json, dict) else None
    return error.get("code") if isinstance(error, dict) else None


def require_refusal(
    require: Require, api: Api, answer: Exchange, code: str, *promise_ids: str
) -> None:
    """Require an error with this code and its status. It shows `promise_ids` to hold, too."""
    status = contract().error_codes(api)[code]["x-status"]
    expected = f"{status} {code}"
    got = f"{answer.status} {code_of(answer)}"
    for promise_id in (*promise_ids, f"{api}.error.{code}"):
        require(promise_id, got == expected, expected=expected, got=got, by=answer)


def require_success(require: Require, promise_id: str, answer: Exchange) -> Any:
    """Require a 2xx answer; its body."""
    require(
        promise_id,
        200 <= answer.status < 300,
        expected="2xx",
        got=f"{answer.status} {code_of(answer)}",
        by=answer,
    )
    return answer.json


def require_valid(
    require: Require,
    promise_id: str,
    received: ReceivedRequest,
    schema_name: str,
    by: Exchange | None = None,
) -> None:
    """Require that the body of a callback or event is valid for a schema of the contract."""
    schema = {"$ref": f"#/components/schemas/{schema_name}"}
    errors = [error.message for error in contract().validator(schema).iter_errors(received.json)]
    if fault := json_fault(received.body):
        errors.append(f"{fault} in it, which is no JSON")
    got = errors or OF_PROCESS.content(received.body[:2000])[:200]
    require(promise_id, not errors, expected=f"a {schema_name}", got=got, by=by)


def require_same_message(
    require: Require, promise_id: str, foreign: Exchange, unknown: Exchange
) -> None:
    """Require that a foreign task is refused in the same words as an unknown one."""
    got, expected = (answer.json["error"]["message"] for answer in (foreign, unknown))
    require(promise_id, got == expected, expected=expected, got=got, by=foreign)


def require_video(
    require: Require, promise_id: str, target: Target, url: str, *, content_type: str = ""
) -> None:
    """Require that a URL returns an MP4 file without a key. One on another host is not judged.

    content_type: a text that the header has to contain.
    """
    answer = target.download(url)
    if answer is None:
        return
    header = answer.headers.get("content-type", "")
    is_mp4 = answer.body[4:8] == b"ftyp" and content_type in header
    got = f"{answer.status} {header} {answer.body[:12]!r}"
    is_right = answer.status == 200 and is_mp4
    require(promise_id, is_right, expected="an MP4", got=got, by=answer)
