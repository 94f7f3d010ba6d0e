"""Why an answer was what it was, and what it would have been: told, and nothing changed by it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner, Result

from mock_server.__main__ import main
from tests.apis.rivya.conftest import account
from tests.asgi import Answer
from tests.asking import (
    APIS,
    BY_REQUEST,
    DEFAULT,
    DOOR,
    HEADER,
    IN_KEY,
    IN_PROMPT,
    NOBODY,
    Asked,
    Waiting,
    advance,
    create,
    get,
    read,
    send,
    stand,
    task_id_of,
)
from tests.contract_hook import document
from tests.live import live
from tests.mock import KEY, MINIMAL, PNG, TOKEN, VIDEO, Mock, form
from tests.receiver import receiver

MakeMock = Callable[..., Mock]
JSON = {"content-type": "application/json"}
BEARER = {"authorization": f"Bearer {KEY}"}
ERROR_BEFORE = {"type": "answer", "status": 599, "when": "before"}
ERROR_AFTER = {"type": "answer", "status": 599, "when": "after"}


def explain(mock: Mock, answer: Answer) -> dict[str, Any]:
    """What is told of the request that was answered so."""
    return explain_id(mock, answer.headers["mock-request"])


def explain_id(mock: Mock, request_id: str) -> dict[str, Any]:
    told = mock.request("GET", f"/_mock/explain/{request_id}")
    assert told.status == 200, told.body
    found: dict[str, Any] = told.json()
    assert found["request"] == request_id
    return found


# --- each kind of answer ---------------------------------------------------------------------


@pytest.mark.parametrize("api", APIS)
def test_an_answer_that_nothing_was_wrong_with(mock: Mock, api: str) -> None:
    asked = create(api)
    answer = send(mock, asked)
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
        (create("rivya", prompt=5), 400, "Invalid"),
        (read("rivya", NOBODY["rivya"]), 404, "UnknownTask"),
        (read("acedata", NOBODY["acedata"]), 404, "UnknownTask"),
        (Asked("GET", "/api/v1/credits", {}), 401, "KeyMissing"),
        (get("/api/v1/credits", headers={"authorization": "Bearer rvya_sk_x"}), 401, "KeyUnknown"),
        (Asked("PUT", "/api/v1/generations", BEARER), 405, "MethodNotAllowed"),
        (get("/api/v1/credits", "no_such_thing", HEADER), 400, "UnknownScenario"),
    ],
)
def test_a_refusal_is_told_with_its_rule_and_its_sentence(
    mock: Mock, asked: Asked, status: int, rule: str
) -> None:
    answer = send(mock, asked)
    told = explain(mock, answer)
    sentence = told["refusal"].removeprefix(f"{rule}: ")
    assert answer.status == told["status"] == status
    assert told["refusal"] == f"{rule}: {sentence}"
    assert told["because"] == f"the rule {rule} said no: {sentence}"
    assert sentence in json.dumps(answer.json(), ensure_ascii=False)
    assert (told["scenario"], told["channel"], told["faults"]) == (None, None, [])


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("channel", [DOOR, *BY_REQUEST, IN_PROMPT, DEFAULT])
def test_a_scenario_is_told_with_the_way_it_was_asked_for(
    make_mock: MakeMock, api: str, channel: str
) -> None:
    mock = make_mock(**({"scenario": "rate_limited"} if channel == DEFAULT else {}))
    if channel == DOOR:
        stand(mock, scenario="rate_limited")
    told = explain(mock, send(mock, create(api, "rate_limited", channel)))
    assert (told["status"], told["scenario"], told["channel"]) == (429, "rate_limited", channel)
    assert told["because"] == (
        f"the scenario 'rate_limited' wanted it so, through the {channel}; otherwise: accepted"
    )
    assert len(told["faults"]) == 1


def test_a_rule_without_a_name_is_told_as_a_fault(mock: Mock) -> None:
    (fault,) = stand(mock, effect=ERROR_BEFORE)
    told = explain(mock, send(mock, get("/api/v1/credits")))
    assert told["because"] == "a fault wanted it so, through the control door; otherwise: 200"
    assert (told["scenario"], told["faults"]) == (None, [fault["id"]])


def test_a_rule_without_a_name_is_not_told_as_the_scenario_of_the_task(mock: Mock) -> None:
    stand(mock, effect=ERROR_BEFORE)
    told = explain(mock, send(mock, create("rivya", "stuck", HEADER)))
    assert told["because"].startswith("a fault wanted it so, through the control door; ")


@pytest.mark.parametrize("api", APIS)
def test_a_scenario_of_the_task_is_told_as_such(mock: Mock, api: str) -> None:
    answer = send(mock, create(api, "stuck", IN_KEY))
    assert answer.headers["mock-scenario"] == "stuck"
    assert explain(mock, answer)["because"] == (
        "every rule was kept; the scenario 'stuck', asked for through the key, concerns the task "
        "and not this answer"
    )


@pytest.mark.parametrize("api", APIS)
def test_what_settled_the_fate_of_a_task_is_told_with_all_that_concerns_it(
    mock: Mock, api: str
) -> None:
    (fault,) = stand(mock, scenario="fails_at_once", times=1)
    created = send(mock, create(api))
    assert created.headers["mock-scenario"] == "fails_at_once"
    assert explain(mock, created)["because"] == (
        "every rule was kept; the scenario 'fails_at_once', asked for through the control door, "
        "concerns the task and not this answer"
    )
    looked_at = send(mock, read(api, task_id_of(created.json())))
    assert explain(mock, looked_at)["because"] == (
        f"every rule was kept; the scenario 'fails_at_once' ({fault['id']}) settled how its task "
        "goes"
    )
    next_one = send(mock, create(api))
    assert "mock-scenario" not in next_one.headers
    assert explain(mock, next_one)["because"] == "every rule was kept"


def test_a_scenario_of_the_server_is_told_with_the_tasks_it_concerns(make_mock: MakeMock) -> None:
    mock = make_mock(scenario="stuck")
    created = send(mock, create("rivya"))
    assert created.headers["mock-scenario"] == "stuck"
    assert explain(mock, created)["channel"] == "server default"


def test_a_repeated_create_is_told_with_the_one_that_made_its_task(mock: Mock) -> None:
    mine = {"idempotency-key": "mine"}
    lost = Waiting(mock, create("rivya", "lost_answer", HEADER, headers=mine))
    (exchange,) = mock.world.journal
    again = send(mock, create("rivya", headers=mine))
    assert explain(mock, again)["because"] == (
        f"its Idempotency-Key found the task of {exchange.id}: nothing was charged again"
    )
    lost.drop()


@pytest.mark.parametrize("is_put_back", [False, True])
def test_a_repeated_create_names_the_one_that_made_its_task_also_when_that_had_to_go(
    make_mock: MakeMock, *, is_put_back: bool
) -> None:
    mock = make_mock(limits__journal_exchanges=2)
    mine = {"idempotency-key": "mine"}
    first = send(mock, create("rivya", headers=mine)).headers["mock-request"]
    for _ in range(3):
        mock.rivya("GET", "/credits")
    if is_put_back:
        document = mock.request("GET", "/_mock/worlds/default/snapshot").body
        where = "/_mock/worlds/default/snapshot"
        assert mock.request("PUT", where, headers=JSON, body=document).status == 200
    again = send(mock, create("rivya", headers=mine))
    assert (
        f"found the task of {first}: nothing was charged again" in explain(mock, again)["because"]
    )
    assert mock.world.journal.newest(1)[0].replay_of == first


def test_the_maker_of_a_task_from_an_older_snapshot_is_not_known(mock: Mock) -> None:
    mine = {"idempotency-key": "mine"}
    send(mock, create("rivya", headers=mine))
    where = "/_mock/worlds/default/snapshot"
    document = mock.request("GET", where).json()
    del document["idempotency"][0]["request"]
    mock.request("PUT", where, headers=JSON, body=json.dumps(document).encode())
    again = send(mock, create("rivya", headers=mine))
    assert "the task of an earlier request" in explain(mock, again)["because"]


def test_a_repeated_create_finds_the_scenario_of_its_task(mock: Mock) -> None:
    mine = {"idempotency-key": "mine"}
    send(mock, create("rivya", "stuck", HEADER, headers=mine))
    told = explain(mock, send(mock, create("rivya", headers=mine)))
    assert (told["scenario"], told["channel"]) == ("stuck", "its task")


def test_a_caller_who_hung_up_is_told_as_such(mock: Mock) -> None:
    held_mode: dict[str, Any] = {"async": False}
    held = Waiting(mock, create("acedata", **held_mode))
    held.hang_up()
    (exchange,) = mock.world.journal
    told = explain_id(mock, exchange.id)
    assert told["because"] == (
        f"there was no answer: the caller hung up before; the task {exchange.task} was made all "
        "the same (credits held: 1)"
    )


def test_a_request_under_way_is_told_as_such(mock: Mock) -> None:
    held_mode: dict[str, Any] = {"async": False}
    held = Waiting(mock, create("acedata", **held_mode))
    (exchange,) = mock.world.journal
    told = explain_id(mock, exchange.id)
    assert (told["status"], told["because"]) == (None, "it is under way")
    advance(mock, 1)
    assert held.answer().status == 200
    assert explain_id(mock, exchange.id)["because"] == "every rule was kept"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_late_answer_is_told_with_what_made_it_late(mock: Mock, when: str) -> None:
    (fault,) = stand(mock, effect={"type": "delay", "seconds": 5, "when": when})
    held = Waiting(mock, get("/api/v1/credits"))
    (exchange,) = mock.world.journal
    under_way = explain_id(mock, exchange.id)
    assert (under_way["status"], under_way["faults"]) == (None, [fault["id"]])
    advance(mock, 5)
    assert held.answer().status == 200
    told = explain_id(mock, exchange.id)
    assert told["because"] == "a fault wanted it so, through the control door; otherwise: 200"


def test_a_connection_that_was_broken_is_told_without_a_status(mock: Mock) -> None:
    stand(mock, scenario="lost_answer")
    held = Waiting(mock, create("rivya"))
    with pytest.raises(ConnectionResetError):
        held.answer()
    (exchange,) = mock.world.journal
    told = explain_id(mock, exchange.id)
    assert (told["status"], told["scenario"], told["without"]) == (None, "lost_answer", "200")


def test_a_request_is_found_whichever_world_it_was_in(mock: Mock) -> None:
    made = mock.request("POST", "/_mock/worlds", headers=JSON, body=b'{"name": "other"}')
    assert made.status == 201
    answer = mock.rivya("GET", "/credits", key=f"{KEY}-other")
    assert explain(mock, answer)["world"] == "other"


@pytest.mark.parametrize("request_id", ["req_none", "door", "REQ"])
def test_a_request_that_nobody_made_is_not_found(mock: Mock, request_id: str) -> None:
    answer = mock.request("GET", f"/_mock/explain/{request_id}")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_request_that_had_to_go_is_not_found(make_mock: MakeMock) -> None:
    mock = make_mock(limits__journal_exchanges=1)
    first, second = mock.create(), mock.create()
    assert mock.request("GET", f"/_mock/explain/{first.headers['mock-request']}").status == 404
    assert explain(mock, second)["status"] == 200


# --- what a create that went wrong did all the same ------------------------------------------


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", ["internal_error_after", "gateway_timeout_after", "lost_answer"])
def test_a_create_that_failed_after_it_was_paid_tells_its_task_and_the_charge(
    mock: Mock, api: str, name: str
) -> None:
    waiting = Waiting(mock, create(api, name, HEADER))
    advance(mock, 2)
    waiting.linger()
    waiting.drop()
    (exchange,) = mock.world.journal
    price = {"rivya": 57, "acedata": 1}[api]
    because = explain_id(mock, exchange.id)["because"]
    assert exchange.task is not None
    assert f"; the task {exchange.task} was made all the same (credits " in because
    assert because.endswith(f": {price})")


@pytest.mark.parametrize(
    ("settings", "seconds", "money"),
    [
        ({"acedata__hold_limit_s": 0.5}, 0.5, "held"),
        ({"acedata__hold_limit_s": 0.5}, 1, "spent"),
        ({"tasks__failure_rate": 1}, 1, "given back"),
    ],
)
def test_a_held_create_that_ended_in_an_error_tells_its_task_and_the_charge(
    make_mock: MakeMock, settings: dict[str, Any], seconds: float, money: str
) -> None:
    mock = make_mock(**settings)
    held_mode: dict[str, Any] = {"async": False}
    waiting = Waiting(mock, create("acedata", **held_mode))
    advance(mock, seconds)
    answer = waiting.answer()
    assert answer.status >= 500
    (exchange,) = mock.world.journal
    told = explain(mock, answer)
    assert told["because"].endswith(
        f"; the task {exchange.task} was made all the same (credits {money}: 1)"
    )


def test_a_refused_create_made_no_task(mock: Mock) -> None:
    told = explain(mock, send(mock, create("rivya", "internal_error", HEADER)))
    assert "task" not in told["because"]


def test_a_replay_that_failed_charged_nothing_again(mock: Mock) -> None:
    mine = {"idempotency-key": "mine"}
    first = send(mock, create("rivya", headers=mine))
    again = send(mock, create("rivya", "internal_error_after", HEADER, headers=mine))
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
    assert told["because"] == f"the rule {rule} said no: {sentence}"


def test_an_error_of_the_server_itself_is_told_as_such(mock: Mock) -> None:
    broken = send(mock, get("/api/v1/credits"))
    (exchange,) = mock.world.journal
    exchange.status = 500
    assert explain(mock, broken)["because"] == "the server broke; its log says how"
    exchange.status = 416
    assert "the server itself answered 416" in explain(mock, broken)["because"]


# --- fields that had no effect ----------------------------------------------------------------


def _json(path: str, key: str, body: Any, method: str = "POST") -> Asked:
    return Asked(method, path, JSON | {"authorization": f"Bearer {key}"}, json.dumps(body).encode())


_STANDARD = MINIMAL | {"model": "hailuo-standard"}
_IMAGE = {"url": "https://a.example/a.png", "kind": "image", "mime_type": "image/png"}
_HOOK = {"url": "https://a.example/", "event_types": ["generation.failed"], "Name": "x"}


@pytest.mark.parametrize(
    ("asked", "ignored"),
    [
        (
            create("rivya", model="hailuo-standard", duration="10"),
            {"/duration": "/params/duration"},
        ),
        (create("rivya", duration="10"), {"/duration": None}),
        (create("rivya", clientRequestId="x"), {"/clientRequestId": "/client_request_id"}),
        (create("rivya", Files=[]), {"/Files": None}),
        (
            create("rivya", params={"referenceMediaItems": [_IMAGE]}),
            {"/params/referenceMediaItems/0/mime_type": "/params/referenceMediaItems/0/mimeType"},
        ),
        (
            _json("/api/v1/generations", KEY, MINIMAL | {"a/b": 1, "": 2}),
            {"/a~1b": None, "/": None},
        ),
        (create("acedata", callbackUrl="x"), {"/callbackUrl": "/callback_url"}),
        (create("acedata", mirror=True, timeout=5), {"/mirror": None, "/timeout": None}),
        (_json("/api/v1/webhooks", KEY, _HOOK), {"/Name": "/name"}),
        (
            _json("/hailuo/tasks", TOKEN, {"action": "retrieve_batch", "ids": ["x"], "Ids": []}),
            {"/Ids": "/ids"},
        ),
    ],
)
def test_a_field_without_effect_is_told_with_what_was_probably_meant(
    mock: Mock, asked: Asked, ignored: dict[str, str | None]
) -> None:
    told = explain(mock, send(mock, asked))
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


def test_a_field_of_a_form_without_effect_is_told(mock: Mock) -> None:
    told = explain(mock, mock.upload(clientRequestId="x"))
    assert told["ignored"] == [
        {"pointer": "/clientRequestId", "hint": "did you mean '/client_request_id'?"}
    ]


def test_params_that_are_let_through_are_told(make_mock: MakeMock) -> None:
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
        told = explain(mock, send(mock, create("acedata", callback_secret="abc")))
    hint = "acedata.sign_callbacks is off"
    assert told["ignored"] == ([] if signs else [{"pointer": "/callback_secret", "hint": hint}])
    assert ("callback_secret" in caplog.text) is not signs


def test_of_many_fields_without_effect_a_few_are_told_briefly(mock: Mock) -> None:
    fields = {f"{number}{'x' * 500}": 1 for number in range(100)}
    told = explain(mock, mock.create(**fields))
    assert len(told["ignored"]) == 5
    assert all(len(each["pointer"]) < 110 for each in told["ignored"])


def test_no_credential_is_in_the_name_of_a_field_that_is_told(mock: Mock) -> None:
    answer = mock.create(**{KEY: 1})
    told = explain(mock, answer)
    assert KEY not in json.dumps(told)
    assert KEY not in mock.request("GET", "/_mock/worlds/default/requests").body.decode()


def test_a_right_request_ignores_nothing(mock: Mock) -> None:
    for asked in (create("rivya"), create("acedata"), get("/api/v1/models")):
        assert explain(mock, send(mock, asked))["ignored"] == []


# --- what it would have been -----------------------------------------------------------------

HELD: dict[str, Any] = {"async": False}
USED = {"idempotency-key": "used"}


def as_(end: str) -> dict[str, str]:
    """The header of another key of Rivya's, by its end."""
    return {"authorization": f"Bearer rvya_sk_{end}"}


