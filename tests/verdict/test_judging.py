"""What holds for all rules: what is not kept proves nothing, and judging changes nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mock_server.control import Control, ControlError
from mock_server.server.embedded import in_process
from mock_server.verdict import catalogue, evidence
from mock_server.verdict.catalogue import RULES, UnknownRule, read_rule, rule_info
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.judging import judge
from mock_server.verdict.traps import TRAPS
from tests.mock import settings_of
from tests.verdict.day import CREATE, ENDED, Day
from tests.verdict.judgements import found, reason_of

RULES_FOLDER = Path(catalogue.__file__).parent / "rules"
LOST = {"type": "connection", "how": "reset", "when": "after"}


def pay_twice(day: Day, **fields: Any) -> None:
    """A create whose answer is lost, and a repeat without a key."""
    day.fault(LOST, match={"operation": "create"}, times=1)
    for _ in range(2):
        day.create(**fields)
        day.pass_s(1)


def test_what_the_journal_no_longer_keeps_proves_nothing() -> None:
    with Day(limits__journal_exchanges=5, limits__journal_archive_bytes=0) as day:
        pay_twice(day)
        found(day.judge("HM101"), "HM101")
        for _ in range(4):
            day.look("task_any")
        judgement = day.judge()
        assert (judgement.findings, judgement.notes, judgement.judged) == ((), (), ())
        assert {each.code for each in judgement.inconclusive} == set(RULES)
        assert {each.reason for each in judgement.inconclusive} == {
            "6 requests, deliveries or movements of credits are no longer kept"
        }


def test_a_body_that_is_kept_in_part_proves_nothing() -> None:
    with Day(limits__journal_body_bytes=100) as day:
        pay_twice(day, prompt="p" * 500)
        assert "whole bodies" in reason_of(day.judge("HM101"), "HM101")


def test_a_journal_that_was_cleared_by_hand_is_judged_from_then_on() -> None:
    with Day() as day:
        pay_twice(day)
        day.door("DELETE", "/_mock/worlds/default/requests")
        assert "never came up" in reason_of(day.judge("HM101"), "HM101")
        pay_twice(day)
        found(day.judge("HM101"), "HM101")


def test_judging_changes_nothing_and_is_the_same_twice() -> None:
    with Day() as day:
        pay_twice(day)
        before = day.driver.request("GET", "/_mock/worlds/default/snapshot").body
        first, second = day.judge(run=ENDED), day.judge(run=ENDED)
        assert first == second
        assert first.findings
        assert day.driver.request("GET", "/_mock/worlds/default/snapshot").body == before
        evidence = Evidence.of(day.world, day.fake.apis)
        assert judge(evidence, tuple(RULES.values())) == judge(evidence, tuple(RULES.values()))


def test_evidence_stays_as_it_was_when_the_world_goes_on() -> None:
    with Day() as day, day.held_create():
        pay_twice(day)
        evidence = Evidence.of(day.world, day.fake.apis)
        before = judge(evidence, tuple(RULES.values()))
        pay_twice(day)
        assert judge(evidence, tuple(RULES.values())) == before


def test_rules_are_chosen_by_their_codes() -> None:
    with Day() as day:
        pay_twice(day)
        assert day.judge("HM202").findings == ()
        assert [each.code for each in day.judge(skip=["HM102"]).findings] == ["HM101"]
        assert day.judge(skip=["HM101"]).findings == ()
        wrong = day.driver.request(
            "POST",
            "/_mock/worlds/default/judgement",
            headers={"content-type": "application/json"},
            body=b'{"only": ["HM101", "HM1O1"], "control": "quite"}',
        )
        assert wrong.status == 400
        (error,) = wrong.json()["errors"]
        assert error["pointer"] == "/only/1"
        assert "did you mean 'HM" in error["detail"]


def test_the_client_of_the_control_door_judges() -> None:
    with in_process(settings_of()) as app, Control(app) as control:
        world, quiet = control.world(), control.world()
        judgement = world.judge(control=quiet, expected_jobs=1, run=ENDED)
        judgement.require_clean()
        assert len(judgement.inconclusive) + len(judgement.judged) == len(RULES)
        assert str(judgement).startswith("nothing found")
        with pytest.raises(ControlError, match="did you mean"):
            world.judge(control=f"{quiet.name}x")


def test_each_rule_is_complete() -> None:
    assert {each.stem.upper() for each in RULES_FOLDER.glob("hm*.py")} == set(RULES)
    for rule in RULES.values():
        assert callable(rule.find), rule.code
        assert rule_info(rule.code).proves == rule.mistake
        assert set(rule.traps) <= set(TRAPS), rule.code
        assert set(rule.explained_by) <= set(RULES) - {rule.code}, rule.code


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('name = "', 'nmae = "'),
        ("create-repeated", "create repeated"),
        ("paying twice", "paying thrice"),
        ("after its answer was lost.", "after its answer was lost"),
        ("fix = [", 'fix = [\n    "Or so.",'),
        ("https://github", "github"),
        ("whole bodies", "bodies"),
    ],
)
def test_wrong_words_of_a_rule_are_refused_with_their_file(
    tmp_path: Path, right: str, wrong: str
) -> None:
    text = (RULES_FOLDER / "hm101.toml").read_text("utf-8")
    assert right in text
    file = tmp_path / "hm101.toml"
    file.write_text(text.replace(right, wrong), "utf-8")
    with pytest.raises(ValueError, match=r"hm101\.toml: "):
        read_rule(file)


@pytest.mark.parametrize(
    ("code", "near"),
    [
        ("HM1O1", ["HM101", "HM111"]),
        ("hm011", ["HM101", "HM110", "HM111"]),
        ("HM5133", ["HM513"]),
        ("no-jitter", ["HM209"]),
        ("retry-after-ignore", ["HM206"]),
        ("HM999", []),
    ],
)
def test_an_unknown_code_is_refused_with_near_rules_by_code_and_name(
    code: str, near: list[str]
) -> None:
    with pytest.raises(UnknownRule) as refused:
        rule_info(code)
    told = re.findall(r"'(HM\d{3})' \(([a-z0-9-]+)\)", str(refused.value).partition(";")[2])
    assert told == [(each, RULES[each].name) for each in near]
    assert ("HM5 (receiving)" in str(refused.value)) is (not near)


def test_each_trap_belongs_to_a_rule() -> None:
    assert {number for rule in RULES.values() for number in rule.traps} == set(TRAPS)


# --- while the client goes on ---------------------------------------------------------------------


def so_far(day: Day, **asked: Any) -> list[str]:
    """The codes that are proved and stand."""
    path = "/_mock/worlds/default/judgement"
    return [each["code"] for each in day.door("POST", path, asked | {"so_far": True})["findings"]]


def test_a_client_that_goes_on_is_told_only_what_stands() -> None:
    with Day() as day:
        pay_twice(day)
        assert so_far(day) == ["HM101"]
        assert so_far(day, only=["HM301"]) == []
        assert so_far(day, expected_jobs=2) == []


def test_a_judgement_so_far_adds_a_part_of_many_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_MOST_NEW", 3)
    with Day() as day:
        task_id = day.create(prompt="Another").id
        day.look_on(task_id, 3)
        day.fault(LOST, match=CREATE, times=1)
        day.create()
        day.create()
        assert [so_far(day) for _ in range(3)] == [[], ["HM101"], ["HM101"]]
        day.look_on(task_id, 5)
        assert len(found(day.judge("HM101"), "HM101").requests) == 2
        assert len(Evidence.of(day.world, day.fake.apis).requests) == 11


def test_what_a_failing_task_will_give_back_is_not_paid_twice_so_far() -> None:
    with Day() as day:
        day.fault({"type": "task", "outcome": "failed", "processing_s": 60})
        pay_twice(day)
        found(day.judge("HM101"), "HM101")  # now both tasks hold their credits
        assert so_far(day) == []


def test_a_create_under_way_proves_nothing_so_far() -> None:
    with Day() as day:
        day.create(key="k")
        day.fault({"type": "connection", "how": "hang"})
        with day.held(
            "POST", "/api/v1/generations", {"prompt": "p"}, headers={"idempotency-key": "k"}
        ):
            assert so_far(day) == []


def test_what_was_proved_stands_although_its_requests_are_no_longer_kept() -> None:
    with Day(limits__journal_archive_bytes=10_000) as day:
        pay_twice(day)
        assert so_far(day) == ["HM101"]
        for _ in range(20):
            day.look("task_any")
        assert so_far(day) == []
        judgement = day.judge("HM101", "HM102")
        found(judgement, "HM101")
        assert [each.code for each in judgement.inconclusive] == ["HM102"]
        assert day.judge("HM102").findings == ()
