"""Generates clients from the served OpenAPI documents, checks their types, and uses them.

openapi-python-client makes the Python client and mypy checks it; openapi-typescript makes the types
for openapi-fetch and tsc checks them. A warning of any of them is a failure. Then
Schemathesis runs all its checks. A program in TypeScript uses the package in clients/node.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
NODE_PACKAGE = HERE.parent.parent / "clients" / "node"
BIN = Path(sys.executable).parent
LINTER = HERE.parent / "openapi-lint" / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js"
SCHEMATHESIS = HERE.parent.parent / "fixtures" / "schemathesis.toml"
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",  # for the Ruff that tidies the Python client
    "NO_COLOR": "1",
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
}
DOCUMENTS = {"/_mock/openapi.json": ("rivya", "acedata"), "/api/v1/openapi.json": ("rivya",)}
"""The APIs in each document."""
MYPY = """
[mypy]
strict = True
# The same file for every document: it hands httpx the arguments of __exit__ as objects.
[mypy-client.client]
ignore_errors = True
"""


def main() -> None:
    """Check every document. Exits with a sentence at the first failure."""
    with server() as url, tempfile.TemporaryDirectory() as folder:
        for path, apis in DOCUMENTS.items():
            work = Path(folder, path.replace("/", "-"))
            work.mkdir()
            document = work / "document.json"
            with urlopen(url + path) as answer:
                document.write_bytes(answer.read())
            run(work, "node", str(LINTER), "lint", "--extends", "recommended-strict", document.name)
            check_python(work, url, apis)
            check_typescript(work, url, apis)
            check_schemathesis(work, url + path)
            print(f"{path}: the clients in Python and TypeScript work, Schemathesis finds nothing")
        work = Path(folder, "node-package")
        work.mkdir()
        check_node_package(work, url)
        print("clients/node: a program in TypeScript works")


def check_node_package(work: Path, url: str) -> None:
    """Check a program that uses the package in clients/node, and run it."""
    modules = work / "node_modules"
    modules.mkdir()
    (modules / "hailuo-mock").symlink_to(NODE_PACKAGE)
    (work / "package.json").write_text('{"type": "module"}', "utf-8")
    shutil.copy(HERE / "common.ts", work)
    shutil.copy(HERE / "node_client.ts", work)
    run(
        work, "node", str(MODULES / "typescript" / "bin" / "tsc"), "node_client.ts", "--strict",
        "--exactOptionalPropertyTypes", "--target", "es2022", "--module", "nodenext",
    )  # fmt: skip
    run(work, "node", "node_client.js", url)


def check_python(work: Path, url: str, apis: tuple[str, ...]) -> None:
    """Generate the package `client` and use it."""
    config = work / "config.json"
    config.write_text('{"package_name_override": "client"}', "utf-8")
    generated = run(
        work, "openapi-python-client", "generate", "--path", "document.json", "--meta", "none",
        "--output-path", "client", "--config", "config.json", "--fail-on-warning",
    )  # fmt: skip
    require_silence("openapi-python-client", generated.replace("Generating client", ""))
    for api in apis:
        shutil.copy(HERE / f"{api}.py", work)
    (work / "mypy.ini").write_text(MYPY, "utf-8")
    run(work, "mypy", "client", *(f"{api}.py" for api in apis))
    for api in apis:
        run(work, "python", f"{api}.py", url)


def check_typescript(work: Path, url: str, apis: tuple[str, ...]) -> None:
    """Generate the types `document.d.ts` and use them."""
    (work / "node_modules").symlink_to(MODULES)
    (work / "package.json").write_text('{"type": "module"}', "utf-8")
    cli = MODULES / "openapi-typescript" / "bin" / "cli.js"
    generated = run(work, "node", str(cli), "document.json", "--output", "document.d.ts")
    lines = [line for line in generated.splitlines() if not line.startswith(("✨", "🚀"))]
    require_silence("openapi-typescript", "\n".join(lines))
    scripts = [f"{name}.ts" for name in (*apis, "common")]
    for script in scripts:
        shutil.copy(HERE / script, work)
    run(
        work, "node", str(MODULES / "typescript" / "bin" / "tsc"), *scripts, "--strict",
        "--exactOptionalPropertyTypes", "--target", "es2022", "--module", "nodenext",
    )  # fmt: skip
    for api in apis:
        run(work, "node", f"{api}.js", url)


def check_schemathesis(work: Path, document_url: str) -> None:
    """Run Schemathesis with the configuration that is handed out: all checks but its exceptions."""
    st = ("st", "--config-file", str(SCHEMATHESIS), "run", document_url, "--seed", "1")
    run(work, *st, "-n", "10")
    run(work, *st, "-n", "10", "--phases", "stateful", "--include-path-regex", "generations")


def require_silence(name: str, said: str) -> None:
    """Exit if a generator has said anything: what it says is a warning."""
    if said.strip():
        sys.exit(f"{name} has warnings:\n{said}")


def run(work: Path, *command: str) -> str:
    """Run one of the installed programs in this folder, and return all it prints.

    Exits if the program fails.
    """
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=work, env=ENVIRONMENT, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


@contextmanager
def server() -> Iterator[str]:
    """A server on a free port, whose time passes quickly; its base URL."""
    command = [str(BIN / "hailuo-mock"), "serve", "--port", "0", "--time-scale", "1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
