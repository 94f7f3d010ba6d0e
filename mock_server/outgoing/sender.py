"""Makes the requests of delivery attempts: the only requests that leave this server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from email.utils import parsedate_to_datetime
from itertools import accumulate
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from msgspec import Struct
from msgspec.structs import replace

from mock_server import __version__
from mock_server.config.settings import DeliverySettings
from mock_server.core.callback_hosts import CallbackHosts
from mock_server.core.deliveries import Attempt, Delivery, OutgoingRequest
from mock_server.core.effects import DeliveryFault, ReceiverAnswer
from mock_server.core.refusals import Conflict, WebhookUrlRejected
from mock_server.core.webhook_urls import require_public, require_public_addresses
from mock_server.core.world import World
from mock_server.outgoing.broken_connections import break_off, trickling
from mock_server.outgoing.host_names import Resolve
from mock_server.outgoing.release import AtOnce, Release, StateLost

if TYPE_CHECKING:
    import httpx2

log = logging.getLogger(__name__)

IsWanted = Callable[[World, Delivery], bool]
Compose = Callable[[World, Delivery, Attempt], OutgoingRequest]

_ANSWER_BYTES = 4096
"""The maximum size of a receiver's answer that is read and kept."""

_LONGEST_WAIT_S = 30 * 86400


class _Receiver(Struct, weakref=True, eq=False):
    """slots: for attempts at it; has_first: whether one of them holds a slot for first attempts."""

    slots: asyncio.Semaphore
    has_first: bool = False


