"""Where settings come from: flags, the environment, the file, the defaults; and who wins."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from mock_server.config.settings import (
    ALL_SCOPES,
    RIGHT,
    AccountSettings,
    KeyApi,
    KeySettings,
    Knob,
    Settings,
    knobs,
)
from mock_server.config.toml_file import TomlError, read_toml
from mock_server.core.callback_hosts import CallbackHosts
from mock_server.core.clock import ms_of
from mock_server.core.suggestions import near

PREFIX = "HAILUO_MOCK_"
DEFAULT_FILE = Path("hailuo-mock.toml")
_SECRET = {"accounts", "control_token"}
# Read by the command line and by test suites, not settings of a server.
_OTHER_VARIABLES = {PREFIX + "CONFIG", PREFIX + "URL"}

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "array": "a list",
    "object": "a table",
    "datetime": "a moment with time zone",
}
_NO_MOMENT = "Invalid RFC3339 encoded datetime"
_KNOBS = {knob.name: knob for knob in knobs()}
_SECTIONS = sorted({name.partition(".")[0] for name in _KNOBS if "." in name})


class SettingsError(Exception):
    """A setting is unknown or wrong. The message says where it stands and what would be right."""


class Effective(Struct, frozen=True):
    """One setting as it holds: its value and where that came from."""

    knob: Knob
    value: Any
    origin: str


def read_settings(
    *,
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
    file: Path | None,
) -> tuple[Settings, tuple[Effective, ...]]:
    """The settings that hold, and the origin of each.

    flags: dotted name -> value, only those given. file: None looks for hailuo-mock.toml in the
    current folder, and does without if there is none. A blank variable is as good as none, and
    white space around one is no part of it. Raises SettingsError.
    """
    effective = {name: Effective(knob, knob.default, "default") for name, knob in _KNOBS.items()}
    for layer in (_from_file(file), _from_environment(environment), _from_flags(flags)):
        effective |= layer
    settings = _assembled({name: row.value for name, row in effective.items()})
    _check_accounts(settings.accounts, effective["accounts"].origin)
    _check_start(settings.clock.start, effective["clock.start"].origin)
    return settings, tuple(effective.values())


def _from_flags(flags: Mapping[str, Any]) -> dict[str, Effective]:
    return {
        name: _effective(name, value, f"flag --{name.replace('_', '-')}", strict=False)
        for name, value in flags.items()
    }


def _from_environment(environment: Mapping[str, str]) -> dict[str, Effective]:
    by_variable = {PREFIX + name.upper().replace(".", "_"): name for name in _KNOBS}
    layer = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or variable in _OTHER_VARIABLES:
            continue
        if not text.strip():
            continue  # compose and CI pass a variable on as nothing that they do not have
        if variable not in by_variable:
            hint = near(variable, by_variable)
            raise SettingsError(f"environment variable {variable}: no such setting{hint}")
        name = by_variable[variable]
        origin = f"environment variable {variable}"
        layer[name] = _effective(name, _spelled(name, text.strip(), origin), origin, strict=False)
    return layer


def _from_file(file: Path | None) -> dict[str, Effective]:
    path = file or DEFAULT_FILE
    if file is None and not path.exists():
        return {}
    try:
        text, tree = read_toml(path)
    except TomlError as error:
        raise SettingsError(f"{path}: {error}") from None
    layer = {}
    for name, value in _flattened(tree):
        place = f"{path}:{_line_of(text, name)}"
        if name not in _KNOBS:
            raise SettingsError(f"{place}: {_unknown(name, value)}")
        layer[name] = _effective(name, value, place, strict=True, text=text)
    return layer


def _flattened(tree: Mapping[str, Any]) -> list[tuple[str, Any]]:
    flat = []
    for name, value in tree.items():
        if name in _SECTIONS and isinstance(value, dict):
            flat += [(f"{name}.{inner}", inner_value) for inner, inner_value in value.items()]
        else:
            flat.append((name, value))
    return flat


def _unknown(name: str, value: Any) -> str:
    """What is said of a setting of a file that there is none of."""
    if name in _SECTIONS:
        return f"'{name}' is a table: write [{name}], and its settings below"
    if isinstance(value, dict):
        tables = [f"[{section}]" for section in _SECTIONS] + ["[[accounts]]"]
        return f"no such table '[{name}]'{near(f'[{name}]', tables)}"
    own = name.rpartition(".")[2]
    elsewhere = [known for known in _KNOBS if known.rpartition(".")[2] == own]
    if elsewhere == [own]:
        return f"no such setting '{name}'; '{own}' stands above all tables"
    return f"no such setting '{name}'{near(name, elsewhere or _KNOBS)}"


def _effective(
    name: str, value: Any, origin: str, *, strict: bool, text: str | None = None
) -> Effective:
    """The setting's value, checked; raises SettingsError naming the origin."""
    knob = _KNOBS[name]
    try:
        right = msgspec.convert(value, knob.kind, strict=strict)
        if name == "callback_hosts":
            CallbackHosts(right)
        return Effective(knob, right, origin)
    except msgspec.ValidationError as error:
        stranger = re.search(r"unknown field `(.+?)`", str(error))
        if stranger and text is not None:
            origin = f"{origin.rpartition(':')[0]}:{_line_of(text, stranger[1])}"
        raise SettingsError(f"{origin}: {name}: {_plainly(error, knob, value)}") from None
    except ValueError as error:  # what CallbackHosts has to say
        raise SettingsError(f"{origin}: {name}: {error}") from None


