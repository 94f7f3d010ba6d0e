"""A refusal has a sentence for people and its facts as values."""

from __future__ import annotations

from mock_server.core.refusals import Invalid, Violation


def test_a_violation_names_its_place() -> None:
    assert str(Violation("/prompt", "required", "is required")) == "/prompt: is required"


def test_the_empty_place_is_called_body() -> None:
    assert str(Violation("", "json", "must be JSON")) == "body: must be JSON"


def test_three_violations_are_named_and_the_others_counted() -> None:
    violations = [Violation(f"/{name}", "type", "is wrong") for name in "abcde"]
    refusal = Invalid(violations)
    assert str(refusal) == "/a: is wrong; /b: is wrong; /c: is wrong; and 2 more"
    assert refusal.violations == tuple(violations)


def test_three_violations_are_not_followed_by_a_count() -> None:
    assert str(Invalid([Violation("/a", "type", "is wrong")] * 3)).count("/a: is wrong") == 3
    assert "more" not in str(Invalid([Violation("/a", "type", "is wrong")] * 3))
