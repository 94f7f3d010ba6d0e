"""Runs `hailuo-mock` in a process of its own, forked from one that has imported it already.

The imports of the suite and of the server take longer than most of their runs.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
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
    """Run `hailuo-mock` in the current folder, after some Python code. Each `python -m` that it
    starts is a fork of it.

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
    subprocess.Popen = _Fork  # type: ignore[assignment, misc]  # in a process of its own
    exec(before, {})  # noqa: S102 - code of our own tests
    main()


class _Fork(subprocess.Popen[Any]):
    """Starts `python -m` without a new interpreter, and everything else as usual."""

    def __init__(self, args: Sequence[str], **options: Any) -> None:
        if args[:2] == [sys.executable, "-m"]:
            environment = dict(options.get("env") or os.environ)
            options["preexec_fn"] = partial(_run_module, args[2:], environment)
        super().__init__(args, **options)


def _run_module(words: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run the command of a package, as its process that was just forked. Does not return."""
    gc.freeze()  # nothing that is collected may close a file that has got the same number again
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", 1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    warnings.resetwarnings()
    os.environ.clear()
    os.environ.update(environment)
    code: Any = 1
    try:
        import_module(f"{words[0]}.__main__").main(words[1:])
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - as the interpreter would
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    os._exit(code)