WITHOUT = [
    (create("rivya"), "accepted", "200"),
    (create("rivya", prompt=5), "400 validation_failed", "400 validation_failed"),
    (Asked("POST", "/api/v1/generations", BEARER | JSON, b"{"), *["400 validation_failed"] * 2),
    (Asked("POST", "/api/v1/generations", JSON, b"{}"), *["401 api_key_missing"] * 2),
    (create("rivya", headers={"authorization": "Bearer rvya_sk_x"}), *["401 api_key_invalid"] * 2),
    (create("rivya", headers={"authorization": f"Bearer {TOKEN}"}), *["401 api_key_invalid"] * 2),
    (create("rivya", headers=as_("poor")), *["402 insufficient_credits"] * 2),
    (create("rivya", headers=as_("blind")), *["403 api_scope_denied"] * 2),
    (create("rivya", headers=as_("busy")), *["429 rate_limited"] * 2),
    (create("rivya", headers=USED), "200", "200"),
    (create("rivya", headers=USED, prompt="b"), *["409 idempotency_conflict"] * 2),
    (read("rivya", NOBODY["rivya"]), *["404 not_found"] * 2),
    (Asked("PUT", "/api/v1/generations", BEARER), *["405 method_not_allowed"] * 2),
    (get("/api/v1/credits"), "200", "200"),
    (get("/api/v1/models"), "200", "200"),
    (get("/media/default/none.mp4"), "404", "404"),
    (create("acedata"), "accepted", "200"),
    (create("acedata", action="no"), "400 bad_request", "400 bad_request"),
    (create("acedata", headers={"authorization": "Bearer x"}), *["401 invalid_token"] * 2),
    (create("acedata", headers={"authorization": "Bearer poor"}), *["403 used_up"] * 2),
    (create("acedata", prompt="nude"), *["403 forbidden"] * 2),
    (read("acedata", NOBODY["acedata"]), *["404 task_not_found"] * 2),
]  # fmt: skip


