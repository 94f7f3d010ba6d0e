"""HM203: a request whose key was refused is repeated with the same key."""

from collections.abc import Iterator

from mock_server.verdict.answers import refuses_key
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome

_MOST_REPEATS = 1
"""A client may read its key anew and try once more."""


def find(evidence: Evidence) -> Iterator[Outcome]:
    for group in evidence.calls.values():
        refused = [each for each in group if refuses_key(evidence, each)]
        one_by_one = [each for each in refused[1:] if evidence.could_know(refused[0], each)]
        if not refused:
            continue
        if len(one_by_one) <= _MOST_REPEATS:
            yield CLEAN
            continue
        yield Found(
            {"first": refused[0].id, "status": refused[0].status, "times": len(one_by_one)},
            (refused[0].id, *(each.id for each in one_by_one)),
            # Two unknown keys look alike: the journal has neither.
            is_note=refused[0].exchange.account is None,
        )
