"""`hailuo-mock judge` runs real programs, with a real server, and ends with the right code."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mock_server.__main__ import main
from mock_server.control import Control
from mock_server.judge.fake import fake_for_runs
from mock_server.judge.stopping import Stopped, run_until_signal
from tests.judge.clients import CORRECT, KEEPS_LOOKING, PAYS_TWICE, client
from tests.judge.processes import has_ended

CANARY = 'canary-9f3a77c1-"sécret"'


def judged(*arguments: str, environment: dict[str, str] | None = None) -> Result:
    """What the command prints, and its exit code."""
    return CliRunner().invoke(main, ["judge", *arguments], env=environment)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of the client, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- exit codes -----------------------------------------------------------------------------------


def test_a_correct_client_is_clean(elsewhere: Path) -> None:
    only = ("--only", "HM101,hm102", "--only", "HM301")
    done = judged("--api", "rivya", *only, "--", *client(elsewhere, CORRECT))
    assert done.exit_code == 0, done.output
    assert "No findings" in done.stdout
    assert "HM301" in done.stdout.partition("Clean:")[2]
    assert "more can be judged" not in done.stdout
    assert done.stderr == ""


LEAKS = """
print(KEY, os.environ["MINE"])
try:
    urlopen(Request(BASE + "/api/v1/x?token=" + KEY, headers={"X-Key": os.environ["MINE"]}))
except OSError:
    pass
"""
FORMS = ("junit", "sarif", "json", "receipt")


@pytest.fixture(scope="module")
def paid_twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """A judgement of a client that pays twice and sends secrets about; the folder of its files."""
    folder = tmp_path_factory.mktemp("paid-twice")
    outputs = [part for form in FORMS for part in (f"--{form}", str(folder / f"out.{form}"))]
    arguments = ("--api", "rivya", "--only", "HM101", "--pass-env", "MINE", *outputs, "--")
    command = (*client(folder, LEAKS + PAYS_TWICE), CANARY)
    return judged(*arguments, *command, environment={"MINE": CANARY, "OTHER": "canary"}), folder


def test_findings_are_told_with_their_credits(paid_twice: tuple[Result, Path]) -> None:
    done, _ = paid_twice
    assert done.exit_code == 1, done.output
    assert "1 finding, 57 credits lost" in done.stdout
    assert "HM101" in done.stdout
    assert "lost_answer" in done.stdout


def test_a_client_that_never_calls_is_told_what_was_set_and_what_it_printed(
    elsewhere: Path,
) -> None:
    code = "print('reading MY_API_URL'); print('the key is', KEY); sys.exit(4)"
    done = judged("--api", "rivya", "--", *client(elsewhere, code))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "never called the fake at all; it exited with 4" in done.stderr
    for name in ("RIVYA_BASE_URL=http://127.0.0.1:", "RIVYA_API_KEY=", "WEBHOOK_SECRET="):
        assert f"  {name}" in done.stderr
    assert "  reading MY_API_URL\n" in done.stderr
    assert "rvya_sk_" not in done.stderr
    assert "whsec_" not in done.stderr


def test_a_client_that_only_asks_production_is_told_the_host(elsewhere: Path) -> None:
    code = """
try:
    urlopen("https://api.rivya.example/api/v1/models")
except OSError as error:
    print(error)
"""
    done = judged("--api", "rivya", "--", *client(elsewhere, code))
    assert done.exit_code == 2
    assert "it asked api.rivya.example:443 instead, and was refused" in done.stderr


def test_a_client_with_another_key_is_told_what_it_sent(elsewhere: Path) -> None:
    code = "call('GET', '/api/v1/credits', key='rvya_sk_test')"
    done = judged("--api", "rivya", "--", *client(elsewhere, code))
    assert done.exit_code == 2
    assert "never called the fake with its key" in done.stderr
    assert "GET /api/v1/credits -> 200" in done.stderr


def test_a_client_that_only_asks_the_control_door_is_told_so(elsewhere: Path) -> None:
    code = """
