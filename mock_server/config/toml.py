"""Reads and writes TOML files, and shows the effective settings as one."""

import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from mock_server.config.settings import AccountSettings, Effective, SettingInfo

_MOST_BYTES = 10_000_000
"""Far more than a file that people write has; it is read within seconds."""


class TomlError(ValueError):
    """A file cannot be read as TOML. The message says why, and does not name the file."""


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """The file's text without a byte order mark, and its content. Raises TomlError."""
    import tomllib  # most servers start without a file

    try:
        with path.open("rb") as file:  # a device has no end
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise TomlError(f"has more than {_MOST_BYTES // 10**6} MB")
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


def write_whole(path: Path, text: str, *, replaces: bool) -> None:
    """Write a text file. If that fails, the folder is as it was.
    replaces: whether there may be a file of this name. Raises OSError: FileExistsError for one that
    may not be replaced."""
    if not replaces and os.path.lexists(path):
        raise FileExistsError(f"{path} exists")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # some file systems say only now that the disk is full
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def settings_as_toml(effective: Iterable[Effective]) -> str:
    """A valid hailuo-mock.toml. Comments say what each setting does and where it came from."""
    lines = ["# Every setting, its value and where it came from.", *_lines(effective)]
    return "\n".join(lines) + "\n"


def one_as_toml(info: SettingInfo) -> str:
    """The lines of one setting in a hailuo-mock.toml, with its default."""
    return "\n".join(_lines([Effective(info, info.default, "")])).strip() + "\n"


def file_to_edit(infos: Iterable[SettingInfo]) -> str:
    """A valid hailuo-mock.toml that changes nothing. Every setting is in it with its default,
    commented out: `# ` begins a sentence, `#` without a space a setting."""
    lines = _lines(Effective(info, info.default, "") for info in infos)
    return _HEAD + "".join(f"{_commented_out(line)}\n" for line in lines)


_HEAD = """\
# Settings of hailuo-mock with their defaults. To change one, remove the # before its name.
# Flags and variables (HAILUO_MOCK_PORT, HAILUO_MOCK_TASKS_QUEUED_S) come before this file.
# `hailuo-mock config` shows the values that apply.

"""


def _commented_out(line: str) -> str:
    is_table = line.startswith("[") and not line.startswith("[[")
    return line if is_table or not line or line.startswith("#") else f"#{line}"


def _lines(effective: Iterable[Effective]) -> Iterator[str]:
    rows = {row.info.name: row for row in effective}
    accounts = rows.pop("accounts", None)
    section = ""
    for row in sorted(rows.values(), key=lambda row: "." in row.info.name):
        owner, _, name = row.info.name.rpartition(".")
        if owner != section:
            section = owner
            yield from ("", f"[{owner}]")
        yield _comment(row)
        yield f"#{name} =" if row.value is None else f"{name} = {_value(row.value)}"
    if accounts is not None:
        yield from ("", _comment(accounts))
        yield from _accounts(accounts.value)


def _comment(row: Effective) -> str:
    return f"# {row.info.sentence}" + (f" ({row.origin})" if row.origin else "")


def _accounts(accounts: Sequence[AccountSettings]) -> Iterator[str]:
    for account in accounts:
        yield "[[accounts]]"
        yield f"name = {_value(account.name)}"
        yield f"credits = {account.credits}"
        if account.in_flight is not None:
            yield f"in_flight = {account.in_flight}"
        for key in account.keys:
            yield "[[accounts.keys]]"
            members = {name: getattr(key, name) for name in key.__struct_fields__}
            yield from (
                f"{name} = {_value(member)}"
                for name, member in members.items()
                if member is not None
            )


def _value(value: Any) -> str:
    """A value as TOML, which writes strings, numbers and lists of strings as JSON does."""
    plain = msgspec.json.encode(value).decode()
    # TOML writes times without quotes.
    return plain.strip('"') if hasattr(value, "isoformat") else plain
