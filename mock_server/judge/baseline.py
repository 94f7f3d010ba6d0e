"""Compares a judgement with an earlier one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mock_server.judge.report import FORMAT, Flip, Report, Verdict


class BaselineError(Exception):
    """The file is no earlier judgement. The message says why."""


def read_baseline(file: Path, api: str) -> Report:
    """The judgement that `--json` wrote to this file. Raises BaselineError."""
    try:
        report = msgspec.json.decode(file.read_bytes(), type=Report)
    except OSError as error:
        raise BaselineError(f"{file}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = f"is no judgement that --json has written: {error}"
        raise BaselineError(f"{file}: {reason}") from None
    if report.format != FORMAT:
        raise BaselineError(f"{file}: has the format '{report.format}', not '{FORMAT}'")
    if report.api != api:
        raise BaselineError(f"{file}: is about {report.api}, and this judgement is about {api}")
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
