"""Several scenarios in several channels at once: which counts at each moment, and what is refused.

At each of the four moments (before the state changes, after it, for the task, for its deliveries)
the first channel that has something wrong decides, whatever stands in it for another moment.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from time import thread_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.apis import ALL
from mock_server.core.effects import NO_FAULT
from mock_server.core.lifecycle import TaskEvent
from mock_server.edge.resource import Resource
from mock_server.faults.scenarios import ScenarioError
from mock_server.server.app import make_app
from tests import calls
from tests.asgi import Answer
from tests.core.test_patterns import SLOW_ELSEWHERE
from tests.door.explaining import explain
from tests.mock import KEY, MakeMock, Mock
from tests.rivya import account

BY_REQUEST = [calls.HEADER, calls.PREFER, calls.IN_KEY, calls.IN_PROMPT]
"""Channels of a create, in their order."""

BEFORE = ["rate_limited", "api_key_invalid", "insufficient_credits"]
AFTER = ["field_unknown", "field_dropped", "answer_not_json"]
OF_TASKS = ["stuck", "fails_late", "generation_failed"]
OF_DELIVERIES = ["delivery_late", "delivery_twice", "delivery_cut"]
MOMENTS = [BEFORE, AFTER, OF_TASKS, OF_DELIVERIES]


def asking(api: str, named: dict[str, list[str]], **fields: Any) -> calls.Request:
    """A create that names these scenarios, each in its channel."""
    body = calls.CREATE_BODIES[api] | fields
    headers = {"content-type": "application/json", "authorization": f"Bearer {calls.KEYS[api]}"}
    if names := named.get(calls.HEADER):
        headers["mock-scenario"] = ", ".join(names)
    if names := named.get(calls.PREFER):
        headers["prefer"] = ", ".join(f"scenario={name}" for name in names)
    if names := named.get(calls.IN_KEY):
        headers["authorization"] += "".join(f"+{name}" for name in names)
    if names := named.get(calls.IN_PROMPT):
        body["prompt"] += "".join(f" mock:{name}" for name in names)
    return calls.Request("POST", calls.create(api).path, headers, json.dumps(body).encode())


def first_of(moment: list[str], named: dict[str, list[str]]) -> tuple[str, str]:
    """The name that decides at a moment, with its channel; of a channel's names the first."""
    for channel in calls.CHANNELS:
        if found := [name for name in named.get(channel, []) if name in moment]:
            return found[0], channel
    return "", ""


# --- the law ---------------------------------------------------------------------------------

NAMES = st.lists(st.sampled_from([name for moment in MOMENTS for name in moment]), max_size=2)
NAMED = st.fixed_dictionaries(dict.fromkeys([calls.DOOR, *BY_REQUEST], NAMES))
DEFAULTS = st.sampled_from(["", *(moment[0] for moment in MOMENTS)])


@settings(max_examples=150)
@given(st.sampled_from(calls.APIS), NAMED, DEFAULTS)
def test_the_first_channel_with_a_fault_decides_at_each_moment(
    api: str, named: dict[str, list[str]], default: str
) -> None:
    mock = Mock(**({"scenario": default} if default else {}))
    for name in named[calls.DOOR]:
        calls.add_faults(mock, scenario=name)
    answer = calls.send(mock, asking(api, named, callback_url="http://127.0.0.1:9/hook"))
    named = {**named, calls.DEFAULT: [default]}
    before, channel = first_of(BEFORE, named)
    if before:
        assert answer.status in {401, 402, 403, 429}
        assert (named_scenario(mock), len(mock.world.tasks)) == ((before, channel), 0)
    else:
        require_after_task_and_delivery(mock, api, answer, named)
    mock.close()


def named_scenario(mock: Mock) -> tuple[str | None, str | None]:
    exchange = [*mock.world.journal][-1]
    return exchange.scenario, exchange.channel


