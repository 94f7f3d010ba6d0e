"""A caller who asks for little again and again, and notes how long the longest answer took.

    python -m benchmarks.waiter PORT

Says `{"event": "asking"}` when it has begun. Once a line comes on standard input, it says how long
the longest answer took, and how many there were: `{"longest_ms": 1.5, "answers": 200}`.
"""

from __future__ import annotations

import http.client
import json
import select
import sys
import time

_PAUSE_S = 0.001


def _ask(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    longest_s, answers = 0.0, 0
    print(json.dumps({"event": "asking"}), flush=True)
    while not select.select([sys.stdin], [], [], _PAUSE_S)[0]:
        asked_s = time.perf_counter()
        connection.request("GET", "/_mock/health")
        connection.getresponse().read()
        longest_s = max(longest_s, time.perf_counter() - asked_s)
        answers += 1
    print(json.dumps({"longest_ms": 1000 * longest_s, "answers": answers}), flush=True)


if __name__ == "__main__":
    _ask(int(sys.argv[1]))
