"""What goes wrong when: counted, matched, and the same again from the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mock_server.core.chance import Chance
from mock_server.core.delivery_faults import DeliveryFault, ReceiverAnswer
from mock_server.core.exchange_faults import (
    AnswerFault,
    BodyFault,
    ConnectionFault,
    DelayFault,
    ErrorFault,
)
from mock_server.core.faults import Effect, Fault, FaultRule, Faults, Match, Situation
from mock_server.core.task_faults import TaskFault

WRONG = TaskFault(outcome="failed")
LATE = DeliveryFault(late_s=60)
HERE = Situation("rivya", "create", "ada", "hailuo-pro", "A red balloon")

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


def strikes(faults: Faults, count: int, situation: Situation = HERE) -> list[bool]:
    """Whether it went wrong, request by request."""
    return [faults.strike(situation, TaskFault) is not None for _ in range(count)]


def struck(faults: Faults, kind: type[Effect]) -> Effect | None:
    """What goes wrong here."""
    fault = faults.strike(HERE, kind)
    return None if fault is None else fault.rule.effect


def expected(skip: int, times: int | None, every: int) -> Iterator[bool]:
    """The same told in another way: so many go right, then each so many-th goes wrong."""
    yield from [False] * skip
    turns = cycle([False] * (every - 1) + [True])
    left = times
    for turn in turns:
        if turn and left is not None:
            left -= 1
        yield turn and (left is None or left >= 0)


@given(terms, st.integers(0, 60))
def test_it_goes_wrong_exactly_when_skip_every_and_times_say_so(
    terms: dict[str, Any], count: int
) -> None:
    seen = strikes(standing(FaultRule(effect=WRONG, **terms)), count)
    assert seen == list(islice(expected(**terms), count))


@given(terms, st.floats(0, 1), st.integers(0, 2**63 - 1), st.integers(0, 60))
def test_it_never_happens_more_often_than_it_may(
    terms: dict[str, Any], probability: float, seed: int, count: int
) -> None:
    rule = FaultRule(effect=WRONG, probability=probability, **terms)
    faults = standing(rule, seed=seed)
    seen = strikes(faults, count)
    (fault,) = faults
    certain = islice(expected(terms["skip"], None, terms["every"]), count)
    assert all(may for did, may in zip(seen, certain, strict=True) if did)
    assert fault.happened == sum(seen) <= fault.matched <= count
    if rule.times is not None:
        assert fault.happened <= rule.times
        assert fault.is_used_up("ada") is (fault.happened == rule.times)


@given(terms, st.floats(0, 1), st.integers(0, 2**63 - 1))
def test_the_same_seed_makes_the_same_go_wrong(
    terms: dict[str, Any], probability: float, seed: int
) -> None:
    rule = FaultRule(effect=WRONG, probability=probability, **terms)
    assert strikes(standing(rule, seed=seed), 40) == strikes(standing(rule, seed=seed), 40)


@given(
    terms,
    st.sampled_from([0.5, 1.0]),
    st.lists(st.sampled_from(["", "ada", "ben"]), max_size=40),
    st.integers(0, 99),
)
def test_each_account_is_counted_and_drawn_for_as_if_it_were_alone(
    terms: dict[str, Any], probability: float, accounts: list[str], seed: int
) -> None:
    rule = FaultRule(effect=WRONG, probability=probability, **terms)
    together = standing(rule, seed=seed)
    seen = [(each, strikes(together, 1, of_account(each))[0]) for each in accounts]
    for account in set(accounts):
        alone = strikes(standing(rule, seed=seed), accounts.count(account), of_account(account))
        assert [happened for each, happened in seen if each == account] == alone
    (fault,) = together
    assert fault.matched == sum(counts.matched for counts in fault.by_account.values())
    assert fault.happened == sum(counts.happened for counts in fault.by_account.values())
    assert fault.by_account.keys() == set(accounts)


def of_account(account: str) -> Situation:
    return replace(HERE, account=account)


def test_one_that_is_used_up_for_one_account_is_not_for_another() -> None:
    faults = standing(FaultRule(effect=WRONG, times=1))
    strikes(faults, 1)
    (fault,) = faults
    assert (fault.is_used_up("ada"), fault.is_used_up("ben")) == (True, False)


def test_another_seed_makes_other_things_go_wrong() -> None:
    rule = FaultRule(effect=WRONG, probability=0.5)
    assert strikes(standing(rule, seed=1), 40) != strikes(standing(rule, seed=2), 40)


def test_two_faults_of_one_kind_draw_apart() -> None:
    rule = FaultRule(effect=WRONG, probability=0.5)
    faults = standing(rule, rule)
    one, other = faults
    chance = Chance(1)
    drawn = [[fault.strikes(HERE, chance) for _ in range(40)] for fault in (one, other)]
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(("probability", "most", "least"), [(0, 0, 0), (1, 999, 999)])
def test_never_and_always_are_certain(probability: float, most: int, least: int) -> None:
    seen = sum(strikes(standing(FaultRule(effect=WRONG, probability=probability)), 999))
    assert least <= seen <= most


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_a_probability_is_about_the_share_that_goes_wrong(probability: float) -> None:
    seen = sum(strikes(standing(FaultRule(effect=WRONG, probability=probability)), 2000))
    assert abs(seen / 2000 - probability) < 0.05


def test_by_default_everything_goes_wrong() -> None:
    assert strikes(standing(FaultRule(effect=WRONG)), 3) == [True] * 3


# --- what it concerns ------------------------------------------------------------------------


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
def test_it_concerns_what_has_everything_it_asks_for(fits: dict[str, Any]) -> None:
    assert strikes(standing(FaultRule(effect=WRONG, match=Match(**fits))), 1) == [True]


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
def test_it_does_not_concern_what_lacks_one_thing(fits: dict[str, Any]) -> None:
    faults = standing(FaultRule(effect=WRONG, match=Match(**fits)))
    assert strikes(faults, 1) == [False]
    assert next(iter(faults)).matched == 0


@pytest.mark.parametrize("prompt", ["(", "[a", "*", "(?P<x>a)(?P<x>b)", "(?=a)", "x" * 257])
def test_a_prompt_to_match_is_a_regular_expression(prompt: str) -> None:
    with pytest.raises(ValueError, match="regular expression"):
        Match(prompt=prompt)


def test_only_what_it_concerns_is_counted() -> None:
    faults = standing(FaultRule(effect=WRONG, match=Match(account="ada"), every=2))
    ben = Situation("rivya", "create", "ben")
    seen = [strikes(faults, 1, each)[0] for each in (HERE, ben, ben, HERE, HERE, ben, HERE)]
    assert seen == [False, False, False, True, False, False, True]
    (fault,) = faults
    assert (fault.matched, fault.happened) == (4, 2)


# --- what can never happen -------------------------------------------------------------------

ERROR, LATE_ERROR = ErrorFault(code="a"), ErrorFault(code="a", when="after")
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
    (Match(api="acedata"), DeliveryFault(signed_s=-9), "have no time"),
    (Match(api="acedata"), DeliveryFault(deleted_endpoint=True), "no webhook endpoints"),
]


@pytest.mark.parametrize(("match", "effect", "why"), NEVER)
def test_a_rule_that_can_never_happen_is_refused_with_the_reason(
    match: Match, effect: Effect, why: str
) -> None:
    with pytest.raises(ValueError, match="this can never happen: .*" + why):
        FaultRule(match=match, effect=effect)


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
def test_an_effect_whose_parts_rule_each_other_out_is_refused(
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
def test_what_may_happen_is_taken(match: Match, effect: Effect) -> None:
    assert FaultRule(match=match, effect=effect).effect == effect


def test_only_what_may_happen_can_be_made_of_another_rule() -> None:
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
    assert Match(answer={"/x": wanted}).fits(here) is fits


# --- several at once -------------------------------------------------------------------------


def test_of_several_that_would_happen_the_oldest_does() -> None:
    other = TaskFault(outcome="succeeded")
    faults = standing(FaultRule(effect=WRONG, times=1), FaultRule(effect=other))
    assert [struck(faults, TaskFault) for _ in range(2)] == [WRONG, other]


def test_one_that_did_not_get_its_turn_counts_nothing() -> None:
    faults = standing(FaultRule(effect=WRONG), FaultRule(effect=WRONG))
    strikes(faults, 3)
    assert [(fault.matched, fault.happened) for fault in faults] == [(3, 3), (0, 0)]


def test_each_kind_goes_wrong_on_its_own() -> None:
    faults = standing(FaultRule(effect=LATE), FaultRule(effect=WRONG))
    assert struck(faults, TaskFault) == WRONG
    assert struck(faults, DeliveryFault) == LATE
    assert [fault.matched for fault in faults] == [1, 1]


def test_where_nothing_stands_nothing_goes_wrong() -> None:
    faults = standing()
    assert not faults
    assert faults.strike(HERE, TaskFault) is None


def test_one_that_is_used_up_stays_as_a_record_and_counts_no_more() -> None:
    faults = standing(FaultRule(effect=WRONG, times=2))
    strikes(faults, 5)
    (fault,) = faults
    assert fault.is_used_up("ada")
    assert (fault.matched, fault.happened) == (2, 2)


def test_of_what_was_asked_for_in_two_channels_the_first_with_something_wrong_counts() -> None:
    faults = Faults(Chance(1))
    faults.add(FaultRule(effect=DelayFault(seconds=1), skip=1), "slow", "header")
    faults.add(FaultRule(effect=BodyFault()), "field", "header")
    lower = faults.add(FaultRule(effect=DelayFault(seconds=2)), "slower", "key")
    faults.add(FaultRule(effect=BodyFault()), "other", "key")
    seen = [[each.scenario for each in faults.struck(HERE, "before")] for _ in range(2)]
    assert seen == [["slower"], ["slow"]]
    assert lower.matched == 1
    assert [each.scenario for each in faults.struck(HERE, "after")] == ["field"]


# --- standing and going ----------------------------------------------------------------------


def test_a_fault_can_be_found_until_it_is_removed() -> None:
    faults = standing(FaultRule(effect=WRONG))
    (fault,) = faults
    assert faults.get(fault.id) is fault
    faults.remove(fault.id)
    assert faults.get(fault.id) is None
    assert strikes(faults, 1) == [False]
    with pytest.raises(KeyError):
        faults.remove(fault.id)


def test_after_clearing_everything_goes_right() -> None:
    faults = standing(FaultRule(effect=WRONG), FaultRule(effect=LATE))
    faults.clear()
    assert len(faults) == 0
    assert faults.strike(HERE, DeliveryFault) is None


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


def test_faults_stand_oldest_first_with_the_scenario_they_came_with() -> None:
    faults = standing()
    made: list[Fault] = [faults.add(FaultRule(effect=WRONG), name) for name in ("b", None, "a")]
    assert list(faults) == made
    assert [fault.scenario for fault in faults] == ["b", None, "a"]
    assert len(faults) == 3
