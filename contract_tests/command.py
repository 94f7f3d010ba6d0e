"""`hailuo-mock check`: the suite through pytest, with words of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest

from contract_tests import options
from contract_tests.progress import Progress

COULD_NOT_RUN = 2
_HERE = Path(__file__).resolve().parent
_RAN = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


def check(arguments: Sequence[str]) -> int:
    """Run the suite. 0: the contract holds, 1: findings, 2: it could not run, or nothing ran."""
    _parser().make_context("hailuo-mock check", list(arguments))
    # Neither the caller's settings nor their plugins have a say in what the contract is.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    told = ["-c", str(_HERE / "pytest.ini"), "--rootdir", str(_HERE), "-p", "no:terminal"]
    code = pytest.main([*told, *arguments, str(_HERE)], plugins=[Progress(sys.stderr)])
    return int(code) if code in _RAN else COULD_NOT_RUN


def _parser() -> click.Command:
    """The options as click has them: for `--help`, and for near names of a wrong one."""
    return click.Command(
        "check",
        params=[_option(name, facts) for name, facts in options.OPTIONS.items()],
        help="Hold a server against the contract; without --base-url, the fake.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _option(name: str, facts: dict[str, Any]) -> click.Option:
    kind: Any = click.Choice(facts["choices"]) if "choices" in facts else facts.get("type")
    if facts.get("type") is Path:
        kind = click.Path(file_okay=False, path_type=Path)
    return click.Option(
        [name],
        help=facts["help"],
        type=kind,
        is_flag=facts.get("action") == "store_true",
        multiple=facts.get("action") == "append",
        show_default="default" in facts and bool(facts["default"]),
        default=facts.get("default"),
    )
