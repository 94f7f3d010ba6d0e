"""Why a request was answered as it was, for each kind of answer."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests import calls
from tests.contract_hook import document
from tests.door.explaining import BEARER, CREATE, ERROR_BEFORE, JSON, explain, explain_id
from tests.mock import KEY, TOKEN, MakeMock, Mock
from tests.rows import each_row

# --- each kind of answer ---------------------------------------------------------------------


@pytest.mark.parametrize("api", calls.APIS)
def test_a_successful_answer_is_explained(mock: Mock, api: str) -> None:
    asked = calls.create(api)
    answer = calls.send(mock, asked)
    assert explain(mock, answer) == {
        "request": answer.headers["mock-request"],
        "world": "default",
        "asked": f"POST {asked.path}",
        "status": 200,
        "because": "every rule was kept",
        "scenario": None,
        "channel": None,
        "faults": [],
        "refusal": None,
        "without": None,
        "ignored": [],
    }


@pytest.mark.parametrize(
    ("asked", "status", "rule"),
    [
        (calls.create("rivya", prompt=5), 400, "Invalid"),
        (calls.read("rivya", calls.UNKNOWN_TASKS["rivya"]), 404, "UnknownTask"),
        (calls.read("acedata", calls.UNKNOWN_TASKS["acedata"]), 404, "UnknownTask"),
        (calls.Request("GET", "/api/v1/credits", {}), 401, "KeyMissing"),
        (
            calls.get("/api/v1/credits", headers={"authorization": "Bearer rvya_sk_x"}),
            401,
            "KeyUnknown",
        ),
        (calls.Request("PUT", CREATE, BEARER), 405, "MethodNotAllowed"),
        (calls.get("/api/v1/credits", "no_such_thing", calls.HEADER), 400, "UnknownScenario"),
    ],
)
def test_a_refusal_is_explained_with_its_rule_and_sentence(
    mock: Mock, asked: calls.Request, status: int, rule: str
) -> None:
    answer = calls.send(mock, asked)
    told = explain(mock, answer)
    sentence = told["refusal"].removeprefix(f"{rule}: ")
    assert answer.status == told["status"] == status
    assert told["refusal"] == f"{rule}: {sentence}"
    assert told["because"] == f"the rule {rule} refused it: {sentence}"
    assert sentence in json.dumps(answer.json(), ensure_ascii=False)
    assert (told["scenario"], told["channel"], told["faults"]) == (None, None, [])


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize("channel", [calls.DOOR, *calls.BY_REQUEST, calls.IN_PROMPT, calls.DEFAULT])
def test_a_scenario_is_explained_with_its_channel(
    make_mock: MakeMock, api: str, channel: str
) -> None:
    mock = make_mock(**({"scenario": "rate_limited"} if channel == calls.DEFAULT else {}))
    if channel == calls.DOOR:
        calls.add_faults(mock, scenario="rate_limited")
    told = explain(mock, calls.send(mock, calls.create(api, "rate_limited", channel)))
    assert (told["status"], told["scenario"], told["channel"]) == (429, "rate_limited", channel)
    assert told["because"] == (
        f"the scenario 'rate_limited' caused it, through the {channel}; otherwise: accepted"
    )
    assert len(told["faults"]) == 1


def test_a_rule_without_a_name_is_explained_as_a_fault(mock: Mock) -> None:
    (fault,) = calls.add_faults(mock, effect=ERROR_BEFORE)
    told = explain(mock, calls.send(mock, calls.get("/api/v1/credits")))
    assert told["because"] == "a fault caused it, through the control door; otherwise: 200"
    assert (told["scenario"], told["faults"]) == (None, [fault["id"]])


def test_a_rule_without_a_name_is_no_scenario_of_the_task(mock: Mock) -> None:
    calls.add_faults(mock, effect=ERROR_BEFORE)
    told = explain(mock, calls.send(mock, calls.create("rivya", "stuck", calls.HEADER)))
    assert told["because"].startswith("a fault caused it, through the control door; ")


@pytest.mark.parametrize("api", calls.APIS)
def test_a_scenario_of_the_task_is_explained_as_such(mock: Mock, api: str) -> None:
    answer = calls.send(mock, calls.create(api, "stuck", calls.IN_KEY))
    assert answer.headers["mock-scenario"] == "stuck"
    assert explain(mock, answer)["because"] == (
        "every rule was kept; the scenario 'stuck', asked for through the key, concerns the task "
        "and not this answer"
    )


@pytest.mark.parametrize("api", calls.APIS)
def test_every_answer_about_a_task_names_the_faults_of_its_outcome(mock: Mock, api: str) -> None:
    (fault,) = calls.add_faults(mock, scenario="fails_at_once", times=1)
    created = calls.send(mock, calls.create(api))
    assert created.headers["mock-scenario"] == "fails_at_once"
    assert explain(mock, created)["because"] == (
        "every rule was kept; the scenario 'fails_at_once', asked for through the control door, "
        "concerns the task and not this answer"
    )
    looked_at = calls.send(mock, calls.read(api, calls.task_id_of(created.json())))
    assert explain(mock, looked_at)["because"] == (
        f"every rule was kept; the scenario 'fails_at_once' ({fault['id']}) decided how its task "
        "goes"
    )
    next_one = calls.send(mock, calls.create(api))
    assert "mock-scenario" not in next_one.headers
    assert explain(mock, next_one)["because"] == "every rule was kept"


def test_the_default_scenario_is_explained_at_each_task_it_concerns(make_mock: MakeMock) -> None:
    mock = make_mock(scenario="stuck")
    created = calls.send(mock, calls.create("rivya"))
    assert created.headers["mock-scenario"] == "stuck"
    assert explain(mock, created)["channel"] == "server default"


def test_a_repeated_create_names_the_first_create(mock: Mock) -> None:
    mine = {"idempotency-key": "mine"}
    calls.OpenRequest(mock, calls.create("rivya", "lost_answer", calls.HEADER, headers=mine))
    (exchange,) = mock.world.journal
    again = calls.send(mock, calls.create("rivya", headers=mine))
    assert explain(mock, again)["because"] == (
        f"its Idempotency-Key found the task of {exchange.id}: nothing was charged again"
    )


@pytest.mark.parametrize("is_put_back", [False, True])
def test_a_repeated_create_names_an_evicted_first_create_too(
    make_mock: MakeMock, *, is_put_back: bool
) -> None:
    mock = make_mock(limits__journal_exchanges=2)
    mine = {"idempotency-key": "mine"}
    first = calls.send(mock, calls.create("rivya", headers=mine)).headers["mock-request"]
    for _ in range(3):
        mock.rivya("GET", "/credits")
    if is_put_back:
        document = mock.request("GET", "/_mock/worlds/default/snapshot").body
        where = "/_mock/worlds/default/snapshot"
        assert mock.request("PUT", where, headers=JSON, body=document).status == 200
    again = calls.send(mock, calls.create("rivya", headers=mine))
    assert (
        f"found the task of {first}: nothing was charged again" in explain(mock, again)["because"]
    )
    assert mock.world.journal.newest(1)[0].replay_of == first


def test_the_first_create_of_a_task_from_an_older_snapshot_is_unknown(mock: Mock) -> None:
    mine = {"idempotency-key": "mine"}
    calls.send(mock, calls.create("rivya", headers=mine))
    where = "/_mock/worlds/default/snapshot"
    document = mock.request("GET", where).json()
    del document["idempotency"][0]["request"]
    mock.request("PUT", where, headers=JSON, body=json.dumps(document).encode())
    again = calls.send(mock, calls.create("rivya", headers=mine))
    assert "the task of an earlier request" in explain(mock, again)["because"]


def test_a_repeated_create_finds_the_scenario_of_its_task(mock: Mock) -> None:
    mine = {"idempotency-key": "mine"}
    calls.send(mock, calls.create("rivya", "stuck", calls.HEADER, headers=mine))
    told = explain(mock, calls.send(mock, calls.create("rivya", headers=mine)))
    assert (told["scenario"], told["channel"]) == ("stuck", "its task")


def test_a_client_that_hung_up_is_explained(mock: Mock) -> None:
    held_mode: dict[str, Any] = {"async": False}
    held = calls.OpenRequest(mock, calls.create("acedata", **held_mode))
    held.hang_up()
    (exchange,) = mock.world.journal
    told = explain_id(mock, exchange.id)
    assert told["because"] == (
        "there was no answer: the client closed the connection; "
        f"the task {exchange.task} was made anyway (credits reserved: 1)"
    )


def test_a_request_without_an_answer_yet_is_explained(mock: Mock) -> None:
    held_mode: dict[str, Any] = {"async": False}
    held = calls.OpenRequest(mock, calls.create("acedata", **held_mode))
    (exchange,) = mock.world.journal
    told = explain_id(mock, exchange.id)
    assert (told["status"], told["because"]) == (None, "it is under way")
    calls.advance(mock, 1)
    assert held.answer().status == 200
    assert explain_id(mock, exchange.id)["because"] == "every rule was kept"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_late_answer_is_explained_with_its_fault(mock: Mock, when: str) -> None:
    (fault,) = calls.add_faults(mock, effect={"type": "delay", "seconds": 5, "when": when})
    held = calls.OpenRequest(mock, calls.get("/api/v1/credits"))
    (exchange,) = mock.world.journal
    under_way = explain_id(mock, exchange.id)
    assert (under_way["status"], under_way["faults"]) == (None, [fault["id"]])
    calls.advance(mock, 5)
    assert held.answer().status == 200
    told = explain_id(mock, exchange.id)
    assert told["because"] == "a fault caused it, through the control door; otherwise: 200"


def test_a_broken_connection_is_explained_without_a_status(mock: Mock) -> None:
    calls.add_faults(mock, scenario="lost_answer")
    held = calls.OpenRequest(mock, calls.create("rivya"))
    with pytest.raises(ConnectionResetError):
        held.answer()
    (exchange,) = mock.world.journal
    told = explain_id(mock, exchange.id)
    assert (told["status"], told["scenario"], told["without"]) == (None, "lost_answer", "200")


def test_a_request_of_any_world_is_found(mock: Mock) -> None:
    made = mock.request("POST", "/_mock/worlds", headers=JSON, body=b'{"name": "other"}')
    assert made.status == 201
    answer = mock.rivya("GET", "/credits", key=f"{KEY}-other")
    assert explain(mock, answer)["world"] == "other"


@pytest.mark.parametrize("request_id", ["req_none", "door", "REQ"])
def test_an_unknown_request_is_not_found(mock: Mock, request_id: str) -> None:
    answer = mock.request("GET", f"/_mock/explain/{request_id}")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def test_an_evicted_request_is_not_found(make_mock: MakeMock) -> None:
    mock = make_mock(limits__journal_exchanges=1)
    first, second = mock.create(), mock.create()
    assert mock.request("GET", f"/_mock/explain/{first.headers['mock-request']}").status == 404
    assert explain(mock, second)["status"] == 200


# --- what a create that went wrong did all the same ------------------------------------------


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize("name", ["internal_error_after", "gateway_timeout_after", "lost_answer"])
def test_a_create_that_failed_after_the_charge_names_its_task_and_the_charge(
    mock: Mock, api: str, name: str
) -> None:
    waiting = calls.OpenRequest(mock, calls.create(api, name, calls.HEADER))
    calls.advance(mock, 2)
    waiting.wait_for_threads()
    waiting.hang_up()
    (exchange,) = mock.world.journal
    price = {"rivya": 57, "acedata": 1}[api]
    because = explain_id(mock, exchange.id)["because"]
    assert exchange.task is not None
    assert f"; the task {exchange.task} was made anyway (credits " in because
    assert because.endswith(f": {price})")


@pytest.mark.parametrize(
    ("settings", "seconds", "money"),
    [
        ({"acedata__hold_limit_s": 0.5}, 0.5, "reserved"),
        ({"acedata__hold_limit_s": 0.5}, 1, "spent"),
        ({"tasks__failure_rate": 1}, 1, "given back"),
    ],
)
def test_a_held_open_create_that_failed_names_its_task_and_the_charge(
    make_mock: MakeMock, settings: dict[str, Any], seconds: float, money: str
) -> None:
    mock = make_mock(**settings)
    held_mode: dict[str, Any] = {"async": False}
    waiting = calls.OpenRequest(mock, calls.create("acedata", **held_mode))
    calls.advance(mock, seconds)
    answer = waiting.answer()
    assert answer.status >= 500
    (exchange,) = mock.world.journal
    told = explain(mock, answer)
    assert told["because"].endswith(
        f"; the task {exchange.task} was made anyway (credits {money}: 1)"
    )


def test_a_refused_create_made_no_task(mock: Mock) -> None:
    told = explain(mock, calls.send(mock, calls.create("rivya", "internal_error", calls.HEADER)))
    assert "task" not in told["because"]


def test_a_replay_that_failed_charged_nothing_again(mock: Mock) -> None:
    mine = {"idempotency-key": "mine"}
    first = calls.send(mock, calls.create("rivya", headers=mine))
    again = calls.send(
        mock, calls.create("rivya", "internal_error_after", calls.HEADER, headers=mine)
    )
    because = explain(mock, again)["because"]
    assert again.status == 500
    assert f"the task of {first.headers['mock-request']}: nothing was charged again" in because


# --- whatever goes wrong has a reason ---------------------------------------------------------

_NOTHING = [
    "/",
    "//",
    "//hailuo/videos",
    "/hailuo",
    "/hailuo/video",
    "/api",
    "/api/v1",
    "/api/v1/x",
]
_NOTHING += ["/api/v2/credits", "/nothing", "/w/default/x", "/w/nobody/api/v1/credits", "/media/x"]
_NOTHING += [
    "/media/default/x.mp4",
    "/media/default/files/file_x/a.png",
    "/_mockery",
    "/favicon.ico",
]
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]
_ROUTES = [re.sub(r"\{.+?\}", "x", path) for path in document()["paths"]]


@pytest.mark.parametrize("method", _METHODS)
@pytest.mark.parametrize("authorization", ["", f"Bearer {KEY}", f"Bearer {TOKEN}"])
@each_row("path", [*_NOTHING, *_ROUTES])
def test_every_error_without_a_fault_has_its_rule(
    mock: Mock, path: str, method: str, authorization: str
) -> None:
    headers = {"authorization": authorization} if authorization else {}
    answer = mock.request(method, path, headers=headers)
    told = explain(mock, answer)
    if answer.status < 400:
        assert told["refusal"] is None
        return
    rule, _, sentence = told["refusal"].partition(": ")
    assert told["because"] == f"the rule {rule} refused it: {sentence}"


def test_an_internal_error_is_explained(mock: Mock) -> None:
    broken = calls.send(mock, calls.get("/api/v1/credits"))
    (exchange,) = mock.world.journal
    exchange.status = 500
    assert explain(mock, broken)["because"] == "the server broke; its log says how"
    exchange.status = 416
    assert "the server itself answered 416" in explain(mock, broken)["because"]


# --- the header ------------------------------------------------------------------------------


def test_the_header_is_there_only_if_a_scenario_applied(mock: Mock) -> None:
    assert "mock-scenario" not in mock.create().headers
    calls.add_faults(mock, effect=ERROR_BEFORE, times=1)
    assert "mock-scenario" not in mock.create().headers
    calls.add_faults(mock, scenario="not_found", times=1)
    assert "mock-scenario" not in mock.create().headers
    not_for_this = calls.send(
        mock, calls.get("/api/v1/credits", "insufficient_credits", calls.HEADER)
    )
    assert (not_for_this.status, "mock-scenario" in not_for_this.headers) == (200, False)
    answer = calls.send(mock, calls.read("rivya", calls.UNKNOWN_TASKS["rivya"]))
    assert answer.headers["mock-scenario"] == "not_found"
