"""The rules for a create. A refusal names the place of each error and changes nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from tests import rivya
from tests.asgi import Answer, scope
from tests.json_values import JSON_VALUES
from tests.mock import KEY, MINIMAL, PNG, MakeMock, Mock, form

STANDARD = MINIMAL | {"model": "hailuo-standard"}
WHOLE_FORM = form({"kind": "image"}, {"file": ("a.png", PNG)})
WRONG_KINDS: list[Any] = [None, True, 6, 1.5, [], {}, "x"]


def post(mock: Mock, body: Any, **headers: str) -> Answer:
    """A create; header names are given with underscores."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return mock.rivya("POST", "/generations", body, headers=sent)


def without(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


# --- model -------------------------------------------------------------------------------------


def test_a_model_is_required(mock: Mock) -> None:
    rivya.invalid_at(post(mock, without(MINIMAL, "model")), "/model")


@pytest.mark.parametrize(
    "model", ["", "x", "Hailuo-Pro", "hailuo-pro ", "minimax-t2v", "gpt-5", "a" * 5000]
)
def test_an_unknown_model_is_refused(mock: Mock, model: str) -> None:
    rivya.invalid_at(mock.create(model=model), "/model")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hailuo-por", "hailuo-pro"),
        ("hailuo_pro", "hailuo-pro"),
        ("HAILUO-PRO", "hailuo-pro"),
        ("hailuo-standart", "hailuo-standard"),
    ],
)
def test_a_misspelled_model_is_refused_with_a_near_one(
    mock: Mock, written: str, meant: str
) -> None:
    assert f"'{meant}'?" in rivya.invalid_at(mock.create(model=written), "/model")


@pytest.mark.parametrize(
    ("model", "status"), [("hailuo-next", "coming_soon"), ("studio-sketch", "studio_only")]
)
def test_a_listed_model_that_cannot_be_called_is_refused_with_its_status(
    mock: Mock, model: str, status: str
) -> None:
    assert status in rivya.invalid_at(mock.create(model=model), "/model")


def test_lenient_params_do_not_make_a_model_callable(make_mock: MakeMock) -> None:
    rivya.invalid_at(make_mock(rivya__params="lenient").create(model="hailuo-next"), "/model")


# --- prompt ------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["hailuo-pro", "hailuo-standard"])
def test_a_prompt_is_required(mock: Mock, model: str) -> None:
    rivya.invalid_at(post(mock, {"model": model}), "/prompt")


@pytest.mark.parametrize(
    "prompt", ["", " ", "\n\t\r\v\f", "\u00a0", "\u2003\u3000", "\u2028\u2029", " " * 1500]
)
def test_a_blank_prompt_is_refused(mock: Mock, prompt: str) -> None:
    rivya.invalid_at(mock.create(prompt=prompt), "/prompt")


@pytest.mark.parametrize("prompt", ["x", " x ", "\u0645\u0648\u062c", "0", "\u200b", "\U0001f30a"])
def test_a_prompt_that_says_something_is_accepted(mock: Mock, prompt: str) -> None:
    assert mock.create(prompt=prompt).status == 200


WAVE = "\U0001f30a"  # one character, two UTF-16 units


@pytest.mark.parametrize("model", ["hailuo-pro", "hailuo-standard"])
@pytest.mark.parametrize(
    ("prompt", "fits"),
    [
        ("a" * 1500, True),
        ("a" * 1501, False),
        ("é" * 1500, True),
        ("é" * 1501, False),
        (WAVE * 750, True),
        (WAVE * 750 + "a", False),
        (WAVE * 751, False),
        ("a" * 100_000, False),
    ],
)
def test_a_prompt_has_at_most_1500_utf_16_units(
    mock: Mock, model: str, prompt: str, fits: bool
) -> None:
    answer = mock.create(model=model, prompt=prompt)
    if fits:
        assert answer.status == 200
    else:
        rivya.invalid_at(answer, "/prompt")


