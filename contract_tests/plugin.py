"""The suite as a pytest plugin: options, which checks run in which order, and their verdicts."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NoReturn

import pytest

from contract_tests import options, report
from contract_tests.budget import OverBudget, Priced, plan
from contract_tests.contract import APIS, Api
from contract_tests.fakes import StartError
from contract_tests.keys import ROLES, variable
from contract_tests.promises import promises
from contract_tests.receiver import DEFAULT_PORT, Receiver
from contract_tests.run import Result, Run
from contract_tests.target import Caller, Target, Unreachable, is_loopback
from contract_tests.verdicts import Broken, Finding, Require

_MARKERS = (
    "holds(*promises): the rows this check looks at; * stands for any end of a name",
    "price(model, count=1): what it costs: so many generations with that model",
    "needs(*what): keys by role, a variant of the fake, 'second account', 'clock', 'receiver'",
    "deep: left out by --quick",
    "full: left out by --profile safe",
    "rank(n): when it runs among checks of one price; the cheap and telling ones first",
)
_USUAL_RANK = 10
Reporting = Generator[None, pytest.TestReport, pytest.TestReport]
_run_key = pytest.StashKey[Run]()
_sent_key = pytest.StashKey[int]()


class SuiteError(Exception):
    """A fault of the suite itself; no server is to blame."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `hailuo-mock check`."""
    options.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the options; nothing is sent yet."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    read = options.read(config)
    config.stash[_run_key] = Run(read)
    if read.report_dir is not None and hasattr(config.option, "xmlpath"):
        read.report_dir.mkdir(parents=True, exist_ok=True)
        config.option.xmlpath = str(read.report_dir / "junit.xml")
    _prepare_hypothesis(read.seed, config.stash[_run_key].home)


def _prepare_hypothesis(seed: int, home: Path) -> None:
    """What `--hypothesis-seed` does, without its plugin; the caller's folder stays as it is."""
    import hypothesis.configuration
    import hypothesis.core

    hypothesis.configuration.set_hypothesis_home_dir(home)
    hypothesis.core.global_force_seed = seed  # type: ignore[assignment]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Find the server, or refuse to look for it."""
    run = session.config.stash[_run_key]
    if session.config.option.collectonly or options.told(session.config, "list"):
        return
    if run.options.refusal:
        _give_up(f"refused: {run.options.refusal}")
    try:
        run.open()
    except (Unreachable, StartError) as error:
        _give_up(str(error))


def _give_up(reason: str) -> NoReturn:
    """End the run before it began: exit code 2."""
    pytest.exit(reason, returncode=2)


# --- what runs --------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A check that asks for `api` runs once for each API of the run."""
    if "api" in metafunc.fixturenames and not _parametrizes(metafunc, "api"):
        metafunc.parametrize("api", APIS, scope="session")


def _parametrizes(metafunc: pytest.Metafunc, name: str) -> bool:
    named = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    return any(name in (each.split(",") if isinstance(each, str) else each) for each in named)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what does not apply, plan within the budget, put the rest in order."""
    run = config.stash[_run_key]
    if options.told(config, "list"):
        report.list_promises(
            checks_of(items), run.options.apis, as_json=options.told(config, "json")
        )
        items.clear()
        return
    chosen: list[pytest.Item] = []
    for item in items:
        reason = _why_not(run, item)
        if reason is None:
            chosen.append(item)
        elif reason:
            run.not_selected.append((item.name, reason))
    by_name = {item.nodeid: item for item in sorted(chosen, key=_rank)}
    run.plan = plan(
        [Priced(name, _price_credits(run, item)) for name, item in by_name.items()],
        run.options.max_credits,
    )
    run.not_selected += [
        (by_name[check.name].name, f"costs {check.price_credits} credits")
        for check in run.plan.left_out
    ]
    if run.options.max_credits is None:
        items[:] = sorted((by_name[check.name] for check in run.plan.chosen), key=_rank)
    else:
        items[:] = [by_name[check.name] for check in run.plan.chosen]  # cheapest first
    if not config.option.collectonly:
        report.announce(run)


def api_of(item: pytest.Item) -> Api | None:
    """Whose contract a check holds: its parameter says so, or its room, or what it holds."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    said: Api | None = params.get("api") or getattr(params.get("sample"), "api", None)
    if said is not None:
        return said
    held = [str(name) for mark in item.iter_markers("holds") for name in mark.args]
    return next(
        (
            api
            for api in APIS
            if api in item.path.parts or all(name.startswith(f"{api}.") for name in held)
        ),
        None,
    )


