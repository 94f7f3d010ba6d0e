"""Keys and scopes, and the order of all checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pytest

from tests import rivya
from tests.asgi import Answer
from tests.contract_hook import document
from tests.mock import KEY, KEYS_BY_STATE, MINIMAL, TOKEN, MakeMock, Mock

KEYS = [
    rivya.account("somebody", **KEYS_BY_STATE, narrow={"scopes": ["models:read"]}),
    {
        "name": "elsewhere",
        "credits": 0,
        "keys": [
            {"key": "ace-token", "api": "acedata"},
            {"key": "other-token", "api": "other"},
        ],
    },
]


# --- each key ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "api_key_missing"),
        ("rvya_sk_nobody", "api_key_invalid"),
        ("rvya_sk_", "api_key_invalid"),
        ("sk_good", "api_key_invalid"),
        ("RVYA_SK_GOOD", "api_key_invalid"),
        ("rvya_sk_good ext", "api_key_invalid"),
        ("ace-token", "api_key_invalid"),
        ("other-token", "api_key_invalid"),
        ("rvya_sk_revoked", "api_key_revoked"),
        ("rvya_sk_disabled", "api_key_revoked"),
        ("rvya_sk_expired", "api_key_expired"),
        ("rvya_sk_narrow", "api_scope_denied"),
    ],
)
def test_each_kind_of_invalid_key_has_its_code(
    make_mock: MakeMock, key: str | None, code: str
) -> None:
    rivya.refusal(make_mock(accounts=KEYS).rivya("GET", "/credits", key=key), code)


def test_a_valid_key_is_accepted(make_mock: MakeMock) -> None:
    assert make_mock(accounts=KEYS).rivya("GET", "/credits", key="rvya_sk_good").status == 200


def test_the_built_in_token_of_the_other_api_is_an_invalid_key(mock: Mock) -> None:
    rivya.refusal(mock.rivya("GET", "/credits", key=TOKEN), "api_key_invalid")


def test_a_refusal_does_not_repeat_the_key(mock: Mock) -> None:
    message = rivya.refusal(mock.rivya("GET", "/credits", key="rvya_sk_secret"), "api_key_invalid")
    assert "rvya_sk_secret" not in message


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (f"Bearer {KEY}", None),
        (f"bearer {KEY}", None),
        (f"BEARER {KEY}", None),
        (f"Bearer   {KEY}", None),
        ("", "api_key_missing"),
        ("Bearer", "api_key_missing"),
        ("Bearer ", "api_key_missing"),
        (KEY, "api_key_missing"),
        (f"Basic {KEY}", "api_key_missing"),
        (f"Token {KEY}", "api_key_missing"),
        (f"Bearer:{KEY}", "api_key_missing"),
        (f"Bearer {KEY}, Bearer {KEY}", "api_key_invalid"),
        (f'Bearer "{KEY}"', "api_key_invalid"),
        ("Bearer k\xe4se", "api_key_invalid"),
    ],
)
def test_only_a_bearer_credential_counts_as_a_key(
    mock: Mock, header: str, code: str | None
) -> None:
    answer = mock.request("GET", "/api/v1/credits", headers={"authorization": header})
    if code is None:
        assert answer.status == 200
    else:
        rivya.refusal(answer, code)


@pytest.mark.parametrize("name", ["x-api-key", "cookie", "api-key", "proxy-authorization"])
def test_a_key_in_another_header_is_missing(mock: Mock, name: str) -> None:
    answer = mock.request("GET", "/api/v1/credits", headers={name: f"Bearer {KEY}"})
    rivya.refusal(answer, "api_key_missing")


def test_a_key_works_until_its_end_and_not_at_its_end(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", soon={"expires_at": "2026-05-11T00:01:00Z"})])
    mock.advance(59.999)
    assert mock.rivya("GET", "/credits", key="rvya_sk_soon").status == 200
    mock.advance(0.001)
    rivya.refusal(mock.rivya("GET", "/credits", key="rvya_sk_soon"), "api_key_expired")


def test_the_end_of_a_key_does_not_end_its_tasks(make_mock: MakeMock) -> None:
    keys: dict[str, Any] = {"soon": {"expires_at": "2026-05-11T00:00:00.500Z"}, "later": {}}
    mock = make_mock(accounts=[rivya.account("a", **keys)])
    task_id = mock.rivya("POST", "/generations", MINIMAL, key="rvya_sk_soon").json()["id"]
    mock.advance(1)
    seen = mock.rivya("GET", f"/generations/{task_id}", key="rvya_sk_later").json()
    assert seen["status"] == "succeeded"


# --- scopes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "scope"), rivya.OPERATIONS)
def test_a_route_needs_its_scope(make_mock: MakeMock, method: str, path: str, scope: str) -> None:
    mock = make_mock(accounts=[rivya.account("a", it={"scopes": rivya.scopes_without(scope)})])
    rivya.refusal(mock.rivya(method, path, MINIMAL, key="rvya_sk_it"), "api_scope_denied")


@pytest.mark.parametrize(("method", "path", "scope"), rivya.OPERATIONS)
def test_a_route_needs_no_other_scope(
    make_mock: MakeMock, method: str, path: str, scope: str
) -> None:
    mock = make_mock(accounts=[rivya.account("a", it={"scopes": [scope]})])
    answer = mock.rivya(method, path, MINIMAL, key="rvya_sk_it")
    assert answer.status not in {401, 403}


def test_a_key_holds_every_scope_unless_told_otherwise(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", it={})])
    statuses = {
        mock.rivya(method, path, MINIMAL, key="rvya_sk_it").status
        for method, path, _ in rivya.OPERATIONS
    }
    assert not {401, 403} & statuses


@pytest.mark.parametrize("key", [None, "rvya_sk_nobody", "rvya_sk_revoked", "rvya_sk_narrow"])
@pytest.mark.parametrize(("method", "path"), rivya.PUBLIC_OPERATIONS)
def test_a_public_route_ignores_the_key(
    make_mock: MakeMock, method: str, path: str, key: str | None
) -> None:
    assert make_mock(accounts=KEYS).rivya(method, path, key=key).status == 200


# --- the switch --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [*rivya.PUBLIC_OPERATIONS, *[(method, path) for method, path, _ in rivya.OPERATIONS]],
)
def test_a_switched_off_api_is_off_everywhere(make_mock: MakeMock, method: str, path: str) -> None:
    mock = make_mock(rivya__api_enabled=False)
    rivya.refusal(mock.rivya(method, path, MINIMAL), "public_api_disabled")


def test_switching_rivya_off_leaves_the_other_api_on(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__api_enabled=False)
    assert (
        mock.acedata("/videos", {"action": "generate", "prompt": "a", "async": True}).status == 200
    )


# --- the order of checks -----------------------------------------------------------------------


@dataclass
class Wrong:
    """One error of a create, and its code."""

    code: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = "rvya_sk_good"
    body: Mapping[str, Any] | None = None
    idempotency_key: str = ""
    credits: int = rivya.PRO_CREDITS


WRONGS = {
    "switch": Wrong("public_api_disabled", settings={"rivya__api_enabled": False}),
    "no key": Wrong("api_key_missing", key=None),
    "unknown key": Wrong("api_key_invalid", key="rvya_sk_nobody"),
    "revoked key": Wrong("api_key_revoked", key="rvya_sk_revoked"),
    "expired key": Wrong("api_key_expired", key="rvya_sk_expired"),
    "scope": Wrong("api_scope_denied", key="rvya_sk_narrow"),
    "rate": Wrong("rate_limited", settings={"rivya__rate_limit": 2}),
    "body": Wrong("validation_failed", body={"model": "hailuo-pro"}),
    "idempotency": Wrong("idempotency_conflict", idempotency_key="taken"),
    "credits": Wrong("insufficient_credits", credits=rivya.PRO_CREDITS - 1),
}
SAME_STEP = {"no key", "unknown key", "revoked key", "expired key"}


def _steps() -> list[tuple[str, str]]:
    """Every two errors that can occur together; the one that is checked first comes first."""
    return [
        (earlier, later)
        for earlier, later in combinations(WRONGS, 2)
        if not {earlier, later} <= {*SAME_STEP, "scope"}  # each is a matter of which key it is
    ]


def _send_all_wrong(make_mock: MakeMock, earlier: Wrong, later: Wrong) -> Answer:
    """The answer to a create with both errors. Two requests and the key `taken` are used up."""
    short = min(earlier.credits, later.credits)
    settings = {**earlier.settings, **later.settings}
    # The request that takes the key has to be paid for, too.
    mock = make_mock(accounts=_accounts(credits=short + rivya.PRO_CREDITS), **settings)
    taking = {"idempotency-key": "taken"}
    mock.rivya(
        "POST", "/generations", MINIMAL | {"prompt": "first"}, key="rvya_sk_good", headers=taking
    )
    mock.rivya("GET", "/credits", key="rvya_sk_good")
    key = earlier.key if earlier.key != "rvya_sk_good" else later.key
    return mock.rivya(
        "POST",
        "/generations",
        earlier.body or later.body or MINIMAL,
        key=key,
        headers=taking if earlier.idempotency_key or later.idempotency_key else {},
    )


def _accounts(credits: int) -> list[dict[str, Any]]:
    return [KEYS[0] | {"credits": credits}]


@pytest.mark.parametrize(("earlier", "later"), [*_steps(), *zip(WRONGS, WRONGS, strict=True)])
def test_the_earlier_of_two_errors_counts(make_mock: MakeMock, earlier: str, later: str) -> None:
    answer = _send_all_wrong(make_mock, WRONGS[earlier], WRONGS[later])
    rivya.refusal(answer, WRONGS[earlier].code)


def test_without_a_fault_the_same_request_is_accepted(make_mock: MakeMock) -> None:
    assert _send_all_wrong(make_mock, Wrong(""), Wrong("")).status == 200


def test_the_rate_is_counted_before_a_body_is_read(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1)
    rivya.refusal(mock.rivya("POST", "/generations", b"{"), "validation_failed")
    rivya.refusal(mock.rivya("POST", "/generations", b"{"), "rate_limited")


def test_the_content_type_is_checked_before_the_json(mock: Mock) -> None:
    answer = mock.rivya("POST", "/generations", b"{", headers={"content-type": "text/plain"})
    assert "header Content-Type" in rivya.refusal(answer, "validation_failed")


def test_the_body_is_checked_before_the_form_of_the_idempotency_key(mock: Mock) -> None:
    answer = mock.rivya("POST", "/generations", {}, headers={"idempotency-key": "ä"})
    assert "header Idempotency-Key" not in rivya.refusal(answer, "validation_failed")


def test_the_document_names_the_scope_that_each_operation_asks_for() -> None:
    named = {
        (verb.upper(), re.sub(r"\{.+?\}", "x", path), operation["x-scope"])
        for path, item in document()["paths"].items()
        for verb, operation in item.items()
        if isinstance(operation, dict) and "x-scope" in operation
    }
    asked = {
        (method, "/api/v1" + re.sub(r"(task|file|whend)_x", "x", path), scope)
        for method, path, scope in rivya.OPERATIONS
    }
    assert named == asked
