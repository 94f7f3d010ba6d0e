"""Checks of who may read which tasks, and that refusals create and take nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from contract_tests.acedata.rules import IMAGE, RULE, TEXT, UNKNOWN_ID, known, require_equal
from contract_tests.acedata.videos import create, request_body, retrieve, retrieve_batch, submit
from contract_tests.fakes import ALLOWED
from contract_tests.requirements import require_refusal, require_success
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(2)

_BY_ROLE = {
    "expired": "token_expired",
    "disabled": "disabled",
    "mismatched": "token_mismatched",
    "revoked": "invalid_token",
}


def _without_power(caller: Caller) -> Iterator[tuple[Caller, str]]:
    """Callers whose token does not open anything, each with the code of the refusal."""
    target = caller.target
    yield target.caller("acedata", None), "no_token"
    yield target.caller("acedata", key="token-never-issued"), "invalid_token"
    yield target.caller("acedata", key=f"{caller.key}x"), "invalid_token"
    if target.is_fake:  # a part of a real token would be shown in the report
        yield target.caller("acedata", key=str(caller.key)[:-1]), "invalid_token"
        yield target.caller("acedata", key=str(caller.key).upper()), "invalid_token"
    for role, code in _BY_ROLE.items():
        if role in target.keys["acedata"] and (role != "revoked" or target.is_fake):
            yield target.caller("acedata", role), code


def _requests(task_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Valid requests about a task that exists, and a valid create."""
    yield "/tasks", {"action": "retrieve", "id": task_id}
    yield "/tasks", {"id": task_id}
    yield "/tasks", {"action": "retrieve_batch", "ids": [task_id]}
    yield "/videos", request_body(**{"async": True})


@pytest.mark.price(TEXT)
@pytest.mark.holds(
    RULE + "every-operation-needs-a-token", "acedata.error.no_token", "acedata.error.invalid_token",
    RULE + "prefix-is-case-sensitive",
)  # fmt: skip
def test_a_bad_token_reads_and_creates_nothing(acedata: Caller, require: Require) -> None:
    task_id = submit(acedata, require)
    for caller, code in _without_power(acedata):
        for path, body in _requests(task_id):
            answer = caller.post(path, body)
            rule = RULE + "every-operation-needs-a-token"
            require_refusal(require, "acedata", answer, code, rule)
    for path, body in _requests(task_id):
        answer = acedata.post(path, body, headers={"authorization": f"bearer {acedata.key}"})
        rule = RULE + "prefix-is-case-sensitive"
        require_refusal(require, "acedata", answer, "no_token", rule)


@pytest.mark.price(TEXT, count=4)
@pytest.mark.needs("second")
@pytest.mark.holds(
    RULE + "belongs-to-the-account", RULE + "foreign-as-unknown", RULE + "batch-in-order"
)
def test_each_account_sees_its_own_tasks_in_a_mixed_batch(
    acedata: Caller, require: Require
) -> None:
    other = acedata.target.caller("acedata", "second")
    owners = (acedata, other, acedata, other)
    ids = [submit(caller, require) for caller in owners]
    clock = acedata.target.clock
    for passed_s in (0, 3600) if clock.is_controlled else (0,):  # pending, then finished
        clock.advance(passed_s)
        for caller in (acedata, other):
            mine = [one for one, owner in zip(ids, owners, strict=True) if owner is caller]
            answer = retrieve_batch(caller, [UNKNOWN_ID, *ids, *reversed(ids)])
            shown = [item["id"] for item in answer.json["items"]]
            require_equal(require, "belongs-to-the-account", sorted(shown), sorted(mine), answer)
            require_equal(require, "batch-in-order", shown, mine, answer)
            require_equal(require, "batch-in-order", answer.json["count"], len(mine), answer)
            for task_id in set(ids) - set(mine):
                foreign = retrieve(caller, task_id)
                require_equal(
                    require, "belongs-to-the-account", foreign.status >= 400, True, foreign
                )
                rule = RULE + "foreign-as-unknown"
                require_refusal(require, "acedata", foreign, "task_not_found", rule)


