"""A client without the control door, and a server that is no hailuo-mock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2

from mock_server.control import AsyncWorld, World
from tests.mock import MINIMAL, START_MS, VIDEO

GENERATIONS = "/api/v1/generations"
NOW = datetime(2026, 5, 11, tzinfo=UTC)
assert NOW.timestamp() * 1000 == START_MS


def create(world: World | AsyncWorld, **fields: Any) -> httpx2.Response:
    """A generation at Rivya's, by a client without the control door."""
    address = world.plain_url + GENERATIONS
    return httpx2.post(address, json=MINIMAL | fields, headers=world.headers("rivya"))


def task_id(world: World | AsyncWorld) -> str:
    answer = create(world)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def video(world: World, **fields: Any) -> httpx2.Response:
    address = f"{world.acedata_url}/hailuo/videos"
    return httpx2.post(address, json=VIDEO | fields, headers=world.headers("acedata"))


@contextmanager
def other_server(status: int, body: bytes) -> Iterator[str]:
    """A server that is no hailuo-mock, or one of another version."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
