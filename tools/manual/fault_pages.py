"""Pages about what can go wrong: scenarios and the effects of faults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec import Struct

from mock_server.contract.field_sentences import field_sentences
from mock_server.core.apis import Apis
from mock_server.core.effects import Effect, ErrorFault
from mock_server.core.scenarios import Scenario
from mock_server.faults.scenarios import Scenarios, how_to_ask
from tools.manual.page import Page, code, prose, section, table
from tools.manual.schema_fields import Field, fields_of
from tools.manual.sources import OWN, origin

URL = "http://127.0.0.1:4010"
_NEXT_LINE = r" \\\n  "
ErrorRows = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""API -> error code -> its row in the table of errors."""


def scenario_pages(folder: Path, scenarios: Scenarios, apis: Apis, errors: ErrorRows) -> list[Page]:
    """A page for each scenario: what it shows, its file, and how to ask for it."""
    return [
        Page(
            name,
            f"`{name}`",
            prose(scenarios.find(name).shows),
            _scenario_body(
                scenarios.find(name), (folder / f"{name}.toml").read_text("utf-8"), apis, errors
            ),
        )
        for name in scenarios.names
    ]


def _scenario_body(scenario: Scenario, file: str, apis: Apis, errors: ErrorRows) -> str:
    effects = dict.fromkeys(msgspec.to_builtins(rule.effect)["type"] for rule in scenario.faults)
    links = ", ".join(f"[`{name}`](../effects/{name}.md)" for name in effects)
    how = [
        f"{channel}:\n\n{code('sh', re.sub(' (?=-[Hd] )', _NEXT_LINE, command))}"
        for channel, command in how_to_ask(scenario, URL, apis).items()
    ]
    return "\n\n".join(
        [
            f"For {' and '.join(apis[name].title for name in scenario.apis)}. Effects: {links}.",
            *_sources(scenario, errors),
            section("The file", code("toml", file)),
            section("How to ask for it", *how),
        ]
    )


def _sources(scenario: Scenario, errors: ErrorRows) -> list[str]:
    """A sentence for each error of an API, or that no document of an API has this."""
    rows = {
        (api, rule.effect.code): errors[api][rule.effect.code]
        for rule in scenario.faults
        if isinstance(rule.effect, ErrorFault)
        for api in scenario.apis
        if rule.effect.code in errors[api]
    }
    return [
        f"`{name}` of {api}, {row['x-status']}: {prose(row['x-when'])} Source: {origin(row)}."
        for (api, name), row in rows.items()
    ] or ["No document of an API promises or excludes this. It is what networks and servers do."]


def effect_pages() -> list[Page]:
    """A page for each type of effect."""
    return [_effect_page(kind) for kind in get_args(Effect)]


def _effect_page(kind: type[Struct]) -> Page:
    rows = [
        (f"`{field.path}`", field.kind, prose(meaning))
        for field, meaning in effect_fields(kind).items()
    ]
    summary = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
    body = (
        f"{OWN}\n\n{section('Fields', table(('field', 'type', 'meaning'), rows))}\n"
        "[Scenarios and faults](../../docs/scenarios.md) says how effects are combined; "
        "[the scenarios](../scenarios/index.md) use them.\n"
    )
    name = str(kind.__struct_config__.tag)
    return Page(name, f"`{name}`", prose(summary), body)


def effect_fields(kind: type[Struct]) -> dict[Field, str]:
    """Each field of an effect with its sentence; an empty string if it has none."""
    (reference,), components = msgspec.json.schema_components([kind])
    sentences = field_sentences(kind)
    return {
        field: sentences.get(field.path, "")
        for field in fields_of(reference, {"$defs": components})
        if field.path != "type"
    }
