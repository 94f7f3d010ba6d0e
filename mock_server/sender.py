"""The only requests that go out: one POST for each callback, to hosts that may be called."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx2

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0  # acedata: a receiver should answer within 10 s, docs:D1


class Sender:
    """Sends in the background; nobody who asked for a callback waits for it."""

    def __init__(self, allowed_hosts: Collection[str]) -> None:
        """`allowed_hosts`: host names; `loopback` stands for this machine, `*` for every host."""
        self._allowed_hosts = allowed_hosts
        self._client: httpx2.AsyncClient | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def may_call(self, url: str) -> bool:
        """Whether callbacks may go to this URL's host."""
        try:
            host = (urlsplit(url).hostname or "").rstrip(".")
        except ValueError:
            return False
        allowed = self._allowed_hosts
        return "*" in allowed or host in allowed or ("loopback" in allowed and _is_loopback(host))

    def post(self, url: str, body: bytes) -> None:
        """POST a JSON body to `url`, once, soon. Redirects are not followed."""
        if not self.may_call(url):
            log.warning("callback to %s not sent: its host is not in callback_hosts", url)
            return
        sending = asyncio.get_running_loop().create_task(self._post(url, body))
        self._under_way.add(sending)
        sending.add_done_callback(self._under_way.discard)

    async def stop(self) -> None:
        """Give up what is under way and close every connection."""
        for sending in self._under_way:
            sending.cancel()
        if self._client is not None:
            await self._client.aclose()

    async def _post(self, url: str, body: bytes) -> None:
        import httpx2  # a third of the start-up time, and most runs never call back

        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        try:
            answer = await self._client.post(
                url, content=body, headers={"content-type": "application/json"}
            )
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
            log.warning("callback to %s failed: %s: %s", url, type(error).__name__, error)
        else:
            log.info("callback to %s answered %s", url, answer.status_code)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
