"""Inboxes: they keep every request, verify its signature, and answer by a program."""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from standardwebhooks import Webhook

from tests import calls
from tests.asgi import Answer
from tests.live import WAIT_S, Live, live
from tests.mock import KEY, START_MS, TOKEN, VIDEO, MakeMock, Mock

Sign = Callable[[str, bytes, int], dict[str, str]]
WORLD = "/_mock/worlds/default"
INBOX = "/_mock/inbox/default"
NOW_S = START_MS // 1000
JSON = {"content-type": "application/json"}
EVENT = '{"id":"evt_1","text":"Grüße 🎬"}'.encode()
EVENTS = ["generation.succeeded", "generation.failed"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def post(mock: Live, name: str = "a", **request: Any) -> httpx2.Response:
    return httpx2.post(f"{mock.url}{INBOX}/{name}", timeout=WAIT_S, **request)


def inbox(mock: Live, name: str = "a") -> Any:
    return httpx2.get(f"{mock.url}{WORLD}/inbox/{name}").json()


def program(mock: Live, *answers: dict[str, Any], name: str = "a") -> None:
    url = f"{mock.url}{WORLD}/inbox/{name}"
    assert httpx2.put(url, json={"answers": answers}).status_code == 200


def statuses(mock: Live, count: int) -> list[int]:
    return [post(mock).status_code for _ in range(count)]


def looked_at(mock: Mock, name: str = "a") -> Any:
    answer = mock.request("GET", f"{WORLD}/inbox/{name}")
    assert answer.status == 200
    return answer.json()


def put_program(mock: Mock, program: Any, name: str = "a") -> Answer:
    raw = program if isinstance(program, bytes) else json.dumps(program).encode()
    return mock.request("PUT", f"{WORLD}/inbox/{name}", headers=JSON, body=raw)


def taken(mock: Mock, body: bytes, headers: dict[str, str], name: str = "a") -> Any:
    """The verdict of an inbox on the signature of a request."""
    answer = mock.request("POST", f"{INBOX}/{name}", headers=headers, body=body)
    assert answer.status == 200
    return looked_at(mock, name)["requests"][-1]["signature"]


def registered(mock: Mock, name: str = "a") -> Any:
    """A webhook endpoint that leads to an inbox."""
    body = {"url": f"http://127.0.0.1{INBOX}/{name}", "event_types": EVENTS}
    return mock.rivya("POST", "/webhooks", body).json()


def rotated(mock: Mock, endpoint: Any) -> str:
    answer = mock.rivya("POST", f"/webhooks/{endpoint['id']}/rotate-secret").json()
    secret: str = answer["signing_secret"]
    return secret


# --- what is kept ----------------------------------------------------------------------------


def test_a_new_inbox_is_empty(mock: Mock) -> None:
    assert looked_at(mock) == {"name": "a", "requests": [], "evicted": 0, "answers": []}


def test_a_request_is_kept_byte_for_byte() -> None:
    body = bytes(range(256)) + "Grüße".encode("utf-16")
    headers = [(b"X-Twice", b"one"), (b"x-twice", b"two"), (b"X-Odd", b"caf\xe9")]
    with live() as mock:
        url = f"{mock.url}{INBOX}/a?a=1&a=2&b=%20%C3%BC&c"
        sent = httpx2.post(url, content=body, headers=headers)
        (kept,) = inbox(mock)["requests"]
    assert (sent.status_code, sent.content) == (200, b"")
    assert b64decode(kept["body_base64"]) == body
    assert kept["body"] == body.decode(errors="replace")
    assert kept["size_bytes"] == len(body)
    assert (kept["method"], kept["path"]) == ("POST", f"{INBOX}/a")
    assert kept["query"] == "a=1&a=2&b=%20%C3%BC&c"
    wanted = [pair for pair in kept["headers"] if pair[0].startswith("x-")]
    assert wanted == [["x-twice", "one"], ["x-twice", "two"], ["x-odd", "caf\xe9"]]
    assert kept["at"] == "2026-05-11T00:00:00.000Z"
    assert kept["answered"] == 200


def test_headers_are_kept_in_the_order_they_came() -> None:
    names = ["x-c", "x-a", "x-b"]
    with live() as mock:
        post(mock, headers=[(name, "1") for name in names])
        (kept,) = inbox(mock)["requests"]
    assert [name for name, _ in kept["headers"] if name in names] == names


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_accepted(method: str) -> None:
    with live() as mock:
        url = f"{mock.url}{INBOX}/a"
        assert httpx2.request(method, url, content=b"told").status_code == 200
        (kept,) = inbox(mock)["requests"]
    assert (kept["method"], kept["body"]) == (method, "told")


def test_requests_are_shown_oldest_first_at_the_worlds_time(mock: Mock) -> None:
    for body in (b"1", b"2", b"3"):
        mock.request("POST", f"{INBOX}/a", body=body)
        mock.advance(1)
    kept = looked_at(mock)["requests"]
    assert [(each["body"], each["at"][17:]) for each in kept] == [
        ("1", "00.000Z"),
        ("2", "01.000Z"),
        ("3", "02.000Z"),
    ]


def test_reading_an_inbox_removes_nothing(mock: Mock) -> None:
    mock.request("POST", f"{INBOX}/a")
    assert looked_at(mock) == looked_at(mock)


def test_each_name_is_an_inbox_of_its_own(mock: Mock) -> None:
    mock.request("POST", f"{INBOX}/a", body=b"one")
    put_program(mock, {"answers": [{"status": 500}]}, "b")
    assert mock.request("POST", f"{INBOX}/b").status == 500
    assert [each["body"] for each in looked_at(mock)["requests"]] == ["one"]


def test_the_oldest_requests_are_evicted_and_counted(mock: Mock) -> None:
    most = mock.world.rules.inbox_requests
    for number in range(most + 3):
        mock.request("POST", f"{INBOX}/a", body=b"%d" % number)
    shown = looked_at(mock)
    assert shown["evicted"] == 3
    bodies = [int(each["body"]) for each in shown["requests"]]
    assert bodies == list(range(3, most + 3))


def test_a_long_body_is_cut_and_shown_with_its_length(
    make_mock: MakeMock,
) -> None:
    mock = make_mock(limits__body_bytes=3 << 20)
    most = mock.world.rules.inbox_body_bytes
    mock.request("POST", f"{INBOX}/a", body=b"x" * most + b"y")
    (kept,) = looked_at(mock)["requests"]
    assert b64decode(kept["body_base64"]) == b"x" * most
    assert kept["size_bytes"] == most + 1


def test_a_body_past_the_limit_is_refused_and_not_kept(make_mock: MakeMock) -> None:
    mock = make_mock(limits__body_bytes=10)
    answer = mock.request("POST", f"{INBOX}/a", body=b"x" * 11)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert looked_at(mock)["requests"] == []


# --- the verdict on a signature ---------------------------------------------------------------


def rivyas(secret: str, body: bytes, at_s: int) -> dict[str, str]:
    digest = hmac.new(secret.encode(), b"%d." % at_s + body, "sha256").hexdigest()
    return {"rivya-signature": f"t={at_s},v1={digest}"}


def standard(secret: str, body: bytes, at_s: int) -> dict[str, str]:
    signature = Webhook(secret).sign("evt_1", datetime.fromtimestamp(at_s, UTC), body.decode())
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(at_s),
        "webhook-signature": signature,
    }


