"""The names of headers that hold a credential."""

import re

_NAME = re.compile(
    rb"(?:.*[-_])?(?:authorization|authentication|auth|bearer|cookie2?|credentials?|jwt|password"
    rb"|secret|session|token|(?:api)?key)",
    re.IGNORECASE,
)
_NO_CREDENTIALS = frozenset({b"idempotency-key", b"sec-websocket-key"})


def holds_credential(name: bytes) -> bool:
    """Whether a header of this name, in lower case, holds a credential."""
    return name not in _NO_CREDENTIALS and _NAME.fullmatch(name) is not None
