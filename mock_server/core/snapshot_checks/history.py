"""The history: its tasks, and movements of credits that lead to the balances."""

from mock_server.core.json_values import numbered
from mock_server.core.ledger import before_rows
from mock_server.core.refusals import Violation
from mock_server.core.snapshot_checks.document import Document, Violations, missing


def records(document: Document) -> Violations:
    """Records of tasks that are not in the document."""
    for place, record in numbered("/history/tasks", document.snapshot.history.tasks):
        if record.task_id not in document.tasks:
            yield missing(f"{place}/task_id", "task", record.task_id)


def rows(document: Document) -> Violations:
    """Movements of unknown accounts, and those that do not lead to the account's balance."""
    ledger = document.snapshot.ledger
    left = {each.account: each.balance.available_credits for each in ledger.accounts}
    for place, row in reversed(list(numbered("/ledger/rows", ledger.rows))):
        if row.account not in left:
            yield missing(f"{place}/account", "account", row.account)
        elif row.available_credits != (wanted := left[row.account]):
            sentence = f"must be {wanted}, as what follows has it; or leave out all /ledger/rows"
            yield Violation(f"{place}/available_credits", "money", sentence)
            return
        else:
            left[row.account] -= row.change_credits
    for place, account in numbered("/ledger/accounts", ledger.accounts):
        own = [row for row in ledger.rows if row.account == account.account]
        before = before_rows(account.balance, own)
        parts = (before.available_credits, before.reserved_credits, before.spent_credits)
        if min(parts) < 0:
            sentence = "its /ledger/rows do not lead to it: before them, credits were negative"
            yield Violation(f"{place}/balance", "money", sentence)
