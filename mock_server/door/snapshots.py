"""Snapshots: a whole world as one document, and a world replaced by such a document."""

import asyncio
from functools import partial
from hashlib import sha256
from io import BytesIO

from msgspec.structs import replace
from starlette.responses import Response

from mock_server.contract.violations import BodyRules
from mock_server.core.apis import Apis
from mock_server.core.faults import Match
from mock_server.core.json_values import numbered
from mock_server.core.long_json import json_parts
from mock_server.core.refusals import Invalid
from mock_server.core.snapshot import LARGE_TYPES, Snapshot, UrlRewriter, snapshot_of
from mock_server.core.snapshot_checks import require_consistent
from mock_server.core.snapshot_checks.document import ContractFacts, all_faults
from mock_server.core.world import World
from mock_server.core.world_copy import copy_of_world
from mock_server.door.limits import require_within_limits
from mock_server.door.worlds import slot_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.json_body import parse
from mock_server.edge.long_answer import LongAnswer
from mock_server.edge.long_body import LongBody
from mock_server.edge.media import result_url
from mock_server.edge.redacted import redacted_snapshot
from mock_server.faults.scenarios import require_known_names

SNAPSHOT: LongBody[Snapshot] = LongBody(Snapshot, LARGE_TYPES)


async def take_snapshot(call: Call) -> Response:
    """GET /_mock/worlds/{world}/snapshot: everything in the world, in one document.
    Its bytes are always the same for the same world; the ETag is their SHA-256. Requests and
    attempts under way continue, and are not in the document. Keys, signing secrets and the bodies
    of creates are in it, because the world needs them. No secret is in the journal."""
    slot = slot_of(call)
    contents: dict[str, bytes] = {}
    while missing := {file.content for file in slot.world.uploads} - contents.keys():
        contents |= {digest: await call.server.blobs.read(digest) for digest in missing}
    world, now_ms, place = copy_of_world(slot.world), slot.world.clock.now_ms(), _place(call)

    def write() -> tuple[list[bytes], str]:
        snapshot = redacted_snapshot(
            snapshot_of(world, place, contents, now_ms), world.keys.redaction
        )
        parts, digest = list(json_parts(snapshot, LARGE_TYPES)), sha256()
        for part in parts:
            digest.update(part)
        return parts, digest.hexdigest()

    parts, digest = await asyncio.to_thread(write)
    return LongAnswer(parts, {"ETag": f'"{digest}"'})


async def put_snapshot(call: Call) -> Response:
    """PUT /_mock/worlds/{world}/snapshot: replace the world with the document.
    Requests that wait in the world are answered, as by a reset. A document with an error changes
    nothing. The answer has the SHA-256 of a snapshot taken now, and the keys that belong to another
    world of this server: with those, use the base URL of this world."""
    slot_of(call)
    call.require_json()
    pieces, limits = call.body_pieces("snapshot_bytes"), call.server.settings.limits
    worlds, name, place = call.server.worlds, call.path_value("world"), _place(call)
    contract, apis = call.server.contract, call.server.apis
    read_json = partial(parse, max_depth=limits.json_depth)
    facts = ContractFacts(contract.catalog, contract.uploads, read_json)

    def read() -> tuple[Snapshot, World, str]:
        snapshot = SNAPSHOT.read(
            pieces,
            max_depth=limits.json_depth + _MORE_LEVELS,
            max_values=limits.json_values,
            apis=apis,
        )
        require_consistent(snapshot, facts)
        require_within_limits(snapshot, limits)
        for pointer, faults in all_faults(snapshot):
            for at, fault in numbered(f"{pointer}/faults", faults.faults):
                _require_known_api(fault.rule.match, apis, f"{at}/rule/match/api")
                require_known_names(fault.rule, contract.codes, apis, f"{at}/rule")
        snapshot = redacted_snapshot(snapshot, worlds.key_ring(snapshot.keys).redaction)
        world, document = worlds.made_of(snapshot, name, place)
        return snapshot, world, sha256(document).hexdigest()

    snapshot, world, digest = await asyncio.to_thread(read)
    contents = [BytesIO(content) for content in snapshot.contents.values()]
    async with call.server.uploads_kept(contents, "/contents"):
        slot = slot_of(call)  # it may have been dropped meanwhile
        worlds.put_back(world)
    await call.server.free_uploads()
    return json_response(
        {
            "world": name,
            "sha256": digest,
            "base_url": f"{call.base_url}/w/{name}",
            "keys_leading_elsewhere": [
                key.secret for key in world.keys if worlds.leads_to_other_world(key.secret, slot)
            ],
        },
        headers={"ETag": f'"{digest}"'},
    )


_MORE_LEVELS = 8
"""The number of levels of a snapshot that are above a request's body."""


def _require_known_api(match: Match, apis: Apis, place: str) -> None:
    if match.api not in (None, *apis):
        names = {"enum": [*sorted(apis), None]}
        wrong = BodyRules(names).violations(match.api)
        raise Invalid([replace(each, place=place) for each in wrong])


def _place(call: Call) -> UrlRewriter:
    name = call.path_value("world")
    return UrlRewriter(
        base_url=call.media_url,
        inboxes=f"{call.base_url}/_mock/inbox/{name}/",
        video_url=lambda base_url, task_id: result_url(base_url, name, task_id),
    )
