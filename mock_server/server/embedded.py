"""The server in a thread of this process: on a port, or without a socket."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing, contextmanager, nullcontext
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.apis import ALL
from mock_server.apis.api import VendorApi
from mock_server.config.settings import Settings
from mock_server.control.loop_thread import LoopThread, ThreadedApp
from mock_server.core.journal import Exchange
from mock_server.outgoing.release import Release
from mock_server.server.app import make_app
from mock_server.server.listening import listen_error, with_media_socket
from mock_server.server.make_server import make_server
from mock_server.server.serve import Server
from mock_server.simulation.wall_clock import wall_ms


@contextmanager
def served(
    settings: Settings,
    apis: Sequence[VendorApi] = ALL,
    on_locked_out: Callable[[Exchange], None] = lambda _: None,
) -> Iterator[str]:
    """Run a server; yields its base URL. Raises OSError if it cannot listen.

    With the setting `media_url` `auto` its media have a second origin, the `media_url` of a world.
    on_locked_out: as in `ServerState`; called in the server's thread.
    """
    settings, media_socket = with_media_socket(settings)
    with media_socket or nullcontext(), closing(LoopThread("hailuo-mock")) as thread:
        state = make_server(settings, wall_ms, apis=apis, on_locked_out=on_locked_out)
        ready: Future[str] = Future()
        server = Server(state, make_app(state, apis), media_socket, on_ready=ready.set_result)
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


@contextmanager
def in_process(settings: Settings) -> Iterator[ThreadedApp]:
    """The server's ASGI app, for clients without a socket. Any event loop may call it.
    A fault that breaks the connection raises ConnectionResetError in the client. Its media have no
    origin of their own at a free port."""
    state = make_server(settings, wall_ms)
    with closing(LoopThread("hailuo-mock")) as thread:
        try:
            thread.start(state.begin()).result()
            yield ThreadedApp(_held_until_released(make_app(state), state.keeper), thread)
        finally:
            thread.start(state.close()).result()


def _held_until_released(app: ASGIApp, release: Release) -> ASGIApp:
    """The app, whose answers are sent when they are released."""

    async def held(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_later(message: Message) -> None:
            await release.released()
            await send(message)

        await app(scope, receive, send_later)

    return held


async def _serve(server: Server, settings: Settings) -> None:
    try:
        await server.serve()
    except SystemExit:  # raised by uvicorn if it cannot listen
        raise OSError(listen_error(settings.host, settings.port)) from None
