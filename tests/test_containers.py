"""The Dockerfile, compose.yaml and the page about containers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from mock_server.config.settings import Settings
from mock_server.core.callback_hosts import CallbackHosts
from tests.live import live
from tools.image.dockerfile import ROOT, context_files, health_command, stages, steps

COMMANDS = Path(sys.executable).parent
HADOLINT = shutil.which("hadolint", path=str(COMMANDS))
IMAGE = stages()[-1]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
PAGE = (ROOT / "docs" / "containers.md").read_text("utf-8")
KUBERNETES = [*yaml.safe_load_all(re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)[0])]


def only(name: str) -> str:
    """The rest of the one instruction of this name in the final image."""
    (rest,) = [step.rest for step in IMAGE if step.name == name]
    return rest


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(HADOLINT is None, reason="hadolint has no package for this machine")
def test_hadolint_finds_nothing() -> None:
    done = run(str(HADOLINT), "Dockerfile")
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_image_starts_the_server_directly_and_as_no_root() -> None:
    words = [step.words() for step in IMAGE if step.name in {"ENTRYPOINT", "CMD"}]
    assert words == [["hailuo-mock"], ["serve"]]
    user, group = map(int, only("USER").split(":"))
    assert user > 0 < group
    assert only("EXPOSE") == str(Settings().port)


def test_every_stage_has_the_same_base_of_a_supported_python() -> None:
    (base,) = {step.rest.partition(" ")[0] for step in steps() if step.name == "FROM"}
    version = base.removeprefix("python:").removesuffix("-slim")
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'"Programming Language :: Python :: {version}"' in project
    assert COMPOSE["services"]["app"]["image"] == base
    assert f"`{base}`" in PAGE


def test_the_health_check_succeeds_only_if_the_server_is_ready() -> None:
    program, *arguments = health_command(IMAGE)
    assert program == "python"
    with live(control_token="secret") as mock:
        port = mock.url.rpartition(":")[2]
        assert run(sys.executable, *arguments, HAILUO_MOCK_PORT=port).returncode == 0
    assert run(sys.executable, *arguments, HAILUO_MOCK_PORT=port).returncode == 1


def test_the_build_gets_what_the_wheel_is_made_of_and_nothing_else() -> None:
    files = {path.as_posix() for path in context_files()}
    tracked = run("git", "ls-files", "-z").stdout.split("\0")
    packed = ("mock_server/", "contract_tests/", "schemas/", "fixtures/")
    alone = {
        "requirements/serve.txt",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "tools/openapi_json.py",
    }
    wanted = {name for name in tracked if name.startswith(packed)} | alone
    assert wanted <= files
    assert {name for name in files - wanted if not name.startswith(packed)} == set()
    assert not any("__pycache__" in name for name in files)
    assert "schemas/openapi.json" not in files


def test_compose_keeps_its_schema() -> None:
    files = ["compose.yaml", *map(str, ROOT.glob("deploy/*/compose.yaml"))]
    command = COMMANDS / "check-jsonschema"
    done = run(command, "--builtin-schema", "vendor.compose-spec", *files)
    assert done.returncode == 0, done.stdout


def test_compose_waits_for_the_health_check_of_the_image() -> None:
    server, app = COMPOSE["services"]["hailuo-mock"], COMPOSE["services"]["app"]
    assert app["depends_on"]["hailuo-mock"]["condition"] == "service_healthy"
    assert "healthcheck" not in server
    assert server["read_only"] is True
    assert server["ports"] == [f"127.0.0.1:{Settings().port}:{Settings().port}"]


def test_the_application_of_compose_gets_its_callback() -> None:
    """Here an address of this machine stands for the name of a service."""
    server, app = COMPOSE["services"]["hailuo-mock"], COMPOSE["services"]["app"]
    hosts = server["environment"]["HAILUO_MOCK_CALLBACK_HOSTS"].replace("app", "127.0.0.1")
    with live(clock__mode="real", clock__start=None, callback_hosts=[hosts]) as mock:
        variables = {
            name: value.replace("http://hailuo-mock:4010", mock.url).replace("//app", "//127.0.0.1")
            for name, value in app["environment"].items()
        }
        program = ROOT / "examples" / "compose" / Path(app["command"][1]).name
        done = run(sys.executable, program, **variables)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"[0-9a-f-]{{36}}: {mock.url}/media/\S+\n", done.stdout)


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
def test_the_inboxes_of_processes_behind_a_proxy_get_their_callbacks(proxy: str) -> None:
    composed = yaml.safe_load((ROOT / "deploy" / proxy / "compose.yaml").read_text("utf-8"))
    variables = composed["services"]["w0"]["environment"]
    assert composed["services"]["w1"]["environment"] == variables
    hosts = CallbackHosts(variables["HAILUO_MOCK_CALLBACK_HOSTS"].split(","))
    _, _, default = variables["HAILUO_MOCK_PUBLIC_URL"].removesuffix("}").partition(":-")
    for public_url in (default, "http://proxy:4010"):
        assert hosts.destination(f"{public_url}/_mock/inbox/w0-test/a") is not None


def test_the_pages_manifests_are_those_of_the_image() -> None:
    deployment, service = KUBERNETES
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["enableServiceLinks"] is False
    assert container["ports"][0]["containerPort"] == service["spec"]["ports"][0]["port"]
    assert service["spec"]["ports"][0]["port"] == int(only("EXPOSE"))
    assert (
        service["spec"]["selector"].items()
        <= deployment["spec"]["template"]["metadata"]["labels"].items()
    )
    names = {variable["name"] for variable in container["env"]}
    assert names <= {f"HAILUO_MOCK_{name.upper()}" for name in Settings.__struct_fields__}


def test_probes_are_answered_without_a_token_and_for_any_host() -> None:
    (container,) = KUBERNETES[0]["spec"]["template"]["spec"]["containers"]
    probes: list[Any] = [value for name, value in container.items() if name.endswith("Probe")]
    assert len(probes) == 3
    with live(control_token="secret") as mock:
        for probe in probes:
            path = probe["httpGet"]["path"]
            answer = httpx2.get(mock.url + path, headers={"host": "10.0.0.1:4010"})
            assert answer.status_code == 200
