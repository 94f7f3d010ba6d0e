"""No output shows a secret or a forged line, wherever a client wrote it."""

from __future__ import annotations

import io
import json
import logging
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mock_server.__main__ import main
from mock_server.apis import ALL
from mock_server.core.printable import MOST_CHARS, printable
from mock_server.core.redaction import REDACTED
from mock_server.server.log_lines import LineFormatter
from tests import calls
from tests.door.test_journal_export import FORMATS, readings
from tests.live import live
from tests.mock import KEY, MINIMAL, PNG, TOKEN, VIDEO, MakeMock, Mock, form

WORLD = "/_mock/worlds/default"
DOOR_TOKEN = "sesame-open-1234"
DOOR = {"mock-control-token": DOOR_TOKEN}
RIVYA = {"authorization": f"Bearer {KEY}"}
ACEDATA = {"authorization": f"Bearer {TOKEN}"}
ASYNC = {"async": True}
INBOX = "/_mock/inbox/default/hook"
JSON = {"content-type": "application/json"}
UNISSUED = "rvya_sk_live_REALSECRETKEY123"
FOREIGN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
HOOK = {"url": "http://127.0.0.1:9/hook", "event_types": ["generation.succeeded"]}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the process would write to its log, the debug level included."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(LineFormatter([api.key_prefix for api in ALL if api.key_prefix]))
    logger = logging.getLogger("mock_server")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield text
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def mock(make_mock: MakeMock) -> Mock:
    return make_mock(control_token=DOOR_TOKEN, acedata__sign_callbacks=True)


def lines_with(secret: str, told: str) -> list[str]:
    return [line for line in told.splitlines() if secret in line]


def raw(body: Any) -> bytes:
    return json.dumps(body).encode()


def door(mock: Mock, method: str, path: str, body: Any = None) -> bytes:
    headers = DOOR | ({} if body is None else JSON)
    sent = b"" if body is None else raw(body)
    return mock.request(method, WORLD + path, headers=headers, body=sent).body


def everything_shown(mock: Mock, log: io.StringIO) -> str:
    """Everything that the server shows, decoded."""
    paths = ["/tasks", "/deliveries", "/inbox/hook", "/faults", "/clock", "/wait?timeout_s=0"]
    paths += ["/wait?timeout_s=0&method=NONE", "/wait?timeout_s=0&path=/none&status=1"]
    told = [door(mock, "GET", path) for path in paths]
    told += [door(mock, "GET", f"/requests?format={each}") for each in FORMATS]
    told.append(door(mock, "GET", f"/requests/{mock.world.journal.newest(1)[0].id}"))
    for kept in list(mock.world.journal):
        told.append(mock.request("GET", f"/_mock/explain/{kept.id}", headers=DOOR).body)
    for match in ({"method": "NONE"}, {"path": "/none"}, {"body": {"": 1}}):
        told.append(door(mock, "POST", "/requests/verify", {"match": match}))
    told.append(records_of(json.loads(door(mock, "GET", "/snapshot"))))
    texts = [text for document in told if document for text in readings(document)]
    return "\n".join([*texts, log.getvalue()])


def records_of(snapshot: Any) -> bytes:
    """A snapshot without the parts that must keep secrets."""
    for name in ("keys", "endpoints", "rates"):
        del snapshot[name]
    for task in snapshot["tasks"]:
        del task["order"]
    for delivery in snapshot["deliveries"]["deliveries"]:
        del delivery["event"], delivery["url"]
    for kept in snapshot["idempotency"]:
        del kept["value"]
    for file in snapshot["files"]:
        del file["name"]
    return json.dumps(snapshot).encode()


# --- secrets -------------------------------------------------------------------------------------


