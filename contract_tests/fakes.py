"""The fake as the suite starts it: which accounts it has, and how it can be told to misbehave.

It is started as the command it is, in a process of its own; nothing of it is imported.
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
from types import TracebackType
from typing import Any, Self

from contract_tests.contract import Api

COMMAND = "HAILUO_CHECK_FAKE"
MODERATED_WORD = "unmentionable"
HOLD_LIMIT_S = 0.5

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
_FACTS: Mapping[str, dict[str, Any]] = {
    "revoked": {"revoked": True},
    "expired": {"expires_at": "2020-01-01T00:00:00Z"},
    "disabled": {"disabled": True},
    "without_scopes": {"scopes": []},
    "limited": {"rate_limit": 3},
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
    """The fake did not start; the message says what it said."""


class RunningFake:
    """A fake on a free port. Leaving the block ends its process."""

    def __init__(self, variant: str, *, seed: int, frozen: bool = True) -> None:
        self._settings = dict(VARIANTS[variant]) | {
            "clock.mode": "frozen" if frozen else "real",
            "clock.start": "2026-05-11T00:00:00Z",
            "seed": seed,
            "port": 0,
            "log_level": "error",
            "accounts": json.dumps(_accounts()),
        }
        self.url = ""

    def __enter__(self) -> Self:
        environment = {n: v for n, v in os.environ.items() if not n.startswith("HAILUO_MOCK_")}
        for name, value in self._settings.items():
            environment["HAILUO_MOCK_" + name.upper().replace(".", "_")] = str(value)
        command = os.environ.get(COMMAND) or f"{shlex.quote(sys.executable)} -m mock_server serve"
        self._home = tempfile.TemporaryDirectory(prefix="hailuo-check-")
        self._log = (Path(self._home.name) / "log").open("w+")
        self._process = subprocess.Popen(  # noqa: S603 - our own command, or the caller's
            shlex.split(command),
            cwd=self._home.name,  # where no settings file of the caller's lies
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._process.stdout is not None  # noqa: S101
        ready = self._process.stdout.readline()
        if not ready.startswith("{"):
            self.__exit__(None, None, None)
            raise StartError(f"the fake did not start: {self.said or 'it said nothing'}")
        self.url = json.loads(ready)["url"]
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._log.seek(0)
        self.said = self._log.read().strip()[-2000:]
        self._log.close()
        self._home.cleanup()


def _accounts() -> list[dict[str, Any]]:
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
        for api, keys in KEYS.items()
        for owner in _ACCOUNTS
    ]


def _key(api: Api, role: str, key: str) -> dict[str, Any]:
    of_api = "other" if role == "mismatched" else api
    return {"key": key, "api": of_api} | _FACTS.get(role, {})
