"""Runs `hailuo-mock` in a process of its own, forked from one that has imported it already.

The imports of the suite and of the server take longer than most of their runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_LONGEST_S = 240
_CAN_FORK = "forkserver" in get_all_start_methods()
FORKS: Any = get_context("forkserver" if _CAN_FORK else "spawn")
"""Forks from a process that has imported what they need; on Windows, each process imports it. A
program has one such process, whatever it calls `get_context` for, and the last list of modules
holds: so this is the only one."""
FORKS.set_forkserver_preload(["contract_tests.broken.preloaded"])


def run(
    *arguments: str, environment: Mapping[str, str], before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `hailuo-mock` in the current folder, after some Python code.

    Raises TimeoutError if it does not end within four minutes.
    """
    with TemporaryDirectory(prefix="forked-") as name:
        files = Path(name, "out"), Path(name, "err")
        how = (arguments, dict(environment), Path.cwd(), files, before)
        process = FORKS.Process(target=_run, args=how)
        process.start()
        process.join(_LONGEST_S)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"hailuo-mock {' '.join(arguments)} ran for {_LONGEST_S} s")
        out, err = (file.read_text("utf-8") for file in files)
        return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _run(
    arguments: tuple[str, ...],
    environment: dict[str, str],
    folder: Path,
    files: tuple[Path, Path],
    before: str,
) -> None:
    from mock_server.__main__ import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["hailuo-mock", *arguments]
    exec(before, {})  # noqa: S102 - code of our own tests
    main()
