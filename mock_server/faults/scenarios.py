"""Reads scenario files. A scenario is a named set of faults, one file each."""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from mock_server.config.toml import TomlError, read_toml
from mock_server.contract.violations import show
from mock_server.core.apis import ApiFacts, ApiName, Apis
from mock_server.core.effects import ErrorFault
from mock_server.core.faults import FaultRule, Match, require_possible
from mock_server.core.refusals import Invalid
from mock_server.core.scenarios import Scenario, UnknownScenario
from mock_server.core.suggestions import did_you_mean
from mock_server.edge.typed_body import TypedBody

Codes = Mapping[str, Collection[str]]
"""The error codes of each API."""


class ScenarioError(Exception):
    """A scenario file is wrong. The message says which file, where, and what would be right."""


class ScenarioOfOtherApi(UnknownScenario):
    """The scenario is for another API only. The message names a similar scenario of this API."""


class ScenarioFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a scenario file.
    shows: what a client sees, in a sentence.
    apis: the APIs that it is for; empty for all."""

    shows: Annotated[str, Meta(min_length=1)]
    faults: Annotated[tuple[FaultRule, ...], Meta(min_length=1)]
    apis: Annotated[tuple[ApiName, ...], Meta(min_length=1)] = ()


_FILE: TypedBody[ScenarioFile] = TypedBody(ScenarioFile)


class Scenarios:
    """The scenarios of some folders. A file is read when its scenario is first used."""

    def __init__(
        self, folders: Iterable[Path], apis: Iterable[ApiFacts], codes: Codes = MappingProxyType({})
    ) -> None:
        """Of two files with one name, the one in the later folder is used.
        codes: of each API; a scenario is only for APIs that have one of its errors."""
        self.apis = {api.name: api for api in apis}
        self._codes = codes
        self._files = {
            file.stem: file
            for folder in folders
            for file in sorted(folder.glob("*.toml"))
            if not file.name.startswith(".")  # files of systems and editors
            and (file.is_file() or not file.exists())  # skips pipes; a broken link is an error
        }
        self._read: dict[str, Scenario] = {}

    def read_all(self, folder: Path) -> None:
        """Read every file of a folder now.
        Raises ScenarioError for the first one that is wrong, also if its API lacks its error code.
        """
        own = {name: file for name, file in self._files.items() if file.parent == folder}
        for name, file in own.items():
            for number, rule in enumerate(self.find(name).faults):
                place = f"/faults/{number}"
                try:
                    require_known_names(rule, self._codes, self.apis, place)
                except Invalid as wrong:
                    line = _line_of(read_toml(file)[0], f"{place}/effect/code")
                    raise ScenarioError(f"{file}:{line}: {wrong}") from None

    @property
    def names(self) -> list[str]:
        """Every name, sorted."""
        return sorted(self._files)

    def find(self, name: str) -> Scenario:
        """The scenario of this name. Raises UnknownScenario, and ScenarioError as `read` does."""
        if name not in self._read:
            if name not in self._files:
                raise UnknownScenario(
                    f"there is no scenario {show(name)}{did_you_mean(name, self._files)}"
                )
            scenario = read(self._files[name], self.apis)
            apis = tuple(
                api
                for api in scenario.apis
                if any(self._may_concern(rule, api) for rule in scenario.faults)
            )
            self._read[name] = msgspec.structs.replace(scenario, apis=apis)
        return self._read[name]

    def find_for(self, name: str, api: str) -> Scenario:
        """The scenario for a request to this API; to any API if `api` is empty.
        Raises as `find` does, and ScenarioOfOtherApi."""
        scenario = self.find(name)
        if api and api not in scenario.apis:
            only = " and ".join(scenario.apis)
            sentence = f"the scenario '{name}' is for {only} only, and this is {api}"
            raise ScenarioOfOtherApi(sentence + self._instead_of(scenario, api))
        return scenario

    def _may_concern(self, rule: FaultRule, api: str) -> bool:
        """Whether the rule can have an effect on requests to this API."""
        effect, codes = rule.effect, self._codes
        if isinstance(effect, ErrorFault) and api in codes and effect.code not in codes[api]:
            return False
        return _is_for(rule.match, self.apis[api])

    def _instead_of(self, scenario: Scenario, api: str) -> str:
        """The end of a sentence, with a scenario of this API that has the same effect or a similar
        name."""
        effects = [rule.effect for rule in scenario.faults]
        here = [each for each in map(self.find, self.names) if api in each.apis]
        for each in here:
            if any(rule.effect in effects for rule in each.faults):
                return f"; here it is '{each.name}'"
        return did_you_mean(scenario.name, [each.name for each in here]) or "; none here is like it"


def read(file: Path, apis: Apis) -> Scenario:
    """The scenario in a file. Raises ScenarioError."""
    try:
        text, spelled = read_toml(file)
    except TomlError as error:
        raise ScenarioError(f"{file}: {error}") from None
    try:
        content = _FILE.read(spelled, apis)
        names = content.apis or tuple(apis)
        faults = []
        for number, rule in enumerate(content.faults):
            _require_possible(rule, apis, f"/faults/{number}")
            faults.append(_of_scenario(rule, names, apis, f"/faults/{number}/match"))
    except Invalid as wrong:
        # A missing field has no line, so other violations come first.
        first = min(wrong.violations, key=lambda found: found.rule == "required")
        line = _line_of(text, first.place)
        raise ScenarioError(f"{file}:{line}: {wrong}") from None
    return Scenario(file.stem, content.shows, names, tuple(faults))


def require_known_names(rule: FaultRule, codes: Codes, apis: Apis, place: str = "") -> None:
    """Refuses with Invalid an operation or error code that none of the rule's APIs has."""
    _require_possible(rule, apis, place)
    if not isinstance(rule.effect, ErrorFault):
        return
    concerned = [api for api in codes if _is_for(rule.match, apis[api])]
    known = {code for api in concerned for code in codes[api]}
    if rule.effect.code not in known:
        sentence = (
            f"is no error code of {' or '.join(concerned)}{did_you_mean(rule.effect.code, known)}"
        )
        raise Invalid.at(f"{place}/effect/code", "enum", sentence)


