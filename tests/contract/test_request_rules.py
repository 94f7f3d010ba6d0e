"""Validation of requests against the catalogue, with the place of each error.

Two validators read the same schemas: that of the server, and `jsonschema`.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from mock_server.apis import ALL
from mock_server.apis.acedata.schema import AceDataRules
from mock_server.apis.rivya import response_bodies
from mock_server.apis.rivya.schema import RivyaRules
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import SCHEMAS
from mock_server.contract.request_rules import OrderRules
from mock_server.contract.violations import BodyRules
from mock_server.contract.web_urls import is_web_url
from mock_server.core.json_values import pointer
from mock_server.core.refusals import Invalid, Violation

CONTRACT = Contract(SCHEMAS, ALL)
RIVYA_RULES, ACEDATA_RULES = CONTRACT.of(RivyaRules), CONTRACT.of(AceDataRules)
STRICT, LENIENT = RIVYA_RULES.strict_generation, RIVYA_RULES.lenient_generation

Bodies = st.SearchStrategy[dict[str, Any]]

# --- the reference judge ---


@cache
def as_python(pattern: str) -> re.Pattern[str]:
    """An ECMA-262 pattern for `re`: there `$` is the very end, here also before a last newline."""
    pieces = r"\\.|\[(?:\\.|[^\]\\])*\]|\$"
    return re.compile(re.sub(pieces, lambda m: r"\Z" if m[0] == "$" else m[0], pattern))


def ecma_pattern(
    validator: Any, pattern: str, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not as_python(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match")


_CHARS = "A-Za-z0-9._~!$&'()*+,;=:-"
_USER, _PATH, _QUERY = (rf"(?:[{more}{_CHARS}]|%[0-9A-Fa-f]{{2}})*" for more in ("", "@/", "@/?"))
_SHORTENED = "|".join(f"(?:H:){{1,{n}}}(?::H){{1,{7 - n}}}" for n in range(1, 7))
_IPV6 = rf"(?:H:){{7}}H|(?:H:){{1,7}}:|:(?::H){{1,7}}|::|{_SHORTENED}".replace(
    "H", "[0-9A-Fa-f]{1,4}"
)
_PORT = "[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
WEB_URL = re.compile(
    rf"[Hh][Tt][Tt][Pp][Ss]?://(?:{_USER}@)?"
    rf"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[(?:{_IPV6})\])(?::(?:{_PORT}))?"
    rf"(?:/{_PATH})?(?:\?{_QUERY})?(?:#{_QUERY})?"
)
"""A URL that a request body may have, as one grammar."""


def web_url(validator: Any, name: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if name == "uri" and isinstance(instance, str) and not WEB_URL.fullmatch(instance):
        yield ValidationError(f"{instance!r} is no URL")


Reference: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": ecma_pattern, "format": web_url}
)


def places_by_reference(schema: Any, body: Any) -> set[tuple[str, str]]:
    """Every (place, rule) the reference finds broken; missing and unknown names are places."""
    found = set()
    for error in Reference(schema).iter_errors(body):
        place, rule = pointer(error.absolute_path), str(error.validator)
        names = [""]
        if rule == "required":
            names = [pointer([n]) for n in error.validator_value if n not in error.instance]
        elif rule == "additionalProperties":
            known = error.schema.get("properties", {})
            names = [pointer([n]) for n in error.instance if n not in known]
        rule = "pattern" if rule == "format" else rule
        found |= {(place + name, rule) for name in names}
    return found


url_pieces = st.sampled_from(
    [
        *(
            "https",
            "HTTP",
            "://",
            ":",
            "/",
            "//",
            "@",
            "u:p",
            "h",
            "a.b",
            "-a",
            "a-",
            "_",
            "?",
            "#",
        ),
        *(
            "[::1]",
            "[1:2]",
            "[1::2::3]",
            "[1:2:3:4:5:6:7:8]",
            "[1:2:3:4:5:6:7::]",
            "[::ffff:1.2.3.4]",
        ),
        *(
            "[fe80::1%25e]",
            "[12345::]",
            ":65535",
            ":65536",
            ":00080",
            ":0080",
            ":70000",
            "%20",
            "%zz",
        ),
        *("%", "é", "\n", " ", "!", "[", "]", "|", "data:", "\\", ".", "~", "1"),
    ]
)


@settings(max_examples=1000)
@given(st.sampled_from(["", "https://", "http://"]), st.lists(url_pieces, max_size=6))
def test_a_url_is_accepted_if_the_grammar_has_it(start: str, pieces: list[str]) -> None:
    url = "".join([start, *pieces])
    assert is_web_url(url) is bool(WEB_URL.fullmatch(url))


# --- good bodies, by hand from the dossiers ---

WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000"
HTTPS_URLS = [
    "https://files.test/a.png",
    "HTTPS://u:p%20@[2001:db8::1]:65535/a(b)/?q=1&r=/?#f",
    "https://127.0.0.1",
    "https://h:0?x",
    "https://h/" + "a" * 2038,
]
UPLOAD_URLS = ["http://127.0.0.1:4010/media/default/files/file_0a1b/a%20b.png", *HTTPS_URLS]
HTTP_URLS = ["http://localhost:8080/cb", *HTTPS_URLS]

prompts = st.builds(
    "{}{}{}".format,
    st.text(st.sampled_from(WHITE), max_size=2),
    st.sampled_from(["A", "\U0001f3ac", "a" * 1496, "\u200b", "\ufeff", "\u4e16\n\u754c", "."]),
    st.text(st.sampled_from(WHITE), max_size=2),
)
trace_ids = st.sampled_from(["", "shot-0042", "x" * 128, "\U0001f3ac" * 128])
strangers = st.sampled_from([{}, {"seed": None}, {"Model": 1}, {"prompt ": ""}, {"": {}}])


def options_of(model_id: str, *, strict: bool) -> dict[str, list[Any]]:
    switch: list[Any] = ["false", "true"] if strict else ["false", "true", True, False]
    if model_id == "hailuo-pro":
        return {"prompt_optimizer": switch}
    seconds: list[Any] = ["6", "10"] if strict else ["6", "10", 6, 10, 6.0]
    return {"prompt_optimizer": switch, "duration": seconds, "resolution": ["512P", "768P"]}


reference_items = st.fixed_dictionaries(
    {"url": st.sampled_from(UPLOAD_URLS), "kind": st.just("image")},
    optional={
        "name": st.sampled_from(["", "a.png"]),
        "mimeType": st.sampled_from(["image/png", "image/jpeg", "image/webp"]),
        "durationSeconds": st.sampled_from([6, 6.5, 0]),
        "durationToken": st.just("t"),
        "more": st.none(),
    },
)


def rivya_bodies(model_id: str, *, strict: bool) -> Bodies:
    options = options_of(model_id, strict=strict)
    params = st.fixed_dictionaries(
        {} if strict else {"stranger": st.none()},
        optional={
            "referenceMediaItems": st.lists(reference_items, max_size=2),
            **{name: st.sampled_from(values) for name, values in options.items()},
        },
    )
    body = st.fixed_dictionaries(
        {"model": st.just(model_id), "prompt": prompts},
        optional={"params": params, "client_request_id": trace_ids},
    )
    return st.builds(lambda more, body: more | body, strangers, body)


def acedata_bodies(model_id: str) -> Bodies:
    fields: dict[str, st.SearchStrategy[Any]] = {
        "model": st.just(model_id),
        "prompt": prompts,
        "first_image_url": st.sampled_from(HTTP_URLS),
        "callback_url": st.sampled_from(HTTP_URLS),
        "async": st.booleans(),
    }
    needed = ("prompt",) if model_id == "minimax-t2v" else ("model", "first_image_url")
    body = st.fixed_dictionaries(
        {"action": st.just("generate"), **{name: fields[name] for name in needed}},
        optional={name: field for name, field in fields.items() if name not in needed},
    )
    return st.builds(lambda more, body: more | body, strangers, body)


task_queries: Bodies = st.one_of(
    st.fixed_dictionaries(
        {"id": st.sampled_from(["t", "\n"])}, optional={"action": st.just("retrieve")}
    ),
    st.fixed_dictionaries(
        {
            "action": st.just("retrieve_batch"),
            "ids": st.lists(st.sampled_from("abc"), min_size=1, max_size=3),
        },
        optional={"id": st.just("t")},
    ),
)
upload_forms: Bodies = st.fixed_dictionaries(
    {"file": st.just(""), "kind": st.sampled_from(["image", "video", "audio"])},
    optional={"model": st.just("hailuo-pro"), "client_request_id": trace_ids},
)

RIVYA = ("hailuo-pro", "hailuo-standard")
ACEDATA = ("minimax-t2v", "minimax-i2v", "minimax-i2v-director")
ORDERS: dict[str, tuple[OrderRules, str, Bodies]] = {
    **{f"{m} strict": (STRICT, m, rivya_bodies(m, strict=True)) for m in RIVYA},
    **{f"{m} lenient": (LENIENT, m, rivya_bodies(m, strict=False)) for m in RIVYA},
    **{m: (ACEDATA_RULES.video, m, acedata_bodies(m)) for m in ACEDATA},
}
SCHEMAS_AND_BODIES: dict[str, tuple[Any, Bodies]] = {
    **{name: (rules.schemas[model], bodies) for name, (rules, model, bodies) in ORDERS.items()},
    "task query": (ACEDATA_RULES.task_query.schema, task_queries),
    "upload form": (RIVYA_RULES.upload.schema, upload_forms),
}

every_order = pytest.mark.parametrize("name", ORDERS)
every_schema = pytest.mark.parametrize("name", SCHEMAS_AND_BODIES)

# --- bad bodies, by damage to good ones ---

ODD_VALUES: list[Any] = [
    *(None, True, False, 0, 1, 1.0, 6, 6.0, 10.5, -0.0, 10**30, "", "1", "6", "true", [], {}),
    *(["generate"], {"model": "hailuo-pro"}, "x" * 129, "x" * 1501, "\U0001f3ac" * 1501, WHITE),
    *("\u200b", "\ufeff", "\x1c", "\u180e", "hailuo-pro", "hailuo-standard", "minimax-i2v"),
    *("http://h/\n", "https://h/\n", "https://h /", "https://h/é", "ftp://h/", "https://", "//h/"),
    *("https://h:65536/", "https://[1::2::3]/", "data:image/png;base64,AA", "http://h/media/w/"),
    *("https://h/" + "a" * 2039, [[]], [None], [{}], {"url": 1}, "retrieve_batch", "image"),
]
ODD_NAMES = ["files", "params", "referenceMediaItems", "durations", "async", "ids", "a/b~c"]


@st.composite
def damaged(draw: st.DrawFn, bodies: Bodies) -> Any:
    """A good body with one to three things dropped, added, replaced or misspelt."""
    root: list[Any] = [deepcopy(draw(bodies))]
    for _ in range(draw(st.integers(1, 3))):
        holder, step = draw(st.sampled_from(list(holders(root))))
        value, odd = holder[step], deepcopy(draw(st.sampled_from(ODD_VALUES)))
        damage = draw(st.sampled_from(["drop", "replace", "add", "misspell", "misspell"]))
        if damage == "misspell" and isinstance(value, str):
            holder[step] = draw(st.sampled_from(misspellings(value)))
        elif damage == "drop" and holder is not root:
            del holder[step]
        elif damage == "add" and isinstance(value, dict):
            value[draw(st.sampled_from(ODD_NAMES))] = odd
        elif damage == "add" and isinstance(value, list):
            value += [*deepcopy(value), odd]
        else:
            holder[step] = odd
    return root[0]


def misspellings(text: str) -> list[str]:
    fullwidth = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    return [text + "\n", "\n" + text, text + " ", text.upper(), text.title(), text[:-1], fullwidth]


def holders(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key or index) below a node."""
    steps: Any = ()
    if isinstance(node, dict | list):
        steps = list(node) if isinstance(node, dict) else range(len(node))
    for step in steps:
        yield node, step
        yield from holders(node[step])