def require_after_task_and_delivery(
    mock: Mock, api: str, answer: Answer, named: dict[str, list[str]]
) -> None:
    (task,) = mock.world.tasks
    after, in_channel = first_of(AFTER, named)
    (exchange,) = mock.world.journal
    changed = {cause.scenario for cause in exchange.causes if cause.concerns == "answer"}
    of_channel = {name for name in named.get(in_channel, []) if name in AFTER}
    assert changed == (of_channel if after else set())
    assert (task.planned.scenario or "") == first_of(OF_TASKS, named)[0]
    delivery, channel = first_of(OF_DELIVERIES, named)
    fault = mock.world.delivery_fault(task)
    seen = {"delivery_late": fault.late_s > 0, "delivery_twice": fault.copies == 2}
    seen["delivery_cut"] = fault.body == "cut"
    assert [name for name, is_so in seen.items() if is_so] == ([delivery] if delivery else [])
    assert (fault == NO_FAULT) is (delivery == "")
    header = answer.headers.get("mock-scenario", "").split(", ")
    for moment in (AFTER, OF_TASKS):
        assert (name := first_of(moment, named)[0]) == "" or name in header
    if channel in BY_REQUEST:
        assert delivery in header


# --- a name is looked up wherever it stands --------------------------------------------------

OTHER_API = {"rivya": "used_up", "acedata": "idempotency_conflict"}


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize("wrong", ["unknown", "of the other API"])
@pytest.mark.parametrize(("right_in", "wrong_in"), list(product(BY_REQUEST, BY_REQUEST)))
def test_an_unknown_name_is_refused_beside_every_other_one(
    mock: Mock, api: str, wrong: str, right_in: str, wrong_in: str
) -> None:
    name = OTHER_API[api] if wrong == "of the other API" else "no_such_thing"
    named: dict[str, list[str]] = {right_in: ["delivery_late"]}
    named[wrong_in] = [*named.get(wrong_in, []), name]
    answer = calls.send(mock, asking(api, named))
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    place = f"prompt, where 'mock:{name}' stands" if wrong_in == calls.IN_PROMPT else wrong_in
    assert answer.json()["title"].startswith(f"{place}: ")
    assert f"'{name}'" in answer.json()["title"]
    assert "mock-scenario" not in answer.headers
    assert len(mock.world.tasks) == 0


@pytest.mark.parametrize(
    ("api", "name", "instead"),
    [("rivya", "used_up", "only, and this is rivya; here it is 'insufficient_credits'"),
     ("rivya", "too_many_requests", "here it is 'rate_limited'"),
     ("rivya", "no_token", "here it is 'api_key_missing'"),
     ("acedata", "idempotency_conflict", "for rivya only, and this is acedata; none here"),
     ("acedata", "delivery_old_secret", "did you mean 'delivery_wrong_secret'")],
)  # fmt: skip
def test_a_scenario_of_the_other_api_is_refused_with_a_near_one_of_this_api(
    mock: Mock, api: str, name: str, instead: str
) -> None:
    answer = calls.send(mock, calls.create(api, name, calls.HEADER))
    assert answer.status == 400
    assert instead in answer.json()["title"]
    assert explain(mock, answer)["refusal"] == f"UnknownScenario: {answer.json()['title']}"


@pytest.mark.parametrize("channel", [calls.HEADER, calls.PREFER, calls.IN_KEY])
@pytest.mark.parametrize("path", ["/api/v1/credits", "/api/v1/nothing", "/api/v1/generations/x"])
def test_a_scenario_of_the_other_api_is_refused_at_every_path(
    mock: Mock, path: str, channel: str
) -> None:
    assert calls.send(mock, calls.get(path, "used_up", channel)).status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"mock-scenario": "delivery_late", "Mock-Scenario": "no_such_thing"},
        {"mock-scenario": "delivery_late,no_such_thing"},
        {"prefer": "scenario=delivery_late", "Prefer": "scenario=no_such_thing"},
        {"prefer": "scenario=delivery_late, code=418"},
        {"prefer": "scenario=delivery_late", "Prefer": "code=418"},
    ],
)
def test_a_header_that_comes_twice_is_read_twice(mock: Mock, headers: dict[str, str]) -> None:
    assert calls.send(mock, calls.create("rivya", headers=headers)).status == 400
    assert len(mock.world.tasks) == 0


def test_several_scenarios_of_one_channel_apply_together(mock: Mock) -> None:
    calls.add_faults(mock, effect={"type": "delay", "seconds": 0})
    for channel in BY_REQUEST:
        answer = calls.send(
            mock, asking("rivya", {channel: ["field_unknown", "stuck", "field_dropped"]})
        )
        assert answer.headers["mock-scenario"] == "stuck, field_unknown, field_dropped"
        assert ("beta_features" in answer.json(), "id" in answer.json()) == (True, False)
        assert [*mock.world.tasks][-1].planned.scenario == "stuck"


