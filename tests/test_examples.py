"""Every request printed in the vendors' documents works, and is answered as they show."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server.contract.data_paths import FIXTURES
from tests.live import WAIT_S, live
from tests.mock import KEY, TOKEN
from tests.receiver import receiver

EXAMPLES = sorted((FIXTURES / "examples").glob("*.json"))


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_printed_request_is_answered_as_printed(path: Path) -> None:
    example = read(path)
    settings = example.get("settings", {})
    clock = {} if example["api"] == "rivya" else {"clock.mode": "real"}
    pace = {"tasks.queued_s": 0.01, "tasks.processing_s": 0.01}
    with live(**clock, **pace, **settings) as mock, receiver() as hook:
        request = deepcopy(example["request"])
        if "callback_url" in request["body"]:
            request["body"]["callback_url"] = hook.url
        answer = send(mock.url, example["api"], request)
        assert answer.status_code == example["answer"]["status"]
        assert_as_printed(answer.json(), example["answer"])
        if "callback" in example:
            callback = json.loads(hook.received.get(timeout=WAIT_S).body)
            assert_as_printed(callback, example["callback"])
            assert callback["task_id"] == answer.json()["task_id"]


def test_both_documents_are_there_with_every_request_they_print() -> None:
    assert [path.stem for path in EXAMPLES] == [
        "acedata-callback",
        "acedata-error",
        "acedata-held-open",
        "rivya-minimal-request",
        "rivya-reference-file-request",
    ]


def send(base_url: str, api: str, request: Any) -> httpx2.Response:
    """The printed request with only host and token changed."""
    key = KEY if api == "rivya" else TOKEN
    return httpx2.request(
        request["method"],
        base_url + request["path"],
        headers={"authorization": f"Bearer {key}", **request.get("headers", {})},
        json=request["body"],
        timeout=WAIT_S,
    )


def assert_as_printed(body: Any, printed: Any) -> None:
    expected = deepcopy(printed["body"])
    for pointer, form in printed["varies"].items():
        found = take(body, pointer)
        assert re.fullmatch(form, found), (pointer, found)
        put(expected, pointer, found)
    assert json.dumps(body) == json.dumps(expected)


def take(body: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body


def put(body: Any, pointer: str, value: Any) -> None:
    owner, _, name = pointer.rpartition("/")
    take(body, owner)[name] = value
