"""The only requests that go out: attempts at deliveries, to hosts that may be called."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from itertools import accumulate
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from mock_server import __version__
from mock_server.config.settings import DeliverySettings
from mock_server.core.callback_hosts import CallbackHosts
from mock_server.core.deliveries import Attempt, Delivery, Posting
from mock_server.core.delivery_faults import DeliveryFault, ReceiverAnswer
from mock_server.core.refusals import WebhookUrlRejected
from mock_server.core.webhook_urls import require_public, require_public_addresses
from mock_server.core.world import World
from mock_server.outgoing.faulty_requests import break_off, trickling
from mock_server.outgoing.host_names import Resolve

if TYPE_CHECKING:
    import httpx2

log = logging.getLogger(__name__)

IsWanted = Callable[[World, Delivery], bool]
Compose = Callable[[World, Delivery, Attempt], Posting]

_ANSWER_BYTES = 4096
"""How much of a receiver's answer is read and kept: enough to recognise it by."""

_LONGEST_PAUSE_S = 30 * 86400


@dataclass(weakref_slot=True, slots=True, eq=False)
class _Receiver:
    """Places for attempts at one receiver; has_first: whether one of them is there first."""

    places: asyncio.Semaphore
    has_first: bool = False


class Sender:
    """Carries attempts out in the background; nobody who caused one waits for it.

    So many at once to one receiver and so many in all. The first to each receiver has a place
    apart from the others, so that receivers that hang, however much they are owed, hold up nobody
    else as long as fewer than `at_once` of them hang together.
    """

    def __init__(
        self,
        settings: DeliverySettings,
        callback_hosts: tuple[str, ...],
        resolve_webhook_host: Resolve | None = None,
    ) -> None:
        """`callback_hosts`: as in the settings. Raises ValueError as CallbackHosts does.

        resolve_webhook_host: asked before each attempt at a webhook, which then goes to a public
        address or is not sent; None: webhooks go wherever callbacks may go.
        """
        self._settings = settings
        self._callback_hosts = CallbackHosts(callback_hosts)
        self._resolve_webhook_host = resolve_webhook_host
        self._client: httpx2.AsyncClient | None = None
        self._under_way: set[asyncio.Task[Attempt | None]] = set()
        self._first_places = asyncio.Semaphore(settings.at_once)
        self._more_places = asyncio.Semaphore(settings.at_once)
        self._receivers: WeakValueDictionary[str, _Receiver] = WeakValueDictionary()

    def may_call(self, url: str) -> bool:
        """Whether this URL's host may be called."""
        return self._callback_hosts.destination(url) is not None

    def carry_out(
        self,
        world: World,
        delivery: Delivery,
        is_wanted: IsWanted,
        compose: Compose,
        on_end: Callable[[], None],
    ) -> asyncio.Task[Attempt | None]:
        """Try a delivery, soon. The attempt is in the world from its start.

        is_wanted: asked when there is a place for the attempt; if not, the task's result is None.
        compose: writes the request when the attempt has begun.
        """
        carrying = self._carry_out(world, delivery, is_wanted, compose, on_end)
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

    async def _carry_out(
        self,
        world: World,
        delivery: Delivery,
        is_wanted: IsWanted,
        compose: Compose,
        on_end: Callable[[], None],
    ) -> Attempt | None:
        async with self._place_for(world, delivery.url):
            attempt = None
            if is_wanted(world, delivery):
                attempt = delivery.begin_attempt(world.clock.now_ms())
                await self._carry_out_now(world, delivery, attempt, compose)
                world.end_attempt(delivery, attempt)
                told = world.keys.redaction.text(f"{delivery.url}: {attempt.outcome}")
                log.info("%s to %s", attempt.id, told)
        on_end()
        return attempt

    async def _carry_out_now(
        self, world: World, delivery: Delivery, attempt: Attempt, compose: Compose
    ) -> None:
        """Send the request of an attempt that has begun, if its host may be called."""
        if not self.may_call(delivery.url):
            attempt.error = "not sent: the host is not in callback_hosts"
            return
        try:
            attempt.posting = compose(world, delivery, attempt)
            await self._try(delivery, attempt, attempt.posting)
        except Exception as error:
            log.exception("%s broke the sender", attempt.id)
            attempt.status, attempt.error = None, f"the sender broke: {error!r}"

    @asynccontextmanager
    async def _place_for(self, world: World, url: str) -> AsyncIterator[None]:
        """Wait for a place at this receiver first: who hangs takes few of the common ones.

        Worlds share an address without being one receiver: their inboxes all have the server's.
        """
        origin = f"{world.name} {url.partition('://')[2].partition('/')[0]}"
        receiver = self._receivers.get(origin)
        if receiver is None:
            receiver = _Receiver(asyncio.Semaphore(self._settings.per_receiver))
            self._receivers[origin] = receiver
        async with receiver.places:
            places = self._more_places if receiver.has_first else self._first_places
            is_first, receiver.has_first = not receiver.has_first, True
            try:
                async with places:
                    yield
            finally:
                if is_first:
                    receiver.has_first = False

    async def _try(self, delivery: Delivery, attempt: Attempt, posting: Posting) -> None:
        """Send the request and write down what came of it, however it went."""
        fault = delivery.attempt_fault
        if fault.answer is not None:
            self._answer_instead(attempt, fault.answer)
        elif fault.connection == "dns":
            attempt.error = "ConnectError: the host has no address"
        else:
            attempt.error = await self._why_not_sent(delivery, attempt, posting)
            if attempt.error is not None:
                attempt.status = None

    async def _why_not_sent(
        self, delivery: Delivery, attempt: Attempt, posting: Posting
    ) -> str | None:
        """Sends; why there is no whole answer, or None if there is one."""
        import httpx2  # a third of the start-up time, and most runs never call back

        try:
            async with asyncio.timeout(self._settings.timeout_s):
                host = await self._judged_host(delivery)
                await self._send(attempt, posting, delivery.attempt_fault, host)
        except TimeoutError:
            return self._no_answer
        except WebhookUrlRejected as rejected:
            attempt.posting = None
            return f"not sent: {rejected}"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            return f"{type(error).__name__}: {error}".rstrip(": ")
        return None

    @property
    def _no_answer(self) -> str:
        return f"no whole answer within {self._settings.timeout_s:g} s"

    def _answer_instead(self, attempt: Attempt, answer: ReceiverAnswer) -> None:
        """The receiver is not asked."""
        if answer.status is None:
            attempt.error = self._no_answer
        else:
            attempt.status = answer.status
            attempt.answer_headers = answer.headers
            attempt.retry_after_s = answer.retry_after_s

    async def _judged_host(self, delivery: Delivery) -> str:
        """The host to connect to. Refuses with WebhookUrlRejected a webhook that may not be sent:
        since its endpoint was made, its name may have come to lead elsewhere."""
        host = self._callback_hosts.destination(delivery.url) or ""
        if self._resolve_webhook_host is None or delivery.endpoint_id is None:
            return host
        require_public(delivery.url, allow_loopback=False)
        addresses = await self._resolve_webhook_host(host)
        require_public_addresses(host, addresses)
        if not addresses:
            raise WebhookUrlRejected(f"'{host}' has no address")
        return addresses[0]

    async def _send(
        self, attempt: Attempt, posting: Posting, fault: DeliveryFault, host: str
    ) -> None:
        """Send to this host, which is what was judged. Redirects are not followed."""
        import httpx2

        if self._client is None:
            # No limits of its own: the places above are what limits it.
            self._client = httpx2.AsyncClient(trust_env=False, limits=httpx2.Limits())
        headers = {"user-agent": f"hailuo-mock/{__version__}"} | dict(posting.headers)
        content: bytes | AsyncIterator[bytes] = posting.body
        if fault.bytes_per_s is not None:
            headers["content-length"] = str(len(posting.body))
            content = trickling(posting.body, fault.bytes_per_s)
        request = self._client.build_request(
            "POST", posting.url, content=content, headers=headers, timeout=None
        )
        attempt.posting = replace(posting, headers=tuple(request.headers.multi_items()))
        request.extensions["sni_hostname"] = request.url.raw_host.decode()
        request.url = request.url.copy_with(host=host)
        if fault.connection == "reset":
            raise await break_off(attempt.posting, host)
        answer = await self._client.send(request, stream=True)
        try:
            attempt.status = answer.status_code
            attempt.answer_headers = _first_headers(answer.headers.multi_items())
            attempt.retry_after_s = _retry_after_s(answer.headers)
            attempt.answer_body = await _first_bytes(answer)
        finally:
            await answer.aclose()


def _retry_after_s(headers: Mapping[str, str]) -> int | None:
    """How long a receiver asks to be left alone, in seconds or until a date (RFC 9110, 10.2.3)."""
    asked = headers.get("retry-after", "")
    if asked.isascii() and asked.isdigit():
        return min(int(asked[:12]), _LONGEST_PAUSE_S)
    try:
        until, date = (parsedate_to_datetime(each) for each in (asked, headers.get("date", "")))
        wait_s = round((until - date).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no date, one without a zone, one far away
        return None
    return min(max(0, wait_s), _LONGEST_PAUSE_S)


def _first_headers(headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those that fit into `_ANSWER_BYTES` together."""
    sizes = accumulate(len(name) + len(value) for name, value in headers)
    return tuple(
        header for header, size in zip(headers, sizes, strict=True) if size <= _ANSWER_BYTES
    )


async def _first_bytes(answer: httpx2.Response) -> bytes:
    received = bytearray()
    async for chunk in answer.aiter_raw():
        received += chunk
        if len(received) >= _ANSWER_BYTES:
            break
    return bytes(received[:_ANSWER_BYTES])
