"""What the client did before and after it was killed and started again."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.requests import Request


def is_before_kill(evidence: Evidence, request: Request) -> bool:
    """Whether the request had ended when the client was killed."""
    killed_ms = evidence.run.restarted_wall_ms
    return killed_ms is not None and not request.is_open and request.ended_wall_ms <= killed_ms


def is_after_kill(evidence: Evidence, request: Request) -> bool:
    """Whether the request began after the client was started again."""
    killed_ms = evidence.run.restarted_wall_ms
    return killed_ms is not None and request.started_wall_ms >= killed_ms


def told_before_kill(evidence: Evidence) -> Iterator[Request]:
    """The creates whose task was made and told before the client was killed."""
    for create in evidence.creates:
        if create.made is not None and create.told_task and is_before_kill(evidence, create):
            yield create
