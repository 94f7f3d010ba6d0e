"""Accounts: their credits and their keys."""

from collections.abc import Iterable

import msgspec
from starlette.responses import Response

from mock_server.config.settings import AccountSettings, Credits, KeySettings, Limit
from mock_server.control import answers
from mock_server.core.accounts import Key
from mock_server.core.ledger import Balance
from mock_server.core.refusals import Conflict, UnknownPath
from mock_server.core.suggestions import did_you_mean
from mock_server.core.world import World
from mock_server.door.limits import require_room
from mock_server.door.worlds import slot_of, world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list
from mock_server.edge.timestamps import moment_or_none
from mock_server.edge.typed_body import TypedBody
from mock_server.simulation.world_settings import make_key
from mock_server.simulation.worlds import WorldSlot


class AccountChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of an account; what is left out stays.

    credits: how many can be spent from now on.
    in_flight: how many tasks may not have ended; 0: any number.
    keys: new ones, or replacements of the account's keys of the same names.
    """

    credits: Credits | None = None
    in_flight: Limit | None = None
    keys: tuple[KeySettings, ...] = ()


ACCOUNT: TypedBody[AccountSettings] = TypedBody(AccountSettings)
CHANGE: TypedBody[AccountChange] = TypedBody(AccountChange)


async def list_accounts(call: Call) -> Response:
    """GET /_mock/worlds/{world}/accounts: every account with its ledger and its keys."""
    world = world_of(call)
    keys: dict[str, list[Key]] = {name: [] for name in world.ledger.accounts}
    for key in world.keys:
        keys.setdefault(key.account, []).append(key)
    accounts = (_answer(world, name, keys[name]) for name in world.ledger.accounts)
    return json_list(answers.AccountList([]), "accounts", accounts)


async def get_account(call: Call) -> Response:
    """GET /_mock/worlds/{world}/accounts/{account}: one account with its ledger and its keys."""
    return json_response(_answer(world_of(call), account_name(call)))


async def make_account(call: Call) -> Response:
    """POST /_mock/worlds/{world}/accounts: `{"name": …, "credits": …, "keys": […]}`."""
    slot = slot_of(call)
    asked = ACCOUNT.read(call.json(), call.server.apis)
    if asked.name in slot.world.ledger.accounts:
        raise Conflict(f"there is an account called '{asked.name}' already")
    require_room(call, "accounts", len(slot.world.ledger.accounts) + 1)
    _issue(call, slot, asked.name, asked.keys)
    slot.world.ledger.grant(asked.name, asked.credits)
    slot.world.in_flight.set_account_limit(asked.name, asked.in_flight or 0)
    return json_response(_answer(slot.world, asked.name), 201)


async def change_account(call: Call) -> Response:
    """PATCH /_mock/worlds/{world}/accounts/{account}: set its credits and its limit of tasks in
    flight, add or replace keys."""
    slot, name = slot_of(call), account_name(call)
    change = CHANGE.read(call.json(), call.server.apis)
    _issue(call, slot, name, change.keys)
    if change.credits is not None:
        slot.world.ledger.set_available(name, change.credits)
    if change.in_flight is not None:
        slot.world.in_flight.set_account_limit(name, change.in_flight)
    return json_response(_answer(slot.world, name))


def _issue(call: Call, slot: WorldSlot, account: str, keys: tuple[KeySettings, ...]) -> None:
    """Issue all keys, or none: refuses with Conflict if a key belongs to another account, or if the
    world would have too many."""
    secrets = {key.secret for key in slot.world.keys} | {each.key for each in keys}
    require_room(call, "keys", len(secrets))
    for each in keys:
        owner = slot.world.keys.get(each.key)
        if owner is not None and owner.account != account:
            raise Conflict(f"the key {each.key} belongs to the account '{owner.account}'")
        call.server.worlds.require_free(each.key, slot)
    for each in keys:
        call.server.worlds.claim(each.key, slot)
        slot.world.put_key(make_key(account, each))


def account_name(call: Call) -> str:
    """The account in the path. Refuses with UnknownPath if there is none."""
    name, known = call.path_value("account"), world_of(call).ledger.accounts
    if name not in known:
        raise UnknownPath(f"there is no account called '{name}'{did_you_mean(name, known)}")
    return name


def balance_answer(balance: Balance) -> answers.Balance:
    """The credits of an account."""
    return answers.Balance(
        granted=balance.granted_credits,
        available=balance.available_credits,
        reserved=balance.reserved_credits,
        spent=balance.spent_credits,
    )


def _answer(world: World, name: str, keys: Iterable[Key] | None = None) -> answers.Account:
    """keys: of the account; None: they are looked up."""
    if keys is None:
        keys = (key for key in world.keys if key.account == name)
    ledger = balance_answer(world.ledger.balance(name))
    in_flight = world.in_flight.account_limits.get(name)
    shown = tuple(map(_key_answer, keys))
    return answers.Account(name, ledger.available, ledger, shown, in_flight)


def _key_answer(key: Key) -> answers.Key:
    scopes, expires_at = tuple(sorted(key.scopes)), moment_or_none(key.expires_ms)
    return answers.answer_of(answers.Key, key, key=key.secret, scopes=scopes, expires_at=expires_at)
