"""The journal as JSON, NDJSON and HAR: complete, repeatable, and without credentials."""

from __future__ import annotations

import json
import random
from base64 import b64decode
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.accounts import Key
from mock_server.core.journal import Exchange
from mock_server.core.redaction import REDACTED
from mock_server.core.world import World
from mock_server.door.journal_export import Record
from mock_server.edge.timestamps import moment_text
from tests import calls
from tests.live import WAIT_S, live
from tests.mock import KEY, MINIMAL, PNG, TOKEN, VIDEO, MakeMock, Mock, form

WORLD = "/_mock/worlds/default"
REQUESTS = f"{WORLD}/requests"
JSON = {"content-type": "application/json"}
AUTHORIZED = JSON | {"authorization": f"Bearer {KEY}"}
OTHER = JSON | {"authorization": f"Bearer {TOKEN}"}
HELD = calls.Request("POST", "/hailuo/videos", OTHER, json.dumps(VIDEO).encode())
FORMATS = ["json", "ndjson", "har"]


def export(mock: Mock, format_: str) -> bytes:
    answer = mock.request("GET", f"{REQUESTS}?format={format_}")
    assert answer.status == 200
    return answer.body


def har_entries(mock: Mock) -> list[Any]:
    entries: list[Any] = json.loads(export(mock, "har"))["log"]["entries"]
    return entries


def everything_shown(mock: Mock) -> str:
    """The whole journal in every format, decoded."""
    told = [export(mock, format_) for format_ in FORMATS]
    told += [mock.request("GET", f"{REQUESTS}/{kept.id}").body for kept in mock.world.journal]
    for match in ({"method": "NONE"}, {"path": "/none"}, {"body": {"": 1}}):
        body = json.dumps({"match": match}).encode()
        told.append(mock.request("POST", f"{REQUESTS}/verify", headers=JSON, body=body).body)
    return "\n".join(text for document in told for text in readings(document))


def readings(document: bytes) -> Iterator[str]:
    """A document, and every text in it in each decoding."""
    yield document.decode()
    for line in document.splitlines():
        for text in texts(json.loads(line)):
            yield from (text, unquote(text))
            try:
                packed = b64decode(text, validate=True).decode(errors="replace")
            except ValueError:
                packed = text
            yield packed
            try:
                yield from texts(json.loads(packed))
            except ValueError:
                continue


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    children = (
        [*node, *node.values()]
        if isinstance(node, dict)
        else node
        if isinstance(node, list)
        else []
    )
    for child in children:
        yield from texts(child)


# --- no credential ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Authorization", "authorization", "AUTHORIZATION", "aUthOriZation"]
)
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer  ", "Basic ", "", "Token "])
def test_the_authorization_header_is_hidden(mock: Mock, name: str, scheme: str) -> None:
    secret = "never-issued-secret"
    scope_ = {"headers": [(name.encode(), f"{scheme}{secret}".encode())]}
    exchange = mock.world.open_exchange("GET", "/")
    exchange.request_headers, exchange.ended_ms = scope_["headers"], 0
    told = everything_shown(mock)
    assert secret not in told
    assert REDACTED in told


@pytest.mark.parametrize(
    "name",
    ["Mock-Control-Token", "MOCK-CONTROL-TOKEN", "Cookie", "Proxy-Authorization", "X-API-Key"],
)
def test_every_other_header_with_a_credential_is_hidden(mock: Mock, name: str) -> None:
    mock.request("GET", "/api/v1/models", headers={name: "sesame-open"})
    exchange = mock.world.open_exchange("GET", "/")
    exchange.request_headers = [(name.encode(), b"sesame-open")]
    exchange.answer_headers, exchange.status = [(b"Set-Cookie", b"sesame-open")], 200
    assert "sesame-open" not in everything_shown(mock)


def test_the_control_token_is_hidden(make_mock: MakeMock) -> None:
    mock = make_mock(control_token="sesame-open")
    token = {"Mock-Control-Token": "sesame-open"}
    mock.request("GET", "/api/v1/models", headers=token)
    for format_ in FORMATS:
        answer = mock.request("GET", f"{REQUESTS}?format={format_}", headers=token)
        assert answer.status == 200
        assert "sesame-open" not in "\n".join(readings(answer.body))


