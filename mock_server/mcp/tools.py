"""The tools: which routes of the control door they are, and how the door describes them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from mock_server.control.transport import Request, step
from mock_server.core.suggestions import did_you_mean

TOOLS = (
    "list_worlds",
    "make_world",
    "get_world",
    "reset_world",
    "drop_world",
    "get_clock",
    "change_clock",
    "advance_clock",
    "list_scenarios",
    "get_scenario",
    "list_faults",
    "add_fault",
    "remove_fault",
    "clear_faults",
    "list_requests",
    "get_request",
    "explain",
    "verify_requests",
    "list_tasks",
    "get_task",
    "get_story",
    "finish_task",
    "list_deliveries",
    "get_delivery",
    "redeliver",
    "wait",
    "judge_world",
)
"""The routes, by their `operationId` in `/_mock/control.json`, which is the name of the tool."""

_ANSWER_WITHIN_S = 600.0
"""Real seconds. An advance waits until receivers of callbacks have answered."""

_BODY = "body"


class ControlDocument(Struct):
    """What is read of `/_mock/control.json`: the operations by path and method."""

    paths: dict[str, dict[str, Any]]


class MissingRoute(Exception):
    """A server does not have the route of a tool."""


class WrongArgument(Exception):
    """A tool was called with an argument that it does not take, or without one."""


class Tool(Struct, frozen=True):
    """A route as a tool. input_schema: of the arguments: one for each parameter of the path and
    of the query, and `body`."""

    name: str
    description: str
    method: str
    path: str
    input_schema: dict[str, Any]
    in_path: tuple[str, ...]
    in_query: tuple[str, ...]

    def request(self, arguments: Mapping[str, Any]) -> Request:
        """The request of a call. What a value must be is left to the door, except that a parameter
        is one value. Raises WrongArgument."""
        known = self.input_schema["properties"]
        for name in arguments:
            if name not in known:
                takes = ", ".join(known) or "none"
                near = did_you_mean(name, known) or f"; it takes {takes}"
                raise WrongArgument(f"{self.name} takes no argument '{name}'{near}")
        for name in self.input_schema["required"]:
            if arguments.get(name) is None:
                raise WrongArgument(f"{self.name} needs the argument '{name}'")
        values = {name: _text(name, arguments.get(name)) for name in self.in_path + self.in_query}
        filled = {name: step(str(values[name])) for name in self.in_path}
        query = {name: values[name] for name in self.in_query}
        path, body = self.path.format_map(filled), arguments.get(_BODY)
        return Request(self.method, path, body, query, timeout_s=_ANSWER_WITHIN_S)


def tools_of(document: ControlDocument) -> dict[str, Tool]:
    """The tools by name, as this document describes their routes.
    Raises MissingRoute if it lacks one."""
    described = {tool.name: tool for tool in _all_of(document)}
    if missing := [name for name in TOOLS if name not in described]:
        raise MissingRoute(f"it has no {', '.join(missing)}")
    return {name: described[name] for name in TOOLS}


def _all_of(document: ControlDocument) -> Iterator[Tool]:
    for path, methods in document.paths.items():
        for method, operation in methods.items():
            if method != "parameters":
                yield _tool(method.upper(), path, operation)


def _tool(method: str, path: str, operation: Mapping[str, Any]) -> Tool:
    in_path = tuple(re.findall(r"{(\w+)}", path))
    query = {each["name"]: each["schema"] for each in operation.get("parameters", [])}
    properties: dict[str, Any] = {name: {"type": "string"} for name in in_path} | query
    required = list(in_path)
    if (body := operation.get("requestBody")) is not None:
        properties[_BODY] = body["content"]["application/json"]["schema"]
        required += [_BODY] if body.get("required") else []
    summary, rest = operation["summary"], operation.get("description", "")
    return Tool(
        name=operation["operationId"],
        description=f"{summary[:1].upper()}{summary[1:]}. {rest}".rstrip(),
        method=method,
        path=path,
        input_schema={
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
        in_path=in_path,
        in_query=tuple(query),
    )


def _text(name: str, value: Any) -> str | None:
    """The value of a parameter in a URL; None if there is none. Raises WrongArgument."""
    match value:
        case None | str():
            return value
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case _:
            raise WrongArgument(f"the argument '{name}' must be a text or a number")
