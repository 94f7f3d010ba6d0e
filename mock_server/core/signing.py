"""Secret, body and time in, signature out."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode


def callback_signature(secret: str, body: bytes) -> str:
    """Ace Data Cloud's: hex HMAC-SHA256 over the very bytes of the body (docs:D1)."""
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def timestamped_signature(secret: str, body: bytes, at_s: int) -> str:
    """Rivya's (rivya-webhook-signature): `t=SECONDS,v1=HEX`.

    The HMAC-SHA256 is over the seconds, a dot and the body; its key is the whole secret, prefix
    and all.
    """
    digest = hmac.new(secret.encode(), b"%d." % at_s + body, "sha256").hexdigest()
    return f"t={at_s},v1={digest}"


def standard_signature(secret: str, message_id: str, body: bytes, at_s: int) -> str:
    """That of Standard Webhooks: `v1,BASE64` over id, seconds and body, joined by dots.

    The key is what the secret spells in base 64 after its prefix.
    """
    key = b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{at_s}.".encode() + body
    return "v1," + b64encode(hmac.new(key, signed, "sha256").digest()).decode()
