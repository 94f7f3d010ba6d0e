"""What is written in one turn of the loop leaves in one send, in its order, and none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from mock_server.outgoing.release import AtOnce
from mock_server.server.joined_writes import JoinedWrites
from tests.recorded_transport import RecordedTransport


def recorded_calls(use: Callable[[JoinedWrites], Any]) -> list[bytes | str]:
    """The calls to a connection within one turn of the loop, and after it."""
    transport = RecordedTransport()

    async def story() -> list[bytes | str]:
        loop = asyncio.get_running_loop()
        use(JoinedWrites(cast(asyncio.Transport, transport), loop, AtOnce()))
        within = list(transport.done)
        await asyncio.sleep(0)
        return [*within, "turn", *transport.done[len(within) :]]

    return asyncio.run(story())


def test_head_and_body_are_written_together() -> None:
    def use(joined: JoinedWrites) -> None:
        joined.write(b"head")
        joined.write(b"body")

    assert recorded_calls(use) == ["turn", b"headbody"]


def test_bytes_written_now_are_sent_after_those_written_before() -> None:
    def use(joined: JoinedWrites) -> None:
        joined.write(b"head")
        joined.write(b"body")
        joined.write_now(b"whole")
        joined.write(b"more")

    assert recorded_calls(use) == [b"headbody", b"whole", "turn", b"more"]


def test_a_long_write_is_sent_at_once() -> None:
    def use(joined: JoinedWrites) -> None:
        joined.write(b"head")
        joined.write(b"x" * 70_000)
        joined.write(b"more")

    assert recorded_calls(use) == [b"head" + b"x" * 70_000, "turn", b"more"]


def test_a_connection_is_closed_after_its_bytes() -> None:
    def close(joined: JoinedWrites) -> None:
        joined.write(b"last words")
        joined.close()
        assert joined.is_closing()

    def end(joined: JoinedWrites) -> None:
        joined.write(b"last words")
        joined.write_eof()

    assert recorded_calls(close) == [b"last words", "close", "turn"]
    assert recorded_calls(end) == [b"last words", "eof", "turn"]


def test_everything_else_is_passed_to_the_transport() -> None:
    def use(joined: JoinedWrites) -> None:
        assert joined.get_extra_info("socket") == "socket"

    assert recorded_calls(use) == ["turn"]
