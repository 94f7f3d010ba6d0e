"""Which of several faults applies, how often, and to which requests."""

from __future__ import annotations

import json
from itertools import combinations, pairwise
from typing import Any

import pytest

from mock_server.core.scenarios import UnknownScenario
from tests import calls
from tests.asgi import Answer
from tests.mock import KEY, MINIMAL, MakeMock, Mock
from tests.rivya import account

ERRORS = {
    calls.DOOR: "internal_error",
    calls.HEADER: "rate_limited",
    calls.PREFER: "validation_failed",
    calls.IN_KEY: "api_key_invalid",
    calls.IN_PROMPT: "api_key_missing",
    calls.DEFAULT: "public_api_disabled",
}
"""A scenario for each channel; both APIs have it, each with an error of its own for it."""
CODES = {
    "rivya": {name: name for name in ERRORS.values()},
    "acedata": {
        "internal_error": "api_error",
        "rate_limited": "too_many_requests",
        "validation_failed": "bad_request",
        "api_key_invalid": "invalid_token",
        "api_key_missing": "no_token",
        "public_api_disabled": "api_not_implemented",
    },
}
BROKEN = {"type": "error", "code": "internal_error"}


def code_of(answer: Answer) -> str:
    """The vendor's code of a refusal."""
    assert answer.status >= 400, answer.body
    code: str = answer.json()["error"]["code"]
    return code


def through(api: str, *channels: str) -> calls.Request:
    """A create that asks for a scenario through each of these channels that is one of requests."""
    body: dict[str, Any] = json.loads(calls.create(api).body)
    headers = {"authorization": f"Bearer {calls.KEYS[api]}", "content-type": "application/json"}
    if calls.HEADER in channels:
        headers["mock-scenario"] = ERRORS[calls.HEADER]
    if calls.PREFER in channels:
        headers["prefer"] = f"scenario={ERRORS[calls.PREFER]}"
    if calls.IN_KEY in channels:
        headers["authorization"] += f"+{ERRORS[calls.IN_KEY]}"
    if calls.IN_PROMPT in channels:
        body["prompt"] += f" mock:{ERRORS[calls.IN_PROMPT]}"
    return calls.Request("POST", calls.create(api).path, headers, json.dumps(body).encode())


# --- the order of the channels ---------------------------------------------------------------


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize(("higher", "lower"), list(combinations(calls.CHANNELS, 2)))
def test_of_two_channels_the_more_direct_one_counts(
    make_mock: MakeMock, higher: str, lower: str, api: str
) -> None:
    mock = make_mock(**({"scenario": ERRORS[calls.DEFAULT]} if lower == calls.DEFAULT else {}))
    if higher == calls.DOOR:
        calls.add_faults(mock, scenario=ERRORS[calls.DOOR], times=1)
    answer = calls.send(mock, through(api, higher, lower))
    assert code_of(answer) == CODES[api][ERRORS[higher]]
    assert answer.headers["mock-scenario"] == ERRORS[higher]
    (exchange,) = mock.world.journal
    assert (exchange.scenario, exchange.channel) == (ERRORS[higher], higher)
    if higher == calls.DOOR:
        assert code_of(calls.send(mock, through(api, lower))) == CODES[api][ERRORS[lower]]
    assert len(mock.world.tasks) == 0


@pytest.mark.parametrize("api", calls.APIS)
def test_the_channels_are_used_up_in_their_order(make_mock: MakeMock, api: str) -> None:
    mock = make_mock(scenario=ERRORS[calls.DEFAULT])
    calls.add_faults(mock, scenario=ERRORS[calls.DOOR], times=1)
    asked = [
        through(api, *calls.CHANNELS),
        *(through(api, *calls.CHANNELS[first:]) for first in range(1, 6)),
    ]
    seen = [code_of(calls.send(mock, each)) for each in asked]
    assert seen == [CODES[api][ERRORS[channel]] for channel in calls.CHANNELS]


