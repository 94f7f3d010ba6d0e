"""Receivers of callbacks, many in one process, as cheap as they can be.

    python -m benchmarks.receiver ANSWERING HANGING EXPECTED

Says on which ports it listens. Those that hang read what comes and never answer. Once the others
have taken EXPECTED callbacks, or half a minute has passed, it waits for one too many and then says
what it took.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable

_LIMIT_S = 30.0
ONE_TOO_MANY_S = 0.5
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length: "
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Taken:
    """What came: bodies at those that answer, ports at those that hang."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self.bodies: list[bytes] = []
        self.hung_ports: set[int] = set()
        self.last_s = 0.0
        self.all_here = asyncio.Event()

    def take(self, _head: bytes, body: bytes) -> bytes:
        """A callback is here. The last one counts when it comes, however many follow."""
        self.bodies.append(body)
        if len(self.bodies) <= self._expected:
            self.last_s = time.monotonic()
        if len(self.bodies) == self._expected:
            self.all_here.set()
        return TAKEN


class Answering(asyncio.Protocol):
    """Takes one request after the other. The transport gathers what comes in pieces."""

    def __init__(self, answer: Callable[[bytes, bytes], bytes]) -> None:
        """`answer` is given head and body of a request and has the bytes of its answer."""
        self._answer = answer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody calls."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._received += data
        while _END_OF_HEAD in self._received:
            head, _, rest = self._received.partition(_END_OF_HEAD)
            length = int(head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0])
            if len(rest) < length:
                return
            self._received = rest[length:]
            self._transport.write(self._answer(head, rest[:length]))


class Hanging(asyncio.Protocol):
    """Takes whatever comes, and never says a word."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody calls."""
        self._port: int = transport.get_extra_info("sockname")[1]

    def data_received(self, _: bytes) -> None:
        """Only note at which port."""
        self._taken.hung_ports.add(self._port)


async def listen(protocol: Callable[[], asyncio.Protocol], count: int) -> list[int]:
    """On so many free ports of this machine; the ports."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(protocol, "127.0.0.1", 0) for _ in range(count)]
    return [server.sockets[0].getsockname()[1] for server in servers]


async def _receive(answering: int, hanging: int, expected: int) -> None:
    taken = Taken(expected)
    ports = {
        "answering": await listen(lambda: Answering(taken.take), answering),
        "hanging": await listen(lambda: Hanging(taken), hanging),
    }
    print(json.dumps(ports), flush=True)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(taken.all_here.wait(), _LIMIT_S)
    await asyncio.sleep(ONE_TOO_MANY_S)
    report = {
        "task_ids": [json.loads(body)["task_id"] for body in taken.bodies],
        "last_s": taken.last_s,
        "hung": len(taken.hung_ports),
    }
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    asyncio.run(_receive(*map(int, sys.argv[1:])))