class Sender:
    """Runs attempts in the background. release: when an attempt that has begun may be sent.
    The settings limit how many run at once, for one receiver and in all. One attempt of each
    receiver uses a separate limit, so that receivers that hang do not delay other receivers if
    fewer than `at_once` of them hang at the same time."""

    def __init__(
        self,
        settings: DeliverySettings,
        callback_hosts: tuple[str, ...],
        resolve_webhook_host: Resolve | None = None,
    ) -> None:
        """`callback_hosts`: as in the settings. Raises ValueError as CallbackHosts does.
        resolve_webhook_host: called before each attempt at a webhook, which is sent only if all
        addresses are public; None: webhooks may go wherever callbacks may go."""
        self._settings = settings
        self._timeout_sentence = f"no whole answer within {settings.timeout_s:g} s"
        self._callback_hosts = CallbackHosts(callback_hosts)
        self._resolve_webhook_host = resolve_webhook_host
        self._client: httpx2.AsyncClient | None = None
        self.release: Release = AtOnce()
        self._under_way: set[asyncio.Task[Attempt | None]] = set()
        self._first_slots = asyncio.Semaphore(settings.at_once)
        self._more_slots = asyncio.Semaphore(settings.at_once)
        self._receivers: WeakValueDictionary[str, _Receiver] = WeakValueDictionary()

    def may_call(self, url: str) -> bool:
        """Whether this URL's host may be called."""
        return self._callback_hosts.destination(url) is not None

    def start(
        self,
        world: World,
        delivery: Delivery,
        is_wanted: IsWanted,
        compose: Compose,
        on_end: Callable[[], None],
    ) -> asyncio.Task[Attempt | None]:
        """Start an attempt in the background. The delivery has the attempt as soon as it begins.
        is_wanted: called when there is a slot; if it returns False, the result is None.
        compose: builds the request when the attempt has begun."""

        async def attempt_once() -> Attempt | None:
            async with self._slot_for(world, delivery.url):
                attempt = None
                if is_wanted(world, delivery):
                    attempt = world.dispatch.begin_attempt(delivery)
                    try:
                        await self.release.released()
                    except StateLost:
                        return None  # the server stops; the next one makes the attempt again
                    await self._send_request(world, delivery, attempt, compose)
                    world.dispatch.end_attempt(delivery, attempt)
                    line = world.keys.redaction.text(f"{delivery.url}: {attempt.outcome}")
                    log.info("%s to %s", attempt.id, line)
            on_end()
            return attempt

        sending = asyncio.get_running_loop().create_task(attempt_once())
        self._under_way.add(sending)
        sending.add_done_callback(self._under_way.discard)
        return sending

    def as_sent(self, outgoing: OutgoingRequest, fault: DeliveryFault) -> OutgoingRequest:
        """The request with the headers that it is sent with.
        Refuses with Conflict one whose URL cannot be called."""
        import httpx2

        try:
            return _with_all_headers(outgoing, _request(self._http_client(), outgoing, fault))
        except (httpx2.InvalidURL, UnicodeError) as error:
            raise Conflict(f"the URL cannot be called: {error}") from None

    async def stop(self) -> None:
        """Cancel the attempts under way and close every connection."""
        for sending in self._under_way:
            sending.cancel()
        if self._client is not None:
            await self._client.aclose()

    async def _send_request(
        self, world: World, delivery: Delivery, attempt: Attempt, compose: Compose
    ) -> None:
        """Send the request of an attempt that has begun, and record the outcome."""
        if not self.may_call(delivery.url):
            attempt.error = "not sent: the host is not in callback_hosts"
            return
        fault = delivery.attempt_fault
        try:
            attempt.outgoing = compose(world, delivery, attempt)
            if fault.answer is not None:
                self._use_made_up_answer(attempt, fault.answer)
            elif fault.connection == "dns":
                attempt.error = "ConnectError: the host has no address"
            else:
                attempt.error = await self._error_of_sending(delivery, attempt, attempt.outgoing)
        except Exception as error:
            log.exception("%s broke the sender", attempt.id)
            attempt.error = f"the sender broke: {error!r}"
        if attempt.error is not None:
            attempt.status = None

    @asynccontextmanager
    async def _slot_for(self, world: World, url: str) -> AsyncIterator[None]:
        """Wait for a slot.
        The receiver's semaphore comes before the global one, so that a receiver that hangs cannot
        use up all slots. The inboxes of all worlds have one address, so a receiver is an address
        within a world."""
        origin = f"{world.name} {url.partition('://')[2].partition('/')[0]}"
        receiver = self._receivers.get(origin)
        if receiver is None:
            receiver = _Receiver(asyncio.Semaphore(self._settings.per_receiver))
            self._receivers[origin] = receiver
        async with receiver.slots:
            slots = self._more_slots if receiver.has_first else self._first_slots
            is_first, receiver.has_first = not receiver.has_first, True
            try:
                async with slots:
                    yield
            finally:
                if is_first:
                    receiver.has_first = False

    async def _error_of_sending(
        self, delivery: Delivery, attempt: Attempt, outgoing: OutgoingRequest
    ) -> str | None:
        """Send the request; returns why there is no complete answer, or None if there is one."""
        import httpx2  # imported late: it takes a third of the start-up time

        try:
            async with asyncio.timeout(self._settings.timeout_s):
                host = await self._checked_host(delivery)
                await self._send(attempt, outgoing, delivery.attempt_fault, host)
        except TimeoutError:
            return self._timeout_sentence
        except WebhookUrlRejected as rejected:
            attempt.outgoing = None
            return f"not sent: {rejected}"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            return f"{type(error).__name__}: {error}".rstrip(": ")
        return None

    def _http_client(self) -> httpx2.AsyncClient:
        import httpx2

        if self._client is None:
            # The client itself has no limits: the slots limit it.
            self._client = httpx2.AsyncClient(trust_env=False, limits=httpx2.Limits())
        return self._client

    def _use_made_up_answer(self, attempt: Attempt, answer: ReceiverAnswer) -> None:
        if answer.status is None:
            attempt.error = self._timeout_sentence
        else:
            attempt.status = answer.status
            attempt.answer_headers = answer.headers
            attempt.retry_after_s = answer.retry_after_s

    async def _checked_host(self, delivery: Delivery) -> str:
        """The host to connect to. Refuses with WebhookUrlRejected a webhook that may not be sent:
        the addresses of its host may have changed since the endpoint was made."""
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
        self, attempt: Attempt, outgoing: OutgoingRequest, fault: DeliveryFault, host: str
    ) -> None:
        """Send to this host, the one that was checked. Redirects are not followed."""
        client = self._http_client()
        request = _request(client, outgoing, fault)
        attempt.outgoing = _with_all_headers(outgoing, request)
        request.extensions["sni_hostname"] = request.url.raw_host.decode()
        request.url = request.url.copy_with(host=host)
        if fault.connection == "reset":
            raise await break_off(attempt.outgoing, host)
        async with aclosing(await client.send(request, stream=True)) as answer:
            if fault.connection == "answer_lost":
                raise ConnectionResetError("the answer was lost")
            attempt.status = answer.status_code
            attempt.answer_headers = _first_headers(answer.headers.multi_items())
            attempt.retry_after_s = _retry_after_s(answer.headers)
            attempt.answer_body = await _first_bytes(answer)


def _request(
    client: httpx2.AsyncClient, outgoing: OutgoingRequest, fault: DeliveryFault
) -> httpx2.Request:
    """The request as the client sends it."""
    headers = {"user-agent": f"hailuo-mock/{__version__}"} | dict(outgoing.headers)
    content: bytes | AsyncIterator[bytes] = outgoing.body
    if fault.bytes_per_s is not None:
        headers["content-length"] = str(len(outgoing.body))
        content = trickling(outgoing.body, fault.bytes_per_s)
    return client.build_request(
        "POST", outgoing.url, content=content, headers=headers, timeout=None
    )


def _with_all_headers(outgoing: OutgoingRequest, request: httpx2.Request) -> OutgoingRequest:
    return replace(outgoing, headers=tuple(request.headers.multi_items()))


def _retry_after_s(headers: Mapping[str, str]) -> int | None:
    """The wait of a `Retry-After` header, in seconds or until a date (RFC 9110, 10.2.3)."""
    asked = headers.get("retry-after", "")
    if asked.isascii() and asked.isdigit():
        return min(int(asked[:12]), _LONGEST_WAIT_S)
    try:
        until, date = (parsedate_to_datetime(each) for each in (asked, headers.get("date", "")))
        wait_s = round((until - date).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no date, one without a zone, one far away
        return None
    return min(max(0, wait_s), _LONGEST_WAIT_S)


def _first_headers(headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The first headers, up to `_ANSWER_BYTES` in all."""
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
