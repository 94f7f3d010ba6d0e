"""Finds requests whose headers the server has parsed before: clients repeat theirs."""

import re

from msgspec import Struct

from mock_server.edge.request_headers import RequestHeaders

_MOST_KEPT, _MOST_BYTES = 256, 2048
"""The maximum number of kept sets of headers, and the maximum length of each."""

_PLAIN_LINE = re.compile(rb"(GET|POST) (/[\w./~-]*)(?:\?([\w./~%&=+:,-]*))? HTTP/1\.1(?=\r\n)")
"""The first line of most requests. Every other one is left to the parser."""


class PlainRequest(Struct, frozen=True, gc=False):
    """A whole request, read without the parser."""

    method: bytes
    raw_path: bytes
    query: bytes
    headers: RequestHeaders
    body: bytes


class KnownHeaders:
    """The headers of requests by their bytes, from the end of the first line to the empty line.

    What the parser makes of these bytes, and how long the body is, depends on nothing else. So the
    parser is needed only for the first request of many.
    """

    def __init__(self, max_url_bytes: int) -> None:
        """max_url_bytes: of the requests that `find` finds."""
        self._max_url_bytes = max_url_bytes
        self._known: dict[bytes, tuple[RequestHeaders, int]] = {}

    def find(self, data: bytes) -> PlainRequest | None:
        """The request, if `data` is one whole request with known headers; else None."""
        line = _PLAIN_LINE.match(data)
        if line is None:
            return None
        line_end = line.end()
        head_end = data.find(b"\r\n\r\n", line_end) + 4
        headers, body_bytes = self._known.get(data[line_end:head_end], (None, 0))
        if headers is None or len(data) != head_end + body_bytes or line_end > self._max_url_bytes:
            return None
        method, raw_path, query = line.groups(b"")
        return PlainRequest(method, raw_path, query, headers, data[head_end:])

    def keep(self, data: bytes, headers: RequestHeaders, body_bytes: int) -> None:
        """Keep the headers of a request that the parser has read, if `data` is exactly this
        request, without chunks. The connection must stay open after its answer."""
        line = _PLAIN_LINE.match(data)
        if line is None:
            return
        head_end = data.find(b"\r\n\r\n", line.end()) + 4
        block = data[line.end() : head_end]
        if len(data) == head_end + body_bytes and len(block) <= _MOST_BYTES:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[block] = headers, body_bytes
