"""Worlds: make one, look at it, begin it anew, drop it."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from mock_server.core.refusals import UnknownPath
from mock_server.core.suggestions import near
from mock_server.core.world import World
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list
from mock_server.edge.timestamps import moment
from mock_server.edge.typed_body import TypedBody
from mock_server.simulation.worlds import Home, WorldPlan

PLAN: TypedBody[WorldPlan] = TypedBody(WorldPlan)


async def list_worlds(call: Call) -> Response:
    """GET /_mock/worlds: every world, the oldest first."""
    return json_list("worlds", [_show(call, home) for home in call.fake.worlds])


async def make_world(call: Call) -> Response:
    """POST /_mock/worlds: a new world with its base URL and its keys."""
    plan = PLAN.read(call.json_or_nothing())
    return json_response(_show(call, call.fake.worlds.make(plan)), 201)


async def get_world(call: Call) -> Response:
    """GET /_mock/worlds/{world}: its time, its base URL and its keys."""
    return json_response(_show(call, home_of(call)))


async def drop_world(call: Call) -> Response:
    """DELETE /_mock/worlds/{world}: with everything in it."""
    home = home_of(call)
    shown = _show(call, home)
    call.fake.worlds.drop(home.world.name)
    await call.fake.free_uploads()
    return json_response(shown)


async def reset_world(call: Call) -> Response:
    """POST /_mock/worlds/{world}/reset: as it was when it was made."""
    shown = _show(call, call.fake.worlds.reset(home_of(call).world.name))
    await call.fake.free_uploads()
    return json_response(shown)


def home_of(call: Call) -> Home:
    """The world the path names. Refuses with UnknownPath if there is none of that name."""
    name = call.path_value("world")
    home = call.fake.worlds.get(name)
    if home is None:
        raise UnknownPath(f"there is no world called '{name}'{near(name, call.fake.worlds.names)}")
    return home


def world_of(call: Call) -> World:
    """What is in the world the path names. Refuses as `home_of` does."""
    return home_of(call).world


def _show(call: Call, home: Home) -> dict[str, Any]:
    world, base_url = home.world, call.base_url
    return {
        "name": world.name,
        "seed": world.seed,
        "now": moment(world.clock.now_ms()),
        "base_url": f"{base_url}/w/{world.name}",
        "plain_base_url": base_url,
        "keys": [{"key": key.secret, "api": key.api, "account": key.account} for key in world.keys],
    }
