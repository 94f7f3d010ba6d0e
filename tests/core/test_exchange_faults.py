"""What a fault does to one answer, and how long it keeps one waiting."""

from __future__ import annotations

import math
from copy import deepcopy
from statistics import median, quantiles
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.chance import Chance
from mock_server.core.exchange_faults import (
    AnswerFault,
    BodyFault,
    ConnectionFault,
    DelayFault,
    ErrorFault,
    value_at,
)
from mock_server.core.faults import Effect, Fault, FaultRule, Faults, Situation, moment_of
from mock_server.core.task_faults import TaskFault

DRAWS = 20_000
HERE = Situation("rivya", "create", error_codes=["a"])

fractions = st.integers(0, 2**48 - 1).map(lambda number: number / 2**48)
names = st.text(st.sampled_from("ab/~01 ²٣é"), max_size=4)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
pointers = st.lists(names | st.integers(0, 3).map(str), max_size=4).map(
    lambda steps: "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
)


def waits_ms(delay: DelayFault, seed: int = 1, count: int = DRAWS) -> list[int]:
    """How long each of many requests has to wait."""
    chance = Chance(seed)
    return [
        delay.wait_ms(chance.fraction("delay", number), chance.fraction("more delay", number))
        for number in range(count)
    ]


# --- how long --------------------------------------------------------------------------------


@given(st.floats(0, 10**9), fractions, fractions)
def test_a_fixed_delay_is_the_same_whatever_is_drawn(
    seconds: float, fraction: float, other: float
) -> None:
    assert DelayFault(seconds=seconds).wait_ms(fraction, other) == round(seconds * 1000)


@given(st.tuples(st.floats(0, 10**6), st.floats(0, 10**6)).map(sorted), fractions, fractions)
def test_a_uniform_delay_stays_between_its_bounds(
    bounds: list[float], fraction: float, other: float
) -> None:
    low_s, high_s = bounds
    wait_ms = DelayFault(uniform_s=(low_s, high_s)).wait_ms(fraction, other)
    assert round(1000 * low_s) <= wait_ms <= round(1000 * high_s)


@given(
    st.tuples(st.floats(0, 10**9, exclude_min=True), st.floats(0, 10**9, exclude_min=True)).map(
        sorted
    ),
    fractions,
    fractions,
)
def test_a_lognormal_delay_is_a_time_that_ends(
    bounds: list[float], fraction: float, other: float
) -> None:
    low_s, high_s = bounds
    wait_ms = DelayFault(lognormal_s=(low_s, high_s)).wait_ms(fraction, other)
    assert 0 <= wait_ms <= 10**12


def test_uniform_delays_are_spread_evenly() -> None:
    seen = waits_ms(DelayFault(uniform_s=(1, 4)))
    assert min(seen) < 1010
    assert max(seen) > 3990
    for number, quantile in enumerate(quantiles(seen, n=10), start=1):
        assert quantile == pytest.approx(1000 + 300 * number, rel=0.03)


@pytest.mark.parametrize(("median_s", "p99_s"), [(0.5, 8), (2, 3), (10, 10)])
def test_lognormal_delays_have_the_median_and_the_99th_percentile_asked_for(
    median_s: float, p99_s: float
) -> None:
    seen = waits_ms(DelayFault(lognormal_s=(median_s, p99_s)))
    assert median(seen) == pytest.approx(1000 * median_s, rel=0.05)
    assert quantiles(seen, n=100)[98] == pytest.approx(1000 * p99_s, rel=0.1)


def test_the_logarithms_of_lognormal_delays_are_spread_alike_to_both_sides() -> None:
    seen = sorted(math.log(each / 500) for each in waits_ms(DelayFault(lognormal_s=(0.5, 8))))
    deviation = math.log(16) / 2.3263478740408408
    for share, distance in ((0.1587, -1), (0.8413, 1), (0.0228, -2), (0.9772, 2)):
        assert seen[round(share * DRAWS)] == pytest.approx(distance * deviation, rel=0.06)


