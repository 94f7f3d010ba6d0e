"""Limits of a request in size and time. A refusal names its limit."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.live import Live, live

HEAD = b"GET /_mock/health HTTP/1.1\r\nhost: localhost\r\n"
CREATE = (
    b"POST /hailuo/videos HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer test-token\r\n"
    b"content-type: application/json\r\n"
)
ORDER = b'{"action":"generate","prompt":"Internal heat"}'
LIMITS: dict[str, Any] = {
    "limits__header_bytes": 4096,
    "limits__url_bytes": 300,
    "limits__head_timeout_s": 0.2,
    "limits__body_timeout_s": 0.3,
}


@contextmanager
def connected(server: Live, *sent: bytes) -> Iterator[socket.socket]:
    """A connection over which this was sent."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        for each in sent:
            connection.sendall(each)
        yield connection


def answer_to(server: Live, *sent: bytes) -> tuple[int, str]:
    """The status and the body of the only answer, read until the server closes the connection."""
    with connected(server, *sent) as connection:
        return parted(everything_from(connection))


def everything_from(connection: socket.socket) -> bytes:
    received = b""
    while more := connection.recv(65536):
        received += more
    return received


def parted(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body.decode()


def refused(server: Live, *sent: bytes) -> tuple[int, str]:
    """The status and the sentence of a refusal."""
    status, body = answer_to(server, *sent)
    problem = json.loads(body)
    assert problem["status"] == status
    return status, problem["title"]


TOO_MUCH = {
    "one long header": HEAD + b"authorization: Bearer " + b"x" * 5000 + b"\r\n\r\n",
    "one header without an end": HEAD + b"authorization: " + b"x" * 400_000,
    "a header with a long name": HEAD + b"x" * 5000 + b": y\r\n\r\n",
    "a long header before a body": CREATE + b"a: " + b"x" * 5000 + b"\r\n\r\n" + b"y" * 300_000,
    "headers without letters": HEAD + b"a:\r\n" * 200 + b"\r\n",
    "trailers": (
        CREATE + b"transfer-encoding: chunked\r\n\r\n0\r\n" + b"a: " + b"x" * 5000 + b"\r\n\r\n"
    ),
    "a trailer without an end": (
        CREATE + b"transfer-encoding: chunked\r\n\r\n0\r\na: " + b"x" * 400_000
    ),
}


@pytest.mark.parametrize("sent", TOO_MUCH.values(), ids=TOO_MUCH)
def test_too_many_bytes_of_headers_are_refused_by_the_name_of_the_limit(sent: bytes) -> None:
    with live(**LIMITS) as server:
        status, sentence = refused(server, sent)
    assert status == 431
    assert "4096 bytes" in sentence
    assert "limits.header_bytes" in sentence


def test_an_earlier_request_is_answered_before_its_connection_ends() -> None:
    long = HEAD + b"a: " + b"x" * 5000 + b"\r\n\r\n"
    with live(**LIMITS) as server:
        status, body = answer_to(server, HEAD + b"\r\n" + HEAD + b"\r\n" + long)
    assert status == 200
    assert body.count("HTTP/1.1 200") == 1
    assert "431" not in body


def test_the_second_request_of_a_connection_has_the_same_limit() -> None:
    long = HEAD + b"a: " + b"x" * 5000 + b"\r\n\r\n"
    with live(**LIMITS) as server, connected(server, HEAD + b"\r\n") as connection:
        assert parted(connection.recv(65536))[0] == 200
        connection.sendall(long)
        assert parted(everything_from(connection))[0] == 431


def test_a_refused_client_may_send_its_rest_and_reads_the_answer() -> None:
    with live(**LIMITS) as server:
        pieces = [HEAD + b"a: ", *[b"x" * 65536] * 64]
        assert refused(server, *pieces)[0] == 431


def test_headers_just_below_the_limit_are_read() -> None:
    used = len("host") + len("localhost") + len("connection") + len("close") + len("a") + 3 * 32
    for size, status in ((4096 - used, 200), (4097 - used, 431)):
        with live(**LIMITS) as server:
            sent = HEAD + b"connection: close\r\na: " + b"x" * size + b"\r\n\r\n"
            assert answer_to(server, sent)[0] == status


@pytest.mark.parametrize("in_one_piece", [True, False])
def test_a_long_url_is_refused_by_the_name_of_the_limit(*, in_one_piece: bool) -> None:
    sent = b"GET /_mock/" + b"x" * 400 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n"
    pieces = [sent] if in_one_piece else [sent[:200], sent[200:320], sent[320:]]
    with live(**LIMITS) as server:
        status, sentence = refused(server, *pieces)
    assert status == 414
    assert "limits.url_bytes" in sentence


@pytest.mark.parametrize("sent", [b"G", HEAD[:-10], HEAD, HEAD + b"a: "])
def test_a_missing_head_is_refused_in_time(sent: bytes) -> None:
    with live(**LIMITS) as server:
        assert refused(server, sent) == (
            408,
            "the head of the request did not come within 0.2 s (limits.head_timeout_s)",
        )


@pytest.mark.parametrize("sent", [b"", ORDER[:10]])
def test_a_missing_body_is_refused_in_time(sent: bytes) -> None:
    with live(**LIMITS) as server:
        head = CREATE + b"content-length: %d\r\n\r\n" % len(ORDER)
        assert refused(server, head + sent) == (
            408,
            "the body of the request did not come within 0.3 s (limits.body_timeout_s)",
        )
        assert len(server.fake.world().tasks) == 0


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"])
def test_a_connection_without_a_request_is_closed(sent: bytes) -> None:
    with live(**LIMITS) as server, connected(server, sent) as connection:
        assert everything_from(connection) == b""


UNAUTHORIZED = b"POST /api/v1/generations HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n"


@pytest.mark.parametrize(("sent", "then"), [(HEAD + b"\r\n", b"\r\n"), (UNAUTHORIZED, b"{")])
def test_an_idle_connection_is_closed(sent: bytes, then: bytes) -> None:
    with live(**LIMITS) as server, connected(server, sent) as connection:
        assert parted(connection.recv(65536))[0] in {200, 401}
        connection.sendall(then)
        assert b"HTTP/1.1" not in everything_from(connection)


def test_the_time_limits_do_not_hold_for_the_answer() -> None:
    settings = LIMITS | {"clock__mode": "real", "clock__start": None, "tasks__processing_s": 0.9}
    half_a_head = b"GET /_mock/health HT"  # that of a second request
    with live(**settings) as server:
        head = CREATE + b"content-length: %d\r\n\r\n" % len(ORDER)
        with connected(server, head + ORDER + half_a_head) as connection:
            received = b""
            while b"video_url" not in received:
                received += connection.recv(65536)
    assert parted(received)[0] == 200


def test_incomplete_heads_block_other_clients_for_a_short_time_only() -> None:
    with live(**LIMITS) as server:
        half = [socket.create_connection(address_of(server)) for _ in range(50)]
        for connection in half:
            connection.sendall(HEAD)
        ends = [everything_from(connection) for connection in half]
        for connection in half:
            connection.close()
    assert all(end.startswith(b"HTTP/1.1 408") for end in ends)


def test_a_long_text_that_is_no_http_is_answered_once() -> None:
    with live(**LIMITS) as server, connected(server, b"\x16" * 100_000) as connection:
        answers = everything_from(connection)
    assert answers.count(b"HTTP/1.1 400") == 1


def address_of(server: Live) -> tuple[str, int]:
    host, port = server.url.removeprefix("http://").split(":")
    return host, int(port)
