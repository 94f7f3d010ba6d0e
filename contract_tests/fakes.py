"""Starts the fake in a process of its own, with the accounts and settings that checks need.

It is started by its command; no code of it is imported.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from contract_tests.contract import Api

COMMAND = "HAILUO_CHECK_FAKE"
"""The environment variable with the command that starts another server instead of the fake."""

MODERATED_WORD = "unmentionable"
HOLD_LIMIT_S = 0.5
CLOCK_START = "2026-05-11T00:00:00Z"
ALLOWED = 3
"""How many requests the limited keys may send in a minute."""

KEYS: Mapping[Api, Mapping[str, str]] = {
    "rivya": {
        "own": "rvya_sk_test",
        "second": "rvya_sk_second",
        "revoked": "rvya_sk_revoked",
        "expired": "rvya_sk_expired",
        "without_scopes": "rvya_sk_without_scopes",
        "limited": "rvya_sk_limited",
        "poor": "rvya_sk_poor",
        "one": "rvya_sk_one",
    },
    "acedata": {
        "own": "test-token",
        "second": "second-token",
        "revoked": "revoked-token",
        "expired": "expired-token",
        "disabled": "disabled-token",
        "mismatched": "other-service-token",
        "limited": "limited-token",
        "poor": "poor-token",
        "one": "one-token",
    },
}
_KEY_FIELDS: Mapping[str, dict[str, Any]] = {
    "revoked": {"revoked": True},
    "expired": {"expires_at": "2020-01-01T00:00:00Z"},
    "disabled": {"disabled": True},
    "without_scopes": {"scopes": []},
    "limited": {"rate_limit": ALLOWED},
}
_CREDITS: Mapping[tuple[Api, str], int] = {
    ("rivya", "poor"): 29,
    ("rivya", "one"): 57,
    ("acedata", "poor"): 0,
    ("acedata", "one"): 1,
}
_ACCOUNTS = ("own", "second", "poor", "one")

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "default": {"acedata.moderated_words": MODERATED_WORD},
    "failing": {"tasks.failure_rate": 1},
    "flaky": {"tasks.failure_rate": 0.5},
    "off": {"rivya.api_enabled": "false", "acedata.implemented": "false"},
    "strict": {"webhook_urls": "strict"},
    "impatient": {"acedata.hold_limit_s": HOLD_LIMIT_S},
}


class StartError(Exception):
    """The fake did not start. The message has the end of its standard error."""


class RunningFake:
    """A fake on a free port. Its process ends with the `with` block."""

    def __init__(self, variant: str, *, seed: int, frozen: bool = True) -> None:
        self._settings = dict(VARIANTS[variant]) | {
            "clock.mode": "frozen" if frozen else "real",
            "clock.start": CLOCK_START,
            "seed": seed,
            "port": 0,
            "log_level": "error",
            "accounts": json.dumps(accounts(KEYS)),
        }
        self.url = ""

    def __enter__(self) -> Self:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("HAILUO_MOCK_") and not name.endswith("_API_KEY")
        }
        for name, value in self._settings.items():
            environment["HAILUO_MOCK_" + name.upper().replace(".", "_")] = str(value)
        command = os.environ.get(COMMAND) or f"{shlex.quote(sys.executable)} -m mock_server serve"
        self._home = tempfile.TemporaryDirectory(prefix="hailuo-check-")
        self._log = (Path(self._home.name) / "log").open("w+")
        self._process = subprocess.Popen(  # noqa: S603 - our own command, or the caller's
            shlex.split(command),
            cwd=self._home.name,  # an empty folder, without the caller's settings file
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._process.stdout is not None  # noqa: S101
        try:
            ready = self._process.stdout.readline()
        except BaseException:  # a signal, for example
            self.__exit__()
            raise
        if not ready.startswith("{"):
            self.__exit__()
            raise StartError(f"the fake did not start: {self.stderr or 'it wrote no error'}")
        self.url = json.loads(ready)["url"]
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._log.seek(0)
        self.stderr = self._log.read().strip()[-2000:]
        self._log.close()
        self._home.cleanup()


def accounts(keys_by_api: Mapping[Api, Mapping[str, str]]) -> list[dict[str, Any]]:
    """The accounts that checks need, in the form of the fake's settings and control door."""
    return [
        {
            "name": f"{api}-{owner}",
            "credits": _CREDITS.get((api, owner), 1_000_000),
            "keys": [
                _key(api, role, key)
                for role, key in keys.items()
                if role == owner or (owner == "own" and role not in _ACCOUNTS)
            ],
        }
        for api, keys in keys_by_api.items()
        for owner in _ACCOUNTS
    ]


def _key(api: Api, role: str, key: str) -> dict[str, Any]:
    of_api = "other" if role == "mismatched" else api
    return {"key": key, "api": of_api} | _KEY_FIELDS.get(role, {})
