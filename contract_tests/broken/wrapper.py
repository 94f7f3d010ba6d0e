"""Wraps the fake: an ASGI app around its app, and an HTTP client in place of its client."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract_tests.broken.broken_server import Answer, BrokenServer, Delivery, Memory, SentRequest


class BrokenApp:
    """Applies the changes of a broken server to requests and answers, except the control door's."""

    def __init__(self, app: ASGIApp, broken_server: BrokenServer, memory: Memory) -> None:
        self._app, self._broken_server, self._memory = app, broken_server, memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith("/_mock"):
            await self._app(scope, receive, send)
            return
        sent = SentRequest(
            scope["method"],
            scope["path"],
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            await _read_body(receive),
            self._memory,
        )
        if self._broken_server.on_request is not None:
            self._broken_server.on_request(sent)
        if self._broken_server.pause_s:
            await asyncio.sleep(self._broken_server.pause_s)
        answer = await self._call(scope, receive, sent)
        if self._broken_server.on_answer is not None:
            self._broken_server.on_answer(answer)
        await _send_answer(answer, send, with_body=scope["method"] != "HEAD")

    async def _call(self, scope: Scope, receive: Receive, sent: SentRequest) -> Answer:
        started: Message = {}
        body = bytearray()
        is_read = False

        async def receive_changed() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": sent.body, "more_body": False}

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            body.extend(message.get("body", b""))

        sent.headers["content-length"] = str(len(sent.body))
        changed: Scope = {
            **scope,
            "method": sent.method,
            "path": sent.path,
            "raw_path": sent.path.encode(),
            "headers": [
                (n.encode("latin-1"), v.encode("latin-1")) for n, v in sent.headers.items()
            ],
        }
        await self._app(changed, receive_changed, collect)
        headers = {name.decode(): value.decode() for name, value in started["headers"]}
        return Answer(sent, started["status"], headers, bytes(body))


async def _read_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _send_answer(answer: Answer, send: Send, *, with_body: bool) -> None:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if with_body:
        headers["content-length"] = str(len(answer.body))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})


class ChangingClient(httpx2.AsyncClient):
    """The HTTP client of the fake, which applies the changes of a broken server to deliveries."""

    broken_server: BrokenServer
    memory: Memory

    async def send(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
        """Send a changed delivery as often as it says."""
        change = self.broken_server.on_delivery
        if change is None:
            return await super().send(request, **how)
        headers = dict(request.headers)
        delivery = Delivery(str(request.url), headers, request.content, self.memory)
        change(delivery)
        delivery.headers.pop("content-length", None)
        changed = httpx2.Request(
            request.method, delivery.url, headers=delivery.headers, content=delivery.body,
            extensions=request.extensions,
        )  # fmt: skip
        for _ in range(delivery.copies - 1):
            again = await super().send(changed, stream=False)
            await asyncio.sleep(0)
            await again.aclose()
        if not delivery.copies:
            return httpx2.Response(200, request=changed)
        return await super().send(changed, **how)
