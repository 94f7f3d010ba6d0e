"""A receiver of Rivya's webhooks, for whichever web framework: it takes headers and body."""

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
"""How old a signature may be, or how far ahead of our clock. Not documented by Rivya."""


class Forged(Exception):
    """The signature proves nothing. Answer 400, and do nothing."""


Check: TypeAlias = Callable[[Mapping[str, str], bytes], None]
"""Raises Forged for headers, with small names, and a body that the sender did not sign."""


@dataclass(frozen=True, slots=True)
class Event:
    """The end of a generation. id: the same each time the event is sent."""

    id: str
    type: str
    generation: Generation


class Webhooks:
    """Has each event handled once, in whatever order they come.

    What was handled is kept in memory; a service of several processes keeps it in a table with the
    event's id as the key, written together with what the event changes.
    """

    def __init__(self, check: Check, handle: Callable[[Event], object]) -> None:
        self._check = check
        self._handle = handle
        self._handled: set[str] = set()

    def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """Handle an event unless that was done before; then answer 200.

        Raises Forged, and what the handler raises: answer 500, and the event comes again.
        """
        self._check({name.lower(): value for name, value in headers.items()}, body)
        told: Any = json.loads(body)
        event = Event(told["id"], told["type"], read_generation(told["data"]))
        if event.id not in self._handled:
            self._handle(event)
            self._handled.add(event.id)


def rivya_signature(secret: str, now: Callable[[], float] = time.time) -> Check:
    """`Rivya-Signature: t=SECONDS,v1=HEX`, over the seconds, a dot and the very bytes of the body.

    now: seconds since 1970. While a secret is being rotated there is more than one `v1`.
    """

    def check(headers: Mapping[str, str], body: bytes) -> None:
        fields = [part.partition("=") for part in headers.get("rivya-signature", "").split(",")]
        times = [value for name, _, value in fields if name == "t" and value.isdecimal()]
        if len(times) != 1:
            raise Forged("not signed")
        right = hmac.new(secret.encode(), times[0].encode() + b"." + body, "sha256").hexdigest()
        given = [value.encode() for name, _, value in fields if name == "v1"]
        if not any(hmac.compare_digest(value, right.encode()) for value in given):
            raise Forged("another secret or another body was signed")
        if abs(now() - int(times[0])) > TOLERANCE_S:
            raise Forged("signed too long ago, or in the future")

    return check


def standard_signature(secret: str) -> Check:
    """Standard Webhooks, by its own library: `webhook-id`, `webhook-timestamp`, `-signature`."""
    webhook = Webhook(secret)

    def check(headers: Mapping[str, str], body: bytes) -> None:
        try:
            webhook.verify(body, dict(headers))
        except WebhookVerificationError as error:
            raise Forged(str(error)) from None

    return check
