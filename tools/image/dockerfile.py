"""Reads the Dockerfile and .dockerignore, as far as this project uses their syntax."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Step:
    """One instruction: `RUN` with the rest of its line. Continued lines are one line."""

    name: str
    rest: str

    def words(self) -> list[str]:
        """The arguments of an instruction in exec form. Raises ValueError for the shell form."""
        words: list[str] = json.loads(self.rest)
        return words

    def variables(self) -> dict[str, str]:
        """The variables of an ENV."""
        return dict(re.findall(r"(\w+)=(\S+)", self.rest))


def steps() -> list[Step]:
    """Every instruction of the Dockerfile, in order."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    joined = "\n".join(lines).replace("\\\n", " ")
    pairs = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [Step(name, rest.strip()) for name, _, rest in pairs]


def stages() -> list[list[Step]]:
    """The instructions of each stage, from its FROM to its end."""
    found: list[list[Step]] = []
    for step in steps():
        if step.name == "FROM":
            found.append([])
        found[-1].append(step)
    return found


def health_command(image: list[Step]) -> list[str]:
    """The words of the health check of a stage."""
    (check,) = [step.rest for step in image if step.name == "HEALTHCHECK"]
    return Step("CMD", check.partition(" CMD ")[2]).words()


def context_files() -> Iterator[Path]:
    """The files that .dockerignore lets into the build, relative to the checkout."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    tops = [ROOT / rule[1:] for rule in rules if rule.startswith("!")]
    for top in tops:
        files = [top] if top.is_file() else [file for file in top.rglob("*") if file.is_file()]
        for file in files:
            path = file.relative_to(ROOT)
            if not _is_ignored(path, rules):
                yield path


def _is_ignored(path: Path, rules: list[str]) -> bool:
    """Whether the last rule that fits a path, or a folder it is in, ignores it."""
    ignored = False
    parts = [path, *path.parents]
    for rule in rules:
        pattern = rule.removeprefix("!").removeprefix("**/")
        anywhere = rule.startswith("**/")
        if any(fnmatch(part.name if anywhere else part.as_posix(), pattern) for part in parts):
            ignored = not rule.startswith("!")
    return ignored