BOTH_SCHEMES = pytest.mark.parametrize("sign", [rivyas, standard])


@BOTH_SCHEMES
def test_the_right_signature_is_valid(mock: Mock, sign: Sign) -> None:
    secret = registered(mock)["signing_secret"]
    assert taken(mock, EVENT, sign(secret, EVENT, NOW_S))["valid"] is True


@BOTH_SCHEMES
def test_the_signature_of_another_secret_is_not_valid(mock: Mock, sign: Sign) -> None:
    registered(mock)
    foreign = registered(mock, "b")["signing_secret"]
    verdict = taken(mock, EVENT, sign(foreign, EVENT, NOW_S))
    assert verdict == {"valid": False, "reason": "another secret or another body was signed"}


@BOTH_SCHEMES
def test_a_body_that_was_altered_is_not_what_was_signed(mock: Mock, sign: Sign) -> None:
    secret = registered(mock)["signing_secret"]
    verdict = taken(mock, EVENT + b" ", sign(secret, EVENT, NOW_S))
    assert verdict == {"valid": False, "reason": "another secret or another body was signed"}


@BOTH_SCHEMES
@pytest.mark.parametrize(
    ("off_s", "reason"), [(-301, "signed 301 s ago; at most"), (301, "signed 301 s ahead; at most")]
)
def test_a_signature_with_an_old_time_is_genuine_and_not_valid(
    mock: Mock, sign: Sign, off_s: int, reason: str
) -> None:
    secret = registered(mock)["signing_secret"]
    verdict = taken(mock, EVENT, sign(secret, EVENT, NOW_S + off_s))
    assert verdict["valid"] is False
    assert verdict["reason"].startswith(reason)


