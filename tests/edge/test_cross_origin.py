"""Web pages of named origins may use the server from a browser (CORS); all others may not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec import structs

from mock_server.server.app import make_app
from tests.asgi import Answer
from tests.contract_hook import document
from tests.mock import KEY, MakeMock, Mock
from tests.spoken import converse

APP = "http://localhost:3000"
PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,idempotency-key",
}
# Preflights are sent for these; the vendors' are read off the contract.
OTHER_PATHS = ["/media/default/a.mp4", "/_mock/inbox/default/a", "/_mock/worlds", "/none"]
PATHS = [*(re.sub(r"{\w+}", "a", path) for path in document()["paths"]), *OTHER_PATHS]


@pytest.fixture
def mock(make_mock: MakeMock) -> Mock:
    return make_mock(browser_origins=[APP, "https://App.example", "capacitor://localhost"])


def asked(mock: Mock, path: str = "/api/v1/credits", key: str = KEY, **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return mock.request("GET", path, headers={"authorization": f"Bearer {key}"} | sent)


def cors_of(answer: Answer) -> dict[str, str]:
    return {
        name: value
        for name, value in answer.headers.items()
        if name.startswith("access-control-") or name == "vary"
    }


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_of_a_named_origin_is_answered_on_every_path(mock: Mock, path: str) -> None:
    answer = mock.request("OPTIONS", path, headers=PREFLIGHT | {"origin": APP})
    assert (answer.status, answer.body) == (204, b"")
    assert cors_of(answer) == {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "authorization,content-type,idempotency-key",
        "access-control-max-age": "600",
        "vary": "origin",
    }


def test_a_preflight_is_no_request_of_the_client(mock: Mock) -> None:
    mock.request("OPTIONS", "/api/v1/generations", headers=PREFLIGHT | {"origin": APP})
    assert mock.request("GET", "/_mock/worlds/default/requests").json()["requests"] == []


@pytest.mark.parametrize("origin", [APP, "https://app.example", "capacitor://localhost"])
def test_a_named_origin_may_read_every_answer(mock: Mock, origin: str) -> None:
    answers = [
        mock.create(),
        asked(mock, origin=origin),
        asked(mock, key="rvya_sk_unknown", origin=origin),
        asked(mock, mock_scenario="rate_limited", origin=origin),
        asked(mock, mock_scenario="no_such_scenario", origin=origin),
        asked(mock, "/api/v1/none", origin=origin),
        asked(mock, "/media/default/none.mp4", origin=origin),
        asked(mock, "/_mock/worlds", origin=origin),
        asked(mock, "/_mock/", origin=origin),
    ]
    assert [answer.status for answer in answers] == [200, 200, 401, 429, 400, 404, 404, 200, 200]
    assert cors_of(answers[0]) == {"vary": "origin"}
    for answer in answers[1:]:
        assert cors_of(answer) == {
            "access-control-allow-origin": origin,
            "access-control-expose-headers": "*",
            "vary": "origin",
        }


def test_a_named_origin_may_read_a_video(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    mock.advance(5)
    url = mock.generation(task_id)["result"]["primary_url"]
    answer = asked(mock, url.removeprefix("http://mock.test"), origin=APP, range="bytes=0-9")
    assert (answer.status, len(answer.body)) == (206, 10)
    assert answer.headers["access-control-allow-origin"] == APP


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:3001", "https://localhost:3000", "http://localhost", "null", "", APP + "/",
     "http://localhost:30000", "http://evil.example?" + APP, "capacitor://localhost.evil.example"],
)  # fmt: skip
def test_another_origin_gets_no_cors_header(mock: Mock, origin: str) -> None:
    assert cors_of(asked(mock, origin=origin)) == {"vary": "origin"}
    preflight = mock.request(
        "OPTIONS", "/api/v1/generations", headers=PREFLIGHT | {"origin": origin}
    )
    assert preflight.status == 405
    assert cors_of(preflight) == {"vary": "origin"}


def test_cors_is_off_by_default(make_mock: MakeMock) -> None:
    mock = make_mock()
    assert cors_of(asked(mock, origin=APP)) == {}
    preflight = mock.request("OPTIONS", "/api/v1/generations", headers=PREFLIGHT | {"origin": APP})
    assert (preflight.status, cors_of(preflight)) == (405, {})


def test_a_plain_options_request_of_a_named_origin_is_no_preflight(mock: Mock) -> None:
    answer = mock.request("OPTIONS", "/api/v1/generations", headers={"origin": APP})
    assert answer.status == 405
    assert answer.headers["access-control-allow-origin"] == APP


def test_a_named_origin_needs_the_token_too(make_mock: MakeMock) -> None:
    mock = make_mock(browser_origins=[APP], control_token="secret")
    assert asked(mock, "/_mock/worlds", origin=APP).status == 401
    known = {"origin": APP, "mock_control_token": "secret"}
    assert asked(mock, "/_mock/worlds", **known).status == 200


@pytest.mark.parametrize(
    "wrong",
    ["*", "localhost:3000", "http://a:3000/", "http://a/b", "http://*.a.example", "null"],
)
def test_an_origin_that_could_never_match_is_refused(make_mock: Any, wrong: str) -> None:
    with pytest.raises(Exception, match="browser_origins"):
        make_mock(browser_origins=[wrong])


@pytest.mark.parametrize("origins", [[], [APP]])
def test_an_answer_on_a_connection_is_the_same_answer(
    make_mock: MakeMock, origins: list[str]
) -> None:
    mock = make_mock(browser_origins=origins)
    asked(mock, origin=APP)
    request = (
        f"GET /api/v1/credits HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\nOrigin: {APP}\r\n\r\n"
    )
    (answer,) = converse([request.encode()], make_app(mock.fake)).answers
    assert answer.headers.get("access-control-allow-origin") == (APP if origins else None)
    first, second = mock.world.journal.newest(2)
    assert answer.body == first.answer_body
    assert structs.replace(
        first,
        id=second.id,
        number=second.number,
        connection=second.connection,
        request_headers=second.request_headers,
        answer_headers=[
            (name, second.id.encode() if name == b"mock-request" else value)
            for name, value in first.answer_headers
        ],
    ) == structs.replace(second, answer_headers=list(second.answer_headers))
