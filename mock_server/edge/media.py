"""Result videos and uploads, served to whoever has the address, and the addresses themselves."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from msgspec.structs import replace
from starlette.responses import FileResponse, Response

from mock_server.contract.data_paths import FIXTURES
from mock_server.core.faults import Situation
from mock_server.core.lifecycle import TaskState
from mock_server.core.refusals import UnknownPath
from mock_server.core.world import situation_of

if TYPE_CHECKING:
    from mock_server.core.tasks import Task
    from mock_server.core.uploads import StoredFile
    from mock_server.core.world import World
    from mock_server.edge.call import Call

_UPLOAD_URL = re.compile(
    r"https?://[^/?#]+(?:/[^?#]*)?/media/[^/?#]+/files/(file_[0-9A-Za-z]+)/[^/?#]+"
)


def result_url(base_url: str, world: str, task_id: str) -> str:
    """Where a task's video is once the task has succeeded."""
    return f"{base_url}/media/{world}/{task_id}.mp4"


def file_url(base_url: str, world: str, file_id: str, name: str) -> str:
    """Where an upload is served back."""
    return f"{base_url}/media/{world}/files/{file_id}/{quote(name, safe='')}"


def upload_at(url: str, world: World) -> StoredFile | None:
    """The upload a URL was handed out for, whatever host and path it was handed out under; else
    None."""
    match = _UPLOAD_URL.fullmatch(url)
    file = world.uploads.get(match[1]) if match else None
    return file if file and url.endswith(file_url("", world.name, file.id, file.name)) else None


async def get_result(call: Call) -> Response:
    """GET /media/{world}/{task}.mp4: a video that plays, as long and as large as was asked for."""
    world = call.world
    task = _task(call)
    if task is None or world.state_of(task) is not TaskState.SUCCEEDED:
        raise UnknownPath("no video is here: no task of this name has succeeded")
    path = FIXTURES / "media" / _clip_name(call, task)
    return _serve(call, path, _digest(path), "video/mp4", task.fate.ends_ms)


async def get_upload(call: Call) -> Response:
    """GET /media/{world}/files/{file}/{name}: an upload, byte for byte."""
    file = _upload(call)
    if file is None:
        raise UnknownPath("no upload is here")
    path = call.fake.blobs.path(file.content)
    if not path.exists():
        raise UnknownPath("the bytes of this upload are gone: the temporary folder was emptied")
    return _serve(call, path, file.content, file.mime_type, file.created_ms)


def situation_of_result(call: Call) -> Situation | None:
    """What a fault is matched against: the task whose video is asked for, if there is one."""
    task = _task(call)
    return None if task is None else replace(situation_of(task.order), operation="media")


def situation_of_upload(call: Call) -> Situation | None:
    """What a fault is matched against: the upload, which only Rivya takes, if there is one."""
    file = _upload(call)
    return None if file is None else Situation("rivya", "media", file.account)


def _task(call: Call) -> Task | None:
    """The task whose video stands at this path, ended or not."""
    if call.path_value("world") != call.world.name:
        return None
    return call.world.tasks.get(call.path_value("name").removesuffix(".mp4"))


def _upload(call: Call) -> StoredFile | None:
    """The upload that stands at this path."""
    file = call.world.uploads.get(call.path_value("file_id"))
    is_here = call.path_value("world") == call.world.name
    return file if is_here and file and file.name == call.path_value("name") else None


def _clip_name(call: Call, task: Task) -> str:
    order = task.order
    request: dict[str, Any] = msgspec.json.decode(order.request)
    return call.fake.contract.catalog.find(order.api, order.model).clip_of(request).file_name


def _serve(call: Call, path: Path, digest: str, media_type: str, changed_ms: int) -> Response:
    """The file with ranges (Starlette's work), validators that depend on nothing but the world,
    and 304 for a caller who has it already."""
    etag = f'"{digest[:32]}"'
    headers = {
        "ETag": etag,
        "Last-Modified": format_datetime(
            datetime.fromtimestamp(changed_ms // 1000, UTC), usegmt=True
        ),
        # An upload is whatever its sender wants it to be: opened as a page, it may do nothing.
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    known = call.header(b"if-none-match") or ""
    if known.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, headers=headers, media_type=media_type)


@cache
def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
