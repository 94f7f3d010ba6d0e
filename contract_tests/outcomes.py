"""Turns the outcome of a check into its result: broken promises, or why it judges nothing."""

from __future__ import annotations

import pytest
import requests

from contract_tests.budget import NoPriceList, NotSent, OverBudget
from contract_tests.choice import api_of, promises_of
from contract_tests.promises import promises
from contract_tests.run import CheckResult, Run
from contract_tests.stop import error_text, innermost
from contract_tests.verdicts import Broken, Finding

_sent_key = pytest.StashKey[int]()
_gateway_key = pytest.StashKey[int]()
_cost_key = pytest.StashKey[int]()


def begin(run: Run, item: pytest.Item) -> None:
    """Note that a check begins. Findings belong to it from now on."""
    run.verdicts.begin(item.nodeid)
    item.stash[_sent_key] = run.transport.sent
    item.stash[_gateway_key] = len(run.transport.gateway_answers)
    item.stash[_cost_key] = run.budget.cost_credits


def result_of(run: Run, item: pytest.Item, call: pytest.CallInfo[None]) -> CheckResult:
    """The result of a check that has ended."""
    result = _without_verdict(run, item, call) or _with_verdict(run, item, call)
    result.cost_credits = run.budget.cost_credits - item.stash[_cost_key]
    return result


def _without_verdict(
    run: Run, item: pytest.Item, call: pytest.CallInfo[None]
) -> CheckResult | None:
    """The result of a check that cannot judge the service; None if it can."""
    if unanswered := _reason_without_answer(run, item):
        run.verdicts.forget_new()
        return CheckResult(item.nodeid, "unanswered", call.duration, unanswered)
    if (why := _why_without_verdict(call)) is not None:
        run.verdicts.take_new()
        if isinstance(why, OverBudget) and item.nodeid in run.partly_asked:
            reason = run.partly_asked[item.nodeid]
            run.not_selected.append((item.name, reason))
            return CheckResult(item.nodeid, "left out", call.duration, reason)
        outcome = "stopped" if isinstance(why, OverBudget | NoPriceList) else "skipped"
        return CheckResult(item.nodeid, outcome, call.duration, run.redaction.text(str(why)))
    if error := _suite_error(run, item, call):
        run.verdicts.take_new()
        run.errors.append(f"{item.nodeid.rpartition('::')[2]}: {error}")
        return CheckResult(item.nodeid, "error", call.duration, f"internal error: {error}")
    return None


def _with_verdict(run: Run, item: pytest.Item, call: pytest.CallInfo[None]) -> CheckResult:
    findings = _findings(run, item, call)
    refuted = [finding for finding in findings if run.is_only_refuted(finding)]
    broken = [finding for finding in findings if not run.is_only_refuted(finding)]
    for finding in refuted:
        run.refuted[finding.promise.id] = finding
        run.verdicts.broken.pop(finding.promise.id, None)
    outcome = "broken" if broken else "refuted" if refuted else "held"
    return CheckResult(item.nodeid, outcome, call.duration, findings=broken or refuted)


def _why_without_verdict(call: pytest.CallInfo[None]) -> BaseException | None:
    """Why a check has no verdict: it was skipped, or a request was not sent."""
    if call.excinfo is None:
        return None
    error: BaseException | None = call.excinfo.value
    if isinstance(error, pytest.skip.Exception):
        return error
    while error is not None:
        if isinstance(error, NotSent):
            return error
        error = error.__cause__ or error.__context__
    return None


def _findings(run: Run, item: pytest.Item, call: pytest.CallInfo[None]) -> list[Finding]:
    """The findings of a check: its own, and those of the answers to its requests."""
    error = call.excinfo.value if call.excinfo else None
    error = _broken_in(error) or error
    if isinstance(error, Broken):
        run.verdicts.add(error.finding)
    found = run.verdicts.take_new()
    if error is not None and not found and not isinstance(error, Broken):
        found = [_unreadable_answer(run, item, error)]
        run.verdicts.add(found[0])
        run.verdicts.take_new()
    if isinstance(error, Broken) and not found:
        found = [error.finding]  # another check has found it before; this one fails, too
    return found


def _suite_error(run: Run, item: pytest.Item, call: pytest.CallInfo[None]) -> str:
    """The error of a check if it is a defect of the suite, not an answer that cannot be read."""
    error = call.excinfo.value if call.excinfo else None
    if error is None or _broken_in(error):
        return ""
    if run.transport.sent != item.stash[_sent_key] and isinstance(innermost(error), _UNREADABLE):
        return ""
    return error_text(error)


_UNREADABLE = (
    LookupError, TypeError, ValueError, AttributeError, AssertionError, requests.RequestException,
)  # fmt: skip
"""What a check raises when an answer has another form than it expects."""


def _reason_without_answer(run: Run, item: pytest.Item) -> str:
    """The reason why the answers of a check are not the service's, or ""."""
    gateways = run.transport.gateway_answers[item.stash[_gateway_key] :]
    if run.stop.reason:
        return f"not finished: {run.stop.reason}"
    return gateways[0] if gateways else ""


def _broken_in(error: BaseException | None) -> Broken | None:
    """The Broken inside an error. Hypothesis raises a group for a failure that does not repeat."""
    if isinstance(error, Broken):
        return error
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next((found for each in inner if (found := _broken_in(each))), None)


def _unreadable_answer(run: Run, item: pytest.Item, error: BaseException) -> Finding:
    """The finding of a check that raised an error because it could not read an answer."""
    api = api_of(item) or run.options.apis[0]
    promise_ids = promises_of(item) or [f"{api}.rule.answers"]
    last = run.transport.exchanges[-1] if run.transport.exchanges else None
    expected = "an answer that this check can read"
    got = f"{type(error).__name__}: {error}"
    return Finding(promises()[promise_ids[0]], expected, got, last)
