"""`hailuo-mock watch`: the changes of a world in a terminal and in a pipe."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.__main__ import main
from mock_server.control import Control
from mock_server.control.history_answers import Change, Changes, StoryRequest
from mock_server.watch.command import follow
from mock_server.watch.lines import WIDTH, line_of
from mock_server.watch.printing import LinePrinter
from tests.live import WAIT_S, Live, live
from tests.mock import MINIMAL, MakeMock
from tests.rich_world import SETTINGS, door, live_in

KEY = {"authorization": "Bearer rvya_sk_test"}
CHANGES = "/_mock/worlds/default/changes"
COLOUR = "\x1b[3"


@contextmanager
def watching(url: str, *arguments: str, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", "watch", "--url", url, *arguments],
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def lines_until(process: subprocess.Popen[str], end: str) -> list[str]:
    """The next lines of standard output, up to the first one with this text."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if end in line:
            return lines
    pytest.fail(f"{end} is missing in {lines}; {process.communicate()[1]}")


def create(server: Live) -> str:
    answer = httpx2.post(f"{server.url}/api/v1/generations", headers=KEY, json=MINIMAL)
    return str(answer.json()["id"])


def read(server: Live, task: str, count: int) -> None:
    for _ in range(count):
        httpx2.get(f"{server.url}/api/v1/generations/{task}", headers=KEY).raise_for_status()


# --- lines ------------------------------------------------------------------------------------


def test_every_change_is_one_line_of_80_columns(make_mock: MakeMock) -> None:
    mock = make_mock(**SETTINGS)
    live_in(mock)
    changes = door(mock, "GET", "/changes?limit=10000").body
    page = msgspec.json.decode(changes, type=Changes)
    lines = [(each.type, line_of(each)) for each in page.changes]
    assert {kind for kind, line in lines if line is None} == {"request_started"}
    texts = [line.text for _, line in lines if line is not None]
    assert all(len(text) <= WIDTH and text.isprintable() for text in texts)
    held = [text for text in texts if " -1  held " in text]
    assert held
    assert [text for text in held if "…" in text] == []  # an id of 36 letters fits beside money


@settings(max_examples=30, deadline=None)
@given(st.text(), st.text())
def test_names_of_any_letters_stay_in_their_line(name: str, event: str) -> None:
    at = {"at": "2026-05-11T00:00:00Z", "wall_at": None}
    fault = {"type": "fault", **at, "what": "armed", "fault": name}
    sent = {"type": "delivery", **at, "delivery": name, "task": name, "event": event}
    for change in (fault, sent, sent | {"given_up": name}):
        line = line_of(msgspec.convert(change, Change))
        assert line is not None
        assert line.text.isprintable()
        assert len(line.text) <= WIDTH


# --- looks ------------------------------------------------------------------------------------


def look(task: str = "task_1", status: int = 200, day: int = 11) -> StoryRequest:
    shown = {
        "at": f"2026-05-{day}T00:00:00Z",
        "wall_at": None,
        "request": "req_1",
        "method": "GET",
        "operation": "read",
        "status": status,
        "ended_at": None,
        "ended_wall_at": None,
        "ended_by": "answered",
        "sent_bytes": 1,
        "task": task,
    }
    return msgspec.convert(shown, StoryRequest)


def printed(capsys: pytest.CaptureFixture[str], pages: Any, *, is_terminal: bool) -> str:
    printer = LinePrinter(is_terminal=is_terminal, colour=False)
    for page in pages:
        printer.show(page)
    return capsys.readouterr().out


