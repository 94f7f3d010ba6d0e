"""HM402: the rest of a file is asked for, the whole file comes and is appended."""

from collections.abc import Iterator

from mock_server.verdict.downloads import broke
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    for request in evidence.requests:
        if not request.is_download or request.range is None or not request.is_ok:
            continue
        if request.status == 206 or request.range.startswith("bytes=0-"):
            yield CLEAN
            continue
        downloads = evidence.downloads_of(request.exchange.task or "")
        if any(each.number > request.number and not broke(each) for each in downloads):
            yield CLEAN
            continue
        yield Found(
            {"download": request.id, "range": request.range}, [request], request.exchange.task
        )
