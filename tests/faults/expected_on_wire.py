"""What a client sees on a socket of each scenario in which the network goes wrong."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import pytest

from mock_server.core.world import World
from tests import calls
from tests.faults.channel_scene import video_path
from tests.live import Live

PATIENCE_S = 0.1


@dataclass
class Wire:
    """A server on a socket in which one scenario is asked for."""

    name: str
    channel: str
    api: str
    mock: Live

    def __post_init__(self) -> None:
        if self.channel == calls.DOOR:
            body = json.dumps({"scenario": self.name, "times": 1}).encode()
            asked = calls.Request("POST", "/_mock/worlds/default/faults", JSON, body)
            assert self.whole(asked).startswith(b"HTTP/1.1 201")

    def open(self, asked: calls.Request) -> socket.socket:
        return calls.sent(self.mock.url, asked)

    def whole(self, asked: calls.Request) -> bytes:
        """All that comes until the server hangs up. Raises ConnectionResetError."""
        with self.open(asked) as connection:
            return _until_the_end(connection)

    def create(self) -> calls.Request:
        return calls.create(self.api, self.name, self.channel)

    @property
    def world(self) -> World:
        return self.mock.fake.world()

    def counts(self) -> tuple[int, int]:
        """How many tasks there are, and the credits that are held for them."""
        balance = self.world.ledger.balance(calls.ACCOUNTS[self.api])
        return len(self.world.tasks), balance.reserved_credits

    def must_be_noted(self) -> None:
        """The journal has the fault and its channel."""
        noted = [each for each in self.world.journal if each.scenario == self.name]
        assert [each.channel for each in noted] == [self.channel]

    def wait_until_noted(self) -> None:
        """Return when the server has the request, and it has gone wrong."""
        while not any(each.faults for each in self.world.journal):
            self.whole(calls.get("/_mock/health"))

    def must_have_made(self, count: int) -> None:
        assert self.counts() == (count, count * calls.PRICES[self.api])

    def must_go_right_next(self) -> None:
        """Through the door the scenario happens once: the next create is answered."""
        if self.channel == calls.DOOR:
            before, _ = self.counts()
            head, _, body = self.whole(self.create()).partition(b"\r\n\r\n")
            assert head.split()[1] in {b"200", b"201", b"202"}
            assert calls.task_id_of(json.loads(body))
            self.must_have_made(before + 1)


JSON = {"content-type": "application/json"}
OnWire = Callable[[Wire], None]


def _until_the_end(wire: socket.socket) -> bytes:
    received = bytearray()
    while chunk := wire.recv(1 << 16):
        received += chunk
    return bytes(received)


def reset(*, made: int) -> OnWire:
    """No byte comes, and the connection is reset."""

    def expect(wire: Wire) -> None:
        with wire.open(wire.create()) as connection, pytest.raises(ConnectionResetError):
            connection.recv(1)
        wire.must_have_made(made)
        wire.must_be_noted()
        wire.must_go_right_next()

    return expect


def hangs(*, made: int) -> OnWire:
    """No byte comes, and the connection stays open until the client hangs up."""

    def expect(wire: Wire) -> None:
        with wire.open(wire.create()) as connection:
            wire.wait_until_noted()
            connection.settimeout(PATIENCE_S)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            wire.must_have_made(made)
        wire.must_be_noted()
        wire.must_go_right_next()

    return expect


def cut(wire: Wire) -> None:
    """Twenty bytes of the body come, then the end; the head promised more."""
    with wire.open(wire.create()) as connection:
        head, _, body = _until_the_end(connection).partition(b"\r\n\r\n")
    assert len(body) == 20 < _promised(head)
    assert b"mock-scenario: " + wire.name.encode() in head
    wire.must_have_made(1)
    wire.must_be_noted()
    wire.must_go_right_next()


def reset_in_the_middle(wire: Wire) -> None:
    """Not all of the body comes before the connection is reset."""
    with wire.open(wire.create()) as connection:
        head = _head(connection)
        body = bytearray()
        while (byte := _byte_or_reset(connection)) is not None:
            assert byte, "the connection was closed as it should be"
            body += byte
    assert head.startswith(b"HTTP/1.1 20")
    assert len(body) <= 20 < _promised(head)
    wire.must_have_made(1)
    wire.must_be_noted()
    wire.must_go_right_next()


def _byte_or_reset(connection: socket.socket) -> bytes | None:
    try:
        return connection.recv(1)
    except ConnectionResetError:
        return None


def dribbles(wire: Wire) -> None:
    """The body comes byte by byte, its length is right."""
    began_s = monotonic()
    with wire.open(wire.create()) as connection:
        head = _head(connection)
        for _ in range(20):
            assert len(connection.recv(1)) == 1
    assert monotonic() - began_s > 0.99 * 20 / 200
    assert _promised(head) > 20
    wire.must_have_made(1)
    wire.must_be_noted()
    wire.must_go_right_next()


def _promised(head: bytes) -> int:
    (length,) = (
        line.partition(b": ")[2]
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    return int(length)


def _head(connection: socket.socket) -> bytes:
    """The head of an answer; not a byte of its body is taken."""
    received = bytearray()
    while not received.endswith(b"\r\n\r\n"):
        received += connection.recv(1)
    return bytes(received)


def _ended_on_wire(wire: Wire) -> calls.Request:
    """A request for the video of a task that has succeeded."""
    head, _, body = wire.whole(wire.create()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 20"), head
    wire.mock.advance(1)
    return calls.get(video_path(calls.task_id_of(json.loads(body))))


def video_cut(wire: Wire) -> None:
    with wire.open(_ended_on_wire(wire)) as connection:
        head, _, body = _until_the_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"content-type: video/mp4" in head
    assert len(body) == 1000 < _promised(head)


def video_slow(wire: Wire) -> None:
    asked = _ended_on_wire(wire)
    began_s = monotonic()
    with wire.open(asked) as connection:
        head = _head(connection)
        for _ in range(200):
            assert len(connection.recv(1)) == 1
    assert monotonic() - began_s > 0.99 * 200 / 2000
    assert head.startswith(b"HTTP/1.1 200")
    assert _promised(head) > 200


EXPECTED_ON_WIRE: dict[str, OnWire] = {
    "connection_reset": reset(made=0),
    "lost_answer": reset(made=1),
    "hang": hangs(made=0),
    "lost_answer_hang": hangs(made=1),
    "answer_cut": cut,
    "answer_reset": reset_in_the_middle,
    "answer_dribble": dribbles,
    "result_cut": video_cut,
    "result_slow": video_slow,
}
