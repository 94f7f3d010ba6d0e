"""Lists every operation as a request that can be sent, for checks that apply to all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contract_tests.budget import api_of_create
from contract_tests.contract import METHODS, PREFIX, Api, contract
from contract_tests.exchange import Exchange
from contract_tests.target import Caller

_UNKNOWN_ID = "unknown_id"
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\r\xefF\xb8"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)


@dataclass(frozen=True)
class Operation:
    """One operation. path: after the API's prefix, with an unknown id in place of a parameter."""

    name: str
    method: str
    path: str
    needs_key: bool
    takes_json: bool
    takes_form: bool

    def send(self, caller: Caller, **how: Any) -> Exchange:
        """Send the request, with an empty body unless `how` has another."""
        if self.takes_form:
            how.setdefault("files", {"file": ("a.png", PNG, "image/png")})
            how.setdefault("form", {"kind": "image"})
        elif self.takes_json:
            how.setdefault("json", {})
        return caller.request(self.method, self.path, **how)


def operations(api: Api) -> Iterator[Operation]:
    """The operations of an API, in the order of the document; those that create come last.

    So a budget that is used up stops none of the others.
    """
    documented = contract().operations(api)
    for method, path, described in sorted(
        documented, key=lambda operation: api_of_create(operation[0], operation[1]) is not None
    ):
        content = described.get("requestBody", {}).get("content", {})
        steps = [
            _UNKNOWN_ID if step.startswith("{") else step
            for step in path.removeprefix(PREFIX[api]).split("/")
        ]
        yield Operation(
            name=described["operationId"],
            method=method,
            path="/".join(steps),
            needs_key=bool(described["security"]),
            takes_json="application/json" in content,
            takes_form="multipart/form-data" in content,
        )


def unsupported_methods(api: Api) -> Iterator[tuple[str, str, list[str]]]:
    """Each path with a method that it does not support, and the methods that it supports.

    Requests that a server could take for creates come last.
    """
    by_path: dict[str, list[str]] = {}
    for operation in operations(api):
        by_path.setdefault(operation.path, []).append(operation.method)
    found = [
        (path, method, supported)
        for path, supported in by_path.items()
        for method in (name.upper() for name in METHODS)
        if method not in supported
    ]
    yield from sorted(
        found, key=lambda row: api_of_create(row[1], PREFIX[api] + row[0]) is not None
    )