@pytest.mark.parametrize(("prompt", "fits"), [(WAVE * 1500, True), (WAVE * 1501, False)])
def test_the_unit_of_the_prompt_limit_is_a_setting(
    make_mock: MakeMock, prompt: str, fits: bool
) -> None:
    answer = make_mock(rivya__prompt_unit="codepoints").create(prompt=prompt)
    assert answer.status == (200 if fits else 400)


# --- params ------------------------------------------------------------------------------------

OPTIONS = [
    ("hailuo-pro", "prompt_optimizer", ["false", "true"]),
    ("hailuo-standard", "duration", ["6", "10"]),
    ("hailuo-standard", "resolution", ["512P", "768P"]),
    ("hailuo-standard", "prompt_optimizer", ["false", "true"]),
]
OPTION_ROWS = [(model, key, option) for model, key, options in OPTIONS for option in options]
PARAM_ROWS = [(model, key) for model, key, _ in OPTIONS]


@pytest.mark.parametrize("params", ["strict", "lenient"])
@pytest.mark.parametrize(("model", "key", "option"), OPTION_ROWS)
def test_a_documented_option_is_accepted(
    make_mock: MakeMock, params: str, model: str, key: str, option: str
) -> None:
    mock = make_mock(rivya__params=params)
    assert mock.create(model=model, params={key: option}).status == 200


@pytest.mark.parametrize("params", ["strict", "lenient"])
@pytest.mark.parametrize("value", ["", "TRUE", "7", "6s", "1080P", "512p", None, [], {}, 7, 1.5])
@pytest.mark.parametrize(("model", "key"), PARAM_ROWS)
def test_an_option_outside_the_list_is_refused(
    make_mock: MakeMock, params: str, model: str, key: str, value: Any
) -> None:
    mock = make_mock(rivya__params=params)
    rivya.invalid_at(mock.create(model=model, params={key: value}), f"/params/{key}")


SPELLINGS = [
    ("hailuo-pro", "prompt_optimizer", True),
    ("hailuo-pro", "prompt_optimizer", False),
    ("hailuo-standard", "prompt_optimizer", True),
    ("hailuo-standard", "duration", 6),
    ("hailuo-standard", "duration", 10),
]


@pytest.mark.parametrize(("model", "key", "value"), SPELLINGS)
def test_strict_params_must_be_strings_and_a_refusal_names_the_right_one(
    mock: Mock, model: str, key: str, value: Any
) -> None:
    message = rivya.invalid_at(mock.create(model=model, params={key: value}), f"/params/{key}")
    assert message.endswith(f"'{str(value).lower()}'")


@pytest.mark.parametrize(("model", "key", "value"), SPELLINGS)
def test_lenient_params_may_be_the_json_value_for_the_string(
    make_mock: MakeMock, model: str, key: str, value: Any
) -> None:
    mock = make_mock(rivya__params="lenient")
    assert mock.create(model=model, params={key: value}).status == 200


@pytest.mark.parametrize("value", ["x", 1, None, True, [], {}])
@pytest.mark.parametrize("key", ["seed", "aspect_ratio", "", "a/b~c", "files"])
def test_strict_params_hold_only_keys_of_the_model(mock: Mock, key: str, value: Any) -> None:
    pointer = "/params/" + key.replace("~", "~0").replace("/", "~1")
    rivya.invalid_at(mock.create(params={key: value}), pointer)


@pytest.mark.parametrize("key", ["duration", "resolution"])
def test_a_key_of_the_other_model_is_unknown(mock: Mock, key: str) -> None:
    rivya.invalid_at(mock.create(params={key: "6"}), f"/params/{key}")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("promptOptimizer", "prompt_optimizer"), ("prompt_optimiser", "prompt_optimizer"),
     ("reference_media_items", "referenceMediaItems"), ("durations", "duration")],
)  # fmt: skip
def test_a_wrong_key_is_refused_with_a_near_one(mock: Mock, written: str, meant: str) -> None:
    answer = mock.rivya("POST", "/generations", STANDARD | {"params": {written: "6"}})
    assert f"'{meant}'?" in rivya.invalid_at(answer, f"/params/{written}")


def test_lenient_params_let_unknown_keys_through(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__params="lenient")
    assert mock.create(params={"seed": 1, "duration": "7", "": None}).status == 200