def _why_not(run: Run, item: pytest.Item) -> str | None:
    """Why a check does not run; None: it runs, "": it is none of this run's business."""
    api = api_of(item)
    if api is not None and api not in run.options.apis:
        return ""
    if run.options.only and not any(name in item.nodeid for name in run.options.only):
        return ""
    if run.options.quick and item.get_closest_marker("deep"):
        return "deep, and this run is --quick"
    if run.options.profile == "safe" and item.get_closest_marker("full"):
        return "not safe: --profile full runs it"
    if not hasattr(run, "target"):
        return None
    for mark in item.iter_markers("needs"):
        for need in mark.args:
            if reason := _unmet(run, api or run.options.apis[0], need):
                return reason
    return None


def _unmet(run: Run, api: Api, need: str) -> str | None:
    if need in ROLES:
        words = f"needs {ROLES[need]}: set {variable(api, need)}"
        return None if run.has_key(api, need) else words
    if need == "clock":
        return None if run.target.time.is_fast else "needs a clock that can be set"
    if need == "fake":
        return None if run.target.is_fake else "needs the fake"
    if need == "receiver":
        reachable = is_loopback(run.target.base_url) or run.options.callback_url
        return None if reachable else "needs --callback-url, to receive callbacks at"
    if need.startswith("variant "):
        return None if run.owns_fake else "needs a server that can be told to misbehave"
    raise ValueError(f"unknown need {need!r}")


def _price_credits(run: Run, item: pytest.Item) -> int:
    """What a check costs; of several prices those that are its API's."""
    api = api_of(item) or run.options.apis[0]
    others = {model["id"] for other in APIS if other != api for model in run.contract.models(other)}
    return sum(
        run.prices.of(api, mark.args[0]) * mark.kwargs.get("count", 1)
        for mark in item.iter_markers("price")
        if mark.args[0] not in others
    )


def _rank(item: pytest.Item) -> int:
    mark = item.get_closest_marker("rank")
    return int(mark.args[0]) if mark else _USUAL_RANK


def held_by(item: pytest.Item) -> list[str]:
    """The rows a check holds, its patterns spelled out. LookupError for one that names none."""
    api = api_of(item)
    rows: list[str] = []
    for mark in item.iter_markers("holds"):
        for name in mark.args:
            pattern = name.replace("{api}", api or "*")
            found = [row for row in promises() if fnmatchcase(row, pattern.replace("[", "[[]"))]
            if not found:
                raise LookupError(f"{item.nodeid} holds {name!r}, which is no promise")
            rows += found
    return rows


