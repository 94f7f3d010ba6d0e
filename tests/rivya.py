"""Helpers for tests of Rivya's API: accounts, requests, error answers, slow clients."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import asdict, replace
from starlette.types import Message

from mock_server.config.settings import ALL_SCOPES
from mock_server.contract.data_paths import SCHEMAS
from mock_server.server.app import make_app
from mock_server.simulation.blobs import Blobs
from tests.asgi import Answer, scope
from tests.contract_hook import HeldToContract
from tests.mock import KEY, MINIMAL, Mock

PRO_CREDITS = 57
STANDARD_CREDITS = 30
UPLOAD_HEADERS = {"content-type": "multipart/form-data; boundary=frontier"}

STATUS_OF: dict[str, int | None] = {
    row["const"]: row["x-status"]
    for row in json.loads((SCHEMAS / "rivya/error-codes.json").read_text("utf-8"))["anyOf"]
    if "const" in row
}

OPERATIONS = [
    ("POST", "/generations", "generations:create"),
    ("GET", "/generations/task_x", "generations:read"),
    ("POST", "/files", "files:create"),
    ("GET", "/files/file_x", "files:read"),
    ("GET", "/credits", "credits:read"),
    ("GET", "/webhooks", "webhooks:manage"),
    ("POST", "/webhooks", "webhooks:manage"),
    ("GET", "/webhooks/whend_x", "webhooks:manage"),
    ("PATCH", "/webhooks/whend_x", "webhooks:manage"),
    ("DELETE", "/webhooks/whend_x", "webhooks:manage"),
    ("POST", "/webhooks/whend_x/rotate-secret", "webhooks:manage"),
    ("GET", "/webhooks/whend_x/deliveries", "webhooks:manage"),
    ("POST", "/webhooks/whend_x/test", "webhooks:manage"),
    ("GET", "/webhook-events", "webhooks:manage"),
]
PUBLIC_OPERATIONS = [("GET", "/models"), ("GET", "/openapi.json")]


def account(name: str, *, credits: int = 1000, **keys: Any) -> dict[str, Any]:
    """An account's settings; `keys` by the end of the key: `good={}`, `old={"revoked": True}`."""
    return {
        "name": name,
        "credits": credits,
        "keys": [{"key": f"rvya_sk_{end}", "api": "rivya", **facts} for end, facts in keys.items()],
    }


def scopes_without(*missing: str) -> list[str]:
    """Every scope but these."""
    return [scope for scope in ALL_SCOPES if scope not in missing]


def refusal(answer: Answer, code: str) -> str:
    """The message of a refusal, after checking its code, its status and its envelope."""
    assert answer.status == STATUS_OF[code], answer.body
    error = answer.json()["error"]
    assert error["code"] == code, error
    assert set(answer.json()) == {"error"}
    assert set(error) == {"code", "message", "requestId"}
    assert error["requestId"].startswith("req_")
    assert error["requestId"] == answer.headers["mock-request"]
    message = error["message"]
    assert isinstance(message, str)
    return message


def invalid_at(answer: Answer, *places: str) -> str:
    """The message of a `validation_failed` that names these places and no others."""
    message = refusal(answer, "validation_failed")
    assert named_places(message) == set(places)
    return message


def named_places(message: str) -> set[str]:
    """The JSON Pointers and headers at which a message says something is wrong."""
    return set(re.findall(r"(?:^|; )(body|/[^ ]*|header [^ ]+): ", message))


def balance(mock: Mock, name: str = "rivya-test") -> dict[str, int]:
    """An account's credits, by kind."""
    return asdict(mock.world.ledger.balance(name))


def credits_of(mock: Mock, key: str = KEY) -> int:
    """The credits, from the credits endpoint."""
    answer = mock.rivya("GET", "/credits", key=key)
    assert answer.status == 200
    current: int = answer.json()["current_credits"]
    return current


def state(mock: Mock) -> tuple[object, ...]:
    """What a refused request must not change."""
    return (balance(mock), len(mock.world.tasks), len(mock.world.uploads))


def create_once(mock: Mock, idempotency_key: str, body: Any = None, *, key: str = KEY) -> Answer:
    """A create with an Idempotency-Key; `body` None stands for the minimal one."""
    return mock.rivya(
        "POST",
        "/generations",
        MINIMAL if body is None else body,
        key=key,
        headers={"idempotency-key": idempotency_key},
    )


def reference(**fields: Any) -> dict[str, Any]:
    """A reference image as the vendor's example has it, some fields changed or (`...`) left out."""
    item = {
        "url": "https://cdn.example.com/reference-image.png",
        "kind": "image",
        "name": "reference-image.png",
        "mimeType": "image/png",
    } | fields
    return {name: value for name, value in item.items() if value is not ...}


def with_references(*items: Any, **params: Any) -> dict[str, Any]:
    """A minimal body with reference items."""
    return MINIMAL | {"params": {"referenceMediaItems": list(items), **params}}


def use_blobs(mock: Mock, blobs: Blobs) -> None:
    """Give the server this store of uploads."""
    mock.fake = replace(mock.fake, blobs=blobs)
    mock.app = HeldToContract(make_app(mock.fake))
    mock.driver.app = mock.app


def allow_undocumented_status(mock: Mock, status: int) -> None:
    """Expect and remove the violation by a status that is in no document."""
    assert len(mock.app.broken) == 1
    assert mock.app.broken[0].endswith(f"-> {status}: no such answer is documented")
    mock.app.broken.clear()


@dataclass
class SlowReader:
    """A client that takes no byte of the answer before `released` is set."""

    mock: Mock

    def __post_init__(self) -> None:
        self.answered = asyncio.Event()
        self.released = asyncio.Event()
        self.status: int | None = None

    async def send(
        self, path: str, body: Any, headers: Mapping[str, str], *, key: str = KEY
    ) -> None:
        """POST and wait for the answer."""
        sent = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        await self.mock.app(
            scope("POST", f"/api/v1{path}", sent | dict(headers)), _body(body), self._take
        )

    async def _take(self, message: Message) -> None:
        self.answered.set()
        await self.released.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]


def _body(body: Any) -> Any:
    raw = json.dumps(body).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": raw, "more_body": False}

    return receive
