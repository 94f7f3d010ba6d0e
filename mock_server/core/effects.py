"""Effects of faults: on a request and its answer, on a task, and on a delivery."""

import math
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct, field

from mock_server.core.field_edits import FaultEffect, FieldEdits
from mock_server.core.field_types import (
    LONGEST_S,
    HeaderName,
    HeaderText,
    NonEmptyHeaderText,
    Seconds,
)
from mock_server.core.json_values import add_missing
from mock_server.core.lifecycle import OUTCOMES, FailureReason
from mock_server.core.spelling import Spelling, reformatted, spelled
from mock_server.core.tasks import NEVER_MS, PlannedOutcome

When = Literal["before", "after"]
"""Before or after the state has changed."""


class WithRetryAfter(FaultEffect, frozen=True, kw_only=True):
    """An effect with an answer that may have the header Retry-After.

    retry_after_s: the wait, in seconds of the caller.
    retry_after_as: `date`: the moment when the wait is over, by the clock of the machine: the
        caller's, whatever the clock of the world.
    retry_after: the value of the header, in place of both.
    """

    retry_after_s: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    retry_after_as: Literal["seconds", "date"] = "seconds"
    retry_after: HeaderText | None = None

    def __post_init__(self) -> None:
        if self.retry_after is not None and self.retry_after_s is not None:
            raise ValueError("retry_after is the whole header: leave out retry_after_s")
        if self.retry_after_as == "date" and self.retry_after_s is None:
            raise ValueError("retry_after_as = date needs the wait: add retry_after_s")


class ErrorFault(WithRetryAfter, frozen=True, kw_only=True, tag="error"):
    """The request is refused with an error of its API.

    code: from the error table of the API.
    message: in place of the default one.
    when: `after`: refused although the state has changed.
    """

    code: Annotated[str, Meta(min_length=1)]
    message: str | None = None
    when: When = "before"


class AnswerFault(WithRetryAfter, frozen=True, kw_only=True, tag="answer"):
    """An answer that no API gives, as from a proxy: any status and body.

    status, body, content_type, headers: of the answer.
    when: `after`: given although the state has changed.
    """

    status: Annotated[int, Meta(ge=200, le=599)]
    body: str = ""
    content_type: NonEmptyHeaderText = "text/html"
    headers: dict[HeaderName, HeaderText] = field(default_factory=dict)
    when: When = "before"

    def __post_init__(self) -> None:
        WithRetryAfter.__post_init__(self)
        for name in self.headers:
            if name.lower() in {"content-length", "transfer-encoding"}:
                raise ValueError(f"the header {name} follows from the body and cannot be set")
            if (
                name.lower() == "retry-after"
                and (self.retry_after_s, self.retry_after) != (None,) * 2
            ):
                raise ValueError(f"the header {name} is set twice: leave it out of headers")


class ConnectionFault(FaultEffect, frozen=True, kw_only=True, tag="connection"):
    """There is no whole answer: the connection is reset, or hangs until the caller closes it.

    how: reset, or hang: no more bytes until the caller closes the connection.
    after_bytes: the bytes of the body that are sent before; None: not even the headers.
    when: whether the state has changed. With `after_bytes` it always has.
    """

    how: Literal["reset", "hang"]
    after_bytes: Annotated[int, Meta(ge=0)] | None = None
    when: When = "before"


class DelayFault(FaultEffect, frozen=True, kw_only=True, tag="delay"):
    """The answer is late, in seconds of the world's clock. Exactly one of the three is set.

    seconds: a fixed time. uniform_s: minimum and maximum. lognormal_s: median and 99th percentile.
    when: `after`: the state changes at once, before the wait.
    """

    seconds: Seconds | None = None
    uniform_s: tuple[Seconds, Seconds] | None = None
    lognormal_s: tuple[Seconds, Seconds] | None = None
    when: When = "before"

    def __post_init__(self) -> None:
        ways = (self.seconds, self.uniform_s, self.lognormal_s)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("exactly one of seconds, uniform_s and lognormal_s says how long")
        low_s, high_s = self.uniform_s or self.lognormal_s or (1, 1)
        if low_s > high_s or (self.lognormal_s is not None and low_s <= 0):
            raise ValueError("the first number is above 0 and at most the second")

    def wait_ms(self, fraction: float, other: float) -> int:
        """The delay, for two random numbers from 0 (included) to 1 (excluded)."""
        if self.uniform_s is not None:
            low_s, high_s = self.uniform_s
            return round(1000 * (low_s + fraction * (high_s - low_s)))
        if self.lognormal_s is not None:
            median_s, p99_s = self.lognormal_s
            deviation = (math.log(p99_s) - math.log(median_s)) / _P99
            normal = math.sqrt(-2 * math.log(1 - fraction)) * math.cos(2 * math.pi * other)
            exponent = math.log(median_s) + deviation * normal
            return round(1000 * math.exp(min(exponent, math.log(LONGEST_S))))
        return round(1000 * (self.seconds or 0))


