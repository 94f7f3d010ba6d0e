"""Scenario files: those that are shipped, those that are broken, and which of two counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from mock_server.apis import ALL
from mock_server.contract.data_paths import FIXTURES
from mock_server.core.effects import DeliveryFault
from mock_server.core.faults import FaultRule, Match
from mock_server.core.scenarios import Scenario, UnknownScenario
from mock_server.faults.scenarios import Codes, ScenarioError, Scenarios, read
from tests.rows import each_row

APIS = {api.name: api for api in ALL}
SHIPPED = FIXTURES / "scenarios"
NAMES = sorted(file.stem for file in SHIPPED.iterdir())
TWICE = """
shows = "Twice."

[[faults]]
effect = { type = "delivery", copies = 2 }
"""


def written(folder: Path, content: str, name: str = "mine.toml") -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(content, "utf-8")
    return file


def why_broken(folder: Path, content: str) -> str:
    """The error of a file; it names the file."""
    file = written(folder, content)
    with pytest.raises(ScenarioError) as broken:
        read(file, APIS)
    assert str(broken.value).startswith(f"{file}:")
    return str(broken.value).removeprefix(f"{file}:")


# --- what is shipped -------------------------------------------------------------------------


def test_every_file_in_the_folder_is_a_scenario() -> None:
    assert NAMES
    assert {file.suffix for file in SHIPPED.iterdir()} == {".toml"}
    assert Scenarios([SHIPPED], ALL).names == NAMES


@each_row("name", NAMES)
def test_every_shipped_scenario_can_be_read(name: str) -> None:
    scenario = Scenarios([SHIPPED], ALL).find(name)
    assert scenario.name == name
    assert scenario.faults
    assert scenario.apis
    assert scenario.shows.endswith(".")


@each_row("name", NAMES)
def test_a_scenario_of_one_api_does_not_concern_the_other(name: str) -> None:
    scenario = Scenarios([SHIPPED], ALL).find(name)
    if len(scenario.apis) == 1:
        assert {rule.match.api for rule in scenario.faults} == set(scenario.apis)


# --- what stands in a file -------------------------------------------------------------------


def test_a_scenario_is_called_like_its_file(tmp_path: Path) -> None:
    expected = Scenario(
        "mine", "Twice.", ("rivya", "acedata"), (FaultRule(effect=DeliveryFault(copies=2)),)
    )
    assert read(written(tmp_path, TWICE), APIS) == expected
    assert Scenarios([tmp_path], ALL).find("mine") == expected


def test_rules_of_a_scenario_of_one_api_concern_that_api_and_keep_their_match(
    tmp_path: Path,
) -> None:
    more = 'apis = ["acedata"]' + TWICE + 'match = { model = "hailuo-pro" }\n'
    (rule,) = read(written(tmp_path, more), APIS).faults
    assert rule.match == Match(api="acedata", model="hailuo-pro")


def test_a_rule_that_names_its_api_keeps_it(tmp_path: Path) -> None:
    (rule,) = read(written(tmp_path, TWICE + 'match = { api = "acedata" }\n'), APIS).faults
    assert rule.match.api == "acedata"


def test_a_scenario_can_have_several_rules(tmp_path: Path) -> None:
    more = TWICE + '[[faults]]\neffect = { type = "task", outcome = "failed" }\ntimes = 1\n'
    first, second = read(written(tmp_path, more), APIS).faults
    assert (first.times, second.times) == (None, 1)


# --- what is broken --------------------------------------------------------------------------


def test_invalid_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "line 4" in why_broken(tmp_path, 'shows = "a"\n\nfaults = [[\n=')


@pytest.mark.parametrize(
    ("content", "place", "hint"),
    [
        ("", "/faults", "required"), ("faults = []", "/shows", "required"),
        ('shows = ""\nfaults = []', "/shows", "at least 1"),
        ("shows = 5\nfaults = []", "/shows", "a string"),
        ('shwos = "a"\nfaults = []', "/shows", "was it sent as 'shwos'"),
        (TWICE.replace("[[faults]]", "[[fautls]]"), "/faults", "'fautls'"),
        ('shows = "a"\nfaults = {}', "/faults", "an array"),
        (TWICE + "tims = 1", "/faults/0/tims", "did you mean 'times'"),
        (TWICE + "every = 0", "/faults/0/every", "1"),
        (TWICE.replace("copies", "copeis"), "/faults/0/effect/copeis", "did you mean 'copies'"),
        (TWICE.replace("delivery", "delivry"), "/faults/0/effect/type", "did you mean 'delivery'"),
        (TWICE.replace('type = "delivery", ', ""), "/faults/0/effect/type", "required"),
        (TWICE.replace("copies = 2", "copies = true"), "/faults/0/effect/copies", "an integer"),
        ('apis = ["rivia"]' + TWICE, "/apis/0", "did you mean 'rivya'"),
        ("apis = []" + TWICE, "/apis", "at least 1"),
        ('apis = "rivya"' + TWICE, "/apis", "an array"),
        (TWICE + 'match = { modle = "m" }', "/faults/0/match/modle", "did you mean 'model'"),
        (TWICE + 'match = { api = "rivia" }', "/faults/0/match/api", "did you mean 'rivya'"),
        (TWICE + 'match = { prompt = "(" }', "/faults/0/match", "regular expression"),
    ],
)  # fmt: skip
def test_an_error_in_a_file_is_reported_with_its_place(
    tmp_path: Path, content: str, place: str, hint: str
) -> None:
    told = why_broken(tmp_path, content)
    assert place in told
    assert hint in told


def test_an_error_in_a_file_is_reported_with_its_line(tmp_path: Path) -> None:
    assert why_broken(tmp_path, TWICE.replace("copies", "copeis")).startswith("5: /faults/0/")
    assert why_broken(tmp_path, TWICE + "\n\ntims = 1").startswith("8: /faults/0/tims")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400"])
def test_a_time_is_a_finite_number(tmp_path: Path, value: str) -> None:
    assert why_broken(tmp_path, TWICE.replace("copies = 2", f"late_s = {value}"))


def test_a_file_is_written_in_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(TWICE.encode().replace(b"Twice", b"Zw\xf6lf"))
    with pytest.raises(ScenarioError, match="mine.toml"):
        read(file, APIS)


def test_a_file_that_is_gone_is_broken(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="mine.toml"):
        read(tmp_path / "mine.toml", APIS)


# --- which there are -------------------------------------------------------------------------


def test_names_are_in_order_of_the_alphabet(tmp_path: Path) -> None:
    for name in ("b.toml", "a.toml", "c.toml", "notes.md"):
        written(tmp_path, TWICE, name)
    assert Scenarios([tmp_path], ALL).names == ["a", "b", "c"]


def test_names_are_in_order_whichever_folder_they_are_from(tmp_path: Path) -> None:
    first, later = tmp_path / "first", tmp_path / "later"
    written(first, TWICE, "b.toml")
    written(later, TWICE, "a.toml")
    assert Scenarios([first, later], ALL).names == ["a", "b"]


def test_the_file_of_the_later_folder_counts(tmp_path: Path) -> None:
    first, later = tmp_path / "z", tmp_path / "a"
    written(first, TWICE)
    written(first, TWICE, "only.toml")
    written(later, TWICE.replace("Twice.", "Later."))
    scenarios = Scenarios([first, later], ALL)
    assert scenarios.names == ["mine", "only"]
    assert scenarios.find("mine").shows == "Later."
    assert scenarios.find("only").shows == "Twice."


def test_a_folder_that_is_not_there_has_no_scenarios(tmp_path: Path) -> None:
    assert Scenarios([tmp_path / "none", tmp_path], ALL).names == []


def test_an_unknown_scenario_is_refused_with_a_near_one(tmp_path: Path) -> None:
    written(tmp_path, TWICE)
    with pytest.raises(UnknownScenario, match="no scenario 'mien'; did you mean 'mine'"):
        Scenarios([tmp_path], ALL).find("mien")


def test_a_broken_file_does_not_affect_other_scenarios(tmp_path: Path) -> None:
    written(tmp_path, "=", "broken.toml")
    written(tmp_path, TWICE)
    scenarios = Scenarios([tmp_path], ALL)
    assert scenarios.find("mine").name == "mine"
    with pytest.raises(ScenarioError, match=r"broken\.toml"):
        scenarios.find("broken")


# --- errors that no API has --------------------------------------------------------------------

CODES: Codes = {
    "rivya": ["rate_limited", "not_found"],
    "acedata": ["too_many_requests", "not_found"],
}


def refused_at_the_start(folder: Path, faults: str, apis: str = "") -> str:
    """The error of a user's file with these faults; empty if there is none."""
    file = written(folder, f'shows = "Mine."\n{apis}\n{faults}')
    try:
        Scenarios([folder], ALL, CODES).read_all(folder)
    except ScenarioError as broken:
        return str(broken).removeprefix(f"{file}:")
    return ""


