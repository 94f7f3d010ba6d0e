"""Snapshots: a whole world taken out as one document, and put back where it is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from io import BytesIO

from starlette.responses import Response

from mock_server.core.snapshot import LARGE, Place, Snapshot, take, written_parts
from mock_server.core.snapshot_flaws import ContractFacts, all_faults, require_sound
from mock_server.core.still_world import still_world
from mock_server.core.world import World
from mock_server.door.limits import require_within_limits
from mock_server.door.worlds import home_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.json_body import parse
from mock_server.edge.long_answer import LongAnswer
from mock_server.edge.long_body import LongBody
from mock_server.edge.media import result_url
from mock_server.edge.redacted import redacted_snapshot
from mock_server.faults.scenarios import require_known_code

SNAPSHOT: LongBody[Snapshot] = LongBody(Snapshot, LARGE)


async def take_snapshot(call: Call) -> Response:
    """GET /_mock/worlds/{world}/snapshot: everything in the world, in one document.

    Its bytes are always the same for the same world; the ETag is their SHA-256. What is under way
    goes on undisturbed, and is not in the document. Keys and signing secrets are in it, and what
    the requests for tasks said: the world needs them to go on. The journal tells no secret.
    """
    home = home_of(call)
    contents: dict[str, bytes] = {}
    while missing := {file.content for file in home.world.uploads} - contents.keys():
        contents |= {digest: await call.fake.blobs.read(digest) for digest in missing}
    world, now_ms, place = still_world(home.world), home.world.clock.now_ms(), _place(call)

    def write() -> tuple[list[bytes], str]:
        snapshot = redacted_snapshot(take(world, place, contents, now_ms), world.keys.redaction)
        parts = list(written_parts(snapshot))
        return parts, _digest(parts)

    parts, digest = await asyncio.to_thread(write)
    return LongAnswer(parts, 200, {"ETag": f'"{digest}"'})


async def put_snapshot(call: Call) -> Response:
    """PUT /_mock/worlds/{world}/snapshot: the world is what the document says, from now on.

    Whoever waits for something in the world is let go, as by a reset. A document with anything
    wrong in it changes nothing. The answer has the SHA-256 of a snapshot taken right now, and
    the keys that alone lead to another world of this server: with those, take the base URL.
    """
    home_of(call)
    call.require_json()
    pieces, limits = call.body_pieces("snapshot_bytes"), call.fake.settings.limits
    worlds, name, place = call.fake.worlds, call.path_value("world"), _place(call)
    contract, read_json = call.fake.contract, partial(parse, max_depth=limits.json_depth)
    facts = ContractFacts(contract.catalog, contract.uploads, read_json)

    def read() -> tuple[Snapshot, World, str]:
        snapshot = SNAPSHOT.read(
            pieces, max_depth=limits.json_depth + _DEEPER, max_values=limits.json_values
        )
        require_sound(snapshot, facts)
        require_within_limits(snapshot, limits)
        for pointer, faults in all_faults(snapshot):
            for number, fault in enumerate(faults.faults):
                require_known_code(fault.rule, contract.codes, f"{pointer}/faults/{number}/rule")
        snapshot = redacted_snapshot(snapshot, worlds.key_ring(snapshot.keys).redaction)
        world, document = worlds.made_of(snapshot, name, place)
        return snapshot, world, sha256(document).hexdigest()

    snapshot, world, digest = await asyncio.to_thread(read)
    contents = [BytesIO(content) for content in snapshot.contents.values()]
    async with call.fake.uploads_kept(contents, "/contents"):
        home = home_of(call)  # it may have been dropped meanwhile
        worlds.put_back(world)
    await call.fake.free_uploads()
    return json_response(
        {
            "world": name,
            "sha256": digest,
            "base_url": f"{call.base_url}/w/{name}",
            "keys_leading_elsewhere": [
                key.secret for key in world.keys if worlds.leads_elsewhere(key.secret, home)
            ],
        },
        headers={"ETag": f'"{digest}"'},
    )


_DEEPER = 8
"""How much deeper things lie in a snapshot than in the request that brought them."""


def _place(call: Call) -> Place:
    name, base_url = call.path_value("world"), call.base_url
    return Place(
        base_url=base_url,
        inboxes=f"{base_url}/_mock/inbox/{name}/",
        video_url=lambda base_url, task_id: result_url(base_url, name, task_id),
    )


def _digest(parts: Iterable[bytes]) -> str:
    digest = sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
