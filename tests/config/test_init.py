"""`hailuo-mock init`: the file it writes, and what happens if it cannot."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mock_server.__main__ import main
from mock_server.apis import ALL
from mock_server.config.settings import setting_infos
from mock_server.config.sources import read_settings
from mock_server.config.toml import file_to_edit

FILE = "hailuo-mock.toml"
NOBODY = 65534


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["init", *arguments])


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def refused(*arguments: str) -> str:
    """The sentence of an init that is refused."""
    result = init(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("hailuo-mock: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_the_file_changes_nothing(folder: Path) -> None:
    before, _ = read_settings(flags={}, environment={}, file=None, apis=ALL)
    assert init().exit_code == 0
    after, rows = read_settings(flags={}, environment={}, file=folder / FILE, apis=ALL)
    assert after == before
    assert {row.origin for row in rows} == {"default"}


def test_the_file_without_its_comment_signs_sets_every_setting_to_its_default(
    folder: Path,
) -> None:
    before, _ = read_settings(flags={}, environment={}, file=None, apis=ALL)
    init()
    lines = (folder / FILE).read_text("utf-8").splitlines()
    settings = [line.removeprefix("#") for line in lines if not line.startswith("# ")]
    unset = [line for line in settings if line.endswith("=")]
    text = "\n".join(line for line in settings if line not in unset)
    (folder / FILE).write_text(text, "utf-8")

    after, rows = read_settings(flags={}, environment={}, file=folder / FILE, apis=ALL)
    assert after == before
    defaults = [row.info.name.rpartition(".")[2] for row in rows if row.origin == "default"]
    assert [f"{name} =" for name in defaults] == unset


def test_every_setting_is_below_its_sentence() -> None:
    lines = file_to_edit(setting_infos(ALL)).splitlines()
    for info in setting_infos(ALL):
        place = lines.index(f"# {info.sentence}")
        own = info.name.rpartition(".")[2]
        assert lines[place + 1].startswith((f"#{own} =", "#[[accounts]]"))


def test_the_server_starts_from_the_file(folder: Path) -> None:
    init()
    text = (folder / FILE).read_text("utf-8")
    changed = text.replace("#port = 4010", "port = 0").replace("#seed = 1\n", "seed = 77\n")
    (folder / FILE).write_text(changed, "utf-8")
    command = [sys.executable, "-m", "mock_server", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.terminate()
    assert ready["seed"] == 77
    assert process.returncode == 0


def test_a_file_is_replaced_only_by_force(folder: Path) -> None:
    (folder / FILE).write_text("port = 5000\n", "utf-8")
    assert "hailuo-mock.toml exists already: --force replaces it" in refused()
    assert (folder / FILE).read_text("utf-8") == "port = 5000\n"
    assert init("--force").exit_code == 0
    assert (folder / FILE).read_text("utf-8") == file_to_edit(setting_infos(ALL))
    assert names(folder) == [FILE]


def test_a_link_that_leads_nowhere_counts_as_a_file(folder: Path) -> None:
    (folder / FILE).symlink_to(folder / "nowhere")
    assert "exists already" in refused()


def test_a_folder_of_this_name_stays(folder: Path) -> None:
    (folder / FILE).mkdir()
    assert "hailuo-mock.toml was not written: Is a directory" in refused("--force")
    assert names(folder) == [FILE]


def test_a_folder_that_cannot_be_written_is_told(folder: Path) -> None:
    folder.chmod(0o555)
    with without_root():
        assert "hailuo-mock.toml was not written: Permission denied" in refused()
    assert names(folder) == []


@contextmanager
def without_root() -> Iterator[None]:
    """Permissions concern root only as another user."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("before", [None, "port = 5000\n"])
def test_a_full_disk_leaves_the_folder_as_it_was(folder: Path, before: str | None) -> None:
    if before is not None:
        (folder / FILE).write_text(before, "utf-8")
    with at_most_bytes_per_file(1000):
        assert "hailuo-mock.toml was not written: File too large" in refused("--force")
    left = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert left == ({} if before is None else {FILE: before})


@contextmanager
def at_most_bytes_per_file(count: int) -> Iterator[None]:
    """A limit of the system: what is written past it fails, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
