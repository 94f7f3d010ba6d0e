"""When credits came back to an account."""

from bisect import bisect_left

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.requests import Request


def came_back_between(evidence: Evidence, earlier: Request, later: Request) -> bool:
    """Whether the account got credits between two requests: given back by a failed task, or set
    by hand. Those that it was made with do not count."""
    returns_ms = evidence.returns_ms.get(earlier.exchange.account or "", ())
    first = bisect_left(returns_ms, earlier.exchange.started_ms)
    return any(each <= later.exchange.started_ms for each in returns_ms[first : first + 1])
