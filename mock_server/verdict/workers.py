"""Whether several workers of a client send requests at the same time."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from mock_server.verdict.requests import Request

_AT_ONCE_MS = 100
_SHORTER = 3
"""A pause that is so many times shorter than the usual one is none."""


def has_several_workers(requests: Sequence[Request], calls: Iterable[Sequence[Request]]) -> bool:
    """Whether one worker alone would have sent these requests otherwise. calls: those that ask for
    the same, in order."""
    of_apis = [each for each in requests if each.exchange.api and each.exchange.origin == "api"]
    uses = Counter(each.exchange.connection for each in of_apis)
    return _overlap(of_apis) or any(
        _come_back(group) or _are_at_once(group, uses) for group in calls
    )


def _overlap(requests: Iterable[Request]) -> bool:
    """Whether a request began while another one waited for the answer that it got."""
    waits_until_ms = 0
    for each in requests:
        if each.started_wall_ms < waits_until_ms:
            return True
        if each.reached:
            waits_until_ms = max(waits_until_ms, each.ended_wall_ms)
    return False


def _come_back(group: Sequence[Request]) -> bool:
    """Whether the same was asked on one connection, on another one, and on the first one again: a
    worker alone would not have needed the second one."""
    seen: set[int | None] = set()
    last: int | None = None
    for each in group:
        connection = each.exchange.connection
        if connection != last and connection in seen:
            return True
        seen.add(connection)
        last = connection
    return False


def _are_at_once(group: Sequence[Request], uses: Counter[int | None]) -> bool:
    """Whether the same was asked twice at about the same time without need, over two connections
    of which one was kept, or much sooner than usually."""
    pauses_ms = [later.started_wall_ms - one.ended_wall_ms for one, later in pairwise(group)]
    for pause_ms, (one, later) in zip(pauses_ms, pairwise(group), strict=True):
        connections = {one.exchange.connection, later.exchange.connection}
        if not one.is_ok or pause_ms > _AT_ONCE_MS or len(connections) < 2:
            continue
        if any(uses[each] > 1 for each in connections):
            return True
        if _SHORTER * max(1, pause_ms) < sorted(pauses_ms)[len(pauses_ms) // 2]:
            return True
    return False
