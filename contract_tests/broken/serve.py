"""Starts one broken server, as `hailuo-mock serve` starts the fake."""

from __future__ import annotations

import os
from unittest.mock import patch

import httpx2

from contract_tests.broken.broken_server import BrokenServer, Memory
from contract_tests.broken.wrapper import BrokenApp, ChangingClient
from mock_server.apis import ALL
from mock_server.config.sources import read_settings
from mock_server.server import serve
from mock_server.server.app import make_app
from mock_server.server.make_server import make_server
from mock_server.simulation.state import ServerState
from mock_server.simulation.wall_clock import wall_ms


def run(broken_server: BrokenServer) -> int:
    """Serve until a signal stops it; the exit code. Settings come from the environment."""
    memory: Memory = {}
    ChangingClient.broken_server, ChangingClient.memory = broken_server, memory
    httpx2.AsyncClient = ChangingClient  # type: ignore[misc]
    if broken_server.patch is not None:
        broken_server.patch()
    settings, _ = read_settings(flags={}, environment=os.environ, file=None, apis=ALL)

    def broken_app(state: ServerState) -> BrokenApp:
        return BrokenApp(make_app(state), broken_server, memory)

    with patch.object(serve, "make_app", broken_app):
        return serve.run(make_server(settings, wall_ms))
