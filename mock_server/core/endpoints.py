"""Webhook endpoints: who wants to be told of what, where, and signed with which secret."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from msgspec import Meta

from mock_server.core.chance import Chance
from mock_server.core.clock import capped_ms
from mock_server.core.numbers import Count
from mock_server.core.refusals import Invalid, UnknownEndpoint

SigningSecret = Annotated[str, Meta(pattern=r"^whsec_[0-9A-Za-z+/]{32}$(?!\n)")]
"""`whsec_` and 24 bytes in base 64, as Standard Webhooks has it too."""


class EndpointStatus(Enum):
    """Whether an endpoint is sent anything."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REVOKED = "revoked"


@dataclass(slots=True)
class Endpoint:
    """One receiver of an account's events. Times are milliseconds of the world's clock.

    failure_count: failed attempts in a row.
    rotations: how often the secret was replaced.
    previous_secret: the one before the last rotation; good until `previous_until_ms`.
    """

    id: str
    account: str
    name: str
    url: str
    event_types: tuple[str, ...]
    secret: SigningSecret
    created_ms: int
    updated_ms: int
    status: EndpointStatus = EndpointStatus.ACTIVE
    last_success_ms: int | None = None
    last_failure_ms: int | None = None
    failure_count: Count = 0
    disabled_ms: int | None = None
    revoked_ms: int | None = None
    rotations: Count = 0
    previous_secret: SigningSecret | None = None
    previous_until_ms: int = 0

    @property
    def is_active(self) -> bool:
        """Whether events are sent to it."""
        return self.status is EndpointStatus.ACTIVE

    def set_status(self, status: EndpointStatus, now_ms: int) -> None:
        """Switch it on or off, or take it back for good."""
        self.status = status
        self.disabled_ms = now_ms if status is EndpointStatus.DISABLED else None
        self.revoked_ms = now_ms if status is EndpointStatus.REVOKED else None
        self.updated_ms = now_ms

    def secrets_at(self, now_ms: int) -> tuple[str, ...]:
        """The secrets that sign at a moment, the newest first."""
        if self.previous_secret is not None and now_ms < self.previous_until_ms:
            return (self.secret, self.previous_secret)
        return (self.secret,)

    def rotate_secret(self, chance: Chance, now_ms: int, overlap_ms: int = 0) -> None:
        """Sign with a new secret from now on, for `overlap_ms` beside the old one."""
        self.rotations += 1
        self.previous_secret, self.previous_until_ms = self.secret, capped_ms(now_ms + overlap_ms)
        self.secret = new_secret(chance, f"{self.id}/{self.rotations}")
        self.updated_ms = now_ms

    def note_attempt(self, *, was_taken: bool, now_ms: int) -> None:
        """An attempt at a delivery to it has ended."""
        if was_taken:
            self.last_success_ms = now_ms
            self.failure_count = 0
        else:
            self.last_failure_ms = now_ms
            self.failure_count += 1


def new_secret(chance: Chance, subject: str) -> str:
    """A SigningSecret, the same each time for the same subject."""
    drawn = chance.draw("secret", subject) + chance.draw("more secret", subject)
    return "whsec_" + b64encode(drawn[:24]).decode()


class Endpoints:
    """Every endpoint of a world, oldest first."""

    def __init__(self, max_endpoints: int = 1000) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        self._max_endpoints = max_endpoints

    def __len__(self) -> int:
        return len(self._endpoints)

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._endpoints.values())

    def require_room(self) -> None:
        """Refuses with Invalid if there are as many endpoints as the world may have."""
        if len(self._endpoints) >= self._max_endpoints:
            raise Invalid.at(
                "",
                "limit",
                f"this world keeps {self._max_endpoints} webhook endpoints, revoked ones too, and "
                "no more (limits.webhook_endpoints): reset it to begin anew",
            )

    def add(self, endpoint: Endpoint) -> None:
        """Keep an endpoint from now on; a revoked one stays as a record."""
        self._endpoints[endpoint.id] = endpoint

    def get(self, endpoint_id: str) -> Endpoint | None:
        """The endpoint, whoever owns it."""
        return self._endpoints.get(endpoint_id)

    def find(self, endpoint_id: str, account: str) -> Endpoint:
        """The account's endpoint. Refuses with UnknownEndpoint if it is none of theirs."""
        endpoint = self._endpoints.get(endpoint_id)
        if endpoint is None or endpoint.account != account:
            raise UnknownEndpoint("this account has no webhook endpoint with that id")
        return endpoint

    def of(self, account: str) -> Iterator[Endpoint]:
        """The account's endpoints, revoked ones too."""
        return (each for each in self._endpoints.values() if each.account == account)

    def subscribed(
        self, account: str, event_type: str, *, even_inactive: bool = False
    ) -> list[Endpoint]:
        """The account's active endpoints that want events of this type."""
        return [
            each
            for each in self.of(account)
            if event_type in each.event_types and (each.is_active or even_inactive)
        ]