def test_params_may_be_empty(mock: Mock) -> None:
    assert mock.create(params={}).status == 200


# --- references --------------------------------------------------------------------------------

FIRST = "/params/referenceMediaItems/0"


@pytest.mark.parametrize("model", ["hailuo-pro", "hailuo-standard"])
@pytest.mark.parametrize(("count", "fits"), [(0, True), (1, True), (2, True), (3, False)])
def test_a_task_takes_up_to_two_references(mock: Mock, model: str, count: int, fits: bool) -> None:
    body = rivya.with_references(*[rivya.reference()] * count) | {"model": model}
    answer = post(mock, body)
    if fits:
        assert answer.status == 200
    else:
        rivya.invalid_at(answer, "/params/referenceMediaItems")


def test_lenient_params_do_not_allow_a_third_reference(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__params="lenient")
    rivya.invalid_at(
        post(mock, rivya.with_references(*[rivya.reference()] * 3)), "/params/referenceMediaItems"
    )


@pytest.mark.parametrize("missing", ["url", "kind"])
def test_a_reference_needs_url_and_kind(mock: Mock, missing: str) -> None:
    rivya.invalid_at(
        post(mock, rivya.with_references(rivya.reference(**{missing: ...}))), f"{FIRST}/{missing}"
    )


def test_a_reference_needs_nothing_but_url_and_kind(mock: Mock) -> None:
    item = rivya.reference(name=..., mimeType=...)
    assert post(mock, rivya.with_references(item)).status == 200


@pytest.mark.parametrize("kind", ["video", "audio", "text", "", "IMAGE", None, 1])
def test_a_reference_is_an_image(mock: Mock, kind: Any) -> None:
    rivya.invalid_at(post(mock, rivya.with_references(rivya.reference(kind=kind))), f"{FIRST}/kind")


@pytest.mark.parametrize("mime_type", ["image/jpeg", "image/png", "image/webp"])
def test_a_reference_of_a_documented_type_is_accepted(mock: Mock, mime_type: str) -> None:
    assert post(mock, rivya.with_references(rivya.reference(mimeType=mime_type))).status == 200


@pytest.mark.parametrize("mime_type", ["image/gif", "image/jpg", "video/mp4", "png", "", None, 1])
def test_a_reference_of_another_type_is_refused(mock: Mock, mime_type: Any) -> None:
    rivya.invalid_at(
        post(mock, rivya.with_references(rivya.reference(mimeType=mime_type))), f"{FIRST}/mimeType"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example.com/a.png",
        "HTTPS://cdn.example.com",
        "https://user:pw@cdn.example.com:8443/a%20b.png?size=1#top",
        "https://127.0.0.1/a.png",
        "https://[::1]/a.png",
        "http://127.0.0.1:4010/media/default/files/file_1a/a.png",
    ],
)
def test_a_reference_may_lie_at_any_https_url_or_at_a_local_upload(mock: Mock, url: str) -> None:
    assert post(mock, rivya.with_references(rivya.reference(url=url))).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.png",
        "/media/a.png",
        "//cdn.example.com/a.png",
        "http://cdn.example.com/a.png",
        "http://127.0.0.1:4010/media/default/task_1.mp4",
        "http://127.0.0.1:4010/media/default/files/file_1a/../a.png",
        "ftp://cdn.example.com/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,iVBORw0KGgo=",
        "iVBORw0KGgo=",
        "https://",
        "https:///a.png",
        "https://cdn.example.com:99999/a.png",
        "https://cdn.example.com/a b.png",
        "https://cdn.example.com/ä.png",
        "https://cdn.example.com/a.png\n",
        " https://cdn.example.com/a.png",
        "https://cdn.example.com/" + "a" * 2048,
        None,
        1,
        ["https://cdn.example.com/a.png"],
    ],
)
def test_a_reference_elsewhere_is_refused(mock: Mock, url: Any) -> None:
    rivya.invalid_at(post(mock, rivya.with_references(rivya.reference(url=url))), f"{FIRST}/url")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", 1),
        ("durationSeconds", "6"),
        ("durationSeconds", None),
        ("durationSeconds", True),
        ("durationToken", None),
        ("durationToken", 1),
    ],
)
def test_each_field_of_a_reference_has_its_type(mock: Mock, field: str, value: Any) -> None:
    rivya.invalid_at(
        post(mock, rivya.with_references(rivya.reference(**{field: value}))), f"{FIRST}/{field}"
    )