@pytest.mark.parametrize("key", [KEY, TOKEN])
def test_a_key_is_hidden_everywhere(mock: Mock, key: str) -> None:
    escaped = "".join(f"\\u{ord(letter):04X}" for letter in key)
    mock.create(prompt=f"my key is {key}, {key}")
    mock.rivya(
        "POST", "/generations", b'{"model": "hailuo-pro", "prompt": "%b"}' % escaped.encode()
    )
    mock.rivya("POST", "/generations", {key: 1})
    mock.rivya("POST", "/generations", key.encode())
    mock.create(model=key)
    mock.rivya("GET", f"/generations/{key}")
    mock.rivya("GET", f"/credits?key={key}&again={key}")
    mock.rivya("GET", "/credits?key=" + "".join(f"%{ord(letter):02x}" for letter in key))
    mock.rivya("GET", "/credits", headers={"x-other": f"a {key} b", "referer": quote(key, safe="")})
    mock.rivya("GET", "/credits", key=f"{key}+insufficient_credits")
    mock.request("GET", f"/media/default/{key}.mp4")
    mock.request("GET", f"/media/default/files/{key}/{key}.png?token={key}")
    mock.upload(name=f"{key}.png")
    assert key not in everything_shown(mock)


def test_the_answer_to_the_client_is_not_changed(mock: Mock) -> None:
    answer = mock.rivya("POST", "/webhooks", HOOK)
    everything_shown(mock)
    assert mock.rivya("GET", f"/webhooks/{answer.json()['id']}").status == 200
    (first, *_) = mock.world.journal
    assert answer.json()["signing_secret"].encode() in first.answer_body


HOOK = {"url": "http://127.0.0.1:9/hook", "event_types": ["generation.succeeded"]}


def test_every_signing_secret_is_hidden_also_a_rotated_one(mock: Mock) -> None:
    endpoint = mock.rivya("POST", "/webhooks", HOOK).json()
    path = f"/webhooks/{endpoint['id']}"
    rotated = mock.rivya("POST", f"{path}/rotate-secret").json()
    for secret in (endpoint["signing_secret"], rotated["signing_secret"]):
        assert secret.startswith("whsec_")
        mock.create(prompt=f"is it {secret}?")
        assert secret not in everything_shown(mock)
    mock.rivya("DELETE", path)
    told = everything_shown(mock)
    assert rotated["signing_secret"] not in told.replace(f"is it {rotated['signing_secret']}", "")


@pytest.mark.parametrize("name", ["callback_secret", "signing_secret", "callback\\u005fsecret"])
@pytest.mark.parametrize(
    "spelled",
    [
        '"hush-hush"',
        r'"hush\"hush-hush"',
        r'"\"hush-hush"',
        r'"hush\\\"hush-hush\\"',
        r'"\u0068ush-hush"',
        '"hush\nhush-hush"',
        '"hush\\\nhush-hush"',
        '"Grüße hush-hush"',
        '"hush-hush',
    ],
)
def test_a_secret_with_special_characters_is_hidden_whole(
    mock: Mock, name: str, spelled: str
) -> None:
    for space in ("", " ", "\n\t "):
        member = f'"{name}"{space}:{space}{spelled}'
        body = f'{{"action": "generate", "async": true, "prompt": "tell me", {member}}}'
        mock.acedata("/videos", body.encode())
    told = everything_shown(mock)
    assert "hush" not in told
    assert "tell me" in told


def test_a_secret_that_is_no_text_is_hidden_too(mock: Mock) -> None:
    mock.acedata(
        "/videos", b'{"async": true, "callback_secret": 7215551234, "signing_secret":7215551234}'
    )
    assert "7215551234" not in everything_shown(mock)


