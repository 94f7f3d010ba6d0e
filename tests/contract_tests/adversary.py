"""A server that tries to spend more than a budget, and to be sent requests for other hosts.

It charges no more than it listed last: the price of the model that a create names exactly, else
that of the dearest model. All else may be a lie.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter

from contract_tests.budget import Budget, Prices
from contract_tests.conformance import Conformance
from contract_tests.contract import Api, contract
from contract_tests.origins import WayOut
from contract_tests.target import RealClock, Target
from contract_tests.transport import RateLimiter, Transport
from contract_tests.verdicts import Verdicts

KEYS: Mapping[Api, Mapping[str, str]] = {
    "rivya": {"own": "rvya_sk_Own", "second": "rvya_sk_Second"},
    "acedata": {"own": "Token"},
}
PATHS = (
    "/api/v1/generations", "/API/v1//Generations/", "/api/v1/gen%65rations", "/hailuo/videos",
    "/api/v1/generations/batch", "/hailuo/Videos", "/api/v1/generations;x", "/hailuo/tasks",
    "/api/v1/webhooks/a%2f..%2f..%2fgenerations", "/api/v1/credits", "/api/v1/jobs",
    "/api/v1/models",
)  # fmt: skip
BODIES = (
    b'{"model": "hailuo-pro", "prompt": "x"}', b'{"model": "hailuo-standard"}', b"{}", b"",
    b'{"model": "Hailuo-PRO"}', b'{"model": "ultra"}', b"[{}, {}, {}]", b"<no json>",
    b'{"model": "hailuo-standard", "model": "ultra"}', b"\xff", b'{"action": "generate"}',
)  # fmt: skip
_ELSEWHERE = (
    "http://other.test/{path}", "https://shop.test/{path}", "http://shop.test:81/{path}",
    "http://shop.test@other.test/{path}", "http://shop.test%2eother.test/{path}", "//other.test",
    "http://shop.test.other.test/", "http://other.test#@shop.test/", "http://[::1]/", "ftp://a/",
    "http://rivya%2eai/", "http://2130706433/", "http:///\\other.test/", "http://other.test\\@x/",
    "http://shop.test./{path}", "HTTP://SHOP.TEST/{path}", "http://user:pw@shop.test/{path}",
    "\x00", "http://[", "http://shop.test:99999/", "{path}", "/{path}", "/gw/{path}",
)  # fmt: skip


class Adversary(HTTPAdapter):
    """The server, in this process.

    charged: its ledger. strangers: origins of requests that reached it and are not its own.
    leaked: URLs of strangers that a key came with.
    """

    def __init__(self, seed: int, base_url: str) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.base_url = base_url
        self.charged = 0
        self.creates = 0
        self.strangers: set[str] = set()
        self._listed = {"hailuo-pro": 57.0, "hailuo-standard": 30.0}
        self._all_dearest = 57.0
        self._is_lenient = self.random.random() < 0.8
        self._lies = self.random.random() < 0.8

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        url = urlsplit(request.url or "")
        own = urlsplit(self.base_url)
        if (url.scheme, url.netloc.lower()) != (own.scheme, own.netloc):
            self.strangers.add(request.url or "")
        if url.path.endswith("/models") and request.method == "GET":
            return self._list(request)
        if self._is_a_create(request):
            return self._create(request)
        return self._sometimes_redirect(request) or self._answer_read(request)

    # --- the price list ---

    def _list(self, request: requests.PreparedRequest) -> requests.Response:
        draw = self.random.random
        names = ["hailuo-pro", "hailuo-standard", *(["ultra"] if draw() < 0.3 else [])]
        prices = {name: self.random.choice([0, 1, 29.5, 30, 57, 57.01, 80, 400]) for name in names}
        models: list[dict[str, Any]] = [
            {"id": name, "base_credits": price, "api_status": "available"}
            for name, price in prices.items()
        ]
        if draw() < 0.3:
            models.append({"id": "hailuo-next", "base_credits": 90, "api_status": "coming_soon"})
        if draw() < 0.15:
            return self._spoilt(request, json.dumps({"data": models}).encode())
        self._listed = prices
        self._all_dearest = max(model["base_credits"] for model in models)
        return self.answer(request, 200, {"object": "list", "data": models})

    def _spoilt(self, request: requests.PreparedRequest, listed: bytes) -> requests.Response:
        kind = self.random.randrange(5)
        if kind == 0:
            raise requests.Timeout("no price list")
        if kind == 1:
            return self.answer(request, 200, listed[: len(listed) // 2])
        if kind == 2:
            return self.answer(request, 429, listed)
        if kind == 3:
            return self._redirect(request)
        return self.answer(request, 200, {"data": [{"id": "hailuo-pro", "base_credits": "1"}]})

    # --- creates ---

    def _is_a_create(self, request: requests.PreparedRequest) -> bool:
        """Whether this server takes the request for a create that an account pays for."""
        path = unquote(unquote(urlsplit(request.url or "").path))
        headers = " ".join(_text(value) for value in request.headers.values())
        names_account = any(key in headers for keys in KEYS.values() for key in keys.values())
        if request.method == "POST" and path in {
            f"{urlsplit(self.base_url).path}/api/v1/generations",
            f"{urlsplit(self.base_url).path}/hailuo/videos",
        }:
            return names_account
        if not self._is_lenient or request.method not in {"POST", "PUT", "PATCH"}:
            return False
        has_cookie = "session" in headers
        is_known = any(name in path for name in ("tasks", "credits", "models"))
        return not is_known and (names_account or has_cookie)

    def _create(self, request: requests.PreparedRequest) -> requests.Response:
        if self.random.random() < 0.25:
            return self.answer(request, 400, {"error": {"code": "validation_failed"}})
        is_rivya = "hailuo" not in urlsplit(request.url or "").path.lower()
        price = self._price(_bytes(request.body)) if is_rivya else 1
        self.charged += -int(-price // 1)
        self.creates += 1
        lost: list[Callable[[], requests.Response]] = [
            lambda: _raise(requests.ConnectionError("hung up")),
            lambda: _raise(requests.ReadTimeout("silent")),
            lambda: _raise(requests.exceptions.ChunkedEncodingError("cut")),
            lambda: self.answer(request, 502, b"<html>"),
            lambda: self.answer(request, 500, {"error": {"code": "internal_error"}}),
            lambda: self.answer(request, 200, b"[" * 100_000),
            lambda: self.answer(request, 204, b""),
            lambda: self._redirect(request),
        ]
        if self.random.random() < 0.4:
            return self.random.choice(lost)()
        told = [price, 0, -5, price / 3, "0", None, False, float("nan"), price * 2]
        tasks = ["task_a", None, 7, f"task_{self.creates}"]
        answer = {
            "id": self.random.choice(tasks),
            "task_id": self.random.choice(tasks),
            "reserved_credits": self.random.choice(told) if self._lies else price,
            "result": {"primary_url": self._elsewhere()},
            "echo": f"{dict(request.headers)}",
        }
        return self.answer(request, self.random.choice([200, 201, 202]), answer)

    def _price(self, body: bytes) -> float:
        """What a create costs: the dearest for a body that names no listed model."""
        try:
            fields = json.loads(body)
        except ValueError:
            return self._all_dearest
        if isinstance(fields, list):
            return self._all_dearest * max(1, len(fields))
        name = fields.get("model")
        if name in self._listed:
            return self._listed[name]
        return self._all_dearest

    # --- everything else ---

    def _answer_read(self, request: requests.PreparedRequest) -> requests.Response:
        body = {
            "current_credits": self.random.randrange(1000),
            "result": {"primary_url": self._elsewhere()},
            "echo": f"{dict(request.headers)}",
        }
        answer = self.answer(request, self.random.choice([200, 200, 404, 401, 500]), body)
        answer.headers["set-cookie"] = "session=1; Path=/"
        answer.cookies.set("session", "1")
        return answer

    def _sometimes_redirect(self, request: requests.PreparedRequest) -> requests.Response | None:
        return self._redirect(request) if self.random.random() < 0.3 else None

    def _redirect(self, request: requests.PreparedRequest) -> requests.Response:
        answer = self.answer(request, self.random.choice([301, 302, 303, 307, 308]), b"")
        answer.headers["location"] = self._elsewhere()
        return answer

    def _elsewhere(self) -> str:
        path = self.random.choice(PATHS).lstrip("/")
        return self.random.choice(_ELSEWHERE).replace("{path}", path)

    @staticmethod
    def answer(request: requests.PreparedRequest, status: int, body: Any) -> requests.Response:
        """An answer as the library `requests` makes it."""
        response = requests.Response()
        response.status_code, response.request = status, request
        response.url = request.url or ""
        response.headers["content-type"] = "application/json"
        response.raw = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        return response


def _raise(error: Exception) -> requests.Response:
    raise error


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def transport_to(server: HTTPAdapter, max_credits: int | None, *bases: str) -> Transport:
    """A transport with a budget whose requests reach `server`."""
    return Transport(
        budget=Budget(max_credits),
        prices=Prices(contract(), ("rivya", "acedata")),
        limiter=RateLimiter(None, 4),
        conformance=Conformance(contract()),
        verdicts=Verdicts(),
        timeout_s=5,
        longest_wait_s=5,
        way_out=WayOut(*bases, inner=server),
    )


def target_of(server: Adversary, max_credits: int | None) -> Target:
    """The adversary as the target of a run."""
    transport = transport_to(server, max_credits)
    return Target(server.base_url, transport, RealClock(is_local=True), KEYS, is_fake=False)
