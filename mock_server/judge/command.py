"""The command `hailuo-mock judge`: from options to reports and an exit code."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

import click
import httpx2
import msgspec

from mock_server.apis import ALL
from mock_server.config.sources import SettingsError
from mock_server.control import AsyncControl, ControlError
from mock_server.control.judgement_answers import Finding
from mock_server.core.chance import Chance
from mock_server.core.printable import printable
from mock_server.core.redaction import Redaction
from mock_server.judge.acceptance import standing
from mock_server.judge.console import as_text, proved
from mock_server.judge.day_run import Bench
from mock_server.judge.days import Day
from mock_server.judge.door_attempts import DoorAttempts
from mock_server.judge.fake import fake_for_runs
from mock_server.judge.judging import JudgedRun, NeverCalled, judge_days
from mock_server.judge.junit import as_junit
from mock_server.judge.receipt import as_receipt
from mock_server.judge.receiver_port import is_taken
from mock_server.judge.refusal import CannotRun
from mock_server.judge.report import Report
from mock_server.judge.request import JudgeRequest, request_of
from mock_server.judge.sarif import as_sarif
from mock_server.judge.stopping import Stopped, run_until_signal
from mock_server.judge.summary import COULD_NOT_RUN, never_called, nothing_to_judge, report_of
from mock_server.simulation.wall_clock import wall_ms
from mock_server.verdict.catalogue import RULES, RuleInfo, rule_info

INTERRUPTED = 128
"""To which the number of the signal is added."""

_SHORTEST_PASSED = 8
"""The shortest value of a passed variable that is hidden: shorter ones are seldom secrets."""
_FORMS: Mapping[str, Callable[[Report, Sequence[RuleInfo]], bytes]] = {
    "junit": as_junit,
    "sarif": as_sarif,
    "json": lambda report, _: msgspec.json.format(msgspec.json.encode(report)) + b"\n",
    "receipt": as_receipt,
}


def judge(options: Mapping[str, Any], environment: Mapping[str, str]) -> int:
    """Judge a client and write the reports. environment: of the user. Returns the exit code."""
    secrets: list[str] = []
    attempts = DoorAttempts()
    try:
        request = request_of(options, environment)
        secrets += _passed_secrets(environment[name] for name in request.passed)
        secrets += [request.control_token] if request.control_token else []
        report = run_until_signal(lambda: _report(request, environment, secrets, attempts))
        report = _redacted(report, secrets)
        return _write(report, request, colour=_is_terminal(sys.stdout) and not options["no_colour"])
    except Stopped as stopped:
        return _failed(
            "stopped; the client and its children were ended", INTERRUPTED + stopped.number
        )
    except NeverCalled as never:
        redaction = _redaction(secrets)
        # At first what it printed, because only the beginning of a long line is shown.
        printed = redaction.text(never.run.last_output)
        never.run = msgspec.structs.replace(never.run, last_output=printed)
        return _failed(redaction.text(never_called(never, attempts.sentences(), request)))
    except (CannotRun, ControlError, SettingsError, OSError, httpx2.HTTPError) as error:
        return _failed(_redaction(secrets).text(printable(str(error))))


async def _report(
    request: JudgeRequest,
    environment: Mapping[str, str],
    secrets: list[str],
    attempts: DoorAttempts,
) -> Report:
    """The report of a judgement. Adds every secret to `secrets`, and to `attempts` what the client
    asked the control door for."""
    started_ms = wall_ms()
    if request.attach is not None:
        control = AsyncControl(request.url, request.control_token)
        world = await control.find(request.attach)
        secrets += [key.key for key in world.keys]
        if not (await world.journal(limit=1, api=request.api.name)).requests:
            raise CannotRun(nothing_to_judge(world, request))
        told = await world.judge(**msgspec.structs.asdict(request.terms))
        return report_of(request, started_ms, [], [(request.days[0], told)])
    list(RULES.values())  # reading them later would keep the client waiting
    host = None if request.callback is None else urlsplit(request.callback).hostname
    was_taken = request.callback is not None and is_taken(request.callback)
    token = Chance(request.seed).random_bytes("control token", "judge").hex()
    secrets.append(token)
    with (
        tempfile.TemporaryDirectory(prefix="hailuo-judge-", ignore_cleanup_errors=True) as folder,
        fake_for_runs(
            request.seed,
            callback_host=host,
            control_token=token,
            on_locked_out=attempts.add,
        ) as url,
    ):
        bench = Bench(
            control=AsyncControl(url, token),
            api=request.api,
            command=request.command,
            variables=request.variables,
            user=environment,
            passed=request.passed,
            callback=request.callback,
            effect_count=request.effect_count,
            limit_s=request.limit_s,
            folder=Path(folder),
            note_secret=secrets.append,
        )
        progress = _Progress(len(request.days), started_ms)
        today = datetime.fromtimestamp(started_ms / 1000, UTC).date()
        settled = standing(request.accepted, today)

        def tell(day: Day, finding: Finding) -> None:
            if finding.code not in settled:
                settled.add(finding.code)
                progress.tell(day, finding, _redaction(secrets).text(finding.sentence))

        try:
            judged = await judge_days(
                request.days,
                bench,
                request.terms,
                jobs=request.jobs,
                on_judged=progress.add,
                on_proved=tell,
            )
        finally:
            progress.clear()
    runs = [each.run for each in judged]
    judgements = [(each.run.day, each.judgement) for each in judged]
    return report_of(
        request,
        started_ms,
        runs,
        judgements,
        receiver_was_taken=was_taken,
        door_attempts=attempts.sentences(),
    )


def _passed_secrets(values: Iterable[str]) -> list[str]:
    """What is hidden of passed variables: whole values, and each line of a longer one."""
    parts = (part for value in values for part in (value, *value.splitlines()))
    return [part for part in parts if len(part) >= _SHORTEST_PASSED]


def _redaction(secrets: Sequence[str]) -> Redaction:
    return Redaction(secrets, [api.key_prefix for api in ALL if api.key_prefix])


def _redacted(report: Report, secrets: Sequence[str]) -> Report:
    """The report without any secret."""
    plain = msgspec.json.decode(msgspec.json.encode(report))
    return msgspec.convert(_redaction(secrets).value(plain), Report)


def _write(report: Report, request: JudgeRequest, *, colour: bool) -> int:
    """Write the text for people, and the files. If a form goes to standard output, the text does
    not. Returns the exit code. A file that cannot be written costs no other output."""
    code = report.exit_code
    if Path("-") not in request.outputs.values() and not _print(
        as_text(report, colour=colour), colour=colour
    ):
        code = COULD_NOT_RUN
    for form, path in request.outputs.items():
        content = _FORMS[form](report, [rule_info(each) for each in RULES])
        if str(path) == "-":
            code = code if _print(content, colour=None) else COULD_NOT_RUN
            continue
        try:
            path.write_bytes(content)
        except OSError as error:
            code = _failed(f"--{form} {path} could not be written: {error.strerror}")
    return code


def _print(content: str | bytes, *, colour: bool | None) -> bool:
    """Write to standard output, as much as its reader takes: `| head` ends before the text does.
    Returns False, and says why, if it cannot be written."""
    try:
        click.echo(content, nl=False, color=colour)
    except OSError as error:
        # The interpreter flushes the stream once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            _failed(f"standard output could not be written: {error.strerror}")
            return False
    return True


def _is_terminal(stream: TextIO | None) -> bool:
    """Whether it is a terminal. None: the stream was closed when the program started."""
    return stream is not None and stream.isatty()


class _Progress:
    """Shows how many days are over, if standard error is a terminal; and what is proved while the
    client runs."""

    def __init__(self, days: int, started_ms: int) -> None:
        self._days = days
        self._started_ms = started_ms
        self._over = 0

    def add(self, judged: JudgedRun) -> None:
        """One more is over."""
        self._over += 1
        self._show(f"{self._over} of {self._days} days: {judged.run.day.name}")

    def tell(self, day: Day, finding: Finding, sentence: str) -> None:
        """Print a finding that stands."""
        self.clear()
        after_s = (wall_ms() - self._started_ms) / 1000
        for line in proved(after_s, day.name, finding, sentence):
            click.echo(line, err=True)

    def clear(self) -> None:
        """Remove the line."""
        self._show("")

    def _show(self, text: str) -> None:
        if _is_terminal(sys.stderr):
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)


def _failed(reason: str, code: int = COULD_NOT_RUN) -> int:
    """Print why there is no verdict. Returns the exit code."""
    click.echo(f"hailuo-mock judge: {reason}", err=True)
    return code
