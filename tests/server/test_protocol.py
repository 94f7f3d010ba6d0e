"""HTTP/1.1, byte by byte: how the server reads a connection."""

from __future__ import annotations

import logging

import pytest
from starlette.types import Receive, Scope, Send

from tests.spoken import Conversation, answer, converse, echo

BODY = b'{"prompt": "Dusk"}'


def request(
    *headers: str,
    method: str = "POST",
    target: str = "/a",
    body: bytes = BODY,
    version: str = "1.1",
) -> bytes:
    """A request with these headers and, unless they tell it themselves, the body's length."""
    lines = [f"{method} {target} HTTP/{version}", "Host: mock.test", *headers]
    if body and "transfer-encoding" not in str(headers).lower():
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
WEBSOCKET = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
CHUNKED = (
    b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:5], BODY[5:])) + b"0\r\n\r\n"
)
OFFERS = {
    "h2c": request(*H2C),
    "h2c, chunked": request(*H2C, "Transfer-Encoding: chunked", body=CHUNKED),
    "h2c, no body": request(*H2C, method="GET", body=b""),
    "h2c in HTTP/1.0": request(*H2C, version="1.0"),
    "websocket": request(*WEBSOCKET, method="GET", body=b""),
    "websocket with a body": request(*WEBSOCKET),
    "TLS": request("Connection: upgrade", "Upgrade: TLS/1.2, HTTP/1.1"),
    "h2c, then close": request("Connection: Upgrade, close", "Upgrade: h2c"),
    "two offers": request("Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket"),
}


def echoed(conversation: Conversation) -> list[tuple[str, str, str]]:
    told = [answer.json() for answer in conversation.answers]
    return [(each["method"], each["path"], each["body"]) for each in told]


@pytest.mark.parametrize("name", OFFERS)
def test_a_request_that_offers_another_protocol_is_read_as_if_it_did_not(name: str) -> None:
    offer = OFFERS[name]
    method = offer.split(b" ")[0].decode()
    body = "" if method == "GET" else BODY.decode()
    whole = converse([offer])
    assert echoed(whole) == [(method, "/a", body)]
    shown = {header for header, _ in whole.answers[0].json()["headers"]}
    assert {"host", "connection", "upgrade"} <= shown


@pytest.mark.parametrize("name", OFFERS)
def test_a_request_is_read_alike_at_every_split(name: str) -> None:
    offer = OFFERS[name]
    whole = converse([offer])
    for place in range(1, len(offer)):
        assert converse([offer[:place], offer[place:]]) == whole, place
    assert converse([offer[place : place + 1] for place in range(len(offer))]) == whole


@pytest.mark.parametrize(
    "name", [name for name in OFFERS if "1.0" not in name and "close" not in name]
)
def test_requests_behind_it_on_the_same_connection_are_answered_in_order(name: str) -> None:
    plain = request(target="/b")
    offer = OFFERS[name]
    for pieces in ([plain + offer + plain + offer + plain], [plain, offer, plain, offer, plain]):
        conversation = converse(pieces)
        assert [path for _, path, _ in echoed(conversation)] == ["/b", "/a", "/b", "/a", "/b"]
        assert not conversation.is_closed


@pytest.mark.parametrize("blank", [" ", "\t", "  \t "])
def test_a_field_value_has_no_white_space_around_it(blank: str) -> None:
    names = ["Authorization", "Content-Type", "Mock-Scenario", "Accept", "X-Own"]
    sent = [f"{name}:{blank}Bearer a b{blank}" for name in names]
    told = dict(converse([request(*sent)]).answers[0].json()["headers"])
    assert {name: told[name.lower()] for name in names} == dict.fromkeys(names, "Bearer a b")


def test_a_field_value_of_white_space_is_empty() -> None:
    told = dict(converse([request("X-Own:  \t ")]).answers[0].json()["headers"])
    assert told["x-own"] == ""