from urllib.error import HTTPError
for path in ("/_mock/worlds", "/favicon.ico"):
    try:
        call("GET", path)
    except HTTPError as error:
        print(error.code)
"""
    done = judged("--api", "rivya", "--", *client(elsewhere, code))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the client never called the API 'rivya'; it exited with 0" in done.stderr
    assert "GET /favicon.ico -> 404" in done.stderr
    assert "the client asked for GET /_mock/worlds: that is the control door" in done.stderr
    assert "  RIVYA_BASE_URL=http://127.0.0.1:" in done.stderr
    assert "the last lines it printed:\n  401\n" in done.stderr


def test_a_world_that_no_client_has_called_is_not_judged(running: str) -> None:
    Control(running).world("unused")
    done = judged("--api", "rivya", "--attach", "unused", "--url", running)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no request has come to the API 'rivya' in the world 'unused'" in done.stderr
    assert f"RIVYA_BASE_URL={running} " in done.stderr
    assert "rvya_sk_" not in done.stderr


def test_a_judgement_in_which_nothing_was_decided_is_no_clean_one(elsewhere: Path) -> None:
    done = judged("--api", "rivya", "--only", "HM301", "--", *client(elsewhere, "create()"))
    assert done.exit_code == 2
    assert "nothing was decided" in done.stdout


def test_another_host_is_a_problem_unless_it_is_expected(elsewhere: Path) -> None:
    code = """
try:
    urlopen("http://telemetry.example/ping")
except OSError:
    pass
