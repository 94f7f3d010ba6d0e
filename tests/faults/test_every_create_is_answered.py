"""Every create is answered, or its connection ends, in bounded time under every scenario.

For every scenario and every way to ask for a task. What is promised, exactly:

- On a real clock every create ends: with an answer, or with a connection that breaks. Only a fault
  that is a hang by its own words goes on until the caller leaves.
- On a frozen clock the same ends without any move of the clock, except what waits for it: a delay,
  and the video that a held-open request is answered with. These end as soon as the clock has moved.
- A committed fault that needs no finished answer does not wait for the end of the task.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from mock_server.apis import ALL
from mock_server.contract.data_paths import FIXTURES
from mock_server.core.effects import (
    AnswerFault,
    ConnectionFault,
    DelayFault,
    ErrorFault,
    TaskFault,
    when_of,
)
from mock_server.core.faults import FaultRule, needs_answer
from mock_server.core.scenarios import Scenario
from mock_server.faults.scenarios import Scenarios
from tests.live import live
from tests.mock import KEY, MINIMAL, TOKEN, VIDEO

END_S = 15
LONGER_THAN_ANYTHING_S = 7200
WORLDS = "/_mock/worlds"
RIVYA, ACEDATA = "/api/v1/generations", "/hailuo/videos"
Mode = tuple[str, str, dict[str, Any], dict[str, str]]
MODES: dict[str, Mode] = {
    "rivya": ("rivya", RIVYA, MINIMAL, {}),
    "rivya with a key": ("rivya", RIVYA, MINIMAL, {"idempotency-key": "once"}),
    "held open": ("acedata", ACEDATA, VIDEO, {}),
    "callback": ("acedata", ACEDATA, VIDEO | {"callback_url": "http://127.0.0.1:9/"}, {}),
    "async": ("acedata", ACEDATA, VIDEO | {"async": True}, {}),
}
SCENARIOS = Scenarios([FIXTURES / "scenarios"], ALL)


def concerned(scenario: Scenario, api: str) -> list[FaultRule]:
    """What of a scenario can happen to a create."""
    return [rule for rule in scenario.faults if rule.match.could_match(api, "create", "")]


def hangs(rules: Collection[FaultRule]) -> bool:
    effects = [rule.effect for rule in rules]
    return any(isinstance(each, ConnectionFault) and each.how == "hang" for each in effects)


def waits_for_the_clock(rules: Collection[FaultRule], *, is_held: bool) -> bool:
    """Whether a create needs time to pass in its world before it is answered."""
    effects = [rule.effect for rule in rules]
    if any(isinstance(each, DelayFault) for each in effects):
        return True
    ends_at_once = any(
        isinstance(each, TaskFault)
        and (each.delivered_before_answer or each.queued_s == each.processing_s == 0)
        for each in effects
    )
    is_cut_short = any(
        isinstance(rule.effect, ErrorFault | AnswerFault | ConnectionFault)
        and (when_of(rule.effect) == "before" or not needs_answer(rule))
        and not rule.skip
        for rule in rules
    )
    return is_held and not ends_at_once and not is_cut_short


async def end_of(url: str, mode: Mode, scenario: str, key: str) -> bytes:
    """All that comes until the connection ends."""
    address = urlsplit(url)
    _, path, body, more = mode
    content = json.dumps(body).encode()
    headers = {
        "host": address.netloc,
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
        "content-length": str(len(content)),
        "mock-scenario": scenario,
        "connection": "close",
    } | more
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(head.encode() + b"\r\n" + content)
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def breaks(rules: Collection[FaultRule]) -> bool:
    """Whether a scenario promises that no whole answer comes."""
    effects = [rule.effect for rule in rules]
    return any(
        isinstance(each, ConnectionFault) or getattr(each, "cut_at", None) for each in effects
    )


def is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 ") and f"content-length: {len(body)}".encode() in head.lower()


async def ended(running: dict[str, asyncio.Task[bytes]], wanted: Collection[str]) -> set[str]:
    """Which requests have ended when all the wanted ones have, or after a timeout."""
    if wanted:
        await asyncio.wait([running[name] for name in wanted], timeout=END_S)
    return {name for name, task in running.items() if task.done()}


@pytest.mark.parametrize("clock", ["real", "frozen"])
@pytest.mark.parametrize("mode", MODES)
def test_every_create_ends_under_every_scenario(mode: str, clock: str) -> None:
    asyncio.run(_every_create_ends(MODES[mode], clock, is_held=mode == "held open"))


async def _every_create_ends(mode: Mode, clock: str, *, is_held: bool) -> None:
    api = mode[0]
    found = [SCENARIOS.find(name) for name in SCENARIOS.names]
    rules = {each.name: concerned(each, api) for each in found if api in each.apis}
    with live(acedata__hold_limit_s=60) as mock:
        async with httpx2.AsyncClient(base_url=mock.url, timeout=END_S) as door:
            for name in rules:
                plan = {"name": _world(name), "clock": {"mode": clock, "scale": 600}}
                assert (await door.post(WORLDS, json=plan)).status_code == 201
            running = {
                name: asyncio.create_task(end_of(mock.url, mode, name, _key(api, name)))
                for name in rules
            }
            endless = {name for name in rules if hangs(rules[name])}
            if clock == "frozen":
                held = {n for n in rules if waits_for_the_clock(rules[n], is_held=is_held)}
                held -= endless
                assert await ended(running, rules.keys() - endless - held) == (
                    rules.keys() - endless - held
                )
                for name in held:
                    path = f"{WORLDS}/{_world(name)}/clock/advance"
                    moved = await door.post(path, json={"seconds": LONGER_THAN_ANYTHING_S})
                    assert moved.status_code == 200
            assert await ended(running, rules.keys() - endless) == rules.keys() - endless
        for name in rules.keys() - endless:
            assert is_whole(running[name].result()) or breaks(rules[name]), name
        for name in endless:
            running[name].cancel()
        await asyncio.wait(running.values())


def _world(scenario: str) -> str:
    return scenario.replace("_", "-")


def _key(api: str, scenario: str) -> str:
    return f"{KEY if api == 'rivya' else TOKEN}-{_world(scenario)}"
