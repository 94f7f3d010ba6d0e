"""Builds one OpenAPI document from the files in `schemas/`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_COMPONENT = "#/components/"
_SCHEMA = _COMPONENT + "schemas/"


def bundle(folder: Path, schemas: Mapping[Path, Mapping[str, Any]]) -> dict[str, Any]:
    """`openapi.json` of `folder`, with every file that it refers to as a component.
    The build writes that file from `openapi.yaml`.
    A file becomes the component named by its `title`; no reference points outside the document.
    schemas: component name -> the schema that replaces the general one, by the folder that its
    references to files are relative to. The arguments are not changed.
    Raises ValueError for two files with one title, and for a reference to a part of a file."""
    document = json.loads((folder / "openapi.json").read_text("utf-8"))
    added: dict[str, _Component] = {}
    for home, replacements in schemas.items():
        for name, schema in replacements.items():
            added[name] = _Component(None)
            added[name].schema = _bundled(_bare(schema), home, added)
    whole: dict[str, Any] = _bundled(document, folder, added)
    components = whole.setdefault("components", {})
    declared = components.get("schemas", {})
    own = {name: schema for name, schema in declared.items() if name not in added}
    components["schemas"] = {**own, **{name: each.schema for name, each in added.items()}}
    return whole


def joined(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One document with the paths, webhooks, tags and components of several bundled ones; of two
    with one name, that of the last. The rest is that of the first."""
    whole = dict(documents[0])
    for document in documents[1:]:
        for part in ("paths", "webhooks"):
            if part in document:
                whole[part] = {**whole.get(part, {}), **document[part]}
        whole["tags"] = [*whole.get("tags", []), *document.get("tags", [])]
        kinds = dict(whole.get("components", {}))
        for kind, named in document.get("components", {}).items():
            kinds[kind] = {**kinds.get(kind, {}), **named}
        whole["components"] = kinds
    return whole


def part_under(document: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The part of a bundled document whose paths start with `prefix`, such as `/v1`.
    Webhooks and tags are kept if an operation of the part has their tag, components if the part
    refers to them. The document is not changed; the part shares its values."""
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


def at(document: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """The document of the server at this URL, which replaces the first of its `servers`."""
    placeholder = document["servers"][0]["url"]

    def moved(node: Mapping[str, Any]) -> dict[str, Any]:
        servers = [
            server | {"url": base_url} if server["url"] == placeholder else server
            for server in node.get("servers", ())
        ]
        return {**node, "servers": servers} if servers else {**node}

    return moved(document) | {
        "paths": {path: moved(item) for path, item in document["paths"].items()}
    }


class _Component:
    """A schema that is a component now. path: of its file, if it has one."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.schema: Any = None


def _bundled(node: Any, folder: Path, added: dict[str, _Component]) -> Any:
    """A copy of `node` whose references to files (relative to `folder`) name components."""
    if isinstance(node, Mapping):
        copy = {key: _bundled(value, folder, added) for key, value in node.items()}
        target = node.get("$ref")
        if isinstance(target, str) and not target.startswith("#"):
            copy["$ref"] = _SCHEMA + _component_of(target, folder, added)
        return _with_type(copy)
    if isinstance(node, list):
        return [_bundled(value, folder, added) for value in node]
    return node


def _with_type(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, with the type of its `const` or `enum`: generators need it."""
    options = [schema["const"]] if "const" in schema else schema.get("enum")
    if "type" in schema or not isinstance(options, list):
        return schema
    types = list(dict.fromkeys(_TYPES[type(option)] for option in options))
    return {"type": types[0] if len(types) == 1 else types, **schema}


_TYPES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    type(None): "null",
}


def _component_of(target: str, folder: Path, added: dict[str, _Component]) -> str:
    """The component name of a file. Adds the component if it is new."""
    if "#" in target:
        raise ValueError(f"{target}: refer to whole files only")
    path = (folder / target).resolve()
    schema = _bare(json.loads(path.read_text("utf-8")))
    name: str = schema["title"]
    if name not in added:
        added[name] = _Component(path)
        added[name].schema = _bundled(schema, path.parent, added)
    elif added[name].path not in (None, path):
        raise ValueError(f"{path} and {added[name].path} both have the title {name}")
    return name


def _bare(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without `$schema`, which only files need."""
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
    """The components that the part refers to, directly or through others, in their order."""
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
    """Kind and name of every component that `node` refers to."""
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
