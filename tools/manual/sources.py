"""Says of a fact whether it is documented or assumed, with links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

FORMS = "../../schemas/README.md#where-a-fact-comes-from"
"""Explains `seed`, `docs:…` and the others, as seen from a folder of generated pages."""
OWN = "This belongs to hailuo-mock: no document of the faked APIs has it."


def origin(node: Mapping[str, Any]) -> str:
    """Where a fact comes from, and what was assumed beside; empty if the node does not say."""
    source, beside = node.get("x-source"), node.get("x-assumes", ())
    if source is None:
        return _assumed(beside)
    if source.startswith("assumed:"):
        return _assumed([source.removeprefix("assumed:"), *beside])
    documented = f"[documented]({FORMS}) (`{source}`)"
    return f"{documented}; {_assumed(beside)}" if beside else documented


def _assumed(names: Iterable[str]) -> str:
    links = ", ".join(f"[{name}](../assumptions/{name}.md)" for name in names)
    return f"assumed: {links}" if links else ""


def assumptions_in(node: Any) -> set[str]:
    """The ids of all assumptions in a part of a document."""
    if isinstance(node, Mapping):
        own = set(node.get("x-assumes", ()))
        source = node.get("x-source")
        if isinstance(source, str) and source.startswith("assumed:"):
            own.add(source.removeprefix("assumed:"))
        return own.union(*(assumptions_in(child) for child in node.values()))
    if isinstance(node, list):
        return set().union(*(assumptions_in(child) for child in node))
    return set()
