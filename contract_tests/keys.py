"""The credentials of a run, each under the role that its account plays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from contract_tests.contract import Api
from contract_tests.redaction import secrets_in_url

ENVIRONMENT = "HAILUO_CHECK_"

CONTROL_TOKEN = "HAILUO_MOCK_CONTROL_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable with the token of a running fake's control door."""

OPTIONS = ("--api-key", "--second-api-key")
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")

ROLES: Mapping[str, str] = {
    "own": "the account that sends requests and pays for them",
    "second": "another account, to see what is hidden from it",
    "revoked": "a revoked key",
    "expired": "an expired key",
    "disabled": "a disabled token",
    "mismatched": "a token of another service",
    "without_scopes": "a key without any scope",
    "limited": "a key that may send three requests a minute",
    "poor": "an account that cannot pay for anything",
    "one": "an account that can pay for exactly one hailuo-pro video, or one of AceData's",
}


def variable(api: Api, role: str) -> str:
    """The environment variable that holds a credential."""
    of_api = "" if api == "rivya" else "ACEDATA_"
    of_role = "" if role == "own" else f"{role.upper()}_"
    return f"{ENVIRONMENT}{of_api}{of_role}API_KEY"


def from_environment(api: Api, environment: Mapping[str, str]) -> dict[str, str]:
    """The credentials of one API in the environment, by role."""
    found = {role: environment.get(variable(api, role), "") for role in ROLES}
    return {role: key for role, key in found.items() if key}


def secrets_of(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """Every secret in the arguments and the environment of the command."""
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        name, _, value = argument.partition("=")
        if name in OPTIONS:
            yield value or following
        yield from secrets_in_url(value if name.startswith("-") else argument)
    for name, value in environment.items():
        is_key = name.startswith(ENVIRONMENT) and name.endswith("_KEY")
        if is_key or name == CONTROL_TOKEN:
            yield value
        if name.upper() in _PROXIES:
            yield from secrets_in_url(value)
