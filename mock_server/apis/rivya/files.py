"""Upload a reference file, and look at it."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from mock_server.apis.rivya import gate, wire
from mock_server.core.catalog import MediaRules
from mock_server.core.refusals import Invalid, UnknownFile
from mock_server.core.uploads import StoredFile, check_upload
from mock_server.edge import file_types, mistaken_ids
from mock_server.edge.call import Call, json_response
from mock_server.edge.form_body import FilePart, form_of


async def upload_file(call: Call) -> Response:
    """POST /api/v1/files: keeps a file under the account; it costs nothing and makes no task."""
    key = gate.admit(call, "files:create")
    file, fields = _read_fields(call, form_of(call))
    kind = fields["kind"]
    mime_type = file_types.media_type(file.beginning)
    check_upload(
        kind=kind,
        name=file.name,
        mime_type=mime_type,
        size_bytes=file.size_bytes,
        rules=_rules(call, kind, fields.get("model")),
    )
    call.world.uploads.require_room(file.size_bytes)
    duration_s = await call.outside(_duration_s(kind, file))
    async with call.fake.uploads_kept([file.file], "/file") as (digest,):
        call.require_world()
        stored = call.world.store_file(
            account=key.account,
            kind=kind,
            name=file.name,
            mime_type=mime_type or "",
            size_bytes=file.size_bytes,
            duration_s=duration_s,
            content=digest,
        )
    return _show(call, stored, call.fake.settings.rivya.create_status)


async def get_file(call: Call) -> Response:
    """GET /api/v1/files/{file_id}: what is known of a file of this account."""
    key = gate.admit(call, "files:read")
    file_id = call.path_value("file_id")
    try:
        stored = call.world.uploads.find(file_id, key.account)
    except UnknownFile as unknown:
        raise mistaken_ids.told(unknown, file_id, mistaken_ids.FILE) from None
    return _show(call, stored, 200)


def _read_fields(call: Call, form: dict[str, Any]) -> tuple[FilePart, dict[str, str]]:
    """The form's file and its texts. Refuses with Invalid what the upload schema does not allow."""
    # The schema speaks of the fields as JSON; the file's bytes have rules of their own.
    fields = {name: "" if isinstance(part, FilePart) else part for name, part in form.items()}
    rules = call.fake.contract.upload_rules
    rules.require(fields)
    call.note_ignored(rules.ignored_in(fields))
    file = form["file"]
    if not isinstance(file, FilePart):
        raise Invalid.at("/file", "type", "must be a file part with a file name, not a text")
    return file, fields


async def _duration_s(kind: str, file: FilePart) -> float | None:
    return None if kind == "image" else await asyncio.to_thread(file_types.duration_s, file.file)


def _rules(call: Call, kind: str, model_id: str | None) -> MediaRules:
    """What the file must be: the named model's rules, else those of its kind."""
    contract = call.fake.contract
    model_rules = model_id and contract.catalog.find("rivya", model_id).references
    return model_rules or contract.upload_limits[kind]


def _show(call: Call, stored: StoredFile, status: int) -> Response:
    token = call.world.ids.hex("duration_token", stored.id)
    shown = wire.file(stored, world=call.world.name, base_url=call.base_url, token=token)
    return json_response(shown, status)