_P99 = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""


class BodyFault(FieldEdits, frozen=True, kw_only=True, tag="body"):
    """The answer has a wrong status or body.

    status, content_type: in place of the right ones.
    replace: the whole body, as text; then no fields are changed.
    cut_at: the answer ends after so many bytes, fewer than its Content-Length.
    bytes_per_s: the speed of the body, in real time.
    ignores_range: the whole file is sent with 200, whatever range the request asks for.
    """

    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    content_type: NonEmptyHeaderText | None = None
    replace: str | None = None
    cut_at: Annotated[int, Meta(ge=0)] | None = None
    bytes_per_s: Annotated[int, Meta(ge=1)] | None = None
    ignores_range: bool = False

    def __post_init__(self) -> None:
        FieldEdits.__post_init__(self)
        if self.edited_fields and self.replace is not None:
            raise ValueError("replace leaves no fields to drop, rename, set or make null")


class TaskFault(FaultEffect, frozen=True, kw_only=True, tag="task"):
    """One way in which a task goes wrong; without any field the world's rules apply.

    queued_s, processing_s: the time in each state, in world's seconds.
    outcome: in place of the random one.
    reason: why it fails.
    stuck: it starts and never ends by itself; its credits stay reserved.
    told_before_answer: it ends at once, and its deliveries are attempted before the create is
        answered.
    """

    queued_s: Seconds | None = None
    processing_s: Seconds | None = None
    outcome: Literal["succeeded", "failed"] | None = None
    reason: FailureReason | None = None
    stuck: bool = False
    delivered_before_answer: bool = field(default=False, name="told_before_answer")

    def __post_init__(self) -> None:
        if self.stuck and self.outcome is not None:
            raise ValueError("a task that is stuck never ends, so it has no outcome")
        if self.reason is not None and self.outcome != "failed":
            raise ValueError("only a task that fails has a reason: set outcome = failed")

    def applied_to(self, planned: PlannedOutcome, now_ms: int) -> PlannedOutcome:
        """The plan with this fault, for a task that is made now."""
        queued_ms = planned.taken_up_ms - now_ms
        processing_ms = planned.ends_ms - planned.taken_up_ms
        if self.delivered_before_answer:
            queued_ms = processing_ms = 0
        if self.queued_s is not None:
            queued_ms = round(self.queued_s * 1000)
        if self.processing_s is not None:
            processing_ms = round(self.processing_s * 1000)
        outcome = planned.outcome if self.outcome is None else OUTCOMES[self.outcome]
        taken_up_ms = now_ms + queued_ms
        ends_ms = NEVER_MS if self.stuck else taken_up_ms + processing_ms
        return PlannedOutcome(taken_up_ms, ends_ms, outcome, self.reason or planned.reason)


