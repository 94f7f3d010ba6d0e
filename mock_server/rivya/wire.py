"""How Rivya writes things down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from mock_server.core.catalog import Model
from mock_server.core.lifecycle import TaskState
from mock_server.core.tasks import Task
from mock_server.core.uploads import StoredFile
from mock_server.media import file_url, result_url


def moment(at_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds: `2026-03-02T10:15:30.250Z`."""
    seconds, milliseconds = divmod(at_ms, 1000)
    return f"{_second(seconds)}.{milliseconds:03}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")


def generation(task: Task, *, world: str, now_ms: int, base_url: str) -> dict[str, Any]:
    """The generation object: the same from create, from get and in events."""
    state = task.state_at(now_ms)
    succeeded = state is TaskState.SUCCEEDED
    result = error = None
    if succeeded:
        url = result_url(base_url, world, task.id)
        result = {"primary_url": url, "urls": [url]}
    elif state is TaskState.FAILED:
        error = {"code": "generation_failed", "message": "the simulated upstream gave up on it"}
    return {
        "id": task.id,
        "status": state.value,
        "model": task.order.model,
        "reserved_credits": task.order.price_credits,
        "final_credits": task.order.price_credits if succeeded else 0,
        "created_at": moment(task.created_ms),
        "updated_at": moment(task.updated_ms(now_ms)),
        "result": result,
        "error": error,
    }


def file(stored: StoredFile, *, world: str, base_url: str, token: str) -> dict[str, Any]:
    """The file object. `token` vouches for the length of timed media; images have none."""
    timed = stored.kind in {"audio", "video"}
    return {
        "id": stored.id,
        "object": "file",
        "kind": stored.kind,
        "url": file_url(base_url, world, stored.id, stored.name),
        "name": stored.name,
        "mime_type": stored.mime_type,
        "size_bytes": stored.size_bytes,
        "duration_seconds": stored.duration_s if timed else None,
        "duration_token": token if timed else None,
        "created_at": moment(stored.created_ms),
    }


def model(entry: Model) -> dict[str, Any]:
    """A model's entry in the public list; what follows from its rules is derived from them."""
    facts: Mapping[str, Any] = entry.facts
    prompt, references = facts["prompt"], facts["references"]
    listing: Mapping[str, Any] = facts["listing"]
    return {
        "id": entry.id,
        "display_name": listing["display_name"],
        "category": listing["category"],
        "runtime": listing["runtime"],
        "base_credits": entry.price_credits,
        "billing_type": listing["billing_type"],
        "supported_modes": listing["supported_modes"],
        "max_prompt_length": prompt and prompt["max_chars"],
        "reference_media": references
        and {
            "kinds": references["kinds"],
            "max_files": references["max_files"],
            "max_size_mb": references["max_bytes"] // (1024 * 1024),
            "mime_types": references["mime_types"],
        },
        "params": [
            {name: param[name] for name in ("key", "type", "required", "default", "options")}
            for param in facts["params"]
        ],
        "api_status": listing["api_status"],
        "api_input_status": listing["api_input_status"],
        "supported_api_inputs": listing["supported_api_inputs"],
        "requires_files_api": listing["requires_files_api"],
        "requires_upload_for_modes": listing["requires_upload_for_modes"],
        "url_input_supported": listing["url_input_supported"],
        "file_kinds": listing["file_kinds"],
        "chat_capabilities": listing["chat_capabilities"],
        "notices": listing["notices"],
    }
