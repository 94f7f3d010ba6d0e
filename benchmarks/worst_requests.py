"""Requests that keep a server busy: the worst that were thought of, each by its name.

What stands in the way of others is large: bodies, answers, or what has to be looked through.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import messages

WORLD = "/_mock/worlds/default"
_BOUNDARY = "frontier"
_FORM = f"multipart/form-data; boundary={_BOUNDARY}"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. Without a content type it is JSON."""

    method: str
    path: str
    body: bytes = b""
    key: str | None = None
    content_type: str = "application/json"


Ask = Callable[[Sent], tuple[int, bytes]]
"""Sends a request; the status and the body of its answer."""


@dataclass(frozen=True, slots=True)
class Worst:
    """A request, and what has to be there before it is sent.

    prepare: asks for that, of a server that nothing was asked before; None if nothing is needed.
    """

    name: str
    sent: Callable[[Ask], Sent]


def create(body: Any) -> Sent:
    """A create of Rivya's, which need not be right."""
    text = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    return Sent("POST", messages.GENERATIONS, text, messages.RIVYA_KEY)


def with_params(**params: Any) -> Sent:
    """A create with these params."""
    return create(messages.MINIMAL | {"params": params})


def ignored(text: bytes) -> Sent:
    """A create with this JSON in a field that nobody reads."""
    return create(json.dumps(messages.MINIMAL)[:-1].encode() + b',"zzz":' + text + b"}")


def bodies() -> Iterator[tuple[str, Sent]]:
    """Large bodies, right and wrong."""
    yield "250,000 empty references", with_params(referenceMediaItems=[{}] * 250_000)
    yield "12,000 empty references", with_params(referenceMediaItems=[{}] * 12_000)
    yield "70,000 unknown params", with_params(**{f"f{n:05x}": 0 for n in range(70_000)})
    yield "45,000 unknown params", with_params(**{f"f{n:05x}": 0 for n in range(45_000)})
    yield "45,000 unknown fields", create({f"f{n:05x}": 0 for n in range(45_000)})
    yield (
        "45,000 ignored fields",
        create(messages.MINIMAL | {f"prmpt{n:05x}": 0 for n in range(45_000)}),
    )
    yield "empty arrays", ignored(b"[" + b"[]," * 49_000 + b"0]")
    yield "deep arrays", ignored(b"[" + (b"[" * 60 + b"]" * 60 + b",") * 800 + b"0]")
    yield "a million brackets", create(b"[" * 1_000_000)
    yield "long integers", ignored(b"[" + (b"1" * 999 + b",") * 1000 + b"0]")
    yield "too long integers", ignored(b"[" + (b"1" * 4300 + b",") * 240 + b"0]")
    yield "floats", ignored(b"[" + b"1e9," * 49_000 + b"0]")
    yield "a name twice", ignored(b"[" + b'{"a":1},' * 24_000 + b'{"a":1,"a":2}]')
    yield "half a pair", ignored(b"[" + b'"\\ud83c\\udfac",' * 49_000 + b'"\\ud83c"]')
    yield "escapes", create(messages.MINIMAL | {"prompt": "\n" * 500_000})
    yield "a prompt of blanks", create(messages.MINIMAL | {"prompt": " " * 1_000_000})
    yield "a prompt of scenarios", create(messages.MINIMAL | {"prompt": "mock:" * 200_000})
    yield (
        "40,000 ids",
        Sent(
            "POST",
            "/hailuo/tasks",
            json.dumps(
                {"action": "retrieve_batch", "ids": [f"{n:036}" for n in range(26_000)]}
            ).encode(),
            messages.ACEDATA_TOKEN,
        ),
    )
    yield (
        "40,000 event types",
        Sent(
            "POST",
            "/api/v1/webhooks",
            json.dumps({"url": "https://example.com/", "event_types": ["x"] * 40_000}).encode(),
            messages.RIVYA_KEY,
        ),
    )
    yield (
        "20,000 wrong headers of an answer",
        Sent(
            "PUT",
            f"{WORLD}/inbox/a",
            json.dumps(
                {"answers": [{"headers": {f"a {n}": "\n" for n in range(20_000)}}]}
            ).encode(),
        ),
    )
    yield (
        "200 wrong headers of an answer",
        Sent(
            "PUT",
            f"{WORLD}/inbox/a",
            json.dumps({"answers": [{"headers": {f"a {n}": "\n" for n in range(200)}}]}).encode(),
        ),
    )
    yield (
        "40,000 answers",
        Sent("PUT", f"{WORLD}/inbox/a", json.dumps({"answers": [{}] * 40_000}).encode()),
    )
    yield "a form of 90 MB", _form(b"\x89PNG\r\n\x1a\n" + b"\0" * 90_000_000)
    yield (
        "100,000 parts",
        Sent(
            "POST",
            "/api/v1/files",
            f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n'.encode()
            * 100_000
            + f"--{_BOUNDARY}--\r\n".encode(),
            messages.RIVYA_KEY,
            _FORM,
        ),
    )
    yield (
        "a part of 100,000 headers",
        Sent(
            "POST",
            "/api/v1/files",
            f"--{_BOUNDARY}\r\n".encode()
            + b"a: b\r\n" * 100_000
            + f"\r\n\r\n--{_BOUNDARY}--\r\n".encode(),
            messages.RIVYA_KEY,
            _FORM,
        ),
    )
    yield (
        "a part of one long header",
        Sent(
            "POST",
            "/api/v1/files",
            f"--{_BOUNDARY}\r\n".encode()
            + b"content-disposition: form-data; "
            + b'a="b"; ' * 1_000_000
            + f"\r\n\r\n\r\n--{_BOUNDARY}--\r\n".encode(),
            messages.RIVYA_KEY,
            _FORM,
        ),
    )
    query = "&".join(f"a{n}=1" for n in range(5000))
    yield "5,000 query parameters", Sent("GET", f"{WORLD}/requests?{query}")
    for path in ("/_mock/openapi.json", "/_mock/control.json", "/api/v1/openapi.json"):
        yield path, Sent("GET", path)


def _form(content: bytes) -> Sent:
    head = f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="kind"\r\n\r\nimage\r\n'
    head += (
        f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    )
    body = head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return Sent("POST", "/api/v1/files", body, messages.RIVYA_KEY, _FORM)
