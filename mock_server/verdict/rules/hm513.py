"""HM513: events of an unknown type are refused."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    for sent in evidence.sent:
        if sent.fault.event_type is None or not sent.was_answered:
            continue
        if sent.was_accepted:
            yield CLEAN
            continue
        yield Found(
            {"event": sent.event.id, "type": sent.fault.event_type, "status": sent.attempt.status},
            task=sent.event.subject,
        )
