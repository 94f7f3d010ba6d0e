"""Measures how long other requests wait while the server handles one large request.

Each large request is sent alone, while a second process repeats a small one. The shortest wait of a
few tries counts, because other programs can only make a wait longer.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator

from benchmarks.extent import Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.processes import started
from benchmarks.servers import Server, fake_server
from benchmarks.worst_requests import WORLD, Sent, Situation, batch, situations

_AFTERWARDS_S = 0.05
_TIMEOUT_S = 60.0
_TASKS = 20_000


def measure(extent: Extent) -> Iterator[Figure]:
    """The longest wait of all, with the four requests that caused the longest waits."""
    waits_ms: dict[str, float] = {}
    for situation in situations(extent.worst_scale):
        with fake_server({"LOG_LEVEL": "error"}) as fake:
            waits_ms |= _waits_ms(fake, situation, extent.worst_tries)
    command = ["-m", "benchmarks.filled_server", str(round(_TASKS * extent.worst_scale))]
    with fake_server({"PORT": 0}, command) as fake:
        snapshot = _answer(fake, Sent("GET", f"{WORLD}/snapshot"))
        worst = {
            "a snapshot of many tasks": Sent("GET", f"{WORLD}/snapshot"),
            "many tasks put back": Sent("PUT", f"{WORLD}/snapshot", snapshot),
            "a list of many tasks": Sent("GET", f"{WORLD}/tasks"),
        }
        waits_ms |= _waits_ms(fake, Situation([], worst), extent.worst_tries)
    longest = sorted(waits_ms, key=lambda name: waits_ms[name], reverse=True)
    causes = "; ".join(f"{name} {waits_ms[name]:.0f} ms" for name in longest[:4])
    yield Figure("worst_wait", waits_ms[longest[0]], note=f"of {len(waits_ms)} requests; {causes}")


def _waits_ms(fake: Server, situation: Situation, tries: int) -> dict[str, float]:
    """The wait that each request causes, by its name."""
    answers = [_answer(fake, sent) for sent in situation.before]
    worst = dict(situation.worst)
    if answers and b'"task_id"' in answers[0]:
        worst["a batch of large tasks"] = batch([json.loads(each)["task_id"] for each in answers])
    return {name: min(_wait_ms(fake, sent) for _ in range(tries)) for name, sent in worst.items()}


def _wait_ms(fake: Server, sent: Sent) -> float:
    with started(["-m", "benchmarks.probe", str(fake.port)]) as probe:
        probe.receive()
        time.sleep(_AFTERWARDS_S)
        _answer(fake, sent)
        time.sleep(_AFTERWARDS_S)
        probe.send("stop")
        received = probe.receive()
    if not received["answers"]:
        raise CannotMeasure("no other request had an answer")
    return float(received["longest_ms"])


def _answer(fake: Server, sent: Sent) -> bytes:
    """The body of the answer. Any status and a closed connection are accepted."""
    connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=_TIMEOUT_S)
    try:
        connection.request(sent.method, sent.path, sent.body or None, sent.headers)
        return connection.getresponse().read()
    except (BrokenPipeError, ConnectionResetError):
        return b""
    except (OSError, http.client.HTTPException) as error:
        raise CannotMeasure(f"{sent.method} {sent.path}: {error!r}") from None
    finally:
        connection.close()
