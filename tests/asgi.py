"""An app driven without a socket, one request at a time, from a test that is not async."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Answer:
    """An answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Driver:
    """Sends requests to an app on an event loop of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()

    def close(self) -> None:
        self.loop.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        chunks: list[bytes] | None = None,
    ) -> Answer:
        """One request; `chunks` sends the body in several pieces."""
        return self.loop.run_until_complete(
            self.exchange(method, path, headers=headers, chunks=chunks or [body])
        )

    async def exchange(
        self, method: str, path: str, *, headers: Mapping[str, str] | None, chunks: list[bytes]
    ) -> Answer:
        started: Message = {}
        received = bytearray()
        waiting = [
            {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
            for index, chunk in enumerate(chunks)
        ]

        async def receive() -> Message:
            if waiting:
                return waiting.pop(0)
            await asyncio.Event().wait()  # the caller never hangs up
            raise AssertionError

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                received.extend(message.get("body", b""))

        await self.app(scope(method, path, headers or {}), receive, send)
        return Answer(
            started["status"],
            {name.decode().lower(): value.decode() for name, value in started["headers"]},
            bytes(received),
        )


def scope(method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """An ASGI scope as a server would make it; a query may follow the path.

    The path is as servers hand it over, without escapes; `%3F` alone is one, for a `?` in it.
    """
    path, _, query = path.partition("?")
    path = path.replace("%3F", "?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in ({"host": "mock.test"} | dict(headers)).items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
