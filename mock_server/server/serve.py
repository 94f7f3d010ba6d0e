"""Runs the app under uvicorn: prints a ready line, and stops at once on request."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from copy import copy
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from mock_server import __version__
from mock_server.edge.media_origin import at_media_origin
from mock_server.server.app import make_app
from mock_server.server.descriptors import ShortageLog, raise_limit
from mock_server.server.limited_protocol import protocol_within
from mock_server.server.listening import listen_error
from mock_server.server.log_lines import set_up_logging
from mock_server.server.queued_stream import queued_stderr
from mock_server.server.stop_signals import stopped_by_signals
from mock_server.simulation.state import ServerState
from mock_server.simulation.upload_folder import remove_abandoned

log = logging.getLogger(__name__)

_SHUTDOWN_WAIT_S = 0.05


class Server(uvicorn.Server):
    """uvicorn's server, except that `stop` takes effect at once, not at the next tick of 100 ms.
    Requests that are held open are answered before their connections close."""

    def __init__(
        self,
        state: ServerState,
        app: ASGIApp,
        media_socket: socket.socket | None = None,
        *,
        on_ready: Callable[[str], None],
    ) -> None:
        """app: serves `state`. media_socket: of the second origin, as `with_media_socket` bound
        it. on_ready: called with the base URL once the server answers."""
        settings = state.settings
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                # One parser, so that all odd requests follow one set of rules.
                http=protocol_within(
                    settings.limits,
                    tuple(f"{api.prefix}/" for api in state.apis.values()),
                    state.keeper,
                ),
                loop="asyncio",
                ws="none",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,  # behind a proxy, `public_url` is set
                workers=1,  # else WEB_CONCURRENCY would be read
            )
        )
        self._state = state
        self.has_lost_state = False
        if settings.state.file is not None:
            state.keeper.on_lost = self._on_lost_state
        self._media_socket = media_socket
        self._on_ready = on_ready
        self._stop_requested = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Start the shutdown. May be called in any thread, and by a signal handler."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server has stopped
                self._loop.call_soon_threadsafe(self._stop_requested.set)

    def _on_lost_state(self) -> None:
        self.has_lost_state = True
        self.stop()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals: `run` does."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then call `on_ready`."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(ShortageLog())
        await super().startup(sockets)
        if self._media_socket is not None:
            self.servers.append(await self._media_server(self._loop, self._media_socket))
        if not self.should_exit:
            self._on_ready(self._url())

    def _media_server(
        self, loop: asyncio.AbstractEventLoop, bound: socket.socket
    ) -> Coroutine[Any, Any, asyncio.Server]:
        """Listen at the second origin."""
        config = copy(self.config)
        config.loaded_app = at_media_origin(config.loaded_app)
        protocol: Callable[[], asyncio.Protocol] = partial(
            cast(Any, config.http_protocol_class),
            config=config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        return loop.create_server(protocol, sock=bound, backlog=config.backlog)

    async def main_loop(self) -> None:
        """Call uvicorn's `on_tick` every 100 ms until `stop` is called."""
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864000
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop_requested.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, answer the requests that are held open, then close all connections."""
        for server in self.servers:
            server.close()
        self._state.release_all_waiters()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            _, late = await asyncio.wait(list(self.server_state.tasks), timeout=_SHUTDOWN_WAIT_S)
            for task in late:
                task.cancel()
        await self.lifespan.shutdown()

    def _url(self) -> str:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    state: ServerState,
    media_socket: socket.socket | None = None,
    *,
    stop_with_stdin: bool = False,
) -> int:
    """Serve until stopped. media_socket: as for Server. stop_with_stdin: stop when stdin ends, too.
    Returns the exit code: 0, or 2 if the server cannot listen or cannot write its state file."""
    with queued_stderr():
        set_up_logging(state.settings.log_level, state.apis.values())
        raise_limit()
        server = Server(
            state, make_app(state), media_socket, on_ready=lambda url: _on_ready(state, url)
        )
        gc.freeze()  # code and contract live as long as the process: never scan them again
        gc.enable()
        try:
            with stopped_by_signals(server.stop, state.blobs.close, with_stdin=stop_with_stdin):
                asyncio.run(server.serve())
        except SystemExit as error:  # raised by uvicorn if it cannot listen
            log.error(listen_error(state.settings.host, state.settings.port))
            return 2 if error.code else 0
        return 2 if server.has_lost_state else 0


def _on_ready(state: ServerState, url: str) -> None:
    line = {
        "event": "ready",
        "url": url,
        "pid": os.getpid(),
        "version": __version__,
        "seed": state.settings.seed,
    }
    if state.settings.media_url is not None:
        line["media_url"] = state.settings.media_url
    print(json.dumps(line, separators=(",", ":")), flush=True)
    asyncio.get_running_loop().run_in_executor(None, remove_abandoned)
