"""Runs each block of commands of docs/install.md in an empty environment, and uses the server.

    python tools/install/check.py [TEXT]    only the blocks that contain TEXT

The environments are empty, but pip may use its cache. Packages come from the index that pip and uv
are set up for. Git is told to take this checkout, with its last commit, for the address of the
repository.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "install.md"
ADDRESS = "https://git.example/hailuo-mock.git"
"""The address of the repository on the page."""
INSTALLERS = ("uv", "pipx")
SERVES = "hailuo-mock serve"
TIMEOUT_S = 900


def main() -> int:
    """Run the blocks that were asked for. Returns 0 if all worked, 1 if not, 2 without a block."""
    wanted = "".join(sys.argv[1:])
    blocks: list[str] = re.findall(r"```sh\n(.+?)```", PAGE.read_text("utf-8"), re.DOTALL)
    blocks = [block.strip() for block in blocks if wanted in block]
    with TemporaryDirectory() as folder:
        installers = Path(folder) / "installers"
        _make_environment(installers)
        _run([_python(installers), "-m", "pip", "install", "--quiet", *INSTALLERS])
        failed = [block for block in blocks if not _works(block, installers)]
    return 2 if not blocks else 1 if failed else 0


def _works(block: str, installers: Path) -> bool:
    """Whether each command of a block works in an empty environment. Prints how long it took."""
    started_s = time.monotonic()
    with TemporaryDirectory() as folder:
        try:
            _use(block, Path(folder), installers)
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            output = getattr(error, "stderr", None) or getattr(error, "output", None) or ""
            print(f"FAILED\n{block}\n{error}\n{output}", flush=True)
            return False
    print(f"{time.monotonic() - started_s:5.1f} s  {block.replace(chr(10), '; ')}", flush=True)
    return True


def _use(block: str, folder: Path, installers: Path) -> None:
    checkout, environment = folder / "checkout", folder / "environment"
    _run(["git", "clone", "--quiet", str(ROOT), str(checkout)])
    _make_environment(environment)
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "HAILUO_MOCK_", "VIRTUAL_ENV"))
    } | {
        "PATH": os.pathsep.join(
            [
                str(_python(environment).parent),
                str(folder / "commands"),
                str(_python(installers).parent),
                os.environ["PATH"],
            ]
        ),
        "PIPX_HOME": str(folder / "pipx"),
        "PIPX_BIN_DIR": str(folder / "commands"),
        "UV_CACHE_DIR": str(folder / "uv"),
        "HAILUO_MOCK_PORT": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{checkout.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
    }
    for line in block.splitlines():
        if SERVES in line:
            with _serving(line, checkout, variables) as url:
                _create(url)
        else:
            _run(["bash", "-c", line], cwd=checkout, env=variables)


@contextmanager
def _serving(line: str, folder: Path, variables: dict[str, str]) -> Iterator[str]:
    """The URL of a server that this command starts, and that a signal ends with code 0."""
    process = subprocess.Popen(
        shlex.split(line), cwd=folder, env=variables, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        if not ready:
            raise subprocess.CalledProcessError(process.wait(), line)
        yield json.loads(ready)["url"]
        process.terminate()
        if code := process.wait(20):
            raise subprocess.CalledProcessError(code, line)
    finally:
        process.kill()
        process.communicate()


def _create(url: str) -> None:
    """Make a task. Raises OSError if it is refused."""
    body = json.dumps({"model": "hailuo-pro", "prompt": "Dusk"}).encode()
    headers = {"Authorization": "Bearer rvya_sk_test", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v1/generations", body, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        if json.load(answer)["status"] != "queued":
            raise ValueError("the task is not queued")


def _make_environment(folder: Path) -> None:
    venv.create(folder, with_pip=True)


def _python(environment: Path) -> Path:
    return environment / ("Scripts" if os.name == "nt" else "bin") / "python"


def _run(command: list[str | Path], **where: Any) -> None:
    """Run a command to its end. where: the arguments `cwd` and `env` of `subprocess.run`."""
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_S, **where)


if __name__ == "__main__":
    sys.exit(main())
