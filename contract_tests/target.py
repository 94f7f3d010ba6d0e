"""The server under test: where it is, who asks it, and how time passes there."""

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
from contract_tests.door import Door, plain, session_through
from contract_tests.exchange import Exchange
from contract_tests.promises import promises
from contract_tests.verdicts import Broken, Finding, Verdicts

PRODUCTION = frozenset({"rivya.ai", "www.rivya.ai", "api.acedata.cloud"})
_FAKE_STEP_S = 0.1
_TICK_S = 0.02
_FIRST_LOOK_S = 2.5
_NEXT_LOOK_S = 6.0


class Unreachable(Exception):
    """There is nobody at the base URL."""


class Time(Protocol):
    """How a check lets time pass."""

    is_fast: bool

    def pass_s(self, seconds: float) -> None:
        """Let so many seconds go by, as the server sees them."""

    def looks(self, limit_s: float) -> Iterator[float]:
        """Let time pass between one look and the next; yields the seconds gone, up to a limit."""


class RealTime:
    """Waiting, as a caller of the real service must: little on this machine, politely elsewhere."""

    is_fast = False

    def __init__(self, *, is_near: bool) -> None:
        self._waits_s = (0.05, 0.1) if is_near else (_FIRST_LOOK_S, _NEXT_LOOK_S)

    def pass_s(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def looks(self, limit_s: float) -> Iterator[float]:
        """First a short wait, then longer ones."""
        began_s = time.monotonic()
        first_s, next_s = self._waits_s
        wait_s = first_s
        while (gone_s := time.monotonic() - began_s) < limit_s:
            yield gone_s
            time.sleep(wait_s)
            wait_s = next_s


class ControlDoor:
    """The fake's clock, turned by hand."""

    is_fast = True

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/_mock/worlds/default/clock/advance"
        self._session = requests.Session()
        self._session.trust_env = False

    def pass_s(self, seconds: float) -> None:
        """Turn the clock; whatever comes due has happened when this returns."""
        self._session.post(self._url, json={"seconds": seconds}, timeout=60).raise_for_status()

    def looks(self, limit_s: float) -> Iterator[float]:
        """One turn of the clock between two looks; larger ones when it takes long."""
        gone_s = 0.0
        while gone_s < limit_s:
            yield gone_s
            step_s = max(_FAKE_STEP_S, gone_s / 10)
            self.pass_s(step_s)
            gone_s += step_s


@dataclass
class Target:
    """A server and everything needed to ask it."""

    base_url: str
    door: Door
    verdicts: Verdicts
    time: Time
    keys: Mapping[Api, Mapping[str, str]]
    is_fake: bool
    session: requests.Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = session_through(self.door)
        for keys in self.keys.values():
            self.door.accounts.update(keys.values())

    def caller(self, api: Api, role: str | None = "own", *, key: str | None = None) -> Caller:
        """Somebody who asks: by role, with a key of their own, or (role None) with none."""
        return Caller(self, api, key or (self.keys[api][role] if role else None))


@dataclass(frozen=True)
class Caller:
    """One account's view of one API. Paths count from the API's prefix."""

    target: Target
    api: Api
    key: str | None

    def get(self, path: str, **how: Any) -> Exchange:
        """GET."""
        return self.ask("GET", path, **how)

    def post(self, path: str, json: Any = None, **how: Any) -> Exchange:
        """POST a JSON document."""
        return self.ask("POST", path, json=json, **how)

    def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        files: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str | None] | None = None,
        whole_path: bool = False,
    ) -> Exchange:
        """One request and its answer. Raises Broken if none came."""
        prefix = "" if whole_path else PREFIX[self.api]
        sent = {"authorization": f"Bearer {self.key}" if self.key else None}
        sent["content-type"] = "application/json" if body is not None else None
        sent |= dict(headers or {})
        target = self.target
        request = requests.Request(
            method,
            target.base_url + prefix + path,
            headers=plain(sent),
            json=json,
            data=body if body is not None else form,
            files=files,
        )
        try:
            target.session.send(target.session.prepare_request(request), allow_redirects=False)
        except requests.RequestException as error:
            row = promises()[f"{self.api}.rule.answers"]
            got = f"{type(error).__name__} for {method} {prefix}{path}"
            raise Broken(Finding(row, "an answer", got)) from error
        return target.door.last


def until(
    target: Target, look: Callable[[], Exchange], done: Callable[[Exchange], bool], limit_s: float
) -> tuple[list[Exchange], bool]:
    """Look again and again until done or until the limit: every look, and whether it was done."""
    seen: list[Exchange] = []
    for _ in target.time.looks(limit_s):
        seen.append(look())
        if done(seen[-1]):
            return seen, True
    return seen, False


@contextmanager
def time_goes_on(time_there: Time) -> Iterator[None]:
    """Inside, time passes at the server by itself, so that nobody who is held open waits long."""
    if not time_there.is_fast:
        yield
        return
    over = threading.Event()

    def tick() -> None:
        with suppress(requests.RequestException):  # whoever asks meanwhile will tell what is wrong
            while not over.wait(_TICK_S):
                time_there.pass_s(_FAKE_STEP_S)

    ticking = threading.Thread(target=tick, daemon=True)
    ticking.start()
    try:
        yield
    finally:
        over.set()
        ticking.join()


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
    """Whether it is one of the two vendors' own hosts."""
    return (urlsplit(base_url).hostname or "").rstrip(".").lower() in PRODUCTION


def answers_as_fake(base_url: str) -> bool:
    """Whether our own fake is there. Raises Unreachable if nobody is."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"{base_url}/_mock/version", timeout=10, allow_redirects=False)
            return answer.status_code == 200 and {"version", "seed"} <= answer.json().keys()
    except requests.ConnectionError as error:
        hint = "; does it speak http://?" if isinstance(error, requests.exceptions.SSLError) else ""
        raise Unreachable(f"nobody answers at {base_url}: {type(error).__name__}{hint}") from error
    except (requests.RequestException, ValueError, AttributeError):
        return False
