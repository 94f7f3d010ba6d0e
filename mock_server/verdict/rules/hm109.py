"""HM109: one wish makes two creates at nearly the same time."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, credits_of, orders_until
from mock_server.verdict.outcomes import CLEAN, Found, Outcome

_TOGETHER_MS = 1000


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for create in evidence.creates:
        if create.made is None:
            continue
        soon_ms = create.exchange.started_ms + evidence.world_ms(_TOGETHER_MS)
        soon = [
            each
            for each in orders_until(evidence, create, soon_ms)
            if each.started_wall_ms - create.started_wall_ms < _TOGETHER_MS
            and not (each.is_after(create) and not create.told_task)
        ]
        again = paid_once.again(create, soon)
        if not again:
            yield CLEAN
            continue
        yield Found(
            {
                "first": create.id,
                "second": again[0].id,
                "apart_ms": again[0].started_wall_ms - create.started_wall_ms,
            },
            (create.id, *(each.id for each in again)),
            again[0].made,
            credits_of(evidence, again),
        )
