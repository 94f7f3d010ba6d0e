"""Accounts: what they have to spend, and the keys that open them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from starlette.responses import Response

from mock_server.config.settings import AccountSettings, Credits, KeySettings
from mock_server.core.accounts import Key
from mock_server.core.refusals import Conflict, UnknownPath
from mock_server.core.suggestions import near
from mock_server.core.world import World
from mock_server.door.limits import require_room
from mock_server.door.worlds import home_of, world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list
from mock_server.edge.timestamps import moment_or_null
from mock_server.edge.typed_body import TypedBody
from mock_server.simulation.worlds import Home, make_key


class AccountChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is not named stays.

    credits: what can be spent from now on.
    keys: issued, or put in the place of the account's key of the same name.
    """

    credits: Credits | None = None
    keys: tuple[KeySettings, ...] = ()


ACCOUNT: TypedBody[AccountSettings] = TypedBody(AccountSettings)
CHANGE: TypedBody[AccountChange] = TypedBody(AccountChange)


async def list_accounts(call: Call) -> Response:
    """GET /_mock/worlds/{world}/accounts: every account with its ledger and its keys."""
    world = world_of(call)
    keys: dict[str, list[Key]] = {name: [] for name in world.ledger.accounts}
    for key in world.keys:
        keys.setdefault(key.account, []).append(key)
    return json_list("accounts", (_show(world, name, keys[name]) for name in world.ledger.accounts))


async def get_account(call: Call) -> Response:
    """GET /_mock/worlds/{world}/accounts/{account}: its ledger and its keys."""
    return json_response(_show(world_of(call), _name(call)))


async def make_account(call: Call) -> Response:
    """POST /_mock/worlds/{world}/accounts: `{"name": …, "credits": …, "keys": […]}`."""
    home = home_of(call)
    asked = ACCOUNT.read(call.json())
    if asked.name in home.world.ledger.accounts:
        raise Conflict(f"there is an account called '{asked.name}' already")
    require_room(call, "accounts", len(home.world.ledger.accounts) + 1)
    _issue(call, home, asked.name, asked.keys)
    home.world.ledger.grant(asked.name, asked.credits)
    return json_response(_show(home.world, asked.name), 201)


async def change_account(call: Call) -> Response:
    """PATCH /_mock/worlds/{world}/accounts/{account}: other credits, new or changed keys."""
    home, name = home_of(call), _name(call)
    change = CHANGE.read(call.json())
    _issue(call, home, name, change.keys)
    if change.credits is not None:
        home.world.ledger.set_available(name, change.credits)
    return json_response(_show(home.world, name))


def _issue(call: Call, home: Home, account: str, keys: tuple[KeySettings, ...]) -> None:
    """Refuses with Conflict if one of the keys is somebody else's, and if there would be too many;
    then none is issued."""
    secrets = {key.secret for key in home.world.keys} | {each.key for each in keys}
    require_room(call, "keys", len(secrets))
    for each in keys:
        owner = home.world.keys.get(each.key)
        if owner is not None and owner.account != account:
            raise Conflict(f"the key {each.key} belongs to the account '{owner.account}'")
        call.fake.worlds.require_free(each.key, home)
    for each in keys:
        call.fake.worlds.claim(each.key, home)
        home.world.keys.put(make_key(account, each))


def _name(call: Call) -> str:
    name, known = call.path_value("account"), world_of(call).ledger.accounts
    if name not in known:
        raise UnknownPath(f"there is no account called '{name}'{near(name, known)}")
    return name


def _show(world: World, name: str, keys: Iterable[Key] | None = None) -> dict[str, Any]:
    """keys: the account's, if they are known already."""
    if keys is None:
        keys = (key for key in world.keys if key.account == name)
    balance = world.ledger.balance(name)
    return {
        "name": name,
        "credits": balance.available_credits,
        "ledger": {
            "granted": balance.granted_credits,
            "available": balance.available_credits,
            "reserved": balance.reserved_credits,
            "spent": balance.spent_credits,
        },
        "keys": [_show_key(key) for key in keys],
    }


def _show_key(key: Key) -> dict[str, Any]:
    return {
        "key": key.secret,
        "api": key.api,
        "scopes": sorted(key.scopes),
        "revoked": key.revoked,
        "disabled": key.disabled,
        "expires_at": moment_or_null(key.expires_ms),
        "rate_limit": key.rate_limit,
    }