def test_reads_in_a_row_are_one_line_when_something_else_happens(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pages = [[look()] * 3, [look()] * 2, [look(status=429)], [look(), look("task_2")]]
    _, *lines = printed(capsys, pages, is_terminal=False).splitlines()
    assert [line.split()[1:] for line in lines] == [
        ["5", "looks", "task_1"],
        ["GET", "read", "429", "req_1"],
    ]


def test_in_a_terminal_the_line_of_reads_counts(capsys: pytest.CaptureFixture[str]) -> None:
    pages = [[look()], [look("task_2")], [look(status=500)]]
    shown = printed(capsys, pages, is_terminal=True).replace("\r\x1b[K", "<")
    day, first, second, last = shown.split("<")[1:5]
    assert (day, first.split()[1:]) == ("2026-05-11\n", ["1", "look", "task_1"])
    assert second.split()[1:] == ["2", "looks", "several", "tasks"]
    assert "\n" not in first + second
    assert last == second + "\n"


def test_another_day_of_the_world_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    pages = [[look(status=404), look(status=404)], [look(status=404, day=12)]]
    lines = printed(capsys, pages, is_terminal=False).splitlines()
    assert [number for number, line in enumerate(lines) if line.startswith("2026")] == [0, 3]


# --- the command ------------------------------------------------------------------------------


def test_changes_come_as_they_happen_until_the_server_is_gone() -> None:
    with ExitStack() as running:
        with live() as server:
            process = running.enter_context(watching(server.url))
            assert "+1000000  granted" in lines_until(process, "acedata-test")[1]
            task = create(server)
            held, queued, _ = lines_until(process, "POST create 200")
            assert (held.split()[1:], queued.split()[1:]) == (
                ["-57", "held", task],
                ["queued", task],
            )
            httpx2.post(f"{server.url}/_mock/worlds/default/reset").raise_for_status()
            lines_until(process, "acedata-test")
            create(server)
            lines_until(process, "POST create 200")
        rest, errors = process.communicate(timeout=WAIT_S)
    assert (rest, process.returncode) == ("", 2)
    restart, gone = errors.splitlines()
    assert restart.startswith("hailuo-mock watch: the world begins anew")
    # The server leaves either in the middle of a wait, or between two.
    said = rf"hailuo-mock watch: no (server|hailuo-mock) answers at {re.escape(server.url)}: "
    assert re.match(said, gone)


def test_a_world_that_was_reset_between_two_calls_begins_anew() -> None:
    with live() as server, Control(server.url) as control:
        world = control.find()
        pages = follow(world, None)
        page, begins_anew = next(pages)
        assert not begins_anew
        world.reset()
        assert next(pages)[1]
        create(server)
        page, begins_anew = next(pages)
    assert (page.changes[0].type, begins_anew) == ("request_started", False)


@pytest.mark.usefixtures("default_signals")
def test_ctrl_c_ends_it_with_130_and_a_cursor_that_misses_nothing() -> None:
    with live() as server:
        before = httpx2.get(f"{server.url}{CHANGES}").json()
        with watching(server.url, "--json", "--since", before["cursor"]) as process:
            create(server)
            lines = lines_until(process, '"operation":"create"')
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=WAIT_S)
        (cursor,) = re.findall(r"^hailuo-mock watch: stopped; --since (\S+) goes on", errors)
        after = httpx2.get(f"{server.url}{CHANGES}?since={cursor}").json()["changes"]
    assert (rest, process.returncode, errors.count("\n")) == ("", 130, 1)
    types = [json.loads(line)["type"] for line in lines]
    assert types == ["request_started", "ledger", "state", "request"]
    assert [each["type"] for each in after] == types[len(types) - len(after) :]


def test_lines_of_json_are_the_changes_of_the_door() -> None:
    with live() as server:
        read(server, create(server), 2)
        changes = httpx2.get(f"{server.url}{CHANGES}").content
        with watching(server.url, "--json", "--world", "default") as process:
            wanted = msgspec.json.decode(changes, type=Changes).changes
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in wanted]
    assert [msgspec.json.decode(line, type=Change) for line in lines] == list(wanted)
    assert [json.loads(line)["type"] for line in lines].count("request") == 3


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with live() as server, watching(server.url, env=buffered) as process:
        lines_until(process, "acedata-test")
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        create(server)
        assert process.wait(WAIT_S) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--world", "defualt"], "did you mean 'default'?"),
        (["--since", "yesterday"], "/since is no cursor"),
        (["--url", "http://127.0.0.1:9"], "no server answers at http://127.0.0.1:9"),
        (["--control-token", "wrong"], "send the header Mock-Control-Token"),
    ],
)
def test_what_cannot_be_watched_is_said_with_2(arguments: list[str], sentence: str) -> None:
    environment = {"HAILUO_MOCK_CONTROL_TOKEN": "right"}
    with live(control_token="right") as server:
        command = ["watch", "--url", server.url, *arguments]
        result = CliRunner(env=environment).invoke(main, command)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("hailuo-mock watch: ")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("no_colour", ["", "1"])
def test_only_a_terminal_has_colours_unless_no_color_is_set(no_colour: str) -> None:
    with live() as server:
        mine, its = pty.openpty()
        environment = os.environ | {"NO_COLOR": no_colour}
        with watching(server.url, stdout=its, env=environment):
            os.close(its)
            shown = b""
            while b"acedata-test" not in shown:
                assert select.select([mine], [], [], WAIT_S)[0], shown
                shown += os.read(mine, 65536)
        os.close(mine)
    assert (COLOUR in shown.decode()) is (not no_colour)