@pytest.mark.parametrize(
    "delay", [DelayFault(uniform_s=(1, 4)), DelayFault(lognormal_s=(0.5, 8))], ids=str
)
def test_the_same_seed_delays_alike_and_another_otherwise(delay: DelayFault) -> None:
    assert waits_ms(delay, 1, 100) == waits_ms(delay, 1, 100) != waits_ms(delay, 2, 100)


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"seconds": 1, "uniform_s": (1, 2)},
        {"seconds": 0, "lognormal_s": (1, 2)},
        {"uniform_s": (1, 2), "lognormal_s": (1, 2)},
        {"seconds": 1, "uniform_s": (1, 2), "lognormal_s": (1, 2)},
        {"uniform_s": (2, 1)},
        {"lognormal_s": (2, 1)},
        {"lognormal_s": (0, 1)},
        {"lognormal_s": (0, 0)},
    ],
)
def test_a_delay_says_in_exactly_one_way_how_long_it_is(terms: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="number|exactly one"):
        DelayFault(**terms)


def test_a_delay_may_be_no_time_at_all() -> None:
    for delay in (DelayFault(seconds=0), DelayFault(uniform_s=(0, 0))):
        assert delay.wait_ms(0.999, 0.5) == 0


# --- when ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "when"),
    [
        (ErrorFault(code="a"), "before"),
        (ErrorFault(code="a", when="after"), "after"),
        (AnswerFault(status=502), "before"),
        (AnswerFault(status=502, when="after"), "after"),
        (DelayFault(seconds=1), "before"),
        (DelayFault(seconds=1, when="after"), "after"),
        (ConnectionFault(how="reset"), "before"),
        (ConnectionFault(how="hang", when="after"), "after"),
        (ConnectionFault(how="reset", after_bytes=0), "after"),
        (ConnectionFault(how="hang", after_bytes=9, when="before"), "after"),
        (BodyFault(), "after"),
        (TaskFault(), None),
    ],
)
def test_each_effect_has_its_moment(effect: Effect, when: str | None) -> None:
    assert moment_of(effect) == when
    chance = Chance(1)
    for moment in ("before", "after"):
        faults = Faults(chance)
        faults.add(FaultRule(effect=effect))
        struck: list[Fault] = faults.struck(HERE, moment)
        assert [fault.rule.effect for fault in struck] == ([effect] if moment == when else [])


def test_all_that_happens_at_a_moment_does_oldest_first() -> None:
    faults = Faults(Chance(1))
    effects: list[Effect] = [
        DelayFault(seconds=1),
        BodyFault(),
        ErrorFault(code="a"),
        DelayFault(seconds=2),
    ]
    for effect in effects:
        faults.add(FaultRule(effect=effect))
    struck = faults.struck(HERE, "before")
    assert [fault.rule.effect for fault in struck] == [effects[0], *effects[2:]]
    assert [fault.matched for fault in faults] == [1, 0, 1, 1]


# --- what is done to a document --------------------------------------------------------------

