"""TOML as editors of all machines write it: with a byte order mark, or in a wrong encoding."""

from __future__ import annotations

import tomllib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path
from typing import Any


class TomlError(ValueError):
    """A file cannot be read as TOML. The message says why, without the file's name."""


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """The file's text, without a byte order mark, and what it spells. Raises TomlError."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
        return text, tomllib.loads(text)
    except OSError as error:
        raise TomlError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        encoding = "UTF-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "not UTF-8"
        raise TomlError(f"is {encoding} (at byte {error.start}): save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise TomlError(f"is not TOML: {error}") from None
    except RecursionError:
        raise TomlError("is nested too deep") from None