def test_only_the_value_of_a_secret_is_hidden(mock: Mock) -> None:
    mock.acedata("/videos", VIDEO | {"async": True, "callback_secret": "hush", "note": "_secret"})
    body = json.loads(json.loads(export(mock, "json"))["requests"][0]["request"]["body"])
    assert body == VIDEO | {"async": True, "callback_secret": REDACTED, "note": "_secret"}


LATER = {"name": "later", "credits": 1}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_key_that_is_issued_later_is_hidden_in_what_came_before(mock: Mock, method: str) -> None:
    mock.create(prompt="brand-new-key and brand-new")
    assert "brand-new-key" in everything_shown(mock)
    key = {"key": "brand-new-key", "api": "rivya"}
    body: dict[str, Any] = {"keys": [key]} | (LATER if method == "POST" else {})
    path = f"{WORLD}/accounts" + ("" if method == "POST" else "/rivya-test")
    assert mock.request(method, path, headers=JSON, body=json.dumps(body).encode()).status < 300
    told = everything_shown(mock)
    assert "brand-new-key" not in told
    assert "and brand-new" in told


def test_a_key_that_begins_with_another_is_hidden_whole(mock: Mock) -> None:
    key = f"{KEY}-tail"
    mock.world.keys.put(Key(key, "rivya-test", "rivya"))
    mock.create(prompt=f"{key} {KEY}")
    told = everything_shown(mock)
    assert KEY not in told
    assert "-tail" not in told


def test_a_key_that_is_part_of_the_replacement_is_hidden_once(mock: Mock) -> None:
    mock.world.keys.put(Key("dact", "rivya-test", "rivya"))
    mock.create(prompt=f"{KEY} dact")
    body = json.loads(json.loads(export(mock, "json"))["requests"][0]["request"]["body"])
    assert body["prompt"] == f"{REDACTED} {REDACTED}"


@pytest.mark.parametrize("kept", range(86, 110))
def test_a_cut_body_shows_no_part_of_a_key(make_mock: MakeMock, kept: int) -> None:
    mock = make_mock(limits__journal_body_bytes=kept)
    key = "rvya_sk_" + "0123456789" * 3
    mock.world.keys.put(Key(key, "rivya-test", "rivya"))
    mock.rivya("POST", "/generations", b'{"prompt": "' + b"a" * 70 + key.encode() + b'"}')
    assert key[:4] not in everything_shown(mock)


SECRETS = st.text("".join(map(chr, range(0x21, 0x7F))), min_size=2, max_size=12).map("Zq".__add__)


def plain(letter: str) -> str:
    return letter


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": plain,
    "url": lambda letter: quote(letter, safe=""),
    "URL": lambda letter: f"%{ord(letter):02X}",
    "url of all": lambda letter: f"%{ord(letter):02x}",
    "json": lambda letter: json.dumps(letter)[1:-1],
    "JSON": lambda letter: f"\\u{ord(letter):04x}",
    "JSON of all": lambda letter: f"\\u{ord(letter):04X}",
}
IN_URLS = [plain, *(SPELLINGS[name] for name in ("url", "URL", "url of all"))]
IN_JSON = [SPELLINGS[name] for name in ("json", "JSON", "JSON of all")]


@given(SECRETS, st.sampled_from(["body", "answer", "query", "path", "header"]), st.randoms())
def test_a_key_is_hidden_in_every_spelling_and_format(
    secret: str, place: str, chance: random.Random
) -> None:
    ways = IN_JSON if place in {"body", "answer"} else IN_URLS
    one_way = [chance.choice(ways)] if chance.random() < 0.5 else ways
    if plain in one_way and len(one_way) > 1 and "%" in secret:
        one_way = one_way[1:]  # a bare % beside escapes spells another text
    spelled = "".join(chance.choice(one_way)(letter) for letter in secret)
    document = f'{{"a": "{spelled}", "{spelled}": ["b {spelled}"]}}'.encode()
    exchange = Exchange("req_1", 0, "POST", "/")
    exchange.status = exchange.ended_ms = 200
    if place == "body":
        exchange.request_body, exchange.request_size_bytes = document, len(document)
    elif place == "answer":
        exchange.answer_body, exchange.answer_size_bytes = document, len(document)
    elif place == "query":
        exchange.query = f"a={spelled}&{spelled}"
    elif place == "path":
        exchange.path = f"/media/{spelled}"
    else:
        exchange.request_headers = [(b"x-a", spelled.encode())]
        exchange.answer_headers = [(b"location", f"/{spelled}?{spelled}".encode())]
    record = Record(world_with(secret))
    documents = [
        msgspec.json.encode(record.shown(exchange), enc_hook=moment_text),
        b"".join(record.har([exchange], {"api": "http://x"})),
        b"".join(record.ndjson([exchange])),
    ]
    for kept in documents:
        assert REDACTED in unquote(kept.decode())
        assert secret not in "\n".join(readings(kept)), spelled