@BOTH_SCHEMES
@pytest.mark.parametrize("off_s", [-300, 300])
def test_a_signature_with_a_recent_time_is_valid(mock: Mock, sign: Sign, off_s: int) -> None:
    secret = registered(mock)["signing_secret"]
    assert taken(mock, EVENT, sign(secret, EVENT, NOW_S + off_s))["valid"] is True


@BOTH_SCHEMES
def test_a_secret_that_was_rotated_away_signs_nothing(mock: Mock, sign: Sign) -> None:
    endpoint = registered(mock)
    new = rotated(mock, endpoint)
    old = endpoint["signing_secret"]
    assert taken(mock, EVENT, sign(old, EVENT, NOW_S))["valid"] is False
    assert taken(mock, EVENT, sign(new, EVENT, NOW_S))["valid"] is True


@BOTH_SCHEMES
def test_both_secrets_are_valid_in_the_overlap_and_then_only_the_new_one(
    make_mock: MakeMock, sign: Sign
) -> None:
    mock = make_mock(rivya__rotation_overlap_s=60)
    endpoint = registered(mock)
    new = rotated(mock, endpoint)
    seen = []
    for seconds in (0, 59, 1):
        mock.advance(seconds)
        seen += [
            taken(mock, EVENT, sign(secret, EVENT, NOW_S))["valid"]
            for secret in (endpoint["signing_secret"], new)
        ]
    assert seen == [True, True, True, True, False, True]


@BOTH_SCHEMES
def test_the_signature_of_a_cut_body_is_checked_over_the_whole_body(
    make_mock: MakeMock, sign: Sign
) -> None:
    mock = make_mock(limits__body_bytes=3 << 20)
    body = b"x" * (mock.world.rules.inbox_body_bytes + 1)
    secret = registered(mock)["signing_secret"]
    assert taken(mock, body, sign(secret, body, NOW_S))["valid"] is True


def test_no_signature_is_no_verdict(mock: Mock) -> None:
    registered(mock)
    assert taken(mock, EVENT, {}) == {"valid": None, "reason": "not signed"}


@BOTH_SCHEMES
def test_an_inbox_without_an_endpoint_has_no_secret(mock: Mock, sign: Sign) -> None:
    secret = registered(mock, "b")["signing_secret"]
    assert taken(mock, EVENT, sign(secret, EVENT, NOW_S))["valid"] is False


