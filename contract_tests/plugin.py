"""The pytest plugin of the suite: its options, hooks and fixtures."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import NoReturn

import pytest

from contract_tests import options, report
from contract_tests.choice import checks_of, choose
from contract_tests.contract import APIS
from contract_tests.fakes import StartError
from contract_tests.keys import secrets_of
from contract_tests.outcomes import begin, result_of
from contract_tests.own_world import Unreachable
from contract_tests.preflight import NothingToJudge
from contract_tests.receiver import PortInUse, Receiver
from contract_tests.redaction import OF_PROCESS, redact_output
from contract_tests.report import files
from contract_tests.run import Run
from contract_tests.stop import Interrupted, error_text
from contract_tests.target import Caller, Target
from contract_tests.verdicts import Require

_MARKERS = (
    "holds(*promises): the ids of the promises that the check looks at; * matches any text",
    "price(model, count=1, quick=count): the check costs so many generations with that model at "
    "most, replays included; quick: with --quick",
    "risk(model=None): the check sends what a wrong server could take for a create: as dear as one "
    "with that model, or with the dearest",
    "needs(*what): keys by role, 'variant NAME' of the fake, 'fake', 'clock', 'receiver'",
    "deep: left out by --quick",
    "full: left out by --profile safe",
    "rank(n): checks of the same price run in the order of their rank",
)
Reporting = Generator[None, pytest.TestReport, pytest.TestReport]
_run_key = pytest.StashKey[Run]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `hailuo-mock check`."""
    options.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the options. No request is sent."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    config.pluginmanager.register(_InternalErrors(config))
    OF_PROCESS.add(*secrets_of(sys.argv, os.environ))
    redact_output()
    read = options.read(config)
    config.stash[_run_key] = run = Run(read)
    atexit.register(run.close)
    if read.report_dir is not None and hasattr(config.option, "xmlpath"):
        config.option.xmlpath = str(read.report_dir / "junit.xml")
    _prepare_hypothesis(read.seed, run.home)


class _InternalErrors:
    """Notes a defect of the suite outside of a check."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Print the error. True: pytest prints no traceback."""
        error = error_text(excinfo.value)
        print(f"hailuo-mock check: internal error: {error}", file=sys.stderr)
        if _run_key in self._config.stash:
            self._config.stash[_run_key].errors.append(error)
        return True


def _prepare_hypothesis(seed: int, home: Path) -> None:
    """Set the seed and the folder of Hypothesis, whose own plugin is not loaded."""
    import hypothesis.configuration
    import hypothesis.core

    hypothesis.configuration.set_hypothesis_home_dir(home)
    hypothesis.core.global_force_seed = seed  # type: ignore[assignment]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Connect to the server, or end the run with the reason."""
    run = session.config.stash[_run_key]
    if session.config.option.collectonly or options.value_of(session.config, "list"):
        return
    if run.options.refusal:
        _end_run(run, f"refused: {run.options.refusal}")
    try:
        files.require_writable(run.options)
        run.stop.listen(run.options.max_minutes)
        run.open()
        if run.options.callback_url:
            run.open_receiver()
    except (Unreachable, NothingToJudge, StartError, PortInUse, files.NotWritable) as error:
        _end_run(run, str(error))
    except Interrupted as error:
        _end_run(run, f"nothing was judged: {error}", error.exit_code)


def _end_run(run: Run, reason: str, code: int = 2) -> NoReturn:
    """End the run before the first check."""
    run.ended_before_checks = True
    pytest.exit(run.redaction.text(reason), returncode=code)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a check with the argument `api` once for each API."""
    if "api" in metafunc.fixturenames and not _parametrizes(metafunc, "api"):
        metafunc.parametrize("api", APIS, scope="session")


def _parametrizes(metafunc: pytest.Metafunc, name: str) -> bool:
    names = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    return any(name in (each.split(",") if isinstance(each, str) else each) for each in names)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose the checks that apply and fit the budget, and put them in order."""
    run = config.stash[_run_key]
    if options.value_of(config, "list"):
        report.list_promises(
            checks_of(items), run.options.apis, as_json=options.value_of(config, "json")
        )
        items.clear()
        return
    choose(run, items)
    if not config.option.collectonly:
        report.print_plan(run)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Set the running check, to which findings are attributed."""
    begin(item.config.stash[_run_key], item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Reporting:
    """Turn the outcome of a check into findings."""
    shown = yield
    run = item.config.stash[_run_key]
    if call.when in {"setup", "teardown"} and call.excinfo is None:
        return shown
    if run.stop.reason:
        item.session.shouldstop = run.stop.reason
    result = result_of(run, item, call)
    if result.outcome != "left out":
        run.add(result)
    if result.outcome in {"skipped", "left out", "stopped", "unanswered"}:
        shown.outcome = "skipped"
        shown.longrepr = (str(item.path), 0, f"Skipped: {result.reason}")
    elif result.outcome == "error":
        shown.outcome, shown.longrepr = "failed", result.reason
    elif result.outcome == "broken":
        shown.outcome, shown.longrepr = "failed", report.findings_text(run, result.findings)
        if run.options.stop_early:
            item.session.shouldstop = "a finding"
    else:
        shown.outcome, shown.longrepr = "passed", None
    return shown


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Print the result, write the reports, and set the exit code."""
    run = session.config.stash.get(_run_key, None)
    if run is None:
        return
    run.stop.cancel_time_limit()
    if options.value_of(session.config, "list") or session.config.option.collectonly:
        session.exitstatus = 0
        return
    if run.ended_before_checks or not hasattr(run, "target"):
        return
    try:
        report.finish(run, as_json=options.value_of(session.config, "json"))
    except OSError as error:
        run.errors.append(f"the report could not be written: {error}")
        print(f"hailuo-mock check: {run.errors[-1]}", file=sys.stderr)
    session.exitstatus = run.exit_code


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop all that the run has started."""
    if _run_key in config.stash:
        run = config.stash[_run_key]
        run.close()
        files.redact(run)


# --- fixtures ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """The run that the checks share."""
    return pytestconfig.stash[_run_key]


@pytest.fixture(scope="session")
def target(run: Run) -> Target:
    """The server under test."""
    return run.target


@pytest.fixture(scope="session")
def rivya(target: Target) -> Caller:
    """The caller with the account's own key for Rivya."""
    return target.caller("rivya")


@pytest.fixture(scope="session")
def acedata(target: Target) -> Caller:
    """The caller with the account's own token for AceData."""
    return target.caller("acedata")


@pytest.fixture(scope="session")
def require(run: Run) -> Require:
    """The function that counts a check of a promise, and fails if it does not hold."""
    return Require(run.verdicts)


@pytest.fixture(scope="session")
def receiver(run: Run) -> Receiver:
    """The receiver of callbacks and events."""
    return run.open_receiver()
