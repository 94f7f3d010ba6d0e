"""The files of days: the server takes them, and together they can decide every rule."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mock_server.apis import ALL
from mock_server.contract.data_paths import FIXTURES
from mock_server.control import AsyncControl
from mock_server.judge.days import (
    QUIET,
    Day,
    days_for,
    missing_needs,
    read_days,
)
from mock_server.judge.fake import add_faults, fake_for_runs, make_world
from mock_server.judge.refusal import CannotRun
from mock_server.verdict.catalogue import RULES
from tests.judge.reports import CODES

APIS = [api.name for api in ALL]
FOLDER = FIXTURES / "days"


def days_of(api: str) -> list[Day]:
    return read_days(FOLDER, api, APIS)


def test_the_server_takes_the_faults_of_every_day() -> None:
    async def story(url: str) -> None:
        control = AsyncControl(url)
        for api in APIS:
            for day in days_of(api):
                world = await make_world(control, day)
                await add_faults(world, day)
                faults = await world.faults.standing()
                mine = [each for each in faults if each.match.get("api") in (None, api)]
                assert bool(mine) is bool(day.faults), f"{day.name} does nothing at {api}"
                await world.drop()

    with fake_for_runs(1) as url:
        asyncio.run(story(url))


def test_every_rule_is_decided_by_a_day_and_every_code_is_that_of_a_rule() -> None:
    codes = {code for api in APIS for day in days_of(api) for code in day.codes}
    assert codes == set(CODES)
    assert set(CODES) >= set(RULES)


def test_a_day_that_does_nothing_but_run_the_client_is_the_quiet_one() -> None:
    for api in APIS:
        first, *rest = days_of(api)
        assert (first.name, first.faults, first.scale, first.needs) == (QUIET, (), 1.0, ())
        for day in rest:
            changes = (day.faults, day.credits is not None, day.rotated, day.again, day.restarts)
            assert any(changes), f"{day.name} changes nothing"
            assert (day.restarts is not None) == ("restart" in day.needs)


def test_days_that_need_what_is_not_given_are_left_out() -> None:
    days = days_of("rivya")
    plain = days_for(days, [], CODES)
    assert plain[0].name == QUIET
    assert all(not day.needs for day in plain)
    assert len(days_for(days, ["receiver", "effects", "restart"], CODES)) == len(days)


def test_only_the_days_of_the_codes_are_run_and_the_quiet_one() -> None:
    days = days_for(days_of("rivya"), [], ["HM301"])
    assert [day.name for day in days] == [QUIET, "failed"]


def test_what_is_missing_for_a_rule_is_known() -> None:
    days = days_of("rivya")
    assert missing_needs(days, "HM107", []) == ["restart"]
    assert missing_needs(days, "HM506", ["receiver"]) == ["effects"]
    assert missing_needs(days, "HM101", []) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("shows =", "is not TOML"),
        ('shows = "x"', "/codes: is required"),
        ('shows = "x"\ncodes = ["HM101"]\nscael = 2', "/scael.*did you mean 'scale'"),
        ('shows = "x"\ncodes = ["101"]', "/codes/0"),
        ('shows = "x"\ncodes = ["HM101"]\napis = ["rivia"]', "/apis/0.*'rivya'"),
        ('shows = "x"\ncodes = ["HM101"]\nneeds = ["luck"]', "/needs/0"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_place(
    tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(CannotRun, match=f"wrong.toml: .*{sentence}"):
        read_days(tmp_path, "rivya", APIS)
