"""HM109: one wish makes two creates at nearly the same time."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, credits_of
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request

_TOGETHER_MS = 1000


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for create in evidence.creates:
        if create.made is None:
            continue
        soon_ms = create.exchange.started_ms + evidence.world_ms(_TOGETHER_MS)

        def is_soon(later: Request, create: Request = create, soon_ms: int = soon_ms) -> bool:
            is_repeat = not create.told_task and later.is_after(create)
            return later.exchange.started_ms < soon_ms and not is_repeat

        def is_together(later: Request, create: Request = create) -> bool:
            return later.started_wall_ms - create.started_wall_ms < _TOGETHER_MS

        again = paid_once.again(create, create, is_together, is_soon=is_soon, overlaps=True)
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
