"""Settings written down as the file they could have come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from mock_server.config.settings import AccountSettings
from mock_server.config.sources import Effective


def document(effective: Iterable[Effective]) -> str:
    """A valid hailuo-mock.toml that says of each setting what it does and where it came from."""
    return "\n".join(_lines(effective)) + "\n"


def _lines(effective: Iterable[Effective]) -> Iterator[str]:
    yield "# Every setting that holds, and where it came from."
    rows = {row.knob.name: row for row in effective}
    accounts = rows.pop("accounts")
    section = ""
    for row in sorted(rows.values(), key=lambda row: "." in row.knob.name):
        owner, _, name = row.knob.name.rpartition(".")
        if owner != section:
            section = owner
            yield f"\n[{owner}]"
        yield f"# {row.knob.sentence} ({row.origin})"
        yield f"# {name} =" if row.value is None else f"{name} = {_value(row.value)}"
    yield f"\n# {accounts.knob.sentence} ({accounts.origin})"
    yield from _accounts(accounts.value)


def _accounts(accounts: Sequence[AccountSettings]) -> Iterator[str]:
    for account in accounts:
        yield "[[accounts]]"
        yield f"name = {_value(account.name)}"
        yield f"credits = {account.credits}"
        for key in account.keys:
            yield "[[accounts.keys]]"
            members = {name: getattr(key, name) for name in key.__struct_fields__}
            yield from (
                f"{name} = {_value(member)}"
                for name, member in members.items()
                if member is not None
            )


def _value(value: Any) -> str:
    """A plain value. TOML spells texts, numbers and lists of texts as JSON does."""
    plain = msgspec.json.encode(value).decode()
    # Moments have a spelling of their own, without quotes.
    return plain.strip('"') if hasattr(value, "isoformat") else plain
