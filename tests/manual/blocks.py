"""The blocks of code of a page, and what happens if a reader does what they say."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mock_server.contract.data_paths import SCHEMAS

ROOT = SCHEMAS.parent
PRINTED_URL = "http://127.0.0.1:4010"
PATIENCE_S = 60
INSTALLS = re.compile(r"python3 -m venv |(pip|pipx) install |uvx --from \S+ (?!hailuo-mock serve)")
"""Commands that tools/install/check.py runs in empty environments."""
CLONE = "git clone https://git.example/hailuo-mock.git"
SERVES = re.compile(r"(?:uvx --from \S+ )?hailuo-mock (serve\b.*)")


class Block(NamedTuple):
    """A block. file: the name before it, if the text says how a file is called."""

    kind: str
    text: str
    file: str


def blocks(page: str) -> list[Block]:
    """All blocks of a page, in order."""
    found = re.finditer(r"(?:^|\n)(?P<before>[^\n]*)\n*\n```(?P<kind>\w+)\n(?P<text>.*?)```", page,
                        re.DOTALL)  # fmt: skip
    return [
        Block(each["kind"], each["text"], _file_name(each["before"], each["kind"]))
        for each in found
    ]


def _file_name(before: str, kind: str) -> str:
    named = re.search(r"[Ww]rite `([\w.-]+)`:$", before)
    return named[1] if named and kind != "sh" else ""


@dataclass
class Reader:
    """Does what a page says, in an empty folder.

    Files are written, a clone is this checkout, `hailuo-mock serve` starts a server on a free port,
    and the other commands are sent to the last server that was started. Before the first one that
    is a server without arguments.
    """

    folder: Path
    url: str = ""
    server: subprocess.Popen[str] | None = None

    def read(self, page: str) -> Iterator[tuple[Block, str]]:
        """Each command with all that it printed. Raises AssertionError if one fails."""
        try:
            for block in blocks(page):
                if block.file:
                    text = block.text.replace(PRINTED_URL, self.url)
                    (self.folder / block.file).write_text(text, "utf-8")
                elif block.kind == "sh":
                    yield block, self._typed(block.text)
        finally:
            self._stop()

    def _typed(self, text: str) -> str:
        lines = [line for line in text.splitlines() if not INSTALLS.match(line)]
        if CLONE in lines:
            lines.remove(CLONE)
            (self.folder / "hailuo-mock").symlink_to(ROOT)
        if len(lines) == 1 and (serve := SERVES.fullmatch(lines[0])):
            self._serve(serve[1])
            return ""
        if not self.url and PRINTED_URL in text:
            self._serve("serve")
        command = "\n".join(lines).replace(PRINTED_URL, self.url)
        done = self._run(["bash", "-c", command])
        output, _ = done.communicate(timeout=PATIENCE_S)
        if done.returncode:
            raise AssertionError(f"exit code {done.returncode}: {text}\n{output}")
        return output

    def _serve(self, arguments: str) -> None:
        self._stop()
        self.server = self._run(["hailuo-mock", *arguments.split(), "--port", "0"])
        assert self.server.stdout is not None
        ready = next((line for line in self.server.stdout if line.startswith('{"event"')), "")
        (port,) = re.findall(r'"url":"http://[^"]+:(\d+)"', ready)
        self.url = f"http://127.0.0.1:{port}"

    def _stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.communicate(timeout=PATIENCE_S)
            self.server = None

    def _run(self, command: list[str]) -> subprocess.Popen[str]:
        own = {name: value for name, value in os.environ.items() if "HAILUO_MOCK" not in name}
        path = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ["PATH"]])
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=own | {"PATH": path} | ({"HAILUO_MOCK_URL": self.url} if self.url else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def misses(printed: str, expected: str) -> list[str]:
    """The lines of a page that are not in what was printed, in their order; `…` is any text."""
    missing, rest = [], printed
    for line in expected.splitlines():
        pattern = ".*?".join(re.escape(part) for part in line.split("…"))
        found = re.search(pattern, rest)
        if found is None:
            missing.append(line)
        else:
            rest = rest[found.end() :]
    return missing
