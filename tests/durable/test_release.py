"""Nothing is sent before the state file has what it tells."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server.server.joined_writes import JoinedWrites
from tests.live import live
from tests.mock import KEY, MINIMAL
from tests.recorded_transport import RecordedTransport


@pytest.mark.parametrize("durable", ["process", "power"])
def test_the_file_has_a_task_before_its_create_is_answered(tmp_path: Path, durable: str) -> None:
    path = tmp_path / "demo.db"

    def create_some(_: int) -> list[bool]:
        found = []
        reading = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        with httpx2.Client(base_url=url, headers={"authorization": f"Bearer {KEY}"}) as client:
            for _ in range(10):
                made = client.post("/api/v1/generations", json=MINIMAL).json()["id"].encode()
                last = "SELECT body FROM turn ORDER BY number DESC LIMIT 50"
                turns = reading.execute(last).fetchall()  # else the next one reads the same state
                found.append(any(made in body for (body,) in turns))
        reading.close()
        return found

    with live(state__file=str(path), state__durable=durable) as server:
        url = server.url
        with ThreadPoolExecutor(4) as threads:
            found = [each for some in threads.map(create_some, range(4)) for each in some]
    assert found == [True] * 40


class Release:
    """A release that is held until it is told otherwise."""

    def __init__(self) -> None:
        self.is_held = True
        self.waiting: list[Callable[[bool], None]] = []

    def when_released(self, send: Callable[[bool], None]) -> None:
        self.waiting.append(send)

    async def released(self) -> None:
        raise AssertionError

    def end(self, *, is_written: bool = True, is_held: bool = False) -> None:
        self.is_held = is_held
        waiting, self.waiting = self.waiting, []
        for send in waiting:
            send(is_written)


def joined() -> tuple[JoinedWrites, Release, list[Any]]:
    release, transport, loop = Release(), RecordedTransport(), None
    return JoinedWrites(transport, loop, release), release, transport.done  # type: ignore[arg-type]


def test_what_is_written_and_the_end_wait_for_the_release() -> None:
    writes, release, done = joined()
    writes.write(b"a")
    writes.write_now(b"b")
    writes.close()
    assert done == []
    release.end()
    assert done == [b"ab", "close"]


def test_what_is_written_later_waits_for_the_next_release_if_more_has_changed() -> None:
    writes, release, done = joined()
    writes.write_now(b"a")
    writes.write_now(b"b")
    release.end(is_held=True)
    assert done == []
    release.end()
    assert done == [b"ab"]
    release.is_held = True
    writes.write_now(b"c")
    release.end(is_held=True)
    assert done == [b"ab", b"c"]


def test_an_answer_becomes_503_if_the_file_cannot_be_written() -> None:
    writes, release, done = joined()
    writes.write_now(b"HTTP/1.1 200 OK\r\n\r\n")
    release.end(is_written=False, is_held=True)
    assert done[0].startswith(b"HTTP/1.1 503 ")
    assert done[1:] == ["close"]