async def _refusing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without having read the body if the path is /refused."""
    if scope["path"] == "/refused":
        await answer(send, 401, b"")
    else:
        await echo(scope, receive, send)


def test_a_client_that_expects_100_is_answered_when_the_body_is_read() -> None:
    head = request("Expect: 100-continue").removesuffix(BODY)
    conversation = converse([head, BODY])
    assert conversation.statuses == [100, 200]
    assert conversation.answers[1].json()["body"] == BODY.decode()


def test_a_client_that_expects_100_is_refused_before_its_body() -> None:
    head = request("Expect: 100-continue", target="/refused").removesuffix(BODY)
    conversation = converse([head, request(target="/b")], _refusing)
    assert conversation.statuses == [401]
    assert conversation.answers[0].headers["connection"] == "close"
    assert conversation.is_closed


@pytest.mark.parametrize("expectation", ["100-continue ", "100-Continue"])
def test_the_expectation_is_known_in_any_case_and_with_white_space(expectation: str) -> None:
    head = request(f"Expect: {expectation}").removesuffix(BODY)
    assert converse([head, BODY]).statuses == [100, 200]


def test_an_expectation_of_http_1_0_or_an_unknown_one_is_ignored() -> None:
    assert converse([request("Expect: 100-continue", version="1.0")]).statuses == [200]
    assert converse([request("Expect: 200-ok")]).statuses == [200]


@pytest.mark.parametrize(
    "host",
    ["a", "api.rivya.example", "a:4010", "my_mock:4010", "localhost.", "127.0.0.1:4010", "[::1]:1",
     "[::ffff:127.0.0.1]", "A.Example", "a:", "xn--bcher-kva.example", ""],
)  # fmt: skip
def test_a_well_formed_host_is_accepted(host: str) -> None:
    assert converse([request().replace(b"mock.test", host.encode())]).statuses == [200]


@pytest.mark.parametrize(
    "host",
    ["a/b", "a b", "a@b", "user:pass@a", "a:b", "a:4010:1", "a:65536", "a:999999", "http://a",
     "a#b", "a?b", "a\\b", "[::1", "::1", "[::1]a", "[]", "[1.2.3.4]", "[::1%25lo]", "a..b", ".a",
     ".", ":80", "a,b", "b\u00fccher.example", "a%2fb", "a'b", 'a"b', "<a>", "a;b", "$(a)",
     "a" * 300],
)  # fmt: skip
def test_a_malformed_host_is_refused_on_every_path(host: str) -> None:
    sent = request().replace(b"mock.test", host.encode("latin-1"))
    conversation = converse([sent])
    assert conversation.statuses == [400]
    assert "header Host" in conversation.answers[0].json()["title"]
    assert conversation.is_closed


def test_two_hosts_are_refused_and_none_is_taken() -> None:
    assert converse([request("Host: mock.test")]).statuses == [400]
    assert converse([request().replace(b"Host: mock.test\r\n", b"")]).statuses == [200]


# What is no request, or none that can be answered; each is refused and the connection closed.
UNREADABLE = {
    "no method": b"\r\n\r\n \r\n",
    "unknown method": request(method="BREW"),
    "method in small letters": request(method="post"),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another version": request(version="3.0"),
    "TLS": bytes.fromhex("16030100c8010000c40303") + b"a" * 100,
    "binary": bytes(range(256)),
    "blank before a colon": request("X-Own : 1"),
    "folded header": request("X-Own: 1\r\n 2"),
    "header without colon": request("X-Own"),
    "NUL in a header": request("X-Own: a\0b"),
    "bare LF": request().replace(b"\r\n", b"\n"),
    "two lengths": request("Content-Length: 5"),
    "negative length": request("Content-Length: -1", body=b""),
    "length in words": request("Content-Length: five", body=b""),
    "length too long": request("Content-Length: 99999999999999999999999", body=b""),
    "length and chunks": request("Transfer-Encoding: chunked", "Content-Length: 5", body=CHUNKED),
    "chunk of no size": request("Transfer-Encoding: chunked", body=b"xyz\r\n"),
    "chunk too long": request("Transfer-Encoding: chunked", body=b"f" * 20 + b"\r\n"),
    "tunnel": request(method="CONNECT", target="api.example:443", body=b""),
    "letters beyond ASCII in the path": request(target="/\u00e9"),
    "blank in the path": request(target="/a b"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_invalid_bytes_are_refused_with_a_reason(name: str) -> None:
    conversation = converse([UNREADABLE[name]])
    assert conversation.statuses == [400]
    assert conversation.answers[0].headers["content-type"] == "application/problem+json"
    assert conversation.answers[0].json()["title"]
    assert conversation.is_closed


def test_http_2_is_refused_by_its_name() -> None:
    refused = converse([UNREADABLE["HTTP/2 preface"]]).answers[0].json()["title"]
    assert refused == "this is no HTTP request: it is HTTP/2, and this server uses HTTP/1.1"


@pytest.mark.parametrize("name", UNREADABLE)
def test_invalid_bytes_do_not_affect_earlier_requests(name: str) -> None:
    """A complete request before them is answered first."""
    for pieces in ([request() + UNREADABLE[name]], [request(), UNREADABLE[name]]):
        conversation = converse(pieces)
        assert conversation.statuses in ([200], [200, 400])
        assert conversation.answers[0].json()["body"] == BODY.decode()
        assert conversation.is_closed


# Unusual, and right.
READABLE = {
    "whole URL": request(target="http://mock.test/a?b=1"),
    "whole URL without a path": request(target="HTTP://mock.test"),
    "whole URL with nothing but a query": request(target="http://mock.test:80?b=1"),
    "two slashes": request(target="//a"),
    "escapes": request(target="/%61%2F%0a?%zz"),
    "a broken escape": request(target="/%zz%"),
    "no UTF-8": request(target="/%ff%00"),
    "trailers": request("Transfer-Encoding: chunked", body=CHUNKED[:-2] + b"X-Own: 1\r\n\r\n"),
    "chunk extensions": request("Transfer-Encoding: chunked", body=b"1;a=b\r\nx\r\n0\r\n\r\n"),
    "letters beyond ASCII in a header": request("X-Own: \u00e9"),
    "lines before it": b"\r\n\r\n" + request(),
    "TRACE": request(method="TRACE", body=b""),
    "OPTIONS": request(method="OPTIONS", body=b""),
    "no path": request(target="*", method="OPTIONS", body=b""),
    "HTTP/1.0": request(version="1.0"),
    "HTTP/0.9": b"GET /\r\n\r\n",
    "close": request("Connection: close"),
}


@pytest.mark.parametrize("name", READABLE)
def test_unusual_valid_requests_reach_the_app(name: str) -> None:
    whole = converse([READABLE[name]])
    assert whole.statuses == [200]
    assert converse([READABLE[name][at : at + 1] for at in range(len(READABLE[name]))]) == whole


def test_requests_sent_at_once_are_answered_in_order() -> None:
    targets = [f"/{number}" for number in range(20)]
    conversation = converse([b"".join(request(target=target) for target in targets)])
    assert [path for _, path, _ in echoed(conversation)] == targets


@pytest.mark.parametrize("first", [b"\x16", bytes.fromhex("16030100c8010000c40303")])
def test_tls_is_reported_in_the_log(first: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mock_server.server.uvicorn_protocol"):
        converse([first])
    assert [record.message for record in caplog.records] == [
        "a client spoke TLS to this port: use http:// in its base URL"
    ]


def test_an_unread_body_does_not_affect_the_next_request() -> None:
    conversation = converse([request(target="/refused"), request(target="/b")], _refusing)
    assert conversation.statuses == [401, 200]
    assert conversation.answers[1].json()["path"] == "/b"
