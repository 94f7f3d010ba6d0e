"""Signatures of Standard Webhooks, and the checks that all kinds of signatures need."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence


def standard_signature(secrets: Sequence[str], message_id: str, body: bytes, at_s: int) -> str:
    """The signatures of Standard Webhooks, one per secret: `v1,BASE64` over id, seconds and body.

    Id, seconds and body are joined by dots, signatures by spaces. The HMAC key is the
    part of a secret after its prefix, decoded from base 64.
    """
    signed = f"{message_id}.{at_s}.".encode() + body
    keys = [b64decode(secret.removeprefix("whsec_")) for secret in secrets]
    digests = [hmac.new(key, signed, "sha256").digest() for key in keys]
    return " ".join("v1," + b64encode(digest).decode() for digest in digests)


TOLERANCE_S = 300
"""The maximum difference between the signed time and now that verifiers accept (inferred)."""


class BadSignature(Exception):
    """A signature is wrong or too old; `str()` says why."""


def check_standard(
    signature: str, message_id: str, time: str, secrets: Sequence[str], body: bytes, *, now_s: int
) -> None:
    """Raises BadSignature unless one of the secrets made this signature of Standard Webhooks."""
    require_secret(secrets)
    if not is_time(time):
        raise BadSignature("webhook-timestamp is no number of seconds")
    right = standard_signature(secrets, message_id, body, int(time)).split(" ")
    require_one_of(set(signature.split(" ")), right)
    require_recent(int(time), now_s)


def require_secret(secrets: Sequence[str]) -> None:
    """Raises BadSignature if there is none."""
    if not secrets:
        raise BadSignature("there is no secret to check the signature with")


def is_time(text: str) -> bool:
    """Whether a text is a number of seconds."""
    return text.isascii() and text.isdigit() and len(text) < 16


def require_one_of(given: set[str], right: Sequence[str]) -> None:
    """Raises BadSignature unless one of the given signatures is right."""
    if not any(
        hmac.compare_digest(one.encode(), other.encode()) for one in given for other in right
    ):
        raise BadSignature("another secret or another body was signed")


def require_recent(at_s: int, now_s: int) -> None:
    """Raises BadSignature if the signed time is too far from now."""
    if abs(now_s - at_s) > TOLERANCE_S:
        when = f"{now_s - at_s} s ago" if at_s < now_s else f"{at_s - now_s} s ahead"
        raise BadSignature(f"signed {when}; at most {TOLERANCE_S} s are tolerated")
