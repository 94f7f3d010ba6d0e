"""One request and its answer as they were sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contract_tests.json_values import parse_json

GATEWAY_STATUSES = frozenset({502, 503, 504, *range(520, 528), 530})
"""Statuses with which a gateway or a CDN answers if the service itself does not."""


@dataclass(frozen=True)
class Exchange:
    """A request and its answer. Header names are lower case; times are real seconds."""

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
        """The answer's body as JSON, or None if it is no JSON."""
        return parse_json(self.body)

    @cached_property
    def sent_json(self) -> Any:
        """The request's body as JSON, or None if it is no JSON."""
        return parse_json(self.sent_body)

    @property
    def is_from_gateway(self) -> bool:
        """Whether a gateway answered: its status, without the error envelope of an API."""
        if self.status not in GATEWAY_STATUSES:
            return False
        error = self.json.get("error") if isinstance(self.json, dict) else None
        return not (isinstance(error, dict) and "code" in error)

    @property
    def key(self) -> str | None:
        """The Bearer credential of the request, if it had one."""
        scheme, _, credential = self.sent_headers.get("authorization", "").partition(" ")
        return credential if scheme.lower() == "bearer" and credential else None
