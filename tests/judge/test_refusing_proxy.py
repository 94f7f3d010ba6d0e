"""The proxy answers 403 to everything, and knows which hosts were asked for."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from mock_server.judge.refusing_proxy import RefusingProxy


def asked(*requests: bytes) -> tuple[list[bytes], list[str]]:
    """The answers to these bytes, and the hosts that the proxy noted."""

    async def story() -> tuple[list[bytes], list[str]]:
        async with RefusingProxy().serving() as proxy:
            port = urlsplit(proxy.url).port
            found = []
            for request in requests:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request)
                writer.write_eof()
                found.append(await reader.read())
                writer.close()
                await writer.wait_closed()
            return found, proxy.hosts

    return asyncio.run(story())


@pytest.mark.parametrize(
    ("line", "host"),
    [
        (b"CONNECT api.rivya.example:443 HTTP/1.1", "api.rivya.example:443"),
        (b"GET http://api.rivya.example/api/v1/models HTTP/1.1", "api.rivya.example"),
        (b"POST http://user:secret@api.example:81/x HTTP/1.1", "api.example:81"),
        (b"CONNECT [2001:db8::1]:443 HTTP/1.1", "[2001:db8::1]:443"),
    ],
)
def test_the_host_is_noted_and_refused_with_a_sentence(line: bytes, host: str) -> None:
    (answer,), hosts = asked(line + b"\r\nHost: other.example\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"not {host}." in body.decode()
    assert f"Content-Length: {len(body)}\r\n".encode() in head
    assert hosts == [host]


@pytest.mark.parametrize(
    "request_",
    [b"GET / HTTP/1.1\r\n\r\n", b"\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"CONNECT [::\r\n\r\n"],
)
def test_a_request_without_a_host_is_refused_and_notes_none(request_: bytes) -> None:
    (answer,), hosts = asked(request_)
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert hosts == []


def test_what_is_no_request_ends_the_connection_only() -> None:
    good = b"CONNECT a.example:443 HTTP/1.1\r\n\r\n"
    answers, hosts = asked(b"", b"GET http://half.exa", b"x" * 100_000, good)
    assert [bool(answer) for answer in answers] == [False, False, False, True]
    assert hosts == ["a.example:443"]


def test_each_host_is_noted_once_and_their_number_is_bounded() -> None:
    lines = [f"CONNECT h{number}.example:443 HTTP/1.1\r\n\r\n".encode() for number in range(120)]
    _, hosts = asked(*lines, *lines[:5])
    assert hosts == [f"h{number}.example:443" for number in range(100)]
