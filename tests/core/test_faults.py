"""Faults are matched, counted, and repeatable from the seed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mock_server.apis import ALL
from mock_server.core.chance import Chance
from mock_server.core.effects import (
    AnswerFault,
    BodyFault,
    ConnectionFault,
    DelayFault,
    DeliveryFault,
    Effect,
    ErrorFault,
    ReceiverAnswer,
    TaskFault,
)
from mock_server.core.faults import Fault, FaultRule, Faults, FaultTarget, Match, require_possible

WRONG = TaskFault(outcome="failed")
LATE = DeliveryFault(late_s=60)
HERE = FaultTarget("rivya", "create", "ada", "hailuo-pro", "A red balloon")

terms = st.fixed_dictionaries(
    {
        "skip": st.integers(0, 5),
        "times": st.none() | st.integers(1, 5),
        "every": st.integers(1, 5),
    }
)


def standing(*rules: FaultRule, seed: int = 1) -> Faults:
    faults = Faults(Chance(seed))
    for rule in rules:
        faults.add(rule)
    return faults


def matches_now(faults: Faults, count: int, target: FaultTarget = HERE) -> list[bool]:
    """Whether a fault happened, request by request."""
    return [faults.match_first(target, TaskFault) is not None for _ in range(count)]


def matches(faults: Faults, kind: type[Effect]) -> Effect | None:
    """The effect that happens."""
    fault = faults.match_first(HERE, kind)
    return None if fault is None else fault.rule.effect


def expected(skip: int, times: int | None, every: int) -> Iterator[bool]:
    """Another implementation of the counting rules."""
    yield from [False] * skip
    turns = cycle([False] * (every - 1) + [True])
    left = times
    for turn in turns:
        if turn and left is not None:
            left -= 1
        yield turn and (left is None or left >= 0)


@given(terms, st.integers(0, 60))
def test_skip_every_and_times_decide_which_requests_fail(terms: dict[str, Any], count: int) -> None:
    seen = matches_now(standing(FaultRule(effect=WRONG, **terms)), count)
    assert seen == list(islice(expected(**terms), count))


@given(terms, st.floats(0, 1), st.integers(0, 2**63 - 1), st.integers(0, 60))
def test_a_fault_never_happens_more_often_than_times(
    terms: dict[str, Any], probability: float, seed: int, count: int
) -> None:
    rule = FaultRule(effect=WRONG, probability=probability, **terms)
    faults = standing(rule, seed=seed)
    seen = matches_now(faults, count)
    (fault,) = faults
    certain = islice(expected(terms["skip"], None, terms["every"]), count)
    assert all(may for did, may in zip(seen, certain, strict=True) if did)
    assert fault.happened == sum(seen) <= fault.matched <= count
    if rule.times is not None:
        assert fault.happened <= rule.times
        assert fault.is_used_up("ada") is (fault.happened == rule.times)


@given(terms, st.floats(0, 1), st.integers(0, 2**63 - 1))
def test_the_same_seed_makes_the_same_requests_fail(
    terms: dict[str, Any], probability: float, seed: int
) -> None:
    rule = FaultRule(effect=WRONG, probability=probability, **terms)
    assert matches_now(standing(rule, seed=seed), 40) == matches_now(standing(rule, seed=seed), 40)


@given(
    terms,
    st.sampled_from([0.5, 1.0]),
    st.lists(st.sampled_from(["", "ada", "ben"]), max_size=40),
    st.integers(0, 99),
)
def test_counts_and_random_values_of_an_account_do_not_depend_on_others(
    terms: dict[str, Any], probability: float, accounts: list[str], seed: int
) -> None:
    rule = FaultRule(effect=WRONG, probability=probability, **terms)
    together = standing(rule, seed=seed)
    seen = [(each, matches_now(together, 1, of_account(each))[0]) for each in accounts]
    for account in set(accounts):
        alone = matches_now(standing(rule, seed=seed), accounts.count(account), of_account(account))
        assert [happened for each, happened in seen if each == account] == alone
    (fault,) = together
    assert fault.matched == sum(counts.matched for counts in fault.by_account.values())
    assert fault.happened == sum(counts.happened for counts in fault.by_account.values())
    assert fault.by_account.keys() == set(accounts)


def of_account(account: str) -> FaultTarget:
    return replace(HERE, account=account)


def test_a_fault_is_used_up_per_account() -> None:
    faults = standing(FaultRule(effect=WRONG, times=1))
    matches_now(faults, 1)
    (fault,) = faults
    assert (fault.is_used_up("ada"), fault.is_used_up("ben")) == (True, False)


def test_another_seed_makes_other_requests_fail() -> None:
    rule = FaultRule(effect=WRONG, probability=0.5)
    assert matches_now(standing(rule, seed=1), 40) != matches_now(standing(rule, seed=2), 40)


def test_two_faults_of_one_kind_have_different_random_values() -> None:
    rule = FaultRule(effect=WRONG, probability=0.5)
    faults = standing(rule, rule)
    one, other = faults
    chance = Chance(1)
    drawn = [[fault.matches_now(HERE, chance) for _ in range(40)] for fault in (one, other)]
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(("probability", "most", "least"), [(0, 0, 0), (1, 999, 999)])
def test_failure_rates_0_and_1_are_certain(probability: float, most: int, least: int) -> None:
    seen = sum(matches_now(standing(FaultRule(effect=WRONG, probability=probability)), 999))
    assert least <= seen <= most


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_a_probability_is_about_the_share_of_effects(probability: float) -> None:
    seen = sum(matches_now(standing(FaultRule(effect=WRONG, probability=probability)), 2000))
    assert abs(seen / 2000 - probability) < 0.05


def test_by_default_a_fault_always_happens() -> None:
    assert matches_now(standing(FaultRule(effect=WRONG)), 3) == [True] * 3


# --- match -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fits",
    [
        {},
        {"api": "rivya"},
        {"operation": "create"},
        {"account": "ada"},
        {"model": "hailuo-pro"},
        {"prompt": "red"},
        {"prompt": "^A red .*n$"},
        {"prompt": "(?i)RED|blue"},
        {"prompt": ""},
        {"api": "rivya", "operation": "create", "account": "ada", "prompt": "balloon"},
    ],
)
def test_a_match_with_all_fields_right_matches(fits: dict[str, Any]) -> None:
    assert matches_now(standing(FaultRule(effect=WRONG, match=Match(**fits))), 1) == [True]


@pytest.mark.parametrize(
    "fits",
    [
        {"api": "acedata"},
        {"account": "ad"},
        {"account": "adam"},
        {"model": "hailuo"},
        {"prompt": "RED"},
        {"prompt": "^red"},
        {"api": "rivya", "account": "ben"},
        {"model": "hailuo-pro", "prompt": "green"},
    ],
)
def test_a_match_with_one_field_wrong_does_not_match(fits: dict[str, Any]) -> None:
    faults = standing(FaultRule(effect=WRONG, match=Match(**fits)))
    assert matches_now(faults, 1) == [False]
    assert next(iter(faults)).matched == 0


@pytest.mark.parametrize("prompt", ["(", "[a", "*", "(?P<x>a)(?P<x>b)", "(?=a)", "x" * 257])
def test_a_prompt_to_match_is_a_regular_expression(prompt: str) -> None:
    with pytest.raises(ValueError, match="regular expression"):
        Match(prompt=prompt)


def test_only_matching_requests_are_counted() -> None:
    faults = standing(FaultRule(effect=WRONG, match=Match(account="ada"), every=2))
    ben = FaultTarget("rivya", "create", "ben")
    seen = [matches_now(faults, 1, each)[0] for each in (HERE, ben, ben, HERE, HERE, ben, HERE)]
    assert seen == [False, False, False, True, False, False, True]
    (fault,) = faults
    assert (fault.matched, fault.happened) == (4, 2)


# --- impossible rules ------------------------------------------------------------------------

ERROR, LATE_ERROR = ErrorFault(code="a"), ErrorFault(code="a", when="after")
APIS = {api.name: api for api in ALL}
NEVER: list[tuple[Match, Effect, str]] = [
    (Match(api="acedata", operation="credits"), ERROR, "acedata has no operation credits"),
    (Match(api="acedata", operation="upload"), DelayFault(seconds=1), "create, read, media"),
    (Match(operation="media"), ERROR, "none of the vendor's errors"),
    (Match(operation="read", model="hailuo-pro"), ERROR, "read does not"),
    (Match(operation="credits", prompt="red"), AnswerFault(status=500), "credits does not"),
    (Match(operation="read"), WRONG, "for the operation create, not read"),
    (Match(operation="media"), LATE, "for the operation create, not media"),
    (Match(answer={"/x": 1}), ERROR, "when = after"),
    (Match(answer={"/x": None}), DelayFault(seconds=1), "when = after"),
    (Match(answer={"": {}}), AnswerFault(status=500), "when = after"),
    (Match(answer={"/x": 1}), ConnectionFault(how="hang"), "when = after"),
    (Match(answer={"/x": 1}), WRONG, "no answer to match"),
    (Match(answer={"/x": 1}), LATE, "no answer to match"),
    (Match(headers={"X-A": True}), WRONG, "no headers of a request to match"),
    (Match(headers={"X-A": False}), LATE, "no headers of a request to match"),
    (Match(api="acedata"), DeliveryFault(signed_s=-9), "have no time"),
    (Match(api="acedata"), DeliveryFault(deleted_endpoint=True), "no webhook endpoints"),
    (Match(api="acedata"), DeliveryFault(event_type="x"), "callbacks have no type"),
]


@pytest.mark.parametrize(("match", "effect", "why"), NEVER)
def test_a_rule_that_can_never_happen_is_refused_with_the_reason(
    match: Match, effect: Effect, why: str
) -> None:
    with pytest.raises(ValueError, match="this can never happen: .*" + why):
        require_possible(FaultRule(match=match, effect=effect), APIS)


@pytest.mark.parametrize(
    ("kind", "terms", "why"),
    [
        (BodyFault, {"set": {"": [1]}}, "use replace"),
        (BodyFault, {"drop": ("/a", "")}, "use replace"),
        (BodyFault, {"rename": {"": "a"}}, "use replace"),
        (BodyFault, {"null": ("",)}, "use replace"),
        (BodyFault, {"replace": "", "set": {"/a": 1}}, "replace leaves no fields"),
        (BodyFault, {"replace": "x", "drop": ("/a",)}, "replace leaves no fields"),
        (AnswerFault, {"status": 502, "headers": {"Content-Length": "1"}}, "follows from"),
        (AnswerFault, {"status": 502, "headers": {"transfer-encoding": "a"}}, "follows from"),
        (DeliveryFault, {"answer": ReceiverAnswer(500), "connection": "reset"}, "not called"),
        (DeliveryFault, {"answer": ReceiverAnswer(retry_after_s=1)}, "without a status"),
        (DeliveryFault, {"answer": ReceiverAnswer(location="/")}, "without a status"),
        (DeliveryFault, {"copies": 0, "contradicted": True}, "never sent"),
        (DeliveryFault, {"signed_with": "nothing", "signed_s": 1}, "no time"),
    ],
)
def test_an_effect_with_contradicting_fields_is_refused(
    kind: type[Effect], terms: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        kind(**terms)


@pytest.mark.parametrize(
    ("match", "effect"),
    [
        (Match(operation="media", model="hailuo-pro", prompt="red"), AnswerFault(status=404)),
        (Match(api="acedata", operation="media"), AnswerFault(status=404)),
        (Match(model="hailuo-pro"), ERROR),
        (Match(operation="read", prompt="^$"), ERROR),
        (Match(operation="create"), WRONG),
        (Match(answer={"/x": 1}), LATE_ERROR),
        (Match(answer={"/x": 1}), ConnectionFault(how="reset", after_bytes=1)),
        (Match(answer={"/x": 1}), BodyFault(null=("/",))),
    ],
)
def test_a_possible_rule_is_accepted(match: Match, effect: Effect) -> None:
    assert require_possible(FaultRule(match=match, effect=effect), APIS).effect == effect


def test_an_impossible_rule_cannot_be_derived_from_another() -> None:
    with pytest.raises(ValueError, match="can never happen"):
        replace(FaultRule(effect=WRONG), match=Match(operation="read"))


@pytest.mark.parametrize(
    ("wanted", "there", "fits"),
    [(1, True, False), (True, 1, False), (1, 1.0, True), ([1], [True], False), ({}, {}, True)],
)
def test_an_answer_has_a_value_only_if_it_is_the_same_json(
    wanted: Any, there: Any, fits: bool
) -> None:
    here = replace(HERE, answer={"x": there})
    assert Match(answer={"/x": wanted}).matches(here) is fits


# --- several faults --------------------------------------------------------------------------


def test_the_oldest_of_several_matching_faults_happens() -> None:
    other = TaskFault(outcome="succeeded")
    faults = standing(FaultRule(effect=WRONG, times=1), FaultRule(effect=other))
    assert [matches(faults, TaskFault) for _ in range(2)] == [WRONG, other]


def test_a_fault_after_the_first_match_counts_nothing() -> None:
    faults = standing(FaultRule(effect=WRONG), FaultRule(effect=WRONG))
    matches_now(faults, 3)
    assert [(fault.matched, fault.happened) for fault in faults] == [(3, 3), (0, 0)]


def test_each_kind_of_effect_is_matched_on_its_own() -> None:
    faults = standing(FaultRule(effect=LATE), FaultRule(effect=WRONG))
    assert matches(faults, TaskFault) == WRONG
    assert matches(faults, DeliveryFault) == LATE
    assert [fault.matched for fault in faults] == [1, 1]


def test_without_faults_nothing_happens() -> None:
    faults = standing()
    assert not faults
    assert faults.match_first(HERE, TaskFault) is None


def test_a_used_up_fault_stays_as_a_record_and_counts_nothing() -> None:
    faults = standing(FaultRule(effect=WRONG, times=2))
    matches_now(faults, 5)
    (fault,) = faults
    assert fault.is_used_up("ada")
    assert (fault.matched, fault.happened) == (2, 2)


def test_the_first_channel_with_a_matching_fault_wins() -> None:
    faults = Faults(Chance(1))
    faults.add(FaultRule(effect=DelayFault(seconds=1), skip=1), "slow", "header")
    faults.add(FaultRule(effect=BodyFault()), "field", "header")
    lower = faults.add(FaultRule(effect=DelayFault(seconds=2)), "slower", "key")
    faults.add(FaultRule(effect=BodyFault()), "other", "key")
    seen = [[each.scenario for each in faults.matches(HERE, "before")] for _ in range(2)]
    assert seen == [["slower"], ["slow"]]
    assert lower.matched == 1
    assert [each.scenario for each in faults.matches(HERE, "after")] == ["field"]


# --- adding and removing ---------------------------------------------------------------------


def test_a_fault_can_be_found_until_it_is_removed() -> None:
    faults = standing(FaultRule(effect=WRONG))
    (fault,) = faults
    assert faults.get(fault.id) is fault
    faults.remove(fault.id)
    assert faults.get(fault.id) is None
    assert matches_now(faults, 1) == [False]
    with pytest.raises(KeyError):
        faults.remove(fault.id)


def test_after_clear_no_fault_happens() -> None:
    faults = standing(FaultRule(effect=WRONG), FaultRule(effect=LATE))
    faults.clear()
    assert len(faults) == 0
    assert faults.match_first(HERE, DeliveryFault) is None


def test_no_id_is_ever_given_twice() -> None:
    faults = standing()
    ids = []
    for _ in range(3):
        fault = faults.add(FaultRule(effect=WRONG))
        ids.append(fault.id)
        faults.remove(fault.id)
    faults.add(FaultRule(effect=WRONG))
    faults.clear()
    ids.append(faults.add(FaultRule(effect=WRONG)).id)
    assert len(set(ids)) == 4


def test_faults_are_listed_oldest_first_with_their_scenario() -> None:
    faults = standing()
    made: list[Fault] = [faults.add(FaultRule(effect=WRONG), name) for name in ("b", None, "a")]
    assert list(faults) == made
    assert [fault.scenario for fault in faults] == ["b", None, "a"]
    assert len(faults) == 3
