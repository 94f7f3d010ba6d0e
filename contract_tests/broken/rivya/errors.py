"""Broken servers of Rivya that answer errors otherwise, and accept other keys."""

from __future__ import annotations

from typing import Any

from contract_tests.broken.broken_server import Answer
from contract_tests.broken.changes import wrong_code, wrong_status
from contract_tests.broken.key_changes import accept_keys, accept_no_key
from contract_tests.broken.rivya.messages import (
    ANY,
    CREATE,
    CREDITS,
    ENDPOINTS,
    READ,
    SECOND_KEY,
    edit,
    on_answer,
    on_request,
    refuse,
)

ERRORS = range(400, 600)
on_answer("missing-key-is-403", "error.api_key_missing", ANY, wrong_status(403, "api_key_missing"))
on_answer("missing-key-is-called-invalid", "error.api_key_missing", ANY,
          wrong_code("api_key_missing", "api_key_invalid"))  # fmt: skip
on_answer("revoked-is-called-invalid", "error.api_key_revoked", ANY,
          wrong_code("api_key_revoked", "api_key_invalid"))  # fmt: skip
on_answer(
    "validation-is-422", "error.validation_failed", ANY, wrong_status(422, "validation_failed")
)
on_answer("not-found-is-400", "error.not_found", READ, wrong_status(400, "not_found"))
on_answer(
    "poor-is-403", "error.insufficient_credits", CREATE, wrong_status(403, "insufficient_credits")
)
on_answer("conflict-is-422", "error.idempotency_conflict", CREATE,
          wrong_status(422, "idempotency_conflict"))  # fmt: skip
on_answer("limit-is-503", "error.rate_limited", ANY, wrong_status(503, "rate_limited"))
on_answer("scope-is-401", "error.api_scope_denied", ANY, wrong_status(401, "api_scope_denied"))
on_answer("off-is-500", "error.public_api_disabled", ANY, wrong_status(500, "public_api_disabled"))
on_answer(
    "unknown-code", "error.validation_failed", ANY, wrong_code("validation_failed", "bad_request")
)
edit("request-id-missing", "RivyaError.error.requestId", ANY, lambda e: e["error"].pop("requestId"),
     statuses=ERRORS)  # fmt: skip
edit("request-id-has-another-name", "RivyaError.error.requestId", ANY,
     lambda e: e["error"].update(id=e["error"].pop("requestId")), statuses=ERRORS)  # fmt: skip
edit("request-id-is-always-the-same", "rule.request-ids-differ", ANY,
     lambda e: e["error"].update(requestId="req_0"), statuses=ERRORS)  # fmt: skip
edit("error-is-flat", "RivyaError.error", ANY, lambda e: e["error"], statuses=ERRORS)
edit("error-has-no-message", "RivyaError.error.message", ANY, lambda e: e["error"].pop("message"),
     statuses=ERRORS)  # fmt: skip
edit("unknown-and-foreign-differ", "rule.foreign-as-unknown", READ,
     lambda e: e["error"].update(message=str(id(e))), statuses=range(404, 405))  # fmt: skip


def _set_header(name: str, value: str | None, *statuses: int) -> Any:
    """A change of a header of answers with these statuses. value: None removes it."""

    def change(answer: Answer) -> None:
        if answer.status in statuses:
            answer.headers = {n: v for n, v in answer.headers.items() if n.lower() != name}
            if value is not None:
                answer.headers[name] = value

    return change


on_answer(
    "errors-are-html", "rule.json-answers", ANY, _set_header("content-type", "text/html", 400, 404)
)
on_answer(
    "no-www-authenticate", "header.WwwAuthenticate", ANY, _set_header("www-authenticate", None, 401)
)
on_answer("no-allow", "header.Allow", ANY, _set_header("allow", None, 405))
on_answer(
    "allow-names-too-much", "rule.wrong-method", ANY, _set_header("allow", "GET, PUT, POST", 405)
)
on_answer("retry-after-is-a-date", "header.RivyaRetryAfter", ANY,
          _set_header("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", 429))  # fmt: skip


on_request("no-key-needed", "rule.every-operation-needs-a-key", ANY, accept_no_key)
on_request("revoked-keys-work", "error.api_key_revoked", ANY, accept_keys("rvya_sk_revoked"))
on_request("expired-keys-work", "error.api_key_expired", ANY, accept_keys("rvya_sk_expired"))
on_request("scopes-are-ignored", "error.api_scope_denied", ANY,
           accept_keys("rvya_sk_without_scopes"))  # fmt: skip
on_request("one-scope-is-ignored", "error.api_scope_denied", CREDITS,
           accept_keys("rvya_sk_without_scopes"))  # fmt: skip
on_request("limits-are-ignored", "error.rate_limited", ANY, accept_keys("rvya_sk_limited"))
on_request("strangers-see-generations", "rule.foreign-as-unknown", READ, accept_keys(SECOND_KEY))
on_request("strangers-see-files", "rule.foreign-file-as-unknown", r"GET /api/v1/files/.+",
           accept_keys(SECOND_KEY))  # fmt: skip
on_request("strangers-see-endpoints", "rule.foreign-endpoint-as-unknown", ENDPOINTS,
           accept_keys(SECOND_KEY))  # fmt: skip
on_request("one-wallet-for-all", "rule.account-has-one-wallet", CREDITS, accept_keys(SECOND_KEY))


def _require_key(answer: Answer) -> None:
    if "authorization" not in answer.sent.headers:
        answer.headers["www-authenticate"] = "Bearer"
        refuse(answer, "api_key_missing", 401)


on_answer("models-need-a-key", "rule.models-are-public", r"GET /api/v1/models", _require_key)


def _check_body_first(answer: Answer) -> None:
    if answer.status == 401 and answer.sent.body.startswith(b"{not"):
        refuse(answer)


on_answer("body-is-read-before-the-key", "rule.auth-before-body", ANY, _check_body_first)
