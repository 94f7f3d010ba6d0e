"""The judgements of all days become one; acceptances and an earlier judgement change it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.judge.acceptance import (
    complaints,
    read_acceptances,
    standing,
)
from mock_server.judge.baseline import flip_of, read_baseline
from mock_server.judge.refusal import CannotRun
from mock_server.judge.report import Accepted, verdict_of
from tests.judge.reports import day, finding, judgement, on_days, report

CODES = ["HM101", "HM201", "HM301"]
OUTCOMES = st.sampled_from(["finding", "note", "inconclusive", "clean"])


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(CODES, OUTCOMES)), min_size=1, max_size=5))
def test_a_code_is_one_thing_only_and_the_worst_of_all_days_counts(
    days: list[dict[str, str]],
) -> None:
    judged = []
    for number, outcomes in enumerate(days):
        of = {
            kind: [code for code in CODES if outcomes[code] == kind]
            for kind in ("finding", "note", "inconclusive", "clean")
        }
        told = judgement(
            *map(finding, of["finding"]),
            notes=tuple(map(finding, of["note"])),
            inconclusive=tuple((code, "why not") for code in of["inconclusive"]),
            judged=tuple(of["clean"]),
        )
        judged.append((day(f"day{number}"), told))
    verdict = verdict_of(judged)
    for code in CODES:
        seen = {outcomes[code] for outcomes in days}
        assert (code in [each.code for each in verdict.findings]) == ("finding" in seen)
        is_note = "note" in seen and "finding" not in seen
        assert (code in [each.code for each in verdict.notes]) == is_note
        assert (code in verdict.clean) == ("clean" in seen and not seen & {"finding", "note"})
        is_open = seen == {"inconclusive"}
        assert (code in [each.code for each in verdict.inconclusive]) == is_open


def test_a_finding_is_told_once_as_on_its_worst_day_with_all_days() -> None:
    (found,) = verdict_of(
        [
            (day("a"), judgement(finding("HM101", 57, task="small"))),
            (day("b"), judgement(finding("HM101", 114, task="large"), finding("HM101", 57))),
        ]
    ).findings
    assert (found.task, found.credits_lost, found.days) == ("large", 114, ("a", "b"))


def test_findings_are_worst_first() -> None:
    told = judgement(finding("HM101"), finding("HM301", 30), finding("HM201", 57), finding("HM102"))
    codes = [each.code for each in verdict_of([(day("a"), told)]).findings]
    assert codes == ["HM201", "HM301", "HM101", "HM102"]


def test_the_reason_comes_from_a_day_that_is_there_to_decide_the_code() -> None:
    told = judgement(inconclusive=(("HM301", "no task failed"),))
    own = judgement(inconclusive=(("HM301", "the client never looked"),))
    verdict = verdict_of([(day("other", "HM101"), told), (day("failed", "HM301"), own)])
    assert [each.reason for each in verdict.inconclusive] == ["the client never looked"]


def test_a_mistake_is_told_once_if_another_rule_explains_it_on_another_day() -> None:
    verdict = verdict_of(
        [
            (day("a"), judgement(finding("HM109", 57))),
            (day("b"), judgement(finding("HM110", 57), judged=("HM109",))),
        ]
    )
    assert [each.code for each in verdict.findings] == ["HM110"]
    assert [(each.code, each.reason) for each in verdict.inconclusive] == [
        ("HM109", "HM110 says the same already")
    ]
    assert verdict.clean == ()


# --- accepted findings ----------------------------------------------------------------------------

TODAY = date(2026, 11, 30)
ROW = '[[accepted]]\ncode = "HM101"\nreason = "known"\nexpires = 2026-12-01\n'


def test_an_acceptance_counts_until_its_date() -> None:
    rows = [Accepted("HM101", "a", TODAY), Accepted("HM102", "b", date(2026, 11, 29))]
    assert standing(rows, TODAY) == {"HM101"}


def test_an_acceptance_that_expired_or_is_needed_no_more_is_told() -> None:
    rows = [
        Accepted("HM101", "a", date(2026, 11, 29)),
        Accepted("HM102", "b", TODAY),
        Accepted("HM103", "c", TODAY),
    ]
    assert complaints(rows, ["HM101", "HM102"], TODAY) == (
        "HM101 was accepted until 2026-11-29: it counts again",
        "HM103 is accepted, but was not found: the acceptance can go",
    )


def test_a_file_of_acceptances_is_read(tmp_path: Path) -> None:
    file = tmp_path / "accepted.toml"
    file.write_text(ROW)
    assert read_acceptances(file) == (Accepted("HM101", "known", date(2026, 12, 1)),)
    file.write_text("")
    assert read_acceptances(file) == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("accepted = [", "is not TOML"),
        (ROW.replace("reason", "reasons"), r"unknown field `reasons`.*\[\[accepted\]\]"),
        (ROW.replace('"known"', '""'), "length >= 1"),
        (ROW.replace("2026-12-01", '"soon"'), "expires"),
        (ROW.replace("HM101", "HM1O1"), "there is no rule 'HM1O1'; did you mean 'HM101'"),
        (ROW + ROW, "HM101 is accepted twice"),
    ],
)
def test_a_malformed_acceptance_is_refused_with_what_would_be_right(
    tmp_path: Path, text: str, sentence: str
) -> None:
    file = tmp_path / "accepted.toml"
    file.write_text(text)
    with pytest.raises(CannotRun, match=f"accepted.toml: .*{sentence}"):
        read_acceptances(file)


# --- an earlier judgement -------------------------------------------------------------------------


def test_the_flip_says_what_was_fixed_is_new_is_open_and_is_not_known() -> None:
    before = report(*(on_days(finding(code), "a") for code in ("HM101", "HM102", "HM103")))
    told = judgement(finding("HM102"), finding("HM201"), judged=("HM101",))
    flip = flip_of(before, verdict_of([(day("a"), told)]))
    assert (flip.fixed, flip.open, flip.new, flip.unknown) == (
        ("HM101",), ("HM102",), ("HM201",), ("HM103",)
    )  # fmt: skip


def test_a_baseline_is_what_json_writes(tmp_path: Path) -> None:
    file, before = tmp_path / "receipt.json", report(on_days(finding("HM101", 57), "a"))
    file.write_bytes(msgspec.json.encode(before))
    assert read_baseline(file, "rivya") == before
    with pytest.raises(CannotRun, match="is about rivya, and this judgement is about acedata"):
        read_baseline(file, "acedata")


@pytest.mark.parametrize("content", [b"{}", b"[", b"\xff", b"<html>"])
def test_what_is_no_baseline_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(content)
    with pytest.raises(CannotRun, match="receipt.json: is no judgement that --json has"):
        read_baseline(file, "rivya")
    with pytest.raises(CannotRun, match="cannot be read"):
        read_baseline(tmp_path / "none.json", "rivya")


def test_a_baseline_of_another_version_says_its_format(tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(b'{"format": "hailuo-mock judgement 9", "runs": []}')
    with pytest.raises(CannotRun, match="has the format 'hailuo-mock judgement 9', not"):
        read_baseline(file, "rivya")


def test_a_file_without_end_is_no_baseline() -> None:
    with pytest.raises(CannotRun, match="more than 50 MB"):
        read_baseline(Path("/dev/zero"), "rivya")