def test_a_reference_may_carry_a_duration_and_its_token(mock: Mock) -> None:
    item = rivya.reference(durationSeconds=1.5, durationToken="t")
    assert post(mock, rivya.with_references(item)).status == 200


def test_an_error_in_the_second_reference_is_reported_at_its_place(mock: Mock) -> None:
    body = rivya.with_references(rivya.reference(), rivya.reference(kind="video"))
    rivya.invalid_at(post(mock, body), "/params/referenceMediaItems/1/kind")


def test_several_errors_are_reported_at_once(mock: Mock) -> None:
    body = rivya.with_references(rivya.reference(kind="video", url="x"), prompt_optimizer=True)
    rivya.invalid_at(post(mock, body), f"{FIRST}/kind", f"{FIRST}/url", "/params/prompt_optimizer")


@pytest.mark.parametrize("item", [None, "https://cdn.example.com/a.png", 1, [], True])
def test_a_reference_is_an_object(mock: Mock, item: Any) -> None:
    rivya.invalid_at(post(mock, rivya.with_references(item)), FIRST)


@pytest.mark.parametrize("items", [None, {}, "x", 1, rivya.reference()])
def test_references_are_a_list(mock: Mock, items: Any) -> None:
    rivya.invalid_at(
        mock.create(params={"referenceMediaItems": items}), "/params/referenceMediaItems"
    )


# --- the other fields --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "status"), [(0, 200), (1, 200), (128, 200), (129, 400), (5000, 400)]
)
def test_a_client_request_id_has_at_most_128_characters(
    mock: Mock, length: int, status: int
) -> None:
    answer = mock.create(client_request_id="é" * length)
    assert answer.status == status
    if status == 400:
        rivya.invalid_at(answer, "/client_request_id")


@pytest.mark.parametrize("files", [[], {}, None, "a.png", [{"url": "https://a.example/a.png"}]])
def test_a_top_level_files_field_is_refused(mock: Mock, files: Any) -> None:
    rivya.invalid_at(mock.create(files=files), "/files")


@pytest.mark.parametrize("value", WRONG_KINDS)
@pytest.mark.parametrize("field", ["duration", "seed", "Files", "prompt_optimizer", "", "a/b"])
def test_other_unknown_fields_are_ignored(mock: Mock, field: str, value: Any) -> None:
    assert mock.create(**{field: value}).status == 200


RIGHT_KIND: dict[str, type] = {
    "model": str,
    "prompt": str,
    "params": dict,
    "client_request_id": str,
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field, kind in RIGHT_KIND.items()
        for value in WRONG_KINDS
        if not isinstance(value, kind)
    ],
)
def test_each_field_has_its_type_and_null_is_none(mock: Mock, field: str, value: Any) -> None:
    rivya.invalid_at(mock.create(**{field: value}), f"/{field}")


@pytest.mark.parametrize("body", [None, True, 6, 1.5, [], [MINIMAL], "x", json.dumps(MINIMAL)])
def test_a_body_is_an_object(mock: Mock, body: Any) -> None:
    rivya.invalid_at(post(mock, json.dumps(body).encode()), "body")


def test_missing_fields_are_reported_first(mock: Mock) -> None:
    message = rivya.refusal(
        post(mock, {"model": "hailuo-pro", "client_request_id": 1}), "validation_failed"
    )
    assert message.startswith("/prompt: ")


@pytest.mark.parametrize("written", ["Prompt", "promt", "prompts"])
def test_a_misspelled_field_is_named_where_the_right_one_is_missing(
    mock: Mock, written: str
) -> None:
    message = rivya.invalid_at(post(mock, {"model": "hailuo-pro", written: "a"}), "/prompt")
    assert f"'{written}'?" in message


# --- bodies that are no JSON -------------------------------------------------------------------


