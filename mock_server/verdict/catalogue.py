"""All rules by their codes, and each in words."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from tomllib import loads

import msgspec
from msgspec import Struct

from mock_server.core.suggestions import nearest
from mock_server.verdict.rule import Group, Rule, Words
from mock_server.verdict.traps import TRAPS

_FOLDER = Path(__file__).parent / "rules"
_FILES = {file.stem.upper(): file for file in sorted(_FOLDER.glob("hm*.toml"))}


class _Rules(Mapping[str, Rule]):
    """Reads a rule when it is first needed, because `explain` needs only one."""

    def __getitem__(self, code: str) -> Rule:
        return read_rule(_FILES[code])

    def __iter__(self) -> Iterator[str]:
        return iter(_FILES)

    def __len__(self) -> int:
        return len(_FILES)


@cache
def read_rule(file: Path) -> Rule:
    """The rule of a TOML file. Raises ValueError, with the name of the file, for wrong words."""
    try:
        words = msgspec.convert(loads(file.read_text("utf-8")), Words)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
    find = import_module(f"mock_server.verdict.rules.{file.stem}").find
    return Rule(code=file.stem.upper(), find=find, **msgspec.structs.asdict(words))


RULES: Mapping[str, Rule] = _Rules()
"""Every rule by its code, in the order of the codes."""


class UnknownRule(LookupError):
    """There is no rule with this code. The message names near ones."""


class RuleInfo(Struct, frozen=True):
    """A rule in words.

    proves: the mistake. needs: what makes it conclusive. note_when: when it is a note only; empty:
    never. traps: right behaviour that it does not mistake. see: addresses.
    """

    code: str
    name: str
    group: Group
    proves: str
    needs: str
    note_when: str
    traps: tuple[str, ...]
    fix: tuple[str, str]
    see: tuple[str, ...]


def rule_info(code: str) -> RuleInfo:
    """A rule in words. Raises UnknownRule."""
    if code not in RULES:
        raise UnknownRule(unknown_rule(code))
    rule = RULES[code]
    return RuleInfo(
        rule.code,
        rule.name,
        rule.group,
        rule.mistake,
        needs_of(rule),
        note_when(rule),
        tuple(TRAPS[number] for number in rule.traps),
        rule.fix,
        rule.see,
    )


def unknown_rule(code: str) -> str:
    """That there is no rule with this code: the sentence names near rules, or the groups."""
    codes = {rule.name: rule.code for rule in RULES.values()}
    near = [each for each in RULES if _is_near(code.upper(), each)][:_MOST_NEAR]
    name = None if near else nearest(code, codes)
    near += [codes[name]] if name else []
    if near:
        hint = " or ".join(f"'{each}' ({RULES[each].name})" for each in near)
        return f"there is no rule '{code}'; did you mean {hint}?"
    groups = {rule.code[:3]: rule.group for rule in RULES.values()}
    known = ", ".join(f"{start} ({group})" for start, group in groups.items())
    return f"there is no rule '{code}'; the codes begin with {known}"


_MOST_NEAR = 3


def _is_near(code: str, known: str) -> bool:
    """Whether one letter differs, is missing or is too many, or two have changed places."""
    if len(code) != len(known):
        short, long = sorted((code, known), key=len)
        return short in (long[:place] + long[place + 1 :] for place in range(len(long)))
    differing = [(one, two) for one, two in zip(code, known, strict=True) if one != two]
    return len(differing) == 1 or (len(differing) == 2 and differing[0] == differing[1][::-1])


def needs_of(rule: Rule) -> str:
    """What has to come up and to be known before the rule judges, as a sentence."""
    needs = "".join(f"; {need.sentence}" for need in rule.needs)
    return f"{rule.case[0].upper()}{rule.case[1:]}{needs}."


def note_when(rule: Rule) -> str:
    """When the rule gives a note in place of a finding, as a sentence; empty: never."""
    if rule.is_note:
        return f"Always: {rule.why_note}."
    if rule.note_without:
        return f"Without {' or '.join(need.sentence for need in rule.note_without)}."
    return ""
