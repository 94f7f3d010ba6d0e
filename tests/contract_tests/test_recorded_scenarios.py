"""What a service answered once, the fake answers again to whoever asks for it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.contract import APIS, PREFIX, Api, contract
from contract_tests.drift import scenarios
from contract_tests.drift.command import drift
from contract_tests.drift.differences import from_contract
from contract_tests.drift.recording import Recorded, Recording, read, write
from contract_tests.fakes import RunningFake
from contract_tests.operations import Operation, operations
from mock_server.contract.data_paths import FIXTURES
from mock_server.core.exchange_faults import AnswerFault
from mock_server.faults.scenarios import Scenarios
from tests.asgi import Answer
from tests.asking import (
    BY_REQUEST,
    CHANNELS,
    DEFAULT,
    DOOR,
    HEADER,
    IN_KEY,
    IN_PROMPT,
    KEYS,
    PREFER,
    create,
    send,
    stand,
    task_id_of,
)
from tests.asking import read as look_at
from tests.contract_tests.test_check import check
from tests.contract_tests.test_conformance import exchange
from tests.contract_tests.test_drift import recorded, recording
from tests.live import WAIT_S, live
from tests.mock import Mock

JSON = {"content-type": "application/json"}
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
DONE = recorded({"id": "task_1", "status": "succeeded", "result": {"urls": ["http://a.test/a"]}})
DONE_NAME = "recorded_getGeneration_200_succeeded"

OPERATIONS: dict[str, tuple[Api, Operation]] = {
    operation.name: (api, operation)
    for api in APIS
    for operation in operations(api)
    if operation.name != "getOpenapiDocument"
}


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
        mock.close()


def facts(answer: Answer | httpx2.Response) -> tuple[Any, ...]:
    """All of an answer that is recorded."""
    kept = {"content-type", "allow", "www-authenticate", "retry-after", "location"}
    headers = {name: value for name, value in answer.headers.items() if name in kept}
    return answer.status if isinstance(answer, Answer) else answer.status_code, headers


def written_names(*rows: Recorded, folder: Path) -> list[str]:
    return [path.stem for path in scenarios.write(recording(*rows), folder)]


# --- through every channel -------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_recorded_answer_comes_back_as_it_was(mock_of: Callable[..., Mock], channel: str) -> None:
    mock = mock_of(POOR, **({"scenario": NAME} if channel == DEFAULT else {}))
    if channel == DOOR:
        stand(mock, scenario=NAME)
    answer = send(mock, create("rivya", NAME, channel))
    assert facts(answer) == (402, POOR.headers)
    assert answer.json() == POOR.answer
    assert answer.headers["mock-scenario"] == NAME
    assert len(mock.world.tasks) == 0
    told = mock.request("GET", f"/_mock/explain/{answer.headers['mock-request']}").json()
    assert (told["scenario"], told["channel"]) == (NAME, channel)
    assert told["without"] == "accepted"


@pytest.mark.parametrize("channel", [channel for channel in CHANNELS if channel != IN_PROMPT])
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_answers_what_was_recorded_of_it(
    mock_of: Callable[..., Mock], name: str, channel: str
) -> None:
    api, operation = OPERATIONS[name]
    path = PREFIX[api] + operation.path
    row = recorded({"of": name}, 409, operation=name, method=operation.method, path=path)
    scenario = f"recorded_{name}_409"
    mock = mock_of(row, **({"scenario": scenario} if channel == DEFAULT else {}))
    headers = {"authorization": f"Bearer {KEYS[api]}"}
    if channel == DOOR:
        stand(mock, scenario=scenario, times=1)
    elif channel == IN_KEY:
        headers = {"authorization": f"Bearer {KEYS[api]}+{scenario}"}
    elif channel == HEADER:
        headers["mock-scenario"] = scenario
    elif channel == PREFER:
        headers["prefer"] = f"scenario={scenario}"
    answer = mock.request(operation.method, path, headers=headers)
    assert facts(answer) == (409, JSON)
    assert answer.json() == {"of": name}
    journalled = next(iter(mock.world.journal))
    assert journalled.operation == scenarios.OPERATIONS[name]


def test_a_recorded_answer_stays_with_its_api_and_its_operation(
    mock_of: Callable[..., Mock],
) -> None:
    mock = mock_of(POOR)
    for api in APIS:
        for channel in BY_REQUEST:
            asked = look_at(api, "task_nobody", NAME, channel)
            assert "mock-scenario" not in send(mock, asked).headers
    assert "mock-scenario" not in send(mock, create("acedata", NAME, HEADER)).headers


@pytest.mark.parametrize("channel", [HEADER, IN_PROMPT, IN_KEY])
def test_a_recorded_look_can_be_asked_for_with_the_create(
    mock_of: Callable[..., Mock], channel: str
) -> None:
    mock = mock_of(DONE)
    created = send(mock, create("rivya", DONE_NAME, channel))
    task_id = task_id_of(created.json())
    assert task_id in {task.id for task in mock.world.tasks}
    assert send(mock, look_at("rivya", task_id)).json() == DONE.answer


def test_with_one_word_more_the_task_is_made_and_paid(tmp_path: Path) -> None:
    row = recorded({"id": "task_1"}, operation="createGeneration")
    (file,) = scenarios.write(recording(row), tmp_path)
    later = file.read_text("utf-8").replace('"answer"', '"answer"\nwhen = "after"')
    file.write_text(later, "utf-8")
    with closing(Mock(scenario_dir=str(tmp_path))) as mock:
        answer = send(mock, create("rivya", file.stem, HEADER))
        assert answer.json() == {"id": "task_1"}
        assert mock.world.ledger.balance("rivya-test").reserved_credits == 57


def test_what_the_fake_answered_it_answers_again_over_a_socket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, served = tmp_path / "kept", tmp_path / "served"
    with RunningFake("default", seed=1) as fake:
        some = [f"--only={name}" for name in ("test_life", "test_modes", "test_webhooks")]
        check("--base-url", fake.url, "--quick", *some, "--record", str(kept))
    capsys.readouterr()
    assert drift([str(kept), "--scenarios", str(served)]) == 0
    rows = read(kept).exchanges
    assert f"{len(rows)} scenarios in {served}; " in capsys.readouterr().err
    assert {"createGeneration", "createVideo", "createWebhook"} < {row.operation for row in rows}
    assert len(rows) > len({row.kind for row in rows})
    scenarios_of = {
        (row.method, row.path, json.dumps(row.answer)): file.stem
        for row, file in zip(rows, scenarios.write(read(kept), served), strict=True)
    }
    with (
        live(scenario_dir=str(served)) as server,
        httpx2.Client(base_url=server.url, trust_env=False, timeout=WAIT_S) as client,
    ):
        for row in rows:
            name = scenarios_of[row.method, row.path, json.dumps(row.answer)]
            answer = client.request(row.method, row.path, headers={"mock-scenario": name})
            assert facts(answer) == (row.status, row.headers), name
            assert json.dumps(answer.json()) == json.dumps(row.answer), name


# --- which files there are -------------------------------------------------------------------


def test_every_answer_has_a_name_of_its_own(tmp_path: Path) -> None:
    queued = recorded({"status": "queued"})
    with_more = recorded({"status": "queued", "eta_s": 5})
    no_state = recorded({"data": [{"status": "a"}, {"status": "b"}]})
    assert written_names(DONE, queued, with_more, no_state, POOR, folder=tmp_path) == [
        "recorded_getGeneration_200_succeeded",
        "recorded_getGeneration_200_queued",
        "recorded_getGeneration_200_queued_2",
        "recorded_getGeneration_200",
        NAME,
    ]


def test_names_differ_also_where_case_does_not_count(tmp_path: Path) -> None:
    codes = ["not found", "not/found", "Not_Found"]
    names = written_names(*(recorded({}, 404, code=code) for code in codes), folder=tmp_path)
    assert len({name.casefold() for name in names}) == len(set(tmp_path.iterdir())) == len(codes)


@pytest.mark.parametrize("code", ["so/odd é", "../../up", "\ud83d", "x" * 999, "", '"\n'])
def test_a_code_of_any_letters_makes_a_name_that_a_prompt_can_hold(
    mock_of: Callable[..., Mock], code: str
) -> None:
    odd = recorded({"error": {"code": code}}, 418, code=code, operation="createGeneration")
    mock = mock_of(odd)
    (name,) = [name for name in mock.fake.scenarios.names if name.startswith("recorded_")]
    assert send(mock, create("rivya", name, IN_PROMPT)).status == 418


def test_no_shipped_scenario_is_called_as_a_recorded_one() -> None:
    assert [name for name in Scenarios([FIXTURES / "scenarios"]).names if "recorded" in name] == []


def test_the_files_are_as_those_that_are_shipped(tmp_path: Path) -> None:
    rows = [POOR, DONE, recorded({}, operation="listWebhooks", path="/api/v1/webhooks")]
    for name in written_names(*rows, folder=tmp_path):
        scenario = Scenarios([tmp_path]).find(name)
        assert scenario.shows.endswith(".")
        assert scenario.apis == ("rivya",)
        assert {rule.match.api for rule in scenario.faults} == {"rivya"}


def test_what_it_covers_beside_its_own_operation_is_said(tmp_path: Path) -> None:
    rows = [recorded({}, operation="deleteWebhook", path="/api/v1/webhooks/w"), DONE]
    of_webhooks, other = (
        tomllib.loads(path.read_text("utf-8"))["shows"]
        for path in scenarios.write(recording(*rows), tmp_path)
    )
    assert of_webhooks == (
        "deleteWebhook is answered 200, as it was recorded. "
        "So is whatever else is asked about webhooks."
    )
    assert other == "getGeneration is answered 200 succeeded, as it was recorded."


# --- bodies and headers ----------------------------------------------------------------------

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(DOCUMENTS.filter(lambda document: document is not None))
def test_any_json_comes_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, document: Any
) -> None:
    folder = tmp_path_factory.mktemp("served")
    (name,) = written_names(recorded(document), folder=folder)
    effect = Scenarios([folder]).find(name).faults[0].effect
    assert isinstance(effect, AnswerFault)
    assert json.dumps(json.loads(effect.body)) == json.dumps(document)


def test_half_a_character_comes_back(mock_of: Callable[..., Mock]) -> None:
    """Whoever cuts a text may cut a character of it, and JSON can say so."""
    mock = mock_of(recorded({"message": "\ud83d", "é": "\U0001f600"}, 404))
    answer = send(mock, look_at("rivya", "x", "recorded_getGeneration_404", HEADER))
    assert answer.json() == {"message": "\ud83d", "é": "\U0001f600"}


@pytest.mark.parametrize("page", ["<html>502 Bad Gateway</html>\r\n", "<p>\n\n é", "null", "[1"])
@pytest.mark.parametrize("content_type", ["text/html", "text/html; charset=UTF-8", JSON])
def test_what_is_no_json_is_recorded_and_comes_back_as_it_was(
    tmp_path: Path, page: str, content_type: Any
) -> None:
    content_type = content_type if isinstance(content_type, str) else content_type["content-type"]
    came = exchange(page.encode(), 502, **{"content-type": content_type, "retry-after": "5"})
    write([came], [], tmp_path, is_fake=False)
    scenarios.write(read(tmp_path), tmp_path)
    with closing(Mock(scenario_dir=str(tmp_path))) as mock:
        answer = send(mock, look_at("rivya", "x", "recorded_getGeneration_502", HEADER))
    assert answer.body == page.encode()
    assert facts(answer) == (502, {"content-type": content_type, "retry-after": "5"})


def test_what_came_without_a_type_comes_back_as_bytes(mock_of: Callable[..., Mock]) -> None:
    mock = mock_of(recorded(None, 502, text="oops", headers={}))
    answer = send(mock, look_at("rivya", "x", "recorded_getGeneration_502", HEADER))
    assert (answer.body, answer.headers["content-type"]) == (b"oops", "application/octet-stream")


def test_drift_tells_how_what_is_no_json_begins() -> None:
    differences = from_contract(recording(recorded(None, 404, text="[1, oops")), contract())
    assert [difference.got for difference in differences] == ["[1, oops"]


def test_what_is_no_json_is_recorded_without_secrets_and_hosts(tmp_path: Path) -> None:
    came = exchange(b"<a href='http://127.0.0.1:1/x'>sk_secret</a>", 502)
    write([came], ["sk_secret"], tmp_path, is_fake=False)
    assert read(tmp_path).exchanges[0].text == "<a href='http://recorded.invalid/x'>[hidden]</a>"


def test_a_recording_of_an_older_version_can_be_served(tmp_path: Path) -> None:
    write([exchange({"id": "a"})], [], tmp_path, is_fake=True)
    file = tmp_path / "recording.json"
    kept = json.loads(file.read_text("utf-8"))
    del kept["exchanges"][0]["text"]
    file.write_text(json.dumps(kept), "utf-8")
    assert scenarios.write(read(tmp_path), tmp_path)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_comes_back_without_one(
    mock_of: Callable[..., Mock], status: int
) -> None:
    path = "/api/v1/webhooks/x"
    gone = recorded(None, status, operation="deleteWebhook", method="DELETE", path=path, headers={})
    mock = mock_of(gone)
    asked = {"mock-scenario": f"recorded_deleteWebhook_{status}"}
    answer = mock.request("DELETE", path, headers=asked)
    assert (answer.status, answer.body) == (status, b"")


# --- what cannot be given again --------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        recorded(None, method="HEAD"),
        recorded({}, 999),
        recorded({}, 101),
        recorded({}, headers={"location": "/é"}),
        recorded({}, headers={"www-authenticate": "a\tb"}),
        recorded({}, operation="ofTomorrow"),
        recorded({}, path="/elsewhere"),
    ],
    ids=["HEAD", "status", "small status", "header", "tab", "operation", "path"],
)
def test_what_the_fake_cannot_give_is_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: Recorded
) -> None:
    keep(recording(row, POOR), tmp_path)
    served = tmp_path / "served"
    drift([str(tmp_path), "--scenarios", str(served)])
    told = capsys.readouterr().err
    assert f"1 scenarios in {served}, 1 that the fake cannot give left out; serve" in told
    assert f"hailuo-mock serve --scenario-dir {served}" in told
    Mock(scenario_dir=str(served)).close()


def test_a_folder_that_takes_nothing_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(recording(POOR), tmp_path)
    taken = tmp_path / "taken"
    taken.touch()
    assert drift([str(tmp_path), "--scenarios", str(taken / "below")]) == 2
    assert capsys.readouterr().err == f"hailuo-mock drift: {taken / 'below'}: Not a directory\n"


@pytest.mark.parametrize("option", ["--scenarios", "--examples"])
def test_of_an_empty_recording_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    keep(recording(), tmp_path)
    assert drift([str(tmp_path), option, str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert told == f"hailuo-mock drift: the recording in {tmp_path} is empty\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", [None, "{}"])
def test_a_folder_without_a_recording_is_told_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    if text is not None:
        (tmp_path / "recording.json").write_text(text, "utf-8")
    assert drift([str(tmp_path), "--scenarios", str(tmp_path / "out")]) == 2
    assert str(tmp_path / "recording.json") in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def keep(some: Recording, folder: Path) -> None:
    """A recording's file, as it could be written by hand."""
    rows = [vars(row) for row in some.exchanges]
    text = json.dumps({"form": 1, "is_fake": some.is_fake, "exchanges": rows})
    (folder / "recording.json").write_text(text, "utf-8")
