"""Explanations of answers, and what the answer would have been without a fault."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner, Result

from mock_server.__main__ import main
from tests import calls
from tests.asgi import Answer
from tests.contract_hook import document
from tests.live import live
from tests.mock import KEY, MINIMAL, PNG, TOKEN, VIDEO, MakeMock, Mock, form
from tests.receiver import receiver
from tests.rivya import account

JSON = {"content-type": "application/json"}
CREATE = "/api/v1/generations"
BEARER = {"authorization": f"Bearer {KEY}"}
ERROR_BEFORE = {"type": "answer", "status": 599, "when": "before"}
ERROR_AFTER = {"type": "answer", "status": 599, "when": "after"}


def explain(mock: Mock, answer: Answer) -> dict[str, Any]:
    """The explanation of the request with this answer."""
    return explain_id(mock, answer.headers["mock-request"])


def explain_id(mock: Mock, request_id: str) -> dict[str, Any]:
    told = mock.request("GET", f"/_mock/explain/{request_id}")
    assert told.status == 200, told.body
    found: dict[str, Any] = told.json()
    assert found["request"] == request_id
    return found


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


@pytest.mark.parametrize("path", [*_NOTHING, *_ROUTES])
@pytest.mark.parametrize("method", _METHODS)
@pytest.mark.parametrize("authorization", ["", f"Bearer {KEY}", f"Bearer {TOKEN}"])
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


# --- fields that had no effect ----------------------------------------------------------------


def _json(path: str, key: str, body: Any, method: str = "POST") -> calls.Request:
    return calls.Request(
        method, path, JSON | {"authorization": f"Bearer {key}"}, json.dumps(body).encode()
    )


_STANDARD = MINIMAL | {"model": "hailuo-standard"}
_IMAGE = {"url": "https://a.example/a.png", "kind": "image", "mime_type": "image/png"}
_HOOK = {"url": "https://a.example/", "event_types": ["generation.failed"], "Name": "x"}


@pytest.mark.parametrize(
    ("asked", "ignored"),
    [
        (
            calls.create("rivya", model="hailuo-standard", duration="10"),
            {"/duration": "/params/duration"},
        ),
        (calls.create("rivya", duration="10"), {"/duration": None}),
        (calls.create("rivya", clientRequestId="x"), {"/clientRequestId": "/client_request_id"}),
        (calls.create("rivya", Files=[]), {"/Files": None}),
        (
            calls.create("rivya", params={"referenceMediaItems": [_IMAGE]}),
            {"/params/referenceMediaItems/0/mime_type": "/params/referenceMediaItems/0/mimeType"},
        ),
        (
            _json("/api/v1/generations", KEY, MINIMAL | {"a/b": 1, "": 2}),
            {"/a~1b": None, "/": None},
        ),
        (calls.create("acedata", callbackUrl="x"), {"/callbackUrl": "/callback_url"}),
        (calls.create("acedata", mirror=True, timeout=5), {"/mirror": None, "/timeout": None}),
        (_json("/api/v1/webhooks", KEY, _HOOK), {"/Name": "/name"}),
        (
            _json("/hailuo/tasks", TOKEN, {"action": "retrieve_batch", "ids": ["x"], "Ids": []}),
            {"/Ids": "/ids"},
        ),
    ],
)
def test_a_field_without_effect_is_explained_with_a_near_one(
    mock: Mock, asked: calls.Request, ignored: dict[str, str | None]
) -> None:
    told = explain(mock, calls.send(mock, asked))
    assert told["status"] == 200
    assert told["ignored"] == [
        {"pointer": pointer, "hint": meant and f"did you mean '{meant}'?"}
        for pointer, meant in ignored.items()
    ]
    for pointer, meant in ignored.items():
        hint = f"; did you mean '{meant}'?" if meant else ""
        assert f"but the field '{pointer}' was ignored{hint}" in told["because"]
    (shown,) = mock.request("GET", "/_mock/worlds/default/requests").json()["requests"]
    assert shown["ignored"] == told["ignored"]


def test_a_form_field_without_effect_is_explained(mock: Mock) -> None:
    told = explain(mock, mock.upload(clientRequestId="x"))
    assert told["ignored"] == [
        {"pointer": "/clientRequestId", "hint": "did you mean '/client_request_id'?"}
    ]


def test_unknown_lenient_params_are_explained(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__params="lenient")
    told = explain(mock, mock.create(params={"prompt_optimiser": "true"}))
    assert told["ignored"] == [
        {"pointer": "/params/prompt_optimiser", "hint": "did you mean '/params/prompt_optimizer'?"}
    ]


@pytest.mark.parametrize("signs", [False, True])
def test_a_secret_is_ignored_only_while_nothing_is_signed(
    make_mock: MakeMock, caplog: pytest.LogCaptureFixture, *, signs: bool
) -> None:
    mock = make_mock(acedata__sign_callbacks=signs)
    with caplog.at_level("INFO"):
        told = explain(mock, calls.send(mock, calls.create("acedata", callback_secret="abc")))
    hint = "acedata.sign_callbacks is off"
    assert told["ignored"] == ([] if signs else [{"pointer": "/callback_secret", "hint": hint}])
    assert ("callback_secret" in caplog.text) is not signs


def test_a_few_of_many_fields_without_effect_are_named(mock: Mock) -> None:
    fields = {f"{number}{'x' * 500}": 1 for number in range(100)}
    told = explain(mock, mock.create(**fields))
    assert len(told["ignored"]) == 5
    assert all(len(each["pointer"]) < 110 for each in told["ignored"])


def test_no_name_of_a_field_without_effect_shows_a_credential(mock: Mock) -> None:
    answer = mock.create(**{KEY: 1})
    told = explain(mock, answer)
    assert KEY not in json.dumps(told)
    assert KEY not in mock.request("GET", "/_mock/worlds/default/requests").body.decode()


def test_a_right_request_ignores_nothing(mock: Mock) -> None:
    for asked in (calls.create("rivya"), calls.create("acedata"), calls.get("/api/v1/models")):
        assert explain(mock, calls.send(mock, asked))["ignored"] == []


# --- what it would have been -----------------------------------------------------------------

HELD: dict[str, Any] = {"async": False}
USED = {"idempotency-key": "used"}


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


WITHOUT = [
    (calls.create("rivya"), "accepted", "200"),
    (calls.create("rivya", prompt=5), "400 validation_failed", "400 validation_failed"),
    (calls.Request("POST", CREATE, BEARER | JSON, b"{"), *["400 validation_failed"] * 2),
    (calls.Request("POST", CREATE, JSON, b"{}"), *["401 api_key_missing"] * 2),
    (calls.create("rivya", headers=bearer("rvya_sk_x")), *["401 api_key_invalid"] * 2),
    (calls.create("rivya", headers=bearer(TOKEN)), *["401 api_key_invalid"] * 2),
    (calls.create("rivya", headers=bearer("rvya_sk_poor")), *["402 insufficient_credits"] * 2),
    (calls.create("rivya", headers=bearer("rvya_sk_blind")), *["403 api_scope_denied"] * 2),
    (calls.create("rivya", headers=bearer("rvya_sk_busy")), *["429 rate_limited"] * 2),
    (calls.create("rivya", headers=USED), "200", "200"),
    (calls.create("rivya", headers=USED, prompt="b"), *["409 idempotency_conflict"] * 2),
    (calls.read("rivya", calls.UNKNOWN_TASKS["rivya"]), *["404 not_found"] * 2),
    (calls.Request("PUT", CREATE, BEARER), *["405 method_not_allowed"] * 2),
    (calls.get("/api/v1/credits"), "200", "200"),
    (calls.get("/api/v1/models"), "200", "200"),
    (calls.get("/media/default/none.mp4"), "404", "404"),
    (calls.create("acedata"), "accepted", "200"),
    (calls.create("acedata", action="no"), "400 bad_request", "400 bad_request"),
    (calls.create("acedata", headers={"authorization": "Bearer x"}), *["401 invalid_token"] * 2),
    (calls.create("acedata", headers={"authorization": "Bearer poor"}), *["403 used_up"] * 2),
    (calls.create("acedata", prompt="nude"), *["403 forbidden"] * 2),
    (calls.read("acedata", calls.UNKNOWN_TASKS["acedata"]), *["404 task_not_found"] * 2),
]  # fmt: skip


def settled(make_mock: MakeMock) -> Mock:
    """A mock with accounts of all kinds, and a key without remaining requests."""
    poor = {"name": "poor", "credits": 0, "keys": [{"key": "poor", "api": "acedata"}]}
    mock = make_mock(
        acedata__moderated_words=["nude"],
        accounts=[
            account("rivya-test", credits=10**6, test={}, busy={"rate_limit": 1}),
            account("empty", credits=0, poor={}, blind={"scopes": ["credits:read"]}),
            {"name": "acedata-test", "credits": 10**6, "keys": [{"key": TOKEN, "api": "acedata"}]},
            poor,
        ],
    )
    assert (
        calls.send(mock, calls.create("rivya", headers={"idempotency-key": "used"})).status == 200
    )
    assert mock.rivya("GET", "/credits", key="rvya_sk_busy").status == 200
    return mock


@pytest.mark.parametrize(("asked", "before", "after"), WITHOUT)
def test_the_answer_without_the_fault_is_explained(
    make_mock: MakeMock, asked: calls.Request, before: str, after: str
) -> None:
    mock = settled(make_mock)
    for effect, expected in ((ERROR_BEFORE, before), (ERROR_AFTER, after)):
        calls.add_faults(mock, effect=effect, times=1)
        answer = calls.send(mock, asked)
        assert answer.status == 599
        assert explain(mock, answer)["without"] == expected
    sound = calls.send(mock, asked)
    assert str(sound.status) == after.split(maxsplit=1)[0]


def test_a_held_open_create_would_have_been_accepted(mock: Mock) -> None:
    calls.add_faults(mock, effect=ERROR_BEFORE)
    assert explain(mock, mock.acedata("/videos", VIDEO))["without"] == "accepted"


def test_a_repeat_while_the_first_request_hangs_would_have_been_a_conflict(mock: Mock) -> None:
    asked = calls.create("rivya", headers={"idempotency-key": "k"})
    calls.add_faults(mock, scenario="lost_answer_hang", times=1)
    first = calls.OpenRequest(mock, asked)
    calls.add_faults(mock, effect=ERROR_BEFORE, times=1)
    assert explain(mock, calls.send(mock, asked))["without"] == "409 idempotency_conflict"
    assert calls.send(mock, asked).status == 409
    first.hang_up()
    assert calls.send(mock, asked).status == 200


def test_a_switched_off_api_is_explained(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__api_enabled=False)
    calls.add_faults(mock, effect=ERROR_BEFORE)
    assert explain(mock, mock.create())["without"] == "503 public_api_disabled"


# --- asking the rules changes nothing --------------------------------------------------------


def state(mock: Mock) -> dict[str, Any]:
    """The state of a world without its journal, history and faults."""
    shown: dict[str, Any] = mock.request("GET", "/_mock/worlds/default/snapshot").json()
    left_out = {"journal", "history", "faults", "asked_faults"}
    return {name: shown[name] for name in shown.keys() - left_out}


def every_change(mock: Mock) -> list[calls.Request]:
    """A request of each kind that would change something, and some that would not."""
    hook = {"url": "https://example.com/hook", "event_types": ["generation.failed"]}
    (endpoint,) = mock.world.endpoints
    one = f"/api/v1/webhooks/{endpoint.id}"
    form_type = {"content-type": "multipart/form-data; boundary=frontier"}
    upload = form({"kind": "image"}, {"file": ("a.png", PNG)})
    return [
        *(calls.create(api) for api in calls.APIS),
        *(calls.create(api, "stuck", calls.IN_KEY) for api in calls.APIS),
        calls.create("acedata", **HELD),
        calls.create("rivya", headers={"idempotency-key": "new"}),
        calls.create("rivya", headers={"idempotency-key": "used"}),
        calls.create("rivya", headers={"authorization": "Bearer rvya_sk_busy"}),
        *(calls.read(api, calls.UNKNOWN_TASKS[api]) for api in calls.APIS),
        calls.get("/api/v1/credits"),
        calls.get("/api/v1/webhooks"),
        calls.Request("POST", "/api/v1/webhooks", BEARER | JSON, json.dumps(hook).encode()),
        calls.Request("PATCH", one, BEARER | JSON, b'{"status": "disabled"}'),
        calls.Request("POST", one + "/rotate-secret", BEARER | JSON, b"{}"),
        calls.Request("POST", one + "/test", BEARER | JSON, b"{}"),
        calls.Request("DELETE", one, BEARER),
        calls.Request("POST", "/api/v1/files", BEARER | form_type, upload),
    ]


CHANGES = 18
EFFECTS: dict[str, dict[str, Any]] = {
    "error": {"type": "error", "code": "internal_error"},
    "answer": ERROR_BEFORE,
    "reset": {"type": "connection", "how": "reset"},
    "hang": {"type": "connection", "how": "hang"},
}


@pytest.mark.parametrize("number", range(CHANGES))
@pytest.mark.parametrize("name", EFFECTS)
def test_a_fault_before_the_change_of_state_changes_nothing(
    make_mock: MakeMock, name: str, number: int
) -> None:
    mocks = []
    for wrong in (True, False):
        mock = settled(make_mock)
        hook = {"url": "https://example.com/hook", "event_types": ["generation.failed"]}
        assert mock.rivya("POST", "/webhooks", hook).status == 200
        assert len(every_change(mock)) == CHANGES
        asked = every_change(mock)[number]
        before = state(mock)
        if wrong:
            api = "acedata" if asked.path.startswith("/hailuo") else "rivya"
            effect = EFFECTS[name]
            if name == "error" and api == "acedata":
                effect = effect | {"code": "api_error"}
            calls.add_faults(mock, effect=effect, match={"api": api}, times=1)
            caller = calls.OpenRequest(mock, asked)
            caller.hang_up()
            assert not caller.is_open
            if name == "reset":
                with pytest.raises(ConnectionResetError):
                    caller.answer()
        else:
            mock.request("GET", "/api/v1/nothing")
        assert state(mock) == before
        mocks.append(mock)
    first, second = mocks
    for asked in (calls.create("rivya"), calls.create("acedata")):
        ids = [calls.task_id_of(calls.send(mock, asked).json()) for mock in mocks]
        assert ids[0] == ids[1]
    assert state(first) == state(second)
    assert first.world.journal.opened == second.world.journal.opened


def test_a_fault_before_the_change_of_state_counts_towards_no_limit(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", a={"rate_limit": 2})])
    calls.add_faults(mock, effect=ERROR_BEFORE, times=5)
    seen = [mock.rivya("GET", "/credits", key="rvya_sk_a").status for _ in range(8)]
    assert seen == [599] * 5 + [200, 200, 429]


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


# --- on the command line ---------------------------------------------------------------------


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


def made(url: str, asked: calls.Request) -> str:
    """The id of a request that was made."""
    import httpx2

    answer = httpx2.request(
        asked.method, url + asked.path, headers=asked.headers, content=asked.body
    )
    request_id: str = answer.headers["mock-request"]
    return request_id


def test_the_command_prints_lines() -> None:
    with live() as mock:
        request_id = made(mock.url, calls.create("rivya", "rate_limited", calls.HEADER))
        result = run(request_id, "--url", mock.url)
    assert result.exit_code == 0, result.output
    assert [line.split(maxsplit=1) for line in result.stdout.splitlines()] == [
        ["asked", "POST /api/v1/generations"],
        ["status", "429"],
        [
            "because",
            "the scenario 'rate_limited' caused it, through the Mock-Scenario header; "
            "otherwise: accepted",
        ],
        ["scenario", "rate_limited"],
        ["channel", "Mock-Scenario header"],
        ["without", "accepted"],
    ]


def test_the_command_leaves_out_empty_parts() -> None:
    with live() as mock:
        result = run(made(mock.url, calls.create("rivya", prompt=5)), "--url", mock.url)
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert names == ["asked", "status", "because", "refusal"]


def test_the_command_prints_the_json_of_the_door() -> None:
    with live() as mock:
        request_id = made(mock.url, calls.create("acedata"))
        result = run(request_id, "--url", mock.url, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["request"], told["status"]) == (0, request_id, 200)


def test_the_command_ends_with_2_without_an_explanation() -> None:
    with live() as mock:
        unknown = run("req_none", "--url", mock.url)
        url = mock.url
    gone = run("req_none", "--url", url)
    nowhere = run("req_none", "--url", "nonsense")
    assert [each.exit_code for each in (unknown, gone, nowhere)] == [2, 2, 2]
    assert [each.stdout for each in (unknown, gone, nowhere)] == ["", "", ""]
    assert "no request with that id is known" in unknown.stderr
    assert f"no server answers at {url}" in gone.stderr
    assert "no server answers at nonsense" in nowhere.stderr


def test_the_command_recognises_another_server() -> None:
    with receiver() as other:
        told = run("req_x", "--url", other.url)
    assert (told.exit_code, told.stdout) == (2, "")
    assert "and not by a hailuo-mock" in told.stderr


def test_the_command_reads_url_and_token_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with live(control_token="sesame") as mock:
        asked = httpx2.get(f"{mock.url}/api/v1/credits").headers["mock-request"]
        monkeypatch.setenv("HAILUO_MOCK_URL", mock.url)
        monkeypatch.setenv("HAILUO_MOCK_CONTROL_TOKEN", "sesame")
        assert run(asked).exit_code == 0
        monkeypatch.setenv("HAILUO_MOCK_CONTROL_TOKEN", "")
        assert "this door is locked" in run(asked).stderr


def test_the_command_sends_a_token_to_a_locked_door() -> None:
    with live(control_token="secret") as mock:
        request_id = made(mock.url, calls.create("rivya"))
        refused = run(request_id, "--url", mock.url)
        let_in = run(request_id, "--url", mock.url, "--control-token", "secret")
    assert (refused.exit_code, let_in.exit_code) == (2, 0)
    assert "every rule was kept" in let_in.stdout


def test_an_ignored_query_and_body_are_explained(mock: Mock) -> None:
    odd = mock.rivya("GET", "/models?limit=3")
    assert explain(mock, odd)["because"].endswith("but its query was ignored")
    odd = mock.request("GET", "/api/v1/credits?a=1", headers=BEARER | {"content-length": "2"})
    assert explain(mock, odd)["because"].endswith("but its query and its body were ignored")
    plain = mock.rivya("GET", "/credits")
    assert explain(mock, plain)["because"] == "every rule was kept"


@pytest.mark.parametrize("flag", ["--config", "--port", "--scenario-dir", "--callback-hosts"])
def test_a_blank_flag_is_ignored(flag: str) -> None:
    plain = CliRunner().invoke(main, ["config"])
    assert CliRunner().invoke(main, ["config", flag, " "]).output == plain.output
    assert CliRunner().invoke(main, ["config", flag, ""]).output == plain.output


def test_an_error_of_the_command_line_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a\nb\x1b[31m.toml").write_text("x = 1")
    settings = tmp_path / "mock.toml"
    settings.write_text('"por\\nt\\u001b" = 1')
    for asked in (
        ["scenarios", "--scenario-dir", str(tmp_path)],
        ["config", "--config", str(settings)],
        ["serve", "--host", "x\n\x1b[31m"],
    ):
        told = CliRunner().invoke(main, asked)
        assert told.exit_code == 2
        assert told.output.removesuffix("\n").isprintable()
        assert told.output.startswith("hailuo-mock: ")
