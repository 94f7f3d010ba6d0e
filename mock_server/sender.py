"""The only requests that go out: attempts at deliveries, to hosts that may be called."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from mock_server import __version__
from mock_server.core.deliveries import Attempt, Delivery
from mock_server.core.webhook_urls import is_loopback
from mock_server.settings import DeliverySettings
from mock_server.timekeeper import Timekeeper

if TYPE_CHECKING:
    import httpx2

log = logging.getLogger(__name__)

Headers = Iterable[tuple[str, str]]
Sign = Callable[[Attempt], Headers]

_ANSWER_BYTES = 4096
"""How much of a receiver's answer is read and kept: enough to recognise it by."""


class Sender:
    """Carries attempts out in the background; nobody who caused one waits for it.

    So many at once to one receiver and so many in all: a receiver that hangs holds up its own
    deliveries and nobody else's, until `at_once / per_receiver` of them hang together.
    """

    def __init__(self, settings: DeliverySettings, allowed_hosts: tuple[str, ...]) -> None:
        """`allowed_hosts`: host names; `loopback` stands for this machine, `*` for every host."""
        self._settings = settings
        self._allowed_hosts = allowed_hosts
        self._client: httpx2.AsyncClient | None = None
        self._under_way: set[asyncio.Task[Attempt]] = set()
        self._places = asyncio.Semaphore(settings.at_once)
        self._places_at: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def may_call(self, url: str) -> bool:
        """Whether this URL's host may be called."""
        try:
            host = (urlsplit(url).hostname or "").rstrip(".").lower()
        except ValueError:
            return False
        allowed = self._allowed_hosts
        return "*" in allowed or host in allowed or ("loopback" in allowed and is_loopback(host))

    def carry_out(
        self, timekeeper: Timekeeper, delivery: Delivery, sign: Sign
    ) -> asyncio.Task[Attempt]:
        """Try a delivery, soon. The attempt is in the world from its start.

        sign: says, when the attempt has begun, what headers it carries beside the event's own.
        """
        carrying = self._carry_out(timekeeper, delivery, sign)
        sending = asyncio.get_running_loop().create_task(carrying)
        self._under_way.add(sending)
        sending.add_done_callback(self._under_way.discard)
        return sending

    async def stop(self) -> None:
        """Give up what is under way and close every connection."""
        for sending in self._under_way:
            sending.cancel()
        if self._client is not None:
            await self._client.aclose()

    async def _carry_out(self, timekeeper: Timekeeper, delivery: Delivery, sign: Sign) -> Attempt:
        world = timekeeper.world
        async with self._place_for(delivery.url):
            attempt = delivery.begin_attempt(world.clock.now_ms())
            if self.may_call(delivery.url):
                await self._try(delivery, attempt, sign(attempt))
            else:
                attempt.error = "not sent: the host is not in callback_hosts"
            world.end_attempt(delivery, attempt)
        outcome = attempt.error or f"answered {attempt.status}"
        log.info("%s to %s: %s", attempt.id, delivery.url, outcome)
        timekeeper.watch()
        return attempt

    @asynccontextmanager
    async def _place_for(self, url: str) -> AsyncIterator[None]:
        """Wait for a place at this receiver first: who hangs takes none of the common ones."""
        origin = url.partition("://")[2].partition("/")[0]
        at_receiver = self._places_at.get(origin)
        if at_receiver is None:
            at_receiver = asyncio.Semaphore(self._settings.per_receiver)
            self._places_at[origin] = at_receiver
        async with at_receiver, self._places:
            yield

    async def _try(self, delivery: Delivery, attempt: Attempt, signed: Headers) -> None:
        """Send the request and write down what came of it. Redirects are not followed."""
        import httpx2  # a third of the start-up time, and most runs never call back

        if self._client is None:
            # No limits of its own: the places above are what limits it.
            self._client = httpx2.AsyncClient(trust_env=False, limits=httpx2.Limits())
        headers = {"user-agent": f"hailuo-mock/{__version__}"}
        headers |= dict(delivery.event.headers) | dict(signed)
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                request = self._client.build_request(
                    "POST", delivery.url, content=delivery.event.body, headers=headers, timeout=None
                )
                attempt.request_headers = tuple(request.headers.multi_items())
                answer = await self._client.send(request, stream=True)
                try:
                    attempt.status = answer.status_code
                    attempt.answer_headers = tuple(answer.headers.multi_items())
                    attempt.answer_body = await _first_bytes(answer)
                finally:
                    await answer.aclose()
        except TimeoutError:
            attempt.error = f"no whole answer within {self._settings.timeout_s:g} s"
            attempt.status = None
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
            attempt.error = f"{type(error).__name__}: {error}".rstrip(": ")
            attempt.status = None
        except Exception as error:
            log.exception("%s broke the sender", attempt.id)
            attempt.error = f"the sender broke: {error!r}"
            attempt.status = None


async def _first_bytes(answer: httpx2.Response) -> bytes:
    received = bytearray()
    async for chunk in answer.aiter_raw():
        received += chunk
        if len(received) >= _ANSWER_BYTES:
            break
    return bytes(received[:_ANSWER_BYTES])
