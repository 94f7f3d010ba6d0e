"""Run the app under uvicorn: say when it answers, and stop at once when told."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from mock_server import __version__
from mock_server.server.app import make_app
from mock_server.server.descriptors import ScarcityLog, raise_limit
from mock_server.server.limited_protocol import protocol_within
from mock_server.server.listening import why_not
from mock_server.server.log_lines import LineFormatter
from mock_server.server.queued_stream import queued_stderr
from mock_server.server.stop_signals import stopped_by_signals
from mock_server.simulation.state import Fake
from mock_server.simulation.upload_folder import remove_abandoned

log = logging.getLogger(__name__)

_LAST_WORDS_S = 0.05


class Server(uvicorn.Server):
    """uvicorn without its ticks: it stops when told instead of looking every 100 ms whether it was.

    A request that is held open is answered before its connection closes.
    """

    def __init__(self, fake: Fake, app: ASGIApp, *, on_ready: Callable[[str], None]) -> None:
        """Serve `app`, which serves `fake`; `on_ready` is told the base URL once it answers."""
        settings = fake.settings
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                # One parser, so that odd requests meet one set of rules.
                http=protocol_within(settings.limits),
                loop="asyncio",
                ws="none",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,  # `public_url` is how a proxy is told of
                workers=1,  # else WEB_CONCURRENCY, meant for somebody else, would be read
            )
        )
        self._fake = fake
        self._on_ready = on_ready
        self._told_to_stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Stop soon. May be called in any thread, and by a signal handler."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is closed: the server has stopped
                self._loop.call_soon_threadsafe(self._told_to_stop.set)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """No signals: they are the process's, and `run` takes them."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(ScarcityLog())
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready(self._url())

    async def main_loop(self) -> None:
        """Keep uvicorn's clock going until told to stop."""
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864000
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told_to_stop.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, answer those that wait, and close what is left."""
        for server in self.servers:
            server.close()
        self._fake.let_everybody_go()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            _, late = await asyncio.wait(list(self.server_state.tasks), timeout=_LAST_WORDS_S)
            for task in late:
                task.cancel()
        await self.lifespan.shutdown()

    def _url(self) -> str:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(fake: Fake) -> int:
    """Serve until told to stop. The exit code: 0, or 2 if the address cannot be had."""
    with queued_stderr():
        set_up_logging(fake.settings.log_level)
        raise_limit()
        server = Server(fake, make_app(fake), on_ready=lambda url: _on_ready(fake, url))
        # Code and contract live as long as the process: they are no garbage to look through.
        gc.freeze()
        try:
            with stopped_by_signals(server.stop, fake.blobs.close):
                asyncio.run(server.serve())
        except SystemExit as error:  # uvicorn's way to say that it could not listen
            host, port = fake.settings.host, fake.settings.port
            log.error(why_not(host, port) or f"could not listen on {host} port {port}")
            return 2 if error.code else 0
        return 0


def set_up_logging(level: str) -> None:
    """Log to stderr, a line each; stdout is kept for the ready line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for chatty in ("httpx2", "httpcore2", "uvicorn", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # Whoever sent a bad form is told so; the log need not repeat it.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    logging.getLogger("mock_server.server.uvicorn_protocol").addFilter(Seldom())
    # `run` says in a sentence why the server could not listen.
    logging.getLogger("uvicorn.error").addFilter(lambda each: not isinstance(each.msg, OSError))


class Seldom(logging.Filter):
    """Lets each message through once in ten seconds, whatever its arguments are."""

    _PAUSE_S = 10.0

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the message is shown."""
        shown = self._shown.get(record.msg)
        if shown is not None and record.created < shown + self._PAUSE_S:
            return False
        self._shown[record.msg] = record.created
        return True


def _on_ready(fake: Fake, url: str) -> None:
    _say_ready(fake, url)
    asyncio.get_running_loop().run_in_executor(None, remove_abandoned)


def _say_ready(fake: Fake, url: str) -> None:
    line = {
        "event": "ready",
        "url": url,
        "pid": os.getpid(),
        "version": __version__,
        "seed": fake.settings.seed,
    }
    print(json.dumps(line, separators=(",", ":")), flush=True)
