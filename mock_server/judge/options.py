"""The options of `hailuo-mock judge`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(dir_okay=False, path_type=Path)
_READ = click.Path(exists=True, dir_okay=False, path_type=Path)


def judge_command(environment: Mapping[str, str], prefix: str) -> click.Command:
    """The command. environment: of the user. prefix: of the variables of this program."""

    def run(**options: Any) -> None:
        options["no_colour"] = bool(environment.get("NO_COLOR"))
        with _ended_by_ctrl_c():
            # Imported here: the other commands start faster without it.
            from mock_server.judge.command import judge

            sys.exit(judge(options, environment))

    return click.Command(
        "judge",
        callback=run,
        params=_parameters(prefix),
        short_help="Run a client through bad days, and say what it did wrong.",
        help=_HELP,
        # What follows the name of the program are its own options.
        context_settings={
            "help_option_names": ["-h", "--help"],
            "allow_interspersed_args": False,
        },
    )


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """A block in which Ctrl-C ends the process at once: an exception would be lost while a module
    is imported, and click would exit with 1, as with findings."""
    before = signal.getsignal(signal.SIGINT)
    if before == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_HELP = """Run a client through bad days, and say what it did wrong.

COMMAND runs once for each day, with the fake as its API: first a quiet day, then days on which
answers are lost, tasks fail or callbacks come twice. What it did is judged by the server's
records. Nothing is sent to the internet by clients that obey HTTP_PROXY.

\b
hailuo-mock judge --api rivya -- node my-client.mjs
hailuo-mock judge --api rivya --receipt receipt.html --json receipt.json -- ./run.sh

Exit code: 0 clean, 1 findings, 2 could not run or the client never called, 130 Ctrl-C."""


def _parameters(prefix: str) -> list[click.Parameter]:
    option = click.Option
    return [
        option(["--api"], help="The API that the client calls."),
        option(
            ["--env"],
            multiple=True,
            metavar="NAME=WHAT",
            help="The client reads NAME; WHAT is url, key, secret, callback or dir.",
        ),
        option(
            ["--pass-env"],
            multiple=True,
            metavar="NAME",
            help="The client also gets this variable of yours.",
        ),
        option(["--expect-jobs"], type=click.IntRange(1), help="Videos that one run orders."),
        option(
            ["--serve-callback"],
            metavar="URL",
            help="Where the client receives events; port 0: a free one for each run.",
        ),
        option(
            ["--effect-count"],
            metavar="CMD",
            help="A shell command that prints how often the client has acted.",
        ),
        option(["--restart"], is_flag=True, help="Also kill the client and start it again."),
        option(["--attach"], metavar="WORLD", help="Judge what happened in a world of --url."),
        option(
            ["--url"],
            envvar=prefix + "URL",
            default="http://127.0.0.1:4010",
            help="Where the server of --attach answers.",
        ),
        option(["--control-token"], envvar=prefix + "CONTROL_TOKEN", help="Its token."),
        option(["--only"], multiple=True, metavar="CODE", help="Judge these rules only."),
        option(["--skip"], multiple=True, metavar="CODE", help="Do not judge these rules."),
        option(["--accept"], type=_READ, help="A TOML file of accepted findings."),
        option(["--baseline"], type=_READ, help="What --json wrote earlier; shows what changed."),
        option(
            ["--expect-host"],
            multiple=True,
            metavar="HOST",
            help="Another host that the client may ask for; it is refused all the same.",
        ),
        option(
            ["--limit-s"],
            type=click.FloatRange(0.1, 3600),
            help="Seconds for each run; a client that still waits then has no limit.",
        ),
        option(["--jobs"], type=click.IntRange(1, 64), help="Runs at the same time."),
        option(
            ["--seed"], type=click.IntRange(0, 2**63 - 1), default=1, help="Same seed, same ids."
        ),
        option(["--junit"], type=_FILE, help="Write JUnit XML to this file."),
        option(["--sarif"], type=_FILE, help="Write SARIF 2.1.0 to this file."),
        option(["--json"], type=_FILE, help="Write the result as JSON; - is standard output."),
        option(["--receipt"], type=_FILE, help="Write one HTML file to show to others."),
        click.Argument(["command"], nargs=-1, type=click.UNPROCESSED),
    ]
