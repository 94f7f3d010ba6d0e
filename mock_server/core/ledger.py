"""Credits: granted, held for a task, then spent or given back. None is ever lost or made."""

from __future__ import annotations

from dataclasses import dataclass

from mock_server.core.refusals import InsufficientCredits


@dataclass(slots=True)
class Balance:
    """One account's credits. Always: granted = available + reserved + spent, none negative."""

    granted_credits: int = 0
    available_credits: int = 0
    reserved_credits: int = 0
    spent_credits: int = 0


class Ledger:
    """Who has how many credits, and which of them are held for which task."""

    def __init__(self) -> None:
        self._balances: dict[str, Balance] = {}
        self._reservations: dict[str, tuple[str, int]] = {}

    def balance(self, account: str) -> Balance:
        """The account's credits now; an account never heard of has none."""
        return self._balances.setdefault(account, Balance())

    def grant(self, account: str, credits: int) -> None:
        """Give the account more to spend. Raises ValueError for a negative amount."""
        if credits < 0:
            raise ValueError(f"cannot grant {credits} credits")
        balance = self.balance(account)
        balance.granted_credits += credits
        balance.available_credits += credits

    def reserve(self, account: str, task_id: str, price_credits: int) -> None:
        """Hold a task's price. Refuses with InsufficientCredits, changing nothing."""
        balance = self.balance(account)
        if balance.available_credits < price_credits:
            raise InsufficientCredits(
                f"this job costs {price_credits} credits and the account has "
                f"{balance.available_credits}"
            )
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
