"""The exit code of `hailuo-mock check` is the verdict: what could not be asked is no verdict."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from contract_tests import preflight, target, transport
from contract_tests.broken import forked
from contract_tests.fakes import RunningFake
from contract_tests.receiver import HttpAnswer, LocalServer, ReceivedRequest, Respond
from tests.contract_tests.gateway import NOT_FOUND, Gateway
from tests.contract_tests.test_check import MODULE, check

KEY = "rvya_sk_CANARYown8Zq41xW7"
FEW = ("--only", "test_models", "--only", "test_refusals")
SHORT = ("--max-minutes", "0.3")
"""A short run, which waits no longer than 1.8 s for an answer."""


@pytest.fixture(scope="module")
def fake() -> Iterator[str]:
    with RunningFake("default", seed=1) as running:
        yield running.url


@contextmanager
def server(respond: Respond) -> Iterator[str]:
    """The URL of a server that answers so. None: it never answers."""
    with LocalServer(respond) as running:
        yield running.url


def always(status: int, body: bytes = b"<h1>no</h1>", **headers: str) -> Callable[..., HttpAnswer]:
    return lambda *_: (status, {"content-type": "text/html", **headers}, body)


def judged_nothing(url: str, *arguments: str, key: str = KEY) -> str:
    """What a run says that ends with 2 and judges nothing."""
    to = ("--api", "rivya", "--base-url", url, "--api-key", key)
    out, err = check(*to, *SHORT, *arguments, code=2)
    assert not re.search(r"blame|Traceback|INTERNALERROR", out + err)
    assert KEY not in out + err
    return out + err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (always(200), "text/html instead of JSON"),
        (always(302, location="/login"), "redirects (302) to /login"),
        (always(502), "a gateway answers for the service (502)"),
        (always(404, b'{"message": "no route"}'), "--base-url is what comes before /api/v1"),
        (always(401, b'{"error": {"code": "api_key_invalid"}}'),
         "the key was refused (401 api_key_invalid)"),
        (always(403, b'{"message": "Forbidden"}'), "the key was refused (403)"),
        (always(403), "403 text/html instead of JSON"),
        (always(200, b"\xff\xfe"), "instead of JSON"),
    ],
    ids=["html", "login", "502", "path", "401", "403", "challenge", "binary"],
)  # fmt: skip
def test_what_stands_in_front_of_the_service_is_not_judged(
    answer: Callable[..., HttpAnswer], words: str
) -> None:
    with server(answer) as url:
        said = judged_nothing(url)
    assert "nothing was judged: " in said
    assert words in said


def test_a_silent_server_ends_the_run() -> None:
    with server(lambda *_: None) as url:
        assert "silent until the time limit" in judged_nothing(url, "--max-credits", "0")


def test_a_silent_server_ends_the_run_within_a_minute() -> None:
    """The longest wait for an answer, and then for the proof that nothing is answered."""
    upload_s = transport.USUAL_S + transport.LONGEST_UPLOAD_S
    longest_s = max(upload_s, transport.CONNECT_S, target.ADVANCE_LIMIT_S)
    assert longest_s + preflight.LIMIT_S < 60


@pytest.mark.parametrize(
    ("path", "answered", "has_door", "checks"),
    [
        ("/credits", 2, False, ("test_a_wrong", "getCredits", "test_generated")),
        ("/models", 2, False, ("test_the_documented_request_is_taken",)),
        ("/clock/advance", 1, True, ("test_one_generation",)),
    ],
    ids=["read", "price-list", "clock"],
)
def test_a_server_that_becomes_silent_ends_the_run(
    fake: str, path: str, answered: int, has_door: bool, checks: tuple[str, ...]
) -> None:
    """It answers `answered` requests for this path, and nothing after that."""
    count = 0

    def rule(came: ReceivedRequest) -> HttpAnswer | None:
        nonlocal count
        count += path in came.path
        if count > answered:
            return None
        is_hidden = came.path.startswith("/_mock") and not has_door
        return NOT_FOUND if is_hidden else upstream.forward(came)

    only = [part for name in checks for part in ("--only", name)]
    with Gateway(fake) as upstream, server(rule) as url:
        out, err = check(
            "--api", "rivya", "--base-url", url, "--max-credits", "1000", "--quick",
            *SHORT, *only, code=2,
        )  # fmt: skip
    assert "not finished (the server stopped answering: no server answers at" in err
    assert "it was silent until the time limit" in err
    assert not re.search("blame|Traceback", out + err)


def test_one_key_is_not_for_two_apis() -> None:
    out, err = check("--base-url", "http://127.0.0.1:9", "--api-key", KEY, code=2)
    assert "--api-key is the key of one API: give --api rivya or --api acedata" in out + err


def test_a_busy_callback_port_is_found_out_before_the_first_check(fake: str) -> None:
    with ExitStack() as listening:
        with suppress(OSError):  # then another program has the port
            listening.enter_context(socket.create_server(("127.0.0.1", 4011)))
        out, err = check(
            "--api", "acedata", "--base-url", fake,
            "--callback-url", "http://127.0.0.1:4011", *FEW, code=2,
        )  # fmt: skip
    assert "port 4011" in out + err


@pytest.mark.parametrize("option", ["--report-dir", "--record"])
def test_a_folder_that_cannot_be_written_is_found_out_before_the_first_request(
    option: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    asked: list[str] = []

    def answer(request: ReceivedRequest) -> HttpAnswer:
        asked.append(request.path)
        return always(200)()

    with server(answer) as url:
        said = judged_nothing(url, option, str(tmp_path / "file" / "x"))
    assert f"{option}: {tmp_path / 'file'}" in said
    assert asked == []


def processes_below(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children]


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 2, "SIGTERM")],
)
def test_a_run_that_is_ended_says_so_and_leaves_no_server(
    number: signal.Signals, code: int, words: str, tmp_path: Path
) -> None:
    command = [*MODULE, "check", "--api", "acedata", "--report-dir", str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        assert "at most 60 minutes" in run.stderr.readline()
        servers = processes_below(run.pid)
        run.send_signal(number)
        out, err = run.communicate(timeout=60)
    assert run.returncode == code, out + err
    assert f"not finished (interrupted by {words}" in out
    assert "checks did not run" in err
    assert servers
    assert [pid for pid in servers if Path(f"/proc/{pid}").exists()] == []
    result = json.loads((tmp_path / "run.ndjson").read_text("utf-8").splitlines()[0])
    assert result["exit_code"] == code
    assert "<h1>Not finished</h1>" in (tmp_path / "report.html").read_text("utf-8")


def test_a_run_ends_when_its_time_is_up() -> None:
    waiting = ("--no-control-door", "--only", "test_modes", "--only", "test_callbacks")
    patient = "from contract_tests.options import Options; Options.longest_wait_s = 60.0"
    done = forked.run(
        "check", "--api", "acedata", *waiting, "--max-minutes", "0.05",
        environment=os.environ, before=patient,
    )  # fmt: skip
    assert done.returncode == 2
    assert "the time is up: it took 0.05 minutes (--max-minutes)" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def run_changed(change: str) -> subprocess.CompletedProcess[str]:
    """Run the suite with a change of its own code."""
    code = (
        "import os, signal; "
        "from contract_tests import budget, command, options, report, target, verdicts; " + change
    )
    few = ("--api", "rivya", "--only", "test_models")
    return forked.run("check", *few, environment=os.environ, before=code)


def test_the_time_limit_is_for_the_checks_not_for_the_report() -> None:
    done = run_changed(
        "report.finish = lambda *_, **__: print('left:', signal.getitimer(signal.ITIMER_REAL)[0])"
    )
    assert done.returncode == 0, done.stderr
    assert "left: 0.0" in done.stdout


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 2)])
def test_a_signal_during_the_report_is_told_as_one(name: str, code: int) -> None:
    done = run_changed(f"report.finish = lambda *_, **__: os.kill(os.getpid(), signal.{name})")
    assert done.returncode == code, done.stderr
    assert re.search(r"hailuo-mock check: interrupted by (Ctrl-C|SIGTERM)$", done.stderr.strip())


@pytest.mark.parametrize(
    "defect",
    [
        "target.Caller.request = lambda *_, **__: 1 / 0",
        "verdicts.Verdicts.take_new = lambda *_: 1 / 0",
        "budget.plan_checks = lambda *_: 1 / 0",
        "options.read = lambda *_: 1 / 0",
    ],
)
def test_a_defect_of_the_suite_is_no_verdict(defect: str) -> None:
    done = run_changed(defect)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "internal error: " in done.stderr
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert "INTERNALERROR" not in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize(("count", "code"), [(2, 0), (4, 2)])
def test_answers_of_a_gateway_in_the_middle_are_not_the_service_s(
    fake: str, count: int, code: int
) -> None:
    numbers = iter(range(1_000))

    def rule(came: ReceivedRequest) -> HttpAnswer | None:
        if came.path.startswith("/_mock"):
            return NOT_FOUND
        return always(502)() if 6 <= next(numbers) < 6 + count else None

    with Gateway(fake, rule=rule) as gateway:
        out, err = check(
            "--api", "rivya", "--base-url", gateway.url, "--profile", "safe", "--max-credits", "0",
            "--only", "test_models", *SHORT, code=code,
        )  # fmt: skip
    assert next(numbers) >= 6 + count
    assert "blame" not in out + err
    if code:
        assert "a gateway answered 502 to" in err
        assert "not the service" in err


def test_a_check_that_the_budget_stops_is_not_called_asked(fake: str) -> None:
    """The price doubles after the plan is made."""
    lists = iter(range(1_000))

    def rule(came: ReceivedRequest) -> HttpAnswer | None:
        if came.path.startswith("/_mock"):
            return NOT_FOUND
        if not came.path.endswith("/models") or next(lists) < 2:
            return None
        status, headers, body = gateway.forward(came)
        return status, headers, body.replace(b'"base_credits":57', b'"base_credits":114')

    with Gateway(fake, rule=rule) as gateway:
        out, err = check(
            "--api", "rivya", "--base-url", gateway.url, "--max-credits", "100",
            "--only", "test_nobody_gets_in", "--only", "test_the_documented_request_is", code=2,
        )  # fmt: skip
    assert "planned 57 credits" in err
    assert "1 checks without a verdict: stopped by the budget: this may cost 114 credits" in err
    assert "the contract holds" not in out


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", file,
         "-out", file.with_suffix(".crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + file.with_suffix(".crt").read_bytes())
    return file


_NO_BUNDLE = {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "SSL_CERT_FILE": ""}


@contextmanager
def tls_server(certificate: Path) -> Iterator[str]:
    """A server with a certificate of its own that refuses every key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with server(always(401, b'{"error": {"code": "api_key_invalid"}}')) as plain:
        port = int(plain.rpartition(":")[2])
        with socket.create_server(("127.0.0.1", 0)) as listening:

            def serve() -> None:
                while True:
                    try:
                        raw, _ = listening.accept()
                    except OSError:
                        return
                    threading.Thread(target=relay, args=(raw,), daemon=True).start()

            def relay(raw: socket.socket) -> None:
                with raw, socket.create_connection(("127.0.0.1", port)) as there:
                    try:
                        here = context.wrap_socket(raw, server_side=True)
                    except OSError:
                        return
                    with here:  # it has the descriptor of `raw` now
                        threading.Thread(target=copy, args=(there, here), daemon=True).start()
                        copy(here, there)

            def copy(source: socket.socket, sink: socket.socket) -> None:
                try:
                    while data := source.recv(65536):
                        sink.sendall(data)
                except OSError:
                    return

            threading.Thread(target=serve, daemon=True).start()
            yield f"https://127.0.0.1:{listening.getsockname()[1]}"


