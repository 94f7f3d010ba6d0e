"""The worlds of a server: made, dropped, begun anew, and found for a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from mock_server.config.settings import AccountSettings, Credits, KeySettings, Settings
from mock_server.core.accounts import Key, KeyRing
from mock_server.core.chance import Chance
from mock_server.core.clock import LAST_MS, Clock, SignaturesBy, ms_of
from mock_server.core.refusals import Conflict
from mock_server.core.snapshot import Place, Snapshot, put_back
from mock_server.core.world import World, WorldRules, make_world
from mock_server.faults.scenarios import Scenarios
from mock_server.outgoing.outbox import Outbox
from mock_server.simulation.timekeeper import Timekeeper

DEFAULT_WORLD = "default"


class ClockPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """How a world's time begins.

    now: its first moment, from 1970 to the year 9999; None: the present one.
    scale: how much faster than real time it runs, unless it is frozen.
    signatures: whose clock dates the signatures of webhooks; None: as in the settings.
    """

    mode: Literal["real", "frozen"] = "real"
    now: Annotated[datetime, Meta(tz=True)] | None = None
    scale: Annotated[float, Meta(gt=0, le=10**6)] = 1.0
    signatures: SignaturesBy | None = None

    def __post_init__(self) -> None:
        if self.now is not None:
            ms_of(self.now)


class WorldPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """What a world is made from; a reset makes it from the same again.

    name: of the letters a to z, digits and hyphens; None: the next free one.
    seed: None draws one from the server's seed and the name.
    credits: what every account has; None: as in the settings.
    """

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,39}$")] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    credits: Credits | None = None
    clock: ClockPlan = ClockPlan()


@dataclass(slots=True)
class Home:
    """A world on its place: what it was made from, its accounts, and who wakes it.

    secrets: the keys that lead here without the world's name.
    """

    plan: WorldPlan
    accounts: tuple[AccountSettings, ...]
    timekeeper: Timekeeper
    secrets: set[str] = field(default_factory=set)

    @property
    def world(self) -> World:
        """The world as it is now."""
        return self.timekeeper.world


class Worlds:
    """Every world by its name and by its keys. The one called `default` is always there."""

    def __init__(
        self,
        settings: Settings,
        source_ms: Callable[[], int],
        outbox: Outbox,
        scenarios: Scenarios,
    ) -> None:
        """source_ms: tells real time in milliseconds since 1970. Raises UnknownScenario."""
        self._settings = settings
        self._source_ms = source_ms
        self._outbox = outbox
        self._rules = _rules(settings)
        self._default = None if settings.scenario is None else scenarios.find(settings.scenario)
        self._homes: dict[str, Home] = {}
        self._by_secret: dict[str, Home] = {}
        self._made = 0
        clock = ClockPlan(settings.clock.mode, settings.clock.start, settings.time_scale)
        self._settle(WorldPlan(DEFAULT_WORLD, settings.seed, clock=clock), settings.accounts)

    def __iter__(self) -> Iterator[Home]:
        return iter(self._homes.values())

    @property
    def names(self) -> list[str]:
        """Every name, oldest world first."""
        return list(self._homes)

    @property
    def timekeepers(self) -> dict[str, Timekeeper]:
        """Who wakes which world."""
        return {name: home.timekeeper for name, home in self._homes.items()}

    def get(self, name: str) -> Home | None:
        """The world of this name, if there is one."""
        return self._homes.get(name)

    def __getitem__(self, name: str) -> Home:
        return self._homes[name]

    @property
    def only(self) -> Timekeeper | None:
        """Where every key leads as long as there is no world beside the default one."""
        return self._homes[DEFAULT_WORLD].timekeeper if len(self._homes) == 1 else None

    def of_secret(self, secret: str) -> Timekeeper:
        """The world a key leads to, with or without a scenario behind it; the default one if nobody
        knows the key."""
        home = self._by_secret.get(secret)
        if home is None and "+" in secret:
            home = self._by_secret.get(secret.partition("+")[0])
        return (home or self._homes[DEFAULT_WORLD]).timekeeper

    def make(self, plan: WorldPlan) -> Home:
        """A new world with keys of its own. Refuses with Conflict if the name or a key is taken,
        and if there are as many worlds as there may be."""
        limit = self._settings.limits.worlds
        if len(self._homes) >= limit:
            raise Conflict(f"there are {limit} worlds, and no more (limits.worlds): drop one first")
        name = plan.name or self._free_name()
        if name in self._homes:
            raise Conflict(f"there is a world called '{name}' already")
        seed = plan.seed if plan.seed is not None else self._seed_for(name)
        self._made += 1
        plan = msgspec.structs.replace(plan, name=name, seed=seed)
        return self._settle(plan, [_own_keys(each, name) for each in self._settings.accounts])

    def drop(self, name: str) -> None:
        """Forget a world. Refuses with Conflict to drop the default one."""
        if name == DEFAULT_WORLD:
            raise Conflict("the default world stays; reset it instead")
        home = self._homes.pop(name)
        home.timekeeper.stop()
        self._forget_keys(home)
        for other in self:
            self._lead_to(other)

    def reset(self, name: str) -> Home:
        """Begin a world anew, as it was when it was made."""
        home = self._homes[name]
        home.timekeeper.move_to(self._fresh(home.plan, home.accounts))
        self._forget_keys(home)
        self._lead_to(home)
        return home

    def made_of(self, snapshot: Snapshot, name: str, place: Place) -> tuple[World, bytes]:
        """The world that goes on from a snapshot, and the document that it makes now. Changes
        nothing here, so that it can be made in a thread."""
        world, document = put_back(snapshot, name, place, self._source_ms)
        world.keys = self.key_ring(world.keys)
        return world, document

    def key_ring(self, keys: Iterable[Key]) -> KeyRing:
        """The keys, with the token of the control door hidden beside them."""
        token = self._settings.control_token
        return KeyRing(keys, also_hidden=[token] if token else [])

    def put_back(self, world: World) -> None:
        """Have the world of this name go on as this one.

        Its keys lead here unless they lead to another world.
        """
        home = self._homes[world.name]
        home.timekeeper.move_to(world)
        self._lead_to(home)

    def leads_elsewhere(self, secret: str, home: Home) -> bool:
        """Whether a request with this key alone gets to another world than this one."""
        return self._by_secret.get(secret) is not home

    def require_free(self, secret: str, home: Home) -> None:
        """Refuses with Conflict a key that leads to another world than this one."""
        if self._by_secret.get(secret, home) is not home:
            raise Conflict(f"the key {secret} belongs to another world")

    def claim(self, secret: str, home: Home) -> None:
        """Have a key lead to this world. Refuses as `require_free` does."""
        self.require_free(secret, home)
        self._by_secret[secret] = home
        home.secrets.add(secret)

    def _forget_keys(self, home: Home) -> None:
        """No key leads to this world any more."""
        for secret in home.secrets:
            del self._by_secret[secret]
        home.secrets.clear()

    def _lead_to(self, home: Home) -> None:
        """Have every key of a world that is nobody else's lead there."""
        for key in home.world.keys:
            if key.secret not in self._by_secret:
                self.claim(key.secret, home)

    def _settle(self, plan: WorldPlan, accounts: Sequence[AccountSettings]) -> Home:
        home = Home(plan, tuple(accounts), Timekeeper(self._fresh(plan, accounts), self._outbox))
        secrets = [key.key for account in accounts for key in account.keys]
        for secret in secrets:
            self.require_free(secret, home)
        self._homes[home.world.name] = home
        for secret in secrets:
            self.claim(secret, home)
        return home

    def _fresh(self, plan: WorldPlan, accounts: Iterable[AccountSettings]) -> World:
        world = make_world(
            plan.name or DEFAULT_WORLD,
            seed=plan.seed or 0,
            clock=Clock(
                self._source_ms,
                start_ms=None if plan.clock.now is None else ms_of(plan.clock.now),
                scale=plan.clock.scale,
                frozen=plan.clock.mode == "frozen",
                signatures=plan.clock.signatures or self._settings.clock.signatures,
            ),
            rules=self._rules,
            credits_of={
                account.name: account.credits if plan.credits is None else plan.credits
                for account in accounts
            },
            keys=[make_key(account.name, key) for account in accounts for key in account.keys],
        )
        world.keys = self.key_ring(world.keys)
        if self._default is not None:
            for rule in self._default.faults:
                world.default_faults.add(rule, self._default.name)
        return world

    def _free_name(self) -> str:
        number = self._made + 1
        while f"world-{number}" in self._homes:
            number += 1
        return f"world-{number}"

    def _seed_for(self, name: str) -> int:
        drawn = Chance(self._settings.seed).draw("world", name)
        return int.from_bytes(drawn[:7], "big")


