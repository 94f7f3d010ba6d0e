"""A request that is run without a task is answered as one that has its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from mock_server.edge.connection import take_body_of, write_answer_of
from mock_server.server.request_cycle import run_at_once
from tests.spoken import answer, converse, echo, read

GET = b"GET /a HTTP/1.1\r\nHost: mock.test\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: mock.test\r\nContent-Length: 2\r\n\r\n{}"

Ended = tuple[asyncio.Task[None] | None, list[str]]


def run(coroutine: Callable[[list[str]], Coroutine[Any, Any, None]]) -> Ended:
    """The task that a coroutine needed, and what it noted, once it has ended."""

    async def story() -> Ended:
        noted: list[str] = []
        task = run_at_once(coroutine(noted), asyncio.get_running_loop())
        noted.append("begun")
        if task is not None:
            await asyncio.wait([task])
        return task, noted

    return asyncio.run(story())


def test_an_app_that_never_waits_needs_no_task() -> None:
    async def quick(noted: list[str]) -> None:
        noted.append("ran")

    assert run(quick) == (None, ["ran", "begun"])


def test_an_app_that_waits_continues_in_a_task() -> None:
    async def slow(noted: list[str]) -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_result, "value")
        noted.append("ran")
        noted.append(await future)
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            noted.append(await asyncio.wait_for(asyncio.sleep(0, "slept"), 10))

    task, noted = run(slow)
    assert task is not None
    assert task.exception() is None
    assert noted == ["ran", "begun", "value", "slept"]


def test_an_app_gets_the_exception_of_what_it_waits_for() -> None:
    async def caught(noted: list[str]) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        loop.call_soon(future.set_exception, KeyError("a"))
        try:
            await future
        except KeyError as error:
            noted.append(repr(error))
        raise ValueError("b")

    task, noted = run(caught)
    assert noted == ["begun", "KeyError('a')"]
    assert task is not None
    assert repr(task.exception()) == "ValueError('b')"


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_an_app_can_be_cancelled_while_it_waits(turns: int) -> None:
    async def endless(noted: list[str]) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            noted.append("cancelled")
            raise

    async def story() -> list[str]:
        noted: list[str] = []
        task = run_at_once(endless(noted), asyncio.get_running_loop())
        assert task is not None
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return noted

    assert asyncio.run(story()) == ["cancelled"]


async def _breaking(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError


async def _half(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    raise RuntimeError


async def _late(scope: Scope, receive: Receive, send: Send) -> None:
    body = await read(receive)
    await asyncio.sleep(0)
    await answer(send, 200, body)


APPS = {"echo": echo, "breaking": _breaking, "half": _half, "late": _late}


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize(
    "pieces",
    [[GET], [POST], [POST[:-1], POST[-1:]], [GET + POST + GET], [POST, GET], [GET + b"?", GET]],
)
def test_the_answers_are_the_same_without_a_task(name: str, pieces: list[bytes]) -> None:
    with_tasks = converse(pieces, APPS[name])
    assert converse(pieces, APPS[name], at_once=True) == with_tasks


HEADERS = {
    "a length": [(b"content-length", b"1"), (b"x-a", b"100%")],
    "not ASCII": [(b"content-length", b"1"), (b"x-a", b"\xe9\t\xff")],
}


@pytest.mark.parametrize("request_line", ["GET / HTTP/1.1", "HEAD / HTTP/1.1", "GET / HTTP/1.0"])
@pytest.mark.parametrize("name", HEADERS)
def test_an_answer_that_is_written_at_once_has_the_bytes_of_one_that_is_sent(
    name: str, request_line: str
) -> None:
    written: list[bool] = []

    async def in_two(_: Scope, __: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 404, "headers": HEADERS[name]}
        await send(start)
        await send({"type": "http.response.body", "body": b"a"})

    async def at_once(scope: Scope, receive: Receive, send: Send) -> None:
        write = write_answer_of(send)
        assert write is not None
        written.append(write(404, HEADERS[name], b"a"))
        if not written[-1]:
            await in_two(scope, receive, send)

    pieces = [GET.replace(b"GET /a HTTP/1.1", request_line.encode())] * 2
    ours = converse(pieces, at_once)
    assert written[0] == (request_line == "GET / HTTP/1.1")
    assert ours == converse(pieces, in_two)
    assert ours.written.startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize("pieces", [[POST], [POST[:-2], POST[-2:]], [POST[:-1], POST[-1:]], [GET]])
def test_a_body_is_taken_at_once_if_it_is_there(pieces: list[bytes]) -> None:
    taken: list[bytes | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        take = take_body_of(receive)
        assert take is not None
        taken.append(take())
        if taken[-1] is None:
            while (await receive())["more_body"]:
                pass
        taken.append(take())
        await answer(send, 200, b"a")

    assert converse(pieces, app).statuses == [200]
    body = pieces[-1].rpartition(b"\r\n\r\n")[2] if len(pieces) == 1 else None
    assert taken == [body, None]


def test_a_body_is_not_taken_before_100_continue_is_sent() -> None:
    taken: list[bytes | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        take = take_body_of(receive)
        assert take is not None
        taken.append(take())
        taken.append((await receive())["body"])
        await answer(send, 200, b"a")

    expecting = POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
    assert b"100 Continue" in converse([expecting], app).written
    assert taken == [None, b"{}"]
