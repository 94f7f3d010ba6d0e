"""Every fact in `schemas/` says where it comes from, and every assumption is written down once."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest
import yaml

from mock_server.apis import ALL
from mock_server.config.settings import setting_infos
from mock_server.contract.data_paths import SCHEMAS
from mock_server.contract.failures import failures_of
from mock_server.contract.violations import BodyRules
from mock_server.core.lifecycle import FailureReason

SOURCE = re.compile(r"seed|openapi|client|docs:[A-Za-z0-9/-]+|assumed:[a-z0-9-]+")
ROW_FIELDS = {"what", "why", "section", "setting"}
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}

API_OF_TAG = {"Rivya": "rivya", "AceData": "acedata"}
MODEL_FILES = sorted((SCHEMAS / "models").glob("*.json"))


# --- what is read -----------------------------------------------------------------------------


@cache
def schema_files() -> dict[str, Any]:
    """Every object's schema, by its path under `schemas/`."""
    paths = sorted(path for api in API_OF_TAG.values() for path in (SCHEMAS / api).glob("*.json"))
    return {str(path.relative_to(SCHEMAS)): read_json(path) for path in paths}


@cache
def document() -> dict[str, Any]:
    """`openapi.yaml` as it is, files not taken in."""
    loaded: dict[str, Any] = yaml.safe_load((SCHEMAS / "openapi.yaml").read_text("utf-8"))
    return loaded


@cache
def assumptions() -> dict[str, dict[str, str]]:
    """The rows of `assumptions.toml`, by ID."""
    return tomllib.loads((SCHEMAS / "assumptions.toml").read_text("utf-8"))


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


# --- what is looked for -----------------------------------------------------------------------