def world_with(*secrets: str) -> World:
    mock = Mock()
    mock.driver.loop.close()
    for secret in secrets:
        mock.world.keys.put(Key(secret, "rivya-test", "rivya"))
    return mock.world


# --- HAR -------------------------------------------------------------------------------------

TEXT, NUMBER = {"type": "string"}, {"type": "number", "minimum": -1}


def _object(*optional: str, **members: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


WALL = {"type": ["string", "null"], "format": "date-time"}
PAIRS = _list(_object(name=TEXT, value=TEXT))
HAR = jsonschema_rs.Draft202012Validator(
    _object(
        log=_object(
            version={"const": "1.2"},
            creator=_object(name=TEXT, version=TEXT),
            comment=TEXT,
            entries=_list(
                _object(
                    "connection",
                    connection=TEXT,
                    _task={"type": ["string", "null"]},
                    _endedBy={"type": ["string", "null"]},
                    _sentBytes=NUMBER,
                    _startedWallDateTime=WALL,
                    _endedWallDateTime=WALL,
                    startedDateTime={"type": "string", "format": "date-time"},
                    time={"type": "number", "minimum": 0},
                    request=_object(
                        "postData",
                        method=TEXT,
                        url={"type": "string", "format": "uri"},
                        httpVersion=TEXT,
                        cookies=PAIRS,
                        headers=PAIRS,
                        queryString=PAIRS,
                        postData=_object(mimeType=TEXT, text=TEXT),
                        headersSize=NUMBER,
                        bodySize=NUMBER,
                    ),
                    response=_object(
                        status={"type": "integer", "minimum": 0},
                        statusText=TEXT,
                        httpVersion=TEXT,
                        cookies=PAIRS,
                        headers=PAIRS,
                        content=_object(
                            "encoding",
                            size={"type": "integer", "minimum": 0},
                            mimeType=TEXT,
                            text=TEXT,
                            encoding={"const": "base64"},
                        ),
                        redirectURL=TEXT,
                        headersSize=NUMBER,
                        bodySize=NUMBER,
                    ),
                    cache=_object(),
                    timings=_object(send=NUMBER, wait=NUMBER, receive=NUMBER),
                )
            ),
        )
    ),
    validate_formats=True,
)  # of the HAR 1.2 specification: what must be there, and of the rest what we write


def test_a_har_is_valid_for_every_request(mock: Mock) -> None:
    calls.OpenRequest(mock, HELD)
    task_id = mock.create().json()["id"]
    mock.upload()
    mock.advance(1)
    mock.request("GET", f"/media/default/{task_id}.mp4")
    for path in (
        "/",
        "/ä ö",
        "/a b?c=d e&f&c=%20",
        "//",
        "/%zz?%zz",
        '/\x7f[]{}|\\^`"<>?q=[{|\\"<>^`',
    ):
        mock.request("GET", path)
    mock.request("TRACE", "/api/v1/models")
    document = json.loads(export(mock, "har"))
    assert [str(error) for error in HAR.iter_errors(document)] == []
    assert len(document["log"]["entries"]) == 11


def test_a_har_without_entries_is_valid(mock: Mock) -> None:
    document = json.loads(export(mock, "har"))
    assert HAR.is_valid(document)
    assert document["log"]["entries"] == []


def test_an_entry_has_the_request_and_the_answer(mock: Mock) -> None:
    answer = mock.rivya("POST", "/generations?a=1&b=%20x&a=", MINIMAL)
    (entry,) = har_entries(mock)
    request, response = entry["request"], entry["response"]
    assert entry["startedDateTime"] == "2026-05-11T00:00:00.000Z"
    assert request["method"] == "POST"
    assert request["url"] == "http://mock.test/api/v1/generations?a=1&b=%20x&a="
    pairs = [(each["name"], each["value"]) for each in request["queryString"]]
    assert pairs == [("a", "1"), ("b", " x"), ("a", "")]
    assert request["postData"] == {"mimeType": "application/json", "text": json.dumps(MINIMAL)}
    assert request["bodySize"] == len(json.dumps(MINIMAL))
    assert {"name": "authorization", "value": REDACTED} in request["headers"]
    assert response["status"] == 200
    assert response["content"] == {
        "size": len(answer.body),
        "mimeType": "application/json",
        "text": answer.body.decode(),
    }
    assert {"name": "mock-world", "value": "default"} in response["headers"]


def test_the_time_of_an_answer_is_measured_by_the_clock_of_the_world(mock: Mock) -> None:
    held = calls.OpenRequest(mock, HELD)
    (entry,) = har_entries(mock)
    assert (entry["time"], entry["response"]["status"]) == (0, 0)
    mock.advance(1.25)
    mock.request("GET", "/_mock/health")
    held.answer()
    (entry,) = har_entries(mock)
    assert entry["time"] == sum(entry["timings"].values()) == 1250


def test_a_video_is_written_in_base_64(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    mock.advance(1)
    video = mock.request("GET", f"/media/default/{task_id}.mp4")
    content = har_entries(mock)[-1]["response"]["content"]
    assert (content["encoding"], content["mimeType"]) == ("base64", "video/mp4")
    assert b64decode(content["text"]) == video.body


# --- NDJSON ----------------------------------------------------------------------------------


def test_each_request_is_a_line(mock: Mock) -> None:
    mock.create(prompt="two\nlines\u2028here")
    mock.rivya("GET", "/credits")
    answer = mock.request("GET", f"{REQUESTS}?format=ndjson")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.body.endswith(b"\n")
    lines = [json.loads(line) for line in answer.body.split(b"\n")[:-1]]
    assert [line["path"] for line in lines] == ["/api/v1/generations", "/api/v1/credits"]
    assert all(list(line) == sorted(line) for line in lines)


def test_an_empty_journal_has_no_line(mock: Mock) -> None:
    assert export(mock, "ndjson") == b""


def test_headers_of_the_transport_are_left_out(mock: Mock) -> None:
    headers = [
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "connection",
        "keep-alive",
        "date",
    ]
    mock.request(
        "GET", "/api/v1/models", headers=dict.fromkeys(headers, "x") | {"z": "1", "a": "2"}
    )
    (line,) = export(mock, "ndjson").splitlines()
    assert json.loads(line)["request"]["headers"] == [["a", "2"], ["z", "1"]]
    shown = json.loads(export(mock, "json"))["requests"][0]
    assert {name for name, _ in shown["request"]["headers"]} == {*headers, "z", "a"}


# --- the same bytes again --------------------------------------------------------------------

Send = Callable[[str, str, dict[str, str], bytes], bytes]
PUBLIC = {"public_url": "http://fake.test", "seed": 7, "tasks__failure_rate": 0.3}


def play(send: Send, count: int) -> bytes:
    """A session of so many requests, with time passing in between; its export."""
    player = Player(send)
    for number in range(count):
        ACTS[number % len(ACTS)](player, number)
    return send("GET", f"{REQUESTS}?format=ndjson", {}, b"")


class Player:
    """Sends requests of every kind, and keeps the ids from the answers."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.chance = random.Random(4)
        self.generations = ["task_x"]
        self.videos = ["x"]
        self.files = ["/media/default/none.png"]

    def post(self, path: str, body: Any, headers: dict[str, str]) -> Any:
        return json.loads(self.send("POST", path, headers, json.dumps(body).encode()))

    def create(self, number: int) -> None:
        body = MINIMAL | {"prompt": f"take {number}"}
        self.generations.append(self.post("/api/v1/generations", body, AUTHORIZED)["id"])

    def create_again(self, number: int) -> None:
        again = AUTHORIZED | {"idempotency-key": f"k{number % 5}"}
        self.post("/api/v1/generations", MINIMAL, again)

    def be_wrong(self, number: int) -> None:
        self.post("/api/v1/generations", {"model": "hailuo-por", "n": number}, AUTHORIZED)
        self.send("DELETE", f"/api/v1/nothing?n={number}", {"x-number": str(number)}, b"")

    def look(self, number: int) -> None:
        task_id = self.chance.choice(self.generations)
        self.send("GET", f"/api/v1/generations/{task_id}", AUTHORIZED, b"")

    def ask_for_video(self, number: int) -> None:
        body = VIDEO | {"async": True, "callback_secret": "hush"}
        self.videos.append(self.post("/hailuo/videos", body, OTHER)["task_id"])

    def look_at_video(self, number: int) -> None:
        body = {"action": "retrieve", "id": self.chance.choice(self.videos)}
        self.post("/hailuo/tasks", body, OTHER)

    def upload(self, number: int) -> None:
        content = form({"kind": "image"}, {"file": ("a.png", PNG + bytes([number % 256]))})
        answer = json.loads(self.send("POST", "/api/v1/files", UPLOADING, content))
        self.files.append(urlsplit(answer["url"]).path)

    def download(self, number: int) -> None:
        part = {"range": f"bytes=3-{number + 20}"}
        self.send("GET", f"/media/default/{self.chance.choice(self.generations)}.mp4", part, b"")
        self.send("GET", self.chance.choice(self.files), {}, b"")

    def fail_on_purpose(self, number: int) -> None:
        name = self.chance.choice(["rate_limited", "insufficient_credits", "nosuch"])
        self.send("GET", "/api/v1/credits", AUTHORIZED | {"mock-scenario": name}, b"")

    def register(self, number: int) -> None:
        self.post("/api/v1/webhooks", HOOK, AUTHORIZED)

    def let_time_pass(self, number: int) -> None:
        self.post(f"{WORLD}/clock/advance", {"seconds": self.chance.choice([0.1, 0.5, 90])}, JSON)
        self.send("HEAD", "/api/v1/models", {}, b"")


ACTS = [
    Player.create,
    Player.create_again,
    Player.be_wrong,
    Player.look,
    Player.ask_for_video,
    Player.look_at_video,
    Player.upload,
    Player.let_time_pass,
    Player.look,
    Player.download,
    Player.fail_on_purpose,
    Player.register,
]
UPLOADING = AUTHORIZED | {"content-type": "multipart/form-data; boundary=frontier"}


def in_process(count: int) -> bytes:
    mock = Mock(**PUBLIC)

    def send(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        sent = headers | {"content-length": str(len(body))} if body else headers
        return mock.request(method, path, headers=sent, body=body).body

    played = play(send, count)
    mock.close()
    return played


def over_a_socket(count: int) -> bytes:
    with live(**PUBLIC) as server:
        address = urlsplit(server.url)
        connection = HTTPConnection(str(address.hostname), address.port, timeout=WAIT_S)

        def send(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
            connection.putrequest(method, path)
            sent = headers | {"content-length": str(len(body))} if body else headers
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            return connection.getresponse().read()

        played = play(send, count)
        connection.close()
    return played


def test_five_hundred_requests_leave_the_same_bytes_in_this_process_and_over_a_socket() -> None:
    first = in_process(500)
    lines = [json.loads(line) for line in first.splitlines()]
    assert len(lines) >= 500
    assert {line["api"] for line in lines} >= {"rivya", "acedata", None}
    assert {line["status"] for line in lines} >= {200, 206, 400, 404}
    assert over_a_socket(500) == first


def test_a_hundred_sessions_leave_the_same_bytes() -> None:
    assert len({in_process(12) for _ in range(100)}) == 1