ANSWER: dict[str, Any] = {
    "id": "task_1",
    "status": "succeeded",
    "result": {"urls": ["a", "b"], "a/b": 1, "m~n": 2, "": 3},
}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (BodyFault(), ANSWER),
        (BodyFault(drop=("/id",)), {name: ANSWER[name] for name in ("status", "result")}),
        (BodyFault(drop=("/ids", "/result/urls/0", "/no/way", "/id/x")), ANSWER),
        (BodyFault(rename={"/status": "state"}), ANSWER | {"state": "succeeded"}),
        (BodyFault(rename={"/nothing": "state"}), ANSWER),
        (BodyFault(set={"/status": {"deep": [1]}}), ANSWER | {"status": {"deep": [1]}}),
        (BodyFault(set={"/new": None}), ANSWER | {"new": None}),
        (BodyFault(set={"/no/way": 1, "/id/x": 2}), ANSWER),
        (BodyFault(null=("/result",)), ANSWER | {"result": None}),
        (BodyFault(drop=("/id",), set={"/id": 5}), ANSWER | {"id": 5}),
        (BodyFault(set={"/id": 5}, null=("/id",)), ANSWER | {"id": None}),
        (BodyFault(rename={"/id": "no"}, set={"/no": 5}), ANSWER | {"no": 5}),
    ],
)
def test_fields_are_dropped_then_renamed_then_set_then_made_null(
    fault: BodyFault, expected: dict[str, Any]
) -> None:
    gone = {pointer[1:] for pointer in fault.rename} & ANSWER.keys()
    assert fault.changed(deepcopy(ANSWER)) == {
        name: value for name, value in expected.items() if name not in gone
    }


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/urls/1", {"urls": ["a", 9]}),
        ("/urls/2", {}),
        ("/urls/-1", {}),
        ("/urls/-", {}),
        ("/urls/01", {}),
        ("/urls/²", {}),
        ("/urls/" + "9" * 5000, {}),
        ("/a~1b", {"a/b": 9}),
        ("/m~0n", {"m~n": 9}),
        ("/~01", {"~1": 9}),
        ("/", {"": 9}),
    ],
)
def test_a_pointer_leads_where_rfc_6901_says(pointer: str, expected: dict[str, Any]) -> None:
    document = BodyFault(set={"/result" + pointer: 9}).changed(deepcopy(ANSWER))
    assert document["result"] == ANSWER["result"] | expected


@given(documents, pointers)
def test_a_pointer_to_anywhere_is_followed_as_far_as_it_leads(document: Any, pointer: str) -> None:
    assert value_at(document, pointer) is _found(document, pointer)


def _found(document: Any, pointer: str) -> Any:
    """The same told in another way, step by step."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name in [str(index) for index in range(len(document))]:
            document = document[int(name)]
        else:
            return None
    return document


@given(documents, pointers.filter(bool), documents)
def test_what_can_be_set_is_what_has_an_owner_and_nothing_else_changes(
    document: Any, pointer: str, value: Any
) -> None:
    before = deepcopy(document)
    owner, _, last = pointer.rpartition("/")
    at_owner = value_at(before, owner)
    after = BodyFault(set={pointer: value}).changed(document)
    if isinstance(at_owner, dict) or (
        isinstance(at_owner, list) and last in [str(index) for index in range(len(at_owner))]
    ):
        assert value_at(after, pointer) == value
    else:
        assert after == before


@given(documents, pointers.filter(bool))
def test_what_was_dropped_is_gone_and_dropping_it_again_changes_nothing(
    document: Any, pointer: str
) -> None:
    fault = BodyFault(drop=(pointer,))
    once = deepcopy(fault.changed(document))
    assert fault.changed(document) == once
    owner = value_at(once, pointer.rpartition("/")[0])
    if isinstance(owner, dict):
        assert value_at(once, pointer) is None


@pytest.mark.parametrize("value", [None, 0, "", [], False])
def test_a_field_is_renamed_whatever_its_value(value: Any) -> None:
    assert BodyFault(rename={"/a": "b"}).changed({"a": value}) == {"b": value}


@given(documents, pointers.filter(bool), names)
def test_a_renamed_field_keeps_its_value(document: Any, pointer: str, name: str) -> None:
    before = deepcopy(document)
    owner_at = pointer.rpartition("/")[0]
    last = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    after = BodyFault(rename={pointer: name}).changed(document)
    owner = value_at(before, owner_at)
    if isinstance(owner, dict) and last in owner:
        expected = {key: value for key, value in owner.items() if key != last} | {name: owner[last]}
        assert value_at(after, owner_at) == expected
    else:
        assert after == before
