"""How many requests may be without an answer at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tests.asgi import Answer
from tests.mock import KEY, TOKEN, VIDEO, MakeMock, Mock

MOST = 3
WAIT = "/_mock/worlds/default/wait?method=DELETE&timeout_s=60"


def exchange(mock: Mock, method: str, path: str, key: str, body: Any = None) -> Awaitable[Answer]:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    content = b"" if body is None else json.dumps(body).encode()
    return mock.driver.exchange(method, path, headers=headers, chunks=[content])


def while_held(
    mock: Mock, *held: Awaitable[Answer], look: Callable[[], Coroutine[Any, Any, None]]
) -> list[Answer]:
    """The answers to `held`, once the world was reset; meanwhile `look` runs."""

    async def story() -> list[Answer]:
        waiting = [asyncio.ensure_future(each) for each in held]
        for _ in range(20):
            await asyncio.sleep(0)  # until each of them waits
        await look()
        assert not any(each.done() for each in waiting)
        await exchange(mock, "POST", "/_mock/worlds/default/reset", KEY)
        return await asyncio.gather(*waiting)

    return mock.driver.loop.run_until_complete(story())


def test_a_held_open_request_over_the_limit_is_refused_in_the_format_of_its_api(
    make_mock: MakeMock,
) -> None:
    mock = make_mock(limits__held_requests=MOST)

    async def look() -> None:
        create = await exchange(mock, "POST", "/hailuo/videos", TOKEN, VIDEO)
        read = await exchange(mock, "GET", "/api/v1/credits", KEY)
        wait = await exchange(mock, "GET", WAIT, KEY)
        inbox = await exchange(mock, "POST", "/_mock/inbox/default/a", KEY)
        assert [each.status for each in (create, read, wait, inbox)] == [429] * 4
        assert create.json()["error"]["code"] == "too_many_requests"
        assert read.json()["error"]["code"] == "rate_limited"
        for each in (create, read, wait, inbox):
            assert "limits.held_requests" in each.body.decode()
            assert each.headers["retry-after"] == "1"
        assert len(mock.world.tasks) == MOST

    held = [exchange(mock, "POST", "/hailuo/videos", TOKEN, VIDEO) for _ in range(MOST)]
    while_held(mock, *held, look=look)
    assert mock.create().status == 200


def test_the_door_answers_at_the_limit_of_held_open_requests(make_mock: MakeMock) -> None:
    mock = make_mock(limits__held_requests=MOST)

    async def look() -> None:
        for path in ("/_mock/health", "/_mock/worlds/default/tasks"):
            assert (await exchange(mock, "GET", path, KEY)).status == 200

    waits = [exchange(mock, "GET", WAIT, KEY) for _ in range(MOST)]
    answers = while_held(mock, *waits, look=look)
    assert [each.status for each in answers] == [503] * MOST
