"""Sends every request of the suite, those of Schemathesis included.

Before a request, its host, the budget and the rate limit are applied. Afterwards the exchange is
recorded and checked against the contract. A 429 is retried after the time it names.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import requests
from requests.adapters import HTTPAdapter

from contract_tests.budget import Budget, NoPriceList, NotSent, Prices, api_of_create, whole_credits
from contract_tests.conformance import Conformance
from contract_tests.contract import PREFIX, Api
from contract_tests.exchange import Exchange
from contract_tests.json_values import parse_json
from contract_tests.origins import Base, WayOut
from contract_tests.redaction import OF_PROCESS
from contract_tests.stop import Stop
from contract_tests.verdicts import Verdicts

_KEPT_EXCHANGES = 20_000
_MOST_RETRIES = 5
_LONGEST_RETRY_WAIT_S = 120
_GATEWAY_WAITS_S = (0.5, 1.0, 2.0)
CONNECT_S = 10.0
USUAL_S = 30.0
LONGEST_UPLOAD_S = 15.0
_SLOWEST_BYTES_PER_S = 500_000


class GatewayError(requests.RequestException):
    """A gateway answered instead of the service, also when it was asked again."""


@dataclass
class RateLimiter:
    """Limits the requests per second, and those under way at the same time."""

    per_second: float | None
    max_parallel: int
    _next_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.slots = threading.Semaphore(self.max_parallel)

    def wait(self) -> None:
        """Return when the next request may be sent."""
        if self.per_second is None:
            return
        with self._lock:
            now_s = time.monotonic()
            wait_s = max(0.0, self._next_s - now_s)
            self._next_s = max(now_s, self._next_s) + 1 / self.per_second
        time.sleep(wait_s)


class Transport(HTTPAdapter):
    """The transport adapter of all sessions.

    exchanges: the latest ones. not_sent: why the last request was not sent that was not.
    started: the base URLs of fakes that the suite has started. Their prices are known.
    """

    def __init__(
        self,
        *,
        budget: Budget,
        prices: Prices,
        limiter: RateLimiter,
        conformance: Conformance,
        verdicts: Verdicts,
        timeout_s: float,
        longest_wait_s: float,
        way_out: WayOut,
        stop: Stop | None = None,
    ) -> None:
        super().__init__()
        self.way_out = way_out
        self.budget, self.prices, self.verdicts = budget, prices, verdicts
        self.conformance = conformance
        self.exchanges: deque[Exchange] = deque(maxlen=_KEPT_EXCHANGES)
        self.sent = 0
        self.not_sent: NotSent | None = None
        self.accounts: set[str] = set()
        self.started: set[str] = set()
        self._limiter, self._longest_s, self._wait_s = limiter, timeout_s, longest_wait_s
        self.stop = stop or Stop()
        self.gateway_answers: list[str] = []
        self.on_no_answer: Callable[[requests.RequestException], None] = lambda _: None
        self._retries_429 = True
        self._local = threading.local()

    @property
    def last(self) -> Exchange:
        """The last exchange of this thread."""
        exchange: Exchange = self._local.last
        return exchange

    @contextmanager
    def returning_429(self) -> Iterator[None]:
        """Inside, a 429 is returned like any other answer instead of being retried."""
        self._retries_429 = False
        try:
            yield
        finally:
            self._retries_429 = True

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]
        """Send a request, and again while it is answered 429 or, if it is free, by a gateway.

        Raises NotSent, StoppedError and GatewayError.
        """
        how = {"stream": False}
        for attempt in range(_MOST_RETRIES):
            try:
                response = self._send_again_if_cut_off(request, how)
            except NotSent as error:
                self.not_sent = error
                raise
            wait_s = self._retry_wait_s(response, attempt)
            if wait_s is None:
                break
            time.sleep(wait_s)
        return response

    def _send_again_if_cut_off(
        self, request: requests.PreparedRequest, how: dict[str, Any]
    ) -> requests.Response:
        """Send a request; once more if it is free and an idle connection was closed meanwhile."""
        self.stop.raise_if_set()
        try:
            return self._send_once(request, how)
        except requests.Timeout as error:
            self.on_no_answer(error)
            raise
        except requests.ConnectionError as error:
            if not self._local.is_free:
                self.on_no_answer(error)
                raise
        try:
            return self._send_once(request, how)
        except requests.ConnectionError as error:
            self.on_no_answer(error)
            raise

    def close(self) -> None:
        """Close every connection."""
        self.way_out.close()

    def _retry_wait_s(self, response: requests.Response, attempt: int) -> float | None:
        """Seconds until the retry; None if the answer is final. Raises GatewayError."""
        if self.last.is_from_gateway:
            if self._local.is_free and attempt < len(_GATEWAY_WAITS_S):
                return min(_GATEWAY_WAITS_S[attempt], self._wait_s)
            what = f"{response.status_code} to {self.last.method} {self.last.path}"
            times = f", {attempt + 1} times" if attempt else ""
            self.gateway_answers.append(f"a gateway answered {what}{times}, not the service")
            raise GatewayError(self.gateway_answers[-1])
        if response.status_code != 429 or not self._retries_429:
            return None
        after = response.headers.get("retry-after", "1")
        return float(min(int(after), _LONGEST_RETRY_WAIT_S)) if after.isdigit() else 1.0

    def _send_once(
        self, request: requests.PreparedRequest, how: dict[str, Any]
    ) -> requests.Response:
        url, method = request.url or "", request.method or "GET"
        base = self.way_out.base_of(url)
        path = base.path_of(url)
        body = _bytes(request.body)
        api = api_of_create(method, path)
        if api is not None and not self._has_a_key(request, body):
            api = None
        self._local.is_free = api is None
        how = how | {"timeout": self._limits_s(self._limit_s(method, path, body))}
        possible_credits = self._possible_credits(api, base, body) if api else 0
        self.budget.reserve(possible_credits)
        with self._limiter.slots:
            self._limiter.wait()
            started_s = time.time()
            began_s = time.perf_counter()
            try:
                response = self.way_out.send(request, **how)
                content = response.content
            except BaseException:
                self.budget.settle_unknown(possible_credits)
                raise
        exchange = Exchange(
            method=method,
            url=url,
            path=path,
            sent_headers={name.lower(): _text(value) for name, value in request.headers.items()},
            sent_body=body,
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=content,
            started_s=started_s,
            took_s=time.perf_counter() - began_s,
        )
        if api is not None:
            self._settle(api, exchange, possible_credits)
        self._record(exchange)
        return response

    def _limit_s(self, method: str, path: str, body: bytes) -> float:
        """Seconds to wait for an answer: many only for a create that is held open until its end."""
        if method == "POST" and path == f"{PREFIX['acedata']}/videos":
            fields = parse_json(body)
            if isinstance(fields, dict) and not (fields.get("async") or fields.get("callback_url")):
                return self._longest_s
        upload_s = min(LONGEST_UPLOAD_S, len(body) / _SLOWEST_BYTES_PER_S)
        return min(self._longest_s, self._wait_s, USUAL_S) + upload_s

    def _limits_s(self, answer_s: float) -> tuple[float, float]:
        """The time limits of one request: for the connection, and for the answer."""
        return min(CONNECT_S, self._wait_s), answer_s

    def _has_a_key(self, request: requests.PreparedRequest, body: bytes) -> bool:
        """Whether a key of an account is anywhere in the request, in any letter case."""
        texts = [unquote(request.url or ""), body.decode(errors="replace")]
        texts += map(_text, request.headers.values())
        whole = "\n".join(texts).casefold()
        return any(key.strip().casefold() in whole for key in self.accounts)

    def _possible_credits(self, api: Api, base: Base, body: bytes) -> int:
        """What a create may cost. With a limit, Rivya's price list is read before each create.

        It is not read if too little is left anyway. Raises NoPriceList.
        """
        possible_credits = self.prices.possible_credits(api, body)
        is_limited = self.budget.max_credits is not None and api == "rivya"
        if not is_limited or base.url in self.started or not self.budget.allows(possible_credits):
            return possible_credits
        self.read_prices(base.url)
        return self.prices.possible_credits(api, body)

    def read_prices(self, base_url: str) -> None:
        """Read Rivya's price list. Raises NoPriceList."""
        listing = requests.Request("GET", f"{base_url}{PREFIX['rivya']}/models").prepare()
        with self._limiter.slots:
            self._limiter.wait()
            try:
                limits_s = self._limits_s(min(USUAL_S, self._wait_s))
                answer = self.way_out.send(listing, stream=False, timeout=limits_s)
                self.prices.read_list(answer.status_code, answer.content)
            except requests.RequestException as error:
                self.on_no_answer(error)
                raise NoPriceList(
                    f"no create was sent: the price list was not answered: {type(error).__name__}"
                ) from error

    def _settle(self, api: Api, exchange: Exchange, possible_credits: int) -> None:
        """Count what a request that could create cost. Only a clear refusal costs nothing."""
        answer = exchange.json
        fields = answer if isinstance(answer, dict) else {}
        task_id = fields.get("id") if api == "rivya" else fields.get("task_id")
        credits = [whole_credits(fields.get(f"{name}_credits")) for name in ("reserved", "final")]
        told = max((each for each in credits if each is not None), default=possible_credits)
        if exchange.status < 300 and fields:
            # Taken, so charged, even without an id.
            name = str(task_id or f"unnamed {self.sent}")
            self.budget.settle_taken(possible_credits, told, name)
            self.prices.note_charge(api, told, possible_credits)
        elif 400 <= exchange.status < 500 and exchange.status != 408 and fields and not task_id:
            self.budget.settle_refused(possible_credits)
        else:
            self.budget.settle_unknown(possible_credits)

    def _record(self, exchange: Exchange) -> None:
        self.sent += 1
        OF_PROCESS.add_from(exchange)
        self.exchanges.append(exchange)
        self.verdicts.exchanges.append(exchange)
        self._local.last = exchange
        if exchange.is_from_gateway:
            return
        kept, findings = self.conformance.check(exchange)
        self.verdicts.add_kept(kept)
        for finding in findings:
            self.verdicts.add(finding)


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else bytes(body)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