@pytest.mark.parametrize("api", calls.APIS)
def test_a_scenario_of_a_request_counts_before_that_of_its_task_and_of_the_server(
    make_mock: MakeMock, api: str
) -> None:
    mock = make_mock(scenario="status_unknown")
    task_id = calls.task_id_of(
        calls.send(mock, calls.create(api, "not_found", calls.IN_KEY)).json()
    )
    assert calls.send(mock, calls.read(api, task_id)).status == 404
    assert [*mock.world.journal][-1].channel == calls.OF_TASK
    answer = calls.send(mock, calls.read(api, task_id, "rate_limited", calls.HEADER))
    assert (answer.status, [*mock.world.journal][-1].channel) == (429, calls.HEADER)
    calls.add_faults(mock, scenario="api_key_invalid", times=1)
    answer = calls.send(mock, calls.read(api, task_id, "rate_limited", calls.HEADER))
    assert (answer.status, [*mock.world.journal][-1].channel) == (401, calls.DOOR)
    other_id = calls.task_id_of(calls.send(mock, calls.create(api)).json())
    assert "upscaling" in calls.send(mock, calls.read(api, other_id)).body.decode()
    assert [*mock.world.journal][-1].channel == calls.DEFAULT


@pytest.mark.parametrize("api", calls.APIS)
def test_a_scenario_of_a_task_counts_before_the_default(make_mock: MakeMock, api: str) -> None:
    mock = make_mock(scenario="status_unknown")
    created = calls.send(mock, calls.create(api, "success_without_url", calls.IN_PROMPT))
    task_id = calls.task_id_of(created.json())
    mock.advance(1)
    answer = calls.send(mock, calls.read(api, task_id))
    assert answer.headers["mock-scenario"] == "success_without_url"
    assert ("upscaling" in answer.body.decode(), ".mp4" in answer.body.decode()) == (False, False)


@pytest.mark.parametrize("higher", [calls.DOOR, calls.HEADER, calls.IN_KEY, calls.IN_PROMPT])
@pytest.mark.parametrize("api", calls.APIS)
def test_the_order_of_channels_is_the_same_for_outcomes(
    make_mock: MakeMock, api: str, higher: str
) -> None:
    mock = make_mock(scenario="stuck")
    channel = higher
    if higher == calls.DOOR:
        calls.add_faults(mock, scenario="fails_at_once", times=1)
        asked = calls.create(api, "fails_late", calls.HEADER)
    else:
        asked = calls.create(api, "fails_at_once", channel)
    task_id = calls.task_id_of(calls.send(mock, asked).json())
    mock.advance(0.1)
    calls.send(mock, calls.read(api, task_id))
    assert mock.world.state_of(mock.world.tasks[task_id]).value == "failed"
    assert mock.world.ledger.balance(calls.ACCOUNTS[api]).reserved_credits == 0


def test_a_fault_of_a_lower_channel_is_not_counted(mock: Mock) -> None:
    calls.add_faults(mock, effect=BROKEN, times=1)
    for _ in range(2):
        assert calls.send(mock, calls.create("rivya", "rate_limited", calls.HEADER)).status >= 429
    (fault,) = calls.on_faults(mock, "GET").json()["faults"]
    assert (fault["matched"], fault["happened"]) == (1, 1)


def test_faults_before_and_after_may_come_from_two_channels(mock: Mock) -> None:
    calls.add_faults(mock, effect={"type": "delay", "seconds": 0, "when": "before"})
    answer = calls.send(mock, calls.create("rivya", "field_unknown", calls.HEADER))
    assert "beta_features" in answer.json()
    assert answer.headers["mock-scenario"] == "field_unknown"
    exchange = [*mock.world.journal][-1]
    assert (exchange.scenario, exchange.channel) == ("field_unknown", calls.HEADER)
    assert len(exchange.faults) == 2


def test_a_fault_of_the_door_is_no_scenario_of_the_task(mock: Mock) -> None:
    (fault, _) = calls.add_faults(mock, scenario="internal_error", times=1)
    answer = calls.send(mock, calls.create("rivya", "stuck", calls.HEADER))
    assert answer.headers["mock-scenario"] == "internal_error"
    exchange = [*mock.world.journal][-1]
    assert (exchange.scenario, exchange.channel) == ("internal_error", calls.DOOR)
    assert exchange.faults == (fault["id"],)


def test_the_older_of_two_faults_of_the_door_counts(mock: Mock) -> None:
    calls.add_faults(mock, scenario="rate_limited", times=1)
    calls.add_faults(mock, scenario="internal_error", times=2)
    seen = [calls.send(mock, calls.create("rivya")).status for _ in range(3)]
    assert seen == [429, 500, 200]


