"""Who may ask: the credentials of a run, by the part each plays."""

from __future__ import annotations

from collections.abc import Mapping

from contract_tests.contract import Api

ENVIRONMENT = "HAILUO_CHECK_"

ROLES: Mapping[str, str] = {
    "own": "the account that asks, and pays",
    "second": "an account of its own, to see what is hidden from others",
    "revoked": "a key that was taken back",
    "expired": "a key past its end",
    "disabled": "a token that is switched off",
    "mismatched": "a token of another service",
    "without_scopes": "a key that lacks every scope",
    "limited": "a key that may make three requests a minute",
    "poor": "an account that cannot pay for anything",
    "one": "an account that can pay for exactly one hailuo-pro video, or one of AceData's",
}


def variable(api: Api, role: str) -> str:
    """The environment variable that holds a credential."""
    of_api = "" if api == "rivya" else "ACEDATA_"
    of_role = "" if role == "own" else f"{role.upper()}_"
    return f"{ENVIRONMENT}{of_api}{of_role}API_KEY"


def from_environment(api: Api, environment: Mapping[str, str]) -> dict[str, str]:
    """The credentials that the environment holds for one API, by role."""
    found = {role: environment.get(variable(api, role), "") for role in ROLES}
    return {role: key for role, key in found.items() if key}
