"""A copy of a world that can be read while the world itself changes."""

from collections import deque
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from msgspec.structs import replace

from mock_server.core.compact_ring import CompactRing
from mock_server.core.deliveries import Delivery
from mock_server.core.endpoints import Endpoint
from mock_server.core.faults import Fault, Faults
from mock_server.core.inbox import Inbox
from mock_server.core.journal import Exchange
from mock_server.core.ledger import Balance
from mock_server.core.ring import Ring
from mock_server.core.world import World


def copy_of_world(world: World) -> World:
    """A copy of the world for reading; only a real clock advances in it.

    It takes some milliseconds for a hundred thousand tasks, because it shares immutable values.
    """
    twin = copy(world)
    for name, part in vars(world).items():
        if name not in _SHARED:
            setattr(twin, name, _copy_of(part))
    return twin


_SHARED = {"name", "seed", "rules", "chance", "ids", "counts", "is_dry_run", "incarnation", "marks"}


def _copy_of(part: Any) -> Any:
    """A copy of a container, or of an object that has containers."""
    if isinstance(part, dict):
        copied = _copier(part.values())
        return part.copy() if copied is None else {key: copied(part[key]) for key in part}
    if isinstance(part, list | set | deque):
        copied = _copier(part)
        twin = part.copy()
        if copied is not None and not isinstance(twin, set):
            twin.clear()
            twin.extend(map(copied, part))
        return twin
    twin = copy(part)
    for name, inner in vars(part).items():
        if isinstance(inner, dict | list | set | deque | Ring | CompactRing):
            setattr(twin, name, _copy_of(inner))
    return twin


def _copier(values: Any) -> Callable[[Any], Any] | None:
    """The function that copies values of this type; None for immutable ones."""
    return _COPIES.get(type(next(iter(values), None)))


def _copy_of_delivery(delivery: Delivery) -> Delivery:
    attempts = [each if each.ended_ms is not None else copy(each) for each in delivery.attempts]
    return replace(delivery, attempts=attempts)


def _copy_of_exchange(exchange: Exchange) -> Exchange:
    return exchange if exchange.ended_ms is not None else copy(exchange)


def _copy_of_fault(fault: Fault) -> Fault:
    return replace(fault, by_account={key: copy(each) for key, each in fault.by_account.items()})


_COPIES: Mapping[type, Callable[[Any], Any]] = {
    Balance: replace,
    Delivery: _copy_of_delivery,
    Endpoint: replace,
    Exchange: _copy_of_exchange,
    Fault: _copy_of_fault,
    Faults: _copy_of,
    Inbox: _copy_of,
    Ring: _copy_of,
    list: list.copy,
}
