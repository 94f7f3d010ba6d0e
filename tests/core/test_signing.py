"""Signatures, checked against published vectors, a published library and plain HMAC."""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from mock_server.core.chance import Chance
from mock_server.core.endpoints import new_secret
from mock_server.core.signing import (
    callback_signature,
    standard_signature,
    timestamped_signature,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"id":"evt_1","text":"Grüße 🎬"}'.encode()

Sign = Callable[[str, str, bytes, int], str]
SCHEMES: list[Sign] = [
    lambda secret, _message, body, _at_s: callback_signature(secret, body),
    lambda secret, _message, body, at_s: timestamped_signature(secret, body, at_s),
    standard_signature,
]
EVERY_SCHEME = pytest.mark.parametrize("sign", SCHEMES, ids=["callback", "timestamped", "standard"])

secrets = st.binary(min_size=24, max_size=24).map(lambda key: "whsec_" + b64encode(key).decode())
ids = st.text("abcdef0123456789_", min_size=1)
times = st.integers(0, 2**40)


# Cases 1, 2 and 4 of RFC 4231: those whose keys are UTF-8 and whose digests are not cut short.
@pytest.mark.parametrize(
    ("key", "data", "digest"),
    [
        (
            b"\x0b" * 20,
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            bytes(range(1, 26)),
            b"\xcd" * 50,
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
    ],
)
def test_a_callback_signature_is_that_of_rfc_4231(key: bytes, data: bytes, digest: str) -> None:
    assert callback_signature(key.decode(), data) == digest


@given(st.text(st.characters(codec="utf-8")), st.binary())
def test_a_callback_signature_is_plain_hmac_in_lower_case_hex(secret: str, body: bytes) -> None:
    expected = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    assert callback_signature(secret, body) == expected


@given(secrets, st.binary(), times)
def test_a_timestamped_signature_covers_seconds_dot_body_with_the_whole_secret_as_key(
    secret: str, body: bytes, at_s: int
) -> None:
    signed = str(at_s).encode() + b"." + body
    expected = hmac.digest(secret.encode(), signed, hashlib.sha256).hex()
    assert timestamped_signature(secret, body, at_s) == f"t={at_s},v1={expected}"


def test_a_standard_signature_is_the_one_of_the_published_example() -> None:
    signature = standard_signature(
        SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', 1614265330
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", [SECRET, new_secret(Chance(7), "whend_1")])
def test_the_published_library_takes_a_standard_signature(secret: str) -> None:
    at_s = int(time.time())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(at_s),
        "webhook-signature": standard_signature(secret, "evt_1", BODY, at_s),
    }
    assert Webhook(secret).verify(BODY, headers) == {"id": "evt_1", "text": "Grüße 🎬"}


def test_the_published_library_refuses_the_signature_of_another_secret() -> None:
    at_s = int(time.time())
    other = new_secret(Chance(7), "whend_1")
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(at_s),
        "webhook-signature": standard_signature(other, "evt_1", BODY, at_s),
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers)


@EVERY_SCHEME
@given(secrets, ids, st.binary(), times)
def test_the_same_is_signed_the_same(
    sign: Sign, secret: str, message: str, body: bytes, at_s: int
) -> None:
    assert sign(secret, message, body, at_s) == sign(secret, message, body, at_s)


@EVERY_SCHEME
@given(st.binary(min_size=1), st.data())
def test_any_changed_byte_changes_the_signature(
    sign: Sign, body: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(body) - 1))
    changed = bytearray(body)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert sign(SECRET, "evt_1", bytes(changed), 0) != sign(SECRET, "evt_1", body, 0)


@EVERY_SCHEME
@given(st.binary(), st.binary(min_size=1))
def test_any_byte_more_changes_the_signature(sign: Sign, body: bytes, more: bytes) -> None:
    assert sign(SECRET, "evt_1", body + more, 0) != sign(SECRET, "evt_1", body, 0)


@EVERY_SCHEME
@given(st.lists(secrets, min_size=2, max_size=2, unique=True))
def test_another_secret_changes_the_signature(sign: Sign, pair: list[str]) -> None:
    assert sign(pair[0], "evt_1", BODY, 0) != sign(pair[1], "evt_1", BODY, 0)


@given(st.lists(times, min_size=2, max_size=2, unique=True))
def test_another_time_changes_the_digest_of_a_timestamped_signature(pair: list[int]) -> None:
    digests = {timestamped_signature(SECRET, BODY, at_s).partition(",")[2] for at_s in pair}
    assert len(digests) == 2


@given(st.lists(times, min_size=2, max_size=2, unique=True))
def test_another_time_changes_a_standard_signature(pair: list[int]) -> None:
    assert len({standard_signature(SECRET, "evt_1", BODY, at_s) for at_s in pair}) == 2


@given(st.lists(ids, min_size=2, max_size=2, unique=True))
def test_another_id_changes_a_standard_signature(pair: list[str]) -> None:
    assert len({standard_signature(SECRET, message, BODY, 0) for message in pair}) == 2
