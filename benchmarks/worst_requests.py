"""The requests that take the server most time, each with a name.

They have large valid and invalid bodies, within the server's limits and far past them; or large
answers; or they make the server search much data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import messages

WORLD = "/_mock/worlds/default"
INBOX = "/_mock/inbox/default/large"
_VIDEOS = "/hailuo/videos"
_BOUNDARY = "boundary"
_FORM = f"multipart/form-data; boundary={_BOUNDARY}"
_MANY = 39_000
"""Values in a body, a little less than `limits.json_values` allows."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request."""

    method: str
    path: str
    body: bytes = b""
    key: str | None = None
    content_type: str = "application/json"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request."""
        headers = {"Content-Type": self.content_type} if self.body else {}
        return headers | ({"Authorization": f"Bearer {self.key}"} if self.key else {})


@dataclass(frozen=True, slots=True)
class Situation:
    """The worst requests to a server after the requests `before`."""

    before: list[Sent]
    worst: dict[str, Sent]


def situations(scale: float = 1.0) -> Iterator[Situation]:
    """All situations. scale: the amount of stored data, as a part of the server's limits."""
    yield Situation([], dict(_bodies()))
    yield Situation([], dict(_forms()))
    yield Situation([_create({"x": "y" * 65_000})] * round(1000 * scale), dict(_journal()))
    yield Situation([_callback("y" * 500_000)] * round(100 * scale), _lists("inbox/large"))
    yield Situation([_video("y" * 1_000_000)] * round(100 * scale), _lists("tasks"))
    yield Situation([_fault("y" * 500)] * round(1000 * scale), _lists("faults"))
    yield Situation([_webhook()] * round(100 * scale), dict(_beside_webhooks()))


def batch(ids: list[str]) -> Sent:
    """A read of several of AceData's tasks."""
    return _json("POST", "/hailuo/tasks", {"action": "retrieve_batch", "ids": ids})


