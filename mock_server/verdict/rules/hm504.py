"""HM504: a valid event is refused while the secret is being replaced."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome, Unclear


def find(evidence: Evidence) -> Iterator[Outcome]:
    quiet = [] if evidence.control is None else evidence.control.sent
    accepted_once = any(each.was_accepted and each.is_genuine for each in quiet)
    for sent in evidence.sent:
        if not sent.was_answered or not sent.is_genuine:
            continue
        if sent.signatures < 2:
            accepted_once = accepted_once or sent.was_accepted
        elif not sent.was_refused:
            yield CLEAN
        elif not accepted_once:
            yield Unclear("the receiver had not accepted any event before the rotation")
        else:
            yield Found(
                {"event": sent.event.id, "status": sent.attempt.status}, task=sent.event.subject
            )
