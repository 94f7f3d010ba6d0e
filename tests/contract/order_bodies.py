"""Bodies of requests, right ones and damaged ones, and a second validator that judges them.

The second validator is `jsonschema`, with the schemas of the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from mock_server.apis import ALL
from mock_server.apis.acedata.schema import task_query_rules, video_rules
from mock_server.apis.rivya.schema import lenient_generation, strict_generation, upload_rules
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import SCHEMAS
from mock_server.contract.request_rules import OrderRules
from mock_server.contract.violations import BodyRules
from mock_server.core.json_values import pointer
from mock_server.core.refusals import Invalid, Violation

CONTRACT = Contract(SCHEMAS, ALL)
STRICT, LENIENT = CONTRACT.of(strict_generation), CONTRACT.of(lenient_generation)
VIDEO, TASK_QUERY = CONTRACT.of(video_rules), CONTRACT.of(task_query_rules)

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
    **{m: (VIDEO, m, acedata_bodies(m)) for m in ACEDATA},
}
SCHEMAS_AND_BODIES: dict[str, tuple[Any, Bodies]] = {
    **{name: (rules.schemas[model], bodies) for name, (rules, model, bodies) in ORDERS.items()},
    "task query": (TASK_QUERY.schema, task_queries),
    "upload form": (CONTRACT.of(upload_rules).schema, upload_forms),
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


# --- one defect in a good body ---

GONE = object()
ITEM = {"url": "https://files.test/a.png", "kind": "image"}
ITEMS = ("params", "referenceMediaItems")


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
