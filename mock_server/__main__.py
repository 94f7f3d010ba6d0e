"""The command `hailuo-mock`; `python -m mock_server` is the same."""

import gc
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from mock_server import __version__
from mock_server.config import toml
from mock_server.config.settings import Effective, Settings, setting_infos
from mock_server.config.sources import (
    DEFAULT_FILE,
    PREFIX,
    STATE_FLAGS,
    SettingsError,
    comma_list,
    read_settings,
)
from mock_server.core.printable import printable
from mock_server.core.webhook_urls import is_loopback
from mock_server.judge.options import judge_command
from mock_server.server.listening import listen_obstacle

COULD_NOT_RUN = 2

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_URL = click.option(
    "--url",
    envvar=PREFIX + "URL",
    default="http://127.0.0.1:4010",
    help="Where the server answers.",
)
_CONTROL_TOKEN = click.option(
    "--control-token", envvar=PREFIX + "CONTROL_TOKEN", help="Token that the control door requires."
)
_CONFIG = click.option(
    "--config",
    envvar=PREFIX + "CONFIG",
    help="Settings file; hailuo-mock.toml in this folder if there is one.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A local fake of two paid video-generation APIs."""


def _fail(reason: object) -> NoReturn:
    """Exit with COULD_NOT_RUN and one line that says why."""
    click.echo(f"hailuo-mock: {printable(str(reason))}", err=True)
    sys.exit(COULD_NOT_RUN)


def _settings_options(command: Any) -> Any:
    """Add the flags of settings. Other settings are set in the file or the environment."""
    options = [
        click.option("--host", help="Address to listen on."),
        click.option("--port", help="Port; 0 picks a free one."),
        click.option("--seed", help="Equal seeds give equal ids and random choices."),
        click.option("--time-scale", help="60: a minute passes in a second."),
        click.option("--public-url", help="Start of every URL handed out."),
        click.option(
            "--media-url", help="Start of media URLs; auto: a second origin, served, too."
        ),
        click.option("--shard", help="Which process of how many this is: 0/8 to 7/8."),
        click.option("--callback-hosts", help="Hosts callbacks may go to, by commas."),
        click.option("--webhook-urls", help="strict, or local: webhooks may go to this machine."),
        click.option("--scenario", help="Default scenario: what goes wrong with each request."),
        click.option("--scenario-dir", help="A folder with scenario files of your own."),
        click.option("--control-token", help="Token that the control door /_mock/ requires."),
        click.option("--control-hosts", help="Hosts that need no control token, by commas."),
        click.option("--browser-origins", help="Origins of web pages that may use it, by commas."),
        click.option("--no-mock-headers", is_flag=True, help="Send no Mock-... headers."),
        click.option("--state", help="File that keeps the worlds when the server ends."),
        click.option("--durable", help="process, or power: the state survives a loss of power."),
        click.option("--reset-state", is_flag=True, help="Begin with an empty state file."),
        click.option("--log-level", help="debug, info, warning or error."),
        _CONFIG,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@_settings_options
@click.option(
    "--stop-with-stdin",
    is_flag=True,
    help="Stop when stdin ends, as it does when the program that started this one is gone.",
)
def serve(*, stop_with_stdin: bool, **options: Any) -> None:
    """Start the server.

    One line of JSON on stdout has the URL as soon as it answers; the log goes to stderr.
    """
    # No collection before `run`: there is no garbage yet, and it takes a tenth of the start.
    gc.disable()
    settings, _ = _read(options)
    if settings.control_token is None and not is_loopback(settings.host):
        _fail(
            listen_obstacle(settings.host, settings.port)
            or f"{settings.host} can be reached from other machines, and the control door gives "
            "full control of the server: set a --control-token"
        )
    # Imported here: the other commands start faster without the server.
    from mock_server.core.scenarios import UnknownScenario
    from mock_server.faults.scenarios import ScenarioError
    from mock_server.server.listening import with_media_socket
    from mock_server.server.make_server import make_server
    from mock_server.server.serve import run
    from mock_server.simulation.wall_clock import wall_ms

    if not is_loopback(settings.host) and {"loopback", "*"} & set(settings.callback_hosts):
        click.echo(
            f"hailuo-mock: {settings.host} can be reached from other machines, and a vendor key is "
            "enough to make this server call its own machine with a callback_url or webhook; "
            "--callback-hosts NAME,… lets it call those hosts only",
            err=True,
        )
    try:
        settings, media_socket = with_media_socket(settings)
        state = make_server(settings, wall_ms)
    except (OSError, ScenarioError, UnknownScenario) as error:
        _fail(error)
    sys.exit(run(state, media_socket, stop_with_stdin=stop_with_stdin))


@main.command()
@click.argument("copy", type=click.Path(path_type=Path))
@click.option(
    "--file", type=click.Path(path_type=Path), required=True, help="The state file to copy."
)
def snapshot(*, copy: Path, file: Path) -> None:
    """Copy a state file, also while a server uses it.

    The folder with its uploads is copied to COPY, too. A server can be started with the copy.
    """
    from mock_server.durable.copying import copy_state

    try:
        copy_state(file, copy)
    except OSError as error:
        _fail(error)
    click.echo(f"{copy}: {copy.stat().st_size} bytes")


@main.command()
@_settings_options
@_AS_JSON
def config(*, as_json: bool, **options: Any) -> None:
    """Show every setting, its value and its origin."""
    _, effective = _read(options)
    if as_json:
        rows = [
            {
                "name": row.info.name,
                "value": row.value,
                "origin": row.origin,
                "sentence": row.info.sentence,
            }
            for row in effective
        ]
        click.echo(msgspec.json.encode(rows).decode())
        return
    click.echo(toml.settings_as_toml(effective), nl=False)


@main.command()
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
def init(*, force: bool) -> None:
    """Write a commented hailuo-mock.toml into this folder."""
    from mock_server.apis import ALL

    path = Path(DEFAULT_FILE)
    try:
        toml.write_whole(path, toml.file_to_edit(setting_infos(ALL)), replaces=force)
    except FileExistsError:
        _fail(f"{path} exists already: --force replaces it")
    except OSError as error:
        _fail(f"{path} was not written: {error.strerror}")
    click.echo(f"{path}: every setting with its default, commented out")


@main.command(short_help="Print the script with which a shell completes words.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(*, shell: str) -> None:
    """Print the script with which a shell completes the words of this command.

    \b
    ~/.bashrc                   eval "$(hailuo-mock completion bash)"
    ~/.zshrc                    eval "$(hailuo-mock completion zsh)"
    ~/.config/fish/config.fish  hailuo-mock completion fish | source
    """  # noqa: D301 (a backspace keeps the lines apart)
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    of_shell = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}[shell]
    click.echo(of_shell(main, {}, "hailuo-mock", "_HAILUO_MOCK_COMPLETE").source())


def _suite_command(function: Any) -> Any:
    """Make a command of a function that gets all arguments unchanged."""
    takes_all = click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    settings = {"ignore_unknown_options": True, "help_option_names": []}
    return main.command(context_settings=settings, add_help_option=False)(takes_all(function))


@_suite_command
def check(arguments: tuple[str, ...]) -> None:
    """Check a server, the fake or the real one, by the contract."""
    sys.exit(_suite_module("contract_tests.command").check(arguments))


@_suite_command
def drift(arguments: tuple[str, ...]) -> None:
    """Compare recorded answers with the contract or each other."""
    sys.exit(_suite_module("contract_tests.drift.command").drift(arguments))


def _suite_module(module: str) -> Any:
    """A module of the installed contract suite. Exits with a message if there is none.

    `python -m` searches the current folder first, which may have its own `contract_tests`.
    """
    parent = str(Path(__file__).resolve().parent.parent)
    sys.path[:] = [parent, *(entry for entry in sys.path if entry not in {"", str(Path.cwd())})]
    return _module_of_extra(module, "the contract suite needs", "contract")


def _module_of_extra(module: str, needs: str, extra: str) -> Any:
    """The module. Exits with a message if a package is missing, which belongs to this extra.
    needs: the beginning of the message."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        _fail(
            f"{needs} {error.name}, of the extra '{extra}': "
            f"pip install 'hailuo-mock[{extra}] @ {_own_source()}'"
        )


def _own_source() -> str:
    """The URL this was installed from, as pip recorded it: the package is on no index."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        noted = distribution("hailuo-mock").read_text("direct_url.json")
        return str(json.loads(noted or "")["url"])
    except (PackageNotFoundError, ValueError, KeyError):
        return "file:///FOLDER_OR_WHEEL_IT_CAME_FROM"


main.add_command(judge_command(os.environ, PREFIX))


@main.command(short_help="List the scenarios, or show one.")
@click.argument("name", required=False)
@click.option("--scenario-dir", type=click.Path(path_type=Path), help="A folder with your own.")
@_URL
@_AS_JSON
def scenarios(*, name: str | None, scenario_dir: Path | None, url: str, as_json: bool) -> None:
    """List the scenarios; with NAME, show a command for each channel to ask for it."""
    from mock_server.apis import ALL
    from mock_server.contract.data_paths import FIXTURES
    from mock_server.core.scenarios import UnknownScenario
    from mock_server.faults import listing
    from mock_server.faults.scenarios import ScenarioError, Scenarios

    folders = [FIXTURES / "scenarios", *([scenario_dir] if scenario_dir else [])]
    try:
        known = Scenarios(folders, ALL)
        if name is None:
            text = listing.all_of(known, as_json=as_json)
        else:
            text = listing.one(known.find(name), url.rstrip("/"), known.apis, as_json=as_json)
    except (ScenarioError, UnknownScenario) as error:
        _fail(error)
    click.echo(text)


@main.command(short_help="Explain an answer, or a rule of `judge`.")
@click.argument("request_id", metavar="REQUEST")
@_URL
@_CONTROL_TOKEN
@_AS_JSON
def explain(*, request_id: str, url: str, control_token: str | None, as_json: bool) -> None:
    """Explain the answer to REQUEST, or a rule of `judge` by its code, such as HM101.
    The id of a request is in its answer's Mock-Request."""
    if request_id[:2].upper() == "HM":
        _explain_rule(request_id, as_json=as_json)
        return
    from mock_server.control import Control, ControlError

    try:
        with Control(url, control_token) as control:
            told = control.explain(request_id)
    except ControlError as error:
        _fail(error)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(told)))
        return
    for member in ("asked", "status", "because", "scenario", "channel", "refusal", "without"):
        if (value := getattr(told, member)) is not None:
            click.echo(f"{member:>9}  {printable(str(value))}")
    for field in told.ignored:
        said = "; ".join(filter(None, (field.pointer, field.hint)))
        click.echo(f"  ignored  {printable(said)}")


