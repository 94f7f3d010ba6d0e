"""Checks the options of `hailuo-mock judge` before anything runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from mock_server.apis import ALL
from mock_server.apis.api import VendorApi
from mock_server.contract.data_paths import FIXTURES
from mock_server.core.suggestions import did_you_mean
from mock_server.judge.acceptance import read_acceptances
from mock_server.judge.baseline import read_baseline
from mock_server.judge.days import Day, Need, days_for, missing_needs, read_days
from mock_server.judge.environment import Variables, passed_of, usual_variables, variables_of
from mock_server.judge.judging import Terms
from mock_server.judge.refusal import CannotRun
from mock_server.judge.report import Accepted, Report
from mock_server.verdict.catalogue import RULES, unknown_rule

OPTION_OF: Mapping[Need, str] = {
    "receiver": "--serve-callback",
    "restart": "--restart",
    "effects": "--effect-count",
}
_NO_RUN = {
    "command": "a COMMAND", "restart": "--restart", "serve_callback": "--serve-callback",
    "effect_count": "--effect-count", "env": "--env", "pass_env": "--pass-env",
    "limit_s": "--limit-s",
}  # fmt: skip
"""Options that only a run of the client can use."""


class JudgeRequest(Struct, frozen=True, kw_only=True):
    """What is to be judged, and how. attach: a world of a running server; then nothing is run.
    days: the quiet one first. left_out: days that need more than is given. outputs: files by their
    form."""

    api: VendorApi
    command: tuple[str, ...]
    attach: str | None
    url: str
    control_token: str | None
    variables: Variables
    passed: tuple[str, ...]
    terms: Terms
    callback: str | None
    effect_count: str | None
    days: tuple[Day, ...]
    left_out: tuple[Day, ...]
    accepted: tuple[Accepted, ...]
    baseline: Report | None
    expected_hosts: frozenset[str]
    limit_s: float | None
    jobs: int
    seed: int
    outputs: Mapping[str, Path]


def request_of(options: Mapping[str, Any], environment: Mapping[str, str]) -> JudgeRequest:
    """The request in these options. Raises CannotRun."""
    api = _api(options["api"])
    attach, command = options["attach"], options["command"]
    if attach is None and not command:
        raise CannotRun("give the COMMAND that runs the client, after --, or --attach WORLD")
    if attach is not None:
        _require_no_run(options)
    variables = variables_of(options["env"]) or usual_variables(api)
    only, skip = _codes("--only", options["only"]), _codes("--skip", options["skip"])
    codes = tuple(code for code in (only or RULES) if code not in skip)
    given: list[Need] = [
        need
        for need, name in OPTION_OF.items()
        if options[name.removeprefix("--").replace("-", "_")]
    ]
    days = read_days(FIXTURES / "days", api.name, [each.name for each in ALL])
    mine = days_for(days, given, codes)
    if attach is None:
        _require_decidable(days, mine, codes, given)
    callback = options["serve_callback"]
    if callback is not None:
        _require_port(callback)
    outputs = {
        form: options[form] for form in ("junit", "sarif", "json", "receipt") if options[form]
    }
    _require_writable(outputs)
    return JudgeRequest(
        api=api,
        command=command,
        attach=attach,
        url=options["url"],
        control_token=options["control_token"],
        variables=variables,
        passed=passed_of(options["pass_env"], environment, variables),
        terms=Terms(options["expect_jobs"], only, skip),
        callback=callback,
        effect_count=options["effect_count"],
        days=tuple(mine),
        left_out=tuple(day for day in days_for(days, OPTION_OF, codes) if day not in mine),
        accepted=read_acceptances(options["accept"]) if options["accept"] else (),
        baseline=read_baseline(options["baseline"], api.name) if options["baseline"] else None,
        expected_hosts=frozenset(host.lower() for host in options["expect_host"]),
        limit_s=options["limit_s"],
        jobs=_jobs(options["jobs"], callback),
        seed=options["seed"],
        outputs=outputs,
    )


def _api(name: str | None) -> VendorApi:
    apis = {api.name: api for api in ALL}
    if name is None or name not in apis:
        hint = did_you_mean(name, apis) if name else ""
        raise CannotRun(f"--api says which API the client calls: {' or '.join(apis)}{hint}")
    return apis[name]


def _require_no_run(options: Mapping[str, Any]) -> None:
    given = [shown for name, shown in _NO_RUN.items() if options[name]]
    if given:
        raise CannotRun(f"--attach runs nothing: leave out {' and '.join(given)}")


def _codes(option: str, given: Iterable[str]) -> tuple[str, ...]:
    """The codes of an option, which may be given several times, and with commas."""
    codes = [code.strip().upper() for each in given for code in each.split(",") if code.strip()]
    for code in codes:
        if code not in RULES:
            raise CannotRun(f"{option}: {unknown_rule(code)}")
    return tuple(dict.fromkeys(codes))


def _require_decidable(
    days: Sequence[Day], mine: Sequence[Day], codes: Sequence[str], given: Sequence[Need]
) -> None:
    """Refuse a judgement in which no rule can be decided."""
    if any(code in day.codes for day in mine for code in codes):
        return
    missing = {need for code in codes for need in missing_needs(days, code, given)}
    if not missing:
        raise CannotRun("nothing is left to judge: --only and --skip leave out every rule")
    needed = " and ".join(OPTION_OF[need] for need in sorted(missing))
    raise CannotRun(f"nothing can be judged: {', '.join(codes)} needs {needed}")


def _require_port(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in {"http", "https"} and parts.hostname and parts.port is not None
    except ValueError:
        is_url = False
    if not is_url:
        example = "http://127.0.0.1:8787/hook, or http://127.0.0.1:0/hook for a free port"
        raise CannotRun(f"--serve-callback {url}: must be a URL with a port, like {example}")


def _jobs(asked: int | None, callback: str | None) -> int:
    """How many runs there may be at the same time: one if they all listen at the same port."""
    if callback is not None and urlsplit(callback).port != 0:
        return 1
    return asked or max(1, min(8, os.cpu_count() or 1))


def _require_writable(outputs: Mapping[str, Path]) -> None:
    form_of: dict[Path, str] = {}
    for form, path in outputs.items():
        other = form_of.setdefault(path if str(path) == "-" else path.resolve(), form)
        if other != form:
            raise CannotRun(f"--{other} and --{form} both write to {path}; name a file for each")
        if str(path) == "-":
            continue
        try:
            is_new = not path.exists()
            path.open("ab").close()
            if is_new:
                path.unlink()
        except OSError as error:
            raise CannotRun(
                f"--{form} {path}: {error.strerror}; name a file in a folder that can be written"
            ) from None
