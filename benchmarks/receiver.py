"""Receives callbacks on many ports in one process, with little CPU time.

    python -m benchmarks.receiver ANSWERING HANGING EXPECTED

Prints its ports. The hanging receivers read requests and never answer. When the others have
EXPECTED callbacks, or after half a minute, it waits a little for more and then prints what it
received.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable

_LIMIT_S = 30.0
EXTRA_WAIT_S = 0.5
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length: "
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Received:
    """The bodies at receivers that answer, and the ports of receivers that hang."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self.bodies: list[bytes] = []
        self.hung_ports: set[int] = set()
        self.last_s = 0.0
        self.all_arrived = asyncio.Event()

    def add(self, _head: bytes, body: bytes) -> bytes:
        """Keep a callback. The time of the last expected one counts, even if more follow."""
        self.bodies.append(body)
        if len(self.bodies) <= self._expected:
            self.last_s = time.monotonic()
        if len(self.bodies) == self._expected:
            self.all_arrived.set()
        return OK


class Answering(asyncio.Protocol):
    """Answers requests one after the other, also those that come in parts."""

    def __init__(self, answer: Callable[[bytes, bytes], bytes]) -> None:
        """answer: returns the bytes of the answer to a head and a body."""
        self._answer = answer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        self._received += data
        while _END_OF_HEAD in self._received:
            head, _, rest = self._received.partition(_END_OF_HEAD)
            length = int(head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0])
            if len(rest) < length:
                return
            self._received = rest[length:]
            self._transport.write(self._answer(head, rest[:length]))

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


class Hanging(asyncio.Protocol):
    """Reads requests and never answers."""

    def __init__(self, received: Received) -> None:
        self._taken = received

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the port."""
        self._port: int = transport.get_extra_info("sockname")[1]

    def data_received(self, _: bytes) -> None:
        """Keep the port of the request."""
        self._taken.hung_ports.add(self._port)


async def listen(protocol: Callable[[], asyncio.Protocol], count: int) -> list[int]:
    """Listen on so many free ports of this machine; the ports."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(protocol, "127.0.0.1", 0) for _ in range(count)]
    return [server.sockets[0].getsockname()[1] for server in servers]


async def _receive(answering: int, hanging: int, expected: int) -> None:
    received = Received(expected)
    ports = {
        "answering": await listen(lambda: Answering(received.add), answering),
        "hanging": await listen(lambda: Hanging(received), hanging),
    }
    print(json.dumps(ports), flush=True)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(received.all_arrived.wait(), _LIMIT_S)
    await asyncio.sleep(EXTRA_WAIT_S)
    report = {
        "task_ids": [json.loads(body)["task_id"] for body in received.bodies],
        "last_s": received.last_s,
        "hung": len(received.hung_ports),
    }
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    asyncio.run(_receive(*map(int, sys.argv[1:])))
