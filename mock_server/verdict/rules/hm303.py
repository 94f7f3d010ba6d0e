"""HM303: errors on a look are taken for "not yet" for ever."""

from collections.abc import Iterator
from functools import partial
from itertools import takewhile

from mock_server.verdict.answers import is_final_error
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.failing import pauses_ms
from mock_server.verdict.outcomes import CLEAN, Found, Outcome

_FOR_EVER = 10
"""So many final errors in a row, at the same pace, are more than care."""

_GROWTH = 2


def find(evidence: Evidence) -> Iterator[Outcome]:
    for group in evidence.calls.values():
        if not group[0].is_look or not is_final_error(evidence, group[-1]):
            continue
        row = list(takewhile(partial(is_final_error, evidence), reversed(group)))[::-1]
        pauses = pauses_ms(evidence, row)
        if len(row) < _FOR_EVER or pauses[-1] > _GROWTH * pauses[0]:
            yield CLEAN
            continue
        yield Found(
            {"first": row[0].id, "times": len(row), "status": row[-1].status},
            (row[0], row[-1]),
            row[-1].exchange.task,
        )
