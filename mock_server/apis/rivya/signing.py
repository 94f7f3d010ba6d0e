"""Rivya's own signature of webhooks; a setting selects that of Standard Webhooks instead."""

import hmac
from collections.abc import Sequence

from mock_server.core.signing import (
    BadSignature,
    is_time,
    require_one_of,
    require_recent,
    require_secret,
)


def timestamped_signature(secrets: Sequence[str], body: bytes, at_s: int) -> str:
    """`t=SECONDS,v1=HEX` with one `v1` per secret (rivya-webhook-signature).
    The HMAC-SHA256 is over the seconds, a dot and the body. The key is the whole secret."""
    signed = b"%d." % at_s + body
    digests = [hmac.new(secret.encode(), signed, "sha256").hexdigest() for secret in secrets]
    return ",".join([f"t={at_s}", *(f"v1={digest}" for digest in digests)])


def check_timestamped(signature: str, secrets: Sequence[str], body: bytes, now_s: int) -> None:
    """Raises BadSignature unless one of the secrets made the signature within the tolerance."""
    require_secret(secrets)
    fields = [field.partition("=") for field in signature.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    given = {value for name, _, value in fields if name == "v1"}
    if len(times) != 1 or not is_time(times[0]) or not given:
        raise BadSignature("the header is not of the form t=SECONDS,v1=HEX")
    at_s = int(times[0])
    right = timestamped_signature(secrets, body, at_s).split(",v1=")[1:]
    require_one_of(given, right)
    require_recent(at_s, now_s)
