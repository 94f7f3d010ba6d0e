"""The generated pages: one for each thing that the server has, and links that lead somewhere."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, get_args

import msgspec
import pytest

from mock_server.apis import ALL
from mock_server.config.settings import setting_infos
from mock_server.contract.data_paths import FIXTURES, SCHEMAS
from mock_server.core.effects import Effect
from mock_server.door.routes import table
from mock_server.verdict.catalogue import RULES
from tools.manual import site
from tools.manual.fault_pages import effect_fields
from tools.manual.links import broken_links
from tools.manual.page import Page, prose
from tools.manual.page import table as page_table
from tools.manual.reference import groups
from tools.manual.schema_fields import fields_of

ASSUMPTIONS = tomllib.loads((SCHEMAS / "assumptions.toml").read_text("utf-8"))
MOST_WORDS = 250
"""Of prose below one heading."""
API_PATHS = msgspec.json.decode((SCHEMAS / "openapi.json").read_bytes())["paths"]


@cache
def made() -> dict[str, dict[str, Page]]:
    """The generated pages by folder and name."""
    return {group.folder: {page.name: page for page in group.pages} for group in groups()}


@cache
def sources() -> dict[str, Any]:
    return dict(site.sources())


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("scenarios", {file.stem for file in (FIXTURES / "scenarios").glob("*.toml")}),
        ("effects", {kind.__struct_config__.tag for kind in get_args(Effect)}),
        ("settings", {info.name for info in setting_infos(ALL)}),
        ("rules", set(RULES)),
        ("assumptions", set(ASSUMPTIONS)),
        (
            "operations",
            {
                operation["operationId"]
                for item in API_PATHS.values()
                for operation in item.values()
                if "operationId" in operation
            },
        ),
    ],
)
def test_each_thing_has_a_page(folder: str, names: set[str]) -> None:
    assert set(made()[folder]) == names
    assert [name for name, page in made()[folder].items() if not page.summary.strip()] == []


def test_each_route_of_the_control_door_has_a_page() -> None:
    routes = {f"`{row.method} {row.path}`" for row in table() if row.method != "HEAD"}
    assert {page.title for page in made()["door"].values()} == routes


def test_each_page_says_whether_it_is_documented_or_assumed() -> None:
    said = re.compile(r"documented|assumed|no document|No document|judges the client, not the API")
    silent = [
        f"{folder}/{name}"
        for folder, pages in made().items()
        for name, page in pages.items()
        if not said.search(page.body)
    ]
    assert silent == []


def test_every_link_of_the_sources_leads_to_a_source() -> None:
    texts = {path: text for path, text in sources().items() if isinstance(text, str)}
    broken = [
        f"{path}: {target}"
        for path, text in texts.items()
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", _without_code(text))
        if _below(path, target) not in sources()
    ]
    assert len(texts) > 500
    assert broken == []


def _without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def _below(page: str, target: str) -> str:
    """The path that a link leads to, from the root of the sources."""
    steps: list[str] = []
    for step in (PurePosixPath(page).parent / target).parts:
        if step == "..":
            steps.pop()
        else:
            steps.append(step)
    return "/".join(steps)


@pytest.mark.parametrize("kind", get_args(Effect))
def test_each_field_of_an_effect_has_a_sentence(kind: type[msgspec.Struct]) -> None:
    sentences = effect_fields(kind)
    assert sentences
    assert [field.path for field, sentence in sentences.items() if not sentence] == []


@pytest.mark.parametrize("kind", get_args(Effect))
def test_the_page_of_scenarios_names_each_field_of_an_effect(kind: type[msgspec.Struct]) -> None:
    page = (site.ROOT / "docs" / "scenarios.md").read_text("utf-8")
    (row,) = re.findall(rf"^\| `{kind.__struct_config__.tag}` \|.*$", page, re.MULTILINE)
    _, _, named = row.removesuffix("|").rpartition("|")
    fields = {field.encode_name for field in msgspec.structs.fields(kind)}
    assert set(re.findall(r"`(\w+)`", named.partition("(")[0])) <= fields
    assert fields <= set(re.findall(r"`(\w+)`", named))


def test_every_page_that_people_write_is_in_a_chapter() -> None:
    written = {path.as_posix() for path in site.written_pages()}
    assert {path.relative_to(site.ROOT).as_posix() for path in _docs()} <= written
    assert all(path in sources() for path in written)


def _docs() -> list[Path]:
    return sorted((site.ROOT / "docs").rglob("*.md"))


def test_no_page_has_long_prose_without_a_heading() -> None:
    long = []
    for page in (path.relative_to(site.ROOT).as_posix() for path in _docs()):
        text = re.sub(r"^\|.*?$", "", _without_code(str(sources()[page])), flags=re.MULTILINE)
        sections = re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]
        long += [(page, each.split("\n")[0]) for each in sections if len(each.split()) > MOST_WORDS]
    assert long == []


def test_a_fact_shows_its_source_and_its_assumptions() -> None:
    page = made()["operations"]["createGeneration"].body
    (row,) = re.findall(r"^\| `prompt` \|.*$", page, re.MULTILINE)[:1]
    assert "documented" in row
    assert "(../assumptions/rivya-prompt-unit.md)" in row
    assert "[`insufficient_credits`](../scenarios/insufficient_credits.md)" in page
    assert "(../operations/createGeneration.md)" in made()["assumptions"]["rivya-scopes"].body


def test_a_table_has_no_empty_column_and_no_bar_in_a_cell() -> None:
    rows = [("a|b", "", "c"), ("d", "", "")]
    assert page_table(("1", "2", "3"), rows) == (
        "| 1 | 3 |\n| --- | --- |\n| a\\|b | c |\n| d |  |\n"
    )
    assert page_table(("1",), []) == ""


def test_text_that_looks_like_html_is_text() -> None:
    assert prose("a <b> and `<c>` <d>") == "a \\<b> and `<c>` \\<d>"


def test_fields_follow_references_and_end_where_a_schema_contains_itself() -> None:
    node: dict[str, Any] = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "next": {"$ref": "#/node"}},
        "required": ["id"],
    }
    found = fields_of({"$ref": "#/node"}, {"node": node})
    assert [field.path for field in found[:4]] == ["id", "next", "next.id", "next.next"]
    assert [field.is_required for field in found[:2]] == [True, False]


def test_broken_links_of_a_built_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<h1 id="top"></h1><a href="#top">1</a><a href="b.html#x">2</a><a href="b.html#y">3</a>'
        '<a href="c.html">4</a><img src="https://cdn.example/p.png"><a href="https://x.example">5</a>'
    )
    (tmp_path / "b.html").write_text('<p id="x"></p><a href="a.html">back</a>')
    assert broken_links(tmp_path) == (
        7,
        [
            "a.html: b.html#y: there is no such anchor",
            "a.html: c.html: there is no such file",
            "a.html: https://cdn.example/p.png: is loaded from another host",
        ],
    )
