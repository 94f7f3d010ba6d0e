"""Checks of what both APIs refuse: no key, an unknown path, a wrong method, no JSON."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contract_tests.contract import Api
from contract_tests.exchange import Exchange
from contract_tests.operations import operations, unsupported_methods
from contract_tests.requirements import code_of, require_refusal
from contract_tests.target import Caller, Target
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(0)

_MISSING = {"rivya": "api_key_missing", "acedata": "no_token"}
_UNKNOWN = {"rivya": "api_key_invalid", "acedata": "invalid_token"}
_KEY_RULE = {
    "rivya": "rivya.rule.every-operation-needs-a-key",
    "acedata": "acedata.rule.every-operation-needs-a-token",
}
_NEVER_ISSUED = {"rivya": "rvya_sk_never_issued_to_any_account", "acedata": "token-never-issued"}
_BY_ROLE = {
    ("rivya", "revoked"): "api_key_revoked",
    ("rivya", "expired"): "api_key_expired",
    ("acedata", "expired"): "token_expired",
    ("acedata", "disabled"): "disabled",
    ("acedata", "mismatched"): "token_mismatched",
}
_ID = {"rivya": ("error", "requestId"), "acedata": ("trace_id",)}
_IDS_DIFFER = {"rivya": "rivya.rule.request-ids-differ", "acedata": "acedata.rule.trace-ids-differ"}
_INVALID = {"rivya": "validation_failed", "acedata": "bad_request"}
_UNKNOWN_PATH = {"rivya": "not_found", "acedata": "no_api"}


@pytest.mark.holds(
    "rivya.error.api_key_missing", "acedata.error.no_token",
    "rivya.rule.every-operation-needs-a-key",
        "acedata.rule.every-operation-needs-a-token", "rivya.security.RivyaKey",
    "acedata.security.AceDataToken", "{api}.rule.answers",
)  # fmt: skip
def test_nobody_gets_in_without_a_key(target: Target, api: Api, require: Require) -> None:
    caller = target.caller(api, None)
    headers_without_key: list[dict[str, str]] = [{}, {"authorization": "Basic dXNlcjpwYXNz"}]
    for operation in operations(api):
        if operation.needs_key:
            for headers in headers_without_key:
                answer = operation.send(caller, headers=headers)
                require_refusal(require, api, answer, _MISSING[api], _KEY_RULE[api])
    schemes = {"rivya": "rivya.security.RivyaKey", "acedata": "acedata.security.AceDataToken"}
    require(schemes[api], True, expected="", got="")
    require(f"{api}.rule.answers", True, expected="", got="")


@pytest.mark.holds("rivya.error.api_key_invalid", "acedata.error.invalid_token")
def test_a_key_that_nobody_was_given_opens_nothing(
    target: Target, api: Api, require: Require
) -> None:
    caller = target.caller(api, key=_NEVER_ISSUED[api])
    for operation in operations(api):
        if operation.needs_key:
            require_refusal(require, api, operation.send(caller), _UNKNOWN[api])


@pytest.mark.risk
@pytest.mark.parametrize(
    ("api", "role"),
    [pytest.param(*part, marks=pytest.mark.needs(part[1]), id="-".join(part)) for part in _BY_ROLE],
)
@pytest.mark.holds(
    "rivya.error.api_key_revoked", "rivya.error.api_key_expired", "acedata.error.token_expired",
    "acedata.error.disabled", "acedata.error.token_mismatched",
)  # fmt: skip
def test_a_key_that_lost_its_power_says_why(
    target: Target, api: Api, role: str, require: Require
) -> None:
    for operation in operations(api):
        if operation.needs_key:
            answer = operation.send(target.caller(api, role))
            require_refusal(require, api, answer, _BY_ROLE[api, role])


@pytest.mark.holds("{api}.rule.auth-before-body")
def test_who_asks_is_checked_before_what_is_asked(
    target: Target, api: Api, require: Require
) -> None:
    caller = target.caller(api, key=_NEVER_ISSUED[api])
    for operation in operations(api):
        if operation.takes_json and operation.needs_key:
            answer = operation.send(caller, json=None, body=b"{not json")
            require_refusal(require, api, answer, _UNKNOWN[api], f"{api}.rule.auth-before-body")


@pytest.mark.holds("{api}.rule.unknown-path", "rivya.error.not_found", "acedata.error.no_api")
def test_an_unknown_path_is_refused_in_the_api_s_own_words(
    target: Target, api: Api, require: Require
) -> None:
    for path in ("/nothing-here", "/generations/x/cancel", "/videos/x"):
        answer = target.caller(api).get(path)
        require_refusal(require, api, answer, _UNKNOWN_PATH[api], f"{api}.rule.unknown-path")


@pytest.mark.risk
@pytest.mark.holds(
    "{api}.rule.wrong-method", "{api}.error.method_not_allowed", "{api}.header.Allow"
)
def test_a_wrong_method_is_told_the_right_ones(target: Target, api: Api, require: Require) -> None:
    for path, method, has in unsupported_methods(api):
        answer = target.caller(api).request(method, path)
        rule = f"{api}.rule.wrong-method"
        require_refusal(require, api, answer, "method_not_allowed", rule)
        allowed = {name.strip() for name in answer.headers.get("allow", "").split(",")}
        right = allowed - {"HEAD", "OPTIONS"} == set(has)
        require(rule, right, expected=f"Allow: {', '.join(has)}", got=sorted(allowed), by=answer)


@pytest.mark.holds(
    "rivya.rule.request-ids-differ", "acedata.rule.trace-ids-differ",
    "rivya.RivyaError.error.message", "acedata.AceDataError.error.message",
)  # fmt: skip
def test_refusals_can_be_told_apart(target: Target, api: Api, require: Require) -> None:
    ids: list[object] = []
    for _ in range(3):
        for answer in _refused(target, api):
            found = answer.json
            for step in _ID[api]:
                found = found[step]
            fresh = found not in ids
            require(_IDS_DIFFER[api], fresh, expected="a new id", got=found, by=answer)
            ids.append(found)
            message = answer.json["error"]["message"]
            promise_id = "rivya.RivyaError" if api == "rivya" else "acedata.AceDataError"
            is_text = isinstance(message, str) and bool(message.strip())
            promise_id += ".error.message"
            require(promise_id, is_text, expected="a message", got=message, by=answer)


def _refused(target: Target, api: Api) -> Iterator[Exchange]:
    """Refusals of different kinds: unknown path, no key, wrong method, no JSON."""
    caller, operation = target.caller(api), next(o for o in operations(api) if o.takes_json)
    yield caller.get("/nothing-here")
    yield operation.send(target.caller(api, None))
    yield caller.request("PUT", operation.path)
    yield operation.send(caller)
    yield operation.send(caller, json=None, body=b"{")


@pytest.mark.risk
@pytest.mark.holds(
    "{api}.rule.not-json", "rivya.error.validation_failed", "acedata.error.bad_request"
)
@pytest.mark.parametrize(
    "body", [b"{not json", b"", b"[]", b'"text"', b"null", b'{"a": 1', b"\xff\xfe"], ids=repr
)
def test_a_body_that_is_no_json_object_is_refused(
    target: Target, api: Api, body: bytes, require: Require
) -> None:
    for operation in operations(api):
        if operation.takes_json and "{" not in operation.path and operation.method == "POST":
            answer = operation.send(target.caller(api), json=None, body=body)
            require_refusal(require, api, answer, _INVALID[api], f"{api}.rule.not-json")


@pytest.mark.risk
@pytest.mark.holds("{api}.rule.not-json")
def test_json_that_is_not_said_to_be_json_is_refused(
    target: Target, api: Api, require: Require
) -> None:
    caller: Caller = target.caller(api)
    for operation in operations(api):
        if operation.takes_json and operation.method == "POST":
            plain = {"content-type": "text/plain"}
            answer = operation.send(caller, json=None, body=b'{"action": 1}', headers=plain)
            require(
                f"{api}.rule.not-json", code_of(answer) == _INVALID[api], expected=_INVALID[api],
                got=f"{answer.status} {code_of(answer)}", by=answer,
            )  # fmt: skip
