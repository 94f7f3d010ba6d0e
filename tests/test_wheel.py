"""The wheel, installed without the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import httpx2
import pytest

from tests.contract_hook import held

ROOT = Path(__file__).parent.parent
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
# Whatever this shell says about where Python code lies must not help the wheel.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(target: str, source: Path, into: Path) -> Path:
    """Build the wheel or the sdist with the installed packages; nothing is downloaded."""
    run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", into, cwd=source)
    (built,) = into.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that holds the wheel.

    Its dependencies are those of the environment the tests run in, which comes later in the search
    path. The link from there to the checkout is not followed: it stands in a .pth file, and those
    are read in an environment's own folder only.
    """
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home)
    scripts = home / SCRIPTS
    python = scripts / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=home)
    site = run(
        python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home
    ).strip()
    lenders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(site) / "dependencies.pth").write_text("\n".join(lenders), "utf-8")
    return scripts


def contents(archive: Path) -> dict[str, int]:
    with zipfile.ZipFile(archive) as opened:
        return {entry.filename: entry.CRC for entry in opened.infolist()}


def test_the_wheel_contains_the_data_folders(wheel: Path) -> None:
    inside = set(contents(wheel))
    for name in ("schemas", "fixtures"):
        kept = {path for path in (ROOT / name).rglob("*") if path.is_file()}
        kept = {path for path in kept if path.suffix != ".pyc"}
        assert kept
        assert {f"mock_server/{path.relative_to(ROOT).as_posix()}" for path in kept} <= inside


def test_the_wheel_contains_no_tests_and_no_tools(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in contents(wheel)}
    info = {name for name in tops if name.endswith(".dist-info")}
    assert tops - info <= {"mock_server", "contract_tests"}


def test_the_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / sdist.name.removesuffix(".tar.gz")
    assert contents(build("wheel", source, tmp_path / "wheel")) == contents(wheel)


def test_python_imports_the_installed_package_and_not_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    where = (
        "from mock_server.contract import data_paths as paths; "
        "print(paths.__file__, paths.SCHEMAS, paths.FIXTURES, sep='\\n')"
    )
    paths = run(installed / "python", "-c", where, cwd=tmp_path).splitlines()
    assert len(paths) == 3
    assert all(Path(path).is_relative_to(installed.parent) for path in paths)


def test_the_installed_command_serves_contract_and_media(installed: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [installed / "hailuo-mock", "serve", "--port", "0", "--time-scale", "1000"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        assert ready, process.communicate()[1]
        url = json.loads(ready)["url"]

        assert httpx2.get(f"{url}/_mock/health").status_code == 200
        models = held(httpx2.get(f"{url}/api/v1/models")).json()["data"]
        assert "hailuo-pro" in {model["id"] for model in models}
        document = httpx2.get(f"{url}/_mock/openapi.json").json()
        assert "/hailuo/videos" in document["paths"]
        asked = httpx2.post(
            f"{url}/hailuo/videos",
            headers={"authorization": "Bearer test-token"},
            json={"action": "generate", "prompt": "a lighthouse at dusk"},
        )
        made = held(asked).json()
        video = httpx2.get(made["data"][0]["video_url"])
        assert video.status_code == 200
        assert video.content[4:8] == b"ftyp"  # how every MP4 begins

        process.terminate()
        rest, errors = process.communicate(timeout=10)
        assert (rest, errors) == ("", "")
        assert process.returncode == 0 or os.name == "nt"  # Windows knows no SIGTERM, it just ends
    finally:
        process.kill()
        process.communicate()
