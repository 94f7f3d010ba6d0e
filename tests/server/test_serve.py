"""The command as a process: what it prints, when it is ready, how it stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner, Result

from mock_server import __version__
from mock_server.__main__ import main
from mock_server.apis.acedata import ACEDATA
from mock_server.contract.data_paths import FIXTURES
from mock_server.core.chance import Chance
from mock_server.core.ids import Ids
from mock_server.server.listening import listen_obstacle
from tests.contract_hook import breaches, held

STOP_BUDGET_S = 0.2
# The budget is the server's. Around it stand the parent's wake-up and the interpreter's own end,
# which on a machine with something else to do take longer; `make bench` measures it alone.
ALLOWANCE_S = 0.8


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """The running command and its ready line, as JSON."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", "serve", "--port", "0", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def run(*arguments: str) -> Result:
    """The end of a command in this process."""
    return CliRunner().invoke(main, arguments)


def run_apart(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The end of a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mock_server", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_stdout_is_the_ready_line_alone_and_the_server_is_ready_then() -> None:
    with serving("--seed", "7") as (process, ready):
        assert ready == {
            "event": "ready",
            "url": ready["url"],
            "pid": process.pid,
            "version": __version__,
            "seed": 7,
        }
        assert httpx2.get(f"{ready['url']}/_mock/ready").status_code == 200
        process.terminate()
        rest, errors = process.communicate(timeout=10)
    assert (rest, errors) == ("", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_server_at_once_with_exit_code_0(number: signal.Signals) -> None:
    with serving() as (process, ready):
        httpx2.get(f"{ready['url']}/_mock/health")
        assert stopped_after_s(process, number) < STOP_BUDGET_S + ALLOWANCE_S
        assert process.returncode == 0


def test_the_end_of_stdin_stops_a_server_that_is_told_so() -> None:
    with serving("--stop-with-stdin") as (process, ready):
        assert process.stdin is not None
        process.stdin.write("anything\n")
        process.stdin.flush()
        assert httpx2.get(f"{ready['url']}/_mock/ready").status_code == 200
        assert process.communicate(timeout=10) == ("", "")  # it closes stdin
        assert process.returncode == 0


def test_a_server_runs_without_stdin() -> None:
    with serving() as (process, ready):
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
        assert httpx2.get(f"{ready['url']}/_mock/ready").status_code == 200
        assert process.poll() is None


def test_held_open_requests_are_answered_and_do_not_delay_the_stop() -> None:
    with (
        serving(HAILUO_MOCK_TASKS_PROCESSING_S="600") as (process, ready),
        ExitStack() as connections,
    ):
        host, port = ready["url"].removeprefix("http://").split(":")
        held = [
            connections.enter_context(socket.create_connection((host, int(port))))
            for _ in range(50)
        ]
        for connection in held:
            connection.sendall(held_open_request())
        wait_until_accepted(ready["url"], count=50)
        assert stopped_after_s(process, signal.SIGTERM) < STOP_BUDGET_S + ALLOWANCE_S
        assert process.returncode == 0
        answers = [connection.recv(65536) for connection in held]
    for answer in answers:
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        assert status.startswith("HTTP/1.1 500")
        assert json.loads(body)["error"]["code"] == "api_error"
        assert breaches("POST", "/hailuo/videos", 500, headers, body) == []


def test_a_used_port_is_reported_and_ends_with_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run_apart("serve", "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "could not listen on 127.0.0.1" in ended.stderr
    assert "the port is taken, perhaps by another hailuo-mock; --port 0 picks one" in ended.stderr


def test_a_wrong_setting_stops_the_start_with_one_line_and_2(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[tasks]\nqueud_s = 1\n")
    ended = run_apart("serve", "--config", str(file))
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines() == [
        f"hailuo-mock: {file}:2: no such setting 'tasks.queud_s'; did you mean 'tasks.queued_s'?"
    ]


def test_config_prints_every_setting_with_its_origin_as_json() -> None:
    ended = run("config", "--json", "--port", "9")
    rows = {row["name"]: row for row in json.loads(ended.stdout)}
    assert rows["port"]["value"] == 9
    assert rows["port"]["origin"] == "flag --port"
    assert rows["acedata.hold_limit_s"]["origin"] == "default"


def test_version_prints_the_version() -> None:
    assert run("version").stdout == f"{__version__}\n"


def test_every_scenario_is_listed_in_80_columns() -> None:
    ended = run("scenarios")
    lines = ended.stdout.splitlines()
    names = {line.split()[0] for line in lines if not line.startswith(" ")}
    assert ended.exit_code == 0
    assert names == {file.stem for file in (FIXTURES / "scenarios").glob("*.toml")}
    assert max(map(len, lines)) <= 80


def test_a_long_name_does_not_move_the_sentences(tmp_path: Path) -> None:
    name = "recorded_createGeneration_402_insufficient_credits"
    (tmp_path / f"{name}.toml").write_text(
        'shows = "It is as it was."\n[[faults]]\neffect = { type = "answer", status = 500 }\n'
    )
    lines = run("scenarios", "--scenario-dir", str(tmp_path)).stdout.splitlines()
    assert lines[lines.index(name) + 1].strip() == "It is as it was."
    others = [line for line in lines if line not in (name, lines[lines.index(name) + 1])]
    assert others == run("scenarios").stdout.splitlines()


def test_a_scenario_is_shown_with_a_command_for_each_channel() -> None:
    ended = run("scenarios", "lost_answer", "--json")
    how = json.loads(ended.stdout)["how"]
    assert list(how) == ["control door", "header", "prefer", "key", "prompt", "server"]
    assert all("lost_answer" in command for command in how.values())


def test_an_unknown_scenario_ends_with_a_near_name_and_without_a_list() -> None:
    ended = run("scenarios", "lost_answr")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "did you mean 'lost_answer'?" in ended.stderr


def test_a_broken_scenario_file_stops_the_start_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text('shows = "x"\n\n[[faults]]\neffct = { type = "task" }\n')
    ended = run_apart("serve", "--port", "0", "--scenario-dir", str(tmp_path))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "odd.toml:4: " in ended.stderr


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("300.1.1.1", "not an address, and not a name with one"),
        ("no-such-host.invalid", "not an address, and not a name with one"),
        ("http://127.0.0.1", "not an address, and not a name with one"),
        ("198.51.100.1", "not an address of this machine"),
    ],
)
def test_a_host_of_another_machine_is_reported_without_asking_for_a_token(
    host: str, told: str
) -> None:
    ended = run_apart("serve", "--host", host, "--port", "0")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"could not listen on {host} port 0" in ended.stderr
    assert told in ended.stderr
    assert "token" not in ended.stderr


def test_variables_of_other_programs_are_ignored() -> None:
    names = ("WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "PORT", "HOST")
    with serving(**dict.fromkeys(names, "auto")) as (_, ready):
        assert httpx2.get(f"{ready['url']}/_mock/ready").status_code == 200


def test_blank_variables_are_ignored() -> None:
    with serving(HAILUO_MOCK_CONFIG="", HAILUO_MOCK_CONTROL_TOKEN="", HAILUO_MOCK_SEED="") as (
        _,
        ready,
    ):
        assert ready["seed"] == 1


def test_hidden_files_of_the_system_are_no_scenarios(tmp_path: Path) -> None:
    mine = "\ufeffshows = 'x'\n[[faults]]\neffect = { type = 'error', code = 'internal_error' }\n"
    (tmp_path / "mine.toml").write_text(mine, "utf-8")
    (tmp_path / "._mine.toml").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ")
    with serving("--scenario-dir", str(tmp_path), "--scenario", "mine") as (_, ready):
        names = httpx2.get(f"{ready['url']}/_mock/scenarios").json()["scenarios"]
    assert "mine" in {each["name"] for each in names}
    assert not [each for each in names if each["name"].startswith(".")]


@pytest.mark.parametrize("verb", ["check", "drift"])
def test_a_missing_suite_is_reported_with_the_command_that_installs_it(verb: str) -> None:
    code = (
        "import sys; sys.modules['schemathesis'] = None; sys.modules['contract_tests'] = None\n"
        f"from mock_server.__main__ import main; main(['{verb}'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "of the extra 'contract': pip install 'hailuo-mock[contract] @ file://" in line


def test_a_server_on_a_public_address_needs_a_control_token() -> None:
    ended = run("serve", "--host", "0.0.0.0", "--port", "0")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "--control-token" in ended.stderr


def test_a_server_on_a_public_address_logs_which_hosts_callbacks_may_call(tmp_path: Path) -> None:
    start = ["serve", "--control-token", "x", "--scenario-dir", str(tmp_path / "none")]
    told = "is enough to make this server call its own machine"
    for host in ("0.0.0.0", "::", "64:ff9b::7f00:1"):
        assert told in run(*start, "--host", host).stderr
    assert told in run(*start, "--host", "0.0.0.0", "--callback-hosts", "*").stderr
    assert told not in run(*start, "--host", "0.0.0.0", "--callback-hosts", "app").stderr
    assert told not in run(*start, "--host", "127.0.0.1").stderr


def test_names_and_origins_can_be_given_by_commas() -> None:
    lists = ["--control-hosts", "mock.lan, box", "--browser-origins", "http://a:1,http://b:2"]
    shown = {
        row["name"]: row["value"] for row in json.loads(run("config", "--json", *lists).stdout)
    }
    assert shown["control_hosts"] == ["mock.lan", "box"]
    assert shown["browser_origins"] == ["http://a:1", "http://b:2"]


def stopped_after_s(process: subprocess.Popen[str], number: signal.Signals) -> float:
    """Seconds from the signal to the end, without those in which the process waited for a
    processor that another program had."""
    began_s, before_s = time.monotonic(), waited_for_processor_s(process.pid)
    after_s = before_s
    process.send_signal(number)
    while process.poll() is None:
        assert time.monotonic() - began_s < 20
        after_s = waited_for_processor_s(process.pid)
        time.sleep(0.005)
    return time.monotonic() - began_s - (after_s - before_s)


def waited_for_processor_s(pid: int) -> float:
    """How long the first thread of a process has waited to run; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def held_open_request() -> bytes:
    body = b'{"action":"generate","prompt":"Internal heat"}'
    return (
        b"POST /hailuo/videos HTTP/1.1\r\nhost: x\r\nauthorization: Bearer test-token\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    )


def wait_until_accepted(url: str, *, count: int) -> None:
    """The ids of a world's tasks are the same in every run, so the last one can be asked for."""
    last = ACEDATA.task_id(Ids(Chance(1)), count)
    query = {"action": "retrieve", "id": last}
    headers = {"authorization": "Bearer test-token"}
    with httpx2.Client() as client:
        while held(client.post(f"{url}/hailuo/tasks", json=query, headers=headers)).is_error:
            pass


@pytest.mark.parametrize(
    ("host", "meant"),
    [("127.0.0.1:4010", "127.0.0.1"), ("http://localhost:4010/", "localhost"), ("[::1]", "::1")],
)
def test_a_host_with_more_than_a_name_is_refused_with_the_right_one(host: str, meant: str) -> None:
    assert (listen_obstacle(host, 4010) or "").endswith(f"; did you mean '{meant}'?")