# --- the two judges ---

RULES = {name: BodyRules(schema) for name, (schema, _) in SCHEMAS_AND_BODIES.items()}


def refusal_of(rules: OrderRules, body: Any) -> tuple[Violation, ...]:
    """The refusal of a body that breaks the rules."""
    with pytest.raises(Invalid) as refused:
        rules.require(body)
    assert refused.value.violations
    assert all(found.sentence for found in refused.value.violations)
    return refused.value.violations


def places(violations: tuple[Violation, ...]) -> set[str]:
    return {found.place for found in violations}


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
    default = "minimax-t2v" if rules is ACEDATA_RULES.video else None
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
    assert published("TaskQuery").is_valid(body) is ACEDATA_RULES.task_query.accepts(body)


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


# --- one defect, one place ---

GONE = object()
ITEM = {"url": "https://files.test/a.png", "kind": "image"}
ITEMS = ("params", "referenceMediaItems")
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


def with_defect(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy of the body with `value` at the path; what leads there is made where it is missing."""
    holder = body = deepcopy(body)
    for step in path[:-1]:
        if step == 0:
            holder[:] = holder or [dict(ITEM)]
        else:
            holder.setdefault(step, [] if step == "referenceMediaItems" else {})
        holder = holder[step]
    if value is GONE:
        holder.pop(path[-1], None)
    elif isinstance(holder, list):
        holder[:] = [value]
    else:
        holder[path[-1]] = value
    return body


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
@pytest.mark.parametrize("rules", [STRICT, ACEDATA_RULES.video])
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
    assert ACEDATA_RULES.video.require({"action": "generate", "prompt": "A"}) == "minimax-t2v"


def test_a_prompt_alone_does_not_start_from_an_image() -> None:
    body = {"action": "generate", "prompt": "A", "model": "minimax-i2v"}
    assert places(refusal_of(ACEDATA_RULES.video, body)) == {"/first_image_url"}


def test_the_fields_a_body_may_have_are_those_of_the_dossier() -> None:
    rivya = {"model", "prompt", "params", "client_request_id", "files"}
    acedata = {"action", "model", "prompt", "first_image_url", "callback_url", "async"}
    assert {model: set(each["properties"]) for model, each in STRICT.schemas.items()} == (
        dict.fromkeys(STRICT.schemas, rivya)
    )
    videos = ACEDATA_RULES.video.schemas
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
    assert {found.place for found in ACEDATA_RULES.task_query.violations(body)} == {place}


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


# --- a model is a file ---

DREAM = {
    "api": "rivya",
    "id": "dream-9",
    "price_credits": 7,
    "prompt": {"required": False, "max_chars": 40},
    "params": [
        {
            "key": "style",
            "type": "select",
            "required": True,
            "default": "noir",
            "options": ["noir", "pastel"],
            "description": "How it looks.",
        }
    ],
    "references": {
        "kinds": ["video"],
        "max_files": 1,
        "max_bytes": 5 * 1024 * 1024,
        "mime_types": ["video/mp4"],
    },
    "listing": {
        "display_name": "Dream 9",
        "category": "video",
        "runtime": "async_task",
        "billing_type": "FIXED",
        "supported_modes": ["text-to-video"],
        "api_status": "available",
        "api_input_status": "available_text",
        "supported_api_inputs": ["text"],
        "requires_files_api": False,
        "requires_upload_for_modes": [],
        "url_input_supported": False,
        "file_kinds": ["video"],
        "chat_capabilities": None,
        "notices": [],
    },
    "clips": [
        {"params": {"style": "noir"}, "width": 640, "height": 480, "duration_s": 3},
        {"params": {"style": "pastel"}, "width": 640, "height": 480, "duration_s": 4},
    ],
    "x-source": {"/params": "assumed:made-up"},
}
DREAM_VIDEO = {"url": "https://files.test/a.mp4", "kind": "video", "mimeType": "video/mp4"}
DREAM_ORDER = {
    "model": "dream-9",
    "params": {"style": "pastel", "referenceMediaItems": [DREAM_VIDEO]},
}


@pytest.fixture
def enlarged(tmp_path: Path) -> Contract:
    """The contract with one more model of each API: two more files, no more code."""
    folder = tmp_path / "schemas"
    shutil.copytree(SCHEMAS, folder)
    video = json.loads((folder / "models" / "minimax-t2v.json").read_text("utf-8"))
    video |= {"id": "dream-t2v", "is_default": False, "price_credits": 3, "needs_prompt": False}
    for facts in (DREAM, video):
        (folder / "models" / f"{facts['id']}.json").write_text(json.dumps(facts), "utf-8")
    return Contract(folder, ALL)


def test_the_made_up_model_is_one_the_catalogue_may_hold() -> None:
    form = json.loads((SCHEMAS / "models.schema.json").read_text("utf-8"))
    assert list(Reference(form).iter_errors(DREAM)) == []


def test_an_added_model_takes_its_own_params_and_references(enlarged: Contract) -> None:
    assert enlarged.of(RivyaRules).strict_generation.require(DREAM_ORDER) == "dream-9"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("params", "style"), GONE),
        (("params", "style"), "sepia"),
        (("params", "duration"), "6"),
        (("prompt",), "x" * 41),
        (ITEMS, [DREAM_VIDEO] * 2),
        ((*ITEMS, 0, "kind"), "image"),
        ((*ITEMS, 0, "mimeType"), "image/png"),
    ],
)
def test_an_added_model_refuses_what_its_file_does_not_allow(
    enlarged: Contract, path: tuple[str | int, ...], value: Any
) -> None:
    body = with_defect(DREAM_ORDER, path, value)
    assert places(refusal_of(enlarged.of(RivyaRules).strict_generation, body)) == {pointer(path)}


def test_an_added_model_has_its_price_and_clips(enlarged: Contract) -> None:
    dream = enlarged.catalog.find("rivya", "dream-9")
    assert dream.price_credits == 7
    assert dream.clip_for({"style": "pastel"}).duration_s == 4
    assert dream.clip_for({}).duration_s == 3


def test_an_added_model_is_listed_with_what_it_takes(enlarged: Contract) -> None:
    listed = response_bodies.model(enlarged.catalog.find("rivya", "dream-9"))
    assert Reference(enlarged.schema("rivya/model")).is_valid(listed)
    assert (listed["id"], listed["base_credits"], listed["max_prompt_length"]) == ("dream-9", 7, 40)
    assert [(param["key"], param["options"]) for param in listed["params"]] == [
        ("style", ["noir", "pastel"])
    ]
    assert listed["reference_media"] == {
        "kinds": ["video"],
        "max_files": 1,
        "max_size_mb": 5,
        "mime_types": ["video/mp4"],
    }


def test_an_added_model_is_among_those_a_mistyped_name_may_have_meant(enlarged: Contract) -> None:
    (found,) = refusal_of(enlarged.of(RivyaRules).strict_generation, {"model": "dreem-9"})
    assert "did you mean 'dream-9'?" in found.sentence


def test_an_added_acedata_model_has_its_own_needs_and_price(enlarged: Contract) -> None:
    body = {"action": "generate", "model": "dream-t2v"}
    assert enlarged.of(AceDataRules).video.require(body) == "dream-t2v"
    assert enlarged.catalog.find("acedata", "dream-t2v").price_credits == 3


def test_adding_models_changes_nothing_for_the_others(enlarged: Contract) -> None:
    for before, after in [
        (STRICT, enlarged.of(RivyaRules).strict_generation),
        (ACEDATA_RULES.video, enlarged.of(AceDataRules).video),
    ]:
        assert before.schemas == {model_id: after.schemas[model_id] for model_id in before.schemas}
