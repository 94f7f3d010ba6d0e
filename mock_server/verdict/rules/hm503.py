"""HM503: the signature is checked over JSON that was written anew."""

from collections.abc import Iterator

import msgspec

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.forgeries import expects_signature
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.sent import Sent

_ALL_REFUSED = (
    "Event {event} was well signed over bytes that no library writes; the receiver answered "
    "{status}, as to each other event: it checks other bytes, or has another secret."
)


def find(evidence: Evidence) -> Iterator[Outcome]:
    own = _genuine(evidence)
    genuine = own if evidence.control is None else [*own, *_genuine(evidence.control)]
    accepts_plain = any(each.was_accepted and not _is_odd(each.body) for each in genuine)
    accepts_odd = any(each.was_accepted and _is_odd(each.body) for each in genuine)
    for sent in own:
        if not _is_odd(sent.body):
            continue
        if accepts_odd or not sent.was_refused:
            yield CLEAN
            continue
        yield Found(
            {"event": sent.event.id, "status": sent.attempt.status},
            task=sent.event.subject,
            is_note=not accepts_plain,
            sentence=None if accepts_plain else _ALL_REFUSED,
        )
        return


def _genuine(evidence: Evidence) -> list[Sent]:
    return [
        each
        for each in evidence.sent
        if each.was_answered and each.is_genuine and expects_signature(evidence, each)
    ]


def _is_odd(body: bytes) -> bool:
    """Whether common libraries would write this JSON in other bytes."""
    try:
        compact = msgspec.json.format(body, indent=-1)
        spaced = msgspec.json.format(body, indent=0)
        again = msgspec.json.encode(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return False
    return body not in {compact, spaced} or again != compact