def settled(make_mock: MakeMock) -> Mock:
    """A fake with accounts of all kinds, and a key that is used up."""
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
    assert send(mock, create("rivya", headers={"idempotency-key": "used"})).status == 200
    assert mock.rivya("GET", "/credits", key="rvya_sk_busy").status == 200
    return mock


@pytest.mark.parametrize(("asked", "before", "after"), WITHOUT)
def test_what_the_rules_would_have_said_is_told(
    make_mock: MakeMock, asked: Asked, before: str, after: str
) -> None:
    mock = settled(make_mock)
    for effect, expected in ((ERROR_BEFORE, before), (ERROR_AFTER, after)):
        stand(mock, effect=effect, times=1)
        answer = send(mock, asked)
        assert answer.status == 599
        assert explain(mock, answer)["without"] == expected
    sound = send(mock, asked)
    assert str(sound.status) == after.split(maxsplit=1)[0]


def test_a_create_that_would_have_been_held_is_told_as_accepted(mock: Mock) -> None:
    stand(mock, effect=ERROR_BEFORE)
    assert explain(mock, mock.acedata("/videos", VIDEO))["without"] == "accepted"


def test_while_the_first_request_of_a_key_hangs_the_rules_would_have_said_so(mock: Mock) -> None:
    asked = create("rivya", headers={"idempotency-key": "k"})
    stand(mock, scenario="lost_answer_hang", times=1)
    first = Waiting(mock, asked)
    stand(mock, effect=ERROR_BEFORE, times=1)
    assert explain(mock, send(mock, asked))["without"] == "409 idempotency_conflict"
    assert send(mock, asked).status == 409
    first.hang_up()
    assert send(mock, asked).status == 200


