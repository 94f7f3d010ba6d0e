"""Makes clients/node/types: the types of the control door's document, and those of the sources.

Without an argument it writes them. With `--check` it exits with 1 if they are not up to date.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mock_server.apis import ALL
from mock_server.door.document import document
from mock_server.door.routes import table

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
NODE = Path(sys.executable).with_name("node")
PACKAGE = HERE.parent.parent / "clients" / "node"
TYPES = PACKAGE / "types"
OPTIONS = ("--default-non-nullable=false", "--empty-objects-unknown")
"""Of openapi-typescript: a field of a body that has a default may be left out, and an object whose
fields are not described may have any."""


def main() -> int:
    """Write the types or check them. Returns 0, or 1 if a check has found differences."""
    with tempfile.TemporaryDirectory() as folder:
        made = make(Path(folder))
        if "--check" in sys.argv[1:]:
            return check(made)
        shutil.rmtree(TYPES, ignore_errors=True)
        shutil.copytree(made, TYPES)
    return 0


def make(work: Path) -> Path:
    """The folder with the types, made in another. Exits if the sources have a wrong type."""
    package = work / "node"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("types", "test"))
    (work / "node_modules").symlink_to(MODULES)
    control = work / "control.json"
    control.write_text(json.dumps(document(table(), [api.name for api in ALL])), "utf-8")
    types = package / "types"
    types.mkdir()
    generator = MODULES / "openapi-typescript" / "bin" / "cli.js"
    run(generator, control, *OPTIONS, "--output", types / "control.d.ts")
    run(MODULES / "typescript" / "bin" / "tsc", "--project", package)
    return types


def check(made: Path) -> int:
    """Compare the types with those in the repository. Returns 1 and names the files that differ."""
    names = {path.name for folder in (made, TYPES) for path in folder.iterdir()}
    differ = sorted(name for name in names if text(made / name) != text(TYPES / name))
    for name in differ:
        print(f"clients/node/types/{name} is not up to date: make types", file=sys.stderr)
    return 1 if differ else 0


def text(path: Path) -> str | None:
    """The contents of a file; None if there is none."""
    return path.read_text("utf-8") if path.exists() else None


def run(*command: str | Path) -> None:
    """Run a program in Node.js. Exits with all it printed if it fails."""
    done = subprocess.run(
        [NODE, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
