"""HM109: one wish makes two creates at nearly the same time."""

from collections.abc import Iterator
from functools import partial

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, paid_again
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.requests import Request

_TOGETHER_MS = 1000


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once, together_ms = PaidOnce(evidence), evidence.world_ms(_TOGETHER_MS)
    for create in evidence.creates:
        if create.made is None:
            continue
        again = paid_once.again(
            create,
            partial(_is_together, create),
            is_soon=partial(_is_soon, create, together_ms),
            overlaps=True,
        )
        apart_ms = _apart_ms(create, again[0]) if again else 0
        yield paid_again(evidence, [create], again, apart_ms=apart_ms)


def _is_soon(create: Request, together_ms: int, later: Request) -> bool:
    """Whether a create came within this time of the world's clock, and is no repeat."""
    is_repeat = not create.told_task and later.is_after(create)
    is_together = later.exchange.started_ms < create.exchange.started_ms + together_ms
    return is_together and not is_repeat


def _is_together(create: Request, later: Request) -> bool:
    return _apart_ms(create, later) < _TOGETHER_MS


def _apart_ms(create: Request, later: Request) -> int:
    return later.started_wall_ms - create.started_wall_ms