def places(secret: str) -> Iterator[calls.Request]:
    """Requests with a secret in each place that a client can write, one place each."""
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in secret)
    for name in (
        "x-other", "referer", "user-agent", "idempotency-key", "mock-scenario", "prefer", "accept",
        "x-api-key", "cookie", "proxy-authorization", "mock-control-token", "content-type", "range",
    ):  # fmt: skip
        yield calls.Request("GET", "/api/v1/credits", RIVYA | {name: secret})
        yield calls.Request(
            "POST", "/api/v1/generations", RIVYA | JSON | {name: secret}, raw(MINIMAL)
        )
        yield calls.Request("POST", INBOX, {name: secret})
    for scheme in ("Bearer ", "bearer ", "Basic ", "Token ", ""):
        sent = {"authorization": f"{scheme}{secret}"}
        yield calls.Request("GET", "/api/v1/credits", sent)
        yield calls.Request("POST", "/hailuo/videos", sent | JSON, raw(VIDEO | ASYNC))
        yield calls.Request("POST", INBOX, sent)
    for path in (
        f"/api/v1/credits?api_key={secret}", f"/api/v1/credits?{secret}=1", f"/{secret}",
        f"/api/v1/generations/{secret}", f"/api/v1/webhooks/{secret}", f"/hailuo/{secret}",
        f"/media/default/{secret}.mp4", f"/media/default/files/{secret}/{secret}?token={secret}",
        f"{INBOX}?{secret}",
    ):  # fmt: skip
        yield calls.Request("GET", path, RIVYA)
    for body in (
        raw(MINIMAL | {"prompt": f"is it {secret}?"}), raw(MINIMAL | {secret: 1}),
        raw(MINIMAL | {"model": secret}), raw(MINIMAL | {"params": {secret: secret}}),
        f'{{"model": "hailuo-pro", "prompt": "{escaped}"}}'.encode(), secret.encode(),
        f'{{"{escaped}": 1}}'.encode(),
    ):  # fmt: skip
        yield calls.Request("POST", "/api/v1/generations", RIVYA | JSON, body)
        yield calls.Request("POST", INBOX, {}, body)
    fields: list[dict[str, Any]] = [
        {"prompt": secret}, {secret: secret}, {"model": secret}, {"callback_secret": secret},
        {"callback_url": f"http://127.0.0.1:9/{secret}?token={secret}"},
        {"callback_url": f"http://u:{secret}@127.0.0.1:9/"},
        {"first_image_url": f"https://{secret}@h.test/a.png"},
    ]  # fmt: skip
    for changed in fields:
        yield calls.Request("POST", "/hailuo/videos", ACEDATA | JSON, raw(VIDEO | ASYNC | changed))
    query = {"action": "retrieve", "id": secret}
    yield calls.Request("POST", "/hailuo/tasks", ACEDATA | JSON, raw(query))
    for hook in ({"name": secret}, {"url": f"http://127.0.0.1/{secret}"}):
        yield calls.Request("POST", "/api/v1/webhooks", RIVYA | JSON, raw(HOOK | hook))
    boundary = {"content-type": f"multipart/form-data; boundary=frontier; x={secret}"}
    for form_body in (
        form({"kind": secret}, {"file": ("a.png", PNG)}), form({secret: secret}, {}),
        form({"kind": "image"}, {"file": (f"{secret}.png", PNG)}),
        form({"kind": "image"}, {secret: (secret, PNG)}),
    ):  # fmt: skip
        yield calls.Request("POST", "/api/v1/files", RIVYA | boundary, form_body)


def made_secrets(mock: Mock) -> list[str]:
    """The secret of an endpoint, and the one it had before."""
    made = mock.rivya("POST", "/webhooks", HOOK).json()
    rotated = mock.rivya("POST", f"/webhooks/{made['id']}/rotate-secret").json()
    return [made["signing_secret"], rotated["signing_secret"]]


@pytest.mark.parametrize("which", ["key", "token", "unissued", "door", "endpoint", "rotated"])
def test_a_secret_is_hidden_wherever_a_client_wrote_it(
    mock: Mock, log: io.StringIO, which: str
) -> None:
    current, former = made_secrets(mock)
    secret = {
        "key": KEY, "token": TOKEN, "unissued": UNISSUED, "door": DOOR_TOKEN, "endpoint": current,
        "rotated": former,
    }[which]  # fmt: skip
    for asked in places(secret):
        calls.send(mock, asked)
    calls.advance(mock, 2)
    told = everything_shown(mock, log)
    assert told.count(REDACTED) > 100
    assert lines_with(secret, told) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {FOREIGN}"}, {"authorization": FOREIGN},
        {"authorization": f"Basic {FOREIGN}"}, {"x-api-key": FOREIGN}, {"cookie": FOREIGN},
        {"proxy-authorization": f"Basic {FOREIGN}"}, {"mock-control-token": FOREIGN},
        {"authorization": f"Bearer {FOREIGN}+used_up"},
    ],
)  # fmt: skip
def test_an_unknown_credential_is_not_kept_with_its_request(
    mock: Mock, log: io.StringIO, headers: dict[str, str]
) -> None:
    body = raw(MINIMAL | {"prompt": FOREIGN})
    for path in (f"/api/v1/credits?{FOREIGN}", f"/{FOREIGN}", f"/hailuo/{FOREIGN}/x"):
        mock.request("GET", path, headers=headers | {"x-other": f"a {FOREIGN}"})
    for path in ("/hailuo/tasks", "/api/v1/models", f"{INBOX}?a={FOREIGN}"):
        mock.request("POST", path, headers=JSON | headers, body=body)
    kept = [*mock.world.journal, *mock.world.inboxes.of("hook")]
    assert FOREIGN not in repr(kept)
    assert lines_with(FOREIGN, everything_shown(mock, log)) == []
    assert FOREIGN.encode() not in b"".join(door(mock, "GET", "/snapshot").split())