def _explain_rule(code: str, *, as_json: bool) -> None:
    from mock_server.apis import ALL
    from mock_server.judge.explaining import explained
    from mock_server.verdict.catalogue import UnknownRule

    try:
        click.echo(explained(code, [api.name for api in ALL], as_json=as_json))
    except UnknownRule as error:
        _fail(error)


@main.command(short_help="Print what happens in a world, live.")
@click.option("--world", default="default", help="Its name.")
@click.option(
    "--since", metavar="CURSOR", help="Only what happened after it; else all that is kept."
)
@_URL
@_CONTROL_TOKEN
@_AS_JSON
def watch(
    *, world: str, since: str | None, url: str, control_token: str | None, as_json: bool
) -> None:
    """Print what happens in a world, a line for each change, until Ctrl-C.

    Successive reads of tasks have one line; with --json each has its own. Times are those of the
    world. Exit code: 2 if the server or the world is gone, 130 Ctrl-C.
    """
    from mock_server.watch.command import watch as print_changes

    no_colour = bool(os.environ.get("NO_COLOR"))
    sys.exit(print_changes(url, control_token, world, since, as_json=as_json, no_colour=no_colour))


@main.command(short_help="Serve an agent (Model Context Protocol).")
@click.option(
    "--url", envvar=PREFIX + "URL", help="Where a server answers; without it one is started."
)
@_CONTROL_TOKEN
@click.option("--port", default="0", help="Port of the started server; 0 picks a free one.")
@_CONFIG
def mcp(*, url: str | None, control_token: str | None, port: str, config: str | None) -> None:
    """Serve an agent over standard input and output (Model Context Protocol).

    The tools make worlds and faults, move the clock, tell the story of a task and judge a client.
    The server that is started has the settings of the file and the environment, and ends when
    standard input does. Needs the extra 'mcp'.
    """
    from mock_server.control import ControlError
    from mock_server.core.scenarios import UnknownScenario
    from mock_server.faults.scenarios import ScenarioError

    server: Settings | str | None = url
    if server is None:
        flags = {"host": "127.0.0.1", "port": port, "config": config}
        server, _ = _read(flags | {"control_token": control_token})
        control_token = server.control_token
    session = _module_of_extra("mock_server.mcp.session", "the tools for agents need", "mcp")
    try:
        session.serve_agent(server, control_token)
    except (ControlError, OSError, ScenarioError, UnknownScenario) as error:
        _fail(error)


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)


def _read(options: dict[str, Any]) -> tuple[Settings, tuple[Effective, ...]]:
    """The settings and their origins. Exits with a message if they are wrong."""
    from mock_server.apis import ALL  # commands without settings need no API

    # A blank flag counts as not given: scripts and compose pass on variables that are not set.
    flags = {name: value for name, value in options.items() if value and str(value).strip()}
    file = flags.pop("config", None)
    if flags.pop("no_mock_headers", False):
        flags["mock_headers"] = False
    for flag, name in STATE_FLAGS.items():
        if flag in flags:
            flags[name] = flags.pop(flag)
    for name in ("callback_hosts", "control_hosts", "browser_origins"):
        if name in flags:
            flags[name] = comma_list(flags[name])
    try:
        return read_settings(
            flags=flags, environment=os.environ, file=file and Path(file), apis=ALL
        )
    except SettingsError as error:
        _fail(error)


if __name__ == "__main__":
    main()
