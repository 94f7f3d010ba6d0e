"""The command `hailuo-mock mcp`: starts a server or takes one, and serves an agent."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from mock_server.apis import ALL
from mock_server.config.settings import Settings
from mock_server.control.transport import AsyncTransport
from mock_server.mcp.session import read_tools, serve_stdio
from mock_server.server.embedded import served
from mock_server.server.serve import set_up_logging
from mock_server.server.stop_signals import stopped_by_signals


def serve_agent(server: Settings | str, control_token: str | None) -> None:
    """Serve an agent until standard input ends or a signal comes.

    server: the URL of one, or the settings of one that is started here and ends with the process.
    Raises ControlError, and OSError and the errors of scenarios if the server cannot start.
    """
    with ExitStack() as running:
        if isinstance(server, str):
            url = server
        else:
            prefixes = [api.key_prefix for api in ALL if api.key_prefix]
            set_up_logging(server.log_level, prefixes)
            url = running.enter_context(served(server))
        transport = AsyncTransport(url, control_token)
        tools = asyncio.run(read_tools(transport))
        # A thread that reads standard input cannot be stopped: after a signal the process exits.
        with stopped_by_signals(lambda: None, running.close):
            try:
                asyncio.run(serve_stdio(transport, tools))
            except* BrokenPipeError:
                pass  # the agent has gone