@pytest.mark.price(TEXT)
@pytest.mark.needs("limited", "clock")
@pytest.mark.holds(RULE + "belongs-to-the-account")
def test_another_token_of_the_account_reads_the_same(acedata: Caller, require: Require) -> None:
    limited, task_id = acedata.target.caller("acedata", "limited"), submit(acedata, require)
    for passed_s in (60, 60):  # a new window for the limited token
        acedata.target.clock.advance(passed_s)
        mine, theirs = retrieve(acedata, task_id), retrieve(limited, task_id)
        require_success(require, RULE + "belongs-to-the-account", theirs)
        rule = "belongs-to-the-account"
        require_equal(require, rule, known(theirs.json), known(mine.json), theirs)


def _refused(caller: Caller) -> Iterator[Any]:
    """Creates that must be refused with bad_request."""
    for fields in (
        {"action": "destroy"}, {"action": None}, {"action": "Generate"}, {"action": "generate "},
        {"model": "MiniMax-H3"}, {"prompt": None},
        {"prompt": "  "}, {"prompt": 5}, {"model": IMAGE}, {"callback_url": "nowhere"},
        {"first_image_url": "data:image/png;base64,iVBORw0KGgo="}, {"async": "true"},
    ):  # fmt: skip
        yield create(caller, request_body(**{"async": True} | fields))
    for body in (b"{", b"[]", b"null", b'{"action": "generate", "prompt": "x", "async": true,}'):
        yield caller.request("POST", "/videos", body=body)
    headers = {"content-type": "text/plain"}
    valid = b'{"action": "generate", "prompt": "x", "async": true}'
    yield caller.request("POST", "/videos", body=valid, headers=headers)


@pytest.mark.rank(3)
@pytest.mark.price(TEXT)
@pytest.mark.needs("variant impatient")
@pytest.mark.holds(
    RULE + "refused-creates-nothing", RULE + "refuses-what-is-invalid", RULE + "never-negative",
    RULE + "queries-are-free", RULE + "wrong-method",
)  # fmt: skip
def test_no_refusal_and_no_query_takes_the_only_credit(run: Run, require: Require) -> None:
    caller = run.variant("impatient").caller("acedata", "one")
    for answer in _refused(caller):
        rule = RULE + "refuses-what-is-invalid"
        require_refusal(require, "acedata", answer, "bad_request", rule)
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = caller.request(method, "/videos", json=request_body(**{"async": True}))
        rule = RULE + "wrong-method"
        require_refusal(require, "acedata", answer, "method_not_allowed", rule)
    created = create(caller, request_body(**{"async": True}))
    shown = require_success(require, RULE + "refused-creates-nothing", created)
    for _ in range(3):
        require_success(require, RULE + "queries-are-free", retrieve(caller, shown["task_id"]))
    for extra in ({"async": True}, {}, {"callback_url": "http://127.0.0.1:9/"}):
        answer = create(caller, request_body(**extra))
        rule = RULE + "never-negative"
        require_refusal(require, "acedata", answer, "used_up", rule)
    ids = retrieve_batch(caller, [shown["task_id"], UNKNOWN_ID])
    require_equal(require, "refused-creates-nothing", ids.json["count"], 1, ids)


@pytest.mark.rank(1)
@pytest.mark.needs("limited", "clock", "fake")
@pytest.mark.holds(RULE + "limit-has-a-window", "acedata.header.AceDataRetryAfter")
def test_the_limit_is_exact_in_each_window(acedata: Caller, require: Require) -> None:
    limited, clock = acedata.target.caller("acedata", "limited"), acedata.target.clock
    clock.advance(60)
    with acedata.target.transport.returning_429():
        for _ in range(2):
            for _ in range(ALLOWED):
                answer = retrieve(limited, UNKNOWN_ID)
                rule = RULE + "limit-has-a-window"
                require_refusal(require, "acedata", answer, "task_not_found", rule)
            for passed_s in (0, 30, 29):
                clock.advance(passed_s)
                refused = retrieve(limited, UNKNOWN_ID)
                require_refusal(require, "acedata", refused, "too_many_requests", rule)
            clock.advance(1)
