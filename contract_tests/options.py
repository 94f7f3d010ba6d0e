"""What a run was told: from options, else from the environment; checked before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest

from contract_tests import fakes
from contract_tests.contract import APIS, Api
from contract_tests.keys import from_environment, variable
from contract_tests.target import is_loopback, is_production

_GROUP = "contract suite"
_DEST = "contract_"
DEFAULT_SEED = 1


@dataclass(frozen=True)
class Options:
    """One run's settings. base_url: None lets the suite start the fake itself."""

    apis: tuple[Api, ...]
    base_url: str | None
    keys: Mapping[Api, Mapping[str, str]]
    max_credits: int | None
    profile: Literal["safe", "full"]
    quick: bool
    seed: int
    report_dir: Path | None
    record_dir: Path | None
    callback_url: str | None
    only: tuple[str, ...]
    live: bool
    control_door: bool
    stop_early: bool
    requests_per_second: float | None
    at_once: int

    @property
    def refusal(self) -> str | None:
        """Why this run may not start, if it may not."""
        if self.base_url is None:
            return None
        if is_production(self.base_url) and not self.live:
            return (
                f"{self.base_url} is a production host: nothing was sent. Say --live if you mean "
                "it, and --max-credits N to let it spend credits (without, it spends none)."
            )
        missing = [api for api in self.apis if "own" not in self.keys[api]]
        if missing and not is_loopback(self.base_url):
            named = " and ".join(variable(api, "own") for api in missing)
            return f"no key for {' and '.join(missing)}: give --api-key, or set {named}"
        return None


def add_options(parser: pytest.Parser) -> None:
    """The options of `hailuo-mock check`, for pytest."""
    group = parser.getgroup(_GROUP)
    for name, facts in OPTIONS.items():
        group.addoption(name, dest=_DEST + name.strip("-").replace("-", "_"), **facts)


OPTIONS: Mapping[str, dict[str, Any]] = {
    "--api": {"choices": [*APIS, "all"], "default": "all", "help": "which API's contract"},
    "--base-url": {"help": "the server to check; without one the suite starts the fake itself"},
    "--api-key": {"help": f"key or token; or set {variable('rivya', 'own')}"},
    "--second-api-key": {"help": "a key of another account, to see what is hidden from it"},
    "--against": {"choices": ["fake"], "help": "fake: start the fake, the default"},
    "--max-credits": {"type": int, "help": "spend at most so many; 0 unless on this machine"},
    "--profile": {
        "choices": ["safe", "full"],
        "help": "safe: no fuzzing, nothing left behind; the default unless on this machine",
    },
    "--quick": {"action": "store_true", "help": "fewer examples: seconds instead of a minute"},
    "--seed": {"type": int, "default": DEFAULT_SEED, "help": "same seed, same requests"},
    "--report-dir": {"type": Path, "help": "write junit.xml, run.ndjson, traffic.har, report.html"},
    "--record": {"type": Path, "help": "keep what the server answered, for hailuo-mock drift"},
    "--callback-url": {
        "help": "how the server reaches port 4011 here, where callbacks are received"
    },
    "--only": {"action": "append", "default": [], "help": "checks whose name contains this"},
    "--list": {"action": "store_true", "help": "list every promise, its source and its checks"},
    "--live": {"action": "store_true", "help": "yes, a production host"},
    "--no-control-door": {
        "action": "store_true",
        "help": "wait, even where the clock could be set",
    },
    "--stop-early": {"action": "store_true", "help": "stop at the first finding"},
    "--json": {"action": "store_true", "help": "the result for machines, on stdout"},
}


def told(config: pytest.Config, name: str) -> Any:
    """The value of one option."""
    return config.getoption(_DEST + name)


def _is_url(text: str) -> bool:
    """Whether it has a host, and a port if any is given."""
    try:
        url = urlsplit(text)
        return bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def read(config: pytest.Config) -> Options:
    """The options of a run. Raises pytest.UsageError for what contradicts itself."""
    named = told(config, "api")
    apis: tuple[Api, ...] = APIS if named == "all" else (named,)
    base_url = (told(config, "base_url") or "").rstrip("/") or None
    if base_url and told(config, "against"):
        raise pytest.UsageError("--base-url and --against name two servers: give one of them")
    if base_url and not base_url.startswith(("http://", "https://")):
        raise pytest.UsageError(f"--base-url must begin with http:// or https://, not {base_url!r}")
    if base_url and not _is_url(base_url):
        right = "must be a URL, like http://127.0.0.1:4010"
        raise pytest.UsageError(f"--base-url {right}, not {base_url!r}")
    near = base_url is None or is_loopback(base_url)
    max_credits = told(config, "max_credits")
    if max_credits is not None and max_credits < 0:
        raise pytest.UsageError("--max-credits cannot be less than 0")
    return Options(
        apis=apis,
        base_url=base_url,
        keys={api: _keys(config, api, base_url) for api in apis},
        max_credits=0 if max_credits is None and not near else max_credits,
        profile=told(config, "profile") or ("full" if near else "safe"),
        quick=told(config, "quick"),
        seed=told(config, "seed"),
        report_dir=told(config, "report_dir"),
        record_dir=told(config, "record"),
        callback_url=told(config, "callback_url"),
        only=tuple(told(config, "only")),
        live=told(config, "live"),
        control_door=not told(config, "no_control_door"),
        stop_early=told(config, "stop_early"),
        requests_per_second=None if near else 2.0,
        at_once=16 if near else 2,
    )


def _keys(config: pytest.Config, api: Api, base_url: str | None) -> Mapping[str, str]:
    """The fake's own keys, or those that were given; a local server is asked with the usual one."""
    if base_url is None:
        return fakes.KEYS[api]
    keys = from_environment(api, os.environ)
    if told(config, "api_key"):
        keys["own"] = told(config, "api_key")
    if told(config, "second_api_key"):
        keys["second"] = told(config, "second_api_key")
    if "own" not in keys and is_loopback(base_url):
        keys["own"] = fakes.KEYS[api]["own"]
    return keys
