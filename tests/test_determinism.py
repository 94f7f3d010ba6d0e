"""Same seed, same requests, frozen clock: the same bytes, in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256

import pytest

from tests.asgi import Answer
from tests.mock import VIDEO, Mock


def session(seed: int) -> list[Answer]:
    """A session with tasks of both APIs, uploads, errors of every origin, and advances."""
    mock = Mock(seed=seed, tasks__failure_rate=0.5)
    answers = [mock.create(prompt=f"take {take}") for take in range(5)]
    answers += [mock.upload(), mock.upload(b"no picture"), mock.create(model="hailuo-por")]
    answers += [mock.acedata("/videos", VIDEO | {"async": True}) for _ in range(5)]
    answers.append(mock.acedata("/videos", {"action": "dream"}))
    mock.advance(0.5)
    answers += [mock.rivya("GET", f"/generations/{answers[0].json()['id']}")]
    mock.advance(0.5)
    answers += [mock.rivya("GET", f"/generations/{answer.json()['id']}") for answer in answers[:5]]
    ids = [answer.json()["task_id"] for answer in answers[8:13]]
    answers += [mock.acedata("/tasks", {"action": "retrieve_batch", "ids": ids})]
    answers += [mock.rivya("GET", "/credits"), mock.rivya("GET", "/models", key=None)]
    answers += [mock.request("TRACE", path) for path in ("/api/v1/webhooks/x", "/hailuo/tasks")]
    answers += [mock.request("GET", path) for path in ("/api/v2", "/hailuo", "/", "/_mock/version")]
    mock.close()
    return answers


def fingerprint(answers: list[Answer]) -> str:
    text = "\n".join(f"{answer.status} {answer.headers} {answer.body!r}" for answer in answers)
    return sha256(text.encode()).hexdigest()


def test_the_same_session_gives_the_same_bytes() -> None:
    assert session(seed=7) == session(seed=7)


def test_another_seed_gives_other_ids() -> None:
    mine, other = session(seed=7), session(seed=8)
    assert mine[0].json()["id"] != other[0].json()["id"]
    assert mine[13].json()["trace_id"] != other[13].json()["trace_id"]


@pytest.mark.parametrize("hash_seed", ["0", "1", "2"])
def test_another_process_gives_the_same_bytes(hash_seed: str) -> None:
    program = "from tests import test_determinism as t; print(t.fingerprint(t.session(7)))"
    printed = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
    ).stdout
    assert printed.strip() == fingerprint(session(seed=7))
