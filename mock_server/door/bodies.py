"""Bodies of kept requests and answers, shown in JSON without losing a byte."""

from __future__ import annotations

from base64 import b64encode


def shown_body(body: bytes) -> dict[str, str]:
    """The body as text, which is what people read, and in base 64, which is what it was."""
    return {"body": body.decode(errors="replace"), "body_base64": b64encode(body).decode()}
