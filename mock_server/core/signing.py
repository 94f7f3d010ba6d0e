"""Secret and body in, signature out."""

from __future__ import annotations

import hmac


def callback_signature(secret: str, body: bytes) -> str:
    """Ace Data Cloud's: hex HMAC-SHA256 over the very bytes of the body (docs:D1)."""
    return hmac.new(secret.encode(), body, "sha256").hexdigest()