def test_an_unknown_credential_beside_a_valid_key_is_not_kept(mock: Mock) -> None:
    body = MINIMAL | {"prompt": FOREIGN, FOREIGN: 1}
    for name in ("cookie", "x-api-key", "proxy-authorization"):
        mock.rivya("POST", "/generations", body, headers={name: FOREIGN})
    kept = list(mock.world.journal)
    assert [each.status for each in kept] == [200] * 3
    assert FOREIGN not in repr(kept)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer Bearer {}", 'Bearer "{}"', "Bearer '{}',", "Bearer={}", "Bearer\t{}", '"Bearer {}"',
        "Token token={}", 'Digest username="me", response="{}"', "Bearer {} and more", "Bearer {};",
        "Basic " + b64encode(f"me:{FOREIGN}".encode()).decode(),
    ],
)  # fmt: skip
def test_a_key_in_an_unusual_header_is_hidden_elsewhere_in_its_request(
    mock: Mock, log: io.StringIO, header: str
) -> None:
    headers = {"authorization": header.format(FOREIGN)}
    mock.request("POST", f"/hailuo/{FOREIGN}", headers=headers)
    mock.request("POST", "/hailuo/videos", headers=JSON | headers, body=raw({FOREIGN: FOREIGN}))
    assert lines_with(FOREIGN, everything_shown(mock, log)) == []


def test_the_value_of_a_cookie_is_hidden_and_its_name_is_not(mock: Mock, log: io.StringIO) -> None:
    cookie = f"session_of_client=none; other={FOREIGN}"
    fields = {FOREIGN: 1, "session_of_client": 1, "prompt": "a"}
    mock.rivya("POST", "/generations", MINIMAL | fields, headers={"cookie": cookie})
    (kept,) = mock.world.journal
    assert FOREIGN not in repr(kept)
    assert FOREIGN not in log.getvalue()
    assert "'/session_of_client' was ignored" in log.getvalue()


def test_the_log_hides_unknown_credentials_at_the_door_too(mock: Mock, log: io.StringIO) -> None:
    for path in (f"/_mock/worlds/{FOREIGN}", f"/_mock/explain/{FOREIGN}"):
        mock.request("GET", path, headers={"mock-control-token": FOREIGN})
        mock.request("GET", path, headers={"authorization": f"Bearer {FOREIGN}"})
    assert "door GET" in log.getvalue()
    assert FOREIGN not in log.getvalue()


NAMES = ("api_key", "apiKey", "X-Api-Key", "access_token", "password", "callbackSecret", "sig")


@pytest.mark.parametrize("name", ["api-key", "x-auth-token", "x-rivya-key", "private-token"])
def test_a_header_with_the_name_of_a_credential_is_not_kept(
    mock: Mock, log: io.StringIO, name: str
) -> None:
    for path in ("/api/v1/models", INBOX):
        mock.request("POST", f"{path}?{FOREIGN}", headers={name: FOREIGN})
    assert lines_with(FOREIGN, everything_shown(mock, log)) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_field_with_the_name_of_a_secret_is_hidden(
    mock: Mock, log: io.StringIO, name: str
) -> None:
    secret = "hush-hush"
    for value in (secret, [secret], {"a": {"b": [secret, "]}"]}}, f'"{secret}'):
        mock.create(**{name: value})
        mock.create(params={name: value})
        mock.request("POST", INBOX, headers=JSON, body=raw({"deeper": [{name: value}]}))
    for text in (f"{name}={secret}", f"a=1&{name}={secret}&b=2"):
        mock.request("POST", f"{INBOX}?{text}", body=text.encode())
    mock.request("GET", f"/api/v1/models#{name}={secret}", headers=RIVYA)
    boundary = {"content-type": "multipart/form-data; boundary=frontier"}
    mock.request("POST", "/api/v1/files", headers=RIVYA | boundary, body=form({name: secret}, {}))
    mock.acedata("/videos", VIDEO | {"callback_url": f"http://mock.test/#{name}={secret}"})
    calls.advance(mock, 2)
    assert lines_with(secret, everything_shown(mock, log)) == []


def test_a_field_with_another_name_is_not_hidden(mock: Mock) -> None:
    headers = JSON | {"idempotency-key": "mine", "webhook-signature": "v1,abc"}
    fields = {"keyword": "a", "monkey": "b", "tokens": "c", "author": "d"}
    mock.request("POST", f"{INBOX}?keyword=e", headers=headers, body=raw(fields))
    (kept,) = mock.world.inboxes.of("hook")
    assert json.loads(kept.body) == fields
    assert kept.query == "keyword=e"
    assert set(headers.items()) <= set(kept.headers)


