"""The data folders: in the installed package, or at the root of a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def _folder(name: str) -> Path:
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(
        f"hailuo-mock's folder {name!r} is neither in {_PACKAGE} nor in {_PACKAGE.parent}: "
        "the installation is incomplete, install it again"
    )


SCHEMAS: Path = _folder("schemas")
FIXTURES: Path = _folder("fixtures")
