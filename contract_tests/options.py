"""Reads the settings of a run from options and environment, and checks them before it starts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from contract_tests import fakes
from contract_tests.contract import APIS, Api
from contract_tests.keys import from_environment, variable
from contract_tests.network import CertificatesError, ca_bundle_of
from contract_tests.origins import Base, NotABaseUrl
from contract_tests.target import is_loopback, is_production

_GROUP = "contract suite"
_DEST = "contract_"
DEFAULT_SEED = 1
DEFAULT_MINUTES = 60.0
_MOST_MINUTES = 100_000
_LARGEST_SEED = 2**63 - 1
FOLDER = "DIR"
"""The metavar of an option whose value is a folder."""


@dataclass(frozen=True)
class Options:
    """The settings of one run.

    base_url: None means that the suite starts the fake. profile, max_credits: None until `on`.
    """

    apis: tuple[Api, ...]
    base_url: str | None
    keys: Mapping[Api, Mapping[str, str]]
    max_credits: int | None
    max_minutes: float
    profile: Literal["safe", "full"] | None
    quick: bool
    seed: int
    report_dir: Path | None
    record_dir: Path | None
    callback_url: str | None
    only: tuple[str, ...]
    live: bool
    ca_bundle: str | None
    uses_proxy: bool
    control_door: bool
    stop_early: bool
    requests_per_second: float | None
    max_parallel: int

    @property
    def longest_wait_s(self) -> float:
        """The longest wait for an answer, a tenth of the run. A video held open may take longer."""
        return self.max_minutes * 60 / 10

    def on(self, *, is_fake: bool) -> Options:
        """The settings for a server. One that does not prove to be the fake costs credits."""
        max_credits = self.max_credits
        return replace(
            self,
            max_credits=0 if max_credits is None and not is_fake else max_credits,
            profile=self.profile or ("full" if is_fake else "safe"),
        )

    @property
    def refusal(self) -> str | None:
        """The reason why this run must not start, or None."""
        if self.base_url is None:
            return None
        if is_production(self.base_url) and not self.live:
            return (
                f"{self.base_url} is a production host: nothing was sent. Give --live to check it, "
                "and --max-credits N to let the run spend credits (without, it spends none)."
            )
        missing = [api for api in self.apis if "own" not in self.keys[api]]
        if missing and not is_loopback(self.base_url):
            named = " and ".join(variable(api, "own") for api in missing)
            return f"no key for {' and '.join(missing)}: give --api-key, or set {named}"
        return None


def add_options(parser: pytest.Parser) -> None:
    """Add the options of `hailuo-mock check` to pytest."""
    group = parser.getgroup(_GROUP)
    for name, settings in OPTIONS.items():
        group.addoption(name, dest=_DEST + name.strip("-").replace("-", "_"), **settings)


OPTIONS: Mapping[str, dict[str, Any]] = {
    "--api": {"choices": [*APIS, "all"], "default": "all", "help": "which API's contract"},
    "--base-url": {"help": "the server to check; without it the suite starts the fake"},
    "--api-key": {"help": f"key or token; or set {variable('rivya', 'own')}"},
    "--second-api-key": {"help": "a key of another account, to see what is hidden from it"},
    "--against": {"choices": ["fake"], "help": "fake: start the fake, the default"},
    "--max-credits": {
        "type": int,
        "help": "spend at most so many; 0 by default for a server that is not the fake",
    },
    "--profile": {
        "choices": ["safe", "full"],
        "help": "safe: no fuzzing, and nothing stays on the server; "
        "the default for a server that is not the fake",
    },
    "--quick": {"action": "store_true", "help": "fewer examples: seconds instead of a minute"},
    "--seed": {"type": int, "default": DEFAULT_SEED, "help": "same seed, same requests"},
    "--report-dir": {
        "metavar": FOLDER,
        "help": "write junit.xml, run.ndjson, traffic.har, report.html",
    },
    "--record": {
        "metavar": FOLDER,
        "help": "write the answers to this folder, for hailuo-mock drift",
    },
    "--callback-url": {
        "help": "the URL under which the server reaches port 4011 here, which receives callbacks"
    },
    "--only": {
        "action": "append",
        "default": [],
        "help": "checks whose name contains this, or of the promise with this id",
    },
    "--list": {"action": "store_true", "help": "list every promise, its source and its checks"},
    "--max-minutes": {
        "type": float,
        "default": DEFAULT_MINUTES,
        "help": "end the run after so many minutes",
    },
    "--ca-bundle": {
        "help": "a file with the certificates to trust (PEM); or set REQUESTS_CA_BUNDLE or "
        "SSL_CERT_FILE"
    },
    "--proxy": {
        "action": "store_true",
        "help": "send through the proxy that HTTPS_PROXY or HTTP_PROXY names",
    },
    "--live": {"action": "store_true", "help": "allow a production host"},
    "--no-control-door": {
        "action": "store_true",
        "help": "wait in real time, even where the clock can be advanced",
    },
    "--stop-early": {"action": "store_true", "help": "stop at the first finding"},
    "--json": {"action": "store_true", "help": "print the result as JSON on stdout"},
}


def value_of(config: pytest.Config, name: str) -> Any:
    """The value of one option."""
    return config.getoption(_DEST + name)


def read(config: pytest.Config) -> Options:
    """The settings of a run. Raises pytest.UsageError for options that are wrong or conflict."""
    _require_values(config)
    named = value_of(config, "api")
    apis: tuple[Api, ...] = APIS if named == "all" else (named,)
    base_url = value_of(config, "base_url")
    if base_url and value_of(config, "against"):
        raise pytest.UsageError("--base-url and --against name two servers: give one of them")
    try:
        base_url = Base.of(base_url).url if base_url else None
    except NotABaseUrl as error:  # the text itself may have a password
        raise pytest.UsageError(f"--base-url {error}") from None
    is_local = base_url is None or is_loopback(base_url)
    max_credits = value_of(config, "max_credits")
    if max_credits is not None and max_credits < 0:
        raise pytest.UsageError("--max-credits cannot be less than 0")
    if not 0 <= value_of(config, "seed") <= _LARGEST_SEED:
        raise pytest.UsageError(f"--seed must be from 0 to {_LARGEST_SEED}")
    if not 0 < value_of(config, "max_minutes") < _MOST_MINUTES:
        raise pytest.UsageError(f"--max-minutes must be more than 0 and less than {_MOST_MINUTES}")
    if len(apis) > 1:
        _require_one_api(config, base_url)
    return Options(
        max_minutes=value_of(config, "max_minutes"),
        apis=apis,
        base_url=base_url,
        keys={api: _keys(config, api, base_url) for api in apis},
        max_credits=max_credits,
        profile=value_of(config, "profile"),
        quick=value_of(config, "quick"),
        seed=value_of(config, "seed"),
        report_dir=_folder(config, "report_dir"),
        record_dir=_folder(config, "record"),
        callback_url=value_of(config, "callback_url"),
        only=tuple(value_of(config, "only")),
        live=value_of(config, "live"),
        ca_bundle=_ca_bundle(config),
        uses_proxy=value_of(config, "proxy"),
        control_door=not value_of(config, "no_control_door"),
        stop_early=value_of(config, "stop_early"),
        requests_per_second=None if is_local else 2.0,
        max_parallel=16 if is_local else 2,
    )


def _require_values(config: pytest.Config) -> None:
    """Refuse empty values, such as that of a variable that is not set, and a wrong callback URL."""
    for name in OPTIONS:
        value = value_of(config, name.strip("-").replace("-", "_"))
        if value == "" or (isinstance(value, list) and "" in value):
            raise pytest.UsageError(f"{name} is empty: give it a value, or leave it out")
    url = value_of(config, "callback_url")
    if url and not re.match("https?://[^/?#]", url, re.IGNORECASE):
        raise pytest.UsageError("--callback-url must be a URL, like https://example.com/callbacks")


def _folder(config: pytest.Config, name: str) -> Path | None:
    value = value_of(config, name)
    return None if value is None else Path(value)


def _require_one_api(config: pytest.Config, base_url: str | None) -> None:
    """Refuse one key for two APIs: a key must not be sent to another vendor."""
    for name, role in (("api_key", "own"), ("second_api_key", "second")):
        if base_url and value_of(config, name):
            variables = " and ".join(variable(api, role) for api in APIS)
            raise pytest.UsageError(
                f"--{name.replace('_', '-')} is the key of one API: give --api {APIS[0]} or --api "
                f"{APIS[1]}, or set {variables}"
            )


def _ca_bundle(config: pytest.Config) -> str | None:
    try:
        return ca_bundle_of(value_of(config, "ca_bundle"), os.environ)
    except CertificatesError as error:
        raise pytest.UsageError(str(error)) from error


def _keys(config: pytest.Config, api: Api, base_url: str | None) -> Mapping[str, str]:
    """The keys by role: the fake's own, or those given; the fake's default for a local server."""
    if base_url is None:
        return fakes.KEYS[api]
    keys = from_environment(api, os.environ)
    if value_of(config, "api_key"):
        keys["own"] = value_of(config, "api_key")
    if value_of(config, "second_api_key"):
        keys["second"] = value_of(config, "second_api_key")
    if "own" not in keys and is_loopback(base_url):
        keys["own"] = fakes.KEYS[api]["own"]
    return keys