@pytest.mark.parametrize(
    "headers",
    [
        {"rivya-signature": ""},
        {"rivya-signature": "v1=0"},
        {"rivya-signature": f"t={NOW_S}"},
        {"rivya-signature": f"t={NOW_S},t={NOW_S},v1=0"},
        {"rivya-signature": "t=soon,v1=0"},
        {"rivya-signature": "t=\xb2,v1=0"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,", "webhook-timestamp": "soon", "webhook-id": "evt_1"},
        {"webhook-signature": "", "webhook-timestamp": str(NOW_S), "webhook-id": "evt_1"},
        {"webhook-signature": " ", "webhook-timestamp": str(NOW_S), "webhook-id": "evt_1"},
    ],
)
@pytest.mark.parametrize("name", ["a", "nobodys"])
def test_a_malformed_signature_is_not_valid(mock: Mock, headers: dict[str, str], name: str) -> None:
    registered(mock)
    verdict = taken(mock, EVENT, headers, name)
    assert verdict["valid"] is False
    assert verdict["reason"]


def test_the_header_to_look_for_is_a_setting(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__signature_header="X-Signed")
    secret = registered(mock)["signing_secret"]
    signature = rivyas(secret, EVENT, NOW_S)["rivya-signature"]
    assert taken(mock, EVENT, {"x-signed": signature})["valid"] is True
    assert taken(mock, EVENT, {"rivya-signature": signature})["valid"] is None


@pytest.mark.parametrize("name", ["a%20b", "%C3%BC"])
@BOTH_SCHEMES
def test_the_name_of_an_inbox_may_need_escapes_in_its_url(
    make_mock: MakeMock, sign: Sign, name: str
) -> None:
    mock = make_mock()
    secret = registered(mock, name)["signing_secret"]
    plain = httpx2.URL(f"http://x/{name}").path[1:]
    assert taken(mock, EVENT, sign(secret, EVENT, NOW_S), plain)["valid"] is True


def asked(mock: Mock, **fields: Any) -> str:
    """A task with a callback; its id."""
    body = VIDEO | {"callback_url": f"http://127.0.0.1{INBOX}/a"} | fields
    task_id: str = mock.acedata("/videos", body).json()["task_id"]
    return task_id


def called_back(secret: str, body: bytes) -> dict[str, str]:
    return {"x-callback-signature": hmac.new(secret.encode(), body, "sha256").hexdigest()}


def test_a_callback_signed_with_the_secret_of_its_task_is_valid(mock: Mock) -> None:
    body = json.dumps({"task_id": asked(mock, callback_secret="s3cret")}).encode()
    assert taken(mock, body, called_back("s3cret", body))["valid"] is True


def test_a_callback_signed_with_another_secret_is_not_valid(mock: Mock) -> None:
    body = json.dumps({"task_id": asked(mock, callback_secret="s3cret")}).encode()
    verdict = taken(mock, body, called_back("other", body))
    assert verdict == {"valid": False, "reason": "another secret or another body was signed"}


def test_a_callback_that_was_altered_is_not_valid(mock: Mock) -> None:
    body = json.dumps({"task_id": asked(mock, callback_secret="s3cret")}).encode()
    assert taken(mock, body + b"\n", called_back("s3cret", body))["valid"] is False


@pytest.mark.parametrize(
    "body", [b"", b"nope", b"\xff", b"[]", b"{}", b'{"task_id":7}', b'{"task_id":"unknown"}']
)
def test_a_signed_callback_that_names_no_task_is_not_valid(mock: Mock, body: bytes) -> None:
    verdict = taken(mock, body, called_back("s3cret", body))
    assert verdict == {"valid": False, "reason": "no task that gave a callback_secret is named"}


def test_a_signed_callback_of_a_task_without_a_secret_is_not_valid(mock: Mock) -> None:
    body = json.dumps({"task_id": asked(mock)}).encode()
    assert taken(mock, body, called_back("", body))["valid"] is False


@pytest.mark.parametrize("scheme", ["rivya", "standard"])
def test_what_the_server_sends_to_its_own_inbox_is_valid(scheme: str) -> None:
    with live(rivya__webhook_signature=scheme) as mock:
        headers = {"authorization": f"Bearer {KEY}"}
        with httpx2.Client(base_url=f"{mock.url}/api/v1", headers=headers) as client:
            body = {"url": f"{mock.url}{INBOX}/a", "event_types": EVENTS}
            client.post("/webhooks", json=body)
            client.post("/generations", json={"model": "hailuo-pro", "prompt": "a"})
        mock.advance(1)
        (kept,) = inbox(mock)["requests"]
    assert kept["signature"]["valid"] is True
    assert json.loads(kept["body"])["type"] == "generation.succeeded"


def test_a_callback_to_an_inbox_of_the_same_server_is_valid_too() -> None:
    with live(acedata__sign_callbacks=True) as mock:
        fields = {"callback_url": f"{mock.url}{INBOX}/a", "callback_secret": "s3cret"}
        headers = {"authorization": f"Bearer {TOKEN}"}
        httpx2.post(f"{mock.url}/hailuo/videos", json=VIDEO | fields, headers=headers)
        mock.advance(1)
        (kept,) = inbox(mock)["requests"]
    assert kept["signature"]["valid"] is True


# --- how it answers --------------------------------------------------------------------------


def test_an_inbox_answers_its_program_and_then_200() -> None:
    with live() as mock:
        program(mock, {"status": 500, "times": 2}, {"status": 429})
        assert statuses(mock, 5) == [500, 500, 429, 200, 200]
        answered = [kept["answered"] for kept in inbox(mock)["requests"]]
    assert answered == [500, 500, 429, 200, 200]


def test_an_answer_has_the_status_headers_and_body_it_was_given() -> None:
    headers = {"retry-after": "60", "X-Odd": "yes", "content-type": "text/html"}
    with live() as mock:
        program(mock, {"status": 503, "headers": headers, "body": "Grüße"})
        answer = post(mock)
    assert (answer.status_code, answer.content) == (503, "Grüße".encode())
    assert {name: answer.headers[name] for name in headers} == headers


def test_an_answer_can_be_delayed() -> None:
    with live() as mock:
        program(mock, {"delay_s": 0.05, "status": 202})
        began = time.monotonic()
        assert post(mock).status_code == 202
        assert time.monotonic() - began >= 0.05


def test_a_request_without_an_answer_is_kept() -> None:
    with live() as mock:
        program(mock, {"hang": True})
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.post(f"{mock.url}{INBOX}/a", timeout=0.05)
        (kept,) = inbox(mock)["requests"]
        assert kept["answered"] is None
        assert statuses(mock, 1) == [200]


def test_an_answer_can_be_cut() -> None:
    with live() as mock:
        program(mock, {"cut": True, "body": "x" * 100, "status": 201})
        with httpx2.Client() as client, pytest.raises(httpx2.RemoteProtocolError):
            client.post(f"{mock.url}{INBOX}/a")
        (kept,) = inbox(mock)["requests"]
        assert kept["answered"] == 201
        assert statuses(mock, 1) == [200]


def test_half_of_a_cut_answer_arrives() -> None:
    with live() as mock:
        program(mock, {"cut": True, "body": "x" * 100, "status": 201})
        with httpx2.stream("POST", f"{mock.url}{INBOX}/a") as answer:
            assert next(answer.iter_raw()) == b"x" * 50
    assert answer.status_code == 201


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_delivery_follows_a_redirect_of_an_inbox(status: int) -> None:
    with live() as mock:
        program(mock, {"status": status, "headers": {"location": f"{INBOX}/b"}})
        fields = {"callback_url": f"{mock.url}{INBOX}/a"}
        headers = {"authorization": f"Bearer {TOKEN}"}
        httpx2.post(f"{mock.url}/hailuo/videos", json=VIDEO | fields, headers=headers)
        mock.advance(1)
        (kept,) = inbox(mock)["requests"]
        assert inbox(mock, "b")["requests"] == []
        deliveries = httpx2.get(f"{mock.url}{WORLD}/deliveries").json()["deliveries"]
    assert kept["answered"] == status
    assert deliveries[0]["state"] == "failed"


def test_a_retry_gets_the_next_answer() -> None:
    with live(acedata__callback_waits_s=[60, 60]) as mock:
        program(mock, {"status": 503, "headers": {"retry-after": "90"}}, {"cut": True})
        fields = {"callback_url": f"{mock.url}{INBOX}/a"}
        headers = {"authorization": f"Bearer {TOKEN}"}
        httpx2.post(f"{mock.url}/hailuo/videos", json=VIDEO | fields, headers=headers)
        mock.advance(1000)
        kept = inbox(mock)["requests"]
        deliveries = httpx2.get(f"{mock.url}{WORLD}/deliveries").json()["deliveries"]
    assert [each["at"][14:19] for each in kept] == ["00:01", "01:31", "02:31"]
    assert deliveries[0]["state"] == "succeeded"


def test_the_remaining_answers_are_shown(mock: Mock) -> None:
    planned = [{"status": 500, "times": 2}, {"status": 429, "headers": {"x": "y"}}]
    assert put_program(mock, {"answers": planned}).json()["answers"] == planned
    assert looked_at(mock)["answers"] == planned
    for _ in range(2):
        mock.request("POST", f"{INBOX}/a")
    assert looked_at(mock)["answers"] == planned[1:]


def test_a_partly_used_answer_shows_how_often_it_remains(mock: Mock) -> None:
    put_program(mock, {"answers": [{"status": 500, "times": 3}]})
    mock.request("POST", f"{INBOX}/a")
    assert looked_at(mock)["answers"] == [{"status": 500, "times": 2}]


def test_a_new_program_replaces_the_old_one(mock: Mock) -> None:
    put_program(mock, {"answers": [{"status": 500, "times": 5}]})
    mock.request("POST", f"{INBOX}/a")
    put_program(mock, {"answers": [{"status": 400, "times": 2}]})
    seen = [mock.request("POST", f"{INBOX}/a").status for _ in range(3)]
    assert seen == [400, 400, 200]


def test_an_empty_program_answers_200(mock: Mock) -> None:
    put_program(mock, {"answers": [{"status": 500, "times": 5}]})
    put_program(mock, {"answers": []})
    assert mock.request("POST", f"{INBOX}/a").status == 200


def test_a_program_is_not_kept_as_a_request(mock: Mock) -> None:
    put_program(mock, {"answers": [{"status": 500}]})
    assert looked_at(mock)["requests"] == []


def test_a_server_that_stops_waits_for_no_request_that_hangs() -> None:
    began = time.monotonic()
    with live() as mock:
        program(mock, {"hang": True, "times": 2}, {"delay_s": 3600})
        for _ in range(3):
            with pytest.raises(httpx2.ReadTimeout):
                httpx2.post(f"{mock.url}{INBOX}/a", timeout=0.05)
    assert time.monotonic() - began < WAIT_S


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "pointer", "hint"),
    [
        *[(b"", "", "JSON"), (b"nope", "", "JSON"), ([], "", "an object")],
        *[({}, "/answers", "required"), ({"answer": []}, "/answers", "answer")],
        ({"answers": {}}, "/answers", "an array"),
        ({"answers": [5]}, "/answers/0", "an object"),
        ({"answers": [{}, {"statsu": 500}]}, "/answers/1/statsu", "did you mean 'status'"),
        ({"answers": [{"status": 199}]}, "/answers/0/status", "200"),
        ({"answers": [{"status": 600}]}, "/answers/0/status", "599"),
        ({"answers": [{"status": "500"}]}, "/answers/0/status", "an integer"),
        ({"answers": [{"status": 500.5}]}, "/answers/0/status", "an integer"),
        ({"answers": [{"times": 0}]}, "/answers/0/times", "1"),
        ({"answers": [{"times": 10**7}]}, "/answers/0/times", "1000000"),
        ({"answers": [{"delay_s": -0.1}]}, "/answers/0/delay_s", "0"),
        ({"answers": [{"delay_s": 3601}]}, "/answers/0/delay_s", "3600"),
        ({"answers": [{"hang": "yes"}]}, "/answers/0/hang", "a boolean"),
        ({"answers": [{"cut": 1}]}, "/answers/0/cut", "a boolean"),
        ({"answers": [{"body": 5}]}, "/answers/0/body", "a string"),
        ({"answers": [{"body": "x" * 65537}]}, "/answers/0/body", "65536"),
        ({"answers": [{"headers": []}]}, "/answers/0/headers", "an object"),
        ({"answers": [{"headers": {"x": 5}}]}, "/answers/0/headers/x", "a string"),
        ({"answers": [], "hang": True}, "/hang", "no field"),
    ],
)
def test_a_wrong_program_is_refused_at_its_place_and_changes_nothing(
    mock: Mock, program: Any, pointer: str, hint: str
) -> None:
    put_program(mock, {"answers": [{"status": 418}]})
    calls.require_refused(put_program(mock, program), pointer, hint)
    assert looked_at(mock)["answers"] == [{"status": 418}]


@pytest.mark.parametrize(
    "headers", [{"x": "€"}, {"x": "a\r\ny: b"}, {"x y": "a"}, {"": "a"}, {"x:": "a"}, {"ü": "a"}]
)
def test_headers_that_cannot_be_sent_are_refused(mock: Mock, headers: dict[str, str]) -> None:
    answer = put_program(mock, {"answers": [{"headers": headers}]})
    assert answer.status == 400
    assert answer.json()["errors"][0]["pointer"].startswith("/answers/0/headers")


def test_a_whole_number_may_have_a_decimal_point(mock: Mock) -> None:
    answer = put_program(mock, b'{"answers": [{"status": 500.0}]}')
    assert answer.status in {200, 400}


@pytest.mark.parametrize("path", ["/_mock/inbox/defualt/a", "/_mock/worlds/defualt/inbox/a"])
def test_an_unknown_world_has_no_inbox(mock: Mock, path: str) -> None:
    answer = mock.request("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "did you mean 'default'" in answer.json()["title"]


def test_an_unknown_world_accepts_no_program(mock: Mock) -> None:
    answer = mock.request(
        "PUT", "/_mock/worlds/nowhere/inbox/a", headers=JSON, body=b'{"answers": []}'
    )
    assert answer.status == 404
