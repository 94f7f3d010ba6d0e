"""Checks of reading one task or several."""

from __future__ import annotations

import pytest

from contract_tests.acedata.rules import RULE, TEXT, UNKNOWN_ID, known, require_equal
from contract_tests.acedata.videos import retrieve, retrieve_batch, submit
from contract_tests.requirements import require_refusal, require_same_message, require_success
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(2)


@pytest.mark.rank(1)
@pytest.mark.holds(
    "acedata.error.task_not_found", "acedata.answer.AceDataNotFound",
    RULE + "other-actions-refused", RULE + "task-id-is-no-name", "acedata.error.bad_request",
)  # fmt: skip
def test_what_cannot_be_looked_at(acedata: Caller, require: Require) -> None:
    for unknown in (UNKNOWN_ID, "not-even-a-uuid"):
        require_refusal(require, "acedata", retrieve(acedata, unknown), "task_not_found")
    for action in ("delete", "generate", "list"):
        answer = acedata.post("/tasks", {"action": action, "id": UNKNOWN_ID})
        require_refusal(require, "acedata", answer, "bad_request", RULE + "other-actions-refused")
    for body in ({"action": "retrieve", "task_id": UNKNOWN_ID}, {"task_id": UNKNOWN_ID}):
        answer = acedata.post("/tasks", body)
        require_refusal(require, "acedata", answer, "bad_request", RULE + "task-id-is-no-name")


@pytest.mark.price(TEXT, count=2)
@pytest.mark.holds(
    RULE + "batch-in-order", RULE + "batch-leaves-out-unknown", RULE + "batch-shows-the-same",
    RULE + "retrieve-is-the-default", "acedata.TaskBatch*", "acedata.TaskQuery*",
    RULE + "equal-requests-two-tasks",
)  # fmt: skip
def test_a_batch_shows_tasks_in_the_order_asked(acedata: Caller, require: Require) -> None:
    first, second = submit(acedata, require), submit(acedata, require)
    by = acedata.target.transport.last
    require(RULE + "equal-requests-two-tasks", first != second, expected="two", got=first, by=by)
    for ids in ([first, second], [second, first]):
        answer = retrieve_batch(acedata, ids)
        shown = require_success(require, RULE + "batch-in-order", answer)
        got = ([item["id"] for item in shown["items"]], shown["count"])
        require_equal(require, "batch-in-order", got, (ids, 2), answer)
    answer = retrieve_batch(acedata, [UNKNOWN_ID, second, second, "x", first])
    got = ([item["id"] for item in answer.json["items"]], answer.json["count"])
    expected = ([second, first], 2)
    require_equal(require, "batch-leaves-out-unknown", got, expected, answer)
    alone = acedata.post("/tasks", {"id": second})
    require_success(require, RULE + "retrieve-is-the-default", alone)
    together = retrieve_batch(acedata, [second])
    item = together.json["items"][0]
    require_equal(require, "batch-shows-the-same", known(item), known(alone.json), together)


@pytest.mark.price(TEXT)
@pytest.mark.needs("second")
@pytest.mark.holds(
    RULE + "foreign-as-unknown", RULE + "batch-leaves-out-unknown", "acedata.error.task_not_found"
)
def test_another_account_sees_nothing_of_a_task(acedata: Caller, require: Require) -> None:
    other_account = acedata.target.caller("acedata", "second")
    task_id = submit(acedata, require)
    foreign, unknown = retrieve(other_account, task_id), retrieve(other_account, UNKNOWN_ID)
    for answer in (foreign, unknown):
        require_refusal(require, "acedata", answer, "task_not_found", RULE + "foreign-as-unknown")
    require_same_message(require, RULE + "foreign-as-unknown", foreign, unknown)
    answer = retrieve_batch(other_account, [task_id])
    require(
        RULE + "batch-leaves-out-unknown", answer.json.get("items") == [], expected=[],
        got=answer.json, by=answer,
    )  # fmt: skip
