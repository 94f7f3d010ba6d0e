"""Starts one broken server, as `hailuo-mock serve` starts the whole one."""

from __future__ import annotations

import os
from unittest.mock import patch

import httpx2

from contract_tests.broken.breakage import Breakage, Memory
from contract_tests.broken.wrapper import Sending, Wrapper
from mock_server.config.sources import read_settings
from mock_server.server import serve
from mock_server.server.app import make_app
from mock_server.simulation.state import Fake, make_fake
from mock_server.simulation.wall_clock import wall_ms


def run(breakage: Breakage) -> int:
    """Serve until told to stop; settings come from the environment. The exit code."""
    memory: Memory = {}
    Sending.breakage, Sending.memory = breakage, memory
    httpx2.AsyncClient = Sending  # type: ignore[misc]
    if breakage.patch is not None:
        breakage.patch()
    settings, _ = read_settings(flags={}, environment=os.environ, file=None)

    def broken_app(fake: Fake) -> Wrapper:
        return Wrapper(make_app(fake), breakage, memory)

    with patch.object(serve, "make_app", broken_app):
        return serve.run(make_fake(settings, wall_ms))
