"""Faults of one exchange: delays, changed answers, and that the server continues."""

from __future__ import annotations

import json
import socket
from statistics import median
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from mock_server.core.effects import DeliveryFault
from mock_server.core.faults import FaultRule, Match
from mock_server.core.journal import Exchange
from tests import acedata, calls, rivya
from tests.asgi import Answer
from tests.live import WAIT_S, Live, live
from tests.mock import KEY, MINIMAL, PNG, TOKEN, VIDEO, MakeMock, Mock, form

STATUS_OF: dict[str, dict[str, Any]] = {
    "rivya": dict(rivya.STATUS_OF),
    "acedata": dict(acedata.STATUS_OF),
}
PATIENCE_S = 0.1
JSON = {"content-type": "application/json"}
ACEDATA = {"authorization": f"Bearer {TOKEN}"}


# --- late, on the world's clock --------------------------------------------------------------


def status_of(connection: socket.socket) -> int:
    """The status of the answer, once it has come whole."""
    received = bytearray()
    while chunk := connection.recv(1 << 16):
        received += chunk
    return int(received.split()[1])


def is_silent(connection: socket.socket) -> bool:
    """Whether nothing comes for some time."""
    connection.settimeout(PATIENCE_S)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(WAIT_S)
    return False


def put(mock: Live, rule: dict[str, Any]) -> None:
    with calls.sent(
        mock.url, calls.Request("POST", calls.FAULTS, JSON, json.dumps(rule).encode())
    ) as connection:
        assert status_of(connection) == 201


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_late_answer_comes_when_a_frozen_clock_is_moved(api: str, when: str) -> None:
    with live() as mock:
        put(mock, {"effect": {"type": "delay", "seconds": 30, "when": when}})
        with calls.sent(mock.url, calls.create(api)) as connection:
            while not any(each.faults for each in mock.fake.world().journal):
                with calls.sent(mock.url, calls.get("/_mock/health")) as other:
                    status_of(other)
            assert is_silent(connection)
            assert len(mock.fake.world().tasks) == (1 if when == "after" else 0)
            mock.advance(29.999)
            assert is_silent(connection)
            mock.advance(0.001)
            assert status_of(connection) == 200
        assert len(mock.fake.world().tasks) == 1
        assert calls.is_balanced(mock.fake.world())


def test_several_late_answers_come_at_their_moments(mock: Mock) -> None:
    held = []
    for seconds in (30, 10, 20):
        calls.add_faults(mock, effect={"type": "delay", "seconds": seconds}, times=1)
        held.append(calls.OpenRequest(mock, calls.get("/api/v1/credits")))
    for still in (3, 2, 1, 0):
        assert sum(each.is_open for each in held) == still
        calls.advance(mock, 10)
    assert [each.answer().status for each in held] == [200] * 3


def test_other_requests_are_not_delayed(mock: Mock) -> None:
    calls.add_faults(mock, scenario="slow", times=1)
    held = calls.OpenRequest(mock, calls.get("/api/v1/credits"))
    assert calls.send(mock, calls.get("/api/v1/credits")).status == 200
    assert held.is_open


def test_two_delays_of_one_moment_and_one_of_the_other_follow_each_other(mock: Mock) -> None:
    for when in ("before", "before", "after"):
        calls.add_faults(mock, effect={"type": "delay", "seconds": 1, "when": when})
    held = calls.OpenRequest(mock, calls.create("rivya"))
    for made in (0, 0, 1):
        assert held.is_open
        assert len(mock.world.tasks) == made
        calls.advance(mock, 1)
    assert held.answer().status == 200


def test_a_reset_ends_a_delayed_request(mock: Mock) -> None:
    for api in calls.APIS:
        held = calls.OpenRequest(mock, calls.create(api, "slow", "Mock-Scenario header"))
        assert mock.request("POST", "/_mock/worlds/default/reset").status == 200
        answer = held.answer()
        assert answer.status == 500
        assert answer.json()["error"]["code"] in {"internal_error", "api_error"}
        assert len(mock.world.tasks) == 0


