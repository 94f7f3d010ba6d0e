"""Credits: granted to an account, reserved for a task, then spent or released."""

from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from mock_server.core.field_types import Count, Whole
from mock_server.core.history_entries import LedgerEntry, MoveOfCredits
from mock_server.core.marks import Marks
from mock_server.core.refusals import InsufficientCredits
from mock_server.core.ring import Ring


class Balance(Struct):
    """One account's credits. Always: granted = available + reserved + spent, none negative."""

    granted_credits: Whole = 0
    available_credits: Whole = 0
    reserved_credits: Whole = 0
    spent_credits: Whole = 0


class AccountState(Struct, frozen=True, forbid_unknown_fields=True):
    """An account with its credits. rows_evicted: how many of its movements are not kept."""

    account: str
    balance: Balance
    rows_evicted: Count = 0


class Reservation(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Credits of an account that are reserved for a task."""

    task_id: str
    account: str
    price_credits: Whole


class LedgerState(Struct, frozen=True, forbid_unknown_fields=True):
    """The state of a ledger; accounts in the order of their first use.

    rows: the kept movements, those of each account in their order.
    """

    accounts: tuple[AccountState, ...]
    reservations: tuple[Reservation, ...]
    rows: tuple[LedgerEntry, ...] = ()


MAX_ROWS = 10_000
"""The default maximum number of kept movements of an account."""
Moment = tuple[int, int]
"""The world's time, and the real time."""


class Ledger:
    """The credits of all accounts, the reservations for tasks, and the last movements."""

    def __init__(
        self,
        moment: Callable[[], Moment] = lambda: (0, 0),
        on_row: Callable[[LedgerEntry], None] = lambda _: None,
        max_rows: int = MAX_ROWS,
        marks: Marks | None = None,
    ) -> None:
        """moment: returns the present one. on_row: called with each movement.
        max_rows: the maximum number of kept movements of each account."""
        self._marks = marks or Marks()
        self._moment = moment
        self._on_row = on_row
        self._max_rows = max_rows
        self._balances: dict[str, Balance] = {}
        self._reservations: dict[str, Reservation] = {}
        self._rows: dict[str, Ring[LedgerEntry]] = {}

    def state(self) -> LedgerState:
        """The whole state; it shares the balances."""
        return LedgerState(
            tuple(
                AccountState(account, balance, self.rows(account).evicted)
                for account, balance in self._balances.items()
            ),
            tuple(self._reservations.values()),
            tuple(row for rows in self._rows.values() for row in rows),
        )

    def restore(self, state: LedgerState) -> None:
        """Replace the whole state."""
        self._balances = {each.account: each.balance for each in state.accounts}
        self._reservations = {each.task_id: each for each in state.reservations}
        self._rows = {
            each.account: Ring(self._max_rows, (), each.rows_evicted) for each in state.accounts
        }
        for row in state.rows:
            self.rows(row.account).add(row)

    def balance(self, account: str) -> Balance:
        """The account's credits; a new account has none."""
        balance = self._balances.get(account)
        if balance is None:
            balance = self._balances[account] = Balance()
            self._marks.mark("account", account)
        return balance

    def rows(self, account: str) -> Ring[LedgerEntry]:
        """The last movements of an account's credits, in the order in which they happened."""
        rows = self._rows.get(account)
        if rows is None:
            rows = self._rows[account] = Ring(self._max_rows)
        return rows

    def grant(self, account: str, credits: int) -> None:
        """Add credits to an account. Raises ValueError for a negative amount."""
        if credits < 0:
            raise ValueError(f"cannot grant {credits} credits")
        balance = self.balance(account)
        balance.granted_credits += credits
        balance.available_credits += credits
        self._add_grant(account, "granted", credits)

    @property
    def accounts(self) -> list[str]:
        """The accounts with a balance, in the order of their first use."""
        return list(self._balances)

    def holds(self, task_id: str) -> bool:
        """Whether credits are reserved for this task: it has not ended."""
        return task_id in self._reservations

    def set_available(self, account: str, credits: int) -> None:
        """Set the available credits, and `granted` by as much. Raises ValueError if negative."""
        if credits < 0:
            raise ValueError(f"cannot leave {credits} credits")
        balance = self.balance(account)
        more_credits = credits - balance.available_credits
        balance.granted_credits += more_credits
        balance.available_credits = credits
        self._add_grant(account, "set", more_credits)

    def require(self, account: str, price_credits: int) -> Balance:
        """The account's credits, if they are enough; otherwise refuses with InsufficientCredits."""
        balance = self.balance(account)
        if balance.available_credits < price_credits:
            raise InsufficientCredits(
                f"this job costs {price_credits} credits and the account has "
                f"{balance.available_credits}"
            )
        return balance

    def reserve(
        self,
        account: str,
        task_id: str,
        price_credits: int,
        request: str | None = None,
        moment: Moment | None = None,
    ) -> int:
        """Reserve a task's price, at this moment or now; the account's available credits after it.
        request: the id of its create.
        Refuses with InsufficientCredits; then nothing has changed."""
        balance = self.require(account, price_credits)
        balance.available_credits -= price_credits
        balance.reserved_credits += price_credits
        self._reservations[task_id] = Reservation(task_id, account, price_credits)
        at_ms, wall_ms = moment or self._moment()
        available = balance.available_credits
        self._add(
            LedgerEntry(at_ms, wall_ms, account, "held", price_credits, available, task_id, request)
        )
        return available

    def settle(self, task_id: str, moment: Moment | None = None) -> int:
        """Spend a task's reservation: it succeeded, at this moment or now; the account's available
        credits after it. Raises KeyError if it has none."""
        return self._end(task_id, "spent", moment)

    def release(self, task_id: str, moment: Moment | None = None) -> int:
        """Give a task's reservation back: it failed, at this moment or now; the account's available
        credits after it. Raises KeyError if it has none."""
        return self._end(task_id, "given_back", moment)

    def _add_grant(self, account: str, moved: MoveOfCredits, amount_credits: int) -> None:
        available = self._balances[account].available_credits
        self._add(LedgerEntry(*self._moment(), account, moved, amount_credits, available))

    def _end(
        self, task_id: str, moved: Literal["spent", "given_back"], moment: Moment | None
    ) -> int:
        ended = self._reservations.pop(task_id)
        account, price_credits = ended.account, ended.price_credits
        balance = self.balance(account)
        balance.reserved_credits -= price_credits
        if moved == "spent":
            balance.spent_credits += price_credits
        else:
            balance.available_credits += price_credits
        at_ms, wall_ms = moment or self._moment()
        available = balance.available_credits
        self._add(LedgerEntry(at_ms, wall_ms, account, moved, price_credits, available, task_id))
        return available

    def _add(self, row: LedgerEntry) -> None:
        if self._marks.is_on:
            self._marks.mark("account", row.account)
            if row.task is not None:
                self._marks.mark("task", row.task)
        self.rows(row.account).add(row)
        self._on_row(row)


def before_rows(after: Balance, rows: Iterable[LedgerEntry]) -> Balance:
    """The balance before these movements, from the balance after them."""
    before = replace(after)
    for row in rows:
        amount = row.amount_credits
        before.available_credits -= row.change_credits
        if row.moved in {"granted", "set"}:
            before.granted_credits -= amount
        else:
            before.reserved_credits -= amount if row.moved == "held" else -amount
            before.spent_credits -= amount if row.moved == "spent" else 0
    return before