def test_a_repeated_name_in_a_channel_counts_once(mock: Mock) -> None:
    mine = {"mock-scenario": "rate_limited_after_three, rate_limited_after_three"}
    seen = [calls.send(mock, calls.create("rivya", headers=mine)).status for _ in range(4)]
    assert seen == [200, 200, 200, 429]


COUNTS = [
    ("skip = 1\ntimes = 1", [False, True, False, False]),
    ("every = 2", [False, True, False, True]),
    ("times = 2", [True, True, False, False]),
]
FAILED, UNTOLD = '{ type = "task", outcome = "failed" }', '{ type = "delivery", copies = 0 }'
RULES = [(f"{counts}\neffect = {effect}", seen) for effect in (FAILED, UNTOLD)
         for counts, seen in COUNTS]  # fmt: skip


@pytest.mark.parametrize(("rule", "happens"), RULES)
@pytest.mark.parametrize("channel", [calls.DOOR, *BY_REQUEST])
def test_task_faults_are_counted_in_every_channel(
    make_mock: MakeMock, tmp_path: Path, channel: str, rule: str, happens: list[bool]
) -> None:
    (tmp_path / "mine.toml").write_text(f'shows = "x"\n[[faults]]\n{rule}\n')
    mock = make_mock(scenario_dir=str(tmp_path))
    if channel == calls.DOOR:
        calls.add_faults(mock, scenario="mine")
    asked = asking("acedata", {channel: ["mine"]}, callback_url="http://127.0.0.1:9/hook")
    wrong = asking("acedata", {channel: ["mine"]}, action="none")
    assert calls.send(mock, wrong).status == 400  # there is no task that could count
    for number, expected in enumerate(happens):
        told = mock.world.deliveries.made
        task_id = calls.task_id_of(calls.send(mock, asked).json())
        if number == 1:
            put_back(mock)
        calls.advance(mock, 2)
        failed = mock.world.tasks[task_id].planned.outcome is TaskEvent.BROKE
        untold = mock.world.deliveries.made == told
        assert (failed, untold) == (expected and FAILED in rule, expected and UNTOLD in rule)


def put_back(mock: Mock) -> None:
    """Put the world back as it is."""
    path = "/_mock/worlds/default/snapshot"
    document = mock.request("GET", path).body
    json_type = {"content-type": "application/json"}
    assert mock.request("PUT", path, headers=json_type, body=document).status == 200


def test_an_error_and_a_scenario_of_one_name_are_counted_apart(mock: Mock) -> None:
    """The scenario concerns creates alone, the error whatever is asked."""
    scenario = {"prefer": "scenario=insufficient_credits"}
    both = {"prefer": "scenario=insufficient_credits, code=402"}
    assert calls.send(mock, calls.create("rivya", headers=scenario)).status == 402
    assert mock.rivya("GET", "/credits", headers={"prefer": "code=402"}).status == 402
    assert mock.rivya("GET", "/credits", headers=scenario).status == 200
    assert mock.rivya("GET", "/credits", headers=both).status == 402


def test_a_prompt_full_of_names_is_read_quickly(mock: Mock) -> None:
    prompt = "mock:stuck " * 90_000
    began = thread_time()
    assert mock.create(prompt=prompt).status == 400
    assert thread_time() - began < 0.5


@pytest.mark.parametrize("spelled", ["mock:stuck", "\\u006dock:stuck", "mock\\u003astuck"])
def test_a_name_in_the_prompt_is_found_in_every_spelling_of_json(mock: Mock, spelled: str) -> None:
    body = f'{{"model": "hailuo-pro", "prompt": "A sea {spelled}"}}'.encode()
    answer = mock.rivya("POST", "/generations", body)
    assert answer.headers["mock-scenario"] == "stuck"


# --- what is told ----------------------------------------------------------------------------


