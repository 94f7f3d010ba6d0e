"""Long answers are sent in pieces, and other tasks run in between."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message

from mock_server.edge.long_answer import LongAnswer, json_list, json_list_parts


def sent_by(answer: LongAnswer) -> tuple[list[Message], int]:
    """What an answer sends, and how many turns others had before its end."""
    told: list[Message] = []
    turns = 0
    is_over = asyncio.Event()

    async def others() -> None:
        nonlocal turns
        while not is_over.is_set():
            turns += 1
            await asyncio.sleep(0)

    async def send(message: Message) -> None:
        told.append(message)

    async def never() -> Message:
        raise AssertionError("it does not listen")

    async def run() -> None:
        beside = asyncio.ensure_future(others())
        await answer({}, never, send)
        is_over.set()
        await beside

    asyncio.run(run())
    return told, turns


def body_of(told: list[Message]) -> bytes:
    return b"".join(message["body"] for message in told[1:])


@pytest.mark.parametrize("parts", [[], [b""], [b"a"], [b"a", b"", b"b"], [b"x" * 65_536]])
def test_a_short_answer_is_one_message_with_its_length(parts: list[bytes]) -> None:
    told, _ = sent_by(LongAnswer(parts))
    start, body = told
    assert body == {"type": "http.response.body", "body": b"".join(parts)}
    assert dict(start["headers"])[b"content-length"] == str(len(b"".join(parts))).encode()


def test_other_tasks_run_after_each_piece_of_a_long_answer() -> None:
    parts = [b"x" * 40_000] * 11
    told, turns = sent_by(LongAnswer(parts, {"ETag": "x"}, "text/plain"))
    headers = dict(told[0]["headers"])
    assert body_of(told) == b"".join(parts)
    assert b"content-length" not in headers
    assert (told[0]["status"], headers[b"etag"]) == (200, b"x")
    assert headers[b"content-type"].startswith(b"text/plain")
    assert [message.get("more_body", False) for message in told[1:]] == [True] * 5 + [False]
    assert turns >= 5


@pytest.mark.parametrize("items", [[], [1], [{"a": []}, None, "x"]])
@pytest.mark.parametrize("after", [{}, {"total": 3, "note": None}])
@pytest.mark.parametrize("before", [{}, {"name": "a", "x": []}])
def test_a_list_is_written_as_if_at_once(
    items: list[Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    text = b"".join(json_list_parts(before | {"items": []} | after, "items", iter(items)))
    assert json.loads(text) == before | {"items": items} | after
    assert list(json.loads(text)) == [*before, "items", *after]


def test_an_item_is_made_when_it_is_sent() -> None:
    made = []

    def items() -> Any:
        for number in range(4):
            made.append(number)
            yield "x" * 70_000

    answer = json_list({"items": [], "total": 4}, "items", items())
    assert made == []
    told, _ = sent_by(answer)
    assert json.loads(body_of(told)) == {"items": ["x" * 70_000] * 4, "total": 4}
