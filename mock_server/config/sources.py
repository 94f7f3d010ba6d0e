"""Reads settings from flags, the environment, the file and the defaults, in this precedence."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from mock_server.config.settings import (
    ALL_SCOPES,
    PATTERN_SENTENCES,
    AccountSettings,
    Effective,
    KeySettings,
    SettingInfo,
    Settings,
    setting_infos,
)
from mock_server.config.toml import TomlError, read_toml
from mock_server.core.apis import ApiFacts
from mock_server.core.callback_hosts import CallbackHosts
from mock_server.core.clock import ms_of
from mock_server.core.shards import Shard, ShardMarks
from mock_server.core.suggestions import did_you_mean

PREFIX = "HAILUO_MOCK_"
DEFAULT_FILE = Path("hailuo-mock.toml")
STATE_FLAGS = {"state": "state.file", "durable": "state.durable", "reset_state": "state.reset"}
"""Flags that are not called like their settings."""
_SECRET = {"accounts", "control_token"}
# Read by the command line and by test suites; not settings of a server.
_OTHER_VARIABLES = {PREFIX + "CONFIG", PREFIX + "URL", PREFIX + "COMMAND"}

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "array": "a list",
    "object": "a table",
    "datetime": "a moment with time zone",
}
_BAD_MOMENT = "Invalid RFC3339 encoded datetime"


class SettingsError(Exception):
    """A setting is unknown or wrong. The message says where, and what would be right."""


def read_settings(
    *,
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
    file: Path | None,
    apis: Iterable[ApiFacts],
) -> tuple[Settings, tuple[Effective, ...]]:
    """The effective settings, and the origin of each.
    flags: dotted name -> value, only those given. file: None reads hailuo-mock.toml in the current
    folder if there is one. Blank variables are ignored, and white space around a value is removed.
    apis: those that the server has. Raises SettingsError."""
    return _Reader(tuple(apis)).read(flags, environment, file)


class _Reader:
    """Reads the settings of a server with these APIs."""

    def __init__(self, apis: Sequence[ApiFacts]) -> None:
        self._apis = apis
        self._infos = {info.name: info for info in setting_infos(apis)}
        self._sections = sorted({name.partition(".")[0] for name in self._infos if "." in name})

    def read(
        self, flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None
    ) -> tuple[Settings, tuple[Effective, ...]]:
        """As `read_settings`."""
        effective = (
            {name: Effective(info, info.default, "default") for name, info in self._infos.items()}
            | self._from_file(file)
            | self._from_environment(environment)
            | self._from_flags(flags)
        )
        self._check_marks(effective["shard"].value, effective["accounts"])
        settings = self._settings_of({name: row.value for name, row in effective.items()})
        return settings, tuple(effective.values())

    def _from_flags(self, flags: Mapping[str, Any]) -> dict[str, Effective]:
        return {
            name: self._effective(name, value, f"flag {_flag_of(name)}", strict=False)
            for name, value in flags.items()
        }

    def _from_environment(self, environment: Mapping[str, str]) -> dict[str, Effective]:
        if environment.get(f"{PREFIX}PORT", "").startswith("tcp://"):
            raise SettingsError(
                f"environment variable {PREFIX}PORT: Kubernetes sets it for a service called "
                "hailuo-mock; write enableServiceLinks: false into the spec of the pod"
            )
        by_variable = {PREFIX + name.upper().replace(".", "_"): name for name in self._infos}
        layer = {}
        for variable, text in environment.items():
            if not variable.startswith(PREFIX) or variable in _OTHER_VARIABLES:
                continue
            if not text.strip():
                continue  # compose and CI pass on unset variables as empty ones
            if variable not in by_variable:
                hint = did_you_mean(variable, by_variable)
                raise SettingsError(f"environment variable {variable}: no such setting{hint}")
            name = by_variable[variable]
            origin = f"environment variable {variable}"
            layer[name] = self._effective(
                name, self._parsed(name, text.strip(), origin), origin, strict=False
            )
        return layer

    def _from_file(self, file: Path | None) -> dict[str, Effective]:
        path = file or DEFAULT_FILE
        if file is None and not path.exists():
            return {}
        try:
            text, tree = read_toml(path)
        except TomlError as error:
            raise SettingsError(f"{path}: {error}") from None
        layer = {}
        for name, value in self._flattened(tree):
            place = f"{path}:{_line_of(text, name)}"
            if name not in self._infos:
                raise SettingsError(f"{place}: {self._unknown(name, value)}")
            layer[name] = self._effective(name, value, place, strict=True, text=text)
        return layer

    def _flattened(self, tree: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, value in tree.items():
            if name in self._sections and isinstance(value, dict):
                yield from ((f"{name}.{inner}", each) for inner, each in value.items())
            else:
                yield name, value

    def _unknown(self, name: str, value: Any) -> str:
        """The error sentence for an unknown setting in a file."""
        if name in self._sections:
            return f"'{name}' is a table: write [{name}], and its settings below"
        if isinstance(value, dict):
            tables = [f"[{section}]" for section in self._sections] + ["[[accounts]]"]
            return f"no such table '[{name}]'{did_you_mean(f'[{name}]', tables)}"
        own = name.rpartition(".")[2]
        elsewhere = [known for known in self._infos if known.rpartition(".")[2] == own]
        if elsewhere == [own]:
            return f"no such setting '{name}'; '{own}' belongs above all tables"
        return f"no such setting '{name}'{did_you_mean(name, elsewhere or self._infos)}"

    def _effective(
        self, name: str, value: Any, origin: str, *, strict: bool, text: str | None = None
    ) -> Effective:
        """The setting with its converted value. Raises SettingsError naming the origin."""
        info = self._infos[name]
        try:
            right = msgspec.convert(value, info.kind, strict=strict)
            if name == "callback_hosts":
                CallbackHosts(right)
            if name == "shard" and right is not None:
                Shard.read(right)
            if name == "accounts":
                self._check_accounts(right)
            if name == "clock.start" and right is not None:
                ms_of(right)
            return Effective(info, right, origin)
        except msgspec.ValidationError as error:
            unknown = re.search(r"unknown field `(.+?)`", str(error))
            if unknown and text is not None:
                origin = f"{origin.rpartition(':')[0]}:{_line_of(text, unknown[1])}"
            raise SettingsError(f"{origin}: {name}: {self._sentence(error, info, value)}") from None
        except ValueError as error:
            raise SettingsError(f"{origin}: {name}: {error}") from None

    def _check_accounts(self, accounts: tuple[AccountSettings, ...]) -> None:
        """Raises ValueError for a repeated name or key, and for a key that no API accepts."""
        by_name = {api.name: api for api in self._apis}
        known = [*by_name, "other"]
        names: set[str] = set()
        secrets: set[str] = set()
        for i, account in enumerate(accounts):
            if account.name in names:
                raise ValueError(f"the name '{account.name}' is given twice")
            names.add(account.name)
            for j, key in enumerate(account.keys):
                if key.api not in known:
                    raise ValueError(
                        f"Invalid enum value '{key.api}' - at 'accounts[{i}].keys[{j}].api'"
                        f": must be one of {', '.join(known)}{did_you_mean(key.api, known)}"
                    )
                if key.key in secrets:
                    raise ValueError(f"a key of '{account.name}' is given twice")
                secrets.add(key.key)
                api = by_name.get(key.api)
                if api is not None and not key.key.startswith(api.key_prefix):
                    raise ValueError(
                        f"a {api.title} key of '{account.name}' must start with {api.key_prefix}: "
                        "no server accepts another"
                    )

    def _check_marks(self, shard: str | None, accounts: Effective) -> None:
        """Raises SettingsError for a key with the mark of another shard."""
        if shard is None:
            return
        marks = ShardMarks(Shard.read(shard), [api.key_prefix for api in self._apis])
        for account in accounts.value:
            for key in account.keys:
                # A key without a mark gets that of the shard in each world that is made.
                if marks.shard_of_key(key.key) is not None and (wrong := marks.obstacle(key.key)):
                    raise SettingsError(
                        f"{accounts.origin}: accounts: a key of '{account.name}' {wrong}"
                    )

    def _sentence(self, error: msgspec.ValidationError, info: SettingInfo, value: Any) -> str:
        """msgspec's message in plain words, with what would be right and similar names."""
        sentence = str(error).replace("`$", f"`{info.name}")
        for pattern, right in PATTERN_SENTENCES.items():
            sentence = sentence.replace(f"Expected `str` matching regex {pattern!r}", right)
        for type_name, words in _TYPES.items():
            sentence = sentence.replace(f"`{type_name}`", words)
        sentence = sentence.replace(_BAD_MOMENT, "must be a moment, like 2026-05-11T00:00:00Z")
        sentence = sentence.replace("`", "'")
        if info.name == "accounts" and not isinstance(value, list):
            return (
                "must be a list: write [[accounts]] in a file, with two brackets, and [{…}] as JSON"
            )
        if unknown := re.search(r"unknown field '(.+?)'", sentence):
            owner = KeySettings if ".keys[" in sentence else AccountSettings
            return sentence + did_you_mean(unknown[1], owner.__struct_fields__)
        options = _options(info.kind)
        if options and isinstance(value, str | int):
            right = ", ".join(str(option) for option in options)
            hint = did_you_mean(str(value), map(str, options))
            return f"must be one of {right}, not {value!r}{hint}"
        if unknown := re.search(r"Invalid enum value '(.+?)'", sentence):
            hint = did_you_mean(unknown[1], ALL_SCOPES)
            return f"{sentence}: must be one of {', '.join(ALL_SCOPES)}{hint}"
        if isinstance(value, list) or info.name in _SECRET:
            return sentence
        if isinstance(value, str):
            sentence = sentence.removesuffix(", got a text")
        return f"{sentence}, not {value!r}"

    def _parsed(self, name: str, text: str, origin: str) -> Any:
        """The value of a variable's text: lists are separated by commas, accounts are JSON."""
        if name == "accounts":
            try:
                return json.loads(text)
            except json.JSONDecodeError as error:
                raise SettingsError(f"{origin}: must be JSON: {error}") from None
        if isinstance(self._infos[name].default, tuple):
            return comma_list(text)
        return text

    def _settings_of(self, values: Mapping[str, Any]) -> Settings:
        sections: dict[str, dict[str, Any]] = {}
        top: dict[str, Any] = {}
        for name, value in values.items():
            section, _, own = name.rpartition(".")
            (sections.setdefault(section, {}) if section else top)[own] = value
        of_apis = {api.settings: api.settings(**sections.pop(api.name, {})) for api in self._apis}
        parts = {
            section: type(getattr(Settings(), section))(**rows)
            for section, rows in sections.items()
        }
        return Settings(**top, **parts, apis=of_apis)


def _flag_of(name: str) -> str:
    flag = next((flag for flag, setting in STATE_FLAGS.items() if setting == name), name)
    return f"--{flag.replace('_', '-')}"


def _options(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    return next((options for part in get_args(kind) if (options := _options(part))), ())


def comma_list(text: str) -> list[str]:
    """The parts of a list separated by commas; `none` is an empty list."""
    if text.strip() == "none":
        return []
    return [part.strip() for part in text.split(",") if part.strip()]


def _line_of(text: str, name: str) -> int:
    """The line that sets a name, found by search: tomllib has no line numbers. 1 if not found."""
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
