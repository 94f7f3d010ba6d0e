"""What can go wrong with a delivery: how often, when, signed how, saying what, carried how.

One value describes one way of going wrong, field by field; a scenario file is nothing but such
values, so that a new way to go wrong is a new file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from mock_server.core.durations import Seconds
from mock_server.core.header_text import HeaderText, NonEmptyHeaderText


class ReceiverAnswer(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What seems to answer in the receiver's place; the receiver itself never sees the request.

    status: None if nothing is answered within the sender's patience.
    retry_after_s: sent as the header Retry-After.
    """

    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    retry_after_s: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    location: HeaderText | None = None

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers that go with the status."""
        named = (("retry-after", self.retry_after_s), ("location", self.location))
        return tuple((name, str(value)) for name, value in named if value is not None)


class DeliveryFault(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
    tag="delivery",
):
    """One way in which a delivery goes wrong; without any field it goes right.

    What is owed:
    copies: how many deliveries of the event there are; 0: it is never sent.
    apart_s: world's seconds between copies; 0: all of them at one moment.
    late_s: world's seconds before the first attempt.
    after_next: held back until the next event for this receiver has been tried.
    contradicted: an event that tells of the opposite outcome goes first, the true one `late_s`
        after it.
    unknown_task: the event tells of a task that nobody ever made.
    deleted_endpoint: sent even if the endpoint was switched off or taken back.

    How it is signed:
    signed_with: which secret; `previous` is the one before the last rotation, `nothing` leaves
        the signature out.
    signed_s: how far the signed time is off; -3600 was signed an hour ago.

    What it says:
    event_type: another type than the event has.
    extra_fields: fields no document knows.
    body: what is left of the body.
    content_type: instead of application/json.
    altered: changed after it was signed.

    How it travels:
    attempts: only the first so many attempts go wrong; None: every one.
    connection: broken off in the middle, TLS spoken to a plain port, or no such host.
    bytes_per_s: how slowly the body trickles, in real time.
    answer: what is answered in the receiver's place.
    """

    copies: Annotated[int, Meta(ge=0, le=1000)] = 1
    apart_s: Seconds = 0.0
    late_s: Seconds = 0.0
    after_next: bool = False
    contradicted: bool = False
    unknown_task: bool = False
    deleted_endpoint: bool = False
    signed_with: Literal["current", "previous", "wrong", "nothing"] = "current"
    signed_s: Annotated[float, Meta(ge=-(10**9), le=10**9)] = 0.0
    event_type: NonEmptyHeaderText | None = None
    extra_fields: dict[str, Any] = {}
    body: Literal["whole", "cut", "not_json", "empty"] = "whole"
    content_type: NonEmptyHeaderText | None = None
    altered: bool = False
    attempts: Annotated[int, Meta(ge=1)] | None = None
    connection: Literal["reset", "tls", "dns"] | None = None
    bytes_per_s: Annotated[int, Meta(ge=1)] | None = None
    answer: ReceiverAnswer | None = None

    def __post_init__(self) -> None:
        answer = self.answer
        if answer is not None and self.connection is not None:
            raise ValueError("answer leaves no connection to break: the receiver is not called")
        if answer is not None and answer.status is None and answer.headers:
            raise ValueError("an answer without a status has no retry_after_s and no location")
        if self.copies == 0 and self.contradicted:
            raise ValueError("an event that is never sent (copies = 0) cannot be contradicted")
        if self.signed_with == "nothing" and self.signed_s:
            raise ValueError("signed_with = nothing leaves no time that signed_s could change")

    @property
    def concerns_signature(self) -> bool:
        """Whether it can only be seen on a delivery that is signed."""
        return self.altered or self.signed_with != "current" or self.signed_s != 0

    def due_ms(self, now_ms: int) -> list[int]:
        """When each copy is to be tried first, in milliseconds of the world's clock."""
        first_ms = now_ms + round(self.late_s * 1000)
        apart_ms = round(self.apart_s * 1000)
        return [first_ms + number * apart_ms for number in range(self.copies)]

    def hits(self, attempt_number: int) -> bool:
        """Whether this attempt, counted from 1, goes wrong at all."""
        return self.attempts is None or attempt_number <= self.attempts

    def written(self, body: bytes) -> bytes:
        """The body as it is signed."""
        if self.event_type is not None or self.extra_fields:
            fields: dict[str, Any] = msgspec.json.decode(body)
            if self.event_type is not None:
                fields["type"] = self.event_type
            body = msgspec.json.encode(fields | self.extra_fields)
        match self.body:
            case "cut":
                return body[: len(body) // 2]
            case "not_json":
                return b"<html><body>502 Bad Gateway</body></html>"
            case "empty":
                return b""
        return body

    def sent(self, body: bytes) -> bytes:
        """The body as it is sent, after it was signed."""
        return body.replace(b"{", b'{"altered":true,', 1) if self.altered else body


SOUND = DeliveryFault()
"""Nothing goes wrong."""
