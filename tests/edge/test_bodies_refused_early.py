"""Bodies that are refused for what their head says, before they are sent; and those never sent."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.asgi import Answer
from tests.mock import KEY, TOKEN, form
from tests.test_odd_requests import asked, served

JSON = b"Content-Type: application/json"
FORM = b"Content-Type: multipart/form-data; boundary=frontier"
RIVYA = b"Authorization: Bearer " + KEY.encode()
ACE = b"Authorization: Bearer " + TOKEN.encode()
DOOR = "/_mock/worlds/default"
ORDER = b'{"model": "hailuo-pro", "prompt": "Dusk"}'
UPLOAD = form({"kind": "image"}, {"file": ("a.png", b"\x89PNG\r\n\x1a\n")})

# Everything that takes a body: method, path, headers that go with it, and a body that is right.
TAKING = {
    "generation": ("POST", "/api/v1/generations", [RIVYA, JSON], ORDER),
    "upload": ("POST", "/api/v1/files", [RIVYA, FORM], UPLOAD),
    "webhook": (
        "POST",
        "/api/v1/webhooks",
        [RIVYA, JSON],
        b'{"url": "http://localhost/a", "event_types": ["generation.succeeded"]}',
    ),
    "video": (
        "POST",
        "/hailuo/videos",
        [ACE, JSON],
        b'{"action": "generate", "prompt": "Dusk", "async": true}',
    ),
    "tasks": ("POST", "/hailuo/tasks", [ACE, JSON], b'{"action": "retrieve_batch", "ids": ["a"]}'),
    "clock": ("PATCH", f"{DOOR}/clock", [JSON], b'{"mode": "frozen"}'),
    "advance": ("POST", f"{DOOR}/clock/advance", [JSON], b'{"seconds": 1}'),
    "account": ("PATCH", f"{DOOR}/accounts/rivya-test", [JSON], b'{"credits": 1}'),
    "fault": ("POST", f"{DOOR}/faults", [JSON], b'{"scenario": "lost_answer", "times": 1}'),
    "verify": ("POST", f"{DOOR}/requests/verify", [JSON], b'{"match": {}, "count": 0}'),
    "inbox": ("PUT", f"{DOOR}/inbox/a", [JSON], b'{"answers": []}'),
}
REFUSED = {
    "no key": ("/api/v1/generations", [JSON], 401),
    "unknown key": ("/api/v1/generations", [RIVYA + b"x", JSON], 401),
    "no token": ("/hailuo/videos", [JSON], 400),
    "no JSON": ("/api/v1/generations", [RIVYA, b"Content-Type: text/plain"], 400),
    "no JSON, Ace": ("/hailuo/videos", [ACE, b"Content-Type: text/plain"], 400),
    "no type": ("/api/v1/generations", [RIVYA], 400),
    "compressed": ("/api/v1/generations", [RIVYA, JSON, b"Content-Encoding: br"], 400),
    "no form": ("/api/v1/files", [RIVYA, JSON], 400),
    "compressed form": ("/api/v1/files", [RIVYA, FORM, b"Content-Encoding: gzip"], 400),
    "no such path": ("/api/v1/nothing", [RIVYA, JSON], 404),
    "no such method": ("/api/v1/credits", [RIVYA, JSON], 405),
    "unknown scenario": ("/api/v1/credits", [RIVYA, JSON, b"Mock-Scenario: none"], 400),
    "no such world": ("/_mock/worlds/none/clock/advance", [JSON], 404),
    "another page": ("/_mock/worlds", [JSON, b"Origin: https://evil.example"], 403),
}
EXPECT = b"Expect: 100-continue"


def only(*pieces: bytes) -> Answer:
    (answer,) = served(*pieces).answers
    return answer


def sentence(answer: Answer) -> str:
    """The sentence of a refusal in any envelope."""
    told: Any = json.loads(answer.body)
    return str(told["error"]["message"] if "error" in told else told["title"])


@pytest.mark.parametrize("what", TAKING)
def test_a_client_that_expects_100_is_told_to_send_its_body(what: str) -> None:
    method, path, headers, body = TAKING[what]
    head = asked(method, path, *headers, EXPECT, body=body).removesuffix(body)
    assert served(head).statuses == [100]
    first, answer = served(head, body).answers
    assert (first.status, answer.status // 100) == (100, 2)


@pytest.mark.parametrize("why", REFUSED)
def test_a_client_that_expects_100_is_refused_before_its_body(why: str) -> None:
    path, headers, status = REFUSED[why]
    head = asked("POST", path, *headers, EXPECT, body=ORDER).removesuffix(ORDER)
    conversation = served(head)
    assert conversation.statuses == [status]
    assert conversation.is_closed


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("what", TAKING)
def test_a_body_declared_too_large_is_refused_before_it_is_sent(what: str, *, asks: bool) -> None:
    method, path, headers, body = TAKING[what]
    head = asked(method, path, *headers, *([EXPECT] if asks else []), body=body)
    head = head.removesuffix(body).replace(b"Content-Length: ", b"Content-Length: 99999999999")
    answer = only(head)
    assert answer.status == 400
    assert "is larger than" in sentence(answer)


@pytest.mark.parametrize("what", TAKING)
def test_a_compressed_body_is_refused_by_the_name_of_its_header(what: str) -> None:
    method, path, headers, body = TAKING[what]
    packed = gzip.compress(body)
    answer = only(asked(method, path, *headers, b"Content-Encoding: gzip", body=packed))
    assert answer.status == 400
    assert sentence(answer).startswith("header Content-Encoding: is 'gzip'")
    plain = only(asked(method, path, *headers, b"Content-Encoding: Identity", body=body))
    assert plain.status // 100 == 2


@pytest.mark.parametrize("what", [each for each in TAKING if each != "upload"])
@pytest.mark.parametrize("has_type", [True, False])
def test_a_missing_body_is_reported_as_missing(what: str, *, has_type: bool) -> None:
    method, path, headers, _ = TAKING[what]
    answer = only(asked(method, path, *(each for each in headers if has_type or each != JSON)))
    assert answer.status == 400
    assert "the body is empty" in sentence(answer) or "is required" in sentence(answer)


def test_an_inbox_takes_a_compressed_body_as_it_is() -> None:
    body = gzip.compress(ORDER)
    packed = asked("POST", "/_mock/inbox/default/a", b"Content-Encoding: gzip", body=body)
    assert only(packed).status == 200