def test_faults_of_two_channels_are_both_named(mock: Mock) -> None:
    calls.add_faults(mock, effect={"type": "delay", "seconds": 0})
    answer = calls.send(
        mock, asking("rivya", {calls.HEADER: ["field_unknown"], calls.IN_KEY: ["stuck"]})
    )
    assert answer.headers["mock-scenario"] == "stuck, field_unknown"
    told = explain(mock, answer)
    assert told["because"].startswith(
        "a fault (through the control door) and the scenario 'field_unknown' (through the "
        "Mock-Scenario header) caused it; otherwise: 200; "
    )
    assert told["because"].endswith(
        "; the scenario 'stuck', asked for through the key, concerns the task and not this answer"
    )
    assert told["channel"] == "key, Mock-Scenario header"


def test_a_scenario_for_the_task_and_one_for_its_deliveries_both_concern_it(mock: Mock) -> None:
    answer = calls.send(
        mock, asking("rivya", {calls.HEADER: ["stuck"], calls.IN_KEY: ["delivery_late"]})
    )
    assert answer.headers["mock-scenario"] == "stuck, delivery_late"
    assert explain(mock, answer)["because"] == (
        "every rule was kept; the scenario 'stuck', asked for through the Mock-Scenario header, "
        "and the scenario 'delivery_late', asked for through the key, concern the task and not "
        "this answer"
    )


def test_a_scenario_of_a_lower_channel_is_not_named(mock: Mock) -> None:
    calls.add_faults(mock, scenario="fails_at_once", times=1)
    named = {calls.HEADER: ["stuck", "delivery_late"], calls.IN_KEY: ["delivery_twice"]}
    answer = calls.send(mock, asking("rivya", named))
    assert answer.headers["mock-scenario"] == "fails_at_once, delivery_late"


@pytest.mark.parametrize("name", ["delivery_late", "stuck", "status_unknown", "result_missing"])
@pytest.mark.parametrize("channel", BY_REQUEST)
@pytest.mark.parametrize("api", calls.APIS)
def test_a_refused_create_does_not_claim_that_its_scenario_applied(
    mock: Mock, api: str, channel: str, name: str
) -> None:
    wrong: dict[str, Any] = {"rivya": {"model": 5}, "acedata": {"action": 5}}[api]
    answer = calls.send(mock, asking(api, {channel: [name]}, **wrong))
    assert answer.status == 400
    assert "mock-scenario" not in answer.headers
    assert explain(mock, answer)["scenario"] is None


def test_a_repeated_create_names_no_scenario_that_its_task_did_not_have(mock: Mock) -> None:
    mine = {"idempotency-key": "mine"}
    calls.send(mock, calls.create("rivya", headers=mine))
    for name in ("stuck", "delivery_late", "status_unknown"):
        again = calls.send(mock, calls.create("rivya", name, calls.HEADER, headers=mine))
        assert (again.status, "mock-scenario" in again.headers) == (200, False)
    assert len(mock.world.task_faults) == 0


def test_a_rule_for_tasks_of_the_other_api_is_not_named(
    make_mock: MakeMock, tmp_path: Path
) -> None:
    rules = [("rivya", "create"), ("acedata", "read")]
    (tmp_path / "mine.toml").write_text(
        'shows = "x"\n'
        + "".join(
            f'[[faults]]\nmatch = {{ api = "{api}", operation = "{operation}" }}\nskip = 1\n'
            'effect = { type = "body", set = { "/x" = 1 } }\n'
            for api, operation in rules
        )
    )
    mock = make_mock(scenario_dir=str(tmp_path))
    answers = {api: calls.send(mock, calls.create(api, "mine", calls.HEADER)) for api in calls.APIS}
    told = {api: answer.headers.get("mock-scenario") for api, answer in answers.items()}
    assert told == {"rivya": None, "acedata": "mine"}


# --- counted for each account ----------------------------------------------------------------

ONCE = 'shows = "Once."\n[[faults]]\ntimes = 1\n%s\neffect = { type = "answer", status = 599 }\n'
SKIPS = ONCE.replace("times = 1", "skip = 1\nevery = 2")


