"""A copy of a world in which nothing happens: to be looked at while the world itself goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

from mock_server.core.deliveries import Delivery
from mock_server.core.endpoints import Endpoint
from mock_server.core.faults import Fault, Faults
from mock_server.core.inbox import Inbox
from mock_server.core.journal import Exchange
from mock_server.core.ledger import Balance
from mock_server.core.world import World


def still_world(world: World) -> World:
    """The world as it is now; only a real clock goes on.

    Takes some milliseconds for a hundred thousand tasks: values that never change are in both
    worlds, and only the containers are copied.
    """
    twin = copy(world)
    for name, part in vars(world).items():
        if name not in _UNCHANGING:
            setattr(twin, name, _still(part))
    return twin


_UNCHANGING = {"name", "seed", "rules", "chance", "ids", "is_rehearsal"}


def _still(part: Any) -> Any:
    """A copy of a container, or of an object that has containers."""
    if isinstance(part, dict):
        copied = _copied(part.values())
        return part.copy() if copied is None else {key: copied(part[key]) for key in part}
    if isinstance(part, list | set | deque):
        copied = _copied(part)
        twin = part.copy()
        if copied is not None and not isinstance(twin, set):
            twin.clear()
            twin.extend(map(copied, part))
        return twin
    twin = copy(part)
    for name, inner in vars(part).items():
        if isinstance(inner, dict | list | set | deque):
            setattr(twin, name, _still(inner))
    return twin


def _copied(values: Any) -> Callable[[Any], Any] | None:
    """How to copy values, all of one type; None if they never change."""
    return _COPIES.get(type(next(iter(values), None)))


def _still_delivery(delivery: Delivery) -> Delivery:
    attempts = [each if each.ended_ms is not None else copy(each) for each in delivery.attempts]
    return replace(delivery, attempts=attempts)


def _still_exchange(exchange: Exchange) -> Exchange:
    return exchange if exchange.ended_ms is not None else replace(exchange)


def _still_fault(fault: Fault) -> Fault:
    return replace(fault, by_account={key: copy(each) for key, each in fault.by_account.items()})


_COPIES: Mapping[type, Callable[[Any], Any]] = {
    Balance: replace,
    Delivery: _still_delivery,
    Endpoint: replace,
    Exchange: _still_exchange,
    Fault: _still_fault,
    Faults: _still,
    Inbox: _still,
    list: list.copy,
}
