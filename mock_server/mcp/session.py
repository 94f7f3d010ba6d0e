"""The command `hailuo-mock mcp`: starts a server or takes one, and serves an agent.

In a session the tools are listed and called over standard input and output.
"""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from mcp import types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from mock_server import __version__
from mock_server.apis import ALL
from mock_server.config.settings import Settings
from mock_server.control import ControlError
from mock_server.control.transport import AsyncTransport, Request
from mock_server.core.suggestions import did_you_mean
from mock_server.mcp.tools import ControlDocument, MissingRoute, Tool, WrongArgument, tools_of
from mock_server.server.embedded import served
from mock_server.server.log_lines import set_up_logging
from mock_server.server.stop_signals import stopped_by_signals

MOST_BYTES = 100_000
"""The longest answer that is handed to an agent."""

_INSTRUCTIONS = (
    "hailuo-mock, a local fake of paid video APIs, answers at {url}. make_world makes a world for "
    "one run of a client: start the client with its base URL and its keys. list_requests and "
    "get_story then show what happened, explain why a request was answered as it was, judge_world "
    "what the client did wrong."
)


def serve_agent(server: Settings | str, control_token: str | None) -> None:
    """Serve an agent until standard input ends or a signal comes.

    server: the URL of one, or the settings of one that is started here and ends with the process.
    Raises ControlError, and OSError and the errors of scenarios if the server cannot start.
    """
    with ExitStack() as running:
        if isinstance(server, str):
            url = server
        else:
            set_up_logging(server.log_level, ALL)
            url = running.enter_context(served(server))
        transport = AsyncTransport(url, control_token)
        tools = asyncio.run(read_tools(transport))
        # A thread that reads standard input cannot be stopped: after a signal the process exits.
        with stopped_by_signals(lambda: None, running.close):
            try:
                asyncio.run(serve_stdio(transport, tools))
            except* BrokenPipeError:
                pass  # the agent has gone


async def read_tools(transport: AsyncTransport) -> dict[str, Tool]:
    """The tools as a server describes their routes.
    Raises ControlError if it does not answer, or is a hailuo-mock without one of the routes."""
    reply = await transport.send(Request("GET", "/_mock/control.json"))
    try:
        return tools_of(reply.read(ControlDocument))
    except MissingRoute as missing:
        sentence = f"the server at {transport.url} is another version of hailuo-mock: {missing}"
        raise ControlError(sentence) from None


async def serve_stdio(transport: AsyncTransport, tools: Mapping[str, Tool]) -> None:
    """Serve the tools until standard input ends."""
    server = mcp_server(transport, tools)
    async with stdio_server() as (requests, answers):
        await server.run(requests, answers, server.create_initialization_options())


def mcp_server(transport: AsyncTransport, tools: Mapping[str, Tool]) -> Server[Any]:
    """A server of the protocol with these tools."""
    listed = [_listed(tool) for tool in tools.values()]

    async def list_tools(*_: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    async def call_tool(
        _: ServerRequestContext[Any], asked: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = tools.get(asked.name)
        if tool is None:
            sentence = f"there is no tool '{asked.name}'{did_you_mean(asked.name, tools)}"
            raise MCPError(types.INVALID_PARAMS, sentence)
        try:
            text = await _answer(transport, tool, asked.arguments or {})
        except (WrongArgument, ControlError) as error:
            return _result(str(error), is_error=True)
        return _result(text)

    return Server(
        "hailuo-mock",
        version=__version__,
        instructions=_INSTRUCTIONS.format(url=transport.url),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _answer(transport: AsyncTransport, tool: Tool, arguments: Mapping[str, Any]) -> str:
    """The door's answer to a call. Raises WrongArgument and ControlError."""
    content = (await transport.send(tool.request(arguments))).content
    if len(content) > MOST_BYTES:
        fewer = f": ask for less with {', '.join(tool.in_query)}" if tool.in_query else ""
        raise ControlError(f"the answer has {len(content)} bytes, at most {MOST_BYTES} fit{fewer}")
    return content.decode()


def _listed(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.input_schema,
        annotations=types.ToolAnnotations(
            read_only_hint=tool.method == "GET",
            open_world_hint=False,
        ),
    )


def _result(text: str, *, is_error: bool = False) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=is_error)
