"""The commands of findings: they can be run, and they send what was sent."""

from __future__ import annotations

import json
import shlex
import subprocess

import pytest
import requests

from contract_tests.curl import curl
from contract_tests.exchange import Exchange
from contract_tests.operations import PNG
from contract_tests.shell import body_command
from contract_tests.steps import needed_before

URL = "http://127.0.0.1:4010/api/v1/generations"


def exchange(
    body: bytes = b"", method: str = "POST", url: str = URL, answer: object = None, **headers: str
) -> Exchange:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    path = "/" + url.partition("://")[2].partition("/")[2]
    return Exchange(method, url, path, named, body, 200, {}, json.dumps(answer).encode(), 0, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"a\0b", b"\xff\xfe{}", bytes(range(256)), PNG.ljust(100_000, b"\0"), b"-n", b"%s \\ '",
        json.dumps({"prompt": "x" * 1501}).encode(), json.dumps({"prompt": "é" * 1501}).encode(),
        ('"' + "🎬" * 1501 + '"\n').encode(), b"\n" * 3000, "ends in \u00e9".encode() + b"\xc3",
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_a_pipe_writes_the_bytes_that_were_sent(body: bytes) -> None:
    pipe, options = body_command(exchange(body))
    if not pipe:
        assert shlex.split(options[0]) == ["--data-raw", body.decode()]
        return
    assert options == ["--data-binary @-"]
    assert len(pipe) < 3000
    written = subprocess.run(["sh", "-c", pipe.rstrip("|")], capture_output=True, check=True)
    assert written.stdout == body


def test_a_short_text_is_an_argument() -> None:
    command = curl(exchange('{"prompt": "it\'s é"}'.encode(), content_type="application/json"), {})
    assert "it'\"'\"'s é" in command
    assert "-H 'content-type: application/json'" in command


def test_a_form_is_made_by_curl_with_the_file_as_a_file() -> None:
    sent = requests.Request(
        "POST", URL, data={"kind": "image"}, files={"file": ('a "b".png', PNG, "image/png")}
    ).prepare()
    headers = {"content_type": str(sent.headers["content-type"])}
    of_form = exchange(bytes(sent.body or b""), **headers)  # type: ignore[arg-type]
    command = curl(of_form, {})
    assert "boundary" not in command
    assert "--form-string kind=image" in command
    assert ";type=image/png" in command
    pipe = command.partition("|")[0]
    written = subprocess.run(["sh", "-c", pipe], capture_output=True, check=True)
    assert written.stdout == PNG


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_malformed_form_is_sent_as_it_is(kind: str) -> None:
    command = curl(exchange(b"no form\0", content_type=kind), {})
    assert f"content-type: {kind}" in command
    assert "--data-binary @-" in command


def test_curl_adds_no_content_type_and_expands_no_brackets() -> None:
    command = curl(exchange(b"{}", url=URL + "/[1]"), {})
    assert "-H content-type:" in command
    assert "-g" in command


# --- the requests that a finding needs ------------------------------------------------------------


def test_a_replay_needs_the_first_create_with_its_key() -> None:
    first = exchange(b"1", answer={"id": "task_1"}, idempotency_key="k")
    other = exchange(b"2", answer={"id": "task_2"}, idempotency_key="other")
    replay = exchange(b"1", answer={"id": "task_3"}, idempotency_key="k")
    assert needed_before(replay, [first, other]) == (first,)


def test_a_read_needs_the_create_that_named_it_and_what_that_needed() -> None:
    upload = exchange(b"f", answer={"id": "file_1", "url": "http://h/file_1/a.png"})
    create = exchange(b'{"url": "http://h/file_1/a.png"}', answer={"id": "task_1"})
    read = exchange(method="GET", url=URL + "/task_1")
    assert needed_before(read, [upload, exchange(b"x"), create]) == (upload, create)


def test_a_balance_needs_the_balance_before_and_the_writes_since() -> None:
    balance = exchange(method="GET", url="http://h/api/v1/credits")
    create = exchange(b"1", answer={"id": "task_1"})
    read = exchange(method="GET", url=URL + "/task_1")
    earlier = [exchange(b"0"), balance, create, read]
    assert needed_before(balance, earlier) == (balance, create)


def test_few_of_many_requests_are_shown() -> None:
    creates = [exchange(b"1", answer={"id": "t"}, idempotency_key="k") for _ in range(50)]
    assert len(needed_before(creates[0], creates)) == 8
