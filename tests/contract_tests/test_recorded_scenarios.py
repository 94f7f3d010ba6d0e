"""Recorded answers as scenarios, which the fake repeats."""

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
from contract_tests.drift.differences import compare_with_contract
from contract_tests.drift.recording import RecordedExchange, Recording, read, write
from contract_tests.fakes import RunningFake
from contract_tests.operations import Operation, operations
from contract_tests.redaction import Redaction
from mock_server.apis import ALL
from mock_server.contract.data_paths import FIXTURES
from mock_server.core.effects import AnswerFault
from mock_server.faults.scenarios import Scenarios
from tests.asgi import Answer
from tests.calls import (
    BY_REQUEST,
    CHANNELS,
    DEFAULT,
    DOOR,
    HEADER,
    IN_KEY,
    IN_PROMPT,
    KEYS,
    PREFER,
    add_faults,
    create,
    send,
    task_id_of,
)
from tests.calls import read as look_at
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
    """A function that starts a fake with recorded answers as scenarios."""
    made: list[Mock] = []

    def make(*rows: RecordedExchange, **settings: Any) -> Mock:
        scenarios.write(recording(*rows), tmp_path)
        made.append(Mock(scenario_dir=str(tmp_path), **settings))
        return made[-1]

    yield make
    for mock in made:
        mock.close()


def recorded_parts(answer: Answer | httpx2.Response) -> tuple[Any, ...]:
    """Status and recorded headers of an answer."""
    kept = {"content-type", "allow", "www-authenticate", "retry-after", "location"}
    headers = {name: value for name, value in answer.headers.items() if name in kept}
    return answer.status if isinstance(answer, Answer) else answer.status_code, headers


def written_names(*rows: RecordedExchange, folder: Path) -> list[str]:
    return [path.stem for path in scenarios.write(recording(*rows), folder)]


# --- through every channel -------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_recorded_answer_is_repeated_unchanged(
    mock_of: Callable[..., Mock], channel: str
) -> None:
    mock = mock_of(POOR, **({"scenario": NAME} if channel == DEFAULT else {}))
    if channel == DOOR:
        add_faults(mock, scenario=NAME)
    answer = send(mock, create("rivya", NAME, channel))
    assert recorded_parts(answer) == (402, POOR.headers)
    assert answer.json() == POOR.answer
    assert answer.headers["mock-scenario"] == NAME
    assert len(mock.world.tasks) == 0
    explanation = mock.request("GET", f"/_mock/explain/{answer.headers['mock-request']}").json()
    assert (explanation["scenario"], explanation["channel"]) == (NAME, channel)
    assert explanation["without"] == "accepted"


@pytest.mark.parametrize("channel", [channel for channel in CHANNELS if channel != IN_PROMPT])
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_repeats_its_recorded_answer(
    mock_of: Callable[..., Mock], name: str, channel: str
) -> None:
    api, operation = OPERATIONS[name]
    path = PREFIX[api] + operation.path
    row = recorded({"of": name}, 409, operation=name, method=operation.method, path=path)
    scenario = f"recorded_{name}_409"
    mock = mock_of(row, **({"scenario": scenario} if channel == DEFAULT else {}))
    headers = {"authorization": f"Bearer {KEYS[api]}"}
    if channel == DOOR:
        add_faults(mock, scenario=scenario, times=1)
    elif channel == IN_KEY:
        headers = {"authorization": f"Bearer {KEYS[api]}+{scenario}"}
    elif channel == HEADER:
        headers["mock-scenario"] = scenario
    elif channel == PREFER:
        headers["prefer"] = f"scenario={scenario}"
    answer = mock.request(operation.method, path, headers=headers)
    assert recorded_parts(answer) == (409, JSON)
    assert answer.json() == {"of": name}
    journalled = next(iter(mock.world.journal))
    assert journalled.operation == scenarios.OPERATIONS[name]


def test_a_recorded_answer_concerns_only_its_api_and_operation(
    mock_of: Callable[..., Mock],
) -> None:
    mock = mock_of(POOR)
    for api in APIS:
        for channel in BY_REQUEST:
            request = look_at(api, "task_unknown", NAME, channel)
            assert "mock-scenario" not in send(mock, request).headers
    assert "mock-scenario" not in send(mock, create("acedata", NAME, HEADER)).headers


@pytest.mark.parametrize("channel", [HEADER, IN_PROMPT, IN_KEY])
def test_a_create_can_request_a_recorded_read(mock_of: Callable[..., Mock], channel: str) -> None:
    mock = mock_of(DONE)
    created = send(mock, create("rivya", DONE_NAME, channel))
    task_id = task_id_of(created.json())
    assert task_id in {task.id for task in mock.world.tasks}
    assert send(mock, look_at("rivya", task_id)).json() == DONE.answer


