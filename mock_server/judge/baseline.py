"""Compares a judgement with an earlier one."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from mock_server.judge.refusal import CannotRun
from mock_server.judge.report import FORMAT, Flip, Report, Verdict


class _Format(Struct):
    format: str


_NONE = "is no judgement that --json has written"
_MOST_BYTES = 50_000_000
"""Far more than a judgement has."""


def read_baseline(file: Path, api: str) -> Report:
    """The judgement that `--json` wrote to this file. Raises CannotRun."""
    try:
        with file.open("rb") as opened:  # a device has no end
            content = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise CannotRun(f"{file}: cannot be read: {error.strerror}") from None
    if len(content) > _MOST_BYTES:
        raise CannotRun(f"{file}: {_NONE}: it has more than {_MOST_BYTES // 10**6} MB")
    try:
        written_as = msgspec.json.decode(content, type=_Format).format
        if written_as != FORMAT:
            raise CannotRun(f"{file}: has the format '{written_as}', not '{FORMAT}'")
        report = msgspec.json.decode(content, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CannotRun(f"{file}: {_NONE}: {error}") from None
    if report.api != api:
        raise CannotRun(f"{file}: is about {report.api}, and this judgement is about {api}")
    return report


def flip_of(before: Report, now: Verdict) -> Flip:
    """The codes that differ."""
    then = [each.code for each in before.findings]
    found = [each.code for each in now.findings]
    return Flip(
        before=before.started_at,
        fixed=tuple(code for code in then if code in now.clean),
        new=tuple(code for code in found if code not in then),
        open=tuple(code for code in found if code in then),
        unknown=tuple(code for code in then if code not in now.clean and code not in found),
    )
