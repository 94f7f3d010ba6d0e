"""Conditional requests: 304 for a caller who has the current version (RFC 9110, 13.1.2)."""

from collections.abc import Mapping

from starlette.responses import Response

from mock_server.edge.call import Call


def not_modified(call: Call, headers: Mapping[str, str]) -> Response | None:
    """The answer 304 with these headers if If-None-Match names their ETag; else None."""
    known = call.header(b"if-none-match") or ""
    tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
    if tags == ["*"] or headers["ETag"] in tags:
        return Response(status_code=304, headers=headers)
    return None
