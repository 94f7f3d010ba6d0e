"""One request with its answer, as it went over the wire; and what of it may be written down."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

HIDDEN = "[hidden]"
_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie"})
_SECRET_FIELDS = re.compile(rb'("(?:signing_secret|callback_secret)"\s*:\s*"(?:whsec_)?)[^"]*(")')


@dataclass(frozen=True)
class Exchange:
    """What was sent and what came back. Header names are lower case; times are real seconds."""

    method: str
    url: str
    path: str
    sent_headers: Mapping[str, str]
    sent_body: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes
    started_s: float
    took_s: float

    @cached_property
    def json(self) -> Any:
        """The answer's body as JSON, or None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @cached_property
    def sent_json(self) -> Any:
        """The request's body as JSON, or None if it is none."""
        try:
            return json.loads(self.sent_body)
        except ValueError:
            return None

    @property
    def key(self) -> str | None:
        """The credential that was sent, if it was a Bearer one."""
        scheme, _, credential = self.sent_headers.get("authorization", "").partition(" ")
        return credential if scheme.lower() == "bearer" and credential else None


def without_secrets(exchange: Exchange, secrets: Iterable[str]) -> Exchange:
    """The exchange as it may be kept: no credential, no signing secret."""
    known = [secret.encode() for secret in secrets if secret]

    def body(raw: bytes) -> bytes:
        for secret in known:
            raw = raw.replace(secret, HIDDEN.encode())
        return _SECRET_FIELDS.sub(rb"\1" + HIDDEN.encode() + rb"\2", raw)

    def headers(named: Mapping[str, str]) -> dict[str, str]:
        return {
            name: HIDDEN if name in _SECRET_HEADERS else body(value.encode()).decode()
            for name, value in named.items()
        }

    return replace(
        exchange,
        url=body(exchange.url.encode()).decode(),
        path=body(exchange.path.encode()).decode(),
        sent_headers=headers(exchange.sent_headers),
        sent_body=body(exchange.sent_body),
        headers=headers(exchange.headers),
        body=body(exchange.body),
    )
