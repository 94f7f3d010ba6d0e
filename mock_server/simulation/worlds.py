"""The worlds of a server: making, dropping and resetting them, and finding that of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

from mock_server.config.settings import AccountSettings, Settings
from mock_server.core.accounts import Key, KeyRing
from mock_server.core.chance import Chance
from mock_server.core.clock import Clock, ms_of
from mock_server.core.counts import Counts
from mock_server.core.ids import TaskId
from mock_server.core.lifetimes import Lifetimes
from mock_server.core.refusals import Conflict
from mock_server.core.scenarios import Scenario
from mock_server.core.shards import Shard, ShardMarks, shard_of_world
from mock_server.core.world import World, WorldRules
from mock_server.outgoing.outbox import Outbox
from mock_server.simulation.timekeeper import Timekeeper
from mock_server.simulation.world_plans import ClockPlan, WorldPlan
from mock_server.simulation.world_settings import make_key, world_rules

if TYPE_CHECKING:
    from mock_server.core.snapshot import Snapshot, UrlRewriter

DEFAULT_WORLD = "default"

_FREED_AT_ONCE = 1000
"""How many tasks, or records of tasks, are freed at once. It takes less than a millisecond."""


class WorldSlot(Struct):
    """A world, its plan and accounts, and the keys that select it if a request does not name it."""

    plan: WorldPlan
    accounts: tuple[AccountSettings, ...]
    timekeeper: Timekeeper
    secrets: set[str] = field(default_factory=set)

    @property
    def world(self) -> World:
        """The world as it is now."""
        return self.timekeeper.world


class Worlds:
    """Every world by its name and by its keys. The one called `default` is always there, except in
    the shards after the first. marks: of the shard; None: this process is the only one."""

    def __init__(
        self,
        settings: Settings,
        source_ms: Callable[[], int],
        outbox: Outbox,
        default: Scenario | None,
        *,
        task_ids: Mapping[str, TaskId],
        lifetimes: dict[str, Lifetimes],
        gone_disables: bool,
        key_prefixes: Sequence[str],
        counts: Counts,
    ) -> None:
        """on_replaced: called with each slot that is made, dropped, or has another world.
        source_ms: real time in milliseconds since 1970. default: the scenario of requests that
        ask for none. task_ids: as for Ids. lifetimes, gone_disables: as in `WorldRules`.
        key_prefixes: as for Redaction. counts: of the server."""
        self._settings = settings
        self._source_ms = source_ms
        self._outbox = outbox
        self._rules = world_rules(settings, lifetimes, gone_disables=gone_disables)
        self._default = default
        self._task_ids = task_ids
        self._key_prefixes = key_prefixes
        self._counts = counts
        self._slots: dict[str, WorldSlot] = {}
        self._by_secret: dict[str, WorldSlot] = {}
        self._made = 0
        self.on_replaced: Callable[[WorldSlot], None] = _ignore
        self._incarnations = count(1)
        self.marks: ShardMarks | None = None
        if settings.shard is not None:
            self.marks = ShardMarks(Shard.read(settings.shard), key_prefixes)
        clock = ClockPlan(settings.clock.mode, settings.clock.start, settings.time_scale)
        self._hidden: Timekeeper | None = None
        if self.marks is None or self.marks.shard.number == 0:
            self._add(WorldPlan(DEFAULT_WORLD, settings.seed, clock=clock), settings.accounts)
        else:
            # For requests to the process itself. It has no keys and is in no list.
            plan = WorldPlan(self.marks.shard.name, settings.seed, clock=clock)
            self._hidden = Timekeeper(self._new_world(plan, ()), outbox)

    def __iter__(self) -> Iterator[WorldSlot]:
        return iter(self._slots.values())

    @property
    def names(self) -> list[str]:
        """Every name, oldest world first."""
        return list(self._slots)

    def get(self, name: str) -> WorldSlot | None:
        """The world of this name, if there is one."""
        return self._slots.get(name)

    def __getitem__(self, name: str) -> WorldSlot:
        return self._slots[name]

    @property
    def only(self) -> Timekeeper | None:
        """The default world if there is no other, in this process and elsewhere; else None."""
        return self.without_key if len(self._slots) == 1 and self.marks is None else None

    @property
    def without_key(self) -> Timekeeper:
        """Where requests without a known key belong: the default world. A shard that has none has
        a world there that is in no list."""
        return self._hidden or self._slots[DEFAULT_WORLD].timekeeper

    def of_secret(self, secret: str) -> Timekeeper:
        """The world of `KEY` or `KEY+SCENARIO`; `without_key` for an unknown key."""
        slot = self._by_secret.get(secret)
        if slot is None and "+" in secret:
            slot = self._by_secret.get(secret.partition("+")[0])
        return slot.timekeeper if slot else self.without_key

    def require_own(self, name: str) -> None:
        """Refuses with OtherShard the name of a world that another process would have."""
        if self.marks is not None and (number := shard_of_world(name)) != self.marks.shard.number:
            raise self.marks.other(number)

    def make(self, plan: WorldPlan) -> WorldSlot:
        """Make a world with its own keys. Refuses with Conflict if the name or a key is taken, or
        if there are `limits.worlds` worlds; with OtherShard if the name has another mark."""
        limit = self._settings.limits.worlds
        if len(self._slots) >= limit:
            raise Conflict(f"there are {limit} worlds, and no more (limits.worlds): drop one first")
        name = self._marked(plan.name) if plan.name else self._free_name()
        if name in self._slots:
            raise Conflict(f"there is a world called '{name}' already")
        seed = plan.seed if plan.seed is not None else self._seed_for(name)
        self._made += 1
        plan = msgspec.structs.replace(plan, name=name, seed=seed)
        return self._add(plan, [self._own_keys(each, name) for each in self._settings.accounts])

    def drop(self, name: str) -> None:
        """Drop a world. Refuses with Conflict to drop the default one."""
        if name == DEFAULT_WORLD:
            raise Conflict("the default world stays; reset it instead")
        slot = self._slots.pop(name)
        slot.timekeeper.stop()
        _free_slowly(slot.world)
        self._forget_keys(slot)
        for other in self:
            self._claim_keys(other)
        self.on_replaced(slot)

    def reset(self, name: str) -> WorldSlot:
        """Reset a world to how it was made."""
        slot = self._slots[name]
        _free_slowly(slot.world)
        slot.timekeeper.move_to(self._new_world(slot.plan, slot.accounts))
        self._forget_keys(slot)
        self._claim_keys(slot)
        self.on_replaced(slot)
        return slot

    def made_of(self, snapshot: Snapshot, name: str, place: UrlRewriter) -> tuple[World, bytes]:
        """The world of a snapshot, and a snapshot of that world. Threads may call it."""
        from mock_server.core.snapshot import restored_world  # most servers never read one

        world, document = restored_world(
            snapshot,
            name,
            place,
            self._source_ms,
            task_ids=self._task_ids,
            counts=self._counts,
        )
        world.incarnation = self._new_incarnation()
        world.keys = self.key_ring(world.keys)
        return world, document

    def empty_world(self, name: str, seed: int, rules: WorldRules, keys: Iterable[Key]) -> World:
        """A world with nothing but its keys, for one that is read from a file."""
        return World(
            name,
            seed,
            Clock(self._source_ms),
            rules,
            self.key_ring(keys),
            counts=self._counts,
            task_ids=self._task_ids,
            incarnation=self._new_incarnation(),
        )

    def put_stored(
        self,
        plan: WorldPlan,
        accounts: Sequence[AccountSettings],
        world: World,
        secrets: Iterable[str],
    ) -> WorldSlot:
        """Add a world that was read from a file; the default one takes the place of that which is
        there. secrets: the keys that select it."""
        earlier = self._slots.get(world.name)
        if earlier is not None:
            self._forget_keys(earlier)
            plan, accounts = earlier.plan, earlier.accounts
        slot = WorldSlot(plan, tuple(accounts), Timekeeper(world, self._outbox))
        self._slots[world.name] = slot
        for secret in secrets:
            self.claim(secret, slot)
        return slot

    def key_ring(self, keys: Iterable[Key]) -> KeyRing:
        """The keys. Its redaction also hides the token of the control door."""
        token = self._settings.control_token
        return KeyRing(keys, [token] if token else [], self._key_prefixes)

    def put_back(self, world: World) -> None:
        """Replace the world of this name. Keys of other worlds continue to select those."""
        slot = self._slots[world.name]
        _free_slowly(slot.world)
        slot.timekeeper.move_to(world)
        self._claim_keys(slot)
        self.on_replaced(slot)

    def leads_to_other_world(self, secret: str, slot: WorldSlot) -> bool:
        """Whether a request with this key that names no world gets another world than this one."""
        return self._by_secret.get(secret) is not slot

    def require_free(self, secret: str, slot: WorldSlot) -> None:
        """Refuses with Conflict a key that selects another world than this one, or that belongs to
        another shard."""
        if wrong := self._obstacle(secret):
            raise Conflict(f"the key {secret} {wrong}")
        if self._by_secret.get(secret, slot) is not slot:
            raise Conflict(f"the key {secret} belongs to another world")

    def claim(self, secret: str, slot: WorldSlot) -> None:
        """Make a key select this world. Refuses as `require_free` does."""
        self.require_free(secret, slot)
        self._by_secret[secret] = slot
        slot.secrets.add(secret)
        slot.world.marks.mark("world")

    def own_key(self, key: str, world: str) -> str:
        """The key of a world that is made from this one of the settings."""
        if self.marks is None:
            return f"{key}-{world}"
        return self.marks.marked_key(f"{key}-{world.removeprefix(self.marks.mark)}")

    def _obstacle(self, secret: str) -> str | None:
        """Why requests with this key would come to another process; None if they come here."""
        return None if self.marks is None else self.marks.obstacle(secret)

    def _forget_keys(self, slot: WorldSlot) -> None:
        """Remove all keys of this world."""
        for secret in slot.secrets:
            del self._by_secret[secret]
        slot.secrets.clear()

    def _claim_keys(self, slot: WorldSlot) -> None:
        """Make each key of a world select it, except those that select another world."""
        for key in slot.world.keys:
            if key.secret not in self._by_secret and self._obstacle(key.secret) is None:
                self.claim(key.secret, slot)

    def _add(self, plan: WorldPlan, accounts: Sequence[AccountSettings]) -> WorldSlot:
        slot = WorldSlot(
            plan, tuple(accounts), Timekeeper(self._new_world(plan, accounts), self._outbox)
        )
        secrets = [key.key for account in accounts for key in account.keys]
        for secret in secrets:
            self.require_free(secret, slot)
        self._slots[slot.world.name] = slot
        for secret in secrets:
            self.claim(secret, slot)
        self.on_replaced(slot)
        return slot

    def _new_world(self, plan: WorldPlan, accounts: Iterable[AccountSettings]) -> World:
        world = World(
            plan.name or DEFAULT_WORLD,
            plan.seed or 0,
            Clock(
                self._source_ms,
                start_ms=None if plan.clock.now is None else ms_of(plan.clock.now),
                scale=plan.clock.scale,
                frozen=plan.clock.mode == "frozen",
                signatures=plan.clock.signatures or self._settings.clock.signatures,
            ),
            self._rules,
            self.key_ring(make_key(each.name, key) for each in accounts for key in each.keys),
            counts=self._counts,
            task_ids=self._task_ids,
            incarnation=self._new_incarnation(),
        )
        for account in accounts:
            credits = account.credits if plan.credits is None else plan.credits
            world.ledger.grant(account.name, credits)
            in_flight = account.in_flight if plan.in_flight is None else plan.in_flight
            world.in_flight.set_account_limit(account.name, in_flight or 0)
        if self._default is not None:
            for rule in self._default.faults:
                world.default_faults.add(rule, self._default.name)
        return world

    def _new_incarnation(self) -> str:
        """A text that no other world has had, in this process or an earlier one."""
        return f"{self._source_ms():x}-{next(self._incarnations):x}"

    def _marked(self, name: str) -> str:
        return name if self.marks is None else self.marks.marked_world(name)

    def _free_name(self) -> str:
        number = self._made + 1
        while (name := self._marked(f"world-{number}")) in self._slots:
            number += 1
        return name

    def _own_keys(self, account: AccountSettings, world: str) -> AccountSettings:
        """The same account, with keys that belong to this world only."""
        keys = tuple(
            msgspec.structs.replace(key, key=self.own_key(key.key, world)) for key in account.keys
        )
        return msgspec.structs.replace(account, keys=keys)

    def _seed_for(self, name: str) -> int:
        drawn = Chance(self._settings.seed).random_bytes("world", name)
        return int.from_bytes(drawn[:7], "big")


def _ignore(_: WorldSlot) -> None:
    pass


def _free_slowly(world: World) -> None:
    """Keep the tasks of a world that is gone, and free a few of them in each turn of the event
    loop: to free a hundred thousand at once would block it."""
    if len(world.tasks) > _FREED_AT_ONCE:
        _free_some([*world.tasks, *world.history.records.values()])


def _free_some(kept: list[Any]) -> None:
    del kept[-_FREED_AT_ONCE:]
    if kept:
        asyncio.get_running_loop().call_soon(_free_some, kept)
