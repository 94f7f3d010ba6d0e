"""Credits are conserved: granted = available + reserved + spent, and none is negative."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mock_server.core.ledger import Balance, Ledger, before_rows
from mock_server.core.refusals import InsufficientCredits

ACCOUNTS = ("ada", "ben", "cy")


class CreditRules(RuleBasedStateMachine):
    """A model with two numbers per account, and the reservation of each task."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(max_rows=5)
        self.granted = dict.fromkeys(ACCOUNTS, 0)
        self.spent = dict.fromkeys(ACCOUNTS, 0)
        self.held: dict[str, tuple[str, int]] = {}
        self.ended: list[str] = []
        self.tasks = 0

    def reserved(self, account: str) -> int:
        return sum(price for owner, price in self.held.values() if owner == account)

    def available(self, account: str) -> int:
        return self.granted[account] - self.spent[account] - self.reserved(account)

    @rule(account=st.sampled_from(ACCOUNTS), credits=st.integers(0, 100))
    def grant(self, account: str, credits: int) -> None:
        self.ledger.grant(account, credits)
        self.granted[account] += credits

    @rule(account=st.sampled_from(ACCOUNTS), credits=st.integers(max_value=-1))
    def grant_less_than_nothing(self, account: str, credits: int) -> None:
        with pytest.raises(ValueError, match="cannot grant"):
            self.ledger.grant(account, credits)

    @rule(account=st.sampled_from(ACCOUNTS), price=st.integers(0, 60))
    def reserve(self, account: str, price: int) -> None:
        self.tasks += 1
        task_id = f"task-{self.tasks}"
        if price > self.available(account):
            with pytest.raises(InsufficientCredits):
                self.ledger.reserve(account, task_id, price)
            self.ended.append(task_id)
        else:
            self.ledger.reserve(account, task_id, price)
            self.held[task_id] = (account, price)

    @rule(account=st.sampled_from(ACCOUNTS))
    def reserve_everything(self, account: str) -> None:
        self.reserve(account, self.available(account))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.held)))
        self.ledger.settle(task_id)
        account, price = self.held.pop(task_id)
        self.spent[account] += price
        self.ended.append(task_id)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.held)))
        self.ledger.release(task_id)
        del self.held[task_id]
        self.ended.append(task_id)

    @precondition(lambda self: self.ended)
    @rule(data=st.data(), spend=st.booleans())
    def end_what_holds_nothing(self, data: st.DataObject, spend: bool) -> None:
        task_id = data.draw(st.sampled_from(self.ended))
        with pytest.raises(KeyError):
            (self.ledger.settle if spend else self.ledger.release)(task_id)

    @invariant()
    def rows_add_up(self) -> None:
        for account in self.ledger.accounts:
            balance, rows = self.ledger.balance(account), self.ledger.rows(account)
            before = before_rows(balance, rows)
            change = sum(row.change_credits for row in rows)
            assert before.available_credits + change == balance.available_credits
            assert rows.evicted > 0 or before == Balance()
            assert [row.available_credits for row in rows][-1:] in ([], [balance.available_credits])

    @invariant()
    def balances_agree(self) -> None:
        for account in ACCOUNTS:
            assert self.ledger.balance(account) == Balance(
                granted_credits=self.granted[account],
                available_credits=self.available(account),
                reserved_credits=self.reserved(account),
                spent_credits=self.spent[account],
            )

    @invariant()
    def nothing_is_lost_or_negative(self) -> None:
        for account in ACCOUNTS:
            balance = self.ledger.balance(account)
            parts = (balance.available_credits, balance.reserved_credits, balance.spent_credits)
            assert balance.granted_credits == sum(parts)
            assert min(parts) >= 0


TestCreditRules = CreditRules.TestCase
TestCreditRules.settings = settings(max_examples=60, stateful_step_count=30)


def test_a_new_account_has_no_credits() -> None:
    assert Ledger().balance("nobody") == Balance()


def test_the_last_credit_can_be_spent() -> None:
    ledger = Ledger()
    ledger.grant("ada", 57)
    ledger.reserve("ada", "task", 57)
    assert ledger.balance("ada").available_credits == 0


def test_one_credit_too_few_is_refused_with_both_amounts() -> None:
    ledger = Ledger()
    ledger.grant("ada", 56)
    with pytest.raises(InsufficientCredits, match="costs 57 credits and the account has 56"):
        ledger.reserve("ada", "task", 57)


def test_a_settled_reservation_cannot_be_released() -> None:
    ledger = Ledger()
    ledger.grant("ada", 57)
    ledger.reserve("ada", "task", 57)
    ledger.settle("task")
    with pytest.raises(KeyError):
        ledger.release("task")
    assert ledger.balance("ada") == Balance(granted_credits=57, spent_credits=57)
