"""Downloads of results: whole ones, broken ones, and whose fault that was."""

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.requests import Request, header


def downloads_of(evidence: Evidence, task_id: str) -> list[Request]:
    """The downloads of a task's result, in order; many requests for ranges are one download."""
    return [each for each in evidence.about(task_id) if each.is_download]


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
    return next(
        (
            each
            for each in reversed(evidence.requests[: request.number])
            if each.status in {301, 302, 303, 307, 308}
            and request.exchange.path in (header(each.exchange.answer_headers, b"location") or "")
        ),
        None,
    )
