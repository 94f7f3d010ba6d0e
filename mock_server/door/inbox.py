"""Inboxes: `/_mock/inbox/{world}/{name}` keeps every request and answers as programmed."""

import asyncio

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mock_server.control import answers
from mock_server.core.inbox import Inbox, InboxAnswer, Received
from mock_server.core.redaction import Redaction
from mock_server.core.world import World
from mock_server.door.worlds import world_of
from mock_server.edge.call import Call
from mock_server.edge.credentials import foreign_credentials
from mock_server.edge.long_answer import json_list
from mock_server.edge.redacted import redacted_request
from mock_server.edge.timestamps import moment
from mock_server.edge.typed_body import TypedBody


class InboxProgram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answers to the next requests; after them it is 200."""

    answers: tuple[InboxAnswer, ...]


PROGRAM: TypedBody[InboxProgram] = TypedBody(InboxProgram)


async def read_inbox(call: Call) -> Response:
    """GET /_mock/worlds/{world}/inbox/{name}: its requests, the oldest first, and planned answers.
    An inbox exists under any name; without requests it is empty."""
    world = world_of(call)
    return _contents(world, world.inboxes.find(call.path_value("name")))


async def program_inbox(call: Call) -> Response:
    """PUT /_mock/worlds/{world}/inbox/{name}: `{"answers": [{"status": 500, "times": 2}]}`."""
    program = PROGRAM.read(call.json())
    inbox = _inbox(call)
    inbox.program(program.answers)
    return _contents(world_of(call), inbox)


async def receive(call: Call) -> Response:
    """ANY /_mock/inbox/{world}/{name}: keeps the request, then answers as planned."""
    body = call.body("body_bytes")
    world, inbox = world_of(call), _inbox(call)
    answer = inbox.next_answer()
    path, raw_headers = call.exchange.path, call.scope["headers"]
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in raw_headers
    )
    received = Received(
        at_ms=world.clock.now_ms(),
        method=call.exchange.method,
        path=path,
        query=call.scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body[: world.inboxes.max_body_bytes],
        size_bytes=len(body),
        signature=call.server.outbox.verdict(world, path, dict(headers), body),
        answered=None if answer.hang else answer.status,
    )
    if (foreign := foreign_credentials(raw_headers, world.keys)) is not None:
        received = _redacted(world, received, foreign)
    world.inboxes.keep(inbox, _redacted(world, received, world.keys.redaction))
    if answer.hang:
        await call.until_disconnected()
    await asyncio.sleep(answer.delay_s)
    content = answer.body.encode()
    if answer.cut:
        return CutShort(content, answer.status, answer.headers)
    return Response(content, answer.status, answer.headers)


class CutShort(Response):
    """An answer whose connection closes in the middle of its body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half of the body. The server then closes the connection."""
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


def _contents(world: World, inbox: Inbox) -> Response:
    planned = tuple(msgspec.to_builtins(each) for each in inbox.answers)
    contents = answers.InboxContents(inbox.name, (), inbox.evicted, planned)
    # Redacted again: a key may have been issued since.
    redacted = (_redacted(world, request, world.keys.redaction) for request in list(inbox))
    return json_list(contents, "requests", map(_received, redacted))


def _received(request: Received) -> answers.Received:
    return answers.answer_of(
        answers.Received,
        request,
        at=moment(request.at_ms),
        body=request.body.decode(errors="replace"),
        content=request.body,
        signature=answers.answer_of(answers.Signature, request.signature),
    )