"""
    code += CORRECT
    arguments = ("--api", "rivya", "--only", "HM301")
    done = judged(*arguments, "--", *client(elsewhere, code))
    assert done.exit_code == 1
    assert "the client asked telemetry.example, not the fake, on 2 days" in " ".join(
        done.stdout.split()
    )
    expected = ("--expect-host", "telemetry.example")
    assert judged(*arguments, *expected, "--", *client(elsewhere, code)).exit_code == 0


def test_a_client_that_never_ends_is_ended_at_the_limit(elsewhere: Path) -> None:
    code = "create(); signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)"
    arguments = ("--api", "rivya", "--only", "HM301", "--limit-s", "0.5", "--json", "-")
    done = judged(*arguments, "--", *client(elsewhere, code))
    days = {day["name"]: day for day in json.loads(done.stdout)["days"]}
    assert {day["ended_by"] for day in days.values()} == {"judge"}
    assert all(0.5 <= day["took_s"] < 20 for day in days.values())


def test_a_command_that_is_not_there_cannot_be_judged() -> None:
    done = judged("--api", "rivya", "--", "no-such-program", "--flag")
    assert done.exit_code == 2
    assert done.stderr.startswith("hailuo-mock judge: there is no command 'no-such-program'")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--", "true"), "--api says which API the client calls: rivya or acedata"),
        (("--api", "rivia", "--", "true"), "did you mean 'rivya'"),
        (("--api", "rivya"), "give the COMMAND"),
        (("--api", "rivya", "--only", "HM011", "--", "true"), "--only: there is no rule 'HM011'"),
        (("--api", "rivya", "--env", "A=url", "--env", "A=key", "--", "true"), "A is given twice"),
        (("--api", "rivya", "--env", "A=keys", "--", "true"), "did you mean 'key'"),
        (("--api", "rivya", "--pass-env", "NO_SUCH", "--", "true"), "you have no such variable"),
        (("--api", "rivya", "--serve-callback", "here", "--", "true"), "must be a URL with a port"),
        (("--api", "rivya", "--json", "no/such/folder", "--", "true"), "--json no/such/folder: No"),
        (("--api", "rivya", "--attach", "w", "--", "true"), "leave out a COMMAND"),
        (("--api", "rivya", "--attach", "w", "--restart"), "leave out --restart"),
        (("--api", "rivya", "--attach", "w", "--url", "http://127.0.0.1:99999"), "is no URL of a"),
        (
            ("--api", "rivya", "--json", "-", "--sarif", "-", "--", "true"),
            "--sarif and --json both write to -; name a file for each",
        ),
        (("--api", "rivya", "--json", "a", "--junit", "./a", "--", "true"), "both write to a"),
        (
            ("--api", "rivya", "--only", "HM101", "--skip", "HM101", "--", "true"),
            "nothing is left to judge",
        ),
    ],
)
def test_wrong_options_are_refused_before_anything_runs(
    elsewhere: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = judged(*arguments)
    assert done.exit_code == 2
    assert sentence in done.stderr


def test_the_manual_has_every_option() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "judge.md").read_text("utf-8")
    options = [name for each in main.commands["judge"].params for name in each.opts]
    assert [name for name in options if name.startswith("--") and name not in manual] == []


def test_a_malformed_acceptance_and_baseline_are_refused(elsewhere: Path) -> None:
    file = elsewhere / "file"
    file.write_text("accepted = 1")
    for option, sentence in (("--accept", "Expected `array`"), ("--baseline", "is no judgement")):
        done = judged("--api", "rivya", option, str(file), "--", "true")
        assert done.exit_code == 2
        assert sentence in done.stderr


# --- accepted findings and earlier judgements -----------------------------------------------------


def test_an_accepted_finding_does_not_count_until_its_date(elsewhere: Path) -> None:
    command = client(elsewhere, KEEPS_LOOKING)
    file = elsewhere / "accepted.toml"
    row = '[[accepted]]\ncode = "HM301"\nreason = "the old poller"\nexpires = {}\n'
    arguments = ("--api", "rivya", "--only", "HM301", "--accept", str(file), "--", *command)
    file.write_text(row.format("9999-01-01"))
    done = judged(*arguments)
    assert done.exit_code == 0
    assert "until 9999-01-01: the old poller" in done.stdout
    file.write_text(row.format("2020-01-01"))
    done = judged(*arguments)
    assert done.exit_code == 1
    assert "HM301 was accepted until 2020-01-01: it counts again" in done.stdout


def test_after_the_fix_the_baseline_shows_the_flip(
    paid_twice: tuple[Result, Path], elsewhere: Path
) -> None:
    before = paid_twice[1] / "out.json"
    arguments = ("--api", "rivya", "--only", "HM101", "--baseline", str(before))
    command = client(elsewhere, CORRECT)
    after = judged(*arguments, "--receipt", "receipt.html", "--", *command)
    assert after.exit_code == 0, after.output
    assert "fixed   HM101" in after.stdout
    page = (elsewhere / "receipt.html").read_text()
    assert "Before and after" in page
    assert "then; 57 credits lost" in page


# --- secrets --------------------------------------------------------------------------------------


def test_no_secret_is_in_any_output(paid_twice: tuple[Result, Path]) -> None:
    done, folder = paid_twice
    texts = [done.output, *((folder / f"out.{form}").read_text() for form in FORMS)]
    for text in texts:
        assert "HM101" in text
        for secret in (CANARY, "canary", "rvya_sk_", "whsec_"):
            assert secret not in text


def test_no_part_of_a_secret_is_shown_of_what_a_client_printed(elsewhere: Path) -> None:
    lines = [f"{letter * 20}-line" for letter in "abc"]
    code = """
secret = os.environ["MINE"]
print(secret)
for width in (180, 190, 199):
    print("x" * width + secret.split()[1] + KEY)
