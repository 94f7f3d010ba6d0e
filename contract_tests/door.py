"""The one way out: every request of the suite, Schemathesis's too, leaves through this adapter.

Here the budget is guarded, the pace is kept, 429 is obeyed, the exchange is recorded, and its
answer is held to the contract.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from contract_tests.budget import CREATES, Budget, Prices
from contract_tests.conformance import Conformance
from contract_tests.contract import PREFIX
from contract_tests.exchange import Exchange
from contract_tests.verdicts import Verdicts

_KEPT_EXCHANGES = 20_000
_MOST_RETRIES = 5
_LONGEST_OBEDIENCE_S = 120


@dataclass
class Pace:
    """At most so many requests a second, and so many at once."""

    per_second: float | None
    at_once: int
    _next_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.places = threading.Semaphore(self.at_once)

    def wait(self) -> None:
        """Return when the next request may go."""
        if self.per_second is None:
            return
        with self._lock:
            now_s = time.monotonic()
            wait_s = max(0.0, self._next_s - now_s)
            self._next_s = max(now_s, self._next_s) + 1 / self.per_second
        time.sleep(wait_s)


class Door(HTTPAdapter):
    """Sends requests to one target. `exchanges` holds the latest of them."""

    def __init__(
        self,
        *,
        budget: Budget,
        prices: Prices,
        pace: Pace,
        conformance: Conformance,
        verdicts: Verdicts,
        timeout_s: float,
        carrier: HTTPAdapter | None = None,
    ) -> None:
        """carrier: who really sends; without one, requests does."""
        super().__init__()
        self._carrier = carrier or HTTPAdapter(pool_connections=8, pool_maxsize=32)
        self.budget, self.prices, self.verdicts = budget, prices, verdicts
        self.conformance = conformance
        self.exchanges: deque[Exchange] = deque(maxlen=_KEPT_EXCHANGES)
        self.sent = 0
        self.origins: set[str] = set()
        self.accounts: set[str] = set()
        self._pace, self._timeout_s = pace, timeout_s
        self._obeys_429 = True
        self._local = threading.local()

    @property
    def last(self) -> Exchange:
        """The last exchange of this thread."""
        exchange: Exchange = self._local.last
        return exchange

    @contextmanager
    def taking_429(self) -> Iterator[None]:
        """Inside, a 429 is an answer like any other instead of a wish to be obeyed."""
        self._obeys_429 = False
        try:
            yield
        finally:
            self._obeys_429 = True

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]
        """Send one request, and again if a 429 asks for patience. Raises OverBudget."""
        how = {"timeout": self._timeout_s, "stream": False} | {
            name: value for name, value in how.items() if name in {"verify", "cert", "proxies"}
        }
        for _ in range(_MOST_RETRIES):
            response = self._once(request, how)
            wait_s = self._asked_to_wait_s(response)
            if wait_s is None:
                break
            time.sleep(wait_s)
        return response

    def close(self) -> None:
        """Close every connection."""
        self._carrier.close()

    def _asked_to_wait_s(self, response: requests.Response) -> float | None:
        if response.status_code != 429 or not self._obeys_429:
            return None
        after = response.headers.get("retry-after", "1")
        return float(min(int(after), _LONGEST_OBEDIENCE_S)) if after.isdigit() else 1.0

    def _once(self, request: requests.PreparedRequest, how: dict[str, Any]) -> requests.Response:
        path = urlsplit(request.url or "").path
        body = _bytes(request.body)
        risk_credits = self._risk_credits(request, path, body, how)
        self.budget.admit(risk_credits)
        with self._pace.places:
            self._pace.wait()
            started_s = time.time()
            began_s = time.perf_counter()
            try:
                response = self._carrier.send(request, **how)
                content = response.content
            except BaseException:
                self.budget.lose(risk_credits)
                raise
        exchange = Exchange(
            method=request.method or "GET",
            url=request.url or "",
            path=path,
            sent_headers={name.lower(): _text(value) for name, value in request.headers.items()},
            sent_body=body,
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=content,
            started_s=started_s,
            took_s=time.perf_counter() - began_s,
        )
        self._settle(exchange, risk_credits)
        self._keep(exchange)
        return response

    def _risk_credits(
        self, request: requests.PreparedRequest, path: str, body: bytes, how: dict[str, Any]
    ) -> int:
        """What the request may cost: nothing if nobody's account is named."""
        credential = _text(request.headers.get("authorization", "")).rpartition(" ")[2]
        if path not in CREATES or credential not in self.accounts:
            return 0
        if self.budget.max_credits is not None and CREATES[path] == "rivya":
            self._ask_prices(request, how)
        return self.prices.risk_credits(request.method or "GET", path, body)

    def _ask_prices(self, request: requests.PreparedRequest, how: dict[str, Any]) -> None:
        """Ask for the price list, which is free, right before what may cost."""
        parts = urlsplit(request.url or "")
        origin = f"{parts.scheme}://{parts.netloc}"
        asking = requests.Request("GET", f"{origin}{PREFIX['rivya']}/models").prepare()
        listed = self._carrier.send(asking, **how).json()
        for model in listed.get("data", []):
            self.prices.learn("rivya", model["id"], int(model["base_credits"]))

    def _settle(self, exchange: Exchange, risk_credits: int) -> None:
        api = CREATES.get(exchange.path)
        charged_credits, task_id = 0, None
        answer = exchange.json
        if api is not None and (exchange.status >= 500 or not isinstance(answer, dict)):
            self.budget.lose(risk_credits)
            return
        if api is not None and exchange.status < 300 and isinstance(answer, dict):
            task_id = answer.get("id") if api == "rivya" else answer.get("task_id")
            task_id = task_id or f"unnamed {self.sent}"  # whatever it is called, it was taken
            charged_credits = risk_credits
            if isinstance(reserved := answer.get("reserved_credits"), int):
                charged_credits = reserved
        self.budget.settle(risk_credits, charged_credits, str(task_id) if task_id else None)

    def _keep(self, exchange: Exchange) -> None:
        self.sent += 1
        self.exchanges.append(exchange)
        self._local.last = exchange
        kept, found = self.conformance.of(exchange)
        self.verdicts.seen(kept)
        for finding in found:
            self.verdicts.note(finding)


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else bytes(body)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def session_through(door: Door) -> requests.Session:
    """A session that knows no other way out, no proxy and no cookie jar of the machine's."""
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    session.mount("http://", door)
    session.mount("https://", door)
    return session


def plain(headers: Mapping[str, str | None]) -> dict[str, str]:
    """The headers that have a value."""
    return {name: value for name, value in headers.items() if value is not None}
