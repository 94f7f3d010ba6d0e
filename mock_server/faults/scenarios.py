"""Scenarios: named, documented ways to go wrong. Each is one file; adding one is adding a file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from mock_server.config.toml_file import TomlError, read_toml
from mock_server.contract.violations import show
from mock_server.core.exchange_faults import ErrorFault
from mock_server.core.faults import OPERATIONS_OF, Api, FaultRule, Match
from mock_server.core.refusals import Invalid
from mock_server.core.suggestions import near
from mock_server.edge.typed_body import TypedBody

Codes = Mapping[Api, Collection[str]]
"""The error codes of each API."""


class ScenarioError(Exception):
    """A scenario file is broken. The message says which, where, and what would be right."""


class UnknownScenario(Exception):
    """There is no scenario of this name. The message names those that come near."""


class ScenarioOfOtherApi(UnknownScenario):
    """The scenario is for the other API only. The message names what comes near here."""


class ScenarioFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in a scenario's file.

    shows: what a client gets to see, in a sentence.
    apis: where it makes sense.
    """

    shows: Annotated[str, Meta(min_length=1)]
    faults: Annotated[tuple[FaultRule, ...], Meta(min_length=1)]
    apis: Annotated[tuple[Api, ...], Meta(min_length=1)] = ("rivya", "acedata")


class Scenario(Struct, frozen=True):
    """A scenario as its file has it, under the file's name.

    apis: those of the file that any of its rules concerns.
    """

    name: str
    shows: str
    apis: tuple[Api, ...]
    faults: tuple[FaultRule, ...]


_FILE: TypedBody[ScenarioFile] = TypedBody(ScenarioFile)


class Scenarios:
    """The scenarios of some folders. A file is read when its scenario is asked for."""

    def __init__(self, folders: Iterable[Path], codes: Codes = MappingProxyType({})) -> None:
        """Of two files with one name, that of the later folder counts.

        codes: with them, a scenario is only for APIs that have one of its errors.
        """
        self._codes = codes
        self._files = {
            file.stem: file
            for folder in folders
            for file in sorted(folder.glob("*.toml"))
            if not file.name.startswith(".")  # what systems and editors leave beside a file
            and (file.is_file() or not file.exists())  # no pipe; a broken link is told of
        }
        self._read: dict[str, Scenario] = {}

    def read_all(self, folder: Path) -> None:
        """Read every file of a folder now. Raises ScenarioError for the first broken one.

        One whose error is none of the API it is for is broken, too.
        """
        for name, file in self._files.items():
            if file.parent == folder:
                _require_known_codes(file, self.find(name), self._codes)

    @property
    def names(self) -> list[str]:
        """Every name, in order of the alphabet."""
        return sorted(self._files)

    def find(self, name: str) -> Scenario:
        """The scenario of this name. Raises UnknownScenario, and ScenarioError as `read` does."""
        if name not in self._read:
            if name not in self._files:
                raise UnknownScenario(f"there is no scenario {show(name)}{near(name, self._files)}")
            scenario = read(self._files[name])
            apis = tuple(
                api
                for api in scenario.apis
                if any(_may_concern(rule, api, self._codes) for rule in scenario.faults)
            )
            self._read[name] = msgspec.structs.replace(scenario, apis=apis)
        return self._read[name]

    def find_for(self, name: str, api: str) -> Scenario:
        """The same for a request to this API, or to whichever if `api` is empty. Raises as `find`
        does, and ScenarioOfOtherApi."""
        scenario = self.find(name)
        if api and api not in scenario.apis:
            only = " and ".join(scenario.apis)
            sentence = f"the scenario '{name}' is for {only} only, and this is {api}"
            raise ScenarioOfOtherApi(sentence + self._instead_of(scenario, api))
        return scenario

    def _instead_of(self, scenario: Scenario, api: str) -> str:
        """A half-sentence that names the scenario of this API which does the same on the other one,
        or is called alike."""
        effects = [rule.effect for rule in scenario.faults]
        here = [each for each in map(self.find, self.names) if api in each.apis]
        for each in here:
            if any(rule.effect in effects for rule in each.faults):
                return f"; here it is '{each.name}'"
        return near(scenario.name, [each.name for each in here]) or "; none here is like it"


def read(file: Path) -> Scenario:
    """The scenario in a file. Raises ScenarioError."""
    try:
        text, spelled = read_toml(file)
    except TomlError as error:
        raise ScenarioError(f"{file}: {error}") from None
    try:
        content = _FILE.read(spelled)
    except Invalid as wrong:
        # What is missing stands on no line; what is there in its place does.
        first = min(wrong.violations, key=lambda found: found.rule == "required")
        line = _line_of(text, first.place)
        raise ScenarioError(f"{file}:{line}: {wrong}") from None
    faults = []
    for number, rule in enumerate(content.faults):
        place = f"/faults/{number}/match"
        try:
            faults.append(_where_it_makes_sense(rule, content.apis))
        except ValueError as wrong:
            raise ScenarioError(f"{file}:{_line_of(text, place)}: {place}: {wrong}") from None
    return Scenario(file.stem, content.shows, content.apis, tuple(faults))