def test_a_certificate_problem_is_called_one(certificate: Path) -> None:
    with tls_server(certificate) as url:
        said = judged_nothing(url)
        assert f"the certificate of {url} is not trusted (self" in said
        assert "--ca-bundle" in said
        trusted = str(certificate.with_suffix(".crt"))
        assert "the key was refused" in judged_nothing(url, "--ca-bundle", trusted)
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            arguments = ("--api", "rivya", "--base-url", url, "--api-key", KEY)
            out, err = check(*arguments, code=2, **(_NO_BUNDLE | {name: trusted}))
            assert "the key was refused" in out + err


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), ("x", "has no certificates (PEM)")]
)
def test_a_ca_bundle_that_cannot_be_read_is_refused(
    content: str | None, words: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    said = judged_nothing("http://127.0.0.1:9", "--ca-bundle", str(tmp_path / "ca.pem"))
    assert "--ca-bundle" in said
    assert words in said


def test_a_proxy_is_used_only_when_it_is_asked_for() -> None:
    asked: list[str] = []

    def proxy(request: ReceivedRequest) -> HttpAnswer:
        asked.append(request.path)
        return always(502)()

    with server(proxy) as url:
        arguments = ("--api", "rivya", "--base-url", "http://service.invalid", "--api-key", KEY)
        environment = {"HTTP_PROXY": url.replace("://", "://me:CANARYpassword@"), "NO_PROXY": ""}
        check(*arguments, *SHORT, code=2, **environment)
        assert asked == []
        out, err = check(*arguments, *SHORT, "--proxy", code=2, **environment)
        assert set(asked) >= {"http://service.invalid/api/v1/credits"}
        assert "CANARYpassword" not in out + err


@pytest.mark.parametrize("key", ["k\u2192", "k\nx"])
def test_a_key_that_no_header_can_have_is_called_so(key: str) -> None:
    with server(always(200)) as url:
        assert "the key has characters that no header can have" in judged_nothing(url, key=key)


@pytest.mark.parametrize("proxy", ["::::", "http://[::1", "http://h:99999", "socks5://h"])
def test_a_variable_that_names_no_proxy_is_called_so(proxy: str) -> None:
    environment = {"HTTP_PROXY": proxy, "NO_PROXY": ""}
    arguments = ("--api", "rivya", "--base-url", "http://service.invalid", "--api-key", KEY)
    out, err = check(*arguments, "--proxy", *SHORT, code=2, **environment)
    assert "HTTPS_PROXY or HTTP_PROXY is no http:// URL" in out + err
    assert "Traceback" not in out + err


# --- no secret in any output ---------------------------------------------------------------------

_CANARIES = {
    "HAILUO_CHECK_API_KEY": KEY,
    "HAILUO_CHECK_SECOND_API_KEY": "rvya_sk_CANARYsecond3Kd92pQ",
    "HAILUO_CHECK_REVOKED_API_KEY": "rvya_sk_CANARYrevoked0Lp",
    "HAILUO_CHECK_EXPIRED_API_KEY": "rvya_sk_CANARYexpired7Bn",
    "HAILUO_CHECK_WITHOUT_SCOPES_API_KEY": "rvya_sk_CANARYscopeless6Yt",
    "HAILUO_CHECK_LIMITED_API_KEY": "rvya_sk_CANARYlimited5Xc",
    "HAILUO_CHECK_POOR_API_KEY": "rvya_sk_CANARYpoor2Wq",
    "HAILUO_CHECK_ONE_API_KEY": "rvya_sk_CANARYone9Fe",
    "HAILUO_CHECK_ACEDATA_API_KEY": "CANARYtokenown5Vr03mL",
    "HAILUO_CHECK_ACEDATA_SECOND_API_KEY": "CANARYtokensecond4Hs81c",
    "HAILUO_CHECK_ACEDATA_DISABLED_API_KEY": "CANARYtokendisabled8Gt",
    "HAILUO_CHECK_ACEDATA_MISMATCHED_API_KEY": "CANARYtokenmismatched1Jk",
    "HAILUO_CHECK_ACEDATA_ONE_API_KEY": "CANARYtokenone3Rs",
    "HAILUO_MOCK_CONTROL_TOKEN": "CANARYcontrol6Zx",
    "HTTPS_PROXY": "http://me:CANARYproxy4Mn@127.0.0.1:9",
}


_MODELS = json.dumps(
    {"data": [{"id": f"hailuo-{kind}", "base_credits": 10} for kind in ("pro", "standard")]}
).encode()


def _echo(request: ReceivedRequest) -> HttpAnswer:
    """Repeats all of a request in every field and header, in several encodings."""
    credential = request.headers.get("authorization", "")
    body = request.body.decode(errors="replace")[:3000]
    text = f"{request.method} {request.path} {credential} {body}"
    encoded = base64.b64encode(text.encode()).decode()
    hidden = "".join(f"\\u{ord(letter):04x}" for letter in credential)
    everything = {
        "code": text, "message": encoded, "requestId": text, "id": credential, "task_id": text,
        "name": credential,
        "url": f"http://{credential.replace(' ', '')}@x/?k={credential}",
    }  # fmt: skip
    fields: dict[str, Any] = {
        **everything, "error": everything, "trace_id": text, "items": [everything],
        "data": [everything, {text: text}], "signing_secret": f"whsec_{credential[7:]}",
        "status": credential, "model": text, "result": {"primary_url": text, "urls": [credential]},
    }  # fmt: skip
    answer = json.dumps(fields)[:-1] + f', "escaped": "{hidden}"}}'
    status = 200 if len(request.path) % 3 else 418 if len(request.body) % 2 else 402
    headers = {"content-type": "application/json", "x-echo": credential, "location": encoded}
    return status, headers | {"www-authenticate": credential, "allow": credential}, answer.encode()


def test_no_secret_is_in_any_output_log_or_report(tmp_path: Path) -> None:
    report, record = tmp_path / "report", tmp_path / "record"
    names = (
        "test_refusals", "test_authority", "test_keys", "test_limits", "test_money",
        "acedata/test_failures", "test_webhooks", "test_modes", "getFile", "queryTasks",
    )  # fmt: skip
    only = [part for name in names for part in ("--only", name)]
    keys: set[str] = set()

    def answer(request: ReceivedRequest) -> HttpAnswer:
        keys.add(request.headers.get("authorization", "").rpartition(" ")[2])
        if request.path.endswith("/models"):  # without prices no create would be sent
            return 200, {"content-type": "application/json"}, _MODELS
        return _echo(request)

    with server(answer) as url:
        out, err = check(
            "--base-url", url, "--max-credits", "100", "--quick", "--max-minutes", "2",
            "--profile", "full", *only,
            "--report-dir", str(report), "--record", str(record), code=1, **_CANARIES,
        )  # fmt: skip
    sent = {
        key for name, key in _CANARIES.items() if name.endswith("API_KEY") and "ONE" not in name
    }
    assert keys >= sent  # the others need a clock that the suite moves
    texts = {"stdout": out, "stderr": err}
    for path in (*report.iterdir(), *record.iterdir()):
        texts[path.name] = path.read_text("utf-8", "replace")
    assert {"junit.xml", "run.ndjson", "traffic.har", "report.html", "recording.json"} < set(texts)
    for name, text in texts.items():
        bare = re.sub(r"\s+", "", text)
        for word in ("CANARY", *_in_base64("CANARY")):
            found = bare.find(word)
            assert found < 0, (name, bare[max(0, found - 60) : found + 60])


def _in_base64(word: str) -> list[str]:
    forms = []
    for lead in range(3):
        whole = base64.b64encode(b"\0" * lead + word.encode()).decode()
        forms.append(whole[-(-lead * 8 // 6) : (lead + len(word)) * 8 // 6])
    return forms
