"""The worlds in a state file, read without a server that serves them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from mock_server.core.snapshot import Snapshot, UrlRewriter, snapshot_of
from mock_server.core.world import World
from mock_server.durable.reading import read_worlds
from mock_server.durable.turns import Turns
from mock_server.server.make_server import make_server
from mock_server.simulation.state import ServerState
from mock_server.simulation.worlds import WorldSlot
from tests.mock import START_MS, settings_of

_AS_IT_IS = UrlRewriter("", "inbox:", lambda *_: "")
EVERY_DIGEST: Any = type("EveryDigest", (dict,), {"__missing__": lambda *_: b""})()


def read_back(path: Path, **changes: Any) -> ServerState:
    """A server with the worlds of this file, which does not write it."""
    server = make_server(settings_of(**changes), lambda: START_MS)
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    turns = Turns()
    select = "SELECT number, body FROM turn ORDER BY number"
    turns.read(connection.execute(select))
    read_worlds(turns.rows(connection.execute(select)), server.worlds, turns.new_number)
    connection.close()
    return server


def seen(slot: WorldSlot, *, with_journal: bool) -> dict[str, Any]:
    """A world as its snapshot shows it; its plan, and the keys that lead to it."""
    world = slot.world
    snapshot = snapshot_of(world, _AS_IT_IS, EVERY_DIGEST)
    facts = {name: getattr(snapshot, name) for name in snapshot.__struct_fields__}
    facts["agenda"] = sorted(_effective(snapshot, world))
    facts["journal"] = world.journal.cleared
    if with_journal:
        facts["exchanges"] = msgspec.to_builtins(snapshot.journal.exchanges)
    return facts | {"plan": slot.plan, "accounts": slot.accounts, "secrets": slot.secrets}


def _effective(snapshot: Snapshot, world: World) -> Iterator[tuple[int, str, str]]:
    """The agenda without entries that have no effect, in an order of their own."""
    for due in snapshot.agenda:
        delivery = world.deliveries.get(due.subject)
        if world.ledger.holds(due.subject) or (
            delivery is not None and due.at_ms in (delivery.next_attempt_ms, START_MS)
        ):
            yield due.at_ms, due.occasion.value, due.subject


def all_seen(server: ServerState, *, with_journal: bool = False) -> dict[str, dict[str, Any]]:
    """Every world by its name, in their order."""
    return {slot.world.name: seen(slot, with_journal=with_journal) for slot in server.worlds}