def _bodies() -> Iterator[tuple[str, Sent]]:
    for many in (250_000, _MANY, 400):
        yield f"{many:,} empty references", _params(referenceMediaItems=[{}] * many)
    for many in (70_000, _MANY):
        unknown = {f"f{number:05x}": 0 for number in range(many)}
        yield f"{many:,} unknown params", _params(**unknown)
        yield f"{many:,} unknown fields and no other", _create(unknown)
        yield f"{many:,} ignored fields", _create(messages.MINIMAL | unknown)
    yield "a million brackets", _create(b"[" * 1_000_000)
    yield "deep arrays", _ignored(b"[" + (b"[" * 60 + b"]" * 60 + b",") * 480 + b"0]")
    yield "long integers", _ignored(b"[" + (b"1" * 500 + b",") * 2_000 + b"0]")
    yield "integers that are too long", _ignored(b"[" + (b"1" * 4300 + b",") * 240 + b"0]")
    yield "numbers with a fraction", _ignored(b"[" + b"1.1e9," * _MANY + b"0]")
    yield "a name twice", _ignored(b"[" + b'{"a":1},' * (_MANY // 2) + b'{"a":1,"a":2}]')
    yield "a lone surrogate", _ignored(b"[" + b'"\\ud83c\\udfac",' * _MANY + b'"\\ud83c"]')
    for name, text in (("line breaks", "\n" * 500_000), ("blanks", " " * 1_000_000)):
        yield f"a prompt of {name}", _create(messages.MINIMAL | {"prompt": text})
    yield "a prompt of scenarios", _create(messages.MINIMAL | {"prompt": "mock:used_up " * 80_000})
    yield "a batch of unknown ids", batch([f"{number:032}" for number in range(_MANY)])
    types = {"url": "https://example.com/", "event_types": ["x"] * _MANY}
    yield "unknown event types", _json("POST", "/api/v1/webhooks", types, messages.RIVYA_KEY)
    for many in (_MANY // 2, 240):
        headers = {f"a {number}": "\n" for number in range(many)}
        answers = {"answers": [{"headers": headers}]}
        yield f"{many:,} wrong headers", _json("PUT", f"{WORLD}/inbox/a", answers)
    order = {"order": [{"path": "*a*b*c*d"}] * 1000}
    yield "a long order", _json("POST", f"{WORLD}/requests/verify", order)
    yield "a long query", _get(f"{WORLD}/requests?" + "&".join(f"a{n}=1" for n in range(2000)))
    for path in ("/_mock/openapi.json", "/_mock/control.json", "/api/v1/openapi.json"):
        yield path, _get(path)
    state = {"format": 1, "tasks": [1] * 2_000_000}
    yield "a snapshot of wrong tasks", _json("PUT", f"{WORLD}/snapshot", state)
    state = {"format": 1, "tasks": [{"id": [[1]] * 500_000}]}
    yield "a snapshot of a large wrong task", _json("PUT", f"{WORLD}/snapshot", state)


def _forms() -> Iterator[tuple[str, Sent]]:
    disposition = b"content-disposition: form-data; "
    part = disposition + b'name="kind"\r\n\r\nvideo'
    movie = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 50_000_000
    file = disposition + b'name="file"; filename="a.mp4"\r\n\r\n' + movie
    yield "a file of 50 MB", _form(part, file)
    yield "100,000 parts", _form(*[disposition + b'name="a"\r\n\r\n'] * 100_000)
    yield "100,000 headers", _form(b"a: b\r\n" * 100_000 + b"\r\n")
    yield "a long header", _form(disposition + b'a="b"; ' * 1_000_000 + b"\r\n\r\n")


def _journal() -> Iterator[tuple[str, Sent]]:
    for form in ("json", "ndjson", "har"):
        yield f"a full journal as {form}", _get(f"{WORLD}/requests?format={form}")
    yield "a snapshot with a full journal", _get(f"{WORLD}/snapshot")
    wanted = {"order": [{"body": {"/x": number}} for number in range(1000)]}
    yield "every body of a full journal", _json("POST", f"{WORLD}/requests/verify", wanted)


def _beside_webhooks() -> Iterator[tuple[str, Sent]]:
    yield "a journal beside webhooks", _get(f"{WORLD}/requests")
    yield "webhooks", Sent("GET", "/api/v1/webhooks", key=messages.RIVYA_KEY)


def _lists(what: str) -> dict[str, Sent]:
    return {
        f"a large list: {what}": _get(f"{WORLD}/{what}"),
        f"a snapshot with a large list: {what}": _get(f"{WORLD}/snapshot"),
    }


def _get(path: str) -> Sent:
    return Sent("GET", path)


def _json(method: str, path: str, body: Any, key: str = messages.ACEDATA_TOKEN) -> Sent:
    return Sent(method, path, json.dumps(body, separators=(",", ":")).encode(), key)


def _create(body: Any) -> Sent:
    if isinstance(body, bytes):
        return Sent("POST", messages.GENERATIONS, body, messages.RIVYA_KEY)
    return _json("POST", messages.GENERATIONS, body, messages.RIVYA_KEY)


def _params(**params: Any) -> Sent:
    return _create(messages.MINIMAL | {"params": params})


def _ignored(text: bytes) -> Sent:
    """A create with this JSON in a field that the API ignores."""
    return _create(json.dumps(messages.MINIMAL)[:-1].encode() + b',"zzz":' + text + b"}")


def _video(prompt: str) -> Sent:
    return _json("POST", _VIDEOS, messages.VIDEO | {"async": True, "prompt": prompt})


def _webhook() -> Sent:
    body = {"url": "http://127.0.0.1:9/", "event_types": ["generation.failed"]}
    return _json("POST", "/api/v1/webhooks", body, messages.RIVYA_KEY)


def _fault(prompt: str) -> Sent:
    body = {"match": {"model": prompt}, "effect": {"type": "error", "code": "used_up"}}
    return _json("POST", f"{WORLD}/faults", body)


def _callback(body: str) -> Sent:
    return Sent("POST", INBOX, body.encode(), content_type="text/plain")


def _form(*parts: bytes) -> Sent:
    between = f"--{_BOUNDARY}\r\n".encode()
    body = b"".join(between + part + b"\r\n" for part in parts) + f"--{_BOUNDARY}--\r\n".encode()
    return Sent("POST", "/api/v1/files", body, messages.RIVYA_KEY, _FORM)
