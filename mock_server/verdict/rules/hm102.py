"""HM102: a repeated create has a new idempotency key."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import conflicts_of_keys, paid_after_loss, paid_again
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.requests import Request


def find(evidence: Evidence) -> Iterator[Outcome]:
    conflicts = conflicts_of_keys(evidence)

    def has_new_key(lost: Request, later: Request) -> bool:
        conflict = conflicts.get(lost.key or "")
        return lost.key != later.key and not (conflict and later.is_after(conflict))

    for lost, again in paid_after_loss(evidence, lambda _: True, has_new_key):
        if lost.key is not None:
            yield paid_again(evidence, [lost], again)