def make_key(account: str, key: KeySettings) -> Key:
    """A key of an account, as the settings or the control door describe it."""
    return Key(
        secret=key.key,
        account=account,
        api=key.api,
        scopes=frozenset(key.scopes),
        revoked=key.revoked,
        disabled=key.disabled,
        expires_ms=None if key.expires_at is None else _expiry_ms(key.expires_at),
        rate_limit=key.rate_limit,
    )


def _own_keys(account: AccountSettings, world: str) -> AccountSettings:
    """The same account with keys that lead to this world."""
    keys = tuple(msgspec.structs.replace(key, key=f"{key.key}-{world}") for key in account.keys)
    return msgspec.structs.replace(account, keys=keys)


def _rules(settings: Settings) -> WorldRules:
    return WorldRules(
        queued_ms=round(settings.tasks.queued_s * 1000),
        processing_ms=round(settings.tasks.processing_s * 1000),
        failure_rate=settings.tasks.failure_rate,
        idempotency_lifetime_ms=round(settings.idempotency.lifetime_s * 1000),
        stored_upload_bytes=settings.limits.stored_upload_bytes,
        stored_uploads=settings.limits.stored_uploads,
        webhook_endpoints=settings.limits.webhook_endpoints,
        inboxes=settings.limits.inboxes,
        inbox_bytes=settings.limits.inbox_bytes,
        journal_exchanges=settings.limits.journal_exchanges,
        journal_body_bytes=settings.limits.journal_body_bytes,
        journal_header_bytes=settings.limits.journal_header_bytes,
        kept_deliveries=settings.deliveries.kept,
        obey_retry_after=settings.deliveries.obey_retry_after,
        gone_disables=settings.rivya.gone_disables,
    )


def _expiry_ms(moment: datetime) -> int:
    """When a key expires: in the past, whatever the year, or when time ends at the latest."""
    try:
        return ms_of(moment)
    except ValueError:
        return 0 if moment.timestamp() < 0 else LAST_MS