def padded(piece: bytes) -> bytes:
    """A valid create with something in an ignored field."""
    return json.dumps(MINIMAL).encode()[:-1] + b', "x": ' + piece + b"}"


NO_JSON = {
    "nothing": b"",
    "white space": b" \n",
    "broken": b'{"model": "hailuo-pro",',
    "trailing comma": b'{"model": "hailuo-pro",}',
    "single quotes": b"{'model': 'hailuo-pro'}",
    "a comment": padded(b"1 /* one */"),
    "two values": json.dumps(MINIMAL).encode() * 2,
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(MINIMAL).encode(),
    "UTF-16": json.dumps(MINIMAL).encode("utf-16"),
    "Latin-1": padded(b'"\xe4"'),
    "an encoded half pair": padded(b'"\xed\xa0\x80"'),
    "a raw control character": padded(b'"\x00"'),
    "a raw line break in a string": padded(b'"\n"'),
    "a wrong escape": padded(rb'"\x41"'),
    "a leading zero": padded(b"01"),
    "a form": b"model=hailuo-pro&prompt=a",
    "many open brackets": b"[" * 100_000,
    "many closed brackets": padded(b"[" * 5000 + b"]" * 5000),
    "65 levels": padded(b"[" * 64 + b"]" * 64),
    "65 levels of objects": padded(b'{"a":' * 64 + b"1" + b"}" * 64),
}


@pytest.mark.parametrize("raw", NO_JSON.values(), ids=NO_JSON)
def test_a_body_that_is_no_json_is_refused(mock: Mock, raw: bytes) -> None:
    rivya.invalid_at(post(mock, raw), "body")


@pytest.mark.parametrize(
    "number",
    [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"1" * 5000, b"-" + b"1" * 5000],
)
def test_an_invalid_number_is_refused_at_its_place(mock: Mock, number: bytes) -> None:
    rivya.invalid_at(post(mock, padded(b'[0, {"y": ' + number + b"}]")), "/x/1/y")


@pytest.mark.parametrize(
    "piece",
    [
        b"[" * 63 + b"]" * 63,
        b"[" + b"{}," * 500 + b"{}]",
        b'"' + b"[" * 500 + b'"',
        b"1" * 400,
        b"-0",
        b"1e308",
        rb'"\ud83c\udf0a"',
        rb'"\u0000"',
    ],
)
def test_json_at_the_edge_of_what_is_allowed_is_accepted(mock: Mock, piece: bytes) -> None:
    assert post(mock, padded(piece)).status == 200


def test_the_depth_of_a_body_is_a_setting(make_mock: MakeMock) -> None:
    mock = make_mock(limits__json_depth=500)
    assert post(mock, padded(b"[" * 499 + b"]" * 499)).status == 200
    rivya.invalid_at(post(mock, padded(b"[" * 500 + b"]" * 500)), "body")


@pytest.mark.parametrize("beside", [b"null", b"true", b"0", b"1.5", b"[]", b"{}", b"[null, 1]"])
def test_an_escaped_pair_is_accepted_beside_anything(mock: Mock, beside: bytes) -> None:
    assert post(mock, padded(rb'"\ud83c\udf0a", "y": ' + beside)).status == 200


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (padded(rb'"\ud83c"'), "/x"),
        (padded(rb'["\uDF0A"]'), "/x/0"),
        (padded(rb'"\udf0a\ud83c"'), "/x"),
        (padded(rb'{"\ud83c": 1}'), "/x"),
        (json.dumps(MINIMAL | {"prompt": "\ud83c"}).encode(), "/prompt"),
    ],
)
def test_half_a_surrogate_pair_is_refused_at_its_place(mock: Mock, raw: bytes, place: str) -> None:
    rivya.invalid_at(post(mock, raw), place)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b'{"model": "hailuo-pro", "prompt": "a", "prompt": "b"}', "/prompt"),
        (b'{"model": "hailuo-pro", "prompt": "a", "prompt": "a"}', "/prompt"),
        (padded(b'{"a": 1, "a": 1}'), "/x/a"),
        (padded(b'[0, {"b/c": 1, "b/c": 2}]'), "/x/1/b~1c"),
        (padded(rb'{"a": 1, "\u0061": 2}'), "/x/a"),
    ],
)
def test_a_repeated_name_is_refused_at_its_place(mock: Mock, raw: bytes, place: str) -> None:
    rivya.invalid_at(post(mock, raw), place)


