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

from mock_server.apis.acedata.callbacks import callback_signature, check_callback
from mock_server.apis.rivya.events import check_timestamped, timestamped_signature
from mock_server.core.chance import Chance
from mock_server.core.endpoints import new_secret
from mock_server.core.signing import TOLERANCE_S, BadSignature, check_standard, standard_signature
from tests.rows import each_row

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"id":"evt_1","text":"Grüße 🎬"}'.encode()

Sign = Callable[[str, str, bytes, int], str]
SCHEMES: list[Sign] = [
    lambda secret, _message, body, _at_s: callback_signature(secret, body),
    lambda secret, _message, body, at_s: timestamped_signature([secret], body, at_s),
    lambda secret, message, body, at_s: standard_signature([secret], message, body, at_s),
]
EVERY_SCHEME = pytest.mark.parametrize("sign", SCHEMES, ids=["callback", "timestamped", "standard"])

secrets = st.binary(min_size=24, max_size=24).map(lambda key: "whsec_" + b64encode(key).decode())
ids = st.text("abcdef0123456789_", min_size=1)
times = st.integers(0, 2**40)


# Cases 1, 2 and 4 of RFC 4231: those with UTF-8 keys and whole digests.
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
    assert timestamped_signature([secret], body, at_s) == f"t={at_s},v1={expected}"


def test_a_standard_signature_is_the_one_of_the_published_example() -> None:
    signature = standard_signature(
        [SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', 1614265330
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", [SECRET, new_secret(Chance(7), "whend_1")])
def test_the_published_library_accepts_a_standard_signature(secret: str) -> None:
    at_s = int(time.time())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(at_s),
        "webhook-signature": standard_signature([secret], "evt_1", BODY, at_s),
    }
    assert Webhook(secret).verify(BODY, headers) == {"id": "evt_1", "text": "Grüße 🎬"}


def test_the_published_library_refuses_the_signature_of_another_secret() -> None:
    at_s = int(time.time())
    other = new_secret(Chance(7), "whend_1")
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(at_s),
        "webhook-signature": standard_signature([other], "evt_1", BODY, at_s),
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
    digests = {timestamped_signature([SECRET], BODY, at_s).partition(",")[2] for at_s in pair}
    assert len(digests) == 2


@given(st.lists(times, min_size=2, max_size=2, unique=True))
def test_another_time_changes_a_standard_signature(pair: list[int]) -> None:
    assert len({standard_signature([SECRET], "evt_1", BODY, at_s) for at_s in pair}) == 2


@given(st.lists(ids, min_size=2, max_size=2, unique=True))
def test_another_id_changes_a_standard_signature(pair: list[str]) -> None:
    assert len({standard_signature([SECRET], message, BODY, 0) for message in pair}) == 2


# --- several secrets -------------------------------------------------------------------------


@given(st.lists(secrets, max_size=3), st.binary(), times)
def test_each_secret_adds_a_signature_in_order(some: list[str], body: bytes, at_s: int) -> None:
    one_by_one = [timestamped_signature([each], body, at_s).partition(",")[2] for each in some]
    assert timestamped_signature(some, body, at_s) == ",".join([f"t={at_s}", *one_by_one])
    alone = [standard_signature([each], "evt_1", body, at_s) for each in some]
    assert standard_signature(some, "evt_1", body, at_s) == " ".join(alone)


# --- checks ----------------------------------------------------------------------------------

Check = Callable[[str, list[str], bytes, int, int], None]


def timestamped(signature: str, keys: list[str], body: bytes, _at_s: int, now_s: int) -> None:
    check_timestamped(signature, keys, body, now_s)


def standard(signature: str, keys: list[str], body: bytes, at_s: int, now_s: int) -> None:
    check_standard(signature, "evt_1", str(at_s), keys, body, now_s=now_s)


def sign_timestamped(keys: list[str], body: bytes, at_s: int) -> str:
    return timestamped_signature(keys, body, at_s)


def sign_standard(keys: list[str], body: bytes, at_s: int) -> str:
    return standard_signature(keys, "evt_1", body, at_s)


BOTH = pytest.mark.parametrize(
    ("sign", "check"), [(sign_timestamped, timestamped), (sign_standard, standard)]
)
Several = Callable[[list[str], bytes, int], str]
AT_S = 1778457600
OTHER = "whsec_" + b64encode(b"another secret of 24 byte").decode()


@given(st.text(st.characters(codec="utf-8")), st.binary())
def test_a_callback_signature_is_valid_for_its_secret_and_body(secret: str, body: bytes) -> None:
    check_callback(callback_signature(secret, body), secret, body)


@pytest.mark.parametrize(
    ("signature", "secret", "body"),
    [
        (callback_signature("s", b"a"), "s", b"b"),
        (callback_signature("s", b"a"), "t", b"a"),
        (callback_signature("s", b"a").upper(), "s", b"a"),
        (callback_signature("s", b"a")[:-1], "s", b"a"),
        ("", "s", b"a"),
        ("\xff€", "s", b"a"),
    ],
)
def test_any_other_callback_signature_is_invalid(signature: str, secret: str, body: bytes) -> None:
    with pytest.raises(BadSignature, match="another secret or another body"):
        check_callback(signature, secret, body)


some_secrets = st.lists(secrets, min_size=1, max_size=3, unique=True)


@BOTH
@given(some_secrets, some_secrets, st.integers(-2 * TOLERANCE_S, 2 * TOLERANCE_S))
def test_a_recent_signature_of_one_of_the_secrets_is_valid(
    sign: Several, check: Check, signing: list[str], known: list[str], off_s: int
) -> None:
    for shared in (known, [*known, signing[-1]]):
        signature = sign(signing, BODY, AT_S)
        if set(signing) & set(shared) and abs(off_s) <= TOLERANCE_S:
            check(signature, shared, BODY, AT_S, AT_S + off_s)
        else:
            with pytest.raises(BadSignature):
                check(signature, shared, BODY, AT_S, AT_S + off_s)


@BOTH
@given(st.binary(min_size=1), st.data())
def test_a_changed_byte_makes_a_signature_invalid(
    sign: Several, check: Check, body: bytes, data: st.DataObject
) -> None:
    changed = bytearray(body)
    changed[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadSignature, match="another secret or another body"):
        check(sign([SECRET], body, AT_S), [SECRET], bytes(changed), AT_S, AT_S)


@BOTH
@pytest.mark.parametrize(
    ("off_s", "why"), [(301, "signed 301 s ago"), (-301, "signed 301 s ahead")]
)
def test_an_old_signature_is_refused_with_its_age(
    sign: Several, check: Check, off_s: int, why: str
) -> None:
    with pytest.raises(BadSignature, match=f"{why}; at most 300 s are tolerated"):
        check(sign([SECRET], BODY, AT_S), [SECRET], BODY, AT_S, AT_S + off_s)


@BOTH
def test_a_wrong_and_old_signature_is_refused_as_wrong(sign: Several, check: Check) -> None:
    with pytest.raises(BadSignature, match="another secret"):
        check(sign([OTHER], BODY, AT_S), [SECRET], BODY, AT_S, AT_S + 301)


@BOTH
@pytest.mark.parametrize("spoilt", [str, lambda _: "", lambda _: " ", lambda made: f"{made} "])
def test_without_secrets_no_signature_is_valid(
    sign: Several, check: Check, spoilt: Callable[[str], str]
) -> None:
    with pytest.raises(BadSignature):
        check(spoilt(sign([SECRET], BODY, AT_S)), [], BODY, AT_S, AT_S)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "t=1",
        "v1=a",
        "t=,v1=a",
        "t=-1,v1=a",
        "t=1,t=1,v1=a",
        "t=\xb2,v1=a",
        "t=1;v1=a",
        "t=1e3,v1=a",
    ],
)
def test_a_malformed_signature_is_refused_as_malformed(signature: str) -> None:
    with pytest.raises(BadSignature, match="is not of the form"):
        check_timestamped(signature, [SECRET], BODY, 1)


