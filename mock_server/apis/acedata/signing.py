"""How Ace Data Cloud signs its callbacks."""

import hmac

from mock_server.core.signing import require_one_of


def callback_signature(secret: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over the bytes of the body as they are sent (docs:D1)."""
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def check_callback(signature: str, secret: str, body: bytes) -> None:
    """Raises BadSignature unless the signature is right."""
    require_one_of({signature}, [callback_signature(secret, body)])
