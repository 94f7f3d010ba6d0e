"""Filters for recorded requests, expected counts and order, and the nearest misses."""

import reprlib
from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta, Struct

from mock_server.core.apis import ApiName, Operation
from mock_server.core.field_types import Count
from mock_server.core.header_match import WantedHeaders, require_usable, unmatched, values_of
from mock_server.core.journal import Exchange, are_cut
from mock_server.core.json_values import Pointer, is_same_json, value_at
from mock_server.core.patterns import matches_wildcard


class RequestFilter(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A filter for requests; a field that is not set matches everything.

    method, api, operation: of the request. path: its path, in which `*` is any text.
    status: of its answer. account: the one whose key it has.
    task: the one that it made or read, or whose video it is.
    """

    method: str | None = None
    path: Annotated[str, Meta(max_length=8192)] | None = None
    api: ApiName | None = None
    operation: Operation | None = None
    status: int | None = None
    account: str | None = None
    task: str | None = None


class RequestMatch(RequestFilter, frozen=True):
    """Selects requests by their headers and bodies, too.

    body: values by JSON Pointer in the request's JSON.
    """

    headers: WantedHeaders = {}
    body: dict[Pointer, Any] = {}

    def __post_init__(self) -> None:
        require_usable(self.headers)

    @classmethod
    def of(cls, filters: RequestFilter) -> Self:
        """Selects the same requests as `filters`."""
        return cls(*(getattr(filters, name) for name in RequestFilter.__struct_fields__))

    def differences(self, exchange: Exchange, shown: Exchange | None = None) -> list[str]:
        """The differences of a request from this filter, in a few words each; empty if it matches.

        shown: the request with its secrets hidden, to quote from; None: the request itself.
        """
        quoted = exchange if shown is None else shown
        found = [
            f"{name} is {getattr(quoted, name)!r}, not {wanted!r}"
            for name in ("method", "api", "operation", "status", "account", "task")
            if (wanted := getattr(self, name)) is not None and getattr(exchange, name) != wanted
        ]
        if self.path is not None and not matches_wildcard(self.path, exchange.path):
            found.append(f"path is {quoted.path!r}, not {self.path!r}")
        found += self._header_differences(exchange, quoted)
        document = _document(exchange.request_body) if self.body else None
        if self.body and document is None and _is_cut(exchange):
            return [*found, _CUT]
        different = [
            pointer
            for pointer, wanted in self.body.items()
            if not is_same_json(value_at(document, pointer), wanted)
        ]
        if different:
            quoted_document = document if quoted is exchange else _document(quoted.request_body)
            found += [
                f"body{pointer} is {_SHORT.repr(value_at(quoted_document, pointer))}, "
                f"not {_SHORT.repr(self.body[pointer])}"
                for pointer in different
            ]
        return found

    def _header_differences(self, exchange: Exchange, quoted: Exchange) -> Iterator[str]:
        """The differences of the headers, in a few words each."""
        headers = exchange.request_headers
        missed = set(unmatched(self.headers, headers))
        for name, wanted in self.headers.items():
            if are_cut(headers) and (name in missed) is (wanted is not False):
                yield _CUT_HEADERS
            elif name in missed and isinstance(wanted, bool):
                found, right = ("absent", "present") if wanted else ("present", "absent")
                yield f"header {name} is {found}, not {right}"
            elif name in missed:
                values = values_of(name, quoted.request_headers)
                found = _SHORT.repr(", ".join(values)) if values else "absent"
                yield f"header {name} is {found}, without {wanted!r}"

    def is_undecided(self, exchange: Exchange) -> bool:
        """Whether only what was not kept of a request decides if it matches."""
        differences = self.differences(exchange)
        return bool(differences) and _NOT_KEPT.issuperset(differences)


class Expectation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The requests that the journal should contain: a number of them, or several in this order.

    Without a number it is at least one.
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
        """The expected number in words."""
        if self.count is not None:
            return f"exactly {self.count}"
        bounds = [("at least", self.at_least), ("at most", self.at_most)]
        said = [f"{name} {bound}" for name, bound in bounds if bound is not None]
        return " and ".join(said) or "at least 1"

    def counts(self, number: int, more: float = 0) -> bool | None:
        """Whether the number is as expected; None if that depends on `more` undecided requests."""
        exact = self.count
        least, at_most = (self.at_least, self.at_most) if exact is None else (exact, exact)
        most = inf if at_most is None else at_most
        if least is None:
            least = 1 if at_most is None else 0
        if least <= number and number + more <= most:
            return True
        return None if number <= most and number + more >= least else False


class NearMiss(Struct, frozen=True):
    """A request that does not match, with the differences."""

    request: str
    asked: str
    differences: tuple[str, ...]


def matching(exchanges: Iterable[Exchange], match: RequestMatch) -> Iterator[Exchange]:
    """The requests that match, in their order."""
    return (exchange for exchange in exchanges if not match.differences(exchange))


def first_out_of_order(exchanges: Iterable[Exchange], order: Iterable[RequestMatch]) -> int | None:
    """The index of the first filter that no request matches after those before it; None: all do."""
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
    """The requests with the fewest differences, the nearest first; `shown` hides their secrets."""
    found = [
        (len(differences), exchange)
        for exchange in exchanges
        if (differences := match.differences(exchange))
    ]
    nearest = [exchange for _, exchange in sorted(found, key=lambda miss: miss[0])[:most]]
    return [
        NearMiss(each.id, f"{quoted.method} {quoted.path}", tuple(match.differences(each, quoted)))
        for each, quoted in zip(nearest, map(shown, nearest), strict=True)
    ]


_CUT = "the whole body is not kept"
_CUT_HEADERS = "not all headers are kept"
_NOT_KEPT = {_CUT, _CUT_HEADERS}

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200


def _is_cut(exchange: Exchange) -> bool:
    return len(exchange.request_body) < exchange.request_size_bytes


def _document(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
