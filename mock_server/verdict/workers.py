"""Whether several workers of a client send requests at the same time."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from mock_server.verdict.requests import Request


class Use(NamedTuple):
    """The numbers of the first and of the last request on a connection."""

    first: int
    last: int


Connections = Mapping[int | None, Use]

_NOT_USED = Use(0, 0)

_AT_ONCE_MS = 100
_SHORTER = 3
"""A pause that is so many times shorter than the usual one is none."""


def connections_of(requests: Iterable[Request]) -> Connections:
    """How the connections were used; requests without one are left out."""
    found: dict[int | None, Use] = {}
    for each in requests:
        connection, number = each.exchange.connection, each.number
        if connection is not None:
            found[connection] = Use(found.get(connection, Use(number, number)).first, number)
    return found


def has_several_workers(
    requests: Iterable[Request],
    calls: Iterable[Sequence[Request]],
    polls: Iterable[Sequence[Request]],
    connections: Connections,
) -> bool:
    """Whether one worker alone would have sent these requests otherwise. calls: those that ask for
    the same, in order. polls: the same without looks after the end was told."""
    return (
        _overlap(requests, connections)
        or any(
            one.is_ok and _came_beside(one, later, connections)
            for one, later in chain.from_iterable(map(pairwise, calls))
        )
        or any(map(_has_short_pause, polls))
    )


def _overlap(requests: Iterable[Request], connections: Connections) -> bool:
    """Whether a request began while another one waited for its answer, and got it: its connection
    was used again."""
    waits_until_ms = 0
    for each in requests:
        if not each.exchange.api:
            continue
        if each.started_wall_ms < waits_until_ms:
            return True
        if each.reached and connections.get(each.exchange.connection, _NOT_USED).last > each.number:
            waits_until_ms = max(waits_until_ms, each.ended_wall_ms)
    return False


def _came_beside(one: Request, later: Request, connections: Connections) -> bool:
    """Whether the later request came at once, or over a new connection, although the client keeps
    the one before: that one was not free when the later request was sent."""
    first, other = one.exchange.connection, later.exchange.connection
    if first is None or other is None or first == other:
        return False
    is_new = connections[other].first == later.number
    is_at_once = later.started_wall_ms - one.ended_wall_ms <= _AT_ONCE_MS
    is_kept = connections[first].first < connections[first].last
    return (is_at_once and is_kept) or (is_new and connections[first].last > later.number)


def _has_short_pause(polls: Sequence[Request]) -> bool:
    """Whether the same was asked twice without need, much sooner than usually."""
    pauses_ms = [later.started_wall_ms - one.ended_wall_ms for one, later in pairwise(polls)]
    usual_ms = sorted(pauses_ms)[len(pauses_ms) // 2] if pauses_ms else 0
    return any(
        one.is_ok and pause_ms <= _AT_ONCE_MS and _SHORTER * max(1, pause_ms) < usual_ms
        for one, pause_ms in zip(polls, pauses_ms, strict=False)
    )