print(secret.split()[2])
"""
    arguments = ("--api", "acedata", "--pass-env", "MINE")
    variables = ("--env", "RIVYA_BASE_URL=url", "--env", "RIVYA_API_KEY=key")
    command = client(elsewhere, code)
    done = judged(*arguments, *variables, "--", *command, environment={"MINE": "\n".join(lines)})
    assert done.exit_code == 2
    assert "[redacted]" in done.stderr
    assert "[redacted]" * 2 + "\n" in done.stderr.replace("x", "")
    assert not [letter for letter in "abc" if letter * 4 in done.stderr]


def test_the_variables_of_the_user_stay_out(elsewhere: Path) -> None:
    code = "print(sorted(os.environ)); print(os.environ.get('MINE'))"
    environment = {"MINE": CANARY, "AWS_SECRET_ACCESS_KEY": CANARY}
    done = judged("--api", "rivya", "--", *client(elsewhere, code), environment=environment)
    assert "  None\n" in done.stderr
    assert "AWS_SECRET" not in done.stderr


# --- a world that exists --------------------------------------------------------------------------


@pytest.fixture
def running() -> Iterator[str]:
    with fake_for_runs(1) as url:
        yield url


def test_attach_judges_what_has_happened(running: str, elsewhere: Path) -> None:
    with Control(running) as control, control.world("mine") as world:
        environment = {
            "RIVYA_BASE_URL": world.plain_url,
            "RIVYA_API_KEY": world.rivya_key,
            "PATH": os.environ["PATH"],
        }
        world.faults.add("lost_answer")
        subprocess.run(client(elsewhere, PAYS_TWICE), env=environment, check=True, timeout=30)
        done = judged("--api", "rivya", "--attach", "mine", "--url", running)
        assert done.exit_code == 1, done.output
        assert "HM101" in done.stdout
        assert world.rivya_key not in done.output
    done = judged("--api", "rivya", "--attach", "mine", "--url", running)
    assert done.exit_code == 2
    assert "there is no world called 'mine'" in done.stderr


# --- restarts and receivers -----------------------------------------------------------------------

RECEIVES = """
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import urlsplit

EFFECTS = os.path.join(os.environ["STATE_DIR"], "effects")

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if is_new(event["id"]):
            with open(EFFECTS, "a") as out:
                out.write(event["id"] + "\\n")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", urlsplit(os.environ["CALLBACK_URL"]).port), Receiver)
Thread(target=server.serve_forever, daemon=True).start()
create()
while True:
    time.sleep(0.1)