@pytest.mark.parametrize("depths", [range(1, 800, 37), range(800, 1000), range(1000, 9000, 999)])
def test_a_repeated_name_is_refused_at_any_depth(mock: Mock, depths: range) -> None:
    for depth in depths:
        raw = b'{"a":' * depth + b'{"b": 1, "b": 2}' + b"}" * depth
        rivya.refusal(post(mock, raw), "validation_failed")


# --- content type and size ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json;charset=utf-8", 'application/json; charset="UTF-8"',
     "Application/JSON", "application/json ; x=y"],
)  # fmt: skip
def test_every_usual_content_type_of_json_is_accepted(mock: Mock, content_type: str) -> None:
    assert post(mock, MINIMAL, content_type=content_type).status == 200


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/xml",
     "multipart/form-data; boundary=x", "application/problem+json", "application/jsonp", "json",
     "application/json, text/plain", "application/json; charset=latin-1",
     "application/json; charset=utf-16"],
)  # fmt: skip
def test_another_content_type_is_refused(mock: Mock, content_type: str) -> None:
    rivya.invalid_at(post(mock, MINIMAL, content_type=content_type), "header Content-Type")


def test_a_missing_content_type_is_refused(mock: Mock) -> None:
    answer = mock.request(
        "POST",
        "/api/v1/generations",
        headers={"authorization": f"Bearer {KEY}"},
        body=json.dumps(MINIMAL).encode(),
    )
    rivya.invalid_at(answer, "header Content-Type")


def test_a_misspelled_content_type_is_refused_with_the_right_one(mock: Mock) -> None:
    message = rivya.invalid_at(
        post(mock, MINIMAL, content_type="aplication/json"), "header Content-Type"
    )
    assert "'application/json'?" in message


def of_size(size_bytes: int) -> bytes:
    raw = padded(b'"a"')
    return raw + b" " * (size_bytes - len(raw))


@pytest.mark.parametrize(("size_bytes", "fits"), [(1000, True), (1001, False), (100_000, False)])
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_refused_declared_or_chunked(
    make_mock: MakeMock, size_bytes: int, fits: bool, declared: bool
) -> None:
    mock = make_mock(limits__body_bytes=1000)
    raw = of_size(size_bytes)
    sent = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    if declared:
        sent["content-length"] = str(size_bytes)
    answer = mock.driver.request(
        "POST",
        "/api/v1/generations",
        headers=sent,
        chunks=[raw[start : start + 300] for start in range(0, size_bytes, 300)],
    )
    if fits:
        assert answer.status == 200
    else:
        rivya.invalid_at(answer, "body")


def test_the_default_limit_of_a_body_is_a_mebibyte(mock: Mock) -> None:
    assert post(mock, of_size(1024 * 1024)).status == 200
    rivya.invalid_at(post(mock, of_size(1024 * 1024 + 1)), "body")


def test_a_body_may_come_byte_by_byte(mock: Mock) -> None:
    raw = json.dumps(MINIMAL).encode()
    answer = mock.driver.request(
        "POST",
        "/api/v1/generations",
        headers={"authorization": f"Bearer {KEY}", "content-type": "application/json"},
        chunks=[raw[index : index + 1] for index in range(len(raw))],
    )
    assert answer.status == 200


# --- a refused request leaves no trace ---------------------------------------------------------


@pytest.mark.parametrize(
    "body", [{}, MINIMAL | {"prompt": ""}, MINIMAL | {"params": {"x": 1}}, [], {"model": "x"}]
)
def test_a_refused_create_leaves_everything_as_it_was(mock: Mock, body: Any) -> None:
    mock.create()
    before = rivya.state(mock)
    rivya.refusal(post(mock, body), "validation_failed")
    assert rivya.state(mock) == before


