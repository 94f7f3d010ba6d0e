"""The command `hailuo-mock drift`: how a recording differs, and the most likely cause."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from contract_tests.contract import contract
from contract_tests.drift import examples, scenarios
from contract_tests.drift.differences import Difference, compare_recordings, compare_with_contract
from contract_tests.drift.recording import Recording, RecordingError, read
from contract_tests.report.table import console
from contract_tests.stop import error_text

COULD_NOT_RUN = 2
_FOLDER = click.Path(file_okay=False, path_type=Path)


def drift(arguments: Sequence[str]) -> int:
    """Run the command. 0: no difference, 1: differences, 2: there is nothing to compare."""
    try:
        code: int = _command.main(
            list(arguments), prog_name="hailuo-mock drift", standalone_mode=False
        )
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no difference
        click.echo(f"hailuo-mock drift: internal error: {error_text(error)}", err=True)
        return COULD_NOT_RUN
    return code


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.argument("later", type=_FOLDER, metavar="[DIR2]", required=False)
@click.option("--examples", "examples_to", type=_FOLDER, help="Write DIR's answers as examples.")
@click.option("--scenarios", "scenarios_to", type=_FOLDER, help="Write DIR's answers as scenarios.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def _command(
    folder: Path,
    later: Path | None,
    examples_to: Path | None,
    scenarios_to: Path | None,
    *,
    as_json: bool,
) -> int:
    """Show how the answers in DIR differ from the contract, or those in DIR2 from those in DIR.

    `hailuo-mock check --record DIR` makes recordings.
    """
    try:
        recording = _not_empty(folder)
        second = None if later is None else read(later)
        if examples_to is not None:
            written = examples.write(recording, examples_to)
            click.echo(f"{len(written)} examples in {examples_to}", err=True)
        if scenarios_to is not None:
            written = scenarios.write(recording, scenarios_to)
            _print_scenarios(len(written), len(recording.exchanges), scenarios_to)
    except RecordingError as error:
        click.echo(f"hailuo-mock drift: {error}", err=True)
        return COULD_NOT_RUN
    except OSError as error:
        message = ": ".join(filter(None, (error.filename, error.strerror)))
        click.echo(f"hailuo-mock drift: {message}", err=True)
        return COULD_NOT_RUN
    found = _differences(recording, second)
    if as_json:
        print(json.dumps([asdict(difference) for difference in found], indent=1))
    else:
        _show(found, recording)
    return 1 if found else 0


def _not_empty(folder: Path) -> Recording:
    """The recording in a folder. Raises RecordingError if it is empty or cannot be read."""
    recording = read(folder)
    if not recording.exchanges:
        raise RecordingError(f"the recording in {folder} is empty")
    return recording


def _print_scenarios(written: int, recorded: int, folder: Path) -> None:
    missing = f", {recorded - written} that the fake cannot repeat left out"
    click.echo(
        f"{written} scenarios in {folder}{missing if written < recorded else ''}; "
        f"serve them with: hailuo-mock serve --scenario-dir {folder}",
        err=True,
    )


def _differences(recording: Recording, second: Recording | None) -> list[Difference]:
    if second is None:
        return compare_with_contract(recording, contract())
    return compare_recordings(recording, second, contract())


def _show(found: list[Difference], recording: Recording) -> None:
    out = console()
    table = Table(box=None, header_style="bold")
    for column in ("what", "where", "expected", "got", "cause"):
        table.add_column(column)
    for each in found:
        row = (each.kind, each.place, each.expected[:60], each.got[:60], each.cause)
        table.add_row(*(Text(word) for word in row))
    if found:
        out.print(table)
    for each in found:
        if each.edit is not None:
            out.print(Text(f"proposed for {each.place}: {json.dumps(each.edit)}", style="dim"))
    out.print(f"{len(found)} differences in {len(recording.exchanges)} recorded answers")
