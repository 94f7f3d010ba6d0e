"""Where the data folders are: beside this file once installed, else at the root of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def _folder(name: str) -> Path:
    for home in (_PACKAGE, _PACKAGE.parent):
        if (home / name).is_dir():
            return home / name
    raise FileNotFoundError(
        f"hailuo-mock's folder {name!r} is neither in {_PACKAGE} nor in {_PACKAGE.parent}: "
        "the installation is incomplete, install it again"
    )


SCHEMAS: Path = _folder("schemas")
FIXTURES: Path = _folder("fixtures")
