"""The wrapper: an ASGI app around the fake's, and a hook on what the fake sends out."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract_tests.broken.breakage import Answered, Breakage, Memory, Outgoing, Sent


class Wrapper:
    """Lets a breakage change each request and each answer; the control door stays as it is."""

    def __init__(self, app: ASGIApp, breakage: Breakage, memory: Memory) -> None:
        self._app, self._breakage, self._memory = app, breakage, memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"].startswith("/_mock"):
            await self._app(scope, receive, send)
            return
        sent = Sent(
            scope["method"],
            scope["path"],
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            await _whole(receive),
            self._memory,
        )
        if self._breakage.on_request is not None:
            self._breakage.on_request(sent)
        answer = await self._answered(scope, receive, sent)
        if self._breakage.on_answer is not None:
            self._breakage.on_answer(answer)
        await _say(answer, send, with_body=scope["method"] != "HEAD")

    async def _answered(self, scope: Scope, receive: Receive, sent: Sent) -> Answered:
        started: Message = {}
        body = bytearray()
        handed = False

        async def hand_over() -> Message:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": sent.body, "more_body": False}

        async def listen(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
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
        await self._app(changed, hand_over, listen)
        headers = {name.decode(): value.decode() for name, value in started["headers"]}
        return Answered(sent, started["status"], headers, bytes(body))


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _say(answer: Answered, send: Send, *, with_body: bool) -> None:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if with_body:
        headers["content-length"] = str(len(answer.body))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})


class Sending(httpx2.AsyncClient):
    """What the fake sends out, changed by the breakage."""

    breakage: Breakage
    memory: Memory

    async def send(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
        """Send a delivery as the breakage wants it, as often as it wants it."""
        change = self.breakage.on_delivery
        if change is None:
            return await super().send(request, **how)
        headers = dict(request.headers)
        out = Outgoing(str(request.url), headers, request.content, self.memory)
        change(out)
        out.headers.pop("content-length", None)
        changed = httpx2.Request(
            request.method, out.url, headers=out.headers, content=out.body,
            extensions=request.extensions,
        )  # fmt: skip
        for _ in range(out.times - 1):
            again = await super().send(changed, stream=False)
            await asyncio.sleep(0)
            await again.aclose()
        if not out.times:
            return httpx2.Response(200, request=changed)
        return await super().send(changed, **how)
