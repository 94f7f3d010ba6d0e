"""The server's validator of requests and a second one find the same errors at the same places."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.contract.web_urls import is_web_url
from mock_server.core.refusals import Invalid
from tests.contract.order_bodies import (
    ACEDATA,
    CONTRACT,
    ORDERS,
    RIVYA,
    RULES,
    SCHEMAS_AND_BODIES,
    TASK_QUERY,
    VIDEO,
    WEB_URL,
    Reference,
    as_python,
    damaged,
    every_order,
    every_schema,
    places_by_reference,
    refusal_of,
    task_queries,
    url_pieces,
)


@settings(max_examples=1000)
@given(st.sampled_from(["", "https://", "http://"]), st.lists(url_pieces, max_size=6))
def test_a_url_is_accepted_if_the_grammar_has_it(start: str, pieces: list[str]) -> None:
    url = "".join([start, *pieces])
    assert is_web_url(url) is bool(WEB_URL.fullmatch(url))


@pytest.mark.parametrize(("pattern", "text"), [("^a$", "a\n"), (r"[$]\$$", "$$\n"), ("a$", "a\nb")])
def test_the_reference_takes_a_dollar_for_the_very_end(pattern: str, text: str) -> None:
    assert as_python(pattern).search(text) is None


@every_schema
@settings(max_examples=40)
@given(data=st.data())
def test_both_validators_accept_valid_bodies(name: str, data: st.DataObject) -> None:
    schema, bodies = SCHEMAS_AND_BODIES[name]
    body = data.draw(bodies)
    assert RULES[name].violations(body) == []
    assert RULES[name].accepts(body)
    assert places_by_reference(schema, body) == set()


@every_schema
@settings(max_examples=100)
@given(data=st.data())
def test_both_validators_find_the_same_violations(name: str, data: st.DataObject) -> None:
    schema, bodies = SCHEMAS_AND_BODIES[name]
    body = data.draw(damaged(bodies))
    by_reference = places_by_reference(schema, body)
    assert {(v.place, v.rule) for v in RULES[name].violations(body)} == by_reference
    assert RULES[name].accepts(body) is (not by_reference)


@every_order
@settings(max_examples=30)
@given(data=st.data())
def test_a_right_order_is_accepted_for_its_model(name: str, data: st.DataObject) -> None:
    rules, model_id, bodies = ORDERS[name]
    assert rules.require(data.draw(bodies)) == model_id


@every_order
@settings(max_examples=60)
@given(data=st.data())
def test_an_order_is_judged_by_the_rules_of_the_model_it_names(
    name: str, data: st.DataObject
) -> None:
    rules, _, bodies = ORDERS[name]
    body = data.draw(damaged(bodies))
    default = "minimax-t2v" if rules is VIDEO else None
    asked = body.get("model", default) if isinstance(body, dict) else None
    schema = rules.schemas.get(asked) if isinstance(asked, str) else None
    if schema is not None and not places_by_reference(schema, body):
        assert rules.require(body) == asked
    else:
        refusal_of(rules, body)


@pytest.mark.parametrize(
    ("document_name", "name"),
    [("GenerationRequest", f"{m} strict") for m in RIVYA] + [("VideoRequest", m) for m in ACEDATA],
)
@settings(max_examples=40)
@given(data=st.data())
def test_the_published_document_accepts_what_the_server_accepts(
    document_name: str, name: str, data: st.DataObject
) -> None:
    rules, _, bodies = ORDERS[name]
    body = data.draw(bodies | damaged(bodies))
    try:
        rules.require(body)
    except Invalid:
        assert not published(document_name).is_valid(body)
    else:
        assert published(document_name).is_valid(body)


@settings(max_examples=100)
@given(damaged(task_queries))
def test_the_published_task_query_accepts_what_the_server_accepts(body: Any) -> None:
    assert published("TaskQuery").is_valid(body) is TASK_QUERY.accepts(body)


RESULT = {"primary_url": "https://h/a.mp4", "urls": ["https://h/a.mp4"]}


@pytest.mark.parametrize("status", ["queued", "processing", "succeeded", "failed", "other"])
@pytest.mark.parametrize("result", [None, RESULT, {}, 1])
@pytest.mark.parametrize("error", [None, {"code": "generation_failed", "message": ""}, {}, 1])
def test_the_published_generation_accepts_what_its_file_accepts(
    status: str, result: Any, error: Any
) -> None:
    body = {
        "id": "task_1", "status": status, "model": "hailuo-pro", "result": result, "error": error,
        "reserved_credits": 57, "final_credits": 0, "created_at": "2026-05-11T00:00:00.000Z",
        "updated_at": "2026-05-11T00:00:00.000Z",
    }  # fmt: skip
    general = Reference(CONTRACT.schema("rivya/generation"))
    assert published("Generation").is_valid(body) is general.is_valid(body)


def published(name: str) -> Any:
    return Reference({"$ref": f"#/components/schemas/{name}", **CONTRACT.openapi})


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("VideoRequest", {"action": "generate"}),
        ("VideoRequest", {"action": "generate", "model": "minimax-i2v"}),
        ("GenerationRequest", {"model": "hailuo-pro"}),
        ("TaskQuery", {}),
        ("TaskQuery", {"action": "retrieve_batch", "id": "a"}),
        ("WebhookCreate", {"url": "https://hooks.test/"}),
    ],
)
def test_the_published_document_requires_what_the_server_requires(name: str, body: Any) -> None:
    assert not published(name).is_valid(body)


def test_the_general_video_request_needs_a_prompt_or_a_model() -> None:
    general = Reference(CONTRACT.schema("acedata/video-request"))
    assert not general.is_valid({"action": "generate"})
    assert general.is_valid({"action": "generate", "prompt": "A"})