@pytest.mark.parametrize("time", ["", "soon", "-1", "1.5", "\xb2", "9" * 16])
def test_a_standard_time_is_a_number_of_seconds(time: str) -> None:
    with pytest.raises(BadSignature, match="no number of seconds"):
        check_standard("v1,a", "evt_1", time, [SECRET], BODY, now_s=1)


def test_a_field_of_another_signature_version_is_ignored() -> None:
    signature = timestamped_signature([SECRET], BODY, AT_S) + ",v0=abc"
    check_timestamped(signature, [SECRET], BODY, AT_S)


@each_row("off_s", [0, -290, 290, -310, 310])
@each_row("signing", [[SECRET], [OTHER], [OTHER, SECRET], [SECRET, OTHER], []])
@each_row("body", [BODY, b'{"other": 1}'])
@each_row("more", ["", " v1a,abc", " v2,abc", " "])
def test_the_published_library_agrees_about_every_signature(
    off_s: int, signing: list[str], body: bytes, more: str
) -> None:
    now_s = int(time.time())
    at_s = now_s + off_s
    signature = standard_signature(signing, "evt_1", BODY, at_s) + more
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(at_s),
        "webhook-signature": signature,
    }
    assert is_good(
        lambda: check_standard(signature, "evt_1", str(at_s), [SECRET], body, now_s=now_s)
    ) is is_good(lambda: Webhook(SECRET).verify(body, headers))


def is_good(verify: Callable[[], object]) -> bool:
    try:
        verify()
    except (BadSignature, WebhookVerificationError, ValueError):
        return False
    return True
