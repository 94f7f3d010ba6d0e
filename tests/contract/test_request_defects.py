"""The refusal of a body names the place of each defect and says what would be right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.contract.contract import Contract
from mock_server.contract.request_rules import OrderRules
from mock_server.contract.violations import BodyRules
from mock_server.core.json_values import pointer
from tests.contract.order_bodies import (
    CONTRACT,
    GONE,
    HTTP_URLS,
    ITEM,
    ITEMS,
    LENIENT,
    ORDERS,
    RIVYA,
    STRICT,
    TASK_QUERY,
    VIDEO,
    WHITE,
    places,
    refusal_of,
    rivya_bodies,
    with_defect,
)

RIVYA_DEFECTS: list[tuple[tuple[str | int, ...], list[Any]]] = [
    (("model",), [GONE, None, 5, "", "hailuo", "HAILUO-PRO", "hailuo-pro\n", "minimax-t2v"]),
    (("prompt",), [GONE, None, 5, ["A"], "", WHITE, "\u2003", "x" * 1501]),
    (("client_request_id",), [None, 5, "x" * 129]),
    (("files",), [None, [], "a.png"]),
    (("params",), [None, [], "{}"]),
    (("params", "prompt_optimizer"), [None, True, "True", "true\n", "", ["true"], 1]),
    (("params", "a/b~c"), [None, "x"]),
    (("params", "Prompt_optimizer"), ["true"]),
    (ITEMS, [None, {}, [ITEM] * 3]),
    ((*ITEMS, 0), [None, [], "https://files.test/a.png"]),
    ((*ITEMS, 0, "url"), [GONE, None, 5, "", "a.png", "data:image/png;base64,AA", *HTTP_URLS[:1]]),
    ((*ITEMS, 0, "url"), ["https://h/\n", " https://h/", "https://h/" + "a" * 2039]),
    ((*ITEMS, 0, "kind"), [GONE, None, "video", "audio", "Image", "image ", ["image"]]),
    ((*ITEMS, 0, "mimeType"), [None, 5, "image/gif", "IMAGE/PNG", "video/mp4", ""]),
    ((*ITEMS, 0, "name"), [None, 5]),
    ((*ITEMS, 0, "durationSeconds"), [None, "6", True]),
    ((*ITEMS, 0, "durationToken"), [None, 5]),
]
STANDARD_DEFECTS: list[tuple[tuple[str | int, ...], list[Any]]] = [
    (("params", "duration"), [None, 6, 6.0, "7", "06", " 6", "6s", "\uff16"]),
    (("params", "resolution"), [None, "512p", "1080P", 768]),
]
ACEDATA_DEFECTS: list[tuple[tuple[str | int, ...], list[Any]]] = [
    (("action",), [GONE, None, "create", "Generate", "generate\n", True]),
    (("model",), [None, 5, "", "MiniMax-t2v", "hailuo-pro"]),
    (("prompt",), [None, 5, "", WHITE]),
    (("first_image_url",), [None, 5, "", "a.png", "data:image/png;base64,AA", "http://h/\n"]),
    (("first_image_url",), ["iVBORw0KGgo=", "ftp://h/", "http://h/" + "a" * 2040]),
    (
        ("callback_url",),
        [None, 5, "", "localhost:80", "ftp://h/", "http://h/\n", "http://h:65536/"],
    ),
    (("async",), [None, "true", 1, 0, []]),
]
DEFECTS = {
    "hailuo-pro strict": RIVYA_DEFECTS,
    "hailuo-standard strict": RIVYA_DEFECTS + STANDARD_DEFECTS,
    "minimax-t2v": [*ACEDATA_DEFECTS, (("prompt",), [GONE])],
    "minimax-i2v": [*ACEDATA_DEFECTS, (("first_image_url",), [GONE])],
    "minimax-i2v-director": [*ACEDATA_DEFECTS, (("first_image_url",), [GONE])],
}


@pytest.mark.parametrize(
    ("name", "path", "values"),
    [
        pytest.param(name, path, values, id=f"{name} {pointer(path)} {number}")
        for name, defects in DEFECTS.items()
        for number, (path, values) in enumerate(defects)
    ],
)
@settings(max_examples=3)
@given(data=st.data())
def test_a_single_defect_is_reported_only_at_its_place(
    name: str, path: tuple[str | int, ...], values: list[Any], data: st.DataObject
) -> None:
    rules, _, bodies = ORDERS[name]
    body = data.draw(bodies)
    for value in values:
        broken = refusal_of(rules, with_defect(body, path, value))
        assert places(broken) == {pointer(path)}, value


def test_every_defect_of_a_body_is_reported() -> None:
    body = {"model": "hailuo-pro", "files": [], "client_request_id": 5, "params": {"mood": "x"}}
    assert places(refusal_of(STRICT, body)) == {
        "/prompt",
        "/files",
        "/client_request_id",
        "/params/mood",
    }


def test_missing_fields_are_reported_first() -> None:
    body = {"model": "hailuo-pro", "client_request_id": 5, "files": [], "params": {"mood": 1}}
    first, *_ = refusal_of(STRICT, body)
    assert (first.place, first.rule) == ("/prompt", "required")


def test_other_errors_are_reported_in_order_of_their_place() -> None:
    body = {"model": "hailuo-pro", "prompt": 5, "files": [], "client_request_id": 5}
    told = [found.place for found in refusal_of(STRICT, body)]
    assert told == ["/client_request_id", "/files", "/prompt"]


@pytest.mark.parametrize("body", [None, True, 5, "model", [], [{"model": "hailuo-pro"}]])
@pytest.mark.parametrize("rules", [STRICT, VIDEO])
def test_a_body_that_is_no_object_is_refused_as_a_whole(rules: OrderRules, body: Any) -> None:
    (found,) = refusal_of(rules, body)
    assert (found.place, found.rule) == ("", "type")


@pytest.mark.parametrize(
    ("model_id", "status"), [("hailuo-next", "coming_soon"), ("studio-sketch", "studio_only")]
)
def test_a_model_that_takes_no_requests_is_refused_with_the_reason(
    model_id: str, status: str
) -> None:
    (found,) = refusal_of(STRICT, {"model": model_id, "prompt": "A"})
    assert (found.place, found.rule) == ("/model", "callable")
    assert status in found.sentence


def test_acedata_uses_its_text_model_by_default() -> None:
    assert VIDEO.require({"action": "generate", "prompt": "A"}) == "minimax-t2v"


def test_a_prompt_alone_does_not_start_from_an_image() -> None:
    body = {"action": "generate", "prompt": "A", "model": "minimax-i2v"}
    assert places(refusal_of(VIDEO, body)) == {"/first_image_url"}


def test_the_fields_a_body_may_have_are_those_of_the_dossier() -> None:
    rivya = {"model", "prompt", "params", "client_request_id", "files"}
    acedata = {"action", "model", "prompt", "first_image_url", "callback_url", "async"}
    assert {model: set(each["properties"]) for model, each in STRICT.schemas.items()} == (
        dict.fromkeys(STRICT.schemas, rivya)
    )
    videos = VIDEO.schemas
    assert {model: set(each["properties"]) for model, each in videos.items()} == (
        dict.fromkeys(videos, acedata)
    )


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "/id"),
        ({"action": "retrieve"}, "/id"),
        ({"action": "retrieve", "ids": ["a"]}, "/id"),
        ({"action": "retrieve_batch"}, "/ids"),
        ({"action": "retrieve_batch", "id": "a"}, "/ids"),
        ({"action": "retrieve_batch", "ids": []}, "/ids"),
        ({"action": "retrieve_batch", "ids": ["a", ""]}, "/ids/1"),
        ({"action": "retrieve_batch", "ids": ["a", 5]}, "/ids/1"),
        ({"action": "delete", "id": "a"}, "/action"),
        ({"id": None}, "/id"),
        ({"id": ""}, "/id"),
    ],
)
def test_a_task_query_without_what_its_action_needs_is_refused(
    body: dict[str, Any], place: str
) -> None:
    assert {found.place for found in TASK_QUERY.violations(body)} == {place}


# --- lenient params ---


@pytest.mark.parametrize(
    "params",
    [{"duration": 6}, {"duration": 10.0}, {"prompt_optimizer": True}, {"mood": {"a": [1]}}],
)
def test_lenient_rules_accept_params_that_strict_ones_refuse(params: dict[str, Any]) -> None:
    body = {"model": "hailuo-standard", "prompt": "A", "params": params}
    assert LENIENT.require(body) == "hailuo-standard"
    assert places(refusal_of(STRICT, body)) == {f"/params/{next(iter(params))}"}


@pytest.mark.parametrize(
    "params",
    [{"duration": 7}, {"duration": True}, {"prompt_optimizer": 1}, {"resolution": 512}],
)
def test_lenient_rules_accept_no_unknown_option(params: dict[str, Any]) -> None:
    body = {"model": "hailuo-standard", "prompt": "A", "params": params}
    assert places(refusal_of(LENIENT, body)) == {f"/params/{next(iter(params))}"}


@pytest.mark.parametrize("model_id", RIVYA)
@settings(max_examples=60)
@given(data=st.data())
def test_every_order_that_lenient_rules_accept_has_a_clip(
    model_id: str, data: st.DataObject
) -> None:
    body = data.draw(rivya_bodies(model_id, strict=False))
    LENIENT.require(body)
    clip = CONTRACT.catalog.find("rivya", model_id).clip_for(body.get("params", {}))
    assert clip.duration_s in {6, 10}


# --- what was probably meant ---


@pytest.mark.parametrize(
    ("change", "place", "hint"),
    [
        ({"model": "hailuo-standrd"}, "/model", "did you mean 'hailuo-standard'?"),
        ({"model": "Hailuo-Pro"}, "/model", "did you mean 'hailuo-pro'?"),
        ({"params": {"durations": "6"}}, "/params/durations", "did you mean 'duration'?"),
        ({"params": {"Resolution": "512P"}}, "/params/Resolution", "did you mean 'resolution'?"),
        ({"params": {"RESOLUTION": "512P"}}, "/params/RESOLUTION", "did you mean 'resolution'?"),
        ({"params": {"resolution": "512p"}}, "/params/resolution", "did you mean '512P'?"),
        ({"params": {"prompt_optimizer": "ture"}}, "/params/prompt_optimizer", "mean 'true'?"),
        ({"params": {"prompt_optimizer": True}}, "/params/prompt_optimizer", "as a string: 'true'"),
        ({"params": {"duration": 10}}, "/params/duration", "as a string: '10'"),
        ({"prompt": GONE, "promt": "A"}, "/prompt", "was it sent as 'promt'?"),
        ({"model": GONE, "Model": "hailuo-pro"}, "/model", "was it sent as 'Model'?"),
    ],
)
def test_a_misspelling_is_refused_with_a_near_name(
    change: dict[str, Any], place: str, hint: str
) -> None:
    sent = {"model": "hailuo-standard", "prompt": "A"} | change
    body = {name: value for name, value in sent.items() if value is not GONE}
    (found,) = refusal_of(STRICT, body)
    assert found.place == place
    assert hint in found.sentence


@pytest.mark.parametrize(
    ("change", "place"),
    [({"model": "zzz"}, "/model"), ({"params": {"xyzzy": 1}}, "/params/xyzzy")],
)
def test_a_name_without_a_near_one_has_no_suggestion(change: dict[str, Any], place: str) -> None:
    (found,) = refusal_of(STRICT, {"model": "hailuo-pro", "prompt": "A"} | change)
    assert found.place == place
    assert "did you mean" not in found.sentence


# --- sentences ---


@pytest.mark.parametrize(
    ("schema", "body", "sentence"),
    [
        ({"type": "string"}, None, "must be a string, not null"),
        ({"type": ["null", "object"]}, [], "must be null or an object, not an array"),
        ({"type": "boolean"}, 1, "must be a boolean, not a number"),
        ({"type": "number"}, True, "must be a number, not a boolean"),
        ({"type": "array"}, {}, "must be an array, not an object"),
        ({"type": "integer"}, "1", "must be an integer, not a string"),
        ({"enum": ["a", 1, None]}, False, "must be one of 'a', 1, null, not false"),
        ({"const": "generate"}, {"a": 1}, "must be 'generate', not an object"),
        ({"const": "a"}, "[b]", "must be 'a', not '[b]'"),
        ({"const": "a"}, "b" * 99, f"must be 'a', not '{'b' * 39}…"),
        ({"maxLength": 2}, "\U0001f3ac" * 3, "has 3 characters; at most 2"),
        ({"minLength": 2}, "a", "has 1 characters; at least 2"),
        ({"maxItems": 1}, [1, 2], "has 2 items; at most 1"),
        ({"minItems": 1}, [], "has 0 items; at least 1"),
        ({"minProperties": 1}, {}, "has 0 fields; at least 1"),
        ({"maxProperties": 1}, {"a": 1, "b": 2}, "has 2 fields; at most 1"),
        (
            {"format": "date-time"},
            "now",
            "must be a time with a zone, like 2026-05-11T12:00:00Z, not 'now'",
        ),
        ({"minProperties": 1, "x-sentence": "must have 'a'"}, {}, "must have 'a'"),
        ({"not": {}}, 1, "is not accepted here"),
        ({"minimum": 3}, 2, "must be at least 3, not 2"),
        ({"maximum": 3}, 4, "must be at most 3, not 4"),
        ({"multipleOf": 2}, 3, "breaks the rule multipleOf: 2"),
        ({"pattern": "^a$", "x-sentence": "must be a"}, "b", "must be a"),
        ({"not": {}, "x-sentence": "no more"}, "b", "no more"),
    ],
)
def test_a_violation_says_what_would_be_right(schema: Any, body: Any, sentence: str) -> None:
    (found,) = BodyRules(schema).violations(body)
    assert (found.place, found.sentence) == ("", sentence)


def test_rules_beside_a_reference_hold_as_well_as_those_that_it_refers_to(tmp_path: Path) -> None:
    (tmp_path / "short.json").write_text('{"type": "string", "maxLength": 3}', "utf-8")
    (tmp_path / "both.json").write_text('{"$ref": "short.json", "minLength": 2}', "utf-8")
    rules = BodyRules(Contract(tmp_path).schema("both"))
    assert [rules.accepts(text) for text in ("a", "ab", "abc", "abcd")] == [
        False,
        True,
        True,
        False,
    ]


def test_names_in_places_are_escaped() -> None:
    inner = {"properties": {"c~d": {}}, "required": ["c~d"], "additionalProperties": False}
    schema = {"properties": {"a/b": inner}}
    found = BodyRules(schema).violations({"a/b": {"e/f": 1}})
    assert {violation.place for violation in found} == {"/a~1b/c~0d", "/a~1b/e~1f"}
