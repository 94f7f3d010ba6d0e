"""Matches the headers of requests: present, absent, or with a pattern in their value."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from msgspec import Meta

from mock_server.core.credential_headers import holds_credential
from mock_server.core.field_types import HeaderName
from mock_server.core.journal import Headers
from mock_server.core.patterns import BadPattern, is_found, require_pattern

WantedHeaders = Annotated[dict[HeaderName, bool | str], Meta(max_length=20)]
"""By name, in upper or lower case: True: present; False: absent; a regular expression, searched for
anywhere in the value, or in one of them if the header is repeated. A credential is only present or
absent: a pattern could find it out letter by letter."""


def require_usable(wanted: Mapping[str, bool | str]) -> None:
    """Raises ValueError for a pattern that cannot be used, and for one of a credential."""
    for name, pattern in wanted.items():
        if isinstance(pattern, bool):
            continue
        if holds_credential(name.lower().encode()):
            raise ValueError(
                f"the header {name} holds a credential: true (present) or false (absent) matches it"
            )
        try:
            require_pattern(pattern)
        except BadPattern as bad:
            raise ValueError(f"{name} has no regular expression to use: it {bad}") from None


def pattern_count(wanted: Mapping[str, bool | str]) -> int:
    """The number of regular expressions."""
    return sum(isinstance(each, str) for each in wanted.values())


def unmatched(wanted: Mapping[str, bool | str], headers: Headers) -> Iterator[str]:
    """The names of the wanted headers that these headers do not match."""
    for name, pattern in wanted.items():
        values = values_of(name, headers)
        if isinstance(pattern, bool):
            if bool(values) is not pattern:
                yield name
        elif not any(is_found(pattern, value) for value in values):
            yield name


def values_of(name: str, headers: Headers) -> list[str]:
    """All values of a header."""
    wanted = name.lower().encode()
    return [value.decode("latin-1") for each, value in headers if each.lower() == wanted]
