"""Inboxes: `/_mock/inbox/{world}/{name}` takes whatever comes and answers as it was told to."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mock_server.core.inbox import Inbox, InboxAnswer, Received
from mock_server.core.redaction import Redaction
from mock_server.core.world import World
from mock_server.door.bodies import shown_body
from mock_server.door.worlds import world_of
from mock_server.edge.call import Call
from mock_server.edge.credentials import foreign_credentials
from mock_server.edge.long_answer import LongAnswer, json_list_parts
from mock_server.edge.redacted import redacted_request
from mock_server.edge.timestamps import moment
from mock_server.edge.typed_body import TypedBody


class InboxProgram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answers to the next requests; after the last of them everything is fine again."""

    answers: tuple[InboxAnswer, ...]


PROGRAM: TypedBody[InboxProgram] = TypedBody(InboxProgram)


async def read_inbox(call: Call) -> Response:
    """GET /_mock/worlds/{world}/inbox/{name}: what came, oldest first, and what is to be answered.

    An inbox nobody has written to is empty.
    """
    world = world_of(call)
    return _show(world, world.inboxes.find(call.path_value("name")))


async def program_inbox(call: Call) -> Response:
    """PUT /_mock/worlds/{world}/inbox/{name}: `{"answers": [{"status": 500, "times": 2}]}`."""
    program = PROGRAM.read(call.json())
    inbox = _inbox(call)
    inbox.program(program.answers)
    return _show(world_of(call), inbox)


async def receive(call: Call) -> Response:
    """ANY /_mock/inbox/{world}/{name}: keep the request, then answer it as planned."""
    body = call.body("body_bytes")
    world, inbox = world_of(call), _inbox(call)
    answer = inbox.next_answer()
    path, headers = call.exchange.path, call.raw_headers
    received = Received(
        at_ms=world.clock.now_ms(),
        method=call.exchange.method,
        path=path,
        query=call.scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body[: world.inboxes.max_body_bytes],
        size_bytes=len(body),
        signature=call.fake.outbox.verdict(world, path, dict(headers), body),
        answered=None if answer.hang else answer.status,
    )
    if (foreign := foreign_credentials(call.scope["headers"], world.keys)) is not None:
        received = _redacted(world, received, foreign)
    world.inboxes.keep(inbox, _redacted(world, received, world.keys.redaction))
    if answer.hang:
        await call.until_hung_up()
    await asyncio.sleep(answer.delay_s)
    content = answer.body.encode()
    if answer.cut:
        return CutShort(content, answer.status, answer.headers)
    return Response(content, answer.status, answer.headers)


class CutShort(Response):
    """An answer that promises more than comes: the connection closes in the middle."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half of the body, and say no more: the server hangs up."""
        self.headers["content-length"] = str(len(self.body) + 1)
        start = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        raise ClientDisconnect


def _inbox(call: Call) -> Inbox:
    return world_of(call).inboxes.of(call.path_value("name"))


def _redacted(world: World, request: Received, redaction: Redaction) -> Received:
    return redacted_request(request, redaction, max_body_bytes=world.inboxes.max_body_bytes)


def _show(world: World, inbox: Inbox) -> Response:
    rest = {"evicted": inbox.evicted, "answers": msgspec.to_builtins(inbox.answers)}
    requests = (
        # A key may have been issued since.
        _show_request(_redacted(world, request, world.keys.redaction))
        for request in list(inbox)
    )
    return LongAnswer(json_list_parts({"name": inbox.name}, "requests", requests, rest))


def _show_request(request: Received) -> dict[str, Any]:
    return {
        "at": moment(request.at_ms),
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        **shown_body(request.body),
        "size_bytes": request.size_bytes,
        "signature": {"valid": request.signature.valid, "reason": request.signature.reason},
        "answered": request.answered,
    }
