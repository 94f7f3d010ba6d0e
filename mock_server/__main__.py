"""The command `hailuo-mock`; `python -m mock_server` is the same."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from mock_server import __version__
from mock_server.config import toml
from mock_server.config.settings import Settings
from mock_server.config.sources import (
    PREFIX,
    Effective,
    SettingsError,
    comma_list,
    read_settings,
)
from mock_server.core.printable import printable
from mock_server.core.webhook_urls import is_loopback
from mock_server.server.listening import why_not

COULD_NOT_RUN = 2
_URL = "http://127.0.0.1:4010"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A local fake of two paid video-generation APIs: Rivya and Ace Data Cloud's Hailuo videos."""


def _stop(reason: object) -> NoReturn:
    """End the program with one line that says why."""
    click.echo(f"hailuo-mock: {printable(str(reason))}", err=True)
    sys.exit(COULD_NOT_RUN)


def _settings_options(command: Any) -> Any:
    """The flags that settings have; everything else is set in the file or the environment."""
    options = [
        click.option("--host", help="Address to listen on."),
        click.option("--port", help="Port; 0 picks a free one."),
        click.option("--seed", help="Same seed, same ids and chances."),
        click.option("--time-scale", help="60: a minute passes in a second."),
        click.option("--public-url", help="Start of every URL handed out."),
        click.option("--callback-hosts", help="Hosts callbacks may go to, by commas."),
        click.option("--webhook-urls", help="local lets webhooks go to this machine, or strict."),
        click.option("--scenario", help="What goes wrong unless a request asks otherwise."),
        click.option("--scenario-dir", help="A folder with scenario files of your own."),
        click.option("--control-token", help="What the control door under /_mock/ asks for."),
        click.option(
            "--control-hosts", help="Names the door answers to without a token, by commas."
        ),
        click.option("--browser-origins", help="Origins of web pages that may use it, by commas."),
        click.option("--no-mock-headers", is_flag=True, help="Send no Mock-... headers."),
        click.option("--log-level", help="debug, info, warning or error."),
        click.option(
            "--config",
            envvar=PREFIX + "CONFIG",
            help="Settings file; hailuo-mock.toml in this folder if there is one.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@_settings_options
def serve(**options: Any) -> None:
    """Start the server.

    One line of JSON on stdout says when it answers, and where; the log goes to stderr.
    """
    settings, _ = _read(options)
    if settings.control_token is None and not is_loopback(settings.host):
        _stop(
            why_not(settings.host, settings.port)
            or f"{settings.host} can be reached from other machines, and whoever reaches the "
            "control door rules the server: give it a --control-token"
        )
    # Only now: the other verbs need no server, and answer faster without one.
    from mock_server.faults.scenarios import ScenarioError, UnknownScenario
    from mock_server.server.serve import run
    from mock_server.simulation.state import make_fake
    from mock_server.simulation.wall_clock import wall_ms

    if not is_loopback(settings.host) and {"loopback", "*"} & set(settings.callback_hosts):
        click.echo(
            f"hailuo-mock: {settings.host} can be reached from other machines, and whoever has a "
            "vendor key can make this server call its own machine with a callback_url or webhook; "
            "--callback-hosts NAME,… lets it call those hosts only",
            err=True,
        )
    try:
        fake = make_fake(settings, wall_ms)
    except (ScenarioError, UnknownScenario) as error:
        _stop(error)
    sys.exit(run(fake))


@main.command()
@_settings_options
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def config(*, as_json: bool, **options: Any) -> None:
    """Show every setting, its value and its origin."""
    _, effective = _read(options)
    if as_json:
        click.echo(msgspec.json.encode([_plain(row) for row in effective]).decode())
        return
    click.echo(toml.document(effective), nl=False)


@main.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def check(arguments: tuple[str, ...]) -> None:
    """Hold a server, this one or the real one, against the contract."""
    sys.exit(_suite("contract_tests.command").check(arguments))


@main.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def drift(arguments: tuple[str, ...]) -> None:
    """Say how recorded answers differ from the contract, or from earlier ones."""
    sys.exit(_suite("contract_tests.drift.command").drift(arguments))


def _suite(module: str) -> Any:
    """A module of the contract suite, or the end of the program with a message."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        _stop(
            f"the contract suite needs {error.name}, of the extra 'contract': "
            f"pip install 'hailuo-mock[contract] @ {_own_source()}'"
        )


def _own_source() -> str:
    """Where this installation came from, as pip has noted it: the package is on no index."""
    try:
        noted = distribution("hailuo-mock").read_text("direct_url.json")
        return str(json.loads(noted or "")["url"])
    except (PackageNotFoundError, ValueError, KeyError):
        return "file:///FOLDER_OR_WHEEL_IT_CAME_FROM"


@main.command()
@click.argument("name", required=False)
@click.option("--scenario-dir", type=click.Path(path_type=Path), help="A folder with your own.")
@click.option("--url", envvar=PREFIX + "URL", default=_URL, help="Where the server answers.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def scenarios(*, name: str | None, scenario_dir: Path | None, url: str, as_json: bool) -> None:
    """List what can go wrong by name; of one NAME, show how to ask for it in each channel."""
    from mock_server.contract.data_paths import FIXTURES
    from mock_server.faults import listing as scenario_listing
    from mock_server.faults.scenarios import ScenarioError, Scenarios, UnknownScenario

    folders = [FIXTURES / "scenarios", *([scenario_dir] if scenario_dir else [])]
    try:
        known = Scenarios(folders)
        if name is None:
            text = scenario_listing.all_of(known, as_json=as_json)
        else:
            text = scenario_listing.one(known.find(name), url.rstrip("/"), as_json=as_json)
    except (ScenarioError, UnknownScenario) as error:
        _stop(error)
    click.echo(text)


@main.command()
@click.argument("request_id", metavar="REQUEST")
@click.option("--url", envvar=PREFIX + "URL", default=_URL, help="Where the server answers.")
@click.option(
    "--control-token",
    envvar=PREFIX + "CONTROL_TOKEN",
    help="What the server's control door asks for.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def explain(*, request_id: str, url: str, control_token: str | None, as_json: bool) -> None:
    """Say why the answer to REQUEST was what it was; its id is in the answer's Mock-Request."""
    from mock_server.control import Control, ControlError

    try:
        with Control(url, control_token) as control:
            told = control.explain(request_id)
    except ControlError as error:
        _stop(error)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(told)))
        return
    for member in ("asked", "status", "because", "scenario", "channel", "refusal", "without"):
        if (value := getattr(told, member)) is not None:
            click.echo(f"{member:>9}  {printable(str(value))}")
    for field in told.ignored:
        said = "; ".join(filter(None, (field.pointer, field.hint)))
        click.echo(f"  ignored  {printable(said)}")


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)


def _read(options: dict[str, Any]) -> tuple[Settings, tuple[Effective, ...]]:
    """The settings, or the end of the program with a message."""
    # A blank flag is as good as none: scripts and compose pass on variables that are not set.
    flags = {name: value for name, value in options.items() if value and str(value).strip()}
    file = flags.pop("config", None)
    if flags.pop("no_mock_headers", False):
        flags["mock_headers"] = False
    for name in ("callback_hosts", "control_hosts", "browser_origins"):
        if name in flags:
            flags[name] = comma_list(flags[name])
    try:
        return read_settings(flags=flags, environment=os.environ, file=file and Path(file))
    except SettingsError as error:
        _stop(error)


def _plain(row: Effective) -> dict[str, Any]:
    return {
        "name": row.knob.name,
        "value": msgspec.to_builtins(row.value),
        "origin": row.origin,
        "sentence": row.knob.sentence,
    }


if __name__ == "__main__":
    main()
