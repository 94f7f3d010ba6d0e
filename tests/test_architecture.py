"""The page about the architecture is true."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_imports import LEVELS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def test_every_room_is_there_with_its_level() -> None:
    rows = re.findall(r"^\| (\d) \| `(\w+)/`", PAGE, re.MULTILINE)
    assert {room: int(level) for level, room in rows} == LEVELS


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(r"`([\w/-]+/[\w.-]+\.\w+)`", PAGE)
    assert named
    homes = (ROOT, ROOT / "mock_server")
    assert [name for name in named if not any((home / name).exists() for home in homes)] == []