def test_a_snapshot_hides_a_key_that_was_issued_after_it_came_to_an_inbox(mock: Mock) -> None:
    mock.request("POST", INBOX, body=b"is it my-later-key?")
    later = {"keys": [{"key": "my-later-key", "api": "acedata"}]}
    door(mock, "POST", "/accounts", {"name": "later", "credits": 1} | later)
    (inbox,) = json.loads(door(mock, "GET", "/snapshot"))["inboxes"]
    body = b64decode(inbox["requests"][0]["body"])
    assert body == f"is it {REDACTED}?".encode()


def test_no_header_with_a_credential_is_kept(mock: Mock) -> None:
    mock.rivya("GET", "/credits", headers={"cookie": "short", "x-api-key": KEY})
    (kept,) = mock.world.journal
    opening = ("authorization", "cookie", "x-api-key")
    headers = {name.decode(): value.decode() for name, value in kept.request_headers}
    assert [headers[name] for name in opening] == [REDACTED] * 3


def test_a_callback_secret_is_hidden(mock: Mock, log: io.StringIO) -> None:
    secret = {"callback_secret": "hush-hush", "callback_url": "http://mock.test/x"}
    for body in (VIDEO | secret, VIDEO | {"deeper": [secret]} | ASYNC, {"action": "x"} | secret):
        mock.acedata("/videos", body)
    calls.advance(mock, 2)
    assert lines_with("hush-hush", everything_shown(mock, log)) == []


@pytest.mark.parametrize(
    "url",
    ["http://mock.test/x?token=hush-hush", "http://mock.test/x?a=1&api_key=hush-hush#b",
     "http://user:hush-hush@mock.test/x", "http://hush-hush@mock.test/x",
     "http://mock.test/x?a=1&access_token=hush-hush"],
)  # fmt: skip
def test_a_credential_of_a_receiver_is_hidden(mock: Mock, log: io.StringIO, url: str) -> None:
    mock.acedata("/videos", VIDEO | {"callback_url": url})
    calls.advance(mock, 2)
    (delivery,) = mock.world.deliveries
    assert delivery.url == url
    assert lines_with("hush-hush", everything_shown(mock, log)) == []


# --- forged lines --------------------------------------------------------------------------------

FORGED = "x\n2026-01-01 00:00:00,000 ERROR FORGED \x1b[31m\r\u202e\u2028\x9b1m\x00"
A_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ +mock_server")


def test_text_of_a_client_cannot_add_a_line_to_the_log(mock: Mock, log: io.StringIO) -> None:
    mock.create(**{FORGED: 1, "params": {FORGED: FORGED}})
    mock.acedata("/videos", VIDEO | {FORGED: 1, "callback_url": f"http://mock.test/{FORGED}"})
    mock.request("GET", f"/api/v1/{FORGED}")
    mock.request("GET", f"/media/default/{FORGED}.mp4", headers={"mock-scenario": "no\tsuch"})
    mock.upload(name=FORGED)
    calls.advance(mock, 2)
    logging.getLogger("mock_server.x").error(FORGED)
    try:
        int(FORGED)
    except ValueError:
        logging.getLogger("mock_server.x").exception("a break: %s", FORGED)
    written = log.getvalue()
    assert "FORGED" in written
    for line in written.removesuffix("\n").split("\n"):
        assert A_LINE.match(line) or line.startswith("    "), line
        assert line.isprintable(), line


def test_a_line_of_the_log_has_a_maximum_length(log: io.StringIO) -> None:
    logging.getLogger("mock_server.x").error("a" * 10**6)
    assert len(log.getvalue()) < MOST_CHARS + 100
    assert "more characters" in log.getvalue()


def test_explain_writes_no_control_characters() -> None:
    with live() as server:
        answer = httpx2.get(f"{server.url}/api/v1/{quote(FORGED)}")
        asked = ["explain", answer.headers["mock-request"], "--url", server.url]
        plain = CliRunner().invoke(main, asked)
        as_json = CliRunner().invoke(main, [*asked, "--json"])
        unknown = CliRunner().invoke(main, ["explain", quote(FORGED), "--url", server.url])
    assert "FORGED" in plain.output
    for result in (plain, as_json, unknown):
        for line in result.output.removesuffix("\n").split("\n"):
            assert line.isprintable()
            assert not line.startswith("2026")


@given(st.text(max_size=50))
def test_printable_text_is_one_line_and_differs_for_each_text(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
