"""HM203: a request whose key was refused is repeated with the same key."""

from collections.abc import Iterator
from functools import partial

from mock_server.verdict.answers import refuses_key
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.failing import refused_again
from mock_server.verdict.outcomes import CLEAN, Found, Outcome

_MOST_REPEATS = 1
"""A client may read its key anew and try once more."""


def find(evidence: Evidence) -> Iterator[Outcome]:
    for refused, again in refused_again(evidence, partial(refuses_key, evidence)):
        if len(again) <= _MOST_REPEATS:
            yield CLEAN
            continue
        yield Found(
            {"first": refused.id, "status": refused.status, "times": len(again)},
            (refused, *again),
            # Two unknown keys look alike: the journal has neither.
            is_note=refused.exchange.account is None,
        )
