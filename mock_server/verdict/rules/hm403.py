"""HM403: the API key is sent to the host of the videos."""

from collections.abc import Iterator

from mock_server.verdict.downloads import redirect_to
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    for request in evidence.requests:
        if request.exchange.origin != "media" or redirect_to(evidence, request) is not None:
            continue
        if not request.has_credential:
            yield CLEAN
            continue
        yield Found({"download": request.id}, [request], request.exchange.task)
