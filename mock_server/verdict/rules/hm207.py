"""HM207: Retry-After as a date, or a huge one, is not understood."""

from collections.abc import Iterator

from mock_server.verdict.answers import asks_to_wait
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Found, Outcome
from mock_server.verdict.waits import HUGE_WAIT_S, next_same_call, waits_obeyed


def find(evidence: Evidence) -> Iterator[Outcome]:
    told = [
        each
        for each in evidence.requests
        if asks_to_wait(each)
        and (each.retry_after_is_date or (each.retry_after_s or 0) >= HUGE_WAIT_S)
    ]
    yield from waits_obeyed(evidence, told)
    if evidence.run.ended_by == "judge":
        for first in told:
            is_last = next_same_call(evidence, first) is None
            if is_last and (first.retry_after_s or 0) >= HUGE_WAIT_S:
                yield Found(
                    {"first": first.id, "asked_s": f"{first.retry_after_s:.0f}"},
                    [first],
                    is_note=True,
                    sentence=_STILL_WAITING,
                )


_STILL_WAITING = (
    "The answer to {first} asked for a pause of {asked_s} s; the client did nothing more until it "
    "was ended: it seems to wait."
)
