"""What is kept of requests and deliveries, as people may see it: without any secret."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from mock_server.core.deliveries import Attempt, Posting
from mock_server.core.inbox import Received
from mock_server.core.journal import Exchange, Headers, IgnoredField
from mock_server.core.redaction import REDACTED, Redaction
from mock_server.core.snapshot import Snapshot
from mock_server.edge.credentials import is_credential, without_credentials

TextHeaders = tuple[tuple[str, str], ...]


def redact_exchange(exchange: Exchange, redaction: Redaction, *, max_body_bytes: int) -> None:
    """Take every secret out of an exchange. max_body_bytes: as much of each body as is kept."""
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
    """What came to an inbox. max_body_bytes: as much of a body as is kept."""
    is_cut = len(request.body) == max_body_bytes < request.size_bytes
    return replace(
        request,
        path=redaction.text(request.path),
        query=redaction.query(request.query),
        headers=_text_headers(request.headers, redaction),
        body=redaction.content(request.body, is_cut=is_cut),
    )


def redacted_snapshot(snapshot: Snapshot, redaction: Redaction) -> Snapshot:
    """A snapshot whose records tell no secret: the journal, inboxes, and attempts at deliveries.

    What the world needs to go on stays: keys, signing secrets, and requests for tasks.
    """
    exchanges = tuple(map(replace, snapshot.journal.exchanges))
    for exchange in exchanges:
        redact_exchange(exchange, redaction, max_body_bytes=snapshot.rules.journal_body_bytes)
    deliveries = tuple(
        replace(each, attempts=[redacted_attempt(attempt, redaction) for attempt in each.attempts])
        for each in snapshot.deliveries.deliveries
    )
    max_body_bytes = snapshot.rules.inbox_body_bytes
    inboxes = tuple(
        structs.replace(
            inbox,
            requests=tuple(
                redacted_request(each, redaction, max_body_bytes=max_body_bytes)
                for each in inbox.requests
            ),
        )
        for inbox in snapshot.inboxes
    )
    return structs.replace(
        snapshot,
        journal=structs.replace(snapshot.journal, exchanges=exchanges),
        inboxes=inboxes,
        deliveries=structs.replace(snapshot.deliveries, deliveries=deliveries),
    )


def redacted_attempt(attempt: Attempt, redaction: Redaction) -> Attempt:
    """An attempt at a delivery, with its answer."""
    return replace(
        attempt,
        posting=attempt.posting and _posting(attempt.posting, redaction),
        answer_headers=_text_headers(attempt.answer_headers, redaction),
        answer_body=redaction.content(attempt.answer_body),
        error=attempt.error and redaction.text(attempt.error),
    )


def _posting(posting: Posting, redaction: Redaction) -> Posting:
    return Posting(
        redaction.text(posting.url),
        _text_headers(posting.headers, redaction),
        redaction.content(posting.body),
    )


def _headers(headers: Headers, redaction: Redaction) -> Headers:
    headers = without_credentials(headers)
    together = b"\n".join([value for _, value in headers])
    if redaction.content(together) == together:  # as nearly always
        return headers
    return [(name, redaction.content(value)) for name, value in headers]


def _text_headers(headers: TextHeaders, redaction: Redaction) -> TextHeaders:
    return tuple(
        (name, REDACTED if is_credential(name) else redaction.text(value))
        for name, value in headers
    )
