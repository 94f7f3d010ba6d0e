"""Worlds: making, listing, resetting and dropping them."""

from typing import TypeVar

from starlette.responses import Response

from mock_server.control import answers
from mock_server.core.refusals import UnknownPath
from mock_server.core.suggestions import did_you_mean
from mock_server.core.world import World
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list
from mock_server.edge.timestamps import moment
from mock_server.edge.typed_body import TypedBody
from mock_server.simulation.world_plans import WorldPlan
from mock_server.simulation.worlds import WorldSlot

Item = TypeVar("Item")

PLAN: TypedBody[WorldPlan] = TypedBody(WorldPlan)


async def list_worlds(call: Call) -> Response:
    """GET /_mock/worlds: every world of this process, the oldest first.
    `/w/w2/_mock/worlds` is the list of the shard w2."""
    worlds = [_answer(call, slot) for slot in call.server.worlds]
    return json_list(answers.WorldList([]), "worlds", worlds)


async def make_world(call: Call) -> Response:
    """POST /_mock/worlds: make a world; its base URL and its keys."""
    plan = PLAN.read(call.json_or_nothing())
    return json_response(_answer(call, call.server.worlds.make(plan)), 201)


async def get_world(call: Call) -> Response:
    """GET /_mock/worlds/{world}: the time of a world, its base URL and its keys."""
    return json_response(_answer(call, slot_of(call)))


async def drop_world(call: Call) -> Response:
    """DELETE /_mock/worlds/{world}: drop a world with everything in it."""
    slot = slot_of(call)
    dropped = _answer(call, slot)
    call.server.worlds.drop(slot.world.name)
    await call.server.free_uploads()
    return json_response(dropped)


async def reset_world(call: Call) -> Response:
    """POST /_mock/worlds/{world}/reset: reset a world to how it was made."""
    reset = _answer(call, call.server.worlds.reset(slot_of(call).world.name))
    await call.server.free_uploads()
    return json_response(reset)


def slot_of(call: Call) -> WorldSlot:
    """The slot of the world in the path. Refuses with UnknownPath if there is no such world, and
    with OtherShard if another process would have it."""
    name = call.path_value("world")
    slot = call.server.worlds.get(name)
    if slot is None:
        call.server.worlds.require_own(name)
        hint = did_you_mean(name, call.server.worlds.names)
        raise UnknownPath(f"there is no world called '{name}'{hint}")
    return slot


def world_of(call: Call) -> World:
    """The world in the path. Refuses as `slot_of` does."""
    return slot_of(call).world


def found(item: Item | None, sentence: str) -> Item:
    """The item. Refuses with UnknownPath and this sentence if it is None."""
    if item is None:
        raise UnknownPath(sentence)
    return item


def _answer(call: Call, slot: WorldSlot) -> answers.WorldFacts:
    world, base_url = slot.world, call.base_url
    return answers.answer_of(
        answers.WorldFacts,
        world,
        now=moment(world.clock.now_ms()),
        base_url=f"{base_url}/w/{world.name}",
        plain_base_url=base_url,
        media_url=call.media_url,
        keys=tuple(answers.WorldKey(key.secret, key.api, key.account) for key in world.keys),
    )