def _plainly(error: msgspec.ValidationError, knob: Knob, value: Any) -> str:
    """msgspec's finding, with what would be right and near names added."""
    sentence = str(error).replace("`$", f"`{knob.name}")
    for pattern, right in RIGHT.items():
        sentence = sentence.replace(f"Expected `str` matching regex {pattern!r}", right)
    for type_name, words in _TYPES.items():
        sentence = sentence.replace(f"`{type_name}`", words)
    sentence = sentence.replace(_NO_MOMENT, "must be a moment, like 2026-05-11T00:00:00Z")
    sentence = sentence.replace("`", "'")
    if knob.name == "accounts" and not isinstance(value, list):
        return "must be a list: write [[accounts]] in a file, with two brackets, and [{…}] as JSON"
    if stranger := re.search(r"unknown field '(.+?)'", sentence):
        owner = KeySettings if ".keys[" in sentence else AccountSettings
        return sentence + near(stranger[1], owner.__struct_fields__)
    options = _options(knob.kind)
    if options and isinstance(value, str | int):
        right = ", ".join(str(option) for option in options)
        return f"must be one of {right}, not {value!r}{near(str(value), map(str, options))}"
    if unknown := re.search(r"Invalid enum value '(.+?)'", sentence):
        known = get_args(KeyApi) if sentence.endswith(".api'") else ALL_SCOPES
        return f"{sentence}: must be one of {', '.join(known)}{near(unknown[1], known)}"
    if isinstance(value, list) or knob.name in _SECRET:
        return sentence
    if isinstance(value, str):
        sentence = sentence.removesuffix(", got a text")
    return f"{sentence}, not {value!r}"


def _options(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    return next((options for part in get_args(kind) if (options := _options(part))), ())


def _spelled(name: str, text: str, origin: str) -> Any:
    """A variable's text as the value it spells: lists by commas, accounts as JSON."""
    if name == "accounts":
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise SettingsError(f"{origin}: must be JSON: {error}") from None
    if isinstance(_KNOBS[name].default, tuple):
        return comma_list(text)
    return text


def comma_list(text: str) -> list[str]:
    """The parts of a list that is written with commas; `none` is an empty one."""
    if text.strip() == "none":
        return []
    return [part.strip() for part in text.split(",") if part.strip()]


def _line_of(text: str, name: str) -> int:
    """The line on which a name is set; tomllib does not tell, so look for it. 1 if not found."""
    section, _, own = name.rpartition(".")
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
            current = header[1]
            if current == name:
                return number
        elif (
            re.match(rf"\s*[\"']?{re.escape(own)}[\"']?\s*=", line)
            and (current == section or "." in current or current == "accounts")
        ) or (re.match(rf"\s*{re.escape(name)}\s*=", line) and not current):
            return number
    return 1


def _assembled(values: Mapping[str, Any]) -> Settings:
    sections: dict[str, dict[str, Any]] = {}
    top: dict[str, Any] = {}
    for name, value in values.items():
        section, _, own = name.rpartition(".")
        (sections.setdefault(section, {}) if section else top)[own] = value
    parts = {
        section: type(getattr(Settings(), section))(**rows) for section, rows in sections.items()
    }
    return Settings(**top, **parts)


def _check_start(start: datetime | None, origin: str) -> None:
    try:
        if start is not None:
            ms_of(start)
    except ValueError as error:
        raise SettingsError(f"{origin}: clock.start: {error}") from None


def _check_accounts(accounts: tuple[AccountSettings, ...], origin: str) -> None:
    """Names and keys are given once each, and a Rivya key looks like one."""
    names: set[str] = set()
    secrets: set[str] = set()
    for account in accounts:
        if account.name in names:
            raise SettingsError(f"{origin}: accounts: the name '{account.name}' is given twice")
        names.add(account.name)
        for key in account.keys:
            if key.key in secrets:
                raise SettingsError(f"{origin}: accounts: a key of '{account.name}' is given twice")
            secrets.add(key.key)
            if key.api == "rivya" and not key.key.startswith("rvya_sk_"):
                raise SettingsError(
                    f"{origin}: accounts: a Rivya key of '{account.name}' does not start with "
                    "rvya_sk_, so no server would take it"
                )
