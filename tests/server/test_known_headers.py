"""A request whose headers the server has parsed before is read as if they were new."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mock_server.config.settings import LimitSettings
from mock_server.edge.request_headers import RequestHeaders
from mock_server.server.known_headers import KnownHeaders
from tests.spoken import converse

LINES = [
    "GET /a HTTP/1.1",
    "GET /a/b.c?d=e%20f HTTP/1.1",
    "POST /a HTTP/1.1",
    "POST /a%2Fb HTTP/1.1",
    "POST //a/../b?c?d#e HTTP/1.1",
    "HEAD /a HTTP/1.1",
    "GET http://mock.test/a HTTP/1.1",
    "GET /a HTTP/1.0",
    "GET  /a HTTP/1.1",
    "GET /\u00e9 HTTP/1.1",
    "GET /" + "a" * 9000 + " HTTP/1.1",
    "\r\nGET /a HTTP/1.1",
    "GET /a HTTP/1.1\r\nX-B",
]
HEADERS = [
    "Host: mock.test",
    "Content-Length: 2",
    "Content-Length: 0",
    "content-type:  application/json ",
    "X-A: b",
    "Connection: keep-alive",
    "Connection: close",
    "Upgrade: h2c\r\nConnection: Upgrade",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "X A: b",
    "X-A: b\n",
    "X-A: b\r\n c",
]
BODIES = [b"", b"{}", b"\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n"]
REQUEST = st.builds(
    lambda line, headers, body: "\r\n".join([line, *headers, "", ""]).encode("latin-1") + body,
    st.sampled_from(LINES),
    st.lists(st.sampled_from(HEADERS), max_size=3),
    st.sampled_from(BODIES),
)
GET = b"GET /a HTTP/1.1\r\nHost: mock.test\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: mock.test\r\nContent-Length: 2\r\n\r\n{}"


def pieces_of(requests: list[bytes], cuts: list[int]) -> list[bytes]:
    """The requests, each cut in two if its number is among `cuts`."""
    pieces = []
    for number, request in enumerate(requests):
        half = len(request) // 2 if number in cuts else len(request)
        pieces += [piece for piece in (request[:half], request[half:]) if piece]
    return pieces


@settings(max_examples=300, deadline=None)
@example([GET, POST], [0, 1, 0, 1], [2])
@example([b"\r\n" + GET, b"GET /b HTTP/1.1" + b"\r\n" + GET], [0, 1], [])
@example([POST, POST + b"GET", POST], [0, 1, 2], [])
@given(
    st.lists(REQUEST, min_size=1, max_size=3),
    st.lists(st.integers(0, 2), min_size=2, max_size=6),
    st.lists(st.integers(0, 5), max_size=1),
)
def test_repeated_requests_are_read_as_if_they_were_the_first(
    requests: list[bytes], order: list[int], cuts: list[int]
) -> None:
    pieces = pieces_of([requests[number % len(requests)] for number in order], cuts)
    with_known = converse(pieces, at_once=True, known=KnownHeaders(LimitSettings().url_bytes))
    assert with_known == converse(pieces, at_once=True)


def test_repeated_requests_are_found_without_the_parser() -> None:
    known = KnownHeaders(100)
    converse([GET, POST], known=known)
    again = known.find(GET.replace(b"/a", b"/b?c"))
    assert again is not None
    assert (again.method, again.raw_path, again.query) == (b"GET", b"/b", b"c")
    assert again.headers.by_name == {b"host": b"mock.test"}
    posted = known.find(POST.replace(b"{}", b"[]"))
    assert posted is not None
    assert posted.body == b"[]"
    for other in (GET[:-1], GET + b"G", GET.replace(b"mock", b"mack"), POST + b"}", POST[:-1]):
        assert known.find(other) is None
    assert known.find(GET.replace(b"/a", b"/" + b"a" * 100)) is None


def test_headers_that_close_the_connection_are_not_kept() -> None:
    known = KnownHeaders(100)
    closing = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    converse([closing], known=known)
    assert known.find(closing) is None


def test_headers_of_a_body_in_chunks_are_not_kept() -> None:
    known = KnownHeaders(100)
    head = GET.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert converse([head + b"2\r\n{}\r\n0\r\n\r\n"], known=known).statuses == [200]
    assert known.find(head + b"{}") is None


def test_the_kept_headers_are_bounded() -> None:
    known = KnownHeaders(100)
    for number in range(1000):
        request = GET.replace(b"mock", b"mock%d" % number)
        known.keep(request, RequestHeaders([]), 0)
    kept = [known.find(GET.replace(b"mock", b"mock%d" % number)) for number in range(1000)]
    assert 0 < sum(each is not None for each in kept) <= 256
    long = GET.replace(b"mock", b"m" * 3000)
    known.keep(long, RequestHeaders([]), 0)
    assert known.find(long) is None
