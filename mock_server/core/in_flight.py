"""Limits on the tasks of a key and of an account that have not ended."""

from collections import Counter
from collections.abc import Iterable

from mock_server.core.marks import Marks
from mock_server.core.refusals import TooManyInFlight
from mock_server.core.tasks import Order


class InFlight:
    """Counts tasks that have not ended, from the first check on.

    account_limits: the maximum number of each account that has one.
    """

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self.account_limits: dict[str, int] = {}
        self._of_keys: Counter[str] = Counter()
        self._of_accounts: Counter[str] = Counter()
        self.is_counting = False

    def set_account_limit(self, account: str, limit: int) -> None:
        """Set the maximum number of an account; 0: no limit."""
        self._marks.mark("account", account)
        if limit:
            self.account_limits[account] = limit
        else:
            self.account_limits.pop(account, None)

    def start_counting(self, running: Iterable[Order]) -> None:
        """Count the orders of these tasks; from now on `add` and `remove` keep the count."""
        for order in running:
            self.add(order)
        self.is_counting = True

    def require_room(self, order: Order, key_limit: int) -> None:
        """Refuses with TooManyInFlight if the key or the account has as many tasks as it may have.

        key_limit: of the key; 0: no limit.
        """
        account_limit = self.account_limits.get(order.account, 0)
        for owner, limit, count in (
            ("key", key_limit, self._of_keys[order.key]),
            ("account", account_limit, self._of_accounts[order.account]),
        ):
            if limit and count >= limit:
                raise TooManyInFlight(
                    f"{limit} tasks at once is the limit of this {owner}, and {count} have not "
                    "ended; try again when one has"
                )

    def add(self, order: Order) -> None:
        """Count a new task."""
        self._of_keys[order.key] += 1
        self._of_accounts[order.account] += 1

    def remove(self, order: Order) -> None:
        """Count a task that has ended no longer."""
        for counts, owner in ((self._of_keys, order.key), (self._of_accounts, order.account)):
            counts[owner] -= 1
            if not counts[owner]:
                del counts[owner]
