"""Sends small requests one after the other, and measures the longest time to an answer.

    python -m benchmarks.probe PORT

Prints `{"event": "started"}` when it starts. Once a line comes on standard input, it prints the
longest time and the number of answers: `{"longest_ms": 1.5, "answers": 200}`.
"""

from __future__ import annotations

import http.client
import json
import select
import sys
import time

_PAUSE_S = 0.001


def _probe(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    longest_s, answers = 0.0, 0
    print(json.dumps({"event": "started"}), flush=True)
    while not select.select([sys.stdin], [], [], _PAUSE_S)[0]:
        sent_s = time.perf_counter()
        connection.request("GET", "/_mock/health")
        connection.getresponse().read()
        longest_s = max(longest_s, time.perf_counter() - sent_s)
        answers += 1
    print(json.dumps({"longest_ms": 1000 * longest_s, "answers": answers}), flush=True)


if __name__ == "__main__":
    _probe(int(sys.argv[1]))