def test_with_when_after_the_task_is_created_and_paid(tmp_path: Path) -> None:
    row = recorded({"id": "task_1"}, operation="createGeneration")
    (file,) = scenarios.write(recording(row), tmp_path)
    later = file.read_text("utf-8").replace('"answer"', '"answer"\nwhen = "after"')
    file.write_text(later, "utf-8")
    with closing(Mock(scenario_dir=str(tmp_path))) as mock:
        answer = send(mock, create("rivya", file.stem, HEADER))
        assert answer.json() == {"id": "task_1"}
        assert mock.world.ledger.balance("rivya-test").reserved_credits == 57


def test_answers_of_the_fake_are_repeated_over_a_socket(
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
            assert recorded_parts(answer) == (row.status, row.headers), name
            assert json.dumps(answer.json()) == json.dumps(row.answer), name


# --- the files -------------------------------------------------------------------------------


def test_names_of_scenarios_differ(tmp_path: Path) -> None:
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


def test_names_differ_by_more_than_case(tmp_path: Path) -> None:
    codes = ["not found", "not/found", "Not_Found"]
    names = written_names(*(recorded({}, 404, code=code) for code in codes), folder=tmp_path)
    assert len({name.casefold() for name in names}) == len(set(tmp_path.iterdir())) == len(codes)


@pytest.mark.parametrize("code", ["so/odd é", "../../up", "\ud83d", "x" * 999, "", '"\n'])
def test_any_code_makes_a_name_that_can_be_in_a_prompt(
    mock_of: Callable[..., Mock], code: str
) -> None:
    odd = recorded({"error": {"code": code}}, 418, code=code, operation="createGeneration")
    mock = mock_of(odd)
    (name,) = [name for name in mock.fake.scenarios.names if name.startswith("recorded_")]
    assert send(mock, create("rivya", name, IN_PROMPT)).status == 418


def test_no_shipped_scenario_has_a_name_of_recorded_ones() -> None:
    shipped = Scenarios([FIXTURES / "scenarios"], ALL)
    assert [name for name in shipped.names if "recorded" in name] == []


def test_the_files_have_the_format_of_shipped_scenarios(tmp_path: Path) -> None:
    rows = [POOR, DONE, recorded({}, operation="listWebhooks", path="/api/v1/webhooks")]
    for name in written_names(*rows, folder=tmp_path):
        scenario = Scenarios([tmp_path], ALL).find(name)
        assert scenario.shows.endswith(".")
        assert scenario.apis == ("rivya",)
        assert {rule.match.api for rule in scenario.faults} == {"rivya"}


def test_a_scenario_of_webhooks_says_that_it_concerns_all_operations(tmp_path: Path) -> None:
    rows = [recorded({}, operation="deleteWebhook", path="/api/v1/webhooks/w"), DONE]
    of_webhooks, other = (
        tomllib.loads(path.read_text("utf-8"))["shows"]
        for path in scenarios.write(recording(*rows), tmp_path)
    )
    assert of_webhooks == (
        "deleteWebhook is answered 200, as it was recorded. "
        "All other operations of webhooks have the same answer."
    )
    assert other == "getGeneration is answered 200 succeeded, as it was recorded."


# --- bodies and headers ----------------------------------------------------------------------

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(DOCUMENTS.filter(lambda document: document is not None))
def test_any_json_is_repeated_unchanged(
    tmp_path_factory: pytest.TempPathFactory, document: Any
) -> None:
    folder = tmp_path_factory.mktemp("served")
    (name,) = written_names(recorded(document), folder=folder)
    effect = Scenarios([folder], ALL).find(name).faults[0].effect
    assert isinstance(effect, AnswerFault)
    assert json.dumps(json.loads(effect.body)) == json.dumps(document)


def test_a_lone_surrogate_is_repeated(mock_of: Callable[..., Mock]) -> None:
    """A text that was cut inside a surrogate pair is valid JSON."""
    mock = mock_of(recorded({"message": "\ud83d", "é": "\U0001f600"}, 404))
    answer = send(mock, look_at("rivya", "x", "recorded_getGeneration_404", HEADER))
    assert answer.json() == {"message": "\ud83d", "é": "\U0001f600"}


@pytest.mark.parametrize("page", ["<html>502 Bad Gateway</html>\r\n", "<p>\n\n é", "null", "[1"])
@pytest.mark.parametrize("content_type", ["text/html", "text/html; charset=UTF-8", JSON])
def test_a_body_that_is_no_json_is_recorded_and_repeated(
    tmp_path: Path, page: str, content_type: Any
) -> None:
    content_type = content_type if isinstance(content_type, str) else content_type["content-type"]
    answered = exchange(page.encode(), 502, **{"content-type": content_type, "retry-after": "5"})
    write([answered], Redaction(), tmp_path, is_fake=False)
    scenarios.write(read(tmp_path), tmp_path)
    with closing(Mock(scenario_dir=str(tmp_path))) as mock:
        answer = send(mock, look_at("rivya", "x", "recorded_getGeneration_502", HEADER))
    assert answer.body == page.encode()
    assert recorded_parts(answer) == (502, {"content-type": content_type, "retry-after": "5"})


def test_an_answer_without_content_type_is_repeated_as_bytes(mock_of: Callable[..., Mock]) -> None:
    mock = mock_of(recorded(None, 502, text="oops", headers={}))
    answer = send(mock, look_at("rivya", "x", "recorded_getGeneration_502", HEADER))
    assert (answer.body, answer.headers["content-type"]) == (b"oops", "application/octet-stream")


def test_a_difference_shows_the_start_of_a_body_that_is_no_json() -> None:
    differences = compare_with_contract(recording(recorded(None, 404, text="[1, oops")), contract())
    assert [difference.got for difference in differences] == ["[1, oops"]


def test_a_body_that_is_no_json_is_recorded_without_secrets_and_hosts(tmp_path: Path) -> None:
    answered = exchange(b"<a href='http://127.0.0.1:1/x'>sk_secret</a>", 502)
    write([answered], Redaction(["sk_secret"]), tmp_path, is_fake=False)
    assert read(tmp_path).exchanges[0].text == "<a href='http://recorded.invalid/x'>[hidden]</a>"


def test_a_recording_of_an_older_version_can_be_read(tmp_path: Path) -> None:
    write([exchange({"id": "a"})], Redaction(), tmp_path, is_fake=True)
    file = tmp_path / "recording.json"
    kept = json.loads(file.read_text("utf-8"))
    del kept["exchanges"][0]["text"]
    file.write_text(json.dumps(kept), "utf-8")
    assert scenarios.write(read(tmp_path), tmp_path)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_is_repeated_without_one(
    mock_of: Callable[..., Mock], status: int
) -> None:
    path = "/api/v1/webhooks/x"
    gone = recorded(None, status, operation="deleteWebhook", method="DELETE", path=path, headers={})
    mock = mock_of(gone)
    headers = {"mock-scenario": f"recorded_deleteWebhook_{status}"}
    answer = mock.request("DELETE", path, headers=headers)
    assert (answer.status, answer.body) == (status, b"")


# --- answers that cannot be repeated ---------------------------------------------------------


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
def test_an_answer_that_cannot_be_repeated_is_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: RecordedExchange
) -> None:
    write_recording(recording(row, POOR), tmp_path)
    served = tmp_path / "served"
    drift([str(tmp_path), "--scenarios", str(served)])
    stderr = capsys.readouterr().err
    assert f"1 scenarios in {served}, 1 that the fake cannot repeat left out; serve" in stderr
    assert f"hailuo-mock serve --scenario-dir {served}" in stderr
    Mock(scenario_dir=str(served)).close()