@pytest.mark.parametrize(
    ("content", "seen"), [(ONCE, "x.."), (SKIPS, "..x"), (ONCE.replace("1", "2"), "xx.")]
)
@pytest.mark.parametrize(
    "channel", [calls.DOOR, calls.HEADER, calls.PREFER, calls.IN_KEY, calls.DEFAULT]
)
def test_every_channel_counts_for_each_account(
    make_mock: MakeMock, tmp_path: Path, content: str, channel: str, seen: str
) -> None:
    (tmp_path / "mine.toml").write_text(content % "")
    default = {"scenario": "mine"} if channel == calls.DEFAULT else {}
    accounts = [account("a", a={}), account("b", b={})]
    mock = make_mock(accounts=accounts, scenario_dir=str(tmp_path), **default)
    if channel == calls.DOOR:
        calls.add_faults(mock, scenario="mine")
    for _ in range(2):
        assert_seen(mock, channel, seen)
        seen = seen[-1] * 3 if content is not SKIPS else ".x."


def assert_seen(mock: Mock, channel: str, seen: str) -> None:
    """Two accounts in turn see the same, as if the other were not there."""
    for expected in seen:
        for name in "ab":
            asked = calls.get("/api/v1/credits", "mine", channel)
            key = asked.headers["authorization"].replace(KEY, f"rvya_sk_{name}")
            answer = calls.send(
                mock, replace(asked, headers=asked.headers | {"authorization": key})
            )
            assert (answer.status == 599) is (expected == "x")


def test_requests_without_a_known_key_count_together(mock: Mock) -> None:
    calls.add_faults(mock, effect={"type": "answer", "status": 599}, times=1)
    keys = ["nobody", "somebody", KEY, KEY]
    seen = [mock.rivya("GET", "/credits", key=key).status for key in keys]
    assert seen == [599, 401, 599, 200]
    (fault,) = calls.on_faults(mock, "GET").json()["faults"]
    assert (fault["matched"], fault["happened"]) == (2, 2)


def test_the_counts_of_each_account_continue_after_a_restore(mock: Mock) -> None:
    calls.add_faults(mock, effect={"type": "answer", "status": 599}, times=1)
    assert mock.rivya("GET", "/credits").status == 599
    snapshot = mock.request("GET", "/_mock/worlds/default/snapshot").body
    headers = {"content-type": "application/json"}
    put = mock.request("PUT", "/_mock/worlds/default/snapshot", headers=headers, body=snapshot)
    assert put.status == 200, put.body
    assert mock.rivya("GET", "/credits").status == 200
    assert mock.rivya("GET", "/credits", key="nobody").status == 599


# --- downloads -------------------------------------------------------------------------------

GONE = {"type": "answer", "status": 599}


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"account": True}, True),
        ({"account": False}, False),
        ({"model": True}, True),
        ({"model": False}, False),
        ({"prompt": "sea"}, True),
        ({"prompt": "land"}, False),
    ],
)
def test_a_download_is_matched_as_what_its_task_is(
    mock: Mock, api: str, match: dict[str, Any], hit: bool
) -> None:
    path = video_of(mock, api, prompt="A calm sea")
    (task,) = mock.world.tasks
    right = {"account": task.order.account, "model": task.order.model}
    where = {
        name: value if isinstance(value, str) else right[name] if value else "no"
        for name, value in match.items()
    }
    other = "acedata" if api == "rivya" else "rivya"
    calls.add_faults(mock, effect=GONE, match={"operation": "media", "api": other})
    calls.add_faults(mock, effect=GONE, match={"operation": "media", "api": api} | where)
    assert (mock.request("GET", path).status == 599) is hit


def video_of(mock: Mock, api: str, **fields: Any) -> str:
    """The path of the video of a new task of this API, which has succeeded."""
    task_id = calls.task_id_of(calls.send(mock, calls.create(api, **fields)).json())
    mock.advance(1)
    calls.send(mock, calls.read(api, task_id))
    return f"/media/default/{task_id}.mp4"


@pytest.mark.parametrize("api", calls.APIS)
def test_a_scenario_of_one_api_concerns_its_downloads_alone(
    make_mock: MakeMock, tmp_path: Path, api: str
) -> None:
    content = f'shows = "x"\napis = ["{api}"]\n[[faults]]\nmatch = {{ operation = "media" }}\n'
    (tmp_path / "mine.toml").write_text(content + 'effect = { type = "answer", status = 599 }\n')
    mock = make_mock(scenario_dir=str(tmp_path))
    paths = {each: video_of(mock, each) for each in calls.APIS}
    calls.add_faults(mock, scenario="mine")
    assert [each for each in calls.APIS if mock.request("GET", paths[each]).status == 599] == [api]
    calls.on_faults(mock, "DELETE")
    statuses = {
        each: calls.send(mock, calls.get(paths[each], "mine", calls.HEADER)).status
        for each in calls.APIS
    }
    assert statuses == {each: 599 if each == api else 400 for each in calls.APIS}


