"""Secret, body and time in, signature out."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence


def callback_signature(secret: str, body: bytes) -> str:
    """Ace Data Cloud's: hex HMAC-SHA256 over the very bytes of the body (docs:D1)."""
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def timestamped_signature(secrets: Sequence[str], body: bytes, at_s: int) -> str:
    """Rivya's (rivya-webhook-signature): `t=SECONDS,v1=HEX`, and one more `v1` per more secret.

    The HMAC-SHA256 is over the seconds, a dot and the body; its key is the whole secret, prefix
    and all.
    """
    signed = b"%d." % at_s + body
    digests = [hmac.new(secret.encode(), signed, "sha256").hexdigest() for secret in secrets]
    return ",".join([f"t={at_s}", *(f"v1={digest}" for digest in digests)])


def standard_signature(secrets: Sequence[str], message_id: str, body: bytes, at_s: int) -> str:
    """That of Standard Webhooks: `v1,BASE64` over id, seconds and body, one per secret.

    Id, seconds and body are joined by dots, signatures by spaces. A key is what the secret spells
    in base 64 after its prefix.
    """
    signed = f"{message_id}.{at_s}.".encode() + body
    keys = [b64decode(secret.removeprefix("whsec_")) for secret in secrets]
    digests = [hmac.new(key, signed, "sha256").digest() for key in keys]
    return " ".join("v1," + b64encode(digest).decode() for digest in digests)


TOLERANCE_S = 300
"""How far the signed time may be off, either way, before a verifier should refuse (inferred)."""


class BadSignature(Exception):
    """A signature that proves nothing; `str()` says why."""


def check_callback(signature: str, secret: str, body: bytes) -> None:
    """Whether Ace Data Cloud's signature is right. Raises BadSignature."""
    if not hmac.compare_digest(signature.encode(), callback_signature(secret, body).encode()):
        raise BadSignature("another secret or another body was signed")


def check_timestamped(signature: str, secrets: Sequence[str], body: bytes, now_s: int) -> None:
    """Whether one of the secrets made Rivya's signature, not long ago. Raises BadSignature."""
    _require_secret(secrets)
    fields = [field.partition("=") for field in signature.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    given = {value for name, _, value in fields if name == "v1"}
    if len(times) != 1 or not _is_time(times[0]) or not given:
        raise BadSignature("the header is not of the form t=SECONDS,v1=HEX")
    at_s = int(times[0])
    right = timestamped_signature(secrets, body, at_s).split(",v1=")[1:]
    _require_one_of(given, right)
    _require_recent(at_s, now_s)


def check_standard(
    signature: str, message_id: str, time: str, secrets: Sequence[str], body: bytes, *, now_s: int
) -> None:
    """Whether one of the secrets made this Standard Webhooks signature. Raises BadSignature."""
    _require_secret(secrets)
    if not _is_time(time):
        raise BadSignature("webhook-timestamp is no number of seconds")
    right = standard_signature(secrets, message_id, body, int(time)).split(" ")
    _require_one_of(set(signature.split(" ")), right)
    _require_recent(int(time), now_s)


def _require_secret(secrets: Sequence[str]) -> None:
    if not secrets:
        raise BadSignature("nobody here has a secret")


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _require_one_of(given: set[str], right: Sequence[str]) -> None:
    if not any(
        hmac.compare_digest(one.encode(), other.encode()) for one in given for other in right
    ):
        raise BadSignature("another secret or another body was signed")


def _require_recent(at_s: int, now_s: int) -> None:
    if abs(now_s - at_s) > TOLERANCE_S:
        when = f"{now_s - at_s} s ago" if at_s < now_s else f"{at_s - now_s} s ahead"
        raise BadSignature(f"signed {when}; at most {TOLERANCE_S} s are tolerated")
