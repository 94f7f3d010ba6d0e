"""Handles Rivya's webhooks in any web framework, from their headers and body."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from rivya_wire import Generation, read_generation
from standardwebhooks import Webhook, WebhookVerificationError

TOLERANCE_S = 300
"""How far the time of a signature may be from our clock. Rivya does not document it."""


class Forged(Exception):
    """The signature is wrong. Answer 400, and do nothing."""


Check: TypeAlias = Callable[[Mapping[str, str], bytes], None]
"""Raises Forged if the sender did not sign the body. Header names are lower case."""


@dataclass(frozen=True, slots=True)
class Event:
    """The end of a generation. id: the same in each attempt."""

    id: str
    type: str
    generation: Generation


class Webhooks:
    """Handles each event once, in any order.

    The ids of handled events are in memory. A service of several processes needs a table with the
    event's id as its key, written in the same transaction as the changes for the event.
    """

    def __init__(self, check: Check, handle: Callable[[Event], object]) -> None:
        self._check = check
        self._handle = handle
        self._handled: set[str] = set()

    def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """Handle an event that is new; then answer 200.

        Raises Forged, and the errors of the handler: answer 500, and the event is sent again.
        """
        self._check({name.lower(): value for name, value in headers.items()}, body)
        fields: Any = json.loads(body)
        event = Event(fields["id"], fields["type"], read_generation(fields["data"]))
        if event.id not in self._handled:
            self._handle(event)
            self._handled.add(event.id)


def rivya_signature(secret: str, now: Callable[[], float] = time.time) -> Check:
    """Checks `Rivya-Signature: t=SECONDS,v1=HEX`, over seconds, a dot and the bytes of the body.

    now: seconds since 1970. During a rotation of the secret there is more than one `v1`.
    """

    def check(headers: Mapping[str, str], body: bytes) -> None:
        fields = [part.partition("=") for part in headers.get("rivya-signature", "").split(",")]
        times = [value for name, _, value in fields if name == "t" and value.isdecimal()]
        if len(times) != 1:
            raise Forged("there is no signature")
        right = hmac.new(secret.encode(), times[0].encode() + b"." + body, "sha256").hexdigest()
        given = [value.encode() for name, _, value in fields if name == "v1"]
        if not any(hmac.compare_digest(value, right.encode()) for value in given):
            raise Forged("the signature is of another secret or another body")
        if abs(now() - int(times[0])) > TOLERANCE_S:
            raise Forged("the signature is too old, or from the future")

    return check


def standard_signature(secret: str) -> Check:
    """Checks the headers of Standard Webhooks, with the library of that standard."""
    webhook = Webhook(secret)

    def check(headers: Mapping[str, str], body: bytes) -> None:
        try:
            webhook.verify(body, dict(headers))
        except WebhookVerificationError as error:
            raise Forged(str(error)) from None

    return check
