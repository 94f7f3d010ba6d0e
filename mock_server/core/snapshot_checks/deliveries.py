"""Deliveries: their event, their attempts, and a state that follows from both."""

from mock_server.core.agenda import Occasion
from mock_server.core.deliveries import Delivery, DeliveryState
from mock_server.core.json_values import numbered
from mock_server.core.refusals import Violation
from mock_server.core.snapshot import VIDEO_PLACEHOLDER, has_open_attempt
from mock_server.core.snapshot_checks.document import Document, Violations, missing, none_of


def deliveries(document: Document) -> Violations:
    """Deliveries without their endpoint, without a next attempt, or with a wrong state."""
    snapshot = document.snapshot
    scheduled = {
        (due.subject, due.at_ms) for due in snapshot.agenda if due.occasion is Occasion.ATTEMPT_DUE
    }
    held_back, over = set(snapshot.held_back), set(snapshot.deliveries.over)
    endpoints = {endpoint.id for endpoint in snapshot.endpoints}
    for place, delivery in numbered("/deliveries/deliveries", snapshot.deliveries.deliveries):
        yield from _event(f"{place}/event", delivery, document)
        yield from document.unreadable(f"{place}/fault", delivery.fault.extra_fields)
        yield from document.unreadable(f"{place}/fault", delivery.fault.set)
        if delivery.endpoint_id is not None and delivery.endpoint_id not in endpoints:
            yield missing(f"{place}/endpoint_id", "endpoint", delivery.endpoint_id)
        if has_open_attempt(delivery):
            sentence = "no attempt is under way in a snapshot: leave it out, it is made at once"
            yield Violation(f"{place}/attempts", "ended", sentence)
        if delivery.state is not DeliveryState.PENDING:
            yield from _ended(place, delivery, is_listed=delivery.id in over)
        elif delivery.id not in held_back and (
            (delivery.id, delivery.next_attempt_ms) not in scheduled
        ):
            sentence = "is pending for ever: /agenda does not say when it is tried next"
            yield Violation(f"{place}/next_attempt_ms", "agenda", sentence)


def _ended(place: str, delivery: Delivery, *, is_listed: bool) -> Violations:
    """is_listed: whether /deliveries/over names it."""
    if delivery.next_attempt_ms is not None:
        sentence = f"must be null: the delivery has {delivery.state.value}"
        yield Violation(f"{place}/next_attempt_ms", "const", sentence)
    if not is_listed:
        sentence = f"has {delivery.state.value}, and /deliveries/over does not name it"
        yield Violation(f"{place}/state", "reference", sentence)
    last = delivery.attempts[-1] if delivery.attempts else None
    if delivery.state is DeliveryState.SUCCEEDED and not (last and last.was_accepted):
        sentence = "has succeeded, and the last of its attempts was not answered 2xx"
        yield Violation(f"{place}/state", "attempts", sentence)
    has_failed = delivery.given_up or (last and not last.was_accepted)
    if delivery.state is DeliveryState.FAILED and not has_failed:
        sentence = "has failed, and neither its last attempt did nor was it given up"
        yield Violation(f"{place}/state", "attempts", sentence)


def _event(place: str, delivery: Delivery, document: Document) -> Violations:
    event = delivery.event
    if event.api not in (known := document.facts.catalog.apis):
        yield none_of(f"{place}/api", known)
    # VIDEO_PLACEHOLDER is valid only inside a JSON string; a letter is valid there, too.
    body, sentence = document.object(event.body.replace(VIDEO_PLACEHOLDER, b"x"))
    if body is None:
        yield Violation(f"{place}/body", "json", sentence)