def test_a_late_answer_does_not_wait_for_the_clock_of_the_next_world(mock: Mock) -> None:
    calls.add_faults(mock, effect={"type": "delay", "seconds": 1, "when": "after"})
    body = json.dumps(VIDEO).encode()
    held = calls.OpenRequest(mock, calls.Request("POST", "/hailuo/videos", ACEDATA | JSON, body))
    assert held.is_open
    assert mock.request("POST", "/_mock/worlds/default/reset").status == 200
    assert held.answer().status == 500


@pytest.mark.parametrize("when", ["before", "after"])
def test_on_a_real_clock_a_delay_takes_as_long_as_the_scale_says(when: str) -> None:
    with live(clock__mode="real", time_scale=1000) as mock:
        put(mock, {"effect": {"type": "delay", "seconds": 60, "when": when}, "times": 1})
        before_s = monotonic()
        with calls.sent(mock.url, calls.get("/api/v1/credits")) as connection:
            assert status_of(connection) == 200
        took_s = monotonic() - before_s
        exchange = next(each for each in mock.fake.world().journal if each.path.endswith("credits"))
    assert exchange.ended_ms is not None
    assert exchange.ended_ms - exchange.started_ms >= 60_000
    assert 0.059 <= took_s < 10


def drawn_s(mock: Mock, effect: dict[str, Any], count: int) -> list[float]:
    """The delay of each of so many requests sent at once, to a tenth of a second."""
    calls.add_faults(mock, effect=effect)
    held = [calls.OpenRequest(mock, calls.get("/api/v1/credits")) for _ in range(count)]
    waited: dict[int, float] = {}
    for tenth in range(600):
        for number, each in enumerate(held):
            if number not in waited and each.has_begun:
                waited[number] = tenth / 10
        calls.advance(mock, 0.1)
        held[0].settle()
    return [waited.get(number, 60.0) for number in range(count)]


@pytest.mark.parametrize(
    ("effect", "least_s", "most_s"),
    [
        ({"type": "delay", "uniform_s": [1, 4]}, 1, 4.1),
        ({"type": "delay", "lognormal_s": [0.5, 8]}, 0, 60),
    ],
)
def test_random_delays_depend_on_the_seed(
    make_mock: MakeMock, effect: dict[str, Any], least_s: float, most_s: float
) -> None:
    first, again, other = (drawn_s(make_mock(seed=seed), effect, 30) for seed in (1, 1, 2))
    assert first == again != other
    assert least_s <= min(first) < median(first) < max(first) <= most_s
    assert len(set(first)) > 10


def test_each_request_has_a_random_delay_of_its_own(mock: Mock) -> None:
    asked = calls.get("/api/v1/credits", "slow_uniform", "Mock-Scenario header")
    held = [calls.OpenRequest(mock, asked) for _ in range(10)]
    calls.advance(mock, 2.5)
    assert 0 < sum(each.is_open for each in held) < 10
    calls.advance(mock, 1.5)
    assert sum(each.is_open for each in held) == 0


def test_a_delayed_create_happens_at_its_moment_during_an_advance(mock: Mock) -> None:
    began_ms = mock.world.clock.now_ms()
    calls.OpenRequest(mock, calls.create("rivya", "slow", "Mock-Scenario header"))
    calls.advance(mock, 60)
    (task,) = mock.world.tasks
    assert task.created_ms == began_ms + 3000
    assert mock.generation(task.id)["status"] == "succeeded"


def test_a_request_that_hangs_after_its_delay_does_not_stop_the_clock(mock: Mock) -> None:
    calls.add_faults(mock, effect={"type": "delay", "seconds": 1})
    calls.add_faults(mock, effect={"type": "connection", "how": "hang"})
    hangs = calls.OpenRequest(mock, calls.get("/api/v1/credits"))
    began_ms = mock.world.clock.now_ms()
    calls.advance(mock, 5)
    assert mock.world.clock.now_ms() == began_ms + 5000
    assert hangs.is_open
    assert not hangs.has_begun


