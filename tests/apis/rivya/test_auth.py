"""Who is let in, and in which order the checks come."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.apis.rivya.conftest import (
    OPERATIONS,
    PRO_CREDITS,
    PUBLIC_OPERATIONS,
    account,
    refusal,
    scopes_without,
)
from tests.asgi import Answer
from tests.contract_hook import document
from tests.mock import KEY, MINIMAL, TOKEN, Mock

MakeMock = Callable[..., Mock]

KEYS = [
    account(
        "somebody",
        good={},
        revoked={"revoked": True},
        disabled={"disabled": True},
        expired={"expires_at": "2026-05-10T00:00:00Z"},
        narrow={"scopes": ["models:read"]},
    ),
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
def test_a_key_that_is_not_right_is_refused_by_its_own_code(
    make_mock: MakeMock, key: str | None, code: str
) -> None:
    refusal(make_mock(accounts=KEYS).rivya("GET", "/credits", key=key), code)


def test_a_right_key_is_let_in(make_mock: MakeMock) -> None:
    assert make_mock(accounts=KEYS).rivya("GET", "/credits", key="rvya_sk_good").status == 200


def test_the_built_in_token_of_the_other_api_is_an_invalid_key(mock: Mock) -> None:
    refusal(mock.rivya("GET", "/credits", key=TOKEN), "api_key_invalid")


def test_a_refusal_does_not_repeat_the_key(mock: Mock) -> None:
    message = refusal(mock.rivya("GET", "/credits", key="rvya_sk_secret"), "api_key_invalid")
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
        refusal(answer, code)


@pytest.mark.parametrize("name", ["x-api-key", "cookie", "api-key", "proxy-authorization"])
def test_a_key_in_another_header_is_missing(mock: Mock, name: str) -> None:
    answer = mock.request("GET", "/api/v1/credits", headers={name: f"Bearer {KEY}"})
    refusal(answer, "api_key_missing")


def test_a_key_works_until_its_end_and_not_at_its_end(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", soon={"expires_at": "2026-05-11T00:01:00Z"})])
    mock.advance(59.999)
    assert mock.rivya("GET", "/credits", key="rvya_sk_soon").status == 200
    mock.advance(0.001)
    refusal(mock.rivya("GET", "/credits", key="rvya_sk_soon"), "api_key_expired")


def test_the_end_of_a_key_does_not_end_its_tasks(make_mock: MakeMock) -> None:
    keys: dict[str, Any] = {"soon": {"expires_at": "2026-05-11T00:00:00.500Z"}, "later": {}}
    mock = make_mock(accounts=[account("a", **keys)])
    task_id = mock.rivya("POST", "/generations", MINIMAL, key="rvya_sk_soon").json()["id"]
    mock.advance(1)
    seen = mock.rivya("GET", f"/generations/{task_id}", key="rvya_sk_later").json()
    assert seen["status"] == "succeeded"


# --- scopes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
def test_a_route_needs_its_scope(make_mock: MakeMock, method: str, path: str, scope: str) -> None:
    mock = make_mock(accounts=[account("a", it={"scopes": scopes_without(scope)})])
    refusal(mock.rivya(method, path, MINIMAL, key="rvya_sk_it"), "api_scope_denied")


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
def test_a_route_needs_no_other_scope(
    make_mock: MakeMock, method: str, path: str, scope: str
) -> None:
    mock = make_mock(accounts=[account("a", it={"scopes": [scope]})])
    answer = mock.rivya(method, path, MINIMAL, key="rvya_sk_it")
    assert answer.status not in {401, 403}


def test_a_key_holds_every_scope_unless_told_otherwise(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", it={})])
    statuses = {
        mock.rivya(method, path, MINIMAL, key="rvya_sk_it").status for method, path, _ in OPERATIONS
    }
    assert not {401, 403} & statuses


@pytest.mark.parametrize("key", [None, "rvya_sk_nobody", "rvya_sk_revoked", "rvya_sk_narrow"])
@pytest.mark.parametrize(("method", "path"), PUBLIC_OPERATIONS)
def test_a_public_route_does_not_look_at_the_key(
    make_mock: MakeMock, method: str, path: str, key: str | None
) -> None:
    assert make_mock(accounts=KEYS).rivya(method, path, key=key).status == 200


# --- the switch --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"), [*PUBLIC_OPERATIONS, *[(method, path) for method, path, _ in OPERATIONS]]
)
def test_a_switched_off_api_is_off_everywhere(make_mock: MakeMock, method: str, path: str) -> None:
    mock = make_mock(rivya__api_enabled=False)
    refusal(mock.rivya(method, path, MINIMAL), "public_api_disabled")


def test_switching_rivya_off_leaves_the_other_api_on(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__api_enabled=False)
    assert (
        mock.acedata("/videos", {"action": "generate", "prompt": "a", "async": True}).status == 200
    )


# --- the order of checks -----------------------------------------------------------------------


@dataclass
class Wrong:
    """One thing that is wrong with a create, and the code it brings."""

    code: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = "rvya_sk_good"
    body: Mapping[str, Any] | None = None
    idempotency_key: str = ""
    credits: int = PRO_CREDITS


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
    "credits": Wrong("insufficient_credits", credits=PRO_CREDITS - 1),
}
SAME_STEP = {"no key", "unknown key", "revoked key", "expired key"}


def _steps() -> list[tuple[str, str]]:
    """Every two things that can be wrong at once, the one that is looked at first first."""
    names = list(WRONGS)
    return [
        (earlier, later)
        for index, earlier in enumerate(names)
        for later in names[index + 1 :]
        if not {earlier, later} <= {*SAME_STEP, "scope"}  # each is a matter of which key it is
    ]


def _send_all_wrong(make_mock: MakeMock, earlier: Wrong, later: Wrong) -> Answer:
    """A create with both faults, on a fake that has used up two requests and the key `taken`."""
    short = min(earlier.credits, later.credits)
    settings = {**earlier.settings, **later.settings}
    # The request that takes the key has to be paid for, too.
    mock = make_mock(accounts=_accounts(credits=short + PRO_CREDITS), **settings)
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


@pytest.mark.parametrize(("earlier", "later"), _steps())
def test_of_two_faults_the_earlier_step_is_told(
    make_mock: MakeMock, earlier: str, later: str
) -> None:
    answer = _send_all_wrong(make_mock, WRONGS[earlier], WRONGS[later])
    refusal(answer, WRONGS[earlier].code)


@pytest.mark.parametrize("fault", WRONGS)
def test_each_fault_alone_brings_its_code(make_mock: MakeMock, fault: str) -> None:
    answer = _send_all_wrong(make_mock, WRONGS[fault], Wrong(""))
    refusal(answer, WRONGS[fault].code)


def test_without_a_fault_the_same_request_is_accepted(make_mock: MakeMock) -> None:
    assert _send_all_wrong(make_mock, Wrong(""), Wrong("")).status == 200


def test_the_rate_is_counted_before_a_body_is_read(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1)
    refusal(mock.rivya("POST", "/generations", b"{"), "validation_failed")
    refusal(mock.rivya("POST", "/generations", b"{"), "rate_limited")


def test_the_content_type_is_looked_at_before_the_json(mock: Mock) -> None:
    answer = mock.rivya("POST", "/generations", b"{", headers={"content-type": "text/plain"})
    assert "header Content-Type" in refusal(answer, "validation_failed")


def test_the_body_is_looked_at_before_the_form_of_the_idempotency_key(mock: Mock) -> None:
    answer = mock.rivya("POST", "/generations", {}, headers={"idempotency-key": "ä"})
    assert "header Idempotency-Key" not in refusal(answer, "validation_failed")


def test_the_document_names_the_scope_that_each_operation_asks_for() -> None:
    named = {
        (verb.upper(), re.sub(r"\{.+?\}", "x", path), operation["x-scope"])
        for path, item in document()["paths"].items()
        for verb, operation in item.items()
        if isinstance(operation, dict) and "x-scope" in operation
    }
    asked = {
        (method, "/api/v1" + re.sub(r"(task|file|whend)_x", "x", path), scope)
        for method, path, scope in OPERATIONS
    }
    assert named == asked
