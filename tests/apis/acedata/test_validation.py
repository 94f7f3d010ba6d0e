"""The rules for a request for a video. A refusal names the place of each error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import acedata
from tests.json_values import JSON_VALUES
from tests.mock import TOKEN, Mock

WRONG_KINDS: list[Any] = [None, True, 6, 1.5, [], {}, "x"]
FROM_IMAGE = {"model": "minimax-i2v", "first_image_url": acedata.IMAGE_URL}
NO_LINKS: list[Any] = [
    "",
    " ",
    "a.png",
    "/a.png",
    "//cdn.example.com/a.png",
    "cdn.example.com/a.png",
    "ftp://cdn.example.com/a.png",
    "file:///a.png",
    "javascript:alert(1)",
    "http://",
    "https:///a.png",
    "https://cdn.example.com:99999/",
    "https://cdn.example.com/a b",
    "https://cdn.example.com/ä",
    "https://cdn.example.com/a\n",
    " https://cdn.example.com/a",
    "https://cdn.example.com/" + "a" * 2048,
    None,
    1,
    True,
    [],
    {},
]


def post(mock: Mock, **fields: Any) -> Any:
    """A request in async mode, some fields changed or (`...`) left out."""
    body = {name: value for name, value in (acedata.ASYNC | fields).items() if value is not ...}
    return mock.acedata("/videos", body)


# --- action ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action", [..., "", "Generate", "retrieve", "generate ", None, 1, True, ["generate"], {}]
)
def test_the_action_is_generate(mock: Mock, action: Any) -> None:
    acedata.invalid_at(post(mock, action=action), "/action")


# --- model -------------------------------------------------------------------------------------


def test_the_default_model_is_text_to_video(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    mock.advance(1)
    answer = mock.acedata("/tasks", {"id": task_id})
    assert answer.json()["response"]["data"][0]["model"] == "minimax-t2v"


@pytest.mark.parametrize("model", ["minimax-i2v", "minimax-i2v-director"])
def test_the_model_asked_for_is_the_model_used(mock: Mock, model: str) -> None:
    task_id = acedata.submit(mock, **FROM_IMAGE | {"model": model})
    mock.advance(1)
    answer = mock.acedata("/tasks", {"id": task_id})
    assert answer.json()["response"]["data"][0]["model"] == model


@pytest.mark.parametrize(
    "model",
    ["", "x", "T2V-01-Director", "MiniMax-H3", "hailuo-pro", "MINIMAX-T2V", None, 1, True, [], {}],
)
def test_another_model_is_refused(mock: Mock, model: Any) -> None:
    acedata.invalid_at(post(mock, model=model), "/model")


def test_a_misspelled_model_is_refused_with_a_near_one(mock: Mock) -> None:
    assert "'minimax-t2v'?" in acedata.invalid_at(post(mock, model="minimax-tv2"), "/model")


# --- prompt ------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [..., "minimax-t2v"])
def test_text_to_video_needs_a_prompt(mock: Mock, model: Any) -> None:
    acedata.invalid_at(post(mock, model=model, prompt=...), "/prompt")


def test_text_to_video_needs_a_prompt_beside_an_image(mock: Mock) -> None:
    acedata.invalid_at(post(mock, prompt=..., first_image_url=acedata.IMAGE_URL), "/prompt")


@pytest.mark.parametrize("model", ["minimax-i2v", "minimax-i2v-director"])
def test_image_to_video_needs_no_prompt(mock: Mock, model: str) -> None:
    assert post(mock, model=model, first_image_url=acedata.IMAGE_URL, prompt=...).status == 200


@pytest.mark.parametrize("fields", [{}, FROM_IMAGE])
@pytest.mark.parametrize("prompt", ["", " ", "\n\t", "\u3000", None, 1, True, [], {}])
def test_a_prompt_that_is_there_says_something(
    mock: Mock, fields: dict[str, Any], prompt: Any
) -> None:
    acedata.invalid_at(post(mock, **fields, prompt=prompt), "/prompt")


@pytest.mark.parametrize("length", [1, 1501, 7001, 500_000])
def test_a_prompt_may_be_as_long_as_the_body(mock: Mock, length: int) -> None:
    assert post(mock, prompt="a" * length).status == 200


# --- first image -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["minimax-i2v", "minimax-i2v-director"])
def test_image_to_video_needs_an_image(mock: Mock, model: str) -> None:
    acedata.invalid_at(post(mock, model=model), "/first_image_url")


def test_text_to_video_may_have_an_image(mock: Mock) -> None:
    assert post(mock, first_image_url=acedata.IMAGE_URL).status == 200


@pytest.mark.parametrize("fields", [{}, {"model": "minimax-i2v"}])
@pytest.mark.parametrize(
    "url",
    [
        *NO_LINKS,
        "data:image/png;base64,iVBORw0KGgo=",
        "DATA:image/png,x",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
        "base64://iVBORw0KGgo=",
    ],
)
def test_an_image_is_a_link_and_not_the_image_itself(
    mock: Mock, fields: dict[str, Any], url: Any
) -> None:
    acedata.invalid_at(post(mock, **fields, first_image_url=url), "/first_image_url")


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example.com/a.png",
        "https://cdn.example.com",
        "HTTPS://CDN.EXAMPLE.COM/A.PNG",
        "http://127.0.0.1:4010/a.png",
        "http://[::1]:4010/a.png",
        "https://u:p@cdn.example.com/a%20b.png?x=1&y=2#z",
        "https://cdn.example.com/" + "a" * 2024,
    ],
)
@pytest.mark.parametrize("field", ["first_image_url", "callback_url"])
def test_any_http_link_is_accepted(mock: Mock, field: str, url: str) -> None:
    acedata.record_callbacks(mock)
    assert post(mock, **{field: url}).status == 200


# --- callback and async ------------------------------------------------------------------------


@pytest.mark.parametrize("url", NO_LINKS)
def test_a_callback_url_is_a_link(mock: Mock, url: Any) -> None:
    acedata.invalid_at(post(mock, callback_url=url), "/callback_url")


@pytest.mark.parametrize("value", [None, "true", "", 0, 1, [], {}])
def test_async_is_a_boolean(mock: Mock, value: Any) -> None:
    acedata.invalid_at(post(mock, **{"async": value}), "/async")


def test_a_refused_callback_url_is_never_called(mock: Mock) -> None:
    sender = acedata.record_callbacks(mock)
    post(mock, callback_url="ftp://127.0.0.1/")
    mock.advance(10)
    mock.request("GET", "/_mock/health")
    assert sender.posts == []


# --- the rest ----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", WRONG_KINDS)
@pytest.mark.parametrize(
    "field",
    ["mirror", "timeout", "callback_secret", "seed", "Prompt", "", "duration", "task_id", "files"],
)
def test_unknown_fields_are_ignored(mock: Mock, field: str, value: Any) -> None:
    assert post(mock, **{field: value}).status == 200


@pytest.mark.parametrize("timeout", [0, 1, -5, "1"])
def test_timeout_ends_no_held_open_request(mock: Mock, timeout: Any) -> None:
    answer = post(mock, timeout=timeout)
    assert list(answer.json()) == ["task_id"]


def test_several_errors_are_reported_at_once(mock: Mock) -> None:
    answer = post(mock, model="minimax-i2v", prompt="", callback_url="x")
    acedata.invalid_at(answer, "/first_image_url", "/prompt", "/callback_url")


def test_a_misspelled_field_is_named_where_the_right_one_is_missing(mock: Mock) -> None:
    assert "'promt'?" in acedata.invalid_at(post(mock, prompt=..., promt="a"), "/prompt")


@pytest.mark.parametrize("header", ["accept-language", "x-request-id", "x-record-exempt"])
def test_headers_that_clients_send_are_ignored(mock: Mock, header: str) -> None:
    assert mock.acedata("/videos", acedata.ASYNC, headers={header: "true"}).status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"1",
        b"{'action': 'generate'}",
        b'{"action": "generate", "prompt": "a", "x": NaN}',
        b'{"action": "generate", "prompt": "a", "x": 1e999}',
        b'{"action": "generate", "prompt": "a", "prompt": "b"}',
        b'{"action": "generate", "prompt": "\\ud83c"}',
        b'{"action": "generate", "prompt": "\xff"}',
        b'{"action": "generate", "prompt": "a", "x": ' + b"[" * 200 + b"]" * 200 + b"}",
        b"\xef\xbb\xbf" + json.dumps(acedata.ASYNC).encode(),
        json.dumps(acedata.ASYNC).encode() + b" " * 1024 * 1024,
    ],
)
@pytest.mark.parametrize("path", ["/videos", "/tasks"])
def test_a_body_that_is_no_json_object_is_a_bad_request(mock: Mock, path: str, raw: bytes) -> None:
    before = acedata.state(mock)
    acedata.refusal(mock.acedata(path, raw), "bad_request")
    assert acedata.state(mock) == before


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonl"]
)
@pytest.mark.parametrize("path", ["/videos", "/tasks"])
def test_another_content_type_is_a_bad_request(mock: Mock, path: str, content_type: str) -> None:
    answer = mock.acedata(path, acedata.ASYNC, headers={"content-type": content_type})
    acedata.invalid_at(answer, "header Content-Type")


def test_a_missing_content_type_is_a_bad_request(mock: Mock) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    raw = json.dumps(acedata.ASYNC).encode()
    answer = mock.request("POST", "/hailuo/videos", headers=headers, body=raw)
    acedata.invalid_at(answer, "header Content-Type")


# --- anything at all ---------------------------------------------------------------------------

NEAR_MISSES = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["generate", "retrieve", "retrieve_batch"]) | JSON_VALUES,
        "model": st.sampled_from(["minimax-t2v", "minimax-i2v", "minimax-i2v-director"])
        | JSON_VALUES,
        "prompt": st.text(max_size=30) | JSON_VALUES,
        "first_image_url": st.just(acedata.IMAGE_URL) | JSON_VALUES,
        "callback_url": st.just(acedata.CALLBACK_URL) | JSON_VALUES,
        "id": JSON_VALUES,
        "ids": st.lists(st.text(max_size=5), max_size=3) | JSON_VALUES,
        "x": JSON_VALUES,
    },
)


@pytest.mark.parametrize("path", ["/videos", "/tasks"])
def test_any_json_is_accepted_or_refused_and_never_breaks_the_server(mock: Mock, path: str) -> None:
    acedata.record_callbacks(mock)

    @given(JSON_VALUES | NEAR_MISSES)
    def holds(body: Any) -> None:
        before = acedata.state(mock)
        # This client does not wait for a held open answer.
        sent = body | {"async": True} if isinstance(body, dict) else body
        answer = mock.acedata(path, json.dumps(sent).encode())
        assert answer.status in {200, 400, 404}
        if answer.status != 200:
            acedata.refusal(answer, "bad_request" if answer.status == 400 else "task_not_found")
            assert acedata.state(mock) == before

    holds()


@pytest.mark.parametrize("path", ["/videos", "/tasks"])
def test_any_bytes_are_refused_and_never_break_the_server(mock: Mock, path: str) -> None:
    @given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
    def holds(raw: bytes) -> None:
        before = acedata.state(mock)
        acedata.refusal(mock.acedata(path, raw), "bad_request")
        assert acedata.state(mock) == before

    holds()


def test_every_accepted_task_can_be_shown(mock: Mock) -> None:
    acedata.record_callbacks(mock)

    @given(st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=4), st.text(max_size=30))
    def holds(fields: dict[str, Any], prompt: str) -> None:
        answer = mock.acedata("/videos", fields | acedata.ASYNC | {"prompt": f"a{prompt}"})
        if answer.status == 200:
            mock.advance(1)
            shown = mock.acedata("/tasks", {"id": answer.json()["task_id"]}).json()
            assert shown["request"] == fields | acedata.ASYNC | {"prompt": f"a{prompt}"}

    holds()
