"""An event loop in a thread of its own, for callers who have none or whose loops come and go."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for other threads until it is closed; what then still runs is cancelled."""

    def __init__(self, name: str) -> None:
        """Raises what keeps the loop from starting."""
        started: Future[asyncio.AbstractEventLoop] = Future()

        async def live() -> None:
            self._over = asyncio.Event()
            started.set_result(asyncio.get_running_loop())
            await self._over.wait()

        def run() -> None:
            try:
                with asyncio.Runner() as runner:
                    runner.get_loop()  # needs sockets, which a test suite may have forbidden
                    runner.run(live())
            except BaseException as error:
                if started.done():
                    raise
                started.set_exception(error)

        self._thread = threading.Thread(target=run, name=name, daemon=True)
        self._thread.start()
        self.loop = started.result()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Have a coroutine run there."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def close(self) -> None:
        """End the loop and the thread. Calling it again does nothing."""
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._over.set)
            self._thread.join()


class ThreadedApp:
    """An app that runs in a loop thread and can be called from any asyncio loop.

    What it keeps between requests, timers and connections among it, outlives the caller's loop.
    """

    def __init__(self, app: ASGIApp, thread: LoopThread) -> None:
        self._app = app
        self._thread = thread

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it; what the app raises is raised here."""
        caller = asyncio.get_running_loop()

        async def received() -> Message:
            coming = asyncio.run_coroutine_threadsafe(_coroutine(receive()), caller)
            return await asyncio.wrap_future(coming)

        async def sent(message: Message) -> None:
            going = asyncio.run_coroutine_threadsafe(_coroutine(send(message)), caller)
            await asyncio.wrap_future(going)

        await asyncio.wrap_future(self._thread.start(_coroutine(self._app(scope, received, sent))))


async def _coroutine(work: Any) -> Any:
    """ASGI promises only something to await; threads hand over coroutines."""
    return await work
