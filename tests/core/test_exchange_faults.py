"""Effects of faults on answers, and the lengths of delays."""

from __future__ import annotations

import math
from copy import deepcopy
from statistics import median, quantiles
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.chance import Chance
from mock_server.core.effects import (
    AnswerFault,
    BodyFault,
    ConnectionFault,
    DelayFault,
    Effect,
    ErrorFault,
    TaskFault,
    when_of,
)
from mock_server.core.faults import Fault, FaultRule, Faults, FaultTarget
from mock_server.core.json_values import pointer as pointer_to
from mock_server.core.json_values import value_at

DRAWS = 20_000
HERE = FaultTarget("rivya", "create", error_codes=["a"])

fractions = st.integers(0, 2**48 - 1).map(lambda number: number / 2**48)
names = st.text(st.sampled_from("ab/~01 ²٣é"), max_size=4)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
pointers = st.lists(names | st.integers(0, 3).map(str), max_size=4).map(pointer_to)


def waits_ms(delay: DelayFault, seed: int = 1, count: int = DRAWS) -> list[int]:
    """The delays of many requests."""
    chance = Chance(seed)
    return [
        delay.wait_ms(chance.fraction("delay", number), chance.fraction("more delay", number))
        for number in range(count)
    ]


# --- length of a delay -----------------------------------------------------------------------


@given(st.floats(0, 10**9), fractions, fractions)
def test_a_fixed_delay_does_not_depend_on_random_numbers(
    seconds: float, fraction: float, other: float
) -> None:
    assert DelayFault(seconds=seconds).wait_ms(fraction, other) == round(seconds * 1000)


