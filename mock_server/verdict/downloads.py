"""Downloads of results: whole ones, broken ones, and whose fault that was."""

from bisect import bisect_left

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.requests import Request, header, last_part


def is_whole(download: Request) -> bool:
    """Whether all bytes of the answer were sent."""
    declared = _declared_bytes(download)
    return (
        download.reached
        and download.status in {200, 206}
        and (declared is None or download.exchange.sent_bytes >= declared)
    )


def is_cut(download: Request) -> bool:
    """Whether the bytes ended too early, and not because the client left."""
    return (
        download.status in {200, 206}
        and not download.is_open
        and download.exchange.ended_by in {"answered", "reset_by_fault"}
        and not is_whole(download)
    )


def broke(download: Request) -> bool:
    """Whether it failed in a way that a second attempt may mend: cut, reset, or an error 5xx."""
    was_reset = download.exchange.ended_by == "reset_by_fault"
    return is_cut(download) or was_reset or (download.reached and (download.status or 0) >= 500)


def _declared_bytes(download: Request) -> int | None:
    value = header(download.exchange.answer_headers, b"content-length")
    return int(value) if value is not None and value.isdigit() else None


def redirect_to(evidence: Evidence, request: Request) -> Request | None:
    """The request whose answer redirected to this one; None if the client came by itself."""
    path = request.exchange.path
    earlier = evidence.redirects.get(last_part(path), ())
    before = bisect_left(earlier, request.number, key=lambda each: each.number)
    leading = (each for each in reversed(earlier[:before]) if path in (each.location or ""))
    return next(leading, None)
