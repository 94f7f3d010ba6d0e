"""The contract as one OpenAPI document, made from the files in `schemas/`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

_COMPONENT = "#/components/"
_SCHEMA = _COMPONENT + "schemas/"


def bundle(folder: Path, request_schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`openapi.yaml` of `folder` with every file it refers to taken in as a component.

    A file becomes the component named by its `title`, and no reference leaves the document.
    request_schemas: component name -> the schema to stand there in place of the general one. Its
    references to files are relative to `folder`. Nothing that is passed in is changed.
    Raises ValueError for two files of one title, and for a reference to a part of a file.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (folder / "openapi.yaml").read_text("utf-8")
    document = yaml.load(text, Loader=loader)  # both are safe, one is written in C
    taken: dict[str, _Taken] = {}
    for name, schema in request_schemas.items():
        taken[name] = _Taken(None)
        taken[name].schema = _without_files(_bare(schema), folder, taken)
    whole: dict[str, Any] = _without_files(document, folder, taken)
    components = whole.setdefault("components", {})
    declared = components.get("schemas", {})
    own = {name: schema for name, schema in declared.items() if name not in taken}
    components["schemas"] = {**own, **{name: file.schema for name, file in taken.items()}}
    return whole


def only(document: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The part of a bundled document whose paths start with `prefix`, e.g. `/api/v1`.

    Webhooks and tags stay if an operation of the part bears their tag, components if something
    that stays needs them. The document is not changed; the part shares what both have.
    """
    paths = {path: item for path, item in document["paths"].items() if path.startswith(prefix)}
    tags = _tags(paths)
    part = {**document, "paths": paths}
    part["tags"] = [tag for tag in document.get("tags", []) if tag["name"] in tags]
    hooks = document.get("webhooks", {})
    part["webhooks"] = {name: hook for name, hook in hooks.items() if _tags({name: hook}) & tags}
    if not part["webhooks"]:
        del part["webhooks"]
    part["components"] = _needed(part, document.get("components", {}))
    return part


class _Taken:
    """A schema that has become a component, and the file it was, if it was one."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.schema: Any = None


def _without_files(node: Any, folder: Path, taken: dict[str, _Taken]) -> Any:
    """A copy of `node`, in which references to files (relative to `folder`) name components."""
    if isinstance(node, Mapping):
        copy = {key: _without_files(value, folder, taken) for key, value in node.items()}
        target = node.get("$ref")
        if isinstance(target, str) and not target.startswith("#"):
            copy["$ref"] = _SCHEMA + _take(target, folder, taken)
        return copy
    if isinstance(node, list):
        return [_without_files(value, folder, taken) for value in node]
    return node


def _take(target: str, folder: Path, taken: dict[str, _Taken]) -> str:
    """The component name of a file; the file is taken in unless it was before."""
    if "#" in target:
        raise ValueError(f"{target}: refer to whole files only")
    path = (folder / target).resolve()
    schema = _bare(json.loads(path.read_text("utf-8")))
    name: str = schema["title"]
    if name not in taken:
        taken[name] = _Taken(path)
        taken[name].schema = _without_files(schema, path.parent, taken)
    elif taken[name].path not in (None, path):
        raise ValueError(f"{path} and {taken[name].path} both have the title {name}")
    return name


def _bare(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without what only a file of its own needs."""
    return {key: value for key, value in schema.items() if key != "$schema"}


def _tags(path_items: Mapping[str, Any]) -> set[str]:
    """Every tag of the operations in these path items."""
    return {
        tag
        for item in path_items.values()
        for operation in item.values()
        if isinstance(operation, Mapping)
        for tag in operation.get("tags", ())
    }


def _needed(part: Mapping[str, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    """The components that the part needs, directly or through others, in their order."""
    waiting = set(_needs({key: value for key, value in part.items() if key != "components"}))
    found: set[tuple[str, str]] = set()
    while waiting:
        kind, name = place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting.update(_needs(components[kind][name]))
    kept = {
        kind: {name: value for name, value in named.items() if (kind, name) in found}
        for kind, named in components.items()
    }
    return {kind: named for kind, named in kept.items() if named}


def _needs(node: Any) -> Iterator[tuple[str, str]]:
    """Kind and name of every component that is named in `node`."""
    if isinstance(node, list):
        for value in node:
            yield from _needs(value)
    if not isinstance(node, Mapping):
        return
    target = node.get("$ref")
    if isinstance(target, str) and target.startswith(_COMPONENT):
        kind, name = target.removeprefix(_COMPONENT).split("/")[:2]
        yield kind, name
    for key, value in node.items():
        if key == "security" and isinstance(value, list):
            yield from (("securitySchemes", name) for demand in value for name in demand)
        else:
            yield from _needs(value)
