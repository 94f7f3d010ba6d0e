"""Checks of scopes, public routes, and the setting that disables the API."""

from __future__ import annotations

import pytest

from contract_tests.operations import operations
from contract_tests.requirements import require_refusal, require_success
from contract_tests.rivya.rules import RULE
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(1)


@pytest.mark.risk
@pytest.mark.needs("without_scopes")
@pytest.mark.holds(
    "rivya.error.api_scope_denied", "rivya.answer.RivyaForbidden", RULE + "scope-before-body"
)
def test_a_key_without_scope_is_refused_before_its_body_is_read(
    rivya: Caller, require: Require
) -> None:
    without_scopes = rivya.target.caller("rivya", "without_scopes")
    for operation in operations("rivya"):
        if operation.needs_key:
            how = {"json": None, "body": b"{not json"} if operation.takes_json else {}
            answer = operation.send(without_scopes, **how)
            require_refusal(
                require, "rivya", answer, "api_scope_denied", RULE + "scope-before-body"
            )


@pytest.mark.holds(RULE + "models-are-public", RULE + "openapi-is-public")
def test_models_and_document_need_no_key_and_mind_none(rivya: Caller, require: Require) -> None:
    for path, rule in (("/models", "models-are-public"), ("/openapi.json", "openapi-is-public")):
        for key in (None, rivya.key, "rvya_sk_never_issued_to_any_account"):
            answer = Caller(rivya.target, "rivya", key).get(path)
            require_success(require, RULE + rule, answer)


@pytest.mark.holds(RULE + "openapi-is-public", "rivya.OpenApiDocument*")
def test_the_document_describes_the_routes_and_shows_no_key(
    rivya: Caller, require: Require
) -> None:
    answer = rivya.get("/openapi.json")
    paths = answer.json["paths"].keys()
    has = any(path.endswith("/generations") for path in paths)
    require(RULE + "openapi-is-public", has, expected="/generations", got=list(paths), by=answer)
    hidden = (rivya.key or "").encode() not in answer.body
    require(RULE + "openapi-is-public", hidden, expected="no key", got="the key", by=answer)


@pytest.mark.rank(3)
@pytest.mark.needs("variant off")
@pytest.mark.holds("rivya.error.public_api_disabled", "rivya.answer.RivyaSwitchedOff")
def test_an_api_that_is_off_says_so_to_everybody(run: Run, require: Require) -> None:
    for caller in (run.variant("off").caller("rivya"), run.variant("off").caller("rivya", None)):
        for operation in operations("rivya"):
            require_refusal(require, "rivya", operation.send(caller), "public_api_disabled")


@pytest.mark.risk
@pytest.mark.holds(RULE + "no-undocumented-routes")
def test_what_is_in_no_list_of_routes_is_not_there(rivya: Caller, require: Require) -> None:
    for method, path in (
        ("GET", "/generations"), ("DELETE", "/generations/task_x"), ("GET", "/files"),
        ("POST", "/generations/task_x/cancel"), ("DELETE", "/files/file_x"), ("GET", "/keys"),
    ):  # fmt: skip
        answer = rivya.request(method, path)
        require(
            RULE + "no-undocumented-routes", answer.status in (404, 405), expected="404 or 405",
            got=answer.status, by=answer,
        )  # fmt: skip