def require_known_code(rule: FaultRule, codes: Codes, place: str = "") -> None:
    """Refuses with Invalid an error code that no API has which the rule is for."""
    if not isinstance(rule.effect, ErrorFault):
        return
    apis = [api for api in codes if _is_for(rule.match, api)]
    known = {code for api in apis for code in codes[api]}
    if rule.effect.code not in known:
        sentence = f"is no error code of {' or '.join(apis)}{near(rule.effect.code, known)}"
        raise Invalid.at(f"{place}/effect/code", "enum", sentence)


def _require_known_codes(file: Path, scenario: Scenario, codes: Codes) -> None:
    for number, rule in enumerate(scenario.faults):
        place = f"/faults/{number}"
        try:
            require_known_code(rule, codes, place)
        except Invalid as wrong:
            line = _line_of(read_toml(file)[0], f"{place}/effect/code")
            raise ScenarioError(f"{file}:{line}: {wrong}") from None


def _where_it_makes_sense(rule: FaultRule, apis: tuple[Api, ...]) -> FaultRule:
    """A rule that says nothing of an API concerns those of its scenario. Raises ValueError for one
    that then can never happen, or that is for another API."""
    if rule.match.api not in (None, *apis):
        raise ValueError(f"api must be one of this scenario's apis, {' or '.join(apis)}")
    if len(apis) != 1 or rule.match.api is not None:
        return rule
    return msgspec.structs.replace(rule, match=msgspec.structs.replace(rule.match, api=apis[0]))


def _may_concern(rule: FaultRule, api: Api, codes: Codes) -> bool:
    """Whether anything at this API could go wrong as the rule has it."""
    effect = rule.effect
    if isinstance(effect, ErrorFault) and api in codes and effect.code not in codes[api]:
        return False
    return _is_for(rule.match, api)


def _is_for(match: Match, api: Api) -> bool:
    """Whether anything at this API could be what is to be matched."""
    return match.api in (None, api) and match.operation in (None, *OPERATIONS_OF[api])


def _line_of(text: str, place: str) -> int:
    """The line of the innermost name of a place that stands in the text, in its n-th table."""
    steps = place.strip("/").split("/")
    lines = text.splitlines()
    tables = [number for number, line in enumerate(lines) if _FAULT.match(line)]
    nth = int(steps[1]) if len(steps) > 1 and steps[1].isdigit() else None
    first = tables[nth] if nth is not None and nth < len(tables) else 0
    for step in reversed(steps):
        for number, line in enumerate(lines[first:], start=first + 1):
            if re.search(rf"(^|[\s{{,\"']){re.escape(step)}[\"']?\s*=", line):
                return number
    return first + 1


_FAULT = re.compile(r"\s*\[\[\s*faults\s*\]\]")


def how_to_ask(scenario: Scenario, base_url: str) -> dict[str, str]:
    """A command to paste for each channel: channel -> command, for the scenario's first API."""
    api, name = scenario.apis[0], scenario.name
    path, key, prompt = _CREATE[api]
    body = f'{{"model": "hailuo-pro", "prompt": "{prompt}"}}'
    if api == "acedata":
        body = f'{{"action": "generate", "async": true, "prompt": "{prompt}"}}'

    def create(*, key: str = key, header: str = "", body: str = body) -> str:
        return (
            f"curl {base_url}{path} -H 'Authorization: Bearer {key}'{header} "
            f"-H 'Content-Type: application/json' -d '{body}'"
        )

    door = f"{base_url}/_mock/worlds/default/faults"
    return {
        "control door": (
            f"curl {door} -H 'Content-Type: application/json' "
            f'-d \'{{"scenario": "{name}", "times": 1}}\''
        ),
        "header": create(header=f" -H 'Mock-Scenario: {name}'"),
        "prefer": create(header=f" -H 'Prefer: scenario={name}'"),
        "key": create(key=f"{key}+{name}"),
        "prompt": create(body=body.replace(prompt, f"{prompt} mock:{name}")),
        "server": f"hailuo-mock serve --scenario {name}",
    }


_CREATE = {
    "rivya": ("/api/v1/generations", "rvya_sk_test", "A calm sea"),
    "acedata": ("/hailuo/videos", "test-token", "A calm sea"),
}
