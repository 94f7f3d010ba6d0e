"""Makes the report of a judgement from its runs, or says why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from mock_server import __version__
from mock_server.control import AsyncWorld
from mock_server.control.judgement_answers import Judgement
from mock_server.core.printable import printable
from mock_server.judge.acceptance import complaints, standing
from mock_server.judge.baseline import flip_of
from mock_server.judge.console import counted
from mock_server.judge.day_run import DayRun
from mock_server.judge.days import Day
from mock_server.judge.judging import NeverCalled
from mock_server.judge.report import DayFacts, Report, verdict_of
from mock_server.judge.request import OPTION_OF, JudgeRequest
from mock_server.simulation.wall_clock import wall_ms

CLEAN, FOUND, COULD_NOT_RUN = 0, 1, 2

_SHOWN_LINES = 10
_TAKEN = (
    "something listened at {} before the client was started, and may have received the events in "
    "its place: end it, or give port 0"
)


def report_of(
    request: JudgeRequest,
    started_ms: int,
    runs: Sequence[DayRun],
    judged: Sequence[tuple[Day, Judgement]],
    *,
    receiver_was_taken: bool = False,
    door_attempts: Sequence[str] = (),
) -> Report:
    """The report. started_ms: when the judgement began. runs: none if nothing was run.
    receiver_was_taken: something listened at the client's port before it was started.
    door_attempts: sentences about requests for the control door."""
    started_at, ended_ms = datetime.fromtimestamp(started_ms / 1000, UTC), wall_ms()
    verdict, today = verdict_of(judged), started_at.date()
    codes = {each.code for each in verdict.findings}
    counts = standing(request.accepted, today)
    findings = tuple(each for each in verdict.findings if each.code not in counts)
    decided = bool(verdict.findings or verdict.notes or verdict.clean)
    problems = _problems(request, runs)
    if not decided:
        problems.append("nothing was decided: see the reasons below")
    before = request.baseline
    return Report(
        version=__version__,
        api=request.api.name,
        command=tuple(map(printable, request.command)),
        seed=request.seed,
        started_at=started_at,
        took_s=(ended_ms - started_ms) / 1000,
        days=tuple(map(_facts, runs)),
        findings=findings,
        notes=verdict.notes,
        inconclusive=verdict.inconclusive,
        clean=verdict.clean,
        accepted=tuple(
            each for each in request.accepted if each.code in codes and each.code in counts
        ),
        problems=tuple(problems),
        remarks=(
            *complaints(request.accepted, codes, today),
            *_about_quiet(runs[:1]),
            *([_TAKEN.format(request.callback)] if receiver_was_taken else []),
            *door_attempts,
            *_about_left_out(request),
        ),
        flip=None if before is None else flip_of(before, verdict),
        earlier=() if before is None else before.findings,
        exit_code=COULD_NOT_RUN if not decided else FOUND if findings or problems else CLEAN,
    )


def _about_quiet(runs: Sequence[DayRun]) -> list[str]:
    """A sentence about a client that did not end well although nothing went wrong."""
    return [
        "on the quiet day the client was ended at the limit: what it does not do cannot be judged"
        if run.how.exit_code is None
        else f"the client exited with {run.how.exit_code} on the quiet day, too"
        for run in runs
        if run.how.exit_code != 0
    ]


def _about_left_out(request: JudgeRequest) -> list[str]:
    """A sentence about the days that need options which were not given."""
    given = {need for day in request.days for need in day.needs}
    needs = {need for day in request.left_out for need in day.needs} - given
    options = [name for need, name in OPTION_OF.items() if need in needs]
    if request.attach is not None or not options:
        return []
    days = counted(len(request.left_out), "day")
    return [f"{days} more can be judged with {', '.join(options)}"]


def _problems(request: JudgeRequest, runs: Sequence[DayRun]) -> list[str]:
    """A sentence about each host that was asked and was not expected."""
    days_of: dict[str, list[str]] = {}
    for run in runs:
        for host in run.hosts:
            name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
            if not request.expected_hosts & {host.lower(), name.lower()}:
                days_of.setdefault(host, []).append(run.day.name)
    return [
        f"the client asked {host}, not the fake, on {counted(len(days), 'day')} ({days[0]}), and "
        "was refused: let it take its base URL from a variable, or give --expect-host"
        for host, days in days_of.items()
    ]


def _facts(run: DayRun) -> DayFacts:
    day, how = run.day, run.how
    return DayFacts(day.name, day.shows, how.ended_by, how.exit_code, how.took_s)


def never_called(never: NeverCalled, door_attempts: Sequence[str], request: JudgeRequest) -> str:
    """Why there is no verdict on a client that did not call the API with its key.
    door_attempts: sentences about requests for the control door."""
    run, sent = never.run, [*never.others, *never.strangers]
    ended = (
        f"exited with {run.how.exit_code}"
        if run.how.exit_code is not None
        else "was ended at the time limit"
    )
    missing = "the fake at all"
    if never.strangers:
        missing = "the fake with its key"
    elif never.others or door_attempts:
        missing = f"the API '{request.api.name}'"
    lines = [f"the client never called {missing}; it {ended} after {run.how.took_s:.1f} s"]
    lines += [f"it sent {printable(each)}" for each in sent]
    lines += door_attempts
    lines += [f"it asked {host} instead, and was refused" for host in run.hosts]
    lines += ["these variables were set (--env gives them other names):"]
    lines += [f"  {name}={getattr(run.values, what)}" for name, what in request.variables.items()]
    printed = run.last_output.splitlines()[-_SHOWN_LINES:]
    lines += ["the last lines it printed:" if printed else "it printed nothing"]
    lines += [f"  {printable(line, 200)}" for line in printed]
    return "\n".join(lines)


def nothing_to_judge(world: AsyncWorld, request: JudgeRequest) -> str:
    """Why there is no verdict on a world in which nothing has called the API."""
    url = next(name for name, what in request.variables.items() if what == "url")
    return (
        f"no request has come to the API '{request.api.name}' in the world '{world.name}' since it "
        "was made or reset, or its journal was cleared; requests for the control door do not "
        f"count. Run the client first, with {url}={world.plain_url} and the key that "
        f"GET /_mock/worlds/{world.name} shows"
    )
