"""`hailuo-mock mcp`: the control door as tools for agents. The SDK takes half a second to import,
in each process that collects the tests; so the tests that use it import it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mock_server import __version__
from mock_server.__main__ import main
from mock_server.apis import ALL
from mock_server.control import ControlError
from mock_server.control.transport import AsyncTransport
from mock_server.door.document import document
from mock_server.door.routes import table
from mock_server.mcp.tools import (
    TOOLS,
    ControlDocument,
    MissingRoute,
    Tool,
    WrongArgument,
    tools_of,
)
from tests.live import WAIT_S, live
from tests.manual.blocks import misses
from tests.mock import MINIMAL

if TYPE_CHECKING:
    from mcp import Client

PAGE = (Path(__file__).parent.parent / "docs" / "mcp.md").read_text("utf-8")
COMMAND = [sys.executable, "-m", "mock_server", "mcp"]
PAID = 57
DOCUMENT: dict[str, Any] = document(table(), [api.name for api in ALL])
BY_NAME = tools_of(msgspec.convert(DOCUMENT, ControlDocument))


def operation(tool: Tool) -> Any:
    return DOCUMENT["paths"][tool.path][tool.method.lower()]


# --- the table --------------------------------------------------------------------------------


def test_the_page_lists_every_tool_with_its_route() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+) (.+?)` \|$", PAGE, re.MULTILINE)
    assert rows == [(tool.name, tool.method, tool.path) for tool in BY_NAME.values()]
    assert tuple(BY_NAME) == TOOLS


@pytest.mark.parametrize("tool", BY_NAME.values(), ids=lambda tool: tool.name)
def test_a_tool_is_described_as_its_route(tool: Tool) -> None:
    described = operation(tool)
    assert tool.description.lower().startswith(described["summary"].lower())
    assert tool.description.endswith(described.get("description", "."))
    schema, body = tool.input_schema, described.get("requestBody")
    Draft202012Validator.check_schema(schema)
    assert "$ref" not in json.dumps(schema)  # an agent has no other document
    assert schema["properties"].get("body") == (
        body and body["content"]["application/json"]["schema"]
    )
    queries = {each["name"]: each["schema"] for each in described.get("parameters", [])}
    assert queries.items() <= schema["properties"].items()
    assert set(re.findall(r"{(\w+)}", tool.path)) <= set(schema["required"])


def test_a_server_without_a_route_of_a_tool_is_refused() -> None:
    paths = {path: each for path, each in DOCUMENT["paths"].items() if "judgement" not in path}
    with pytest.raises(MissingRoute, match="no judge_world$"):
        tools_of(ControlDocument(paths))


def test_the_snippets_of_the_page_start_the_command() -> None:
    from mock_server.mcp.session import MOST_BYTES

    claude, code = (json.loads(text) for text in re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL))
    (codex,) = (tomllib.loads(text) for text in re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL))
    for servers in (claude["mcpServers"], code["servers"], codex["mcp_servers"]):
        started = servers["hailuo-mock"]
        assert [started["command"], *started["args"]] == ["hailuo-mock", "mcp"]
    assert PAGE.count("-- hailuo-mock mcp`") == 2
    assert f"more than\n{MOST_BYTES} bytes" in PAGE


# --- arguments --------------------------------------------------------------------------------


def test_arguments_become_the_path_the_query_and_the_body() -> None:
    asked = BY_NAME["wait"].request({"world": "a/b", "status": 402, "timeout_s": 0.5, "task": None})
    assert (asked.method, asked.path) == ("GET", "/_mock/worlds/a%2Fb/wait")
    given = {name: value for name, value in asked.query.items() if value is not None}
    assert given == {"status": "402", "timeout_s": "0.5"}
    assert asked.body is None
    assert BY_NAME["make_world"].request({}).body is None  # as its route, it may lack a body
    body = {"scenario": "lost_answer"}
    assert BY_NAME["add_fault"].request({"world": "a", "body": body}).body == body


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("get_story", {"world": "a", "task": "x"}, "get_story takes no argument 'task'; did you"),
        ("list_worlds", {"zzz": 1}, "list_worlds takes no argument 'zzz'; it takes none"),
        ("get_story", {"world": "a"}, "get_story needs the argument 'task_id'"),
        ("add_fault", {"world": "a"}, "add_fault needs the argument 'body'"),
        ("get_world", {"world": ["a"]}, "the argument 'world' must be a text or a number"),
        ("get_world", {"world": None}, "get_world needs the argument 'world'"),
    ],
)
def test_a_wrong_argument_is_refused(tool: str, arguments: Any, sentence: str) -> None:
    with pytest.raises(WrongArgument, match=f"^{sentence}"):
        BY_NAME[tool].request(arguments)


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1) | st.sampled_from([".", "..", "...", "../x", "?", "#", "%2e%2e"]))
def test_a_value_is_one_step_of_the_path_whatever_it_contains(value: str) -> None:
    try:
        path = BY_NAME["get_clock"].request({"world": value}).path
    except UnicodeEncodeError:  # half a pair of surrogates: no text that JSON over UTF-8 has
        return
    sent = httpx2.Request("GET", f"http://mock.test{path}").url.raw_path.decode()
    assert re.fullmatch(r"/_mock/worlds/[^/?#]+/clock", sent)
    assert httpx2.URL(f"http://mock.test{path}").path == f"/_mock/worlds/{value}/clock"


# --- a session --------------------------------------------------------------------------------


async def called(client: Client, tool: str, **arguments: Any) -> Any:
    """The JSON of a tool's answer, which must be no error."""
    result = await client.call_tool(tool, arguments)
    text = result.content[0].text  # type: ignore[union-attr]
    assert not result.is_error, text
    return json.loads(text)


