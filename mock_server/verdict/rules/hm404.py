"""HM404: the API key follows a redirect to another host."""

from collections.abc import Iterator

from mock_server.verdict.downloads import redirect_to
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    for request in evidence.requests:
        if request.exchange.origin != "media":
            continue
        redirect = redirect_to(evidence, request)
        if redirect is None:
            continue
        if not request.has_credential:
            yield CLEAN
            continue
        yield Found(
            {"first": redirect.id, "second": request.id},
            (redirect, request),
            request.exchange.task,
        )