def error(code: str, match: str = "") -> str:
    return f'\n[[faults]]\n{match}\neffect = {{ type = "error", code = "{code}" }}\n'


@pytest.mark.parametrize(
    ("faults", "apis"),
    [
        (error("rate_limited"), ""),
        (error("too_many_requests"), 'apis = ["acedata"]'),
        (error("too_many_requests", 'match = { api = "acedata" }'), ""),
        (error("not_found"), 'apis = ["rivya"]'),
    ],
)
def test_an_error_of_one_of_its_apis_is_accepted(tmp_path: Path, faults: str, apis: str) -> None:
    assert refused_at_the_start(tmp_path, faults, apis) == ""


@pytest.mark.parametrize(
    ("faults", "apis", "said"),
    [
        (
            error("rate_limted"),
            "",
            "6: /faults/0/effect/code: is no error code of rivya or acedata; "
            "did you mean 'rate_limited'?",
        ),
        (
            error("not_found") + error("too_many_requests", 'match = { api = "rivya" }'),
            "",
            "10: /faults/1/effect/code: is no error code of rivya",
        ),
        (
            error("rate_limited"),
            'apis = ["acedata"]',
            "6: /faults/0/effect/code: is no error code of acedata",
        ),
        (
            error("not_found").replace("]]", "]] # one")
            + "\n [[ faults ]] # two"
            + error("x")[11:],
            "",
            "10: /faults/1/effect/code: is no error code of rivya or acedata",
        ),
    ],
)
def test_an_error_that_none_of_its_apis_has_stops_the_start_with_its_line(
    tmp_path: Path, faults: str, apis: str, said: str
) -> None:
    assert refused_at_the_start(tmp_path, faults, apis) == said
