"""What a judgement says: one finding, one note, nothing, or why a rule could not judge."""

from __future__ import annotations

from collections.abc import Sequence

from mock_server.control.judgement_answers import Finding, Judgement


def found(judgement: Judgement, code: str) -> Finding:
    """The one finding, of this rule."""
    assert [each.code for each in judgement.findings] == [code], str(judgement)
    return judgement.findings[0]


def noted(judgement: Judgement, code: str) -> Finding:
    """The one note, of this rule; nothing is proved."""
    assert judgement.findings == (), str(judgement)
    assert [each.code for each in judgement.notes] == [code], str(judgement)
    return judgement.notes[0]


def assert_clean(judgement: Judgement, codes: Sequence[str]) -> None:
    """These rules could judge, and nothing was found or suspected."""
    assert (judgement.findings, judgement.notes) == ((), ()), str(judgement)
    assert judgement.judged == tuple(codes), judgement.inconclusive


def reason_of(judgement: Judgement, code: str) -> str:
    """Why the rule could not judge; nothing was found."""
    assert (judgement.findings, judgement.notes) == ((), ()), str(judgement)
    reasons = {each.code: each.reason for each in judgement.inconclusive}
    return reasons[code]
