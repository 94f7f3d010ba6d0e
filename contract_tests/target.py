"""The server under test: its URL, the accounts that send requests to it, and its clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests

from contract_tests.contract import PREFIX, Api
from contract_tests.exchange import Exchange
from contract_tests.origins import Base, OtherOrigin, session_through
from contract_tests.promises import promises
from contract_tests.transport import Transport
from contract_tests.verdicts import Broken, Finding

VENDOR_DOMAINS = ("rivya.ai", "acedata.cloud")
_CLOCK_STEP_S = 0.1
_CLOCK_INTERVAL_S = 0.02
ADVANCE_LIMIT_S = 30.0
_FIRST_POLL_WAIT_S = 2.5
_NEXT_POLL_WAIT_S = 6.0


class Clock(Protocol):
    """The clock of the server. is_controlled: whether the suite can advance it at will."""

    is_controlled: bool

    def advance(self, seconds: float) -> None:
        """Return when the server's clock has advanced by so many seconds."""

    def polls(self, limit_s: float) -> Iterator[float]:
        """Yield the seconds since the start at each poll, until the limit; wait in between."""


class RealClock:
    """Real time: short waits for a server on this machine, longer ones for another."""

    is_controlled = False

    def __init__(self, *, is_local: bool) -> None:
        self._waits_s = (0.05, 0.1) if is_local else (_FIRST_POLL_WAIT_S, _NEXT_POLL_WAIT_S)

    def advance(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def polls(self, limit_s: float) -> Iterator[float]:
        """Wait briefly after the first poll, longer after the others."""
        began_s = time.monotonic()
        first_s, next_s = self._waits_s
        wait_s = first_s
        while (passed_s := time.monotonic() - began_s) < limit_s:
            yield passed_s
            time.sleep(wait_s)
            wait_s = next_s


class ControlledClock:
    """The clock of the fake, advanced through its control door."""

    is_controlled = True

    def __init__(
        self,
        server_url: str,
        session: requests.Session,
        world: str,
        on_no_answer: Callable[[requests.RequestException], None],
        longest_wait_s: float,
    ) -> None:
        self._url = f"{server_url}/_mock/worlds/{world}/clock/advance"
        self._session, self._on_no_answer = session, on_no_answer
        self._limit_s = min(ADVANCE_LIMIT_S, longest_wait_s)

    def advance(self, seconds: float) -> None:
        """Advance the clock. All that was due has happened when this returns."""
        body = {"seconds": seconds}
        try:
            answer = self._session.post(
                self._url, json=body, timeout=self._limit_s, allow_redirects=False
            )
        except requests.RequestException as error:
            self._on_no_answer(error)
            raise
        answer.raise_for_status()

    def polls(self, limit_s: float) -> Iterator[float]:
        """Advance the clock after each poll, by more the longer it takes."""
        passed_s = 0.0
        while passed_s < limit_s:
            yield passed_s
            step_s = max(_CLOCK_STEP_S, passed_s / 10)
            self.advance(step_s)
            passed_s += step_s


@dataclass
class Target:
    """A server, its clock, its credentials, and the transport that sends to it."""

    base_url: str
    transport: Transport
    clock: Clock
    keys: Mapping[Api, Mapping[str, str]]
    is_fake: bool
    session: requests.Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = session_through(self.transport)
        self.transport.way_out.bases.append(Base.of(self.base_url))
        for keys in self.keys.values():
            self.transport.accounts.update(key for key in keys.values() if key.strip())

    def caller(self, api: Api, role: str | None = "own", *, key: str | None = None) -> Caller:
        """A caller with the key of a role, with another key, or (role None) without a key."""
        return Caller(self, api, key or (self.keys[api][role] if role else None))

    def download(self, url: str) -> Exchange | None:
        """Get a file without a key. None, and no request, if it is on another host."""
        try:
            self.transport.way_out.base_of(url)
            self.session.get(url)
        except OtherOrigin:
            return None
        return self.transport.last


@dataclass(frozen=True)
class Caller:
    """Sends requests to one API with one key. Paths begin after the API's prefix."""

    target: Target
    api: Api
    key: str | None

    def get(self, path: str, **how: Any) -> Exchange:
        """Send a GET."""
        return self.request("GET", path, **how)

    def post(self, path: str, json: Any = None, **how: Any) -> Exchange:
        """Send a POST with a JSON document."""
        return self.request("POST", path, json=json, **how)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        files: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Exchange:
        """Send one request. Raises Broken if there is no answer."""
        sent = {"authorization": f"Bearer {self.key}" if self.key else None}
        sent["content-type"] = "application/json" if body is not None else None
        sent |= dict(headers or {})
        target, path = self.target, PREFIX[self.api] + path
        request = requests.Request(
            method,
            target.base_url + path,
            headers={name: value for name, value in sent.items() if value is not None},
            json=json,
            data=body if body is not None else form,
            files=files,
        )
        try:
            target.session.send(target.session.prepare_request(request), allow_redirects=False)
        except requests.RequestException as error:
            promise = promises()[f"{self.api}.rule.answers"]
            got = f"{type(error).__name__} for {method} {path}"
            raise Broken(Finding(promise, "an answer", got)) from error
        return target.transport.last


def poll_until(
    target: Target, poll: Callable[[], Exchange], done: Callable[[Exchange], bool], limit_s: float
) -> tuple[list[Exchange], bool]:
    """Poll until done or until the limit. The answer to each poll, and whether it was done."""
    answers: list[Exchange] = []
    for _ in target.clock.polls(limit_s):
        answers.append(poll())
        if done(answers[-1]):
            return answers, True
    return answers, False


@contextmanager
def running_clock(clock: Clock) -> Iterator[None]:
    """Inside, the server's clock advances by itself, so that a request held open is answered."""
    if not clock.is_controlled:
        yield
        return
    over = threading.Event()

    def run() -> None:
        with suppress(requests.RequestException):  # the check's own request shows the cause
            while not over.wait(_CLOCK_INTERVAL_S):
                clock.advance(_CLOCK_STEP_S)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def is_loopback(base_url: str) -> bool:
    """Whether the base URL is on this machine."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_production(base_url: str) -> bool:
    """Whether the base URL is a host of one of the two vendors."""
    host = (urlsplit(base_url).hostname or "").rstrip(".").lower()
    return any(host == domain or host.endswith(f".{domain}") for domain in VENDOR_DOMAINS)
