"""Worlds for tests of the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from mock_server.core.accounts import Key, KeyRing
from mock_server.core.clock import Clock
from mock_server.core.ids import TaskId
from mock_server.core.uploads import StoredFile
from mock_server.core.world import World, WorldRules


def make_world(
    name: str,
    *,
    seed: int,
    clock: Clock,
    rules: WorldRules,
    credits_of: Mapping[str, int],
    keys: Iterable[Key],
    task_ids: Mapping[str, TaskId] = MappingProxyType({}),
) -> World:
    """A new world in which each account has its credits."""
    world = World(name, seed, clock, rules, KeyRing(keys), task_ids=task_ids)
    for account, credits in credits_of.items():
        world.ledger.grant(account, credits)
    return world


def store_image(world: World, size_bytes: int, content: str = "digest") -> StoredFile:
    """An upload of the account `ada`. content: its digest."""
    file = StoredFile(
        id=world.ids.unused("file_", "file", len(world.uploads), world.uploads.get),
        account="ada",
        kind="image",
        name="a.png",
        mime_type="image/png",
        size_bytes=size_bytes,
        duration_s=None,
        content=content,
        created_ms=world.clock.now_ms(),
    )
    world.uploads.add(file)
    return file
