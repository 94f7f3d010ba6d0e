"""The fake in a thread of this process: behind a free port, or without a socket at all."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from typing import Any

from mock_server.config.settings import Settings
from mock_server.server.app import make_app
from mock_server.server.listening import why_not
from mock_server.server.loop_thread import LoopThread, ThreadedApp
from mock_server.server.serve import Server
from mock_server.simulation.state import make_fake
from mock_server.simulation.wall_clock import wall_ms


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """A running server, and where it answers. Raises OSError if it cannot listen there."""
    fake = make_fake(settings, wall_ms)
    ready: Future[str] = Future()
    server = Server(fake, make_app(fake), on_ready=ready.set_result)
    thread = LoopThread("hailuo-mock")
    try:
        serving = thread.start(_serve(server, settings))
        first: list[Future[Any]] = [ready, serving]
        wait(first, return_when=FIRST_COMPLETED)
        if serving.done():
            serving.result()
        try:
            yield ready.result()
        finally:
            thread.loop.call_soon_threadsafe(server.stop)
            serving.result()
    finally:
        thread.close()


@contextmanager
def in_process(settings: Settings) -> Iterator[ThreadedApp]:
    """The server's ASGI app, for a client that needs no socket; it minds no event loop.

    A fault that breaks the connection raises ConnectionResetError there.
    """
    fake = make_fake(settings, wall_ms)
    thread = LoopThread("hailuo-mock")
    try:
        yield ThreadedApp(make_app(fake), thread)
    finally:
        thread.start(fake.close()).result()
        thread.close()


async def _serve(server: Server, settings: Settings) -> None:
    try:
        await server.serve()
    except SystemExit:  # uvicorn's way to say that it could not listen
        host, port = settings.host, settings.port
        raise OSError(why_not(host, port) or f"could not listen on {host} port {port}") from None
