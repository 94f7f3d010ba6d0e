"""Which recorded requests somebody means: filters, counts, order, and what came near."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from mock_server.core.exchange_faults import Pointer, is_same_json, value_at
from mock_server.core.faults import Api, Operation
from mock_server.core.journal import Exchange
from mock_server.core.numbers import Count
from mock_server.core.patterns import fits_wildcard


class RequestMatch(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Requests that are alike in all that is named here.

    path: may have `*` for anything. body: values by JSON Pointer in the request's JSON.
    """

    method: str | None = None
    path: Annotated[str, Meta(max_length=8192)] | None = None
    api: Api | None = None
    operation: Operation | None = None
    status: int | None = None
    account: str | None = None
    task: str | None = None
    body: dict[Pointer, Any] = {}

    def differences(self, exchange: Exchange, shown: Exchange | None = None) -> list[str]:
        """What a request has otherwise, each in a few words; nothing if it is one of them.

        shown: the same request as its values may be told; None: as it is.
        """
        told = exchange if shown is None else shown
        found = [
            f"{name} is {getattr(told, name)!r}, not {wanted!r}"
            for name in ("method", "api", "operation", "status", "account", "task")
            if (wanted := getattr(self, name)) is not None and getattr(exchange, name) != wanted
        ]
        if self.path is not None and not fits_wildcard(self.path, exchange.path):
            found.append(f"path is {told.path!r}, not {self.path!r}")
        document = _document(exchange.request_body) if self.body else None
        if self.body and document is None and _is_cut(exchange):
            return [*found, _CUT]
        different = [
            pointer
            for pointer, wanted in self.body.items()
            if not is_same_json(value_at(document, pointer), wanted)
        ]
        if different:
            told_document = document if told is exchange else _document(told.request_body)
            found += [
                f"body{pointer} is {_SHORT.repr(value_at(told_document, pointer))}, "
                f"not {_SHORT.repr(self.body[pointer])}"
                for pointer in different
            ]
        return found

    def is_undecided(self, exchange: Exchange) -> bool:
        """Whether a request may be one of them: all fits, but its body was not kept whole."""
        return _is_cut(exchange) and self.differences(exchange) == [_CUT]


class Expectation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the journal is to hold: so many requests of a kind, or several in this order.

    Without a count there must be at least one.
    """

    match: RequestMatch = RequestMatch()
    count: Count | None = None
    at_least: Count | None = None
    at_most: Count | None = None
    order: Annotated[tuple[RequestMatch, ...], Meta(max_length=1000)] = ()

    def __post_init__(self) -> None:
        if self.count is not None and (self.at_least is not None or self.at_most is not None):
            raise ValueError("count stands alone; at_least and at_most may stand together")
        if self.at_most is not None and (self.at_least or 0) > self.at_most:
            raise ValueError("no number is at least at_least and at most at_most")

    @property
    def words(self) -> str:
        """How many there should be."""
        if self.count is not None:
            return f"exactly {self.count}"
        bounds = [("at least", self.at_least), ("at most", self.at_most)]
        said = [f"{name} {bound}" for name, bound in bounds if bound is not None]
        return " and ".join(said) or "at least 1"

    def counts(self, number: int, more: float = 0) -> bool | None:
        """Whether so many are as many as there should be.

        more: how many more there may be, infinity for any number. None: it depends on them.
        """
        exact = self.count
        least, at_most = (self.at_least, self.at_most) if exact is None else (exact, exact)
        most = inf if at_most is None else at_most
        if least is None:
            least = 1 if at_most is None else 0
        if least <= number and number + more <= most:
            return True
        return None if number <= most and number + more >= least else False


class NearMiss(Struct, frozen=True):
    """A request that is not one of those that are meant, and why not."""

    request: str
    asked: str
    differences: list[str]


def matching(exchanges: Iterable[Exchange], match: RequestMatch) -> Iterator[Exchange]:
    """Those that are meant, in their order."""
    return (exchange for exchange in exchanges if not match.differences(exchange))


def first_out_of_order(exchanges: Iterable[Exchange], order: Iterable[RequestMatch]) -> int | None:
    """The place, from 0, of the first that does not come after the ones before it; None: all do."""
    remaining = iter(exchanges)
    for place, match in enumerate(order):
        if next(matching(remaining, match), None) is None:
            return place
    return None


def near_misses(
    exchanges: Iterable[Exchange],
    match: RequestMatch,
    shown: Callable[[Exchange], Exchange],
    most: int = 3,
) -> list[NearMiss]:
    """The requests that differ in the fewest things, the nearest first.

    shown: a request as its values may be told.
    """
    found = [
        (len(differences), exchange)
        for exchange in exchanges
        if (differences := match.differences(exchange))
    ]
    nearest = [exchange for _, exchange in sorted(found, key=lambda miss: miss[0])[:most]]
    return [_near_miss(exchange, match, shown(exchange)) for exchange in nearest]


def _near_miss(exchange: Exchange, match: RequestMatch, told: Exchange) -> NearMiss:
    differences = match.differences(exchange, told)
    return NearMiss(exchange.id, f"{told.method} {told.path}", differences)


_CUT = "the whole body is not kept"

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200


def _is_cut(exchange: Exchange) -> bool:
    return len(exchange.request_body) < exchange.request_size_bytes


def _document(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
