"""What the page about installing says is what pyproject.toml says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "install.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_every_extra_is_in_the_table() -> None:
    listed = re.findall(r"^\| `?(\w+)`? \|", PAGE, re.MULTILINE)
    assert listed == ["extra", "none", *PROJECT["optional-dependencies"]]


def test_the_versions_are_those_that_are_required() -> None:
    (oldest,) = re.findall(r"Python (\S+) or newer", PAGE)
    assert PROJECT["requires-python"] == f">={oldest}"
    required = {re.split("[<>=]", line)[0]: line for line in PROJECT["dependencies"]}
    starlette, uvicorn = re.findall(r"Starlette (\d+) and uvicorn ([\d.]+)", PAGE)[0]
    assert f"starlette>={starlette}." in required["starlette"]
    assert required["uvicorn"].startswith(f"uvicorn>={uvicorn},")


def test_every_link_leads_to_a_page() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGE)
    assert targets
    assert [target for target in targets if not (ROOT / "docs" / target).exists()] == []