def test_a_create_without_credits_leaves_everything_as_it_was(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("rivya-test", credits=56, test={})])
    before = rivya.state(mock)
    rivya.refusal(rivya.create_once(mock, "k"), "insufficient_credits")
    assert rivya.state(mock) == before


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/generations", "application/json"),
        ("/files", "multipart/form-data; boundary=frontier"),
    ],
)
def test_a_client_that_hangs_up_during_its_body_changes_nothing(
    mock: Mock, path: str, content_type: str
) -> None:
    before = rivya.state(mock)
    whole = json.dumps(MINIMAL).encode() if path == "/generations" else WHOLE_FORM
    messages: list[Message] = [
        {"type": "http.request", "body": whole, "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    sent = {"authorization": f"Bearer {KEY}", "content-type": content_type}
    mock.driver.loop.run_until_complete(
        mock.app(scope("POST", f"/api/v1{path}", sent), receive, send)
    )
    assert (answered, rivya.state(mock)) == ([], before)


# --- anything at all ---------------------------------------------------------------------------

NEAR_MISSES = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from(["hailuo-pro", "hailuo-standard", "hailuo-next"]) | JSON_VALUES,
        "prompt": st.text(max_size=30) | JSON_VALUES,
        "params": st.fixed_dictionaries(
            {},
            optional={
                "prompt_optimizer": st.sampled_from(["true", "false", True]) | JSON_VALUES,
                "duration": st.sampled_from(["6", "10", 6, 6.0]) | JSON_VALUES,
                "referenceMediaItems": st.lists(
                    st.builds(rivya.reference, kind=JSON_VALUES) | JSON_VALUES, max_size=3
                )
                | JSON_VALUES,
            },
        )
        | JSON_VALUES,
        "client_request_id": st.text(max_size=140) | JSON_VALUES,
        "files": JSON_VALUES,
    },
)


def accepted_or_refused_whole(mock: Mock, raw: bytes) -> None:
    """Send it with a new Idempotency-Key: 2xx and one charge, or 400 and no change."""
    idempotency_key = f"any-{len(mock.world.journal)}-{mock.world.journal.opened}"
    before = copy.deepcopy(rivya.state(mock))
    answer = rivya.create_once(mock, idempotency_key, raw)
    if answer.status == 200:
        assert len(mock.world.tasks) == 1 + int(str(before[1]))
        return
    rivya.refusal(answer, "validation_failed")
    assert rivya.state(mock) == before
    assert rivya.create_once(mock, idempotency_key).status == 200


@pytest.mark.parametrize("params", ["strict", "lenient"])
def test_any_bytes_are_accepted_or_refused_and_never_break_the_server(
    make_mock: MakeMock, params: str
) -> None:
    mock = make_mock(rivya__params=params)

    @given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
    def holds(raw: bytes) -> None:
        accepted_or_refused_whole(mock, raw)

    holds()


@pytest.mark.parametrize("params", ["strict", "lenient"])
def test_any_json_is_accepted_or_refused_and_never_breaks_the_server(
    make_mock: MakeMock, params: str
) -> None:
    mock = make_mock(rivya__params=params)

    @given(JSON_VALUES | NEAR_MISSES)
    def holds(body: Any) -> None:
        accepted_or_refused_whole(mock, json.dumps(body).encode())

    holds()


def test_any_change_to_a_valid_body_is_accepted_or_refused(mock: Mock) -> None:
    raw = json.dumps(rivya.with_references(rivya.reference(), prompt_optimizer="true")).encode()

    @given(st.integers(0, len(raw) - 1), st.binary(max_size=3), st.integers(0, 3))
    def holds(place: int, piece: bytes, dropped: int) -> None:
        accepted_or_refused_whole(mock, raw[:place] + piece + raw[place + dropped :])

    holds()


@pytest.mark.parametrize("header", ["content-type", "idempotency-key", "authorization"])
def test_any_header_is_accepted_or_refused(mock: Mock, header: str) -> None:
    @given(st.text(st.characters(max_codepoint=255), max_size=40))
    def holds(value: str) -> None:
        answer = mock.rivya("POST", "/generations", MINIMAL, headers={header: value})
        assert answer.status in {200, 400, 401}

    holds()