class ReceiverAnswer(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An answer in place of the receiver's; no request is sent.

    status: None: no answer within the sender's time limit.
    retry_after_s, location: the headers Retry-After and Location.
    """

    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    retry_after_s: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    location: HeaderText | None = None

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of the answer."""
        named = (("retry-after", self.retry_after_s), ("location", self.location))
        return tuple((name, str(value)) for name, value in named if value is not None)


class DeliveryFault(FieldEdits, frozen=True, kw_only=True, tag="delivery"):
    """One way in which a delivery goes wrong; without any field it does not.

    Number and time:
    copies: the number of deliveries of the event; 0: it is never sent.
    apart_s: world's seconds between copies; 0: all at the same time.
    late_s: world's seconds before the first attempt.
    after_next: held back until the next event for this receiver has been attempted.
    contradicted: an event with the opposite outcome is sent first, the true one `late_s` later.
    unknown_task: the event is about a task that does not exist.
    deleted_endpoint: sent even if the endpoint was disabled or revoked.

    Signature:
    signed_with: the secret; `previous` is the one before the last rotation, `nothing` leaves the
        signature out.
    signed_s: added to the signed time; -3600: signed an hour ago.

    Content:
    event_type: in place of the event's type.
    drop, rename, set, null: as for an answer, after extra_fields.
    extra_fields: added to the body, and to objects in it; a field that it has keeps its value.
    reformatted: the same JSON in other bytes, which are signed.
    body: the whole body, its first half, text that is no JSON, or nothing.
    content_type: in place of application/json.
    altered: the body is changed after it is signed.

    Transport:
    attempts: the number of first attempts that go wrong; None: all.
    connection: reset in the middle, TLS on a plain port, a host name that is not found, or the
        whole request is sent and its answer is lost.
    bytes_per_s: the speed of the body, in real time.
    answer: an answer in place of the receiver's.
    """

    whole: ClassVar[str] = "body"

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
    extra_fields: dict[str, Any] = field(default_factory=dict)
    reformatted: bool = False
    body: Literal["whole", "cut", "not_json", "empty"] = "whole"
    content_type: NonEmptyHeaderText | None = None
    altered: bool = False
    attempts: Annotated[int, Meta(ge=1)] | None = None
    connection: Literal["reset", "tls", "dns", "answer_lost"] | None = None
    bytes_per_s: Annotated[int, Meta(ge=1)] | None = None
    answer: ReceiverAnswer | None = None

    def __post_init__(self) -> None:
        FieldEdits.__post_init__(self)
        answer = self.answer
        if answer is not None and self.connection is not None:
            raise ValueError("answer leaves no connection to break: the receiver is not called")
        if answer is not None and answer.status is None and answer.headers:
            raise ValueError("an answer without a status has no retry_after_s and no location")
        if self.copies == 0 and self.contradicted:
            raise ValueError("an event that is never sent (copies = 0) cannot be contradicted")
        if self.body in {"not_json", "empty"} and (
            self.edited_fields or self.extra_fields or self.reformatted
        ):
            raise ValueError(f"body = {self.body} leaves no fields to change")
        if self.signed_with == "nothing" and self.signed_s:
            raise ValueError("signed_with = nothing leaves no time that signed_s could change")

    @property
    def concerns_signature(self) -> bool:
        """Whether it can be seen only if deliveries are signed."""
        return (
            self.altered or self.reformatted or self.signed_with != "current" or self.signed_s != 0
        )

    def first_attempts_ms(self, now_ms: int) -> list[int]:
        """The times of the first attempts, one per copy."""
        first_ms = now_ms + round(self.late_s * 1000)
        apart_ms = round(self.apart_s * 1000)
        return [first_ms + number * apart_ms for number in range(self.copies)]

    def applies_to_attempt(self, attempt_number: int) -> bool:
        """Whether this attempt, counted from 1, goes wrong."""
        return self.attempts is None or attempt_number <= self.attempts

    def body_to_sign(self, body: bytes, spelling: Spelling) -> bytes:
        """The body as it is signed. body: compact JSON."""
        if self.event_type is not None or self.extra_fields or self.edited_fields:
            document: dict[str, Any] = msgspec.json.decode(body)
            if self.event_type is not None and "type" in document:
                document["type"] = self.event_type
            add_missing(document, self.extra_fields)
            body = msgspec.json.encode(self.apply_to(document))
        body = reformatted(body) if self.reformatted else spelled(body, spelling)
        match self.body:
            case "cut":
                return body[: len(body) // 2]
            case "not_json":
                return b"<html><body>502 Bad Gateway</body></html>"
            case "empty":
                return b""
        return body

    def body_to_send(self, body: bytes) -> bytes:
        """The body as it is sent, from the one that is signed."""
        return body.replace(b"{", b'{"altered":true,', 1) if self.altered else body


NO_FAULT = DeliveryFault()
"""Nothing goes wrong."""


Effect = (
    ErrorFault | AnswerFault | ConnectionFault | DelayFault | BodyFault | TaskFault | DeliveryFault
)


def when_of(effect: Effect) -> When | None:
    """When in a request it happens; None for effects on the task or its deliveries."""
    match effect:
        case BodyFault() | ConnectionFault(after_bytes=int()):
            return "after"
        case ErrorFault() | AnswerFault() | ConnectionFault() | DelayFault():
            return effect.when
    return None
