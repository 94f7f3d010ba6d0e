"""Unusual requests, as bytes, to the whole server: each is answered in the format of its API."""

from __future__ import annotations

import json
from itertools import product

import pytest

from mock_server.server.app import make_app
from mock_server.server.make_server import make_server
from tests.asgi import Answer
from tests.mock import KEY, START_MS, TOKEN, settings_of
from tests.spoken import Conversation, converse

CREATES = {
    "/api/v1/generations": (KEY, b'{"model": "hailuo-pro", "prompt": "Dusk"}'),
    "/hailuo/videos": (TOKEN, b'{"action": "generate", "prompt": "Dusk", "async": true}'),
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"]
TARGETS = [
    "/", "*", "//", "/?", "/a%0d%0ab", "/%00", "/%ff", "/%zz", "/%", "/..%2f..", "/w/", "/w//",
    "/w/%2e%2e/api/v1/credits", "/w/none/api/v1/credits", "/api/v1/", "/api/v1/a%0ab",
    "//api/v1/credits", "/api/v1/credits#part", "/api/v1/generations/%00", "/hailuo/%0a",
    "/hailuo/videos/", "/media/", "/media//", "/media/default/files/..%2f..%2fx/y",
    "/_mock/a%0ab", "/_mock/worlds/", "/_mock/worlds//", "/_mock/inbox/", "/_mock/inbox/none/a",
    "http://localhost/api/v1/credits", "http://user:pass@evil.example/api/v1/credits",
    "http://evil.example/_mock/worlds/none",
]  # fmt: skip
HEADERS = [
    "Prefer", "Mock-Scenario", "Authorization", "Idempotency-Key", "Content-Type", "Expect",
    "Range", "Origin", "Accept", "If-None-Match", "Cookie", "Upgrade", "TE", "Mock-Control-Token",
]  # fmt: skip
VALUES = [b"", b" ", b"\xff\xfe", b"\xc3\xa9", b",", b";=", b'"', b"a" * 5000]


def served(*pieces: bytes) -> Conversation:
    """The answers of the whole server to these bytes."""
    fake = make_server(settings_of(), lambda: START_MS)
    return converse(pieces, make_app(fake))


def asked(method: str, target: str, *headers: bytes, body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: localhost", *headers]
    lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", b""]) + body


def is_in_order(answer: Answer) -> bool:
    """Whether it is a right answer: no failure of the server, and JSON that says something."""
    if answer.status >= 500:
        return False
    if "json" not in answer.headers.get("content-type", "json"):
        return False
    return not answer.body or bool(json.loads(answer.body))


@pytest.mark.parametrize("method", METHODS)
def test_every_target_is_answered_in_order(method: str) -> None:
    for target in TARGETS:
        conversation = served(asked(method, target, b"Authorization: Bearer " + KEY.encode()))
        assert len(conversation.answers) == 1, target
        (answer,) = conversation.answers
        length = 0 if method == "HEAD" else int(answer.headers["content-length"])
        assert is_in_order(answer), (target, answer)
        assert len(answer.body) == length, (target, answer)


@pytest.mark.parametrize(("name", "path"), list(product(HEADERS, CREATES)))
def test_every_value_of_a_header_is_answered_in_order(name: str, path: str) -> None:
    key, body = CREATES[path]
    for value in VALUES:
        headers = {
            b"authorization": b"Bearer " + key.encode(),
            b"content-type": b"application/json",
        }
        headers[name.lower().encode()] = value
        sent = [sent_name + b": " + sent_value for sent_name, sent_value in headers.items()]
        conversation = served(asked("POST", path, *sent, body=body))
        assert len(conversation.answers) == 1, value
        assert is_in_order(conversation.answers[0]), (value, conversation.answers)
