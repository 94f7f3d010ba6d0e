"""The command `hailuo-mock check`, which runs the suite with pytest."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO, cast

import click
import pytest

from contract_tests import options
from contract_tests.keys import secrets_of
from contract_tests.progress import Progress
from contract_tests.redaction import OF_PROCESS, RedactedStream, redact_output
from contract_tests.stop import INTERRUPTED, NO_VERDICT, Interrupted, error_text

_HERE = Path(__file__).resolve().parent
_COMPLETED = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, INTERRUPTED}


def check(arguments: Sequence[str]) -> int:
    """Run the suite. 0: the contract holds, 1: findings, 2: not all was asked. 130: Ctrl-C."""
    OF_PROCESS.add(*secrets_of(arguments, os.environ))
    redact_output()
    _parser().make_context("hailuo-mock check", list(arguments))
    # The caller's pytest settings and plugins must not change the result.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    own = ["-c", str(_HERE / "pytest.ini"), "--rootdir", str(_HERE), "-p", "no:terminal"]
    try:
        code = pytest.main([*own, *arguments, str(_HERE)], plugins=[Progress(_own_stderr())])
        sys.stdout.flush()
    except Interrupted as error:
        return _failed(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _failed("interrupted by Ctrl-C", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _failed("the output could not be written")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no verdict
        return _failed(f"internal error: {error_text(error)}")
    return int(code) if code in _COMPLETED else NO_VERDICT


def _own_stderr() -> TextIO:
    """Standard error in a file of its own: pytest captures the usual one during a check."""
    copy = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="replace")
    return cast(TextIO, RedactedStream(copy, OF_PROCESS))


def _failed(reason: str, code: int = NO_VERDICT) -> int:
    """Print the reason why there is no verdict; the exit code."""
    print(f"hailuo-mock check: {reason}", file=sys.stderr)
    return code


def _parser() -> click.Command:
    """The options for click, which prints `--help` and suggests names for a wrong option."""
    return click.Command(
        "check",
        params=[_option(name, settings) for name, settings in options.OPTIONS.items()],
        help="Check a server against the contract; without --base-url, the fake.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _option(name: str, settings: dict[str, Any]) -> click.Option:
    kind: Any = click.Choice(settings["choices"]) if "choices" in settings else settings.get("type")
    if settings.get("metavar") == options.FOLDER:
        kind = click.Path(file_okay=False)
    return click.Option(
        [name],
        help=settings["help"],
        type=kind,
        is_flag=settings.get("action") == "store_true",
        multiple=settings.get("action") == "append",
        show_default="default" in settings and bool(settings["default"]),
        default=settings.get("default"),
    )
