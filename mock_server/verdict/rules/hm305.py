"""HM305: a task is looked at more often than the documents advise."""

from collections.abc import Iterator
from itertools import pairwise

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request

_MOST_SHORT = 2
_TOLERANCE = 0.9


def find(evidence: Evidence) -> Iterator[Outcome]:
    for task_id in evidence.tasks:
        by_connection: dict[int | None, list[Request]] = {}
        for look in evidence.looks_at(task_id):
            by_connection.setdefault(look.exchange.connection, []).append(look)
        # A client without kept connections has a new one for each look.
        rows = list(by_connection.values())
        if all(len(row) == 1 for row in rows):
            rows = [[row[0] for row in rows]]
        for row in rows:
            if len(row) < 2:
                continue
            advised_s = evidence.client_facts(row[0].exchange.api).pause_between_looks_s
            if advised_s is None:
                continue
            pauses = [
                evidence.waited_ms(one, two) for one, two in pairwise(row) if two.is_after(one)
            ]
            short = [pause for pause in pauses if pause < 1000 * advised_s * _TOLERANCE]
            if len(short) <= _MOST_SHORT:
                yield CLEAN
                continue
            yield Found(
                {
                    "times": len(short),
                    "shortest_s": f"{min(short) / 1000:.2f}",
                    "advised_s": f"{advised_s:g}",
                },
                (row[0], row[-1]),
                task_id,
            )
