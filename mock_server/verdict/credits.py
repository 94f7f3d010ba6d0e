"""When credits came back to an account."""

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.requests import Request


def came_back_between(evidence: Evidence, earlier: Request, later: Request) -> bool:
    """Whether the account got credits between two requests: given back by a failed task, or set
    by hand. Those that it was made with do not count."""
    start_ms, end_ms = earlier.exchange.started_ms, later.exchange.started_ms
    return any(
        row.moved in {"set", "given_back"}
        and row.change_credits > 0
        and start_ms <= row.at_ms <= end_ms
        for row in evidence.credits.get(earlier.exchange.account or "", ())
    )
