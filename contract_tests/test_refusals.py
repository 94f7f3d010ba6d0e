"""What both APIs refuse in the same way: no key, no such path, no such method, no JSON."""

from __future__ import annotations

import pytest

from contract_tests.contract import Api
from contract_tests.operations import methods_missing, operations
from contract_tests.refusals import code_of, require_refusal
from contract_tests.target import Caller, Target
from contract_tests.verdicts import Require

_MISSING = {"rivya": "api_key_missing", "acedata": "no_token"}
_UNKNOWN = {"rivya": "api_key_invalid", "acedata": "invalid_token"}
_NEEDED = {
    "rivya": "rivya.rule.every-operation-needs-a-key",
    "acedata": "acedata.rule.every-operation-needs-a-token",
}
_NOBODYS = {"rivya": "rvya_sk_nobody_was_ever_given_this", "acedata": "nobody-was-given-this"}
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
_LOST = {"rivya": "not_found", "acedata": "no_api"}


@pytest.mark.rank(0)
@pytest.mark.holds(
    "rivya.error.api_key_missing", "acedata.error.no_token",
    "rivya.rule.every-operation-needs-a-key",
        "acedata.rule.every-operation-needs-a-token", "rivya.security.RivyaKey",
    "acedata.security.AceDataToken", "{api}.rule.answers",
)  # fmt: skip
def test_nobody_gets_in_without_a_key(target: Target, api: Api, require: Require) -> None:
    nobody = target.caller(api, None)
    others: list[dict[str, str]] = [{}, {"authorization": "Basic dXNlcjpwYXNz"}]
    for operation in operations(api):
        if operation.needs_key:
            for headers in others:
                answer = operation.ask(nobody, headers=headers)
                require_refusal(require, api, answer, _MISSING[api], _NEEDED[api])
    schemes = {"rivya": "rivya.security.RivyaKey", "acedata": "acedata.security.AceDataToken"}
    require(schemes[api], True, expected="", got="")
    require(f"{api}.rule.answers", True, expected="", got="")


@pytest.mark.rank(0)
@pytest.mark.holds("rivya.error.api_key_invalid", "acedata.error.invalid_token")
def test_a_key_that_nobody_was_given_opens_nothing(
    target: Target, api: Api, require: Require
) -> None:
    nobody = target.caller(api, key=_NOBODYS[api])
    for operation in operations(api):
        if operation.needs_key:
            require_refusal(require, api, operation.ask(nobody), _UNKNOWN[api])


@pytest.mark.rank(0)
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
            answer = operation.ask(target.caller(api, role))
            require_refusal(require, api, answer, _BY_ROLE[api, role])


@pytest.mark.rank(0)
@pytest.mark.holds("{api}.rule.auth-before-body")
def test_who_asks_is_checked_before_what_is_asked(
    target: Target, api: Api, require: Require
) -> None:
    nobody = target.caller(api, key=_NOBODYS[api])
    for operation in operations(api):
        if operation.takes_json and operation.needs_key:
            answer = operation.ask(nobody, json=None, body=b"{not json")
            require_refusal(require, api, answer, _UNKNOWN[api], f"{api}.rule.auth-before-body")


@pytest.mark.rank(0)
@pytest.mark.holds("{api}.rule.unknown-path", "rivya.error.not_found", "acedata.error.no_api")
def test_an_unknown_path_is_refused_in_the_api_s_own_words(
    target: Target, api: Api, require: Require
) -> None:
    for path in ("/nothing-here", "/generations/x/cancel", "/videos/x"):
        answer = target.caller(api).get(path)
        require_refusal(require, api, answer, _LOST[api], f"{api}.rule.unknown-path")


@pytest.mark.rank(0)
@pytest.mark.holds(
    "{api}.rule.wrong-method", "{api}.error.method_not_allowed", "{api}.header.Allow"
)
def test_a_wrong_method_is_told_the_right_ones(target: Target, api: Api, require: Require) -> None:
    for path, method, has in methods_missing(api):
        answer = target.caller(api).ask(method, path)
        rule = f"{api}.rule.wrong-method"
        require_refusal(require, api, answer, "method_not_allowed", rule)
        allowed = {name.strip() for name in answer.headers.get("allow", "").split(",")}
        right = allowed - {"HEAD", "OPTIONS"} == set(has)
        require(rule, right, expected=f"Allow: {', '.join(has)}", got=sorted(allowed), by=answer)


@pytest.mark.rank(0)
@pytest.mark.holds("rivya.rule.request-ids-differ", "acedata.rule.trace-ids-differ")
def test_refusals_can_be_told_apart(target: Target, api: Api, require: Require) -> None:
    ids: list[object] = []
    for _ in range(3):
        answer = target.caller(api).get("/nothing-here")
        found = answer.json
        for step in _ID[api]:
            found = found[step]
        require(_IDS_DIFFER[api], found not in ids, expected="a new id", got=found, by=answer)
        ids.append(found)


@pytest.mark.rank(0)
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
            answer = operation.ask(target.caller(api), json=None, body=body)
            require_refusal(require, api, answer, _INVALID[api], f"{api}.rule.not-json")


@pytest.mark.rank(0)
@pytest.mark.holds("{api}.rule.not-json")
def test_json_that_is_not_said_to_be_json_is_refused(
    target: Target, api: Api, require: Require
) -> None:
    asker: Caller = target.caller(api)
    for operation in operations(api):
        if operation.takes_json and operation.method == "POST":
            plain = {"content-type": "text/plain"}
            answer = operation.ask(asker, json=None, body=b'{"action": 1}', headers=plain)
            require(
                f"{api}.rule.not-json", code_of(answer) == _INVALID[api], expected=_INVALID[api],
                got=f"{answer.status} {code_of(answer)}", by=answer,
            )  # fmt: skip
