"""Receives callbacks and refuses each as often as its path says.

    python -m benchmarks.refusing_receiver RECEIVERS

Prints its ports. A callback to the path `/2` is answered 500 twice, and 200 after that. Once a line
comes on standard input, it waits a little for more and then prints all answers, a text
`TASK_ID STATUS` for each request.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

from benchmarks.receiver import EXTRA_WAIT_S, OK, Answering, listen

_REFUSED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


class Answered:
    """All answers, in order."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self._received: Counter[str] = Counter()

    def answer(self, head: bytes, body: bytes) -> bytes:
        """The answer to a callback."""
        task_id: str = json.loads(body)["task_id"]
        refusals = int(head.split(b" ", 2)[1].removeprefix(b"/"))
        self._received[task_id] += 1
        is_refused = self._received[task_id] <= refusals
        self.log.append(f"{task_id} {500 if is_refused else 200}")
        return _REFUSED if is_refused else OK


async def _receive(receivers: int) -> None:
    answered = Answered()
    print(json.dumps(await listen(lambda: Answering(answered.answer), receivers)), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await asyncio.sleep(EXTRA_WAIT_S)
    print(json.dumps(answered.log), flush=True)


if __name__ == "__main__":
    asyncio.run(_receive(int(sys.argv[1])))
