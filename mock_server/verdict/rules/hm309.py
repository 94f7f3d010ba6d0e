"""HM309: a new field in an answer breaks the client."""

from collections.abc import Iterator

from mock_server.core.effects import BodyFault
from mock_server.core.json_values import value_at
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.requests import Request
from mock_server.verdict.silence import given_up_at


def find(evidence: Evidence) -> Iterator[Outcome]:
    more = [
        each
        for each in evidence.requests
        if each.is_ok and (each.is_look or each.told_task) and _has_new_fields_only(evidence, each)
    ]
    return given_up_at(evidence, more)


def _has_new_fields_only(evidence: Evidence, request: Request) -> bool:
    """Whether all that was wrong with the answer are fields that no answer of the quiet run has."""
    changes = [each for each in evidence.effects_on(request) if isinstance(each, BodyFault)]
    added = [pointer for each in changes for pointer in each.set]
    is_more_only = all(
        each == BodyFault(set=each.set, drop=(), rename={}, null=()) for each in changes
    )
    control = evidence.control
    if not added or not is_more_only or control is None:
        return False
    quiet = [each.answer for each in control.requests if _is_like(each, request)]
    return not any(value_at(answer, pointer) is not None for answer in quiet for pointer in added)


def _is_like(one: Request, other: Request) -> bool:
    return (one.exchange.api, one.exchange.operation) == (
        other.exchange.api,
        other.exchange.operation,
    )
