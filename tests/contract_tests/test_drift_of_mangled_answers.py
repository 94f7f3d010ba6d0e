"""Drift compares answers of any form with the contract: none of them makes it crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract_tests.drift.command import drift
from contract_tests.drift.recording import FILE, write
from contract_tests.exchange import Exchange
from contract_tests.redaction import Redaction
from tests.contract_tests.test_conformance import TASK

_MODEL = {
    "id": "hailuo-pro", "object": "model", "base_credits": 57, "params": [],
    "api_status": "available",
}  # fmt: skip
_UUID = "00000000-0000-4000-8000-000000000001"
ANSWERS: list[tuple[str, str, Any, Any]] = [
    ("GET", "/api/v1/models", None, {"object": "list", "data": [_MODEL]}),
    ("POST", "/api/v1/generations", {"model": "hailuo-pro", "prompt": "x"}, TASK),
    ("GET", "/api/v1/generations/task_1", None, TASK),
    ("GET", "/api/v1/credits", None, {"current_credits": 5}),
    (
        "GET",
        "/api/v1/webhooks",
        None,
        {"data": [{"id": "a", "event_types": ["generation.failed"]}]},
    ),
    ("POST", "/hailuo/videos", {"action": "generate"}, {"task_id": _UUID, "success": True}),
    ("POST", "/hailuo/tasks", {"action": "retrieve"}, {"id": _UUID, "request": {}, "response": {}}),
    ("GET", "/api/v1/nothing", None, {"error": {"code": "not_found", "message": "no"}}),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([10**400, "\ud800", "\0", "[hidden]", -0.0]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.text(max_size=4) | st.sampled_from(["", "id", "data", "error", "code", "status"]),
        inner,
        max_size=3,
    ),
    max_leaves=6,
)  # fmt: skip


def mangled(value: Any, draw: Any) -> Any:
    """The value with changes at random places."""
    if draw(st.integers(0, 7)) == 0:
        return draw(JSON)
    if isinstance(value, dict):
        kept = {name: each for name, each in value.items() if draw(st.integers(0, 7))}
        return {name: mangled(each, draw) for name, each in kept.items()}
    if isinstance(value, list):
        return [mangled(each, draw) for each in value for _ in range(draw(st.integers(0, 2)))]
    return value


def _bytes_of(value: Any) -> bytes:
    return json.dumps(value).encode()


@st.composite
def mangled_exchanges(draw: Any) -> Exchange:
    method, path, sent, answer = draw(st.sampled_from(ANSWERS))
    body = _bytes_of(mangled(answer, draw))
    body = draw(
        st.sampled_from(
            [
                body, body, body, body[: len(body) // 2], b"", b"<html>no</html>", b"\xff\xfe{",
                b"NaN", b"[" * 5000 + b"]" * 5000, b"\xef\xbb\xbf" + body,
                body.decode().encode("utf-16"),
            ]
        )
    )  # fmt: skip
    header = st.sampled_from(
        ["", "application/json", "text/html", "x\ty", "é", "\ud800", "5", "-1"]
    )
    names = st.sampled_from(["content-type", "retry-after", "allow", "location", "x-other"])
    return Exchange(
        method=method, url=f"http://127.0.0.1:1{path}", path=path, sent_headers={},
        sent_body=b"" if sent is None else _bytes_of(mangled(sent, draw)),
        status=draw(st.sampled_from([200, 200, 200, 201, 204, 301, 401, 404, 429, 502, 599])),
        headers=draw(st.dictionaries(names, header, max_size=3)), body=body, started_s=0.0,
        took_s=draw(st.sampled_from([0.1, 5.0, 90.0])),
    )  # fmt: skip


def _run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> int:
    code = drift(arguments)
    text = "".join(capsys.readouterr())
    assert "internal error" not in text, text
    return code


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=st.lists(mangled_exchanges(), min_size=1, max_size=6),
    second=st.lists(mangled_exchanges(), min_size=1, max_size=6),
    is_fake=st.booleans(),
)
def test_no_recording_of_mangled_answers_makes_drift_crash(
    first: list[Exchange], second: list[Exchange], *, is_fake: bool, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folders = [tmp_path / "first", tmp_path / "second"]
    for exchanges, folder in zip((first, second), folders, strict=True):
        write(exchanges, Redaction(), folder, is_fake=is_fake)
    one, two = map(str, folders)
    for arguments in (
        [one], [one, "--json"], [one, two], [two, one, "--json"], [one, one],
        [one, "--examples", str(tmp_path / "e"), "--scenarios", str(tmp_path / "s")],
    ):  # fmt: skip
        code = _run(arguments, capsys)
        assert code in ({0, 2} if arguments == [one, one] else {0, 1, 2})


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_mangled_recording_file_is_refused_or_compared(
    data: st.DataObject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {
        "operation": "getGeneration", "method": "GET", "path": "/api/v1/generations/task_1",
        "sent_headers": {}, "sent": None, "status": 200, "code": None,
        "headers": {"content-type": "application/json"}, "answer": TASK, "timing": "instant",
        "text": "",
    }  # fmt: skip
    kept = {"form": 1, "is_fake": False, "exchanges": [mangled(row, data.draw) for _ in range(2)]}
    if data.draw(st.booleans()):
        kept = mangled(kept, data.draw)
    (tmp_path / FILE).write_text(json.dumps(kept), "utf-8")
    arguments = data.draw(st.sampled_from([[], ["--json"], [str(tmp_path)]]))
    targets = ["--examples", str(tmp_path / "e"), "--scenarios", str(tmp_path / "s")]
    _run([str(tmp_path), *arguments, *data.draw(st.sampled_from([[], targets]))], capsys)