def test_a_folder_that_cannot_be_written_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_recording(recording(POOR), tmp_path)
    taken = tmp_path / "taken"
    taken.touch()
    assert drift([str(tmp_path), "--scenarios", str(taken / "below")]) == 2
    assert capsys.readouterr().err == f"hailuo-mock drift: {taken / 'below'}: Not a directory\n"


@pytest.mark.parametrize("option", ["--scenarios", "--examples"])
def test_an_empty_recording_writes_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    write_recording(recording(), tmp_path)
    assert drift([str(tmp_path), option, str(tmp_path / "out")]) == 2
    stderr = capsys.readouterr().err
    assert stderr == f"hailuo-mock drift: the recording in {tmp_path} is empty\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", [None, "{}"])
def test_a_folder_without_a_recording_is_an_error_and_no_file_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    if text is not None:
        (tmp_path / "recording.json").write_text(text, "utf-8")
    assert drift([str(tmp_path), "--scenarios", str(tmp_path / "out")]) == 2
    assert str(tmp_path / "recording.json") in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def write_recording(some: Recording, folder: Path) -> None:
    """Write a recording's file without the code under test."""
    rows = [vars(row) for row in some.exchanges]
    text = json.dumps({"form": 1, "is_fake": some.is_fake, "exchanges": rows})
    (folder / "recording.json").write_text(text, "utf-8")
