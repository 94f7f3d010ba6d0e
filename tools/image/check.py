"""Executes the Dockerfile in empty folders, without Docker, and uses the image that it makes.

    python -m tools.image.check

A virtual environment stands for the base image: RUN and COPY work in a folder instead of /. The
server is started as the Dockerfile says, as its user if this is root, and can write to /tmp alone.
Needs the package index.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.image.dockerfile import ROOT, Step, context_files, health_command, stages

BASE_MB = 119.5
BASE_COMPRESSED_MB = 43.0
"""python:3.14-slim and python:3.13-slim for amd64 in August 2026, of docker-library/repo-info:
`local/3.14-slim.md` ("total size of all layers on-disk"), `remote/3.13-slim.md` ("compressed")."""
MOST_MB = 150
STOP_BUDGET_S = 0.2
TRIES = 5
TOKEN = "secret"


def main() -> int:
    """Build, measure and use the image. Returns 0; raises what went wrong."""
    with TemporaryDirectory(prefix="image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        image = build(folder)
        measure(folder / "build" / "install")
        use(image, folder / "root")
    return 0


def build(folder: Path) -> list[Step]:
    """Execute both stages: the first in the folder `build`, the last in `root`. Its steps."""
    stage: list[Step] = []
    for stage in stages():
        root = folder / "root"
        if root.exists():
            root.rename(folder / "build")
        venv.create(root / "usr" / "local", with_pip=True)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
        } | {"PATH": f"{root}/usr/local/bin:{os.environ['PATH']}"}
        here = root
        for step in stage:
            match step.name:
                case "ENV":
                    # Without the cache of pip each run would load all packages again.
                    environment |= step.variables() | {"PIP_NO_CACHE_DIR": "0"}
                case "WORKDIR":
                    here = root / step.rest.lstrip("/")
                    here.mkdir(parents=True, exist_ok=True)
                case "COPY":
                    copy(step.rest.split(), here, folder)
                case "RUN":
                    command = inside(step.rest, root)
                    subprocess.run(
                        ["sh", "-c", command], cwd=here, env=environment, check=True, timeout=600
                    )
    return stage


def inside(command: str, root: Path) -> str:
    """A command whose absolute paths lie in a folder."""
    for top in ("/wheels", "/install"):
        command = command.replace(f" {top}", f" {root}{top}")
    return command


def copy(words: list[str], here: Path, folder: Path) -> None:
    """Do what a COPY says: from the context, or from the stage before."""
    *_, source, target = words
    if words[0].startswith("--from="):
        root = folder / "root"
        shutil.copytree(
            folder / words[0].removeprefix("--from=") / source.lstrip("/"),
            root / target.lstrip("/"),
            dirs_exist_ok=True,
            symlinks=True,
        )
        return
    for path in context_files():
        if source in {".", path.as_posix()}:
            copied = here / (path if source == "." else Path(target) / path.name)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, copied)


def measure(installed: Path) -> None:
    """Print the size of what is added to the base. Raises AssertionError if it is too much."""
    added = sum(path.lstat().st_size for path in installed.rglob("*") if path.is_file()) / 1e6
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(installed, arcname="usr/local")
    compressed = len(packed.getvalue()) / 1e6
    print(
        f"base {BASE_MB} MB (as published) + {added:.1f} MB = {BASE_MB + added:.1f} MB; "
        f"compressed about {BASE_COMPRESSED_MB} + {compressed:.1f} MB"
    )
    assert BASE_MB + added < MOST_MB


def use(image: list[Step], root: Path) -> None:
    """Start the server as the image does. Raises AssertionError if it is not as promised."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    with serving(image, root, {}) as (process, _):
        assert process.wait(20) == 2, "it must not start with an open control door"
    stops_s = []
    for _ in range(TRIES):
        with serving(image, root, {"HAILUO_MOCK_CONTROL_TOKEN": TOKEN}) as (process, url):
            health = health_command(image)
            environment = {"HAILUO_MOCK_PORT": url.rpartition(":")[2]}
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["event"] == "ready"
            assert run_in(root, health, environment).wait(20) == 0
            assert request(f"{url}/api/v1/generations", generation()) == 200
            assert request(f"{url}/_mock/worlds", None) == 401
            started_s = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            stops_s.append(time.monotonic() - started_s)
            assert run_in(root, health, environment).wait(20) == 1
    print(f"stopped after {min(stops_s):.3f} to {max(stops_s):.3f} s")
    assert min(stops_s) < STOP_BUDGET_S


@contextmanager
def serving(
    image: list[Step], root: Path, variables: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process that the image starts, and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    of_image = {
        name: value
        for step in image
        if step.name == "ENV"
        for name, value in step.variables().items()
    }
    command = [
        word for step in image if step.name in {"ENTRYPOINT", "CMD"} for word in step.words()
    ]
    process = run_in(root, command, of_image | {"HAILUO_MOCK_PORT": port} | variables)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def run_in(root: Path, command: list[str], variables: dict[str, str]) -> subprocess.Popen[str]:
    """Start a command of the image in its folder, as its user if that is possible."""
    (user,) = [step.rest for step in stages()[-1] if step.name == "USER"]
    (here,) = [step.rest for step in stages()[-1] if step.name == "WORKDIR"]
    identity = int(user.partition(":")[0]) if os.getuid() == 0 else None
    return subprocess.Popen(
        [str(root / "usr" / "local" / "bin" / command[0]), *command[1:]],
        cwd=root / here.lstrip("/"),
        env=variables,
        user=identity,
        group=identity,
        extra_groups=None if identity is None else [],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def generation() -> bytes:
    """A create for Rivya."""
    return json.dumps({"model": "hailuo-pro", "prompt": "Dusk"}).encode()


def request(url: str, body: bytes | None) -> int:
    """The status of an answer."""
    headers = {"Authorization": "Bearer rvya_sk_test", "Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20) as got:
            return int(got.status)
    except urllib.error.HTTPError as refused:
        return refused.code


if __name__ == "__main__":
    sys.exit(main())
