"""Every operation as a request that could be sent: for checks that go through all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contract_tests.contract import METHODS, PREFIX, Api, contract
from contract_tests.exchange import Exchange
from contract_tests.target import Caller

_SOME_ID = "nothing_of_this_name"
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\r\xefF\xb8"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)


@dataclass(frozen=True)
class Operation:
    """One operation. path counts from the API's prefix, with an id that nobody has in it."""

    name: str
    method: str
    path: str
    needs_key: bool
    takes_json: bool
    takes_form: bool

    def ask(self, asker: Caller, **how: Any) -> Exchange:
        """Send it, with an empty body unless told otherwise."""
        if self.takes_form:
            how.setdefault("files", {"file": ("a.png", PNG, "image/png")})
            how.setdefault("form", {"kind": "image"})
        elif self.takes_json:
            how.setdefault("json", {})
        return asker.ask(self.method, self.path, **how)


def operations(api: Api) -> Iterator[Operation]:
    """Every operation of an API, in the order of the document."""
    for method, path, described in contract().operations(api):
        content = described.get("requestBody", {}).get("content", {})
        steps = [
            _SOME_ID if step.startswith("{") else step
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


def methods_missing(api: Api) -> Iterator[tuple[str, str, list[str]]]:
    """Path, a method it does not have, and the methods it has."""
    by_path: dict[str, list[str]] = {}
    for operation in operations(api):
        by_path.setdefault(operation.path, []).append(operation.method)
    for path, has in by_path.items():
        for method in (name.upper() for name in METHODS):
            if method not in has:
                yield path, method, has
