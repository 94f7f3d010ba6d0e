"""Result videos and uploads, and their URLs. They are served without a key."""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec.structs import replace
from starlette.responses import FileResponse, Response

from mock_server.contract.data_paths import FIXTURES
from mock_server.core.faults import FaultTarget
from mock_server.core.lifecycle import TaskState
from mock_server.core.refusals import MediaExpired, UnknownPath
from mock_server.core.tasks import Task
from mock_server.core.uploads import StoredFile
from mock_server.core.world import World, fault_target
from mock_server.edge.call import Call
from mock_server.edge.etags import not_modified
from mock_server.edge.timestamps import http_date

_UPLOAD_URL = re.compile(
    r"https?://[^/?#]+(?:/[^?#]*)?/media/[^/?#]+/files/(file_[0-9A-Za-z]+)/[^/?#]+"
)


def result_url(base_url: str, world: str, task_id: str) -> str:
    """The URL of a task's video. It answers once the task has succeeded."""
    return f"{base_url}/media/{world}/{task_id}.mp4"


def file_url(base_url: str, world: str, file_id: str, name: str) -> str:
    """The URL of an upload."""
    return f"{base_url}/media/{world}/files/{file_id}/{quote(name, safe='')}"


def upload_at(url: str, world: World) -> StoredFile | None:
    """The upload of a URL made by `file_url`, whatever its base URL; else None, also if it has
    expired."""
    match = _UPLOAD_URL.fullmatch(url)
    file = world.uploads.get(match[1]) if match else None
    if file is None or file.has_expired(world.clock.now_ms()):
        return None
    return file if url.endswith(file_url("", world.name, file.id, file.name)) else None


async def get_result(call: Call) -> Response:
    """GET /media/{world}/{task}.mp4: a playable video with the requested length and size."""
    world = call.world
    task = _task(call)
    if task is None or world.state_of(task) is not TaskState.SUCCEEDED:
        raise UnknownPath("no video is here: no task of this name has succeeded")
    if world.expiry.video_has_expired(task):
        status = world.expiry.lifetimes_of(task.order.api).expired_status
        raise MediaExpired("the URL of this video has expired", status)
    path = FIXTURES / "media" / _clip_name(call, task)
    return _serve(call, path, _digest(path), "video/mp4", task.planned.ends_ms)


async def get_upload(call: Call) -> Response:
    """GET /media/{world}/files/{file}/{name}: the bytes of an upload."""
    file = _upload(call)
    if file is None:
        raise UnknownPath("no upload is here")
    if file.has_expired(call.world.clock.now_ms()):
        status = call.world.expiry.lifetimes_of(_api_of_uploads(call)).expired_status
        raise MediaExpired("this upload has expired", status)
    path = call.server.blobs.path(file.content)
    if not path.exists():
        raise UnknownPath("the bytes of this upload are gone: the folder of uploads was emptied")
    return _serve(call, path, file.content, file.mime_type, file.created_ms)


def fault_target_of_result(call: Call) -> FaultTarget | None:
    """What faults are matched against: the task of the requested video; None without a task."""
    task = _task(call)
    return None if task is None else replace(fault_target(task.order), operation="media")


def fault_target_of_upload(call: Call) -> FaultTarget | None:
    """What faults are matched against: the requested upload; None without one."""
    file = _upload(call)
    if file is None:
        return None
    return FaultTarget(_api_of_uploads(call), "media", file.account)


def _api_of_uploads(call: Call) -> str:
    apis = call.server.apis.values()
    return next((each.name for each in apis if "upload" in each.operations), "")


def _task(call: Call) -> Task | None:
    """The task of the video at this path, ended or not. It is noted in the exchange."""
    if call.path_value("world") != call.world.name:
        return None
    task = call.world.tasks.get(call.path_value("name").removesuffix(".mp4"))
    call.exchange.task = None if task is None else task.id
    return task


def _upload(call: Call) -> StoredFile | None:
    file = call.world.uploads.get(call.path_value("file_id"))
    is_here = call.path_value("world") == call.world.name
    return file if is_here and file and file.name == call.path_value("name") else None


def _clip_name(call: Call, task: Task) -> str:
    order = task.order
    request: dict[str, Any] = msgspec.json.decode(order.request)
    return call.server.contract.catalog.find(order.api, order.model).clip_of(request).file_name


def _serve(call: Call, path: Path, digest: str, media_type: str, changed_ms: int) -> Response:
    """The file or a range of it, or 304 for a caller who has it.
    ETag and Last-Modified depend on the world only: the same in each run."""
    headers = {
        "ETag": f'"{digest[:32]}"',
        "Last-Modified": http_date(changed_ms),
        # An upload may be a web page with scripts: it is opened without any rights.
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return not_modified(call, headers) or FileResponse(path, headers=headers, media_type=media_type)


@cache
def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
