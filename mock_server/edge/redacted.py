"""Requests, deliveries and snapshots without secrets, as they are shown."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mock_server.core.deliveries import Attempt, OutgoingRequest
from mock_server.core.inbox import Received
from mock_server.core.journal import Exchange, Headers, IgnoredField
from mock_server.core.redaction import REDACTED, Redaction
from mock_server.edge.credentials import is_credential, without_credentials

if TYPE_CHECKING:
    from mock_server.core.snapshot import Snapshot

TextHeaders = tuple[tuple[str, str], ...]


def redact_exchange(exchange: Exchange, redaction: Redaction, *, max_body_bytes: int) -> None:
    """Remove every secret from an exchange. max_body_bytes: how much of each body is kept."""
    exchange.path = redaction.text(exchange.path)
    exchange.query = redaction.query(exchange.query)
    exchange.refusal = exchange.refusal and redaction.text(exchange.refusal)
    exchange.ignored = tuple(
        IgnoredField(redaction.text(field.pointer), field.hint) for field in exchange.ignored
    )
    exchange.request_headers = _headers(exchange.request_headers, redaction)
    exchange.answer_headers = _headers(exchange.answer_headers, redaction)
    request, answer = exchange.request_body, exchange.answer_body
    exchange.request_body = redaction.content(
        request, is_cut=len(request) == max_body_bytes < exchange.request_size_bytes
    )
    exchange.answer_body = redaction.content(
        answer, is_cut=len(answer) == max_body_bytes < exchange.answer_size_bytes
    )


def redacted_request(request: Received, redaction: Redaction, *, max_body_bytes: int) -> Received:
    """A request to an inbox, without secrets. max_body_bytes: how much of each body is kept."""
    is_cut = len(request.body) == max_body_bytes < request.size_bytes
    return replace(
        request,
        path=redaction.text(request.path),
        query=redaction.query(request.query),
        headers=_text_headers(request.headers, redaction),
        body=redaction.content(request.body, is_cut=is_cut),
    )


def redacted_snapshot(snapshot: Snapshot, redaction: Redaction) -> Snapshot:
    """A snapshot without secrets in its records: the journal, inboxes and delivery attempts.
    What the world needs is unchanged: keys, signing secrets and the requests of tasks."""
    exchanges = tuple(map(copy, snapshot.journal.exchanges))
    for exchange in exchanges:
        redact_exchange(exchange, redaction, max_body_bytes=snapshot.rules.journal_body_bytes)
    deliveries = tuple(
        replace(each, attempts=[redacted_attempt(attempt, redaction) for attempt in each.attempts])
        for each in snapshot.deliveries.deliveries
    )
    max_body_bytes = snapshot.rules.inbox_body_bytes
    inboxes = tuple(
        replace(
            inbox,
            requests=tuple(
                redacted_request(each, redaction, max_body_bytes=max_body_bytes)
                for each in inbox.requests
            ),
        )
        for inbox in snapshot.inboxes
    )
    return replace(
        snapshot,
        journal=replace(snapshot.journal, exchanges=exchanges),
        inboxes=inboxes,
        deliveries=replace(snapshot.deliveries, deliveries=deliveries),
    )


def redacted_attempt(attempt: Attempt, redaction: Redaction) -> Attempt:
    """A delivery attempt and its answer, without secrets."""
    return replace(
        attempt,
        outgoing=attempt.outgoing and _outgoing(attempt.outgoing, redaction),
        answer_headers=_text_headers(attempt.answer_headers, redaction),
        answer_body=redaction.content(attempt.answer_body),
        error=attempt.error and redaction.text(attempt.error),
    )


def _outgoing(outgoing: OutgoingRequest, redaction: Redaction) -> OutgoingRequest:
    return OutgoingRequest(
        redaction.text(outgoing.url),
        _text_headers(outgoing.headers, redaction),
        redaction.content(outgoing.body),
    )


def _headers(headers: Headers, redaction: Redaction) -> Headers:
    headers = without_credentials(headers)
    together = b"\n".join([value for _, value in headers])
    if redaction.content(together) == together:  # the usual case
        return headers
    return [(name, redaction.content(value)) for name, value in headers]


def _text_headers(headers: TextHeaders, redaction: Redaction) -> TextHeaders:
    return tuple(
        (name, REDACTED if is_credential(name) else redaction.text(value))
        for name, value in headers
    )
