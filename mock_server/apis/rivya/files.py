"""Uploads and reads reference files."""

import asyncio
from typing import Any

from starlette.responses import Response

from mock_server.apis.rivya import gate, response_bodies
from mock_server.apis.rivya.ids import FILE
from mock_server.apis.rivya.schema import upload_limits, upload_rules
from mock_server.apis.rivya.settings import RivyaSettings
from mock_server.core.catalog import MediaRules
from mock_server.core.refusals import Invalid, UnknownFile
from mock_server.core.uploads import StoredFile, check_upload
from mock_server.edge import file_types, mistaken_ids
from mock_server.edge.call import Call, json_response
from mock_server.edge.form_body import FilePart, form_of


async def upload_file(call: Call) -> Response:
    """POST /api/v1/files: stores a file of the account, at no cost and without a task."""
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
    if call.world.expiry.forget_due():
        await call.result_of(call.server.free_uploads())
    call.world.uploads.require_room(file.size_bytes)
    duration_s = await call.result_of(_duration_s(kind, file))
    async with call.server.uploads_kept([file.file], "/file") as (digest,):
        call.require_world()
        world = call.world
        now_ms, lifetimes = world.clock.now_ms(), world.expiry.lifetimes_of("rivya")
        made = len(world.uploads) + world.expiry.forgotten_files
        stored = StoredFile(
            id=world.ids.unused("file_", "file", made, world.uploads.get),
            account=key.account,
            kind=kind,
            name=file.name,
            mime_type=mime_type or "",
            size_bytes=file.size_bytes,
            duration_s=duration_s,
            content=digest,
            created_ms=now_ms,
            expires_ms=lifetimes.file_expires_ms(now_ms),
        )
        world.expiry.keep_file(stored)
    return _show(call, stored, call.server.settings.of(RivyaSettings).create_status)


async def get_file(call: Call) -> Response:
    """GET /api/v1/files/{file_id}: the file object of a file of this account."""
    key = gate.admit(call, "files:read")
    file_id = call.path_value("file_id")
    try:
        stored = call.world.expiry.find_file(file_id, key.account)
    except UnknownFile as unknown:
        raise mistaken_ids.with_hint(call, unknown, file_id, FILE) from None
    return _show(call, stored, 200)


def _read_fields(call: Call, form: dict[str, Any]) -> tuple[FilePart, dict[str, str]]:
    """The form's file and text fields. Refuses with Invalid if they break the upload schema."""
    # The schema describes the fields as JSON; the bytes of the file are checked elsewhere.
    fields = {name: "" if isinstance(part, FilePart) else part for name, part in form.items()}
    rules = call.server.contract.of(upload_rules)
    rules.require(fields)
    call.note_ignored(rules.ignored_in(fields))
    file = form["file"]
    if not isinstance(file, FilePart):
        raise Invalid.at("/file", "type", "must be a file part with a file name, not a text")
    return file, fields


async def _duration_s(kind: str, file: FilePart) -> float | None:
    return None if kind == "image" else await asyncio.to_thread(file_types.duration_s, file.file)


def _rules(call: Call, kind: str, model_id: str | None) -> MediaRules:
    """The rules for the file: of the named model, else of its kind."""
    contract = call.server.contract
    model_rules = model_id and contract.catalog.find("rivya", model_id).references
    return model_rules or contract.of(upload_limits)[kind]


def _show(call: Call, stored: StoredFile, status: int) -> Response:
    token = call.world.ids.hex("duration_token", stored.id)
    shown = response_bodies.file(
        stored, world=call.world.name, base_url=call.media_url, token=token
    )
    return json_response(shown, status)
