"""HM102: a repeated create has a new idempotency key."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import conflicts_of_keys, credits_of, paid_after_loss
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request


def find(evidence: Evidence) -> Iterator[Outcome]:
    conflicts = conflicts_of_keys(evidence)

    def has_new_key(lost: Request, later: Request) -> bool:
        conflict = conflicts.get(lost.key or "")
        return lost.key != later.key and not (conflict and later.is_after(conflict))

    for lost, again in paid_after_loss(evidence, lambda _: True, has_new_key):
        if lost.key is None:
            continue
        if not again:
            yield CLEAN
            continue
        yield Found(
            {"first": lost.id, "second": again[0].id, "paid": lost.made, "times": len(again)},
            (lost.id, *(each.id for each in again)),
            again[0].made,
            credits_of(evidence, again),
        )
