"""Reads the file of accepted findings: each with a reason, until a date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from mock_server.config.toml import TomlError, read_toml
from mock_server.judge.refusal import CannotRun
from mock_server.judge.report import Accepted
from mock_server.verdict.catalogue import RULES, unknown_rule


class _Row(Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    reason: Annotated[str, Meta(min_length=1)]
    expires: date


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    accepted: tuple[_Row, ...] = ()


_EXAMPLE = (
    'it has tables like: [[accepted]] code = "HM208" reason = "a new queue is due in May" '
    "expires = 2027-06-01"
)


def read_acceptances(file: Path) -> tuple[Accepted, ...]:
    """The accepted findings. Raises CannotRun."""
    try:
        _, spelled = read_toml(file)
        rows = msgspec.convert(spelled, _File).accepted
    except TomlError as error:
        raise CannotRun(f"{file}: {error}") from None
    except msgspec.ValidationError as error:
        raise CannotRun(f"{file}: {error}; {_EXAMPLE}") from None
    seen = set()
    for row in rows:
        if row.code not in RULES:
            raise CannotRun(f"{file}: {unknown_rule(row.code)}")
        if row.code in seen:
            raise CannotRun(f"{file}: {row.code} is accepted twice; keep one of the two")
        seen.add(row.code)
    return tuple(Accepted(row.code, row.reason, row.expires) for row in rows)


def standing(accepted: Iterable[Accepted], today: date) -> set[str]:
    """The codes of those that count today: also on the day of their date."""
    return {each.code for each in accepted if each.expires >= today}


def complaints(accepted: Sequence[Accepted], found: Iterable[str], today: date) -> tuple[str, ...]:
    """A sentence about each acceptance that has expired and is needed, or is needed no more."""
    found = set(found)
    said = []
    for each in accepted:
        if each.expires < today and each.code in found:
            said.append(f"{each.code} was accepted until {each.expires}: it counts again")
        elif each.code not in found:
            said.append(f"{each.code} is accepted, but was not found: the acceptance can go")
    return tuple(said)