def test_a_request_without_its_body_does_not_stop_the_clock() -> None:
    with live() as mock:
        begun = (
            "POST /api/v1/files HTTP/1.1\r\nhost: 127.0.0.1\r\nmock-scenario: slow\r\n"
            f"authorization: Bearer {KEY}\r\ncontent-type: multipart/form-data; boundary=x\r\n"
            "content-length: 100\r\n\r\n"
        )
        address = urlsplit(mock.url)
        with socket.create_connection((address.hostname, address.port or 0), WAIT_S) as caller:
            caller.sendall(begun.encode())
            journal = mock.fake.world().journal
            while not len(journal):  # each look gives the server its turn
                httpx2.get(f"{mock.url}/_mock/health")
            mock.advance(60)
            (exchange,) = journal
            assert (exchange.scenario, exchange.status) == ("slow", None)


def test_an_upload_that_was_late_is_kept_at_its_moment(mock: Mock) -> None:
    began_ms = mock.world.clock.now_ms()
    headers = {
        "authorization": f"Bearer {KEY}",
        "mock-scenario": "slow",
        "content-type": "multipart/form-data; boundary=frontier",
    }
    upload = form({"kind": "image"}, {"file": ("a.png", PNG)})
    calls.OpenRequest(mock, calls.Request("POST", "/api/v1/files", headers, upload))
    calls.advance(mock, 60)
    (file,) = mock.world.uploads
    assert file.created_ms == began_ms + 3000


def test_a_request_that_is_late_twice_is_held_twice(mock: Mock) -> None:
    calls.add_faults(mock, effect={"type": "delay", "seconds": 1})
    calls.add_faults(mock, effect={"type": "delay", "seconds": 2, "when": "after"})
    calls.OpenRequest(mock, calls.create("rivya"))
    began_ms = mock.world.clock.now_ms()
    calls.advance(mock, 60)
    (task,) = mock.world.tasks
    (exchange,) = mock.world.journal
    assert task.created_ms == began_ms + 1000
    assert exchange.ended_ms == began_ms + 3000


def test_a_video_that_is_held_open_is_answered_at_the_moment_it_is_ready(mock: Mock) -> None:
    held: Any = {"async": False}
    calls.OpenRequest(mock, calls.create("acedata", **held))
    calls.advance(mock, 60)
    (task,) = mock.world.tasks
    (exchange,) = mock.world.journal
    assert exchange.ended_ms == task.planned.ends_ms


# --- what comes instead ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api", "code"), [(api, code) for api in calls.APIS for code in STATUS_OF[api]]
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_every_error_of_both_tables_can_be_asked_for(
    mock: Mock, api: str, code: str, when: str
) -> None:
    effect = {"type": "error", "code": code, "message": "a [b] c", "retry_after_s": 7}
    calls.add_faults(mock, effect=effect | {"when": when}, match={"api": api})
    answer = calls.send(mock, calls.create(api))
    shown = {"rivya": "a [b] c", "acedata": "a (b) c"}[api]
    if STATUS_OF[api][code] is None:
        assert answer.status == 500
        return
    assert (rivya if api == "rivya" else acedata).refusal(answer, code) == shown
    assert answer.headers["retry-after"] == "7"
    assert ("www-authenticate" in answer.headers) is (answer.status == 401)
    assert len(mock.world.tasks) == (1 if when == "after" else 0)
    assert "mock-scenario" not in answer.headers


@pytest.mark.parametrize(
    ("api", "code"), [("rivya", "used_up"), ("acedata", "insufficient_credits")]
)
def test_an_error_of_the_other_api_does_not_concern_this_one(
    mock: Mock, api: str, code: str
) -> None:
    calls.add_faults(mock, effect={"type": "error", "code": code})
    assert calls.send(mock, calls.create(api)).status == 200


@pytest.mark.parametrize("code", ["rate_limtied", "RATE_LIMITED", ""])
def test_an_unknown_error_is_refused_with_a_near_one(mock: Mock, code: str) -> None:
    answer = calls.on_faults(mock, "POST", body={"effect": {"type": "error", "code": code}})
    assert answer.status == 400
    assert answer.json()["errors"][0]["pointer"] == "/effect/code"
    if code:
        assert "did you mean 'rate_limited'" in answer.json()["title"]


def sound(mock: Mock) -> Answer:
    return mock.rivya("GET", "/models")


