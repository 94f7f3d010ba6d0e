"""Credits: granted, held for a task, then spent or given back. None is ever lost or made."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from mock_server.core.numbers import Whole
from mock_server.core.refusals import InsufficientCredits


@dataclass(slots=True)
class Balance:
    """One account's credits. Always: granted = available + reserved + spent, none negative."""

    granted_credits: Whole = 0
    available_credits: Whole = 0
    reserved_credits: Whole = 0
    spent_credits: Whole = 0


class AccountState(Struct, frozen=True, forbid_unknown_fields=True):
    """An account with its credits."""

    account: str
    balance: Balance


class Reservation(Struct, frozen=True, forbid_unknown_fields=True):
    """Credits of an account, held for a task."""

    task_id: str
    account: str
    price_credits: Whole


class LedgerState(Struct, frozen=True, forbid_unknown_fields=True):
    """All that a ledger knows: accounts in the order in which they were first heard of."""

    accounts: tuple[AccountState, ...]
    reservations: tuple[Reservation, ...]


class Ledger:
    """Who has how many credits, and which of them are held for which task."""

    def __init__(self) -> None:
        self._balances: dict[str, Balance] = {}
        self._reservations: dict[str, tuple[str, int]] = {}

    def state(self) -> LedgerState:
        """All that it knows; the balances in it go on changing."""
        return LedgerState(
            tuple(AccountState(*each) for each in self._balances.items()),
            tuple(Reservation(task_id, *held) for task_id, held in self._reservations.items()),
        )

    def restore(self, state: LedgerState) -> None:
        """Know this, and nothing else."""
        self._balances = {each.account: each.balance for each in state.accounts}
        self._reservations = {
            each.task_id: (each.account, each.price_credits) for each in state.reservations
        }

    def balance(self, account: str) -> Balance:
        """The account's credits now; an account never heard of has none."""
        balance = self._balances.get(account)
        if balance is None:
            balance = self._balances[account] = Balance()
        return balance

    def grant(self, account: str, credits: int) -> None:
        """Give the account more to spend. Raises ValueError for a negative amount."""
        if credits < 0:
            raise ValueError(f"cannot grant {credits} credits")
        balance = self.balance(account)
        balance.granted_credits += credits
        balance.available_credits += credits

    @property
    def accounts(self) -> list[str]:
        """Whoever was ever granted something, or asked about."""
        return list(self._balances)

    def holds(self, task_id: str) -> bool:
        """Whether credits are held for this task: it has not ended yet."""
        return task_id in self._reservations

    def set_available(self, account: str, credits: int) -> None:
        """Have the account exactly this much to spend: granted is more or less by the difference.

        Raises ValueError for a negative amount.
        """
        if credits < 0:
            raise ValueError(f"cannot leave {credits} credits")
        balance = self.balance(account)
        balance.granted_credits += credits - balance.available_credits
        balance.available_credits = credits

    def require(self, account: str, price_credits: int) -> Balance:
        """The account's credits, if they are enough. Refuses with InsufficientCredits."""
        balance = self.balance(account)
        if balance.available_credits < price_credits:
            raise InsufficientCredits(
                f"this job costs {price_credits} credits and the account has "
                f"{balance.available_credits}"
            )
        return balance

    def reserve(self, account: str, task_id: str, price_credits: int) -> None:
        """Hold a task's price. Refuses with InsufficientCredits, changing nothing."""
        balance = self.require(account, price_credits)
        balance.available_credits -= price_credits
        balance.reserved_credits += price_credits
        self._reservations[task_id] = (account, price_credits)

    def settle(self, task_id: str) -> None:
        """The task succeeded: what was held is spent. KeyError if nothing is held for it."""
        account, price_credits = self._reservations.pop(task_id)
        balance = self.balance(account)
        balance.reserved_credits -= price_credits
        balance.spent_credits += price_credits

    def release(self, task_id: str) -> None:
        """The task failed: what was held is given back. KeyError if nothing is held for it."""
        account, price_credits = self._reservations.pop(task_id)
        balance = self.balance(account)
        balance.reserved_credits -= price_credits
        balance.available_credits += price_credits
