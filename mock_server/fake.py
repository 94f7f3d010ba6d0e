"""The fake: all that one running server holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mock_server.acedata.callbacks import Callbacks
from mock_server.blobs import Blobs
from mock_server.contract import Contract
from mock_server.core.accounts import Key
from mock_server.core.clock import Clock
from mock_server.core.world import World, WorldRules, make_world
from mock_server.data import SCHEMAS
from mock_server.outbox import Outbox
from mock_server.rivya.events import Events
from mock_server.sender import Sender
from mock_server.settings import KeySettings, Settings
from mock_server.timekeeper import Timekeeper

DEFAULT_WORLD = "default"


@dataclass(frozen=True, slots=True)
class Fake:
    """Settings and contract, which never change, and the worlds, which do nothing else."""

    settings: Settings
    contract: Contract
    timekeepers: dict[str, Timekeeper]
    blobs: Blobs
    sender: Sender

    def world(self, name: str = DEFAULT_WORLD) -> World:
        """A world by name. KeyError if there is none of that name."""
        return self.timekeepers[name].world

    def let_everybody_go(self) -> None:
        """Answer whoever is held: the server is about to stop."""
        for timekeeper in self.timekeepers.values():
            timekeeper.stop()

    async def close(self) -> None:
        """Stop waiting and sending, and leave nothing on the disk."""
        self.let_everybody_go()
        await self.sender.stop()
        self.blobs.close()


def make_fake(settings: Settings, source_ms: Callable[[], int]) -> Fake:
    """A fake with its default world. `source_ms` tells real time in milliseconds since 1970."""
    contract = Contract(SCHEMAS, strict_params=settings.rivya.params == "strict")
    sender = Sender(settings.deliveries, settings.callback_hosts)
    world = _default_world(settings, source_ms)
    timekeeper = Timekeeper(
        world, Outbox(Callbacks(settings.acedata), Events(settings.rivya), sender)
    )
    return Fake(settings, contract, {DEFAULT_WORLD: timekeeper}, Blobs(), sender)


def _default_world(settings: Settings, source_ms: Callable[[], int]) -> World:
    return make_world(
        DEFAULT_WORLD,
        seed=settings.seed,
        clock=Clock(
            source_ms,
            start_ms=_ms(settings.clock.start),
            scale=settings.time_scale,
            frozen=settings.clock.mode == "frozen",
        ),
        rules=WorldRules(
            queued_ms=round(settings.tasks.queued_s * 1000),
            processing_ms=round(settings.tasks.processing_s * 1000),
            failure_rate=settings.tasks.failure_rate,
            idempotency_lifetime_ms=round(settings.idempotency.lifetime_s * 1000),
            stored_upload_bytes=settings.limits.stored_upload_bytes,
            journal_exchanges=settings.limits.journal_exchanges,
            journal_body_bytes=settings.limits.journal_body_bytes,
            kept_deliveries=settings.deliveries.kept,
        ),
        credits_of={account.name: account.credits for account in settings.accounts},
        keys=[_key(account.name, key) for account in settings.accounts for key in account.keys],
    )


def _key(account: str, key: KeySettings) -> Key:
    return Key(
        secret=key.key,
        account=account,
        api=key.api,
        scopes=frozenset(key.scopes),
        revoked=key.revoked,
        disabled=key.disabled,
        expires_ms=_ms(key.expires_at),
        rate_limit=key.rate_limit,
    )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
