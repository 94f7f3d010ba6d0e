"""Requests held against the catalogue: right ones pass, wrong ones are told where.

Two judges read the same schemas: the fast one the server uses, and `jsonschema`.
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
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from mock_server.contract import Contract
from mock_server.core.refusals import Invalid, Violation
from mock_server.data import SCHEMAS
from mock_server.edge.json_body import pointer
from mock_server.edge.violations import BodyRules
from mock_server.request_rules import OrderRules
from mock_server.rivya import wire

STRICT, LENIENT = Contract(SCHEMAS), Contract(SCHEMAS, strict_params=False)

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


Reference = extend(Draft202012Validator, {"pattern": ecma_pattern})


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
        found |= {(place + name, rule) for name in names}
    return found


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
strangers = st.dictionaries(st.sampled_from(["seed", "Model", "prompt ", ""]), st.none(), max_size=1)


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


def rivya_bodies(model_id: str, *, strict: bool) -> st.SearchStrategy[dict[str, Any]]:
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


def acedata_bodies(model_id: str) -> st.SearchStrategy[dict[str, Any]]:
    starts_from_image = model_id != "minimax-t2v"
    needed = {"first_image_url": st.sampled_from(HTTP_URLS)} if starts_from_image else {}
    body = st.fixed_dictionaries(
        {
            "action": st.just("generate"),
            **needed,
            **({"model": st.just(model_id)} if starts_from_image else {"prompt": prompts}),
        },
        optional={
            "model": st.just(model_id),
            "prompt": prompts,
            "first_image_url": st.sampled_from(HTTP_URLS),
            "callback_url": st.sampled_from(HTTP_URLS),
            "async": st.booleans(),
        },
    )
    return st.builds(lambda more, body: more | body, strangers, body)


task_queries: st.SearchStrategy[dict[str, Any]] = st.one_of(
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
upload_forms: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"file": st.just(""), "kind": st.sampled_from(["image", "video", "audio"])},
    optional={"model": st.just("hailuo-pro"), "client_request_id": trace_ids},
)

Bodies = st.SearchStrategy[dict[str, Any]]
RIVYA, ACEDATA = ("hailuo-pro", "hailuo-standard"), tuple(m.id for m in STRICT.catalog.of("acedata"))
ORDERS: dict[str, tuple[OrderRules, str, Bodies]] = {
    **{f"{m} strict": (STRICT.generation_rules, m, rivya_bodies(m, strict=True)) for m in RIVYA},
    **{f"{m} lenient": (LENIENT.generation_rules, m, rivya_bodies(m, strict=False)) for m in RIVYA},
    **{m: (STRICT.video_rules, m, acedata_bodies(m)) for m in ACEDATA},
}
SCHEMAS_AND_BODIES: dict[str, tuple[Any, Bodies]] = {
    **{name: (rules.schemas[model], bodies) for name, (rules, model, bodies) in ORDERS.items()},
    "task query": (STRICT.task_query_rules.schema, task_queries),
    "upload form": (STRICT.upload_rules.schema, upload_forms),
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


def spelled_slightly_otherwise(text: str) -> list[str]:
    fullwidth = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    return [text + "\n", "\n" + text, text + " ", text.upper(), text.title(), text[:-1], fullwidth]


@st.composite
def damaged(draw: st.DrawFn, bodies: Bodies) -> Any:
    """A good body with one to three things dropped, added, replaced or misspelt."""
    body: Any = deepcopy(draw(bodies))
    for _ in range(draw(st.integers(1, 3))):
        holder, step = draw(st.sampled_from(list(holders({"": body}))))
        if holder is None:
            continue
        value = holder[step]
        near = spelled_slightly_otherwise(value) if isinstance(value, str) else []
        damage = draw(st.sampled_from(["drop", "replace", "replace", "add", "near", "near"]))
        if damage == "near" and near:
            holder[step] = draw(st.sampled_from(near))
        elif damage == "drop" and step != "":
            del holder[step]
        elif damage == "add" and isinstance(value, dict):
            names = ["files", "params", "referenceMediaItems", "durations", "async", "ids", "a/b~c"]
            value[draw(st.sampled_from(names))] = draw(st.sampled_from(ODD_VALUES))
        elif damage == "add" and isinstance(value, list):
            value += value or [draw(st.sampled_from(ODD_VALUES))]
        else:
            holder[step] = draw(st.sampled_from(ODD_VALUES))
        body = deepcopy(holder[""]) if "" in holder and holder is not body else body
    return body


def holders(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key or index) below a node."""
    steps = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for step in steps:
        yield node, step
        yield from holders(node[step])