def _require_possible(rule: FaultRule, apis: Apis, place: str) -> None:
    try:
        require_possible(rule, apis)
    except ValueError as never:
        raise Invalid.at(place, "value", str(never)) from None


def _of_scenario(rule: FaultRule, names: Sequence[str], apis: Apis, place: str) -> FaultRule:
    """The rule; it is for one API only if its scenario is. names: of the scenario's APIs.
    Refuses with Invalid a rule that is for another API, or that then can never happen."""
    match = rule.match
    if match.api not in (None, *names):
        sentence = f"api must be one of this scenario's apis, {' or '.join(names)}"
        raise Invalid.at(place, "enum", sentence)
    if len(names) == 1:
        rule = msgspec.structs.replace(rule, match=msgspec.structs.replace(match, api=names[0]))
    _require_possible(rule, apis, place)
    return rule


def _is_for(match: Match, api: ApiFacts) -> bool:
    """Whether a request to this API can match."""
    return match.api in (None, api.name) and match.operation in (None, *api.operations)


def _line_of(text: str, place: str) -> int:
    """The line of a place in a file: that of the innermost name that is found in its table."""
    steps = place.strip("/").split("/")
    lines = text.splitlines()
    tables = [number for number, line in enumerate(lines) if re.match(_FAULT, line)]
    nth = int(steps[1]) if len(steps) > 1 and steps[1].isdigit() else None
    first = tables[nth] if nth is not None and nth < len(tables) else 0
    for step in reversed(steps):
        for number, line in enumerate(lines[first:], start=first + 1):
            if re.search(rf"(^|[\s{{,\"']){re.escape(step)}[\"']?\s*=", line):
                return number
    return first + 1


_FAULT = r"\s*\[\[\s*faults\s*\]\]"


def how_to_ask(scenario: Scenario, base_url: str, apis: Apis) -> dict[str, str]:
    """Channel -> a command to paste, for the scenario's first API."""
    api, name, prompt = apis[scenario.apis[0]], scenario.name, "A calm sea"
    path, key = api.create_path, api.key
    fields = {name: value for name, value in api.create_body.items() if name != "prompt"}
    body = json.dumps({**fields, **api.answered_at_once, "prompt": prompt})

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
