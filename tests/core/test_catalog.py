"""Models, prices, and the clip for a request."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from mock_server.apis import ALL
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import SCHEMAS
from mock_server.core.catalog import Catalog, Clip, Model

CATALOG = Contract(SCHEMAS, ALL).catalog
STANDARD = CATALOG.find("rivya", "hailuo-standard")


def model(model_id: str = "m", *, api: str = "rivya", facts: Mapping[str, Any] = {}) -> Model:
    clips = (Clip(4, 3, 6, params={"length": "6"}), Clip(4, 3, 10, params={"length": "10"}))
    return Model(api, model_id, 1, None, {"length": "6"}, clips, facts)


def test_a_model_is_found_by_its_api_and_id() -> None:
    mine = model()
    assert Catalog([mine]).find("rivya", "m") is mine


@pytest.mark.parametrize(("api", "model_id"), [("acedata", "m"), ("rivya", "n")])
def test_a_model_of_another_api_or_id_is_not_there(api: str, model_id: str) -> None:
    with pytest.raises(KeyError):
        Catalog([model()]).find(api, model_id)


def test_an_api_lists_its_own_models_in_order() -> None:
    catalog = Catalog([model("b"), model("x", api="acedata"), model("a")])
    assert [entry.id for entry in catalog.of("rivya")] == ["b", "a"]


@pytest.mark.parametrize(
    ("facts", "accepts"),
    [
        ({}, True),
        ({"listing": {"api_status": "available"}}, True),
        ({"listing": {"api_status": "coming_soon"}}, False),
        ({"listing": {"api_status": "studio_only"}}, False),
    ],
)
def test_only_an_available_model_can_be_called(facts: dict[str, Any], accepts: bool) -> None:
    assert model(facts=facts).accepts_generations is accepts


def test_the_params_choose_the_clip() -> None:
    assert model().clip_for({"length": "10"}).duration_s == 10


def test_a_param_left_out_has_its_default() -> None:
    assert model().clip_for({}).duration_s == 6


@pytest.mark.parametrize("value", [None, ["a"], 0.5, 10**400, True], ids=lambda v: str(v)[:9])
def test_params_that_no_clip_has_are_ignored(value: Any) -> None:
    assert model().clip_for({"length": "10", "mood": value}).duration_s == 10


@pytest.mark.parametrize(
    ("option", "value"),
    [("10", 10), ("10", 10.0), ("0", 0), ("1234567", 1234567), ("1234567", 1234567.0)],
)
def test_a_number_stands_for_the_option_with_the_same_text(option: str, value: float) -> None:
    """Lenient rules accept 10 for "10", and in JSON Schema 10.0 is the same number."""
    clip = Clip(4, 3, 10, params={"length": option})
    long = Model("rivya", "m", 1, None, {"length": "6"}, (clip,), {})
    assert long.clip_for({"length": value}) is clip


@pytest.mark.parametrize(("value", "seconds"), [(True, 6), (False, 10)])
def test_true_and_false_stand_for_the_options_that_spell_them(value: bool, seconds: int) -> None:
    clips = (Clip(4, 3, 6, params={"fast": "true"}), Clip(4, 3, 10, params={"fast": "false"}))
    fast = Model("rivya", "m", 1, None, {"fast": "false"}, clips, {})
    assert fast.clip_for({"fast": value}).duration_s == seconds


def test_params_that_no_clip_shows_are_an_error_that_names_them() -> None:
    with pytest.raises(LookupError, match="m has no clip for .*'length': '7'"):
        model().clip_for({"length": "7"})


def test_a_clip_is_named_for_its_size_and_length() -> None:
    assert Clip(1920, 1080, 6, params={}).file_name == "1920x1080-6s.mp4"


@pytest.mark.parametrize(
    ("api", "model_id", "price_credits"),
    [("rivya", "hailuo-pro", 57), ("rivya", "hailuo-standard", 30)],
)
def test_a_model_costs_what_its_page_says(api: str, model_id: str, price_credits: int) -> None:
    assert CATALOG.find(api, model_id).price_credits == price_credits


@pytest.mark.parametrize(
    "entry", [*CATALOG.of("rivya"), *CATALOG.of("acedata")], ids=lambda entry: entry.id
)
def test_every_combination_of_options_of_a_callable_model_has_a_clip(entry: Model) -> None:
    params = entry.facts.get("params", ())
    if entry.accepts_generations:
        for choice in product(*(param["options"] for param in params)):
            entry.clip_for(dict(zip((param["key"] for param in params), choice, strict=True)))


def test_the_clip_of_hailuo_standard_lasts_as_long_as_asked() -> None:
    assert [STANDARD.clip_for({"duration": option}).duration_s for option in ("6", "10")] == [6, 10]
