"""Pages about settings, rules of the judge and assumptions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from mock_server.config.settings import SettingInfo
from mock_server.config.sources import PREFIX
from mock_server.config.toml import one_as_toml
from mock_server.judge.days import Day
from mock_server.verdict.catalogue import RuleInfo
from tools.manual.page import Page, code, prose, section, table
from tools.manual.schema_fields import kind_of
from tools.manual.sources import OWN

Assumptions = Mapping[str, Mapping[str, str]]
"""Id -> what, why, section, setting."""


def setting_pages(
    settings: Iterable[SettingInfo], flags: Iterable[str], assumptions: Assumptions
) -> list[Page]:
    """A page for each setting. flags: the names of those that have one."""
    of_setting: dict[str, list[str]] = defaultdict(list)
    for name, row in assumptions.items():
        of_setting[row["setting"]].append(name)
    with_flag = set(flags)
    return [
        _setting_page(info, of_setting[info.name], has_flag=info.name in with_flag)
        for info in settings
    ]


def _setting_page(info: SettingInfo, assumed: Sequence[str], *, has_flag: bool) -> Page:
    sentence = prose(f"{info.sentence[0].upper()}{info.sentence[1:]}.")
    (schema,), components = msgspec.json.schema_components([info.kind])
    rows = [
        ("type", kind_of(schema, {"$defs": components})),
        ("variable", f"`{PREFIX}{info.name.upper().replace('.', '_')}`"),
        *([("flag", f"`--{info.name.replace('_', '-')}`")] if has_flag else ()),
    ]
    links = ", ".join(f"[{name}](../assumptions/{name}.md)" for name in assumed)
    source = f"It changes what no document says: {links}." if links else OWN
    body = "\n\n".join(
        [source, table(("", ""), rows), section("Default", code("toml", one_as_toml(info)))]
    )
    return Page(info.name, f"`{info.name}`", sentence, body)


def rule_pages(rules: Iterable[RuleInfo], days: Iterable[Day]) -> list[Page]:
    """A page for each rule. days: those of all APIs; a day may be there twice."""
    shown = {day.name: day for day in days}.values()
    return [_rule_page(rule, [day for day in shown if rule.code in day.codes]) for rule in rules]


def _rule_page(rule: RuleInfo, days: Sequence[Day]) -> Page:
    sources = "\n".join(f"- {_address(each)}" for each in rule.see)
    body = [
        "A rule of `hailuo-mock judge`. It judges the client, not the API.",
        section("What it needs", prose(rule.needs)),
        section("When it is only a note", prose(rule.note_when)),
        section("The fix", *(prose(line) for line in rule.fix)),
        section("What it does not mistake for it", *(f"- {prose(trap)}" for trap in rule.traps)),
        section("Days", table(("day", "what happens"), ((f"`{d.name}`", d.shows) for d in days))),
        section("Sources", sources),
    ]
    return Page(
        rule.code,
        f"{rule.code}: {rule.name}",
        prose(rule.proves),
        "\n\n".join(part for part in body if part),
    )


def _address(text: str) -> str:
    return f"<{text}>" if text.startswith("https://") else prose(text)


def assumption_pages(assumptions: Assumptions, used: Mapping[str, Iterable[str]]) -> list[Page]:
    """A page for each assumption. used: id -> links to what relies on it."""
    return [
        Page(
            name,
            f"`{name}`",
            prose(row["what"]),
            "\n\n".join(
                [
                    f"This is assumed: no document of the API says it. {prose(row['why'])}",
                    f"To change it: {_place(row['setting'])}.",
                    section("Where it matters", "\n".join(f"- {link}" for link in used[name]))
                    if name in used
                    else "",
                ]
            ),
        )
        for name, row in assumptions.items()
    ]


def _place(setting: str) -> str:
    if "/" in setting:
        return f"the file `{setting}`"
    return f"the setting [`{setting}`](../settings/{setting}.md)"
