"""Webhook endpoints: the URL, the event types and the secret of each."""

from base64 import b64encode
from collections.abc import Iterator
from enum import Enum
from typing import Annotated

from msgspec import Struct

from mock_server.core.chance import Chance
from mock_server.core.clock import capped_ms
from mock_server.core.field_types import Count, form
from mock_server.core.marks import Marks
from mock_server.core.records import Records
from mock_server.core.refusals import Invalid, UnknownEndpoint

SigningSecret = Annotated[
    str, form(r"^whsec_[0-9A-Za-z+/]{32}$(?!\n)", "must be whsec_ and 32 characters of Base64")
]
"""`whsec_` and 24 bytes in base 64, as in Standard Webhooks."""


class EndpointStatus(Enum):
    """The status of an endpoint; only an active one receives events."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REVOKED = "revoked"


class Endpoint(Struct):
    """One receiver of an account's events.

    failure_count: failed attempts since the last success.
    rotations: how often the secret was replaced.
    previous_secret: the one before the last rotation; valid until `previous_until_ms`.
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
        """Whether it receives events."""
        return self.status is EndpointStatus.ACTIVE

    def set_status(self, status: EndpointStatus, now_ms: int) -> None:
        """Enable, disable or revoke it."""
        self.status = status
        self.disabled_ms = now_ms if status is EndpointStatus.DISABLED else None
        self.revoked_ms = now_ms if status is EndpointStatus.REVOKED else None
        self.updated_ms = now_ms

    def secrets_at(self, now_ms: int) -> tuple[str, ...]:
        """The secrets that sign at a time, the newest first."""
        if self.previous_secret is not None and now_ms < self.previous_until_ms:
            return (self.secret, self.previous_secret)
        return (self.secret,)

    def rotate_secret(self, chance: Chance, now_ms: int, overlap_ms: int = 0) -> None:
        """Replace the secret; the old one signs too for another `overlap_ms`."""
        self.rotations += 1
        self.previous_secret, self.previous_until_ms = self.secret, capped_ms(now_ms + overlap_ms)
        self.secret = new_secret(chance, f"{self.id}/{self.rotations}")
        self.updated_ms = now_ms

    def record_attempt(self, *, was_accepted: bool, now_ms: int) -> None:
        """Count an attempt that has ended."""
        if was_accepted:
            self.last_success_ms = now_ms
            self.failure_count = 0
        else:
            self.last_failure_ms = now_ms
            self.failure_count += 1


def new_secret(chance: Chance, subject: str) -> str:
    """A SigningSecret, always the same for a subject."""
    random = chance.random_bytes("secret", subject) + chance.random_bytes("more secret", subject)
    return "whsec_" + b64encode(random[:24]).decode()


class Endpoints(Records[Endpoint]):
    """All endpoints of a world; a revoked one stays as a record."""

    def __init__(self, max_endpoints: int = 1000, marks: Marks | None = None) -> None:
        super().__init__()
        self._marks = marks or Marks()
        self._max_endpoints = max_endpoints

    def require_room(self) -> None:
        """Refuses with Invalid if the world has the maximum number of endpoints."""
        if len(self) >= self._max_endpoints:
            raise Invalid.at(
                "",
                "limit",
                f"this world keeps {self._max_endpoints} webhook endpoints, revoked ones too, and "
                "no more (limits.webhook_endpoints): reset it to begin anew",
            )

    def add(self, endpoint: Endpoint) -> None:
        """Keep an endpoint."""
        self._records[endpoint.id] = endpoint
        self.note_change(endpoint)

    def note_change(self, endpoint: Endpoint) -> None:
        """Call this when an endpoint has changed."""
        self._marks.mark("endpoint", endpoint.id)

    def find(self, endpoint_id: str, account: str) -> Endpoint:
        """The account's endpoint. Refuses with UnknownEndpoint if it has none with this id."""
        endpoint = self.get(endpoint_id)
        if endpoint is None or endpoint.account != account:
            raise UnknownEndpoint("this account has no webhook endpoint with that id")
        return endpoint

    def has_any(self, account: str) -> bool:
        """Whether the account has an endpoint, even a revoked one."""
        return bool(self._records) and any(self.of(account))

    def of(self, account: str) -> Iterator[Endpoint]:
        """The account's endpoints, revoked ones too."""
        return (each for each in self if each.account == account)

    def subscribed(
        self, account: str, event_type: str, *, even_inactive: bool = False
    ) -> list[Endpoint]:
        """The account's active endpoints that subscribe to this type of event."""
        return [
            each
            for each in self.of(account)
            if event_type in each.event_types and (each.is_active or even_inactive)
        ]
