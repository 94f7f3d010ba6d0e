"""Receivers that refuse a callback as often as its path says before they take it.

    python -m benchmarks.refusing_receiver RECEIVERS

Says on which ports they listen. A callback to the path `/2` is answered 500 twice and 200 from then
on. Once a line comes on standard input, it waits for one too many and then says what was answered,
a text `TASK_ID STATUS` for each request.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

from benchmarks.receiver import ONE_TOO_MANY_S, TAKEN, Answering, listen

_REFUSED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


class Answered:
    """Every answer that was given, in order."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self._came: Counter[str] = Counter()

    def answer(self, head: bytes, body: bytes) -> bytes:
        """The answer for the callback that has just come."""
        task_id: str = json.loads(body)["task_id"]
        refusals = int(head.split(b" ", 2)[1].removeprefix(b"/"))
        self._came[task_id] += 1
        is_refused = self._came[task_id] <= refusals
        self.log.append(f"{task_id} {500 if is_refused else 200}")
        return _REFUSED if is_refused else TAKEN


async def _receive(receivers: int) -> None:
    answered = Answered()
    print(json.dumps(await listen(lambda: Answering(answered.answer), receivers)), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await asyncio.sleep(ONE_TOO_MANY_S)
    print(json.dumps(answered.log), flush=True)


if __name__ == "__main__":
    asyncio.run(_receive(int(sys.argv[1])))