async def error(client: Client, tool: str, **arguments: Any) -> str:
    """The sentence of a tool's error."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)  # type: ignore[union-attr]


def test_an_agent_makes_a_world_breaks_it_and_asks_what_happened() -> None:
    from mcp import Client, StdioServerParameters

    async def use() -> None:
        stdio = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:])
        async with Client(stdio, mode="legacy") as client:
            assert client.server_info is not None
            assert client.server_info.version == __version__
            listed = (await client.list_tools()).tools
            assert [tool.name for tool in listed] == list(TOOLS)
            assert [tool.input_schema for tool in listed] == [
                tool.input_schema for tool in BY_NAME.values()
            ]
            plan = {"name": "agent", "credits": 1000, "clock": {"mode": "frozen"}}
            world = await called(client, "make_world", body=plan)
            assert world["plain_base_url"] in str(client.instructions)
            rule = {"scenario": "lost_answer", "times": 1}
            await called(client, "add_fault", world="agent", body=rule)
            key = next(each["key"] for each in world["keys"] if each["api"] == "rivya")
            headers = {"authorization": f"Bearer {key}"}
            create = f"{world['base_url']}/api/v1/generations"
            async with httpx2.AsyncClient(headers=headers, trust_env=False) as paying:
                with pytest.raises(httpx2.HTTPError):
                    await paying.post(create, json=MINIMAL)
                (await paying.post(create, json=MINIMAL)).raise_for_status()
            moved = await called(client, "advance_clock", world="agent", body={"until": "idle"})
            assert moved["effects"]
            first, _ = (await called(client, "list_tasks", world="agent"))["tasks"]
            story = await called(client, "get_story", world="agent", task_id=first["id"])
            credits = [each["moved"] for each in story["entries"] if each["type"] == "ledger"]
            assert credits == ["held", "spent"]
            lost, _ = (await called(client, "list_requests", world="agent"))["requests"]
            told = await called(client, "explain", request_id=lost["id"])
            assert told["scenario"] == "lost_answer"
            twice = {"match": {"operation": "create"}, "count": 2}
            assert (await called(client, "verify_requests", world="agent", body=twice))["verified"]
            judged = await called(client, "judge_world", world="agent", body={})
            assert judged["findings"][0]["credits_lost"] == PAID
            ended = {"state": "failed"}
            sentence = await error(
                client, "finish_task", world="agent", task_id=first["id"], body=ended
            )
            assert "ended" in sentence
            wrong = {"scenario": "lost_answr"}
            assert (await error(client, "add_fault", world="agent", body=wrong)) == (
                "/scenario there is no scenario 'lost_answr'; did you mean 'lost_answer'?"
            )

    asyncio.run(asyncio.wait_for(use(), WAIT_S))


def test_a_session_with_a_server_at_a_url_has_its_sentences(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mcp import Client, MCPError

    from mock_server.mcp.session import mcp_server

    async def use(url: str) -> None:
        locked = mcp_server(AsyncTransport(url, "wrong"), BY_NAME)
        async with Client(locked) as client:
            sentence = await error(client, "list_worlds")
            assert sentence.startswith("this door is locked: send the header Mock-Control-Token")
        async with Client(mcp_server(AsyncTransport(url, "right"), BY_NAME)) as client:
            assert (await called(client, "list_worlds"))["worlds"][0]["name"] == "default"
            assert "did you mean" in await error(client, "get_story", world="a", task="x")
            with pytest.raises(MCPError, match="no tool 'judge'; did you mean 'judge_world'"):
                await client.call_tool("judge", {})
            monkeypatch.setattr("mock_server.mcp.session.MOST_BYTES", 10)
            sentence = await error(client, "list_tasks", world="default")
            assert re.fullmatch(r"the answer has \d+ bytes, at most 10 fit: .* limit", sentence)

    with live(control_token="right") as server:
        asyncio.run(asyncio.wait_for(use(server.url), WAIT_S))


def test_another_version_of_the_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from mock_server.mcp.session import read_tools

    monkeypatch.setattr("mock_server.mcp.tools.TOOLS", ("list_worlds", "judge_worlds"))
    with live() as server, pytest.raises(ControlError, match="it has no judge_worlds$"):
        asyncio.run(read_tools(AsyncTransport(server.url, None)))


def test_the_session_of_the_page_goes_as_it_says() -> None:
    from mcp import Client

    from mock_server.mcp.session import mcp_server

    (session_text,) = re.findall(r"```text\n(.+?)```", PAGE, re.DOTALL)
    steps = re.findall(r"^(?:> (\w+) (.+)\n(.+)|\$ .+)$", session_text, re.MULTILINE)

    async def use(url: str) -> None:
        async with Client(mcp_server(AsyncTransport(url, None), BY_NAME)) as client:
            for tool, arguments, expected in steps:
                if tool:
                    told = await client.call_tool(tool, json.loads(arguments))
                    printed = told.content[0].text  # type: ignore[union-attr]
                    assert misses(printed, expected) == [], printed
                else:
                    await order_twice(url)

    async def order_twice(url: str) -> None:
        headers = {"authorization": "Bearer rvya_sk_test-agent"}
        async with httpx2.AsyncClient(headers=headers, trust_env=False) as paying:
            with pytest.raises(httpx2.HTTPError):
                await paying.post(f"{url}/api/v1/generations", json=MINIMAL)
            (await paying.post(f"{url}/api/v1/generations", json=MINIMAL)).raise_for_status()

    assert len(steps) > 6
    with live() as server:
        asyncio.run(asyncio.wait_for(use(server.url), WAIT_S))


# --- the process ------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [None, signal.SIGINT])
def test_its_server_ends_with_standard_input_and_by_a_signal(number: signal.Signals | None) -> None:
    process = subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    facts = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": CLIENT}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": facts}
    process.stdin.write(json.dumps(hello) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    (url,) = re.findall(r"http://127.0.0.1:\d+", answer["result"]["instructions"])
    assert httpx2.get(f"{url}/_mock/ready").is_success
    if number is not None:
        process.send_signal(number)
        process.wait(WAIT_S)  # standard input is still open
    rest, errors = process.communicate(timeout=WAIT_S)
    assert (process.returncode, rest, errors) == (0, "", "")
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{url}/_mock/ready")


CLIENT = {"name": "test", "version": "1"}
WITHOUT_SDK = """
import sys
sys.modules["mcp"] = sys.modules["mcp_types"] = None
from mock_server.__main__ import main
main(["mcp"])
"""


def test_without_the_sdk_the_extra_is_named() -> None:
    command = [sys.executable, "-c", WITHOUT_SDK]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("hailuo-mock: the tools for agents need mcp")
    assert "of the extra 'mcp': pip install 'hailuo-mock[mcp] @ " in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--url", "http://127.0.0.1:9", "no server answers at http://127.0.0.1:9"),
        ("--port", "many", "--port"),
    ],
)
def test_what_cannot_be_served_is_said_with_2(option: str, value: str, sentence: str) -> None:
    result = CliRunner().invoke(main, ["mcp", option, value])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("hailuo-mock: ")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