@pytest.mark.parametrize(
    "effect",
    [
        {"status": 418},
        {"content_type": "text/plain"},
        {"replace": ""},
        {"replace": "\N{SNOWMAN}"},
        {"bytes_per_s": 1_000_000},
        {"set": {"/data": None}},
        {"drop": ["/data"], "status": 200},
    ],
)
def test_a_body_fault_changes_only_its_fields_and_the_length(
    mock: Mock, effect: dict[str, Any]
) -> None:
    before = sound(mock)
    calls.add_faults(mock, effect={"type": "body"} | effect)
    answer = sound(mock)
    assert answer.status == effect.get("status", before.status)
    kind = effect.get("content_type", before.headers["content-type"])
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-length"] == str(len(answer.body))
    if "replace" in effect:
        assert answer.body == effect["replace"].encode()
    elif not effect.keys() & {"set", "drop"}:
        assert answer.body == before.body
    else:
        document = before.json()
        for pointer, value in effect.get("set", {}).items():
            document[pointer[1:]] = value
        for pointer in effect.get("drop", ()):
            del document[pointer[1:]]
        assert answer.json() == document


def test_several_body_faults_apply_in_order(mock: Mock) -> None:
    calls.add_faults(mock, effect={"type": "body", "set": {"/a": 1}})
    calls.add_faults(mock, effect={"type": "body", "rename": {"/a": "b"}})
    answer = sound(mock).json()
    assert ("a" in answer, answer["b"]) == (False, 1)


def test_an_answer_that_is_no_document_keeps_its_bytes_when_fields_are_changed(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    mock.advance(1)
    mock.generation(task_id)
    video = mock.request("GET", f"/media/default/{task_id}.mp4")
    calls.add_faults(mock, effect={"type": "body", "set": {"/a": 1}, "drop": ["/b"]})
    assert mock.request("GET", f"/media/default/{task_id}.mp4").body == video.body


def test_an_answer_fault_replaces_the_answer_and_its_headers(
    mock: Mock,
) -> None:
    effect = {
        "type": "answer",
        "status": 503,
        "body": "busy",
        "content_type": "text/plain",
        "headers": {"Via": "1.1 proxy", "Retry-After": "3"},
    }
    calls.add_faults(mock, effect=effect)
    answer = sound(mock)
    assert (answer.status, answer.body) == (503, b"busy")
    assert answer.headers["content-type"].startswith("text/plain")
    assert (answer.headers["via"], answer.headers["retry-after"]) == ("1.1 proxy", "3")


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("effect", [{"type": "body"}, {"type": "answer", "body": "x"}])
def test_an_answer_that_can_have_no_body_has_none(
    mock: Mock, effect: dict[str, Any], status: int
) -> None:
    calls.add_faults(mock, effect=effect | {"status": status})
    answer = sound(mock)
    assert (answer.status, answer.body) == (status, b"")
    assert "content-length" not in answer.headers


def test_a_fault_concerns_head_like_get(mock: Mock) -> None:
    calls.add_faults(mock, scenario="bad_gateway")
    assert mock.request("HEAD", "/api/v1/models").status == 502


def test_mock_headers_are_left_out_if_the_setting_says_so(make_mock: MakeMock) -> None:
    mock = make_mock(mock_headers=False)
    answer = calls.send(mock, calls.create("rivya", "rate_limited", "key"))
    assert answer.status == 429
    assert not [name for name in answer.headers if name.startswith("mock-")]


# --- whatever goes wrong, the server bears it ------------------------------------------------

KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "code": st.sampled_from(sorted(STATUS_OF["rivya"].keys() | STATUS_OF["acedata"].keys())),
    "prompt": st.sampled_from(["", "a", "^A", "(?i)x|sea$"]),
    "model": st.sampled_from(["hailuo-pro", "hailuo-standard", "none"]),
    "account": st.sampled_from(["rivya-test", "acedata-test", "none"]),
    "bytes_per_s": st.just(10**9),
    "answer": st.dictionaries(
        st.sampled_from(["", "/status", "/data/0/id", "/response", "/error/code"]),
        st.sampled_from(["queued", None, {}, "internal_error"]),
        max_size=1,
    ),
    "content_type": st.sampled_from(["text/html", "application/json", "a"]),
    "headers": st.dictionaries(st.sampled_from(["X-A", "Via"]), st.just("b"), max_size=2),
}
"""Fields whose type says too little to make a value that could match anything, or ends soon."""
POINTERS = st.sampled_from(
    ["", "/", "/id", "/status", "/result/urls/0", "/data/0", "/data/²", "/response/data/0/a~1b"]
)
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just({"a": [1]})