"""
ACTS_AGAIN = "def is_new(event):\n    return True\n" + RECEIVES
ACTS_ONCE = (
    "def is_new(event):\n"
    "    return not os.path.exists(EFFECTS) or event not in open(EFFECTS).read()\n" + RECEIVES
)
COUNT = 'if [ -f "$STATE_DIR/effects" ]; then wc -l < "$STATE_DIR/effects"; else echo 0; fi'


@pytest.mark.parametrize(
    ("code", "exit_code"), [(ACTS_AGAIN, 1), (ACTS_ONCE, 0)], ids=["again", "once"]
)
def test_events_that_come_twice_are_acted_on_once(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, code: str, exit_code: int
) -> None:
    monkeypatch.setattr("mock_server.judge.watch.SETTLED_S", 1.5)
    receiving = ("--serve-callback", "http://127.0.0.1:0/hook", "--effect-count", COUNT)
    arguments = ("--api", "rivya", "--only", "HM505,HM506", *receiving, "--json", "-", "--")
    done = judged(*arguments, *client(elsewhere, code))
    assert done.exit_code == exit_code, done.output
    report = json.loads(done.stdout)
    found = [each["code"] for each in report["findings"]]  # HM506 would say the same
    assert (found, report["clean"]) == ((["HM505"], []) if exit_code else ([], ["HM505", "HM506"]))
    assert {day["ended_by"] for day in report["days"]} == {"judge"}
    assert max(day["took_s"] for day in report["days"]) < 15


KEEPS_THE_ID = """
kept = os.path.join(os.environ["STATE_DIR"], "task")
task = open(kept).read() if os.path.exists(kept) else create()
open(kept, "w").write(task)
finished(task)
"""
KEEPS_IT_LATE = KEEPS_THE_ID.replace("open(kept, ", "time.sleep(1.2)\nopen(kept, ")


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("finished(create())", 1), (KEEPS_THE_ID, 0), (KEEPS_IT_LATE, 0)],
    ids=["forgets", "keeps", "keeps it late"],
)
def test_a_client_is_killed_and_started_again_in_the_same_world(
    elsewhere: Path, code: str, exit_code: int
) -> None:
    arguments = ("--api", "rivya", "--only", "HM107", "--restart", "--", *client(elsewhere, code))
    done = judged(*arguments)
    assert done.exit_code == exit_code, done.output
    assert "HM107" in done.stdout


def test_days_that_were_left_out_are_told_with_what_they_need(elsewhere: Path) -> None:
    done = judged("--api", "rivya", "--only", "HM301,HM107", "--", *client(elsewhere, CORRECT))
    assert "1 day more can be judged with --restart" in done.stdout


def test_a_receiver_that_no_event_can_be_sent_to_is_refused(elsewhere: Path) -> None:
    receiving = ("--serve-callback", "http://user@127.0.0.1:1/hook")
    done = judged("--api", "rivya", "--only", "HM301", *receiving, "--", "true")
    assert done.exit_code == 2
    assert "the fake makes no webhook for http://" in done.stderr


def test_rules_that_need_more_say_which_option_gives_it(elsewhere: Path) -> None:
    done = judged("--api", "rivya", "--only", "HM107", "--", "true")
    assert done.exit_code == 2
    assert "nothing can be judged: HM107 needs --restart" in done.stderr


def test_an_effect_count_that_prints_no_number_is_refused(elsewhere: Path) -> None:
    arguments = ("--api", "rivya", "--only", "HM301", "--effect-count", "echo many")
    done = judged(*arguments, "--", *client(elsewhere, CORRECT))
    assert done.exit_code == 2
    assert "--effect-count must print one whole number" in done.stderr


# --- outputs, doors and ports that are not there --------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_file_that_cannot_be_written_costs_no_other_output(elsewhere: Path) -> None:
    outputs = ("--receipt", "/dev/full", "--json", "out.json")
    arguments = ("--api", "rivya", "--only", "HM301", *outputs, "--")
    done = judged(*arguments, *client(elsewhere, CORRECT))
    assert done.exit_code == 2
    assert "No findings" in done.stdout
    assert json.loads((elsewhere / "out.json").read_bytes())["exit_code"] == 0
    assert "--receipt /dev/full could not be written: No space left on device" in done.stderr


def test_a_reader_that_ends_early_does_not_change_the_exit_code(elsewhere: Path) -> None:
    command = [sys.executable, "-m", "mock_server", "judge", "--api", "rivya", "--only", "HM301"]
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [*command, "--json", "out.json", "--", *client(elsewhere, CORRECT)],
        stdout=write_end, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")
    assert (elsewhere / "out.json").exists()


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="only Linux has a full disk to test with"
)
def test_a_full_disk_behind_the_text_costs_no_file_and_is_told(elsewhere: Path) -> None:
    shell = 'exec "$@" > /dev/full'
    done = in_shell(shell, "--receipt", "out.html", *client(elsewhere, PAYS_TWICE))
    assert done.returncode == 2
    assert done.stderr.endswith("standard output could not be written: No space left on device\n")
    assert "HM101" in (elsewhere / "out.html").read_text()


@pytest.mark.parametrize("closed", ["1", "2"])
def test_closed_streams_do_not_change_the_exit_code(elsewhere: Path, closed: str) -> None:
    command = client(elsewhere, CORRECT)
    done = in_shell(f'exec "$@" {closed}>&-', "--receipt", "out.html", *command)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No findings" in (elsewhere / "out.html").read_text()


def in_shell(shell: str, option: str, value: str, *more: str) -> subprocess.CompletedProcess[str]:
    """What the command prints if a shell starts it with other streams."""
    judge = [sys.executable, "-m", "mock_server", "judge", "--api", "rivya", "--only", "HM101"]
    words = ["/bin/sh", "-c", shell, "sh", *judge, option, value]
    return subprocess.run([*words, "--", *more], capture_output=True, text=True, check=False)


def test_a_client_cannot_use_the_control_door(elsewhere: Path) -> None:
    code = """