# --- how often -------------------------------------------------------------------------------


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize(("terms", "seen"), calls.HOW_OFTEN)
def test_a_scenario_happens_as_often_as_its_terms_say(
    mock: Mock, api: str, terms: dict[str, Any], seen: str
) -> None:
    calls.add_faults(mock, scenario="bad_gateway", **terms)
    answers = [calls.send(mock, calls.read(api, calls.UNKNOWN_TASKS[api])).status for _ in seen]
    assert "".join("x" if status == 502 else "." for status in answers) == seen


def test_chance_depends_on_the_seed_and_on_the_request(make_mock: MakeMock) -> None:
    drawn = []
    for seed in (1, 1, 2):
        mock = make_mock(seed=seed)
        calls.add_faults(mock, effect=BROKEN, probability=0.5)
        drawn.append([calls.send(mock, calls.get("/api/v1/credits")).status for _ in range(40)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert 8 < drawn[0].count(500) < 32


def test_moments_are_counted_apart(mock: Mock) -> None:
    (fault,) = calls.add_faults(mock, effect={"type": "body", "set": {"/x": 1}}, every=2)
    calls.add_faults(mock, effect=BROKEN, skip=1, times=1)
    seen = [calls.send(mock, calls.get("/api/v1/credits")) for _ in range(4)]
    assert [answer.status for answer in seen] == [200, 500, 200, 200]
    assert ["x" in answer.json() for answer in seen] == [False, False, True, False]
    assert calls.on_faults(mock, "GET", f"/{fault['id']}").json()["matched"] == 3


# --- for which requests ----------------------------------------------------------------------

UNKNOWN_PATHS = ["/api/v1/nothing", "/hailuo/nothing", "/nowhere"]
OPERATIONS = {
    "create": ("POST", "/api/v1/generations"),
    "read": ("GET", "/api/v1/generations/task_x"),
    "upload": ("POST", "/api/v1/files"),
    "read_file": ("GET", "/api/v1/files/file_x"),
    "models": ("GET", "/api/v1/models"),
    "credits": ("GET", "/api/v1/credits"),
    "webhooks": ("GET", "/api/v1/webhooks"),
    "document": ("GET", "/api/v1/openapi.json"),
    "media": ("GET", "/media/default/task_x.mp4"),
}
HTML = {"type": "answer", "status": 599}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_can_concern_one_operation_alone(mock: Mock, operation: str) -> None:
    calls.add_faults(mock, effect=HTML, match={"operation": operation})
    headers = {"authorization": f"Bearer {KEY}"}
    hit = {
        name
        for name, (method, path) in OPERATIONS.items()
        if mock.request(method, path, headers=headers).status == 599
    }
    assert hit == {operation}


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize("operation", ["create", "read"])
def test_both_apis_have_the_operations_that_a_fault_knows(
    mock: Mock, api: str, operation: str
) -> None:
    calls.add_faults(mock, effect=HTML, match={"operation": operation, "api": api})
    hit = {
        (each, name)
        for each in calls.APIS
        for name, asked in {
            "create": calls.create(each),
            "read": calls.read(each, calls.UNKNOWN_TASKS[each]),
        }.items()
        if calls.send(mock, asked).status == 599
    }
    assert hit == {(api, operation)}


def test_nothing_at_the_control_door_goes_wrong(make_mock: MakeMock) -> None:
    mock = make_mock(scenario="bad_gateway")
    calls.add_faults(mock, effect=HTML)
    assert calls.on_faults(mock, "GET").status == 200
    assert mock.request("GET", "/_mock/health", headers={"mock-scenario": "hang"}).status == 200


def test_a_fault_can_concern_one_account_alone(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", a={}), account("b", b={})])
    calls.add_faults(mock, effect=BROKEN, match={"account": "b"})
    seen = [mock.rivya("GET", "/credits", key=key).status for key in ("rvya_sk_a", "rvya_sk_b")]
    assert seen == [200, 500]
    seen = [
        mock.rivya("POST", "/generations", MINIMAL, key=f"rvya_sk_{end}").status for end in "ab"
    ]
    assert seen == [200, 500]


@pytest.mark.parametrize(
    ("match", "right", "wrong"),
    [
        ({"model": "hailuo-standard"}, {"model": "hailuo-standard"}, {"model": "hailuo-pro"}),
        ({"prompt": "(?i)ball(oo)?n$"}, {"prompt": "A red BALLOON"}, {"prompt": "A balloon up"}),
        ({"prompt": "^$"}, {"prompt": ""}, {"prompt": "a"}),
    ],
)
def test_a_fault_can_concern_the_body_of_a_create(
    mock: Mock, match: dict[str, Any], right: dict[str, Any], wrong: dict[str, Any]
) -> None:
    calls.add_faults(mock, effect=HTML, match=match | {"operation": "create"})
    assert calls.send(mock, calls.create("rivya", **right)).status == 599
    assert calls.send(mock, calls.create("rivya", **wrong)).status != 599


@pytest.mark.parametrize(
    ("answer", "hit"),
    [
        ({"/status": "queued"}, True),
        ({"/status": "succeeded"}, False),
        ({"/status": "queued", "/model": "hailuo-pro"}, True),
        ({"/status": "queued", "/model": "hailuo-standard"}, False),
        ({"/nothing": "queued"}, False),
        ({"/result/urls": []}, False),
    ],
)
def test_a_fault_can_concern_the_body_of_an_answer(
    mock: Mock, answer: dict[str, Any], hit: bool
) -> None:
    (fault,) = calls.add_faults(
        mock, effect={"type": "body", "set": {"/hit": True}}, match={"answer": answer}
    )
    assert ("hit" in mock.create().json()) is hit
    assert calls.on_faults(mock, "GET", f"/{fault['id']}").json()["matched"] == int(hit)


def test_a_fault_of_one_model_does_not_concern_reads_of_its_task(mock: Mock) -> None:
    calls.add_faults(mock, effect=HTML, match={"model": "hailuo-pro"})
    assert calls.send(mock, calls.create("rivya")).status == 599
    assert calls.send(mock, calls.read("rivya", "task_x")).status == 404


def test_no_fault_of_a_body_matches_a_body_that_cannot_be_read(mock: Mock) -> None:
    calls.add_faults(mock, effect=HTML, match={"prompt": "a"})
    for body in (b"", b"{", b"[]", b'{"prompt": 5}', b'{"prompt": ["mock:stuck"]}', b"\xff"):
        assert mock.rivya("POST", "/generations", body).status == 400
    deep = b'{"prompt":' + b"[" * 50_000
    assert mock.rivya("POST", "/generations", deep).status == 400
    assert mock.acedata("/tasks", b'{"id":' + b"[" * 50_000).status == 400


# --- unknown names -----------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [calls.HEADER, calls.PREFER, calls.IN_KEY, calls.IN_PROMPT])
@pytest.mark.parametrize("api", calls.APIS)
def test_a_request_that_asks_for_an_unknown_scenario_is_refused_and_changes_nothing(
    mock: Mock, api: str, channel: str
) -> None:
    answer = calls.send(mock, calls.create(api, "insufficient_credit", channel))
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 400
    assert "did you mean 'insufficient_credits'" in answer.json()["title"]
    assert "mock-scenario" not in answer.headers
    assert len(mock.world.tasks) == 0
    assert mock.world.ledger.balance(calls.ACCOUNTS[api]).reserved_credits == 0
    (exchange,) = mock.world.journal
    assert (exchange.refusal or "").startswith("UnknownScenario: ")


@pytest.mark.parametrize("channel", calls.BY_REQUEST)
@pytest.mark.parametrize(
    "path", [*(path for method, path in OPERATIONS.values() if method == "GET"), *UNKNOWN_PATHS]
)
def test_an_unknown_scenario_is_an_error_at_every_path(mock: Mock, path: str, channel: str) -> None:
    answer = calls.send(mock, calls.get(path, "no_such_thing", channel))
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "no_such_thing" in answer.json()["title"]


@pytest.mark.parametrize("channel", calls.BY_REQUEST)
@pytest.mark.parametrize("path", UNKNOWN_PATHS)
def test_a_scenario_changes_no_answer_at_an_unknown_path(
    mock: Mock, path: str, channel: str
) -> None:
    assert calls.send(mock, calls.get(path, "bad_gateway", channel)).status == 404


@pytest.mark.parametrize("channel", [calls.HEADER, calls.PREFER, calls.IN_KEY, calls.IN_PROMPT])
def test_a_fault_of_the_door_does_not_hide_an_unknown_scenario(mock: Mock, channel: str) -> None:
    (fault,) = calls.add_faults(mock, effect=BROKEN)
    assert calls.send(mock, calls.create("rivya", "no_such_thing", channel)).status == 400
    assert calls.on_faults(mock, "GET", f"/{fault['id']}").json()["matched"] == 0


def test_a_known_scenario_does_not_hide_an_unknown_one(mock: Mock) -> None:
    headers = {"mock-scenario": "stuk"}
    assert (
        calls.send(mock, calls.create("rivya", "stuck", calls.IN_KEY, headers=headers)).status
        == 400
    )


def test_a_server_does_not_start_with_an_unknown_scenario(make_mock: MakeMock) -> None:
    with pytest.raises(UnknownScenario, match="did you mean 'rate_limited'"):
        make_mock(scenario="rate_limted")


@pytest.mark.parametrize(
    "headers", [{"mock-scenario": ""}, {"mock-scenario": " "}, {"prefer": "scenario="}]
)
def test_an_empty_name_is_no_name(mock: Mock, headers: dict[str, str]) -> None:
    assert calls.send(mock, calls.create("rivya", headers=headers)).status == 400
    assert len(mock.world.tasks) == 0


@pytest.mark.parametrize(
    ("prompt", "status"),
    [
        ("mock:rate_limited", 429),
        ("A sea. mock:rate_limited.", 429),
        ("(mock:rate_limited)", 429),
        ("mock:rate_limited, then mock:internal_error", 429),
        ("A hammock:blue", 200),
        ("a mock: nothing", 200),
        ("smock:rate_limited", 200),
        ("Mock:rate_limited", 200),
    ],
)
def test_a_scenario_in_a_prompt_is_a_whole_word(mock: Mock, prompt: str, status: int) -> None:
    assert mock.create(prompt=prompt).status == status


def test_a_word_elsewhere_than_in_the_prompt_asks_for_nothing(mock: Mock) -> None:
    assert mock.create(note="mock:rate_limited").status == 200
    body = {"prompt": 5, "model": "hailuo-pro", "note": "mock:rate_limited"}
    assert mock.rivya("POST", "/generations", body).json()["error"]["code"] == "validation_failed"


# --- headers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Mock-Scenario": "rate_limited"},
        {"MOCK-SCENARIO": "rate_limited"},
        {"mock-scenario": "  rate_limited \t"},
        {"Prefer": "scenario=rate_limited"},
        {"PREFER": "Scenario = rate_limited"},
        {"prefer": 'scenario="rate_limited"'},
        {"prefer": "respond-async, scenario=rate_limited"},
        {"prefer": "wait=10; scenario=rate_limited"},
        {"prefer": "scenario=rate_limited; wait=10"},
        {"prefer": "code=429"},
        {"prefer": 'CODE="429"'},
        {"prefer": "handling=lenient,code = 429"},
    ],
)
@pytest.mark.parametrize("api", calls.APIS)
def test_the_spelling_of_the_header_does_not_matter(mock: Mock, api: str, headers: Any) -> None:
    answer = calls.send(mock, calls.create(api, headers=headers))
    assert answer.status == 429
    assert code_of(answer) == {"rivya": "rate_limited", "acedata": "too_many_requests"}[api]


@pytest.mark.parametrize(
    "preference", ["respond-async", "wait=5", "transcode=429", "my-scenario=rate_limited", ""]
)
def test_other_preferences_are_ignored(mock: Mock, preference: str) -> None:
    answer = calls.send(mock, calls.create("rivya", headers={"prefer": preference}))
    assert answer.status == 200
    assert "mock-scenario" not in answer.headers


def test_the_first_of_two_preferences_counts(mock: Mock) -> None:
    headers = {"prefer": "scenario=internal_error, code=429"}
    assert calls.send(mock, calls.create("rivya", headers=headers)).status == 500


@pytest.mark.parametrize(
    ("api", "status", "code"),
    [("rivya", 401, "api_key_missing"), ("rivya", 402, "insufficient_credits"),
     ("rivya", 404, "not_found"), ("rivya", 409, "idempotency_conflict"),
     ("rivya", 429, "rate_limited"), ("rivya", 500, "internal_error"),
     ("rivya", 503, "public_api_disabled"), ("acedata", 401, "invalid_token"),
     ("acedata", 403, "used_up"), ("acedata", 404, "no_api"), ("acedata", 500, "api_error"),
     ("acedata", 429, "too_many_requests"), ("acedata", 504, "timeout")],
)  # fmt: skip
def test_a_preferred_status_is_an_error_of_the_vendors_own(
    mock: Mock, api: str, status: int, code: str
) -> None:
    for asked in (calls.create(api), calls.read(api, calls.UNKNOWN_TASKS[api])):
        answer = calls.send(
            mock,
            calls.Request(
                asked.method, asked.path, asked.headers | {"prefer": f"code={status}"}, asked.body
            ),
        )
        assert (answer.status, code_of(answer)) == (status, code)
        assert answer.headers["mock-scenario"] == code
    assert len(mock.world.tasks) == 0


@pytest.mark.parametrize("status", ["418", "200", "", "abc", "4290", "-1"])
@pytest.mark.parametrize("api", calls.APIS)
def test_a_preferred_status_without_an_error_is_refused_with_the_known_ones(
    mock: Mock, api: str, status: str
) -> None:
    answer = calls.send(mock, calls.create(api, headers={"prefer": f"code={status}"}))
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "429" in answer.json()["title"]
    assert len(mock.world.tasks) == 0


# --- keys with a plus ------------------------------------------------------------------------


def test_a_key_with_a_plus_is_not_split(make_mock: MakeMock) -> None:
    keys: dict[str, Any] = {"rate+limited": {}, "a": {}}
    mock = make_mock(accounts=[account("plus", **keys)])
    assert mock.rivya("GET", "/credits", key="rvya_sk_rate+limited").status == 200
    assert mock.rivya("GET", "/credits", key="rvya_sk_a+rate_limited").status == 429


@pytest.mark.parametrize("status", [200, 429])
def test_a_key_with_a_plus_can_still_ask_by_other_ways(make_mock: MakeMock, status: int) -> None:
    keys: dict[str, Any] = {"a+stuck": {}}
    mock = make_mock(accounts=[account("plus", **keys)])
    headers = {"mock-scenario": "rate_limited"} if status == 429 else {}
    assert mock.rivya("GET", "/credits", key="rvya_sk_a+stuck", headers=headers).status == status


@pytest.mark.parametrize("api", calls.APIS)
def test_a_key_with_a_scenario_is_the_same_account_and_the_same_key(mock: Mock, api: str) -> None:
    task_id = calls.task_id_of(calls.send(mock, calls.create(api, "stuck", calls.IN_KEY)).json())
    assert calls.send(mock, calls.read(api, task_id)).status == 200
    assert mock.world.tasks[task_id].order.key == calls.KEYS[api]
    assert mock.world.ledger.balance(calls.ACCOUNTS[api]).reserved_credits > 0


def test_a_key_with_a_scenario_shares_its_rate_limit(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", a={"rate_limit": 2})])
    keys = ["rvya_sk_a", "rvya_sk_a+stuck", "rvya_sk_a+generation_failed", "rvya_sk_a"]
    seen = [mock.rivya("GET", "/credits", key=key).status for key in keys]
    assert seen == [200, 200, 429, 429]


@pytest.mark.parametrize("name", ["rate_limited", "stuck", "no_such_thing"])
def test_a_plus_in_a_key_that_nobody_knows_asks_for_nothing(mock: Mock, name: str) -> None:
    answer = mock.rivya("GET", "/credits", key=f"rvya_sk_nobody+{name}")
    assert (answer.status, code_of(answer)) == (401, "api_key_invalid")
    assert "mock-scenario" not in answer.headers


def test_the_scenario_of_any_task_concerns_a_batch_read(mock: Mock) -> None:
    names = ("stuck", "task_not_found")
    ids = [
        calls.task_id_of(calls.send(mock, calls.create("acedata", name, calls.IN_KEY)).json())
        for name in names
    ]
    batch = {"action": "retrieve_batch", "ids": ids}
    assert mock.acedata("/tasks", batch).status == 404
    assert mock.acedata("/tasks", batch | {"ids": ids[:1]}).json()["count"] == 1


def test_the_scenario_of_another_task_does_not_concern_a_read(mock: Mock) -> None:
    ids = [
        calls.task_id_of(calls.send(mock, calls.create("rivya", name, calls.HEADER)).json())
        for name in ("status_unknown", "not_found", "stuck")
    ]
    for _, _ in pairwise(range(3)):
        assert mock.generation(ids[0])["status"] == "upscaling"
        assert mock.rivya("GET", f"/generations/{ids[1]}").status == 404
        assert mock.generation(ids[2])["status"] == "queued"
    assert calls.is_balanced(mock.world)
