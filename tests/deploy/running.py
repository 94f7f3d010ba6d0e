"""Two processes of the server behind nginx or HAProxy, with the configurations of `deploy/`."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.asgi import Answer
from tests.live import WAIT_S
from tools.proxy import accepting, command_of, free_port


class Process:
    """One process of the server. It can be killed and started again at the same port."""

    def __init__(self, number: int, *options: str) -> None:
        self.shard = f"w{number}"
        self.port = free_port()
        self._arguments = ["--shard", f"{number}/2", "--port", str(self.port), *options]
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "mock_server", "serve", "--log-level", "error"]
        self._running = subprocess.Popen(
            [*command, *self._arguments], stdout=subprocess.PIPE, cwd="/", text=True
        )
        assert self._running.stdout is not None
        ready = json.loads(self._running.stdout.readline())
        assert ready["event"] == "ready"

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._running.kill()
        self._running.wait(WAIT_S)
        assert self._running.stdout is not None
        self._running.stdout.close()


@dataclass
class Site:
    """A proxy and its processes, with one connection to the proxy for each thread that asks."""

    url: str
    processes: list[Process]
    asking: Asking = field(init=False)

    def __post_init__(self) -> None:
        self.asking = self.connection()

    def connection(self) -> Asking:
        return Asking(self.url.rpartition("/")[2])


class Asking:
    """Sends requests on one connection, in the manner of `Mock.request`."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=WAIT_S)
        self._connection.connect()

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        self._connection.request(method, path, body or None, dict(headers or {}))
        answer = self._connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, answer.read())

    def door(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer of the control door, which must be a success."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if content else {}
        answer = self.request(method, path, headers=headers, body=content)
        assert answer.status < 300, (path, answer.status, answer.body)
        return answer.json()

    def close(self) -> None:
        self._connection.close()


@contextmanager
def site(proxy: str, folder: Path) -> Iterator[Site]:
    """Start two processes behind this proxy. The first has the proxy's URL as its `public_url`, the
    second one takes the host that the proxy passes on."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as ending:
        processes = []
        for number, options in enumerate([["--public-url", url], []]):
            kept = ["--state", str(folder / f"w{number}.db")]
            processes.append(Process(number, *kept, *options))
            ending.callback(processes[-1].kill)
        command = command_of(proxy, folder, port, [each.port for each in processes])
        log = ending.enter_context((folder / "log").open("w+b"))
        running = subprocess.Popen(command, stdout=log, stderr=log)
        ending.callback(running.wait, WAIT_S)
        ending.callback(running.terminate)
        ending.callback(accepting(port, running).close)
        made = Site(url, processes)
        ending.callback(made.asking.close)
        yield made