def test_of_an_api_that_is_off_that_is_told(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__api_enabled=False)
    stand(mock, effect=ERROR_BEFORE)
    assert explain(mock, mock.create())["without"] == "503 public_api_disabled"


# --- asking the rules changes nothing --------------------------------------------------------


def state(mock: Mock) -> dict[str, Any]:
    """All that a world is, but for what came in and what goes wrong."""
    shown: dict[str, Any] = mock.request("GET", "/_mock/worlds/default/snapshot").json()
    return {name: shown[name] for name in shown.keys() - {"journal", "faults", "asked_faults"}}


def every_change(mock: Mock) -> list[Asked]:
    """A request of each kind that would change something, and some that would not."""
    hook = {"url": "https://example.com/hook", "event_types": ["generation.failed"]}
    (endpoint,) = mock.world.endpoints
    one = f"/api/v1/webhooks/{endpoint.id}"
    form_type = {"content-type": "multipart/form-data; boundary=frontier"}
    upload = form({"kind": "image"}, {"file": ("a.png", PNG)})
    return [
        *(create(api) for api in APIS),
        *(create(api, "stuck", IN_KEY) for api in APIS),
        create("acedata", **HELD),
        create("rivya", headers={"idempotency-key": "new"}),
        create("rivya", headers={"idempotency-key": "used"}),
        create("rivya", headers={"authorization": "Bearer rvya_sk_busy"}),
        *(read(api, NOBODY[api]) for api in APIS),
        get("/api/v1/credits"),
        get("/api/v1/webhooks"),
        Asked("POST", "/api/v1/webhooks", BEARER | JSON, json.dumps(hook).encode()),
        Asked("PATCH", one, BEARER | JSON, b'{"status": "disabled"}'),
        Asked("POST", one + "/rotate-secret", BEARER | JSON, b"{}"),
        Asked("POST", one + "/test", BEARER | JSON, b"{}"),
        Asked("DELETE", one, BEARER),
        Asked("POST", "/api/v1/files", BEARER | form_type, upload),
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
def test_what_goes_wrong_before_changes_nothing(
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
            stand(mock, effect=effect, match={"api": api}, times=1)
            caller = Waiting(mock, asked)
            caller.hang_up()
            assert not caller.waits
            if name == "reset":
                with pytest.raises(ConnectionResetError):
                    caller.answer()
        else:
            mock.request("GET", "/api/v1/nothing")
        assert state(mock) == before
        mocks.append(mock)
    first, second = mocks
    for asked in (create("rivya"), create("acedata")):
        ids = [task_id_of(send(mock, asked).json()) for mock in mocks]
        assert ids[0] == ids[1]
    assert state(first) == state(second)
    assert first.world.journal.opened == second.world.journal.opened


def test_what_goes_wrong_before_does_not_count_towards_a_limit(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", a={"rate_limit": 2})])
    stand(mock, effect=ERROR_BEFORE, times=5)
    seen = [mock.rivya("GET", "/credits", key="rvya_sk_a").status for _ in range(8)]
    assert seen == [599] * 5 + [200, 200, 429]


# --- the header ------------------------------------------------------------------------------


def test_the_header_is_there_only_if_a_scenario_applied(mock: Mock) -> None:
    assert "mock-scenario" not in mock.create().headers
    stand(mock, effect=ERROR_BEFORE, times=1)
    assert "mock-scenario" not in mock.create().headers
    stand(mock, scenario="not_found", times=1)
    assert "mock-scenario" not in mock.create().headers
    not_for_this = send(mock, get("/api/v1/credits", "insufficient_credits", HEADER))
    assert (not_for_this.status, "mock-scenario" in not_for_this.headers) == (200, False)
    answer = send(mock, read("rivya", NOBODY["rivya"]))
    assert answer.headers["mock-scenario"] == "not_found"


# --- on the command line ---------------------------------------------------------------------


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


def made(url: str, asked: Asked) -> str:
    """The id of a request that was made."""
    import httpx2

    answer = httpx2.request(
        asked.method, url + asked.path, headers=asked.headers, content=asked.body
    )
    request_id: str = answer.headers["mock-request"]
    return request_id


def test_the_command_tells_it_in_lines() -> None:
    with live() as mock:
        request_id = made(mock.url, create("rivya", "rate_limited", HEADER))
        result = run(request_id, "--url", mock.url)
    assert result.exit_code == 0, result.output
    assert [line.split(maxsplit=1) for line in result.stdout.splitlines()] == [
        ["asked", "POST /api/v1/generations"],
        ["status", "429"],
        [
            "because",
            "the scenario 'rate_limited' wanted it so, through the Mock-Scenario header; "
            "otherwise: accepted",
        ],
        ["scenario", "rate_limited"],
        ["channel", "Mock-Scenario header"],
        ["without", "accepted"],
    ]


def test_the_command_leaves_out_what_there_is_not() -> None:
    with live() as mock:
        result = run(made(mock.url, create("rivya", prompt=5)), "--url", mock.url)
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert names == ["asked", "status", "because", "refusal"]


def test_the_command_tells_machines_what_the_door_tells() -> None:
    with live() as mock:
        request_id = made(mock.url, create("acedata"))
        result = run(request_id, "--url", mock.url, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["request"], told["status"]) == (0, request_id, 200)


def test_the_command_ends_with_2_where_nothing_can_be_told() -> None:
    with live() as mock:
        unknown = run("req_none", "--url", mock.url)
        url = mock.url
    gone = run("req_none", "--url", url)
    nowhere = run("req_none", "--url", "nonsense")
    assert [each.exit_code for each in (unknown, gone, nowhere)] == [2, 2, 2]
    assert [each.stdout for each in (unknown, gone, nowhere)] == ["", "", ""]
    assert "no request with that id is known" in unknown.stderr
    assert f"nobody answers at {url}" in gone.stderr
    assert "nobody answers at nonsense" in nowhere.stderr


def test_the_command_tells_what_is_no_hailuo_mock() -> None:
    with receiver() as other:
        told = run("req_x", "--url", other.url)
    assert (told.exit_code, told.stdout) == (2, "")
    assert "and not by a hailuo-mock" in told.stderr


def test_the_command_looks_for_url_and_token_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with live(control_token="sesame") as mock:
        asked = httpx2.get(f"{mock.url}/api/v1/credits").headers["mock-request"]
        monkeypatch.setenv("HAILUO_MOCK_URL", mock.url)
        monkeypatch.setenv("HAILUO_MOCK_CONTROL_TOKEN", "sesame")
        assert run(asked).exit_code == 0
        monkeypatch.setenv("HAILUO_MOCK_CONTROL_TOKEN", "")
        assert "this door is locked" in run(asked).stderr


def test_the_command_has_a_token_for_a_door_that_asks_for_one() -> None:
    with live(control_token="secret") as mock:
        request_id = made(mock.url, create("rivya"))
        refused = run(request_id, "--url", mock.url)
        let_in = run(request_id, "--url", mock.url, "--control-token", "secret")
    assert (refused.exit_code, let_in.exit_code) == (2, 0)
    assert "every rule was kept" in let_in.stdout


def test_a_query_and_a_body_that_nobody_reads_are_told(mock: Mock) -> None:
    odd = mock.rivya("GET", "/models?limit=3")
    assert explain(mock, odd)["because"].endswith("but its query was not looked at")
    odd = mock.request("GET", "/api/v1/credits?a=1", headers=BEARER | {"content-length": "2"})
    assert explain(mock, odd)["because"].endswith("but its query and its body were not looked at")
    plain = mock.rivya("GET", "/credits")
    assert explain(mock, plain)["because"] == "every rule was kept"


@pytest.mark.parametrize("flag", ["--config", "--port", "--scenario-dir", "--callback-hosts"])
def test_a_blank_flag_is_as_good_as_none(flag: str) -> None:
    plain = CliRunner().invoke(main, ["config"])
    assert CliRunner().invoke(main, ["config", flag, " "]).output == plain.output
    assert CliRunner().invoke(main, ["config", flag, ""]).output == plain.output


def test_what_stops_the_command_line_is_told_in_one_line(tmp_path: Path) -> None:
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