def nodes(node: Any, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object in a piece of data, and where it stands."""
    if isinstance(node, Mapping):
        yield place, node
        for key, value in node.items():
            yield from nodes(value, f"{place}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from nodes(value, f"{place}/{index}")


def properties(node: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every property that a schema describes. A condition (`if`) describes none."""
    for at, schema in nodes(node, place):
        if "/if/" not in f"{at}/" and isinstance(schema.get("properties"), Mapping):
            for name, described in schema["properties"].items():
                yield f"{at}/properties/{name}", described


def operations(node: Any = None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every operation of the document, of its webhooks and of its callbacks, by place."""
    for place, item in nodes(document() if node is None else node):
        for method in METHODS & item.keys():
            if isinstance(item[method], Mapping) and "responses" in item[method]:
                yield f"{place}/{method}", item[method]


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference into the document's components stands for."""
    reference = node.get("$ref", "")
    if not reference.startswith("#/"):
        return node
    found: Any = document()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return resolved(found)


def answers() -> Iterator[tuple[str, str, int, Mapping[str, Any]]]:
    """Place, API, status and response of every documented answer."""
    for place, operation in operations():
        for status, response in operation["responses"].items():
            api = API_OF_TAG[operation["tags"][0]]
            yield f"{place}/responses/{status}", api, int(status), resolved(response)


def examples(response: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for content in response.get("content", {}).values():
        yield from content.get("examples", {}).items()


def wire_parts() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every parameter, status, header and error example, by place."""
    for place, item in nodes(document()):
        for index, parameter in enumerate(item.get("parameters", ())):
            if isinstance(parameter, Mapping):  # a link's parameters are a mapping of names
                yield f"{place}/parameters/{index}", resolved(parameter)
    for place, _, status, response in answers():
        yield place, response
        for name, header in response.get("headers", {}).items():
            yield f"{place}/headers/{name}", resolved(header)
        if status >= 400:
            for name, example in examples(response):
                yield f"{place}/examples/{name}", example


def sources() -> Iterator[tuple[str, str]]:
    """Every source that is noted anywhere, and where."""
    files = {**schema_files(), **{path.name: read_json(path) for path in MODEL_FILES}}
    for name, data in {**files, "openapi.yaml": document()}.items():
        for place, node in nodes(data, name):
            noted = node.get("x-source")
            if isinstance(noted, Mapping):
                yield from ((f"{place} {pointer}", source) for pointer, source in noted.items())
            elif noted is not None:
                yield place, noted
    for api in API_OF_TAG.values():
        for reason, failure in failures_of(api).items():
            yield f"{api}/failures.toml/{reason}", failure.source


def named_assumptions() -> set[str]:
    """Every assumption that is named as a source."""
    files = [*schema_files().values(), document()]
    beside = {
        assumption
        for data in files
        for _, node in nodes(data)
        for assumption in node.get("x-assumes", ())
    }
    prefix = "assumed:"
    return beside | {s.removeprefix(prefix) for _, s in sources() if s.startswith(prefix)}


def without_source(parts: Iterable[tuple[str, Any]]) -> list[str]:
    return [place for place, part in parts if not isinstance(part, dict) or "x-source" not in part]


# --- sources ----------------------------------------------------------------------------------


def test_every_property_names_its_source() -> None:
    for name, schema in {**schema_files(), "openapi.yaml": document()}.items():
        assert without_source(properties(schema, name)) == []


def test_every_parameter_status_header_and_error_example_names_its_source() -> None:
    assert without_source(wire_parts()) == []


def test_every_source_has_a_known_form() -> None:
    assert [(place, s) for place, s in sources() if not SOURCE.fullmatch(s)] == []


# --- assumptions ------------------------------------------------------------------------------


def test_every_assumption_that_is_named_is_written_down() -> None:
    assert named_assumptions() - assumptions().keys() == set()


def test_every_assumption_that_is_written_down_is_named_somewhere() -> None:
    assert assumptions().keys() - named_assumptions() == set()


@pytest.mark.parametrize("assumption", assumptions())
def test_an_assumption_says_what_why_where_and_how_to_change_it(assumption: str) -> None:
    row = assumptions()[assumption]
    assert row.keys() == ROW_FIELDS
    assert all(text.strip() for text in row.values())
    assert re.fullmatch(r"(rivya|acedata|both)-[a-z0-9]+(-[a-z0-9]+)*", assumption)


def test_every_setting_named_by_an_assumption_exists() -> None:
    assert unknown_settings(assumptions()) == []


def unknown_settings(rows: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The `setting` of each row that is neither a setting of the server nor a file."""
    known = {knob.name for knob in setting_infos(ALL)}
    root = SCHEMAS.parent
    return [
        row["setting"]
        for row in rows.values()
        if row["setting"] not in known
        and not ("/" in row["setting"] and (root / row["setting"]).is_file())
    ]


# --- models -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODEL_FILES, ids=lambda path: path.stem)
def test_a_model_file_has_the_form_of_the_catalogue(path: Path) -> None:
    form = jsonschema_rs.Draft202012Validator(read_json(SCHEMAS / "models.schema.json"))
    form.validate(read_json(path))
    assert read_json(path)["id"] == path.stem


@pytest.mark.parametrize("path", MODEL_FILES, ids=lambda path: path.stem)
def test_every_fact_of_a_model_has_a_source(path: Path) -> None:
    model = read_json(path)
    noted = model.pop("x-source")
    facts = list(leaves(model))
    assert [fact for fact in facts if not any(is_under(fact, place) for place in noted)] == []
    assert [place for place in noted if not any(is_under(fact, place) for fact in facts)] == []


def leaves(node: Any, place: str = "") -> Iterator[str]:
    """The JSON Pointer of every value that holds no other."""
    inner = dict(enumerate(node)) if isinstance(node, list) else node
    steps = inner.items() if isinstance(inner, dict) else ()
    found = [leaf for key, value in steps for leaf in leaves(value, f"{place}/{key}")]
    yield from found or [place]


def is_under(pointer: str, above: str) -> bool:
    return pointer == above or pointer.startswith(above + "/")


def test_one_acedata_model_is_the_default() -> None:
    models = [read_json(path) for path in MODEL_FILES]
    assert [m["id"] for m in models if m.get("is_default")] == ["minimax-t2v"]


# --- error codes ------------------------------------------------------------------------------


def error_table(api: str) -> dict[str, int | None]:
    rows = schema_files()[f"{api}/error-codes.json"]["anyOf"]
    return {row["const"]: row["x-status"] for row in rows if "const" in row}


@pytest.mark.parametrize("api", API_OF_TAG.values())
def test_every_row_of_an_error_table_is_complete(api: str) -> None:
    *rows, open_end = schema_files()[f"{api}/error-codes.json"]["anyOf"]
    for row in rows:
        assert row.keys() - {"x-assumes"} == {"const", "x-status", "x-source", "x-when"}
    assert open_end.keys() == {"type", "x-source", "description"}
    assert len(error_table(api)) == len(rows)


def example_codes(api: str) -> set[tuple[str, int | None]]:
    """Code and status of every example of an error. In a 200 an error code has no status."""
    return {
        (error["code"], status if status >= 400 else None)
        for _, of_api, status, response in answers()
        for _, example in examples(response)
        for error in (example["value"].get("error"),)
        if of_api == api and error
    }


@pytest.mark.parametrize("api", API_OF_TAG.values())
def test_the_examples_of_errors_and_the_error_table_agree(api: str) -> None:
    assert example_codes(api) == set(error_table(api).items())


def test_an_example_of_an_error_is_named_by_its_code() -> None:
    for place, _, status, response in answers():
        for name, example in examples(response) if status >= 400 else ():
            assert example["value"]["error"]["code"] == name, place


@pytest.mark.parametrize("api", API_OF_TAG.values())
def test_each_reason_of_a_failure_has_a_code_of_the_error_table(api: str) -> None:
    failures = failures_of(api)
    assert tuple(failures) == get_args(FailureReason)
    assert {failure.code for failure in failures.values()} <= error_table(api).keys()
    messages = {failure.message for failure in failures.values()}
    assert len(messages) == len(failures)
    assert not set("[]") & set("".join(messages))  # a published client reads them as markup


# --- patterns ---------------------------------------------------------------------------------


def test_a_blank_prompt_means_the_same_to_both_apis() -> None:
    prompts = [
        schema_files()[name]["properties"]["prompt"]["pattern"]
        for name in ("rivya/generation-request.json", "acedata/video-request.json")
    ]
    assert prompts[0] == prompts[1]


def test_the_same_fields_have_the_same_url_pattern() -> None:
    videos = schema_files()["acedata/video-request.json"]["properties"]
    assert videos["first_image_url"]["pattern"] == videos["callback_url"]["pattern"]
    made, changed = (schema_files()[f"rivya/webhook-{verb}.json"] for verb in ("create", "update"))
    assert made["properties"]["url"]["pattern"] == changed["properties"]["url"]["pattern"]


GOOD_URLS = [
    "https://a.example/b.png",
    "HTTPS://h",
    "https://u:p@h:65535/x?y#z",
    "https://[::1]/%20",
]
BAD_URLS = [
    "", " https://h", "https://h ", "https://", "https:///x", "//h", "h", "ftp://h/x", "https://h\n",
    "data:image/png;base64,AAAA", "https://a b", "https://h/%zz", "https://h/é", "https://h:65536",
    "https://[1:2]/",
]  # fmt: skip
UPLOAD = "http://127.0.0.1:4010/media/default/files/file_9xTq/a%20b.png"
LOCAL = "http://localhost:1/"
GOOD_HOOKS, BAD_HOOKS = ["https://h/x?y", LOCAL], ["https://u@h", "https://h/#x"]
NEARLY_UPLOADS = ["http://h/b.png", "http://h/media/w/files/file_/x", UPLOAD + "?q", UPLOAD + "/x"]


@pytest.mark.parametrize(
    ("file", "name", "good", "bad"),
    [
        ("acedata/video-request", "callback_url", [*GOOD_URLS, UPLOAD, LOCAL], BAD_URLS),
        ("rivya/reference-item", "url", [*GOOD_URLS, UPLOAD], [*BAD_URLS, *NEARLY_UPLOADS]),
        ("rivya/webhook-create", "url", GOOD_HOOKS, [*BAD_URLS, *BAD_HOOKS]),
    ],
)
def test_a_url_field_takes_whole_urls_alone(
    file: str, name: str, good: list[str], bad: list[str]
) -> None:
    schema = schema_files()[f"{file}.json"]["properties"][name]
    server = BodyRules(schema)
    assert [url for url in good if not server.accepts(url)] == []
    assert [url for url in [*bad, "https://h/" + "x" * 2048] if server.accepts(url)] == []
    published = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    assert [url for url in good if not published.is_valid(url)] == []
    assert [url for url in bad if published.is_valid(url)] == [*IN_RFC_3986 & {*bad}]


IN_RFC_3986 = {"https://h:65536"}
"""URLs that RFC 3986 allows, but the server does not."""


def test_a_pattern_is_short_and_covers_the_whole_text() -> None:
    """Some tools search for a pattern, others compare it with the whole text."""
    for _, node in [*nodes(schema_files()), *nodes(document())]:
        if "pattern" in node:
            assert len(node["pattern"]) <= 130
            assert node["pattern"].startswith("^")
            assert node["pattern"].endswith("$")