@given(st.tuples(st.floats(0, 10**6), st.floats(0, 10**6)).map(sorted), fractions, fractions)
def test_a_uniform_delay_is_between_its_bounds(
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
def test_a_lognormal_delay_is_finite(bounds: list[float], fraction: float, other: float) -> None:
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
def test_lognormal_delays_have_the_given_median_and_99th_percentile(
    median_s: float, p99_s: float
) -> None:
    seen = waits_ms(DelayFault(lognormal_s=(median_s, p99_s)))
    assert median(seen) == pytest.approx(1000 * median_s, rel=0.05)
    assert quantiles(seen, n=100)[98] == pytest.approx(1000 * p99_s, rel=0.1)


def test_the_logarithms_of_lognormal_delays_are_symmetric() -> None:
    seen = sorted(math.log(each / 500) for each in waits_ms(DelayFault(lognormal_s=(0.5, 8))))
    deviation = math.log(16) / 2.3263478740408408
    for share, distance in ((0.1587, -1), (0.8413, 1), (0.0228, -2), (0.9772, 2)):
        assert seen[round(share * DRAWS)] == pytest.approx(distance * deviation, rel=0.06)


@pytest.mark.parametrize(
    "delay", [DelayFault(uniform_s=(1, 4)), DelayFault(lognormal_s=(0.5, 8))], ids=str
)
def test_the_same_seed_gives_the_same_delays(delay: DelayFault) -> None:
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
def test_a_delay_has_exactly_one_kind_of_length(terms: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="number|exactly one"):
        DelayFault(**terms)


def test_a_delay_may_be_zero() -> None:
    for delay in (DelayFault(seconds=0), DelayFault(uniform_s=(0, 0))):
        assert delay.wait_ms(0.999, 0.5) == 0


# --- time in the request ---------------------------------------------------------------------


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
def test_each_effect_has_its_time_in_the_request(effect: Effect, when: str | None) -> None:
    assert when_of(effect) == when
    chance = Chance(1)
    for moment in ("before", "after"):
        faults = Faults(chance)
        faults.add(FaultRule(effect=effect))
        matches: list[Fault] = faults.matches(HERE, moment)
        assert [fault.rule.effect for fault in matches] == ([effect] if moment == when else [])


def test_all_faults_of_one_time_happen_oldest_first() -> None:
    faults = Faults(Chance(1))
    effects: list[Effect] = [
        DelayFault(seconds=1),
        BodyFault(),
        ErrorFault(code="a"),
        DelayFault(seconds=2),
    ]
    for effect in effects:
        faults.add(FaultRule(effect=effect))
    matches = faults.matches(HERE, "before")
    assert [fault.rule.effect for fault in matches] == [effects[0], *effects[2:]]
    assert [fault.matched for fault in faults] == [1, 0, 1, 1]


# --- changes of a document -------------------------------------------------------------------

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
        (BodyFault(rename={"/result/a~1b": "urls"}), ANSWER),
        (BodyFault(set={"/status": {"deep": [1]}}), ANSWER | {"status": {"deep": [1]}}),
        (BodyFault(set={"/new": None}), ANSWER | {"new": None}),
        (BodyFault(set={"/no/way": 1, "/id/x": 2}), ANSWER),
        (BodyFault(null=("/result",)), ANSWER | {"result": None}),
        (BodyFault(null=("/nothing", "/result/urls/7", "/no/way")), ANSWER),
        (BodyFault(drop=("/id",), set={"/id": 5}), ANSWER | {"id": 5}),
        (BodyFault(set={"/id": 5}, null=("/id",)), ANSWER | {"id": None}),
        (BodyFault(rename={"/id": "no"}, set={"/no": 5}), ANSWER | {"no": 5}),
    ],
)
def test_fields_are_dropped_then_renamed_then_set_then_made_null(
    fault: BodyFault, expected: dict[str, Any]
) -> None:
    gone = {pointer[1:] for pointer in fault.rename} & ANSWER.keys()
    assert fault.apply_to(deepcopy(ANSWER)) == {
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
def test_a_pointer_follows_rfc_6901(pointer: str, expected: dict[str, Any]) -> None:
    document = BodyFault(set={"/result" + pointer: 9}).apply_to(deepcopy(ANSWER))
    assert document["result"] == ANSWER["result"] | expected


@given(documents, pointers)
def test_any_pointer_can_be_followed_in_any_document(document: Any, pointer: str) -> None:
    assert value_at(document, pointer) is _found(document, pointer)


def _found(document: Any, pointer: str) -> Any:
    """Another implementation of `value_at`, step by step."""
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
def test_only_places_with_an_owner_can_be_set(document: Any, pointer: str, value: Any) -> None:
    before = deepcopy(document)
    owner, _, last = pointer.rpartition("/")
    at_owner = value_at(before, owner)
    after = BodyFault(set={pointer: value}).apply_to(document)
    if isinstance(at_owner, dict) or (
        isinstance(at_owner, list) and last in [str(index) for index in range(len(at_owner))]
    ):
        assert value_at(after, pointer) == value
    else:
        assert after == before


@given(documents, pointers.filter(bool))
def test_dropping_a_field_twice_changes_nothing_more(document: Any, pointer: str) -> None:
    fault = BodyFault(drop=(pointer,))
    once = deepcopy(fault.apply_to(document))
    assert fault.apply_to(document) == once
    owner = value_at(once, pointer.rpartition("/")[0])
    if isinstance(owner, dict):
        assert value_at(once, pointer) is None


@pytest.mark.parametrize("value", [None, 0, "", [], False])
def test_a_field_is_renamed_whatever_its_value(value: Any) -> None:
    assert BodyFault(rename={"/a": "b"}).apply_to({"a": value}) == {"b": value}


@given(documents, pointers.filter(bool), names)
def test_a_renamed_field_keeps_its_value(document: Any, pointer: str, name: str) -> None:
    before = deepcopy(document)
    owner_at = pointer.rpartition("/")[0]
    last = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    after = BodyFault(rename={pointer: name}).apply_to(document)
    owner = value_at(before, owner_at)
    if isinstance(owner, dict) and last in owner and name not in owner:
        expected = {key: value for key, value in owner.items() if key != last} | {name: owner[last]}
        assert value_at(after, owner_at) == expected
    else:
        assert after == before