def made_from(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Values of a type as it is described, spelled as JSON has them."""
    match kind:
        case inspect.StructType():
            return of_struct(kind)
        case inspect.UnionType():
            return st.one_of(*(made_from(each) for each in kind.types))
        case inspect.Metadata():
            return made_from(kind.type)
        case inspect.DictType():
            values = made_from(kind.value_type)
            return st.dictionaries(made_from(kind.key_type), values, max_size=2)
        case inspect.VarTupleType():
            return st.lists(made_from(kind.item_type), max_size=2)
        case inspect.TupleType():
            return st.tuples(*(made_from(each) for each in kind.item_types)).map(sorted)
    return of_scalar(kind)


def of_scalar(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Values that hold no others; numbers are often small, so that they matter."""
    match kind:
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            low, high = kind.ge or 0, kind.le or 999
            return st.integers(low, min(low + 3, high)) | st.integers(low, high)
        case inspect.FloatType():
            return st.sampled_from([0.0, 0.5, 1.0]) | st.floats(kind.ge or 0, kind.le or 10)
        case inspect.StrType():
            is_pointer = kind.pattern == "^(/.*)?$"
            return POINTERS if is_pointer else st.text("ab<", min_size=1, max_size=5)
    assert isinstance(kind, inspect.AnyType), kind
    return VALUES


def of_struct(kind: inspect.StructType) -> st.SearchStrategy[Any]:
    """A JSON object with all that is required and some of the rest."""

    def value(field: inspect.Field) -> st.SearchStrategy[Any]:
        if (kind.cls, field.name) == (DeliveryFault, "answer"):  # a receiver's, not a document
            return made_from(field.type)
        if (kind.cls, field.name) == (Match, "headers"):  # of a request, not of an answer
            return st.sampled_from([{}, {"Authorization": True}, {"X-A": False}, {"X-A": "^b"}])
        return KNOWN[field.name] if field.name in KNOWN else made_from(field.type)

    tag = {} if kind.tag_field is None else {kind.tag_field: st.just(kind.tag)}
    required = {each.encode_name: value(each) for each in kind.fields if each.required}
    optional = {each.encode_name: value(each) for each in kind.fields if not each.required}
    return st.fixed_dictionaries(tag | required, optional=optional)


def with_an_api_that_has_its_code(rule: dict[str, Any]) -> dict[str, Any]:
    """An error is asked for of an API that has it; what else happens, another test says."""
    if rule["effect"]["type"] == "error":
        api = "rivya" if rule["effect"]["code"] in STATUS_OF["rivya"] else "acedata"
        return rule | {"match": rule.get("match", {}) | {"api": api}}
    return rule


rules = made_from(inspect.type_info(FaultRule)).map(with_an_api_that_has_its_code)


def requests(task_ids: dict[str, str]) -> list[calls.Request]:
    """One request of each kind; `task_ids`: a task of each API."""
    form_type = {"content-type": "multipart/form-data; boundary=frontier"}
    key = {"authorization": f"Bearer {KEY}"}
    hook = {"url": "https://example.com/hook", "event_types": ["generation.failed"]}
    in_held_mode: dict[str, Any] = {"async": False}
    upload = form({"kind": "image"}, {"file": ("a.png", PNG)})
    return [
        *(calls.create(api) for api in calls.APIS),
        *(calls.create(api, "stuck", "key") for api in calls.APIS),
        *(calls.read(api, task_ids[api]) for api in calls.APIS),
        *(calls.read(api, calls.UNKNOWN_TASKS[api]) for api in calls.APIS),
        calls.create("rivya", headers={"idempotency-key": "k"}),
        calls.create("rivya", headers={"idempotency-key": "k"}, prompt="Another"),
        calls.create("rivya", prompt=5),
        calls.create("acedata", **in_held_mode),
        calls.get("/api/v1/credits"),
        calls.get("/api/v1/models"),
        calls.get(f"/media/default/{task_ids['rivya']}.mp4"),
        calls.get("/media/default/none.mp4"),
        calls.get("/api/v1/files/file_x"),
        calls.get("/api/v1/webhooks"),
        calls.Request("POST", "/api/v1/webhooks", key | JSON, json.dumps(hook).encode()),
        calls.Request("DELETE", "/api/v1/webhooks/whend_x", key),
        calls.Request("POST", "/api/v1/files", key | form_type, upload),
        calls.Request("POST", "/api/v1/generations", JSON, json.dumps(MINIMAL).encode()),
        calls.Request("PUT", "/api/v1/generations", key),
    ]


COUNT = len(requests(calls.UNKNOWN_TASKS))


def serve(mock: Mock, asked: calls.Request, seconds: float) -> None:
    """Send a request, wait, and hang up. The server may end the connection but must not fail."""
    caller = calls.OpenRequest(mock, asked)
    if caller.is_open:
        calls.advance(mock, seconds)
    if caller.is_open and asked.path.startswith(("/media/", "/api/v1/files")):
        caller.wait_for_threads()
    if caller.is_open:
        caller.hang_up()
        return
    try:
        answer = caller.answer()
    except ConnectionResetError:
        assert exchange_of(mock).faults
        return
    assert b"the server broke" not in answer.body
    assert answer.status < 500 or exchange_of(mock).faults


def exchange_of(mock: Mock) -> Exchange:
    *_, exchange = mock.world.journal
    return exchange


def require_sound(mock: Mock) -> None:
    """Fails unless every API answers normally."""
    for api in calls.APIS:
        answer = calls.send(mock, calls.create(api))
        assert answer.status == 200, answer.body
        assert exchange_of(mock).faults == ()
        task_id = calls.task_id_of(answer.json())
        mock.advance(1)
        assert calls.send(mock, calls.read(api, task_id)).status == 200
        assert mock.world.state_of(mock.world.tasks[task_id]).value == "succeeded"
    assert calls.is_balanced(mock.world)


@settings(max_examples=60)
@given(
    st.lists(rules, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, COUNT - 1), st.sampled_from([0.0, 1.0, 60.0])), max_size=12),
)
def test_no_fault_loses_a_credit_or_breaks_the_server(
    wrong: list[dict[str, Any]], asked: list[tuple[int, float]]
) -> None:
    mock = Mock()
    task_ids = {
        api: calls.task_id_of(calls.send(mock, calls.create(api)).json()) for api in calls.APIS
    }
    mock.advance(1)
    stood = 0
    for rule in wrong:
        answer = calls.on_faults(mock, "POST", body=rule)
        if answer.status == 400:
            assert answer.json()["errors"]
        else:
            assert answer.status == 201
            stood += 1
    for number, seconds in asked:
        serve(mock, requests(task_ids)[number], seconds)
        assert calls.is_balanced(mock.world)
    listed = calls.on_faults(mock, "GET").json()["faults"]
    assert len(listed) == stood
    assert all(fault["happened"] <= fault["matched"] for fault in listed)
    for exchange in mock.world.journal:
        told = mock.request("GET", f"/_mock/explain/{exchange.id}")
        assert told.status == 200, told.body
    assert mock.request("GET", "/_mock/worlds/default/snapshot").status == 200
    assert calls.on_faults(mock, "DELETE").status == 200
    require_sound(mock)
    mock.close()


@given(rules)
def test_a_rule_of_the_right_types_is_kept_as_sent_or_refused_at_its_place(
    rule: dict[str, Any],
) -> None:
    mock = SHARED
    answer = calls.on_faults(mock, "POST", body=rule)
    if answer.status == 201:
        (shown,) = answer.json()["faults"]
        kept = {
            name: shown[name]
            for name in ("effect", "match", "skip", "times", "every")
            if name in shown
        }
        again = msgspec.convert(kept | {"probability": shown.get("probability", 1.0)}, FaultRule)
        assert again == msgspec.convert(rule, FaultRule)
    else:
        assert answer.status == 400
        wrong = {error["pointer"] for error in answer.json()["errors"]}
        if rule.get("match", {}).get("api") not in (None, *calls.APIS):
            assert "/match/api" in wrong
        else:
            assert wrong
            with pytest.raises(msgspec.ValidationError):  # a delay of no length, never happens
                msgspec.convert(rule, FaultRule)
    calls.on_faults(mock, "DELETE")


SHARED = Mock()
