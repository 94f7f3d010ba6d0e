"""Reads the bad days: files that say what goes wrong in one run of a client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from mock_server.config.toml import TomlError, read_toml
from mock_server.core.apis import ApiName
from mock_server.core.refusals import Invalid
from mock_server.edge.typed_body import TypedBody
from mock_server.judge.refusal import CannotRun

QUIET = "quiet"
"""The day on which nothing goes wrong. It is run first."""

Need = Literal["receiver", "restart", "effects"]
"""What the user has to give: `--serve-callback`, `--restart` or `--effect-count`."""

Code = Annotated[str, Meta(pattern="^HM[1-9][0-9]{2}$")]


class Day(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One run of the client in a world of its own.

    name: of its file. shows: what goes wrong, in a sentence. codes: the rules that it can decide.
    apis: empty: all. needs: the day is left out if one of them is not given.
    faults: as the control door takes them; `{"scenario": NAME}` or a rule each. `{media_url}` in
        them stands for the origin of the media.
    scale: how much faster than real time the world runs; 1 where waits are judged.
    credits: of the account; None: as in the settings. limit_s: real seconds for the run.
    limit_counts: whether what has not happened by the limit will not happen.
    settles: whether a client with a receiver is ended when nothing more is to come.
    rotated: whether the secret of the webhook is replaced before the run; the old one stays valid.
    again: which deliveries are made once more when they are over.
    restarts: when the client is killed and started again.
    """

    name: str = ""
    shows: Annotated[str, Meta(min_length=1)]
    codes: Annotated[tuple[Code, ...], Meta(min_length=1)]
    apis: Annotated[tuple[ApiName, ...], Meta(min_length=1)] | None = None
    needs: tuple[Need, ...] = ()
    faults: tuple[dict[str, Any], ...] = ()
    scale: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    credits: Annotated[int, Meta(ge=0)] | None = None
    limit_s: Annotated[float, Meta(gt=0, le=3600)] = 20.0
    limit_counts: bool = False
    settles: bool = True
    rotated: bool = False
    again: Literal["succeeded", "failed"] | None = None
    restarts: Literal["after_create", "after_delivery"] | None = None


_FILE: TypedBody[Day] = TypedBody(Day)


def read_days(folder: Path, api: str, apis: Iterable[str]) -> list[Day]:
    """The days for this API, the quiet one first. apis: every known one. Raises CannotRun."""
    known = tuple(apis)
    days = [_read(file, known) for file in sorted(folder.glob("*.toml"))]
    mine = [day for day in days if day.apis is None or api in day.apis]
    return sorted(mine, key=lambda day: day.name != QUIET)


def days_for(days: Sequence[Day], given: Iterable[Need], codes: Iterable[str]) -> list[Day]:
    """The quiet day, and the days that can decide one of these codes with what is given."""
    given, codes = set(given), set(codes)
    return [
        day
        for day in days
        if day.name == QUIET or (given.issuperset(day.needs) and codes.intersection(day.codes))
    ]


def missing_needs(days: Sequence[Day], code: str, given: Iterable[Need]) -> list[Need]:
    """What is not given and would let one of the days decide this code; empty if a day can."""
    given = set(given)
    missing = [
        [need for need in day.needs if need not in given] for day in days if code in day.codes
    ]
    return min(missing, key=len, default=[])


def _read(file: Path, apis: Sequence[str]) -> Day:
    try:
        _, spelled = read_toml(file)
        day = _FILE.read(spelled, apis)
    except (TomlError, Invalid) as wrong:
        raise CannotRun(f"{file}: {wrong}") from None
    return msgspec.structs.replace(day, name=file.stem)
