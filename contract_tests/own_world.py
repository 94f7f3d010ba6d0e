"""Makes a world of a running fake for one run. It shows that the server is the fake.

The keys of the world are random. A tunnel, a proxy or a recording in front of a vendor cannot
accept them, and no account of a vendor pays for a request that has one of them.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

import requests

from contract_tests.contract import PREFIX, Api
from contract_tests.fakes import CLOCK_START, KEYS, accounts
from contract_tests.network import reason_of


class NotTheFake(Exception):
    """The server does not prove to be the fake. The message is the reason."""


class Unreachable(Exception):
    """No server answers at the base URL."""


@dataclass(frozen=True)
class OwnWorld:
    """A world with the accounts that checks need. server_url: the URL of the whole fake."""

    server_url: str
    name: str
    keys: Mapping[Api, Mapping[str, str]]
    session: requests.Session
    limit_s: float

    @property
    def url(self) -> str:
        """The base URL of the world. All that is sent to it stays in the world."""
        return f"{self.server_url}/w/{self.name}"

    @classmethod
    def make(
        cls,
        server_url: str,
        apis: Sequence[Api],
        session: requests.Session,
        *,
        seed: int,
        frozen: bool,
        limit_s: float = 10.0,
    ) -> Self:
        """Make the world and show that the APIs are served from it. limit_s: for each answer.

        Raises NotTheFake, and Unreachable if no server answers.
        """
        suffix = secrets.token_hex(12)
        keys = {api: {role: f"{key}{suffix}" for role, key in KEYS[api].items()} for api in KEYS}
        world = cls(server_url, f"check-{suffix}", keys, session, limit_s)
        version = world._ask("GET", "/_mock/version")
        if not isinstance(version, dict) or not {"version", "seed"} <= version.keys():
            raise NotTheFake("its /_mock/version is not that of the fake")
        clock = {"mode": "frozen", "now": CLOCK_START} if frozen else {}
        world._ask("POST", "/_mock/worlds", {"name": world.name, "seed": seed, "clock": clock})
        try:
            for account in accounts(keys):
                # A world begins with the accounts of the settings, which may have the same names.
                named = account | {"name": f"check-{account['name']}"}
                world._ask("POST", f"/_mock/worlds/{world.name}/accounts", named)
            for api in apis:
                world._prove(api)
        except NotTheFake:
            world.drop()
            raise
        return world

    def drop(self) -> None:
        """Drop the world with all that is in it."""
        with suppress(NotTheFake, Unreachable):
            self._ask("DELETE", f"/_mock/worlds/{self.name}")

    def _prove(self, api: Api) -> None:
        """Require that a read with the key of the world arrives in the journal of the world."""
        nonce = str(uuid4())
        method, path, body = "GET", f"/generations/{nonce}", None
        if api == "acedata":
            method, path, body = "POST", "/tasks", {"action": "retrieve", "id": nonce}
        headers = {"authorization": f"Bearer {self.keys[api]['own']}"}
        answer = self._send(method, self.url + PREFIX[api] + path, body, headers)
        kept = self._ask("GET", f"/_mock/worlds/{self.name}/requests?method={method}")
        try:
            [found] = [each for each in kept["requests"] if nonce in json.dumps(each)]
            account = f"check-{api}-own"
            is_same = found["status"] == answer.status_code and found["account"] == account
        except (ValueError, TypeError, KeyError):
            is_same = False
        if not is_same:
            raise NotTheFake(f"a request to {PREFIX[api]} did not arrive in a world of the fake")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer of the control door. Raises NotTheFake and Unreachable."""
        answer = self._send(method, self.server_url + path, body, {})
        if not answer.ok or answer.is_redirect:
            raise NotTheFake(f"{method} {path} is {answer.status_code}")
        try:
            return answer.json()
        except ValueError as error:
            raise NotTheFake(f"{method} {path} is no JSON") from error

    def _send(
        self, method: str, url: str, body: Any, headers: Mapping[str, str]
    ) -> requests.Response:
        how = {"json": body, "headers": headers, "timeout": self.limit_s, "allow_redirects": False}
        try:
            return self.session.request(method, url, **how)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise Unreachable(f"nothing was judged: {reason_of(error, self.server_url)}") from error
        except requests.RequestException as error:
            raise NotTheFake(f"{method} {url}: {type(error).__name__}") from error
