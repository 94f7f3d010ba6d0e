"""Looking at one task or at several."""

from __future__ import annotations

import pytest

from contract_tests.acedata.videos import RULE, TEXT, batch, retrieve, submit
from contract_tests.refusals import require_refusal, require_success
from contract_tests.target import Caller
from contract_tests.verdicts import Require

_NOBODYS = "00000000-0000-4000-8000-000000000000"


@pytest.mark.rank(1)
@pytest.mark.holds(
    "acedata.error.task_not_found", "acedata.answer.AceDataNotFound",
    RULE + "other-actions-refused",    RULE + "task-id-is-no-name", "acedata.error.bad_request",
)  # fmt: skip
def test_what_cannot_be_looked_at(acedata: Caller, require: Require) -> None:
    for unknown in (_NOBODYS, "not-even-a-uuid"):
        require_refusal(require, "acedata", retrieve(acedata, unknown), "task_not_found")
    for action in ("delete", "generate", "list"):
        answer = acedata.post("/tasks", {"action": action, "id": _NOBODYS})
        require_refusal(require, "acedata", answer, "bad_request", RULE + "other-actions-refused")
    for body in ({"action": "retrieve", "task_id": _NOBODYS}, {"task_id": _NOBODYS}):
        answer = acedata.post("/tasks", body)
        require_refusal(require, "acedata", answer, "bad_request", RULE + "task-id-is-no-name")


@pytest.mark.rank(2)
@pytest.mark.price(TEXT, count=2)
@pytest.mark.holds(
    RULE + "batch-in-order", RULE + "batch-leaves-out-unknown", RULE + "batch-shows-the-same",
    RULE + "retrieve-is-the-default", "acedata.TaskBatch*", "acedata.TaskQuery*",
    RULE + "equal-requests-two-tasks",
)  # fmt: skip
def test_a_batch_shows_tasks_in_the_order_asked(acedata: Caller, require: Require) -> None:
    first, second = submit(acedata, require), submit(acedata, require)
    by = acedata.target.door.last
    require(RULE + "equal-requests-two-tasks", first != second, expected="two", got=first, by=by)
    for ids in ([first, second], [second, first]):
        answer = batch(acedata, ids)
        shown = require_success(require, RULE + "batch-in-order", answer)
        got = ([item["id"] for item in shown["items"]], shown["count"])
        require(RULE + "batch-in-order", got == (ids, 2), expected=(ids, 2), got=got, by=answer)
    answer = batch(acedata, [_NOBODYS, second, second, "x", first])
    got = ([item["id"] for item in answer.json["items"]], answer.json["count"])
    expected = ([second, first], 2)
    require(
        RULE + "batch-leaves-out-unknown", got == expected, expected=expected, got=got, by=answer
    )
    alone = acedata.post("/tasks", {"id": second})
    require_success(require, RULE + "retrieve-is-the-default", alone)
    together = batch(acedata, [second])
    item = together.json["items"][0]
    require(
        RULE + "batch-shows-the-same", item == alone.json, expected=alone.json, got=item,
        by=together,
    )  # fmt: skip


@pytest.mark.rank(2)
@pytest.mark.price(TEXT)
@pytest.mark.needs("second")
@pytest.mark.holds(
    RULE + "foreign-as-unknown", RULE + "batch-leaves-out-unknown", "acedata.error.task_not_found"
)
def test_another_account_sees_nothing_of_a_task(acedata: Caller, require: Require) -> None:
    stranger = acedata.target.caller("acedata", "second")
    task_id = submit(acedata, require)
    foreign, unknown = retrieve(stranger, task_id), retrieve(stranger, _NOBODYS)
    for answer in (foreign, unknown):
        require_refusal(require, "acedata", answer, "task_not_found", RULE + "foreign-as-unknown")
    words = [answer.json["error"]["message"] for answer in (foreign, unknown)]
    require(
        RULE + "foreign-as-unknown", words[0] == words[1], expected=words[1], got=words[0],
        by=foreign,
    )  # fmt: skip
    answer = batch(stranger, [task_id])
    require(
        RULE + "batch-leaves-out-unknown", answer.json.get("items") == [], expected=[],
        got=answer.json, by=answer,
    )  # fmt: skip
