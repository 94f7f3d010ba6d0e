"""One exchange that goes wrong: how late it is, what is in it, and that the server bears it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
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

from mock_server.core.delivery_faults import DeliveryFault
from mock_server.core.faults import FaultRule
from mock_server.core.journal import Exchange
from tests.apis.acedata import conftest as acedata
from tests.apis.rivya import conftest as rivya
from tests.asgi import Answer
from tests.asking import (
    APIS,
    FAULTS,
    NOBODY,
    Asked,
    Waiting,
    advance,
    create,
    door,
    get,
    is_sound,
    read,
    send,
    stand,
    task_id_of,
)
from tests.live import WAIT_S, Live, live
from tests.mock import KEY, MINIMAL, PNG, TOKEN, VIDEO, Mock, form

MakeMock = Callable[..., Mock]
STATUS_OF: dict[str, dict[str, Any]] = {
    "rivya": dict(rivya.STATUS_OF),
    "acedata": dict(acedata.STATUS_OF),
}
PATIENCE_S = 0.1
JSON = {"content-type": "application/json"}
ACEDATA = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def wait() -> Iterator[Callable[[Mock, Asked], Waiting]]:
    """Makes callers who wait; whoever still waits at the end is sent home."""
    waiting: list[Waiting] = []

    def begin(mock: Mock, asked: Asked) -> Waiting:
        waiting.append(Waiting(mock, asked))
        return waiting[-1]

    yield begin
    for each in waiting:
        each.drop()


# --- late, on the world's clock --------------------------------------------------------------


def opened(mock: Live, asked: Asked) -> socket.socket:
    """A connection on which the request has been sent."""
    address = urlsplit(mock.url)
    connection = socket.create_connection((address.hostname, address.port or 0), WAIT_S)
    headers = {"host": "127.0.0.1", "content-length": str(len(asked.body)), "connection": "close"}
    lines = [f"{asked.method} {asked.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in (headers | asked.headers).items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + asked.body)
    return connection


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
    with opened(mock, Asked("POST", FAULTS, JSON, json.dumps(rule).encode())) as connection:
        assert status_of(connection) == 201


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_on_a_frozen_clock_a_late_answer_comes_when_the_clock_is_moved(api: str, when: str) -> None:
    with live() as mock:
        put(mock, {"effect": {"type": "delay", "seconds": 30, "when": when}})
        with opened(mock, create(api)) as connection:
            while not any(each.faults for each in mock.fake.world().journal):
                with opened(mock, get("/_mock/health")) as other:
                    status_of(other)
            assert is_silent(connection)
            assert len(mock.fake.world().tasks) == (1 if when == "after" else 0)
            mock.advance(29.999)
            assert is_silent(connection)
            mock.advance(0.001)
            assert status_of(connection) == 200
        assert len(mock.fake.world().tasks) == 1
        assert is_sound(mock.fake.world())


def test_many_wait_at_once_and_each_is_answered_in_its_turn(
    mock: Mock, wait: Callable[[Mock, Asked], Waiting]
) -> None:
    held = []
    for seconds in (30, 10, 20):
        stand(mock, effect={"type": "delay", "seconds": seconds}, times=1)
        held.append(wait(mock, get("/api/v1/credits")))
    for still in (3, 2, 1, 0):
        assert sum(each.waits for each in held) == still
        advance(mock, 10)
    assert [each.answer().status for each in held] == [200] * 3


def test_nobody_else_is_kept_waiting(mock: Mock, wait: Callable[[Mock, Asked], Waiting]) -> None:
    stand(mock, scenario="slow", times=1)
    held = wait(mock, get("/api/v1/credits"))
    assert send(mock, get("/api/v1/credits")).status == 200
    assert held.waits


def test_two_delays_of_one_moment_and_one_of_the_other_follow_each_other(
    mock: Mock, wait: Callable[[Mock, Asked], Waiting]
) -> None:
    for when in ("before", "before", "after"):
        stand(mock, effect={"type": "delay", "seconds": 1, "when": when})
    held = wait(mock, create("rivya"))
    for made in (0, 0, 1):
        assert held.waits
        assert len(mock.world.tasks) == made
        advance(mock, 1)
    assert held.answer().status == 200


def test_the_world_may_go_while_somebody_waits(
    mock: Mock, wait: Callable[[Mock, Asked], Waiting]
) -> None:
    for api in APIS:
        held = wait(mock, create(api, "slow", "Mock-Scenario header"))
        assert mock.request("POST", "/_mock/worlds/default/reset").status == 200
        answer = held.answer()
        assert answer.status == 500
        assert answer.json()["error"]["code"] in {"internal_error", "api_error"}
        assert len(mock.world.tasks) == 0


def test_a_late_answer_does_not_wait_for_the_clock_of_the_next_world(
    mock: Mock, wait: Callable[[Mock, Asked], Waiting]
) -> None:
    stand(mock, effect={"type": "delay", "seconds": 1, "when": "after"})
    body = json.dumps(VIDEO).encode()
    held = wait(mock, Asked("POST", "/hailuo/videos", ACEDATA | JSON, body))
    assert held.waits
    assert mock.request("POST", "/_mock/worlds/default/reset").status == 200
    assert held.answer().status == 500


@pytest.mark.parametrize("when", ["before", "after"])
def test_on_a_real_clock_a_delay_takes_as_long_as_the_scale_says(when: str) -> None:
    with live(clock__mode="real", time_scale=1000) as mock:
        put(mock, {"effect": {"type": "delay", "seconds": 60, "when": when}, "times": 1})
        before_s = monotonic()
        with opened(mock, get("/api/v1/credits")) as connection:
            assert status_of(connection) == 200
        took_s = monotonic() - before_s
        exchange = next(each for each in mock.fake.world().journal if each.path.endswith("credits"))
    assert exchange.ended_ms is not None
    assert exchange.ended_ms - exchange.started_ms >= 60_000
    assert 0.059 <= took_s < 10


def drawn_s(mock: Mock, effect: dict[str, Any], count: int) -> list[float]:
    """How long each of so many requests that came at once had to wait, to a tenth of a second."""
    stand(mock, effect=effect)
    held = [Waiting(mock, get("/api/v1/credits")) for _ in range(count)]
    waited: dict[int, float] = {}
    for tenth in range(600):
        for number, each in enumerate(held):
            if number not in waited and each.has_begun:
                waited[number] = tenth / 10
        advance(mock, 0.1)
        held[0].breathe()
    for each in held:
        each.drop()
    return [waited.get(number, 60.0) for number in range(count)]


@pytest.mark.parametrize(
    ("effect", "least_s", "most_s"),
    [
        ({"type": "delay", "uniform_s": [1, 4]}, 1, 4.1),
        ({"type": "delay", "lognormal_s": [0.5, 8]}, 0, 60),
    ],
)
def test_drawn_delays_are_the_same_again_from_the_same_seed(
    make_mock: MakeMock, effect: dict[str, Any], least_s: float, most_s: float
) -> None:
    first, again, other = (drawn_s(make_mock(seed=seed), effect, 30) for seed in (1, 1, 2))
    assert first == again != other
    assert least_s <= min(first) < median(first) < max(first) <= most_s
    assert len(set(first)) > 10


def test_what_requests_ask_for_themselves_is_drawn_anew_for_each(
    mock: Mock, wait: Callable[[Mock, Asked], Waiting]
) -> None:
    asked = get("/api/v1/credits", "slow_uniform", "Mock-Scenario header")
    held = [wait(mock, asked) for _ in range(10)]
    advance(mock, 2.5)
    assert 0 < sum(each.waits for each in held) < 10
    advance(mock, 1.5)
    assert sum(each.waits for each in held) == 0


def test_what_was_late_happens_at_its_moment_and_not_at_the_end_of_the_advance(
    mock: Mock, wait: Callable[[Mock, Asked], Waiting]
) -> None:
    began_ms = mock.world.clock.now_ms()
    wait(mock, create("rivya", "slow", "Mock-Scenario header"))
    advance(mock, 60)
    (task,) = mock.world.tasks
    assert task.created_ms == began_ms + 3000
    assert mock.generation(task.id)["status"] == "succeeded"


def test_a_request_that_is_let_go_and_then_hangs_holds_no_clock_up(
    mock: Mock, wait: Callable[[Mock, Asked], Waiting]
) -> None:
    stand(mock, effect={"type": "delay", "seconds": 1})
    stand(mock, effect={"type": "connection", "how": "hang"})
    hangs = wait(mock, get("/api/v1/credits"))
    began_ms = mock.world.clock.now_ms()
    advance(mock, 5)
    assert mock.world.clock.now_ms() == began_ms + 5000
    assert hangs.waits
    assert not hangs.has_begun


def test_a_caller_who_keeps_his_body_back_holds_no_clock_up() -> None:
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


def test_an_upload_that_was_late_is_kept_at_its_moment(
    mock: Mock, wait: Callable[[Mock, Asked], Waiting]
) -> None:
    began_ms = mock.world.clock.now_ms()
    headers = {
        "authorization": f"Bearer {KEY}",
        "mock-scenario": "slow",
        "content-type": "multipart/form-data; boundary=frontier",
    }
    upload = form({"kind": "image"}, {"file": ("a.png", PNG)})
    wait(mock, Asked("POST", "/api/v1/files", headers, upload))
    advance(mock, 60)
    (file,) = mock.world.uploads
    assert file.created_ms == began_ms + 3000


def test_a_request_that_is_late_twice_is_held_twice(
    mock: Mock, wait: Callable[[Mock, Asked], Waiting]
) -> None:
    stand(mock, effect={"type": "delay", "seconds": 1})
    stand(mock, effect={"type": "delay", "seconds": 2, "when": "after"})
    wait(mock, create("rivya"))
    began_ms = mock.world.clock.now_ms()
    advance(mock, 60)
    (task,) = mock.world.tasks
    (exchange,) = mock.world.journal
    assert task.created_ms == began_ms + 1000
    assert exchange.ended_ms == began_ms + 3000


def test_a_video_that_is_held_open_is_answered_at_the_moment_it_is_ready(
    mock: Mock, wait: Callable[[Mock, Asked], Waiting]
) -> None:
    held: Any = {"async": False}
    wait(mock, create("acedata", **held))
    advance(mock, 60)
    (task,) = mock.world.tasks
    (exchange,) = mock.world.journal
    assert exchange.ended_ms == task.fate.ends_ms


# --- what comes instead ----------------------------------------------------------------------


@pytest.mark.parametrize(("api", "code"), [(api, code) for api in APIS for code in STATUS_OF[api]])
@pytest.mark.parametrize("when", ["before", "after"])
def test_every_error_of_both_tables_can_be_had(mock: Mock, api: str, code: str, when: str) -> None:
    effect = {"type": "error", "code": code, "message": "a [b] c", "retry_after_s": 7}
    stand(mock, effect=effect | {"when": when}, match={"api": api})
    answer = send(mock, create(api))
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
def test_an_error_that_only_the_other_api_has_leaves_this_one_alone(
    mock: Mock, api: str, code: str
) -> None:
    stand(mock, effect={"type": "error", "code": code})
    assert send(mock, create(api)).status == 200


@pytest.mark.parametrize("code", ["rate_limtied", "RATE_LIMITED", ""])
def test_an_error_that_nobody_has_is_refused_with_one_that_comes_near(
    mock: Mock, code: str
) -> None:
    answer = door(mock, "POST", body={"effect": {"type": "error", "code": code}})
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
def test_only_what_is_asked_for_is_different_and_the_length_is_right(
    mock: Mock, effect: dict[str, Any]
) -> None:
    before = sound(mock)
    stand(mock, effect={"type": "body"} | effect)
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


def test_several_changes_of_one_answer_come_one_after_the_other(mock: Mock) -> None:
    stand(mock, effect={"type": "body", "set": {"/a": 1}})
    stand(mock, effect={"type": "body", "rename": {"/a": "b"}})
    answer = sound(mock).json()
    assert ("a" in answer, answer["b"]) == (False, 1)


def test_an_answer_that_is_no_document_keeps_its_bytes_when_fields_are_changed(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    mock.advance(1)
    mock.generation(task_id)
    video = mock.request("GET", f"/media/default/{task_id}.mp4")
    stand(mock, effect={"type": "body", "set": {"/a": 1}, "drop": ["/b"]})
    assert mock.request("GET", f"/media/default/{task_id}.mp4").body == video.body


def test_somebody_else_answers_with_what_was_asked_for_and_nothing_of_the_vendors(
    mock: Mock,
) -> None:
    effect = {
        "type": "answer",
        "status": 503,
        "body": "busy",
        "content_type": "text/plain",
        "headers": {"Via": "1.1 proxy", "Retry-After": "3"},
    }
    stand(mock, effect=effect)
    answer = sound(mock)
    assert (answer.status, answer.body) == (503, b"busy")
    assert answer.headers["content-type"].startswith("text/plain")
    assert (answer.headers["via"], answer.headers["retry-after"]) == ("1.1 proxy", "3")


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("effect", [{"type": "body"}, {"type": "answer", "body": "x"}])
def test_an_answer_that_can_have_no_body_has_none(
    mock: Mock, effect: dict[str, Any], status: int
) -> None:
    stand(mock, effect=effect | {"status": status})
    answer = sound(mock)
    assert (answer.status, answer.body) == (status, b"")
    assert "content-length" not in answer.headers


def test_a_head_request_goes_wrong_as_its_get_does(mock: Mock) -> None:
    stand(mock, scenario="bad_gateway")
    assert mock.request("HEAD", "/api/v1/models").status == 502


def test_headers_of_ours_stay_away_if_they_are_not_wanted(make_mock: MakeMock) -> None:
    mock = make_mock(mock_headers=False)
    answer = send(mock, create("rivya", "rate_limited", "key"))
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


def requests(task_ids: dict[str, str]) -> list[Asked]:
    """One request of each kind; `task_ids`: a task of each API."""
    form_type = {"content-type": "multipart/form-data; boundary=frontier"}
    key = {"authorization": f"Bearer {KEY}"}
    hook = {"url": "https://example.com/hook", "event_types": ["generation.failed"]}
    in_held_mode: dict[str, Any] = {"async": False}
    upload = form({"kind": "image"}, {"file": ("a.png", PNG)})
    return [
        *(create(api) for api in APIS),
        *(create(api, "stuck", "key") for api in APIS),
        *(read(api, task_ids[api]) for api in APIS),
        *(read(api, NOBODY[api]) for api in APIS),
        create("rivya", headers={"idempotency-key": "k"}),
        create("rivya", headers={"idempotency-key": "k"}, prompt="Another"),
        create("rivya", prompt=5),
        create("acedata", **in_held_mode),
        get("/api/v1/credits"),
        get("/api/v1/models"),
        get(f"/media/default/{task_ids['rivya']}.mp4"),
        get("/media/default/none.mp4"),
        get("/api/v1/files/file_x"),
        get("/api/v1/webhooks"),
        Asked("POST", "/api/v1/webhooks", key | JSON, json.dumps(hook).encode()),
        Asked("DELETE", "/api/v1/webhooks/whend_x", key),
        Asked("POST", "/api/v1/files", key | form_type, upload),
        Asked("POST", "/api/v1/generations", JSON, json.dumps(MINIMAL).encode()),
        Asked("PUT", "/api/v1/generations", key),
    ]


COUNT = len(requests(NOBODY))


def serve(mock: Mock, asked: Asked, seconds: float) -> None:
    """Ask, wait, and leave. The server may break the connection, but nothing of its own."""
    caller = Waiting(mock, asked)
    if caller.waits:
        advance(mock, seconds)
    if caller.waits and asked.path.startswith(("/media/", "/api/v1/files")):
        caller.linger()
    if caller.waits:
        caller.hang_up()
        caller.drop()
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
    """Every API answers as if nothing had ever gone wrong."""
    for api in APIS:
        answer = send(mock, create(api))
        assert answer.status == 200, answer.body
        assert exchange_of(mock).faults == ()
        task_id = task_id_of(answer.json())
        mock.advance(1)
        assert send(mock, read(api, task_id)).status == 200
        assert mock.world.state_of(mock.world.tasks[task_id]).value == "succeeded"
    assert is_sound(mock.world)


@settings(max_examples=60)
@given(
    st.lists(rules, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, COUNT - 1), st.sampled_from([0.0, 1.0, 60.0])), max_size=12),
)
def test_whatever_goes_wrong_no_credit_is_lost_and_the_server_stands(
    wrong: list[dict[str, Any]], asked: list[tuple[int, float]]
) -> None:
    mock = Mock()
    task_ids = {api: task_id_of(send(mock, create(api)).json()) for api in APIS}
    mock.advance(1)
    stood = 0
    for rule in wrong:
        answer = door(mock, "POST", body=rule)
        if answer.status == 400:
            assert answer.json()["errors"]
        else:
            assert answer.status == 201
            stood += 1
    for number, seconds in asked:
        serve(mock, requests(task_ids)[number], seconds)
        assert is_sound(mock.world)
    listed = door(mock, "GET").json()["faults"]
    assert len(listed) == stood
    assert all(fault["happened"] <= fault["matched"] for fault in listed)
    for exchange in mock.world.journal:
        told = mock.request("GET", f"/_mock/explain/{exchange.id}")
        assert told.status == 200, told.body
    assert mock.request("GET", "/_mock/worlds/default/snapshot").status == 200
    assert door(mock, "DELETE").status == 200
    require_sound(mock)
    mock.close()


@given(rules)
def test_a_rule_that_the_types_allow_stands_as_it_was_sent_or_is_refused_with_its_place(
    rule: dict[str, Any],
) -> None:
    mock = SHARED
    answer = door(mock, "POST", body=rule)
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
        assert (answer.status, bool(answer.json()["errors"])) == (400, True)
        with pytest.raises(msgspec.ValidationError):  # a delay of no length, what never happens
            msgspec.convert(rule, FaultRule)
    door(mock, "DELETE")


SHARED = Mock()
