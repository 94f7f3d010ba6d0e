"""Snapshots: a whole world taken out as one document, and put back where it is wanted."""

from __future__ import annotations

from hashlib import sha256

import msgspec
from starlette.responses import Response

from mock_server.core.snapshot import Place, Snapshot, take, written
from mock_server.core.snapshot_flaws import all_faults, require_sound
from mock_server.door.worlds import home_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.json_body import parse
from mock_server.edge.typed_body import TypedBody
from mock_server.media import result_url
from mock_server.scenarios import require_known_code

SNAPSHOT: TypedBody[Snapshot] = TypedBody(Snapshot, closed=True)


async def take_snapshot(call: Call) -> Response:
    """GET /_mock/worlds/{world}/snapshot: everything in the world, in one document.

    Its bytes are always the same for the same world; the ETag is their SHA-256. What is under way
    goes on undisturbed, and is not in the document.
    """
    home = home_of(call)
    contents: dict[str, bytes] = {}
    while missing := {file.content for file in home.world.uploads} - contents.keys():
        contents |= {digest: await call.fake.blobs.read(digest) for digest in missing}
    document = written(take(home.world, _place(call), contents))
    return Response(document, 200, {"ETag": _tag(document)}, media_type="application/json")


async def put_snapshot(call: Call) -> Response:
    """PUT /_mock/worlds/{world}/snapshot: the world is what the document says, from now on.

    Whoever waits for something in the world is let go, as by a reset. A document with anything
    wrong in it changes nothing. The answer has the SHA-256 of a snapshot taken right now, and
    the keys that alone lead to another world of this server: with those, take the base URL.
    """
    home = home_of(call)
    limits = call.fake.settings.limits
    snapshot = _read(call.json_text("snapshot_bytes"), limits.json_depth + _DEEPER)
    require_sound(snapshot)
    codes = call.fake.contract.codes
    for place, faults in all_faults(snapshot):
        for number, fault in enumerate(faults.faults):
            require_known_code(fault.rule, codes, f"{place}/faults/{number}/rule")
    for content in snapshot.contents.values():
        await call.fake.blobs.put(content)
    worlds, name = call.fake.worlds, call.path_value("world")
    home = home_of(call)  # it may have been dropped while the bytes were written
    document = worlds.put_back(name, snapshot, _place(call))
    return json_response(
        {
            "world": name,
            "sha256": sha256(document).hexdigest(),
            "base_url": f"{call.base_url}/w/{name}",
            "keys_leading_elsewhere": [
                key.secret for key in home.world.keys if worlds.leads_elsewhere(key.secret, home)
            ],
        },
        headers={"ETag": _tag(document)},
    )


_DEEPER = 8
"""How much deeper things lie in a snapshot than in the request that brought them."""


def _read(text: bytes, max_depth: int) -> Snapshot:
    """The snapshot a text spells. Refuses with Invalid, naming every place that is wrong."""
    try:
        snapshot = msgspec.json.decode(text, type=Snapshot)
        if written(snapshot) == text:
            return snapshot  # just as it was taken out: nothing is left to look for
    except (ValueError, RecursionError):
        pass  # what is wrong, and where, comes out below
    return SNAPSHOT.read(parse(text, max_depth=max_depth))


def _place(call: Call) -> Place:
    name, base_url = call.path_value("world"), call.base_url
    return Place(
        base_url=base_url,
        inboxes=f"{base_url}/_mock/inbox/{name}/",
        video_url=lambda base_url, task_id: result_url(base_url, name, task_id),
    )


def _tag(document: bytes) -> str:
    return f'"{sha256(document).hexdigest()}"'
