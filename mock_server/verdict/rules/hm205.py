"""HM205: a client gives up after one 429."""

from collections.abc import Iterator

from mock_server.verdict.answers import speaks_of_credits
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import in_control
from mock_server.verdict.outcomes import CLEAN, Found, Outcome, Unclear
from mock_server.verdict.requests import Request
from mock_server.verdict.silence import given_up_at, why_no_time_left

_LONG_WAIT_S = 5
"""A client may give up instead of waiting for longer than this, or until a date."""

_NO_MORE_LOOKS = (
    "Look {first} was answered 429; the client ended without another look at task {task}: "
    "{credits} credits are lost."
)


def find(evidence: Evidence) -> Iterator[Outcome]:
    for refused in evidence.requests:
        if not refused.reached or refused.status != 429 or speaks_of_credits(refused):
            continue
        if refused.retry_after_is_date or (refused.retry_after_s or 0) > _LONG_WAIT_S:
            yield CLEAN
        elif refused.is_look:
            yield from given_up_at(evidence, [refused], _NO_MORE_LOOKS)
        elif refused.is_create:
            yield _of_create(evidence, refused)


def _of_create(evidence: Evidence, refused: Request) -> Outcome:
    if len(evidence.calls[refused.call]) > 1:
        return CLEAN  # it tried more than once
    if evidence.run.ended_by != "itself":
        return Unclear("the client was ended from outside, or how it ended is not known")
    if not in_control(evidence, refused):
        return Unclear("in the quiet run the client did not order this")
    return why_no_time_left(evidence, refused) or Found({"first": refused.id}, [refused])
