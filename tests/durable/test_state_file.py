"""Which files are refused, and with which sentence; older ones are opened."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server.durable import place
from mock_server.durable.kinds import MIGRATIONS, VERSIONS, RowKind
from mock_server.durable.state_file import StateFile, StateFileError
from mock_server.server.make_server import make_server
from tests.durable.read_back import read_back
from tests.durable.test_law import kept
from tests.mock import KEY, MINIMAL, START_MS, settings_of
from tests.server.test_serve import run, run_apart, serving

KEPT_FILE = Path(__file__).parent / "files" / "version-1.db"


def refusal(path: Path) -> str:
    """Why a server does not start with this file."""
    with pytest.raises(StateFileError) as caught:
        make_server(settings_of(state__file=str(path)), lambda: START_MS)
    return str(caught.value)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """The file of a server that has ended, with one task."""
    path = tmp_path / "demo.db"
    with kept() as it:
        it.mock.create()
        it.mock.fake.keeper.close()
        shutil.copy(it.path, path)
    return path


def execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def break_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-8192:] = b"\xff" * 8192
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: path.write_bytes(b"some text\n" * 20), "not even a SQLite file"),
        (lambda path: execute(path, "PRAGMA application_id = 7"), "of another program"),
        (lambda path: execute(path, "PRAGMA user_version = 9"), "its layout is 9, and this"),
        (
            lambda path: execute(path, "UPDATE kind SET version = 8 WHERE name = 'task'"),
            "its rows of kind task have version 8, and this one knows 1; use that one",
        ),
        (lambda path: execute(path, "UPDATE turn SET body = x'93'"), "it is broken"),
        (break_page, "put a copy of it back, or begin anew with --reset-state"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_stays_as_it_is(
    used: Path, change: Any, reason: str
) -> None:
    change(used)
    before = contents(used.parent)
    assert reason in refusal(used)
    assert contents(used.parent)["demo.db"] == before["demo.db"]


def test_a_place_without_a_file_is_refused(tmp_path: Path) -> None:
    assert "it is a folder; name a file in it" in refusal(tmp_path)
    assert f"there is no folder {tmp_path}/no; make it first" in refusal(tmp_path / "no" / "a.db")
    os.mkfifo(tmp_path / "pipe")
    assert "it is no regular file" in refusal(tmp_path / "pipe")


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        f"2 1 0:9 / {tmp_path.resolve()} rw shared:1 - nfs4 server:/x rw\n"
    )
    monkeypatch.setattr(place, "_MOUNTS", mounts)
    assert "is on a network file system (nfs4)" in refusal(tmp_path / "demo.db")


def test_what_may_not_be_written_is_refused(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = used.parent
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) == allowed)
    assert "it is read-only, and the server has to write it" in refusal(used)
    allowed = used
    assert f"nothing can be written into its folder {used.parent}" in refusal(used)


def test_a_file_in_use_is_refused_with_the_process_that_uses_it(tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    with serving("--state", str(path)) as (process, _):
        ended = run_apart("serve", "--port", "0", "--state", str(path))
        assert ended.returncode == 2
        assert f"the process {process.pid} uses it" in ended.stderr
        link = tmp_path / "link.db"
        link.symlink_to(path)
        assert f"the process {process.pid} uses it" in refusal(link)
        process.terminate()
        assert process.wait() == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["demo.db", "link.db"]


def test_a_reset_begins_with_an_empty_file_and_deletes_no_other(used: Path) -> None:
    server = make_server(settings_of(state__file=str(used), state__reset=True), lambda: START_MS)
    assert not list(server.world().tasks)
    server.keeper.close()
    execute(used, "PRAGMA application_id = 7")
    with pytest.raises(StateFileError, match="of another program"):
        StateFile(used, is_reset=True)


def test_a_server_whose_disk_is_full_stops_and_has_all_that_was_answered(tmp_path: Path) -> None:
    path, made = tmp_path / "demo.db", []
    headers = {"authorization": f"Bearer {KEY}"}
    command = f'ulimit -f 400; exec "{sys.executable}" -m mock_server serve --port 0 --state "$0"'
    process = subprocess.Popen(
        ["/bin/sh", "-c", command, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["url"]
    with httpx2.Client(base_url=url, headers=headers) as client:
        for _ in range(1000):
            answer = client.post("/api/v1/generations", json=MINIMAL)
            if answer.status_code != 200:
                break
            made.append(answer.json()["id"])
    assert answer.status_code == 503
    assert "state file" in answer.json()["title"]
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "cannot be written" in errors
    assert made
    assert [task.id for task in read_back(path).world().tasks] == made


def test_a_file_is_copied_as_a_whole_while_a_server_uses_it(tmp_path: Path) -> None:
    with kept() as it:
        it.mock.upload()
        it.mock.create()
        for number, name in enumerate(["a.db", "b.db"]):
            done = run("snapshot", str(tmp_path / name), "--file", str(it.path))
            assert done.exit_code == 0, done.output
            world = read_back(tmp_path / name).world()
            assert len(world.tasks) == 1 + number
            (file,) = world.uploads
            assert (tmp_path / f"{name}-uploads" / file.content).read_bytes()
            it.mock.create()
        again = run("snapshot", str(tmp_path / "a.db"), "--file", str(it.path))
    assert again.exit_code == 2
    assert "exists already" in again.output
    missing = run("snapshot", str(tmp_path / "c.db"), "--file", str(tmp_path / "none.db"))
    assert missing.exit_code == 2
    assert "there is no file" in missing.output


def test_the_file_of_every_earlier_version_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    shutil.copy(KEPT_FILE, path)
    server = make_server(settings_of(state__file=str(path)), lambda: START_MS)
    facts = json.loads(KEPT_FILE.with_suffix(".json").read_text("utf-8"))
    assert facts_of(server.world()) == facts
    server.keeper.close()
    assert facts_of(read_back(path).world()) == facts


def facts_of(world: Any) -> Any:
    """Some facts about every kind of thing in a world."""
    now_ms = world.clock.now_ms()
    return {
        "now_ms": now_ms,
        "credits": {
            account: world.ledger.balance(account).available_credits
            for account in world.ledger.accounts
        },
        "movements": {
            account: world.ledger.rows(account).made for account in world.ledger.accounts
        },
        "keys": sorted(key.secret for key in world.keys),
        "tasks": {task.id: task.state_at(now_ms).value for task in world.tasks},
        "looks": [task_id for task_id, record in world.history.records.items() if record.looks],
        "due": [[due.at_ms, due.subject] for due in world.agenda],
        "once": [kept.value for kept in world.idempotency.state()],
        "files": [file.name for file in world.uploads],
        "endpoints": [[each.url, each.status.value] for each in world.endpoints],
        "deliveries": [
            [each.id, each.state.value, len(each.attempts)] for each in world.deliveries
        ],
        "faults": [[fault.id, fault.matched, fault.happened] for fault in world.faults],
        "inboxes": {inbox.name: len(list(inbox)) for inbox in world.inboxes},
        "clock_moves": world.history.clock_moves.made,
        "fault_changes": world.history.fault_changes.made,
    }


def test_rows_of_an_earlier_version_are_changed_once(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def more(row: Any) -> Any:
        account, balance, *rest = row
        more_credits = {
            name: balance[name] + 5 for name in ("granted_credits", "available_credits")
        }
        return [account, balance | more_credits, *rest]

    before = read_back(used).world().ledger.balance("rivya-test").available_credits
    monkeypatch.setitem(VERSIONS, RowKind.ACCOUNT, 2)
    monkeypatch.setitem(MIGRATIONS, (RowKind.ACCOUNT, 1), more)
    for _ in range(2):
        server = make_server(settings_of(state__file=str(used)), lambda: START_MS)
        ledger = server.world().ledger
        assert ledger.balance("rivya-test").available_credits == before + 5
        server.keeper.close()
