"""The page for people as it is served: complete, restricted, and from this server alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import mock_server
from tests.mock import Mock
from tests.rows import each_row
from tests.test_wheel import ROOT, build, contents

FILES = sorted((Path(mock_server.__file__).parent / "door" / "page").iterdir())
NAMES = [file.name for file in FILES]
TEXTS = {file.name: file.read_text("utf-8") for file in FILES}
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
# What only names something, and fetches nothing.
NAMESPACE = "http://www.w3.org/2000/svg"


def policy_of(mock: Mock, path: str) -> dict[str, str]:
    header = mock.request("GET", path).headers["content-security-policy"]
    return dict(part.partition(" ")[::2] for part in header.split("; "))


@each_row("file", FILES)
def test_every_file_is_served_as_it_is(mock: Mock, file: Path) -> None:
    answer = mock.request("GET", f"/_mock/page/{file.name}")
    assert (answer.status, answer.body) == (200, file.read_bytes())
    assert answer.headers["content-type"] == TYPES[file.suffix]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_has_the_documented_address(mock: Mock) -> None:
    answer = mock.request("GET", "/_mock/")
    assert (answer.status, answer.headers["content-type"]) == (200, TYPES[".html"])
    assert answer.body.decode() == TEXTS["index.html"]


@pytest.mark.parametrize("prefix", ["", "/w/default"])
def test_the_address_without_its_last_slash_redirects(mock: Mock, prefix: str) -> None:
    answer = mock.request("GET", f"{prefix}/_mock")
    assert (answer.status, answer.headers["location"]) == (307, "_mock/")


def test_head_returns_the_headers_of_the_page(mock: Mock) -> None:
    head, page = mock.request("HEAD", "/_mock/"), mock.request("GET", "/_mock/")
    assert (head.status, head.headers) == (page.status, page.headers)


def test_a_client_with_the_current_file_is_answered_304(mock: Mock) -> None:
    etag = mock.request("GET", "/_mock/page/page.js").headers["etag"]
    again = mock.request("GET", "/_mock/page/page.js", headers={"if-none-match": etag})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    other = mock.request("GET", "/_mock/page/page.css", headers={"if-none-match": etag})
    assert other.status == 200


@pytest.mark.parametrize("name", ["nothing.js", "..%2fapp.py", "..%2Fdoor%2Fpage.py", "."])
def test_an_unknown_file_is_a_problem(mock: Mock, name: str) -> None:
    answer = mock.request("GET", f"/_mock/page/{name}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_unknown_file_is_refused_with_a_near_name(mock: Mock) -> None:
    assert "did you mean 'page.js'?" in mock.request("GET", "/_mock/page/pag.js").json()["title"]


def test_the_page_may_load_only_from_its_server_and_run_no_inline_script(mock: Mock) -> None:
    policy = policy_of(mock, "/_mock/")
    assert policy["default-src"] == "'none'"
    allowed = {"'none'", "'self'", "data:", "'script'"}
    assert {source for value in policy.values() for source in value.split()} <= allowed
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"


@each_row("name", NAMES)
def test_no_file_names_another_server(name: str) -> None:
    text = TEXTS[name].replace(NAMESPACE, "")
    assert re.findall(r"https?:|\bwss?:|\burl\((?!\"data:|#)|@import", text) == []
    assert re.findall(r"""(?:src|href)\s*=\s*["']//""", text) == []


@each_row("name", NAMES)
def test_no_file_builds_html_or_code_from_text(name: str) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|"
    assert re.findall(forbidden + r"\bon\w+=\"|<style|style=\"", TEXTS[name]) == []


def test_every_file_that_the_page_loads_exists() -> None:
    asked = set(re.findall(r"""from "\./(\S+?)";""", "".join(TEXTS.values())))
    asked |= set(re.findall(r'"page/(\S+?)"', "".join(TEXTS.values())))
    assert asked | {"index.html"} == set(NAMES)


def test_the_wheel_contains_every_file_of_the_page(tmp_path: Path) -> None:
    inside = contents(build("wheel", ROOT, tmp_path))
    assert {f"mock_server/door/page/{name}" for name in NAMES} <= set(inside)


def test_the_page_is_served_by_a_locked_door_and_its_data_are_not(
    make_mock: Callable[..., Mock],
) -> None:
    mock = make_mock(control_token="sesame")
    assert mock.request("GET", "/_mock/").status == 200
    assert mock.request("GET", "/_mock/page/page.js").status == 200
    assert mock.request("GET", "/_mock/worlds").status == 401


def test_the_journal_has_no_requests_for_the_page(mock: Mock) -> None:
    for path in ("/_mock", "/_mock/", "/_mock/page/page.js"):
        mock.request("GET", path)
    assert mock.request("GET", "/_mock/worlds/default/requests").json()["requests"] == []