def test_an_upload_that_is_downloaded_is_its_accounts_at_rivya(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", a={}), account("b", b={})])
    url = mock.upload(key="rvya_sk_a").json()["url"]
    path = "/media" + url.partition("/media")[2]
    for match, hit in [
        ({"api": "acedata"}, False),
        ({"account": "b"}, False),
        ({"api": "rivya", "account": "a"}, True),
    ]:
        calls.add_faults(mock, effect=GONE, match={"operation": "media"} | match)
        assert (mock.request("GET", path).status == 599) is hit


def test_downloads_of_one_accounts_videos_are_counted_together(mock: Mock) -> None:
    paths = [video_of(mock, "rivya"), video_of(mock, "acedata"), video_of(mock, "rivya")]
    calls.add_faults(mock, effect=GONE, match={"operation": "media"}, times=1)
    assert [mock.request("GET", path).status for path in paths] == [599, 599, 200]


# --- patterns --------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", SLOW_ELSEWHERE)
def test_no_pattern_is_slow(mock: Mock, pattern: str) -> None:
    calls.add_faults(
        mock, effect={"type": "error", "code": "internal_error"}, match={"prompt": pattern}
    )
    for prompt in ("a" * 40 + "!", "ab" * 700, "a" * 1_000_000):
        began = thread_time()
        assert mock.create(prompt=prompt).status in {200, 400, 500}
        assert thread_time() - began < 0.1  # a prompt of a megabyte takes 10 ms to read


def test_no_wildcard_is_slow(mock: Mock) -> None:
    for _ in range(200):
        mock.rivya("GET", "/generations/" + "a" * 4000)
    body = json.dumps({"match": {"path": "*a" * 4000 + "b"}, "count": 0}).encode()
    headers = {"content-type": "application/json"}
    began = thread_time()
    path = "/_mock/worlds/default/requests/verify"
    assert mock.request("POST", path, headers=headers, body=body).json()["verified"] is True
    assert thread_time() - began < 1


# --- what can never happen -------------------------------------------------------------------


def test_the_operations_of_each_api_are_those_of_its_routes(mock: Mock) -> None:
    app: Any = make_app(mock.fake)
    resources = [getattr(route, "endpoint", None) for route in app._app.routes]
    found: dict[str, set[str]] = {api: {"media"} for api in calls.APIS}
    for resource in resources:
        if isinstance(resource, Resource) and resource._operation and resource._errors.api:
            found[resource._errors.api].add(resource._operation)
    assert found == {api.name: set(api.operations) for api in ALL}


NEVER: list[dict[str, Any]] = [
    {"match": {"answer": {"/x": 1}}, "effect": {"type": "error", "code": "not_found"}},
    {"match": {"operation": "read"}, "effect": {"type": "task", "stuck": True}},
    {"effect": {"type": "task", "stuck": True, "outcome": "failed"}},
    {"match": {"operation": "media"}, "effect": {"type": "error", "code": "not_found"}},
    {"match": {"operation": "credits", "model": "m"}, "effect": {"type": "delay", "seconds": 1}},
    {"match": {"api": "acedata", "operation": "credits"}, "effect": {"type": "body"}},
    {"match": {"prompt": "(?=a)"}, "effect": {"type": "body"}},
    {"match": {"prompt": "(a{1000}){1000}"}, "effect": {"type": "body"}},
    {"effect": {"type": "body", "set": {"": [1]}}},
    {"effect": {"type": "body", "replace": "x", "drop": ["/a"]}},
    {"effect": {"type": "delivery", "connection": "reset", "answer": {"status": 500}}},
    {"effect": {"type": "error", "code": "no_such_code"}},
    {"match": {"operation": "credits"}, "effect": {"type": "error", "code": "used_up"}},
]


@pytest.mark.parametrize("rule", NEVER, ids=str)
def test_a_fault_that_can_never_happen_is_refused_at_the_door_in_files_and_in_snapshots(
    make_mock: MakeMock, tmp_path: Path, rule: dict[str, Any]
) -> None:
    mock = make_mock()
    at_door = calls.on_faults(mock, "POST", body=rule)
    assert at_door.status == 400
    assert at_door.json()["errors"][0]["detail"]
    assert calls.on_faults(mock, "GET").json()["faults"] == []

    calls.add_faults(mock, effect={"type": "body", "set": {"/x": 1}}, match={"prompt": "a"})
    for faults in ("faults", "default_faults"):
        snapshot = mock.request("GET", "/_mock/worlds/default/snapshot").json()
        fault = {"id": f"{snapshot[faults]['source']}_1", "rule": rule}
        snapshot[faults]["faults"] = [snapshot["faults"]["faults"][0] | fault]
        snapshot[faults]["made"] = 1
        put = mock.request(
            "PUT",
            "/_mock/worlds/default/snapshot",
            headers={"content-type": "application/json"},
            body=json.dumps(snapshot).encode(),
        )
        assert put.status == 400
        assert put.json()["errors"][0]["pointer"].startswith(f"/{faults}/faults/0/rule")

    file = {"shows": "x", "faults": [rule]}
    (tmp_path / "mine.toml").write_text("\n".join(f"{name} = {toml(file[name])}" for name in file))
    with pytest.raises(ScenarioError, match=r"mine\.toml:\d+: /faults/0"):
        make_mock(scenario_dir=str(tmp_path))


def toml(value: Any) -> str:
    """A value as TOML spells it in one line."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@pytest.mark.parametrize(
    ("body", "pointer", "hint"),
    [
        (
            {"scenario": "used_up", "match": {"api": "rivya"}},
            "/match/api",
            "'insufficient_credits'",
        ),
        (
            {"scenario": "webhook_url_rejected", "match": {"api": "acedata"}},
            "/match/api",
            "rivya only",
        ),
        ({"scenario": "stuck", "match": {"operation": "read"}}, "/match", "can never happen"),
        ({"scenario": "rate_limited", "match": {"operation": "media"}}, "/match", "answer"),
    ],
)
def test_a_scenario_on_terms_under_which_it_can_never_happen_is_refused(
    mock: Mock, body: dict[str, Any], pointer: str, hint: str
) -> None:
    answer = calls.on_faults(mock, "POST", body=body)
    (wrong,) = answer.json()["errors"]
    assert (answer.status, wrong["pointer"]) == (400, pointer)
    assert hint in wrong["detail"]
    assert calls.on_faults(mock, "GET").json()["faults"] == []


@pytest.mark.parametrize(
    ("match", "apis"),
    [
        ({"api": "rivya"}, ["rivya"]),
        ({"api": "acedata"}, ["acedata"]),
        ({"operation": "credits"}, ["rivya"]),
    ],
)
def test_only_those_rules_of_a_scenario_stand_that_may_happen(
    mock: Mock, match: dict[str, Any], apis: list[str]
) -> None:
    faults = calls.add_faults(mock, scenario="internal_error", match=match)
    assert [fault["match"]["api"] for fault in faults] == apis


@pytest.mark.parametrize(
    "fault",
    [
        'match = { api = "acedata" }\neffect = { type = "delay", seconds = 0 }',
        'effect = { type = "error", code = "used_up" }',
    ],
)
def test_a_scenario_whose_rules_are_all_for_one_api_is_of_that_api(
    make_mock: MakeMock, tmp_path: Path, fault: str
) -> None:
    (tmp_path / "mine.toml").write_text(f'shows = "x"\n[[faults]]\n{fault}\n')
    mock = make_mock(scenario_dir=str(tmp_path))
    shown = mock.request("GET", "/_mock/scenarios/mine").json()
    assert shown["apis"] == ["acedata"]
    assert calls.send(mock, calls.create("rivya", "mine", calls.HEADER)).status == 400
    assert calls.send(mock, calls.create("acedata", "mine", calls.HEADER)).status in {200, 403}


@pytest.mark.parametrize("name", ["used_up", "idempotency_conflict"])
def test_the_servers_own_scenario_may_be_of_one_api(make_mock: MakeMock, name: str) -> None:
    mock = make_mock(scenario=name)
    refused = {"used_up": "acedata", "idempotency_conflict": "rivya"}[name]
    assert [api for api in calls.APIS if calls.send(mock, calls.create(api)).status != 200] == [
        refused
    ]