from urllib.error import HTTPError
for method, path in (("GET", ""), ("DELETE", "/quiet"), ("DELETE", "/quiet/faults")):
    try:
        urlopen(Request(BASE + "/_mock/worlds" + path, method=method))
        sys.exit("the door is open")
    except HTTPError as error:
        assert error.code == 401, error.code
"""
    outputs = ("--only", "HM301", "--json", "out.json", "--receipt", "out.html")
    done = judged("--api", "rivya", *outputs, "--", *client(elsewhere, code + CORRECT))
    assert done.exit_code == 0, done.output
    told = "the client asked for DELETE /_mock/worlds/quiet/faults, 2 times: that is the control"
    assert told in " ".join(done.stdout.split())
    assert told in Path("out.html").read_text()
    assert told in " ".join(json.loads(Path("out.json").read_text())["remarks"])


def test_a_port_that_is_taken_before_the_client_starts_is_told(elsewhere: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"http://localhost:{other.getsockname()[1]}/hook"
        arguments = ("--api", "rivya", "--only", "HM301", "--serve-callback", url)
        done = judged(*arguments, "--", *client(elsewhere, CORRECT))
    said = " ".join(done.stdout.split())
    assert f"something listened at {url} before the client was started" in said


# --- signals --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_client_and_its_children(elsewhere: Path, number: signal.Signals) -> None:
    code = """
child = subprocess.Popen(["sleep", "60"])
open("pids.part", "w").write(f"{os.getpid()} {child.pid}")
os.rename("pids.part", "pids")
create()
time.sleep(60)
"""
    command = [sys.executable, "-m", "mock_server", "judge", "--api", "rivya", "--"]
    process = subprocess.Popen(
        [*command, *client(elsewhere, code)], stderr=subprocess.PIPE, text=True
    )
    pids = elsewhere / "pids"
    while not pids.exists():
        assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert said == "hailuo-mock judge: stopped; the client and its children were ended\n"
    for pid in pids.read_text().split():
        assert has_ended(pid)


@pytest.mark.usefixtures("default_signals")
def test_ctrl_c_before_the_client_is_started_does_not_mean_findings(tmp_path: Path) -> None:
    """The judge waits for the accepted findings; click would exit with 1."""
    os.mkfifo(accepted := tmp_path / "accepted.toml")
    command = [sys.executable, "-m", "mock_server", "judge", "--api", "rivya"]
    with (
        subprocess.Popen(
            [*command, "--accept", str(accepted), "--", "true"], stderr=subprocess.PIPE
        ) as process,
        accepted.open("wb"),
    ):
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert said == b""


def test_a_signal_counts_whatever_the_work_makes_of_its_end() -> None:
    async def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError("it was under way") from None

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Stopped) as stopped:
        run_until_signal(work)
    assert stopped.value.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGINT) == before


# --- while the client runs ------------------------------------------------------------------------


WAITS_AFTER_PAYING_TWICE = """
attempts = []

def order():
    attempts.append(1)
    return create()

finished(again(order))
while len(attempts) > 1 and not os.path.exists("told"):
    time.sleep(0.05)
"""


def test_what_stands_is_told_while_the_client_runs(elsewhere: Path) -> None:
    """The client that paid twice does not end before the judge has said so."""
    options = ("judge", "--api", "rivya", "--only", "HM101", "--limit-s", "600", "--jobs", "8")
    command = client(elsewhere, WAITS_AFTER_PAYING_TWICE)
    with subprocess.Popen(
        [sys.executable, "-m", "mock_server", *options, "--", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        line = running.stderr.readline()
        (elsewhere / "told").touch()
        output, rest = running.communicate()
    assert re.match(r" +[0-9]+\.[0-9] s  HM101 create-repeated-without-key, day ", line)
    assert "HM101" not in rest, "it is told once"
    assert "1 finding" in output
    assert running.returncode == 1
