"""What a service answered once, the fake answers again to whoever asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from contract_tests.contract import APIS, contract
from contract_tests.drift import scenarios
from contract_tests.drift.command import drift
from contract_tests.drift.recording import Recorded, read
from contract_tests.fakes import RunningFake
from mock_server.scenarios import Scenarios
from tests.asgi import Answer
from tests.asking import CHANNELS, DEFAULT, DOOR, HEADER, create, send, stand
from tests.contract_tests.test_check import check
from tests.contract_tests.test_drift import recorded, recording
from tests.mock import Mock

POOR = recorded(
    {"error": {"code": "insufficient_credits", "message": "ünlucky: 12 < 57", "requestId": "r_1"}},
    402,
    operation="createGeneration",
    method="POST",
    path="/api/v1/generations",
    code="insufficient_credits",
    headers={"content-type": "application/json; charset=utf-8", "retry-after": "30"},
)
NAME = "recorded_createGeneration_402_insufficient_credits"


@pytest.fixture
def mock_of(tmp_path: Path) -> Iterator[Callable[..., Mock]]:
    """Makes fakes that serve some recorded answers."""
    made: list[Mock] = []

    def make(*rows: Recorded, **settings: Any) -> Mock:
        scenarios.write(recording(*rows), tmp_path)
        made.append(Mock(scenario_dir=str(tmp_path), **settings))
        return made[-1]

    yield make
    for mock in made:
        mock.app.broken.clear()  # what was recorded need not keep the contract
        mock.close()


def facts(answer: Answer) -> tuple[Any, ...]:
    return answer.status, answer.json(), answer.headers["content-type"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_recorded_answer_comes_back_as_it_was(mock_of: Callable[..., Mock], channel: str) -> None:
    mock = mock_of(POOR, **({"scenario": NAME} if channel == DEFAULT else {}))
    if channel == DOOR:
        stand(mock, scenario=NAME)
    answer = send(mock, create("rivya", NAME, channel))
    assert facts(answer) == (402, POOR.answer, "application/json; charset=utf-8")
    assert answer.headers["retry-after"] == "30"
    assert answer.headers["mock-scenario"] == NAME
    assert len(mock.world.tasks) == 0
    told = mock.request("GET", f"/_mock/explain/{answer.headers['mock-request']}").json()
    assert (told["scenario"], told["without"]) == (NAME, "accepted")


def test_an_answer_without_a_body_comes_back_without_one(mock_of: Callable[..., Mock]) -> None:
    gone = recorded(
        None, 204, operation="deleteWebhook", method="DELETE", path="/api/v1/webhooks/x", headers={}
    )
    mock = mock_of(gone)
    asked = {"mock-scenario": "recorded_deleteWebhook_204"}
    answer = mock.request("DELETE", "/api/v1/webhooks/x", headers=asked)
    assert (answer.status, answer.body) == (204, b"")


def test_a_code_of_any_letters_makes_a_name_that_a_prompt_can_hold(
    mock_of: Callable[..., Mock],
) -> None:
    odd = recorded({"error": {"code": "so/odd é"}}, 418, code="so/odd é")
    mock = mock_of(odd)
    assert "recorded_getGeneration_418_so_odd__" in mock.fake.scenarios.names


def test_the_first_of_each_kind_is_kept(tmp_path: Path) -> None:
    other = recorded({"error": {"code": "insufficient_credits"}}, 402, code=POOR.code)
    again = recorded({"second": True}, 402, operation=POOR.operation, code=POOR.code)
    written = scenarios.write(recording(POOR, again, other), tmp_path)
    assert [path.stem for path in written] == [
        NAME,
        "recorded_getGeneration_402_insufficient_credits",
    ]
    assert "lucky" in written[0].read_text("utf-8")


def test_every_operation_that_can_be_recorded_is_one_of_a_scenario() -> None:
    documented = {
        operation["operationId"] for api in APIS for _, _, operation in contract().operations(api)
    }
    assert scenarios.OPERATIONS.keys() == documented - {"getOpenapiDocument"}


def test_whatever_the_fake_answered_can_be_served_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, served = tmp_path / "kept", tmp_path / "served"
    with RunningFake("default", seed=1) as fake:
        base = ("--base-url", fake.url, "--quick", "--only", "test_life", "--only", "test_modes")
        check(*base, "--record", str(kept))
    capsys.readouterr()
    assert drift([str(kept), "--scenarios", str(served)]) == 0
    assert f"hailuo-mock serve --scenario-dir {served}" in capsys.readouterr().err
    names = Scenarios([served]).names
    assert len(names) == len({row.kind for row in read(kept).exchanges}) == 5
    first = next(row for row in read(kept).exchanges if row.operation == "createGeneration")
    with closing(Mock(scenario_dir=str(served))) as mock:
        answer = send(mock, create("rivya", "recorded_createGeneration_200", HEADER))
        assert facts(answer)[:2] == (200, first.answer)
        assert len(mock.world.tasks) == 0


def test_a_folder_that_takes_nothing_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "recording.json").write_text('{"form": 1, "is_fake": true, "exchanges": []}')
    taken = tmp_path / "taken"
    taken.touch()
    assert drift([str(tmp_path), "--scenarios", str(taken / "below")]) == 2
    assert f"{taken}" in capsys.readouterr().err
