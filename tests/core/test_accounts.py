"""Keys that are admitted, and the refusals of others."""

from __future__ import annotations

import pytest

from mock_server.core.accounts import Key, KeyRing
from mock_server.core.clock import Clock
from mock_server.core.refusals import (
    KeyDisabled,
    KeyExpired,
    KeyMissing,
    KeyOfAnotherService,
    KeyRefused,
    KeyRevoked,
    KeyUnknown,
    ScopeDenied,
)

GOOD = Key("good", "ada", "rivya", frozenset({"generations:read"}))
RING = KeyRing(
    [
        GOOD,
        Key("ace", "ada", "acedata"),
        Key("revoked", "ada", "rivya", revoked=True),
        Key("disabled", "ada", "rivya", disabled=True),
        Key("short", "ada", "rivya", expires_ms=1_000),
    ]
)


def test_a_valid_key_is_admitted_to_its_api() -> None:
    assert RING.admit("good", "rivya", Clock(lambda: 0)) is GOOD


@pytest.mark.parametrize(
    ("secret", "refusal"),
    [
        (None, KeyMissing),
        ("", KeyMissing),
        ("never issued", KeyUnknown),
        ("GOOD", KeyUnknown),
        ("good ", KeyUnknown),
        ("ace", KeyOfAnotherService),
        ("revoked", KeyRevoked),
        ("disabled", KeyDisabled),
        ("short", KeyExpired),
    ],
)
def test_each_bad_key_is_refused_for_its_own_reason(
    secret: str | None, refusal: type[KeyRefused]
) -> None:
    with pytest.raises(KeyRefused) as refused:
        RING.admit(secret, "rivya", Clock(lambda: 1_000))
    assert type(refused.value) is refusal


def test_a_key_is_valid_until_the_millisecond_before_it_expires() -> None:
    assert RING.admit("short", "rivya", Clock(lambda: 999)).secret == "short"


def test_a_key_without_an_end_never_expires() -> None:
    assert RING.admit("good", "rivya", Clock(lambda: 10**15)) is GOOD


def test_no_refusal_repeats_the_secret() -> None:
    for secret in ("never issued", "ace", "revoked", "disabled", "short"):
        with pytest.raises(KeyRefused) as refused:
            RING.admit(secret, "rivya", Clock(lambda: 1_000))
        assert f"'{secret}'" not in str(refused.value)


def test_a_key_with_the_scope_is_accepted() -> None:
    GOOD.require("generations:read")


@pytest.mark.parametrize("scope", ["generations:create", "generations", "generations:read "])
def test_a_key_without_the_scope_is_refused_with_its_name(scope: str) -> None:
    with pytest.raises(ScopeDenied, match=scope):
        GOOD.require(scope)


def test_a_key_has_no_scope_by_default() -> None:
    with pytest.raises(ScopeDenied):
        Key("new", "ada", "rivya").require("generations:read")
