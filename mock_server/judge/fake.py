"""The fake that a judged client calls: its settings, and what a run's world is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import msgspec

from mock_server.apis import ALL
from mock_server.apis.api import VendorApi, WebhookCalls
from mock_server.config.sources import read_settings
from mock_server.contract.data_paths import FIXTURES
from mock_server.control import AsyncControl, AsyncWorld
from mock_server.core.journal import Exchange
from mock_server.judge.days import Day
from mock_server.judge.refusal import CannotRun
from mock_server.server.embedded import served

_MEDIA_URL = b"{media_url}"
"""In the faults of a day: the origin of the media, which is not that of the API."""

_SETTINGS = FIXTURES / "judge.toml"


@contextmanager
def fake_for_runs(
    seed: int,
    *,
    callback_host: str | None = None,
    control_token: str | None = None,
    on_locked_out: Callable[[Exchange], None] = lambda _: None,
) -> Iterator[str]:
    """Runs a fake for the block; yields its URL. The settings of the user do not apply.
    callback_host: a host that may be called besides this machine. control_token: locks the control
    door, so that no client changes its own world. on_locked_out: called with each request that it
    refuses, in another thread. Raises OSError."""
    flags: dict[str, Any] = {"port": 0, "log_level": "error", "seed": seed}
    if control_token is not None:
        flags["control_token"] = control_token
    if callback_host is not None:
        flags["callback_hosts"] = ("loopback", callback_host)
    settings, _ = read_settings(flags=flags, environment={}, file=_SETTINGS, apis=ALL)
    with served(settings, ALL, on_locked_out) as url:
        yield url


async def make_world(control: AsyncControl, day: Day) -> AsyncWorld:
    """A world for a day, in which nothing goes wrong yet. Raises ControlError."""
    world: AsyncWorld = await control.world(
        day.name.replace("_", "-"),
        credits=day.credits,
        scale=day.scale,
        signatures="machine",  # receivers compare the signed time with their own clock
    )
    return world


async def add_faults(world: AsyncWorld, day: Day) -> None:
    """Let the faults of a day happen from now on. Raises ControlError."""
    for fault in day.faults:
        spelled = msgspec.json.encode(fault).replace(_MEDIA_URL, world.media_url.encode())
        await world.faults.add(**msgspec.json.decode(spelled))


def key_of(world: AsyncWorld, api: VendorApi) -> str:
    """The world's key for this API."""
    return next(key.key for key in world.keys if key.api == api.name)


async def make_webhook(
    world: AsyncWorld, calls: WebhookCalls, key: str, url: str, *, rotated: bool
) -> str:
    """Make a webhook for this URL, as a client of the API does; its secret.
    rotated: the secret has been replaced once. Raises CannotRun and httpx2.HTTPError."""
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(
        base_url=world.plain_url,
        headers=headers,
        trust_env=False,
        verify=world.plain_url.startswith("https:"),  # reading certificates takes 35 ms
    ) as client:
        answer = await client.post(calls.create_path, json={"url": url, **calls.create_body})
        if not answer.is_success:
            raise CannotRun(f"the fake makes no webhook for {url}: {answer.text}")
        endpoint = msgspec.json.decode(answer.content)
        if rotated:
            answer = await client.post(calls.rotate_path.format(id=endpoint["id"]))
            endpoint = msgspec.json.decode(answer.content)
    await world.clear_requests()  # they were not the client's
    return str(endpoint[calls.shows])