def checks_of(items: list[pytest.Item]) -> dict[str, list[str]]:
    """The checks of every row, by the row's id."""
    checks: dict[str, list[str]] = {row: [] for row in promises()}
    for item in items:
        for row in held_by(item):
            name = item.nodeid.partition("[")[0]
            if name not in checks[row]:
                checks[row].append(name)
    return checks


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Whatever is found from now on was found by this check."""
    run = item.config.stash[_run_key]
    run.verdicts.check = item.nodeid
    item.stash[_sent_key] = run.door.sent


# --- what comes of it -------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Reporting:
    """Turn what happened in a check into findings."""
    shown = yield
    run = item.config.stash[_run_key]
    if call.when == "setup" and call.excinfo is None:
        return shown
    if call.when == "teardown" and call.excinfo is None:
        return shown
    reason = _stopped(call)
    if reason is not None:
        run.verdicts.take_fresh()
        shown.outcome, shown.longrepr = "skipped", (str(item.path), 0, f"Skipped: {reason}")
        run.note(Result(item.nodeid, "skipped", call.duration, reason))
        return shown
    findings = _findings(run, item, call)
    refuted = [finding for finding in findings if run.is_only_refuted(finding)]
    broken = [finding for finding in findings if not run.is_only_refuted(finding)]
    for finding in refuted:
        run.refuted[finding.promise.id] = finding
        run.verdicts.broken.pop(finding.promise.id, None)
    outcome = "broken" if broken else "refuted" if refuted else "held"
    run.note(Result(item.nodeid, outcome, call.duration, findings=broken or refuted))
    if broken:
        shown.outcome = "failed"
        shown.longrepr = report.words(run, broken)
        if run.options.stop_early:
            item.session.shouldstop = "a finding"
    elif refuted:
        shown.outcome, shown.longrepr = "passed", None
    return shown


def _stopped(call: pytest.CallInfo[None]) -> str | None:
    """Why a check came to no verdict: it says so itself, or the purse is empty."""
    if call.excinfo is None:
        return None
    error: BaseException | None = call.excinfo.value
    if isinstance(error, pytest.skip.Exception):
        return str(error)
    while error is not None:
        if isinstance(error, OverBudget):
            return f"stopped by the budget: {error}"
        error = error.__cause__ or error.__context__
    return None


def _findings(run: Run, item: pytest.Item, call: pytest.CallInfo[None]) -> list[Finding]:
    """Everything that was found during a check: by itself, and in passing."""
    error = call.excinfo.value if call.excinfo else None
    error = _broken_in(error) or error
    if isinstance(error, Broken):
        run.verdicts.note(error.finding)
    found = run.verdicts.take_fresh()
    if error is not None and not found and not isinstance(error, Broken):
        if run.door.sent == item.stash[_sent_key]:
            raise SuiteError(f"{item.nodeid} fell over before it asked anything") from error
        found = [_unreadable(run, item, error)]
        run.verdicts.note(found[0])
        run.verdicts.take_fresh()
    if isinstance(error, Broken) and not found:
        found = [error.finding]  # known before; this check fails all the same
    return found


def _broken_in(error: BaseException | None) -> Broken | None:
    """The finding inside an error; a scenario that does not repeat is told as a group of errors."""
    if isinstance(error, Broken):
        return error
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next((found for each in inner if (found := _broken_in(each))), None)


def _unreadable(run: Run, item: pytest.Item, error: BaseException) -> Finding:
    """A check fell over an answer that it could not read."""
    rows = held_by(item) or [f"{api_of(item) or run.options.apis[0]}.rule.answers"]
    last = run.door.exchanges[-1] if run.door.exchanges else None
    expected = "an answer that this check can read"
    return Finding(promises()[rows[0]], expected, f"{type(error).__name__}: {error}", last)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say what came of it all, write the reports, settle the exit code."""
    run = session.config.stash[_run_key]
    if options.told(session.config, "list") or session.config.option.collectonly:
        session.exitstatus = 0
        return
    if not hasattr(run, "target"):
        return
    session.exitstatus = run.exit_code
    report.finish(run, as_json=options.told(session.config, "json"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what was started."""
    if _run_key in config.stash:
        config.stash[_run_key].close()


# --- what checks are given --------------------------------------------------------------------


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """The run."""
    return pytestconfig.stash[_run_key]


@pytest.fixture(scope="session")
def target(run: Run) -> Target:
    """The server under test."""
    return run.target


@pytest.fixture(scope="session")
def rivya(target: Target) -> Caller:
    """The account that asks Rivya."""
    return target.caller("rivya")


@pytest.fixture(scope="session")
def acedata(target: Target) -> Caller:
    """The account that asks AceData."""
    return target.caller("acedata")


@pytest.fixture(scope="session")
def require(run: Run) -> Require:
    """Notes that a promise was looked at, and fails the check if it does not hold."""
    return run.verdicts.require


@pytest.fixture(scope="session")
def receiver(run: Run) -> Iterator[Receiver]:
    """The suite's own receiver of callbacks."""
    public_url = run.options.callback_url
    with Receiver(public_url, DEFAULT_PORT if public_url else 0) as listening:
        yield listening
