"""The Python client of the control door, over a socket and without one."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, get_type_hints

import httpx2
import pytest

from mock_server import __version__, control
from mock_server.control import (
    AsyncControl,
    AsyncWorld,
    Control,
    ControlError,
    FaultNeverHappened,
    World,
)
from mock_server.control.answers import Balance, ReceiverAnswer
from mock_server.control.requests import Filters, Match
from mock_server.control.transport import (
    AsyncTransport,
    ClientMethod,
    InThread,
    Request,
    RequestFlow,
    Transport,
)
from mock_server.core.effects import ErrorFault
from mock_server.core.request_match import RequestFilter, RequestMatch
from mock_server.door.routes import table
from mock_server.server.app import make_app
from mock_server.server.make_server import make_server
from tests.control.plain_client import GENERATIONS, NOW, create, other_server, task_id, video
from tests.live import WAIT_S, live
from tests.mock import MINIMAL, START, START_MS, VIDEO, settings_of

# --- worlds ---------------------------------------------------------------------------------


def test_a_world_s_key_alone_leads_an_unmodified_client_there(world: World) -> None:
    made = create(world).json()["id"]
    assert [task.id for task in world.tasks()] == [made]


def test_a_world_s_urls_lead_there_without_any_key(world: World) -> None:
    for base_url in (world.base_url, world.rivya_url, world.acedata_url):
        answer = httpx2.get(f"{base_url}/api/v1/credits")
        assert (answer.status_code, answer.headers["mock-world"]) == (401, world.name)


def test_both_apis_know_the_headers_of_a_world(world: World) -> None:
    assert create(world).status_code == 200
    assert video(world, **{"async": True}).status_code == 200
    assert {task.api for task in world.tasks()} == {"rivya", "acedata"}
    assert world.headers("rivya") == {"Authorization": f"Bearer {world.rivya_key}"}
    assert world.headers("acedata") == {"Authorization": f"Bearer {world.acedata_token}"}


def test_a_world_is_made_as_it_was_asked_for(door: Control) -> None:
    with door.world("mine", seed=7, credits=60, clock="frozen", now=NOW, scale=60) as made:
        assert (made.name, made.seed) == ("mine", 7)
        assert made.ledger("rivya-test") == Balance(60, 60, 0, 0)
        state = made.clock.get()
        assert (state.mode, state.now, state.scale) == ("frozen", NOW, 60)
        assert "'mine'" in repr(made)
        assert "seed 7" in repr(made)


def test_a_world_without_options_runs_in_real_time_under_a_free_name(
    door: Control,
) -> None:
    with door.world() as one, door.world() as other:
        assert one.name != other.name
        assert one.seed != other.seed
        assert (one.clock.get().mode, one.clock.get().scale) == ("real", 1.0)


def test_leaving_a_world_drops_it_also_after_an_error(door: Control) -> None:
    with pytest.raises(ZeroDivisionError), door.world("left"):
        raise ZeroDivisionError
    with pytest.raises(ControlError, match="no world called 'left'"):
        door.find("left")


def test_a_world_that_is_there_is_found_and_listed(door: Control, world: World) -> None:
    found = door.find(world.name)
    assert (found.name, found.seed, found.keys) == (world.name, world.seed, world.keys)
    names = [each.name for each in door.worlds()]
    assert names[0] == door.find().name == "default"
    assert world.name in names


@pytest.mark.parametrize("name", [".", "..", "%2e%2e"])
def test_a_name_leads_to_no_other_path(door: Control, name: str) -> None:
    with pytest.raises(ControlError, match=re.escape(f"no world called '{name}'")):
        door.find(name)


def test_a_world_without_a_key_for_an_api_says_so(make_door: Any) -> None:
    account = {"name": "a", "credits": 1, "keys": [{"key": "rvya_sk_a", "api": "rivya"}]}
    with make_door(accounts=[account]) as opened:
        found = opened.find()
        assert found.rivya_key == "rvya_sk_a"
        with pytest.raises(LookupError, match="'default' was made without a key for acedata"):
            _ = found.acedata_token


@pytest.fixture
def make_door() -> Any:
    """Doors of servers with settings of their own, without a socket."""

    @contextmanager
    def make(token: str | None = None, **changes: Any) -> Iterator[Control]:
        fake = make_server(settings_of(**changes), lambda: START_MS)
        with Control(make_app(fake), token) as opened:
            yield opened

    return make


# --- time -----------------------------------------------------------------------------------


def test_advancing_returns_all_that_happened_in_order(world: World) -> None:
    made = task_id(world)
    assert world.clock.advance(0.1) == []
    effects = world.clock.advance(0.9)
    assert [(each.subject, each.outcome) for each in effects] == [
        (made, "processing"),
        (made, "succeeded"),
    ]
    assert [each.at - NOW for each in effects] == [timedelta(seconds=0.2), timedelta(seconds=1)]
    assert world.clock.get().now == NOW + timedelta(seconds=1)


def test_until_idle_goes_just_as_far_as_something_is_due(world: World) -> None:
    task_id(world)
    assert world.clock.until_idle()[-1].outcome == "succeeded"
    assert world.clock.get().now == NOW + timedelta(seconds=1)
    assert world.clock.until_idle() == []


def test_a_clock_can_be_moved_to_a_moment_frozen_and_run(world: World) -> None:
    made = task_id(world)
    later = NOW + timedelta(days=2)
    assert world.clock.move_to(later).now == later
    assert world.task(made).state == "succeeded"
    assert world.clock.run(scale=60).mode == "real"
    assert world.clock.get().scale == 60
    assert world.clock.freeze().mode == "frozen"
    assert world.clock.run().scale == 1
    with pytest.raises(ControlError, match="/now must not be before"):
        world.clock.move_to(NOW)


# --- accounts and tasks -----------------------------------------------------------------------


def test_credits_set_by_the_control_are_those_of_the_client(world: World) -> None:
    assert world.set_credits("rivya-test", 60).credits == 60
    assert world.set_in_flight("rivya-test", 2).in_flight == 2
    assert world.set_in_flight("rivya-test", 0).in_flight is None
    assert create(world).status_code == 200
    assert world.ledger("rivya-test") == Balance(60, 3, 57, 0)
    assert create(world).json()["error"]["code"] == "insufficient_credits"
    assert world.account("rivya-test").ledger.reserved == 57
    assert [each.name for each in world.accounts()] == ["rivya-test", "acedata-test"]


def test_an_account_made_by_the_control_can_be_used(world: World) -> None:
    key = {"key": f"rvya_sk_{world.name}", "api": "rivya"}
    made = world.make_account("poor", credits=57, keys=[key], in_flight=3)
    assert made.in_flight == 3
    assert (made.name, made.credits, made.keys[0].key) == ("poor", 57, key["key"])
    headers = {"authorization": f"Bearer {key['key']}"}
    answers = [
        httpx2.post(world.plain_url + GENERATIONS, json=MINIMAL, headers=headers).status_code
        for _ in range(2)
    ]
    assert answers == [200, 402]


def test_a_key_can_be_issued_narrowed_and_revoked(world: World) -> None:
    key = f"rvya_sk_other-{world.name}"
    issued = world.set_key(
        "rivya-test", key, api="rivya", scopes=["credits:read"], rate_limit=9, in_flight=8
    )
    (shown,) = [each for each in issued.keys if each.key == key]
    assert (shown.scopes, shown.rate_limit, shown.revoked) == (("credits:read",), 9, False)
    assert shown.in_flight == 8
    headers = {"authorization": f"Bearer {key}"}

    def code() -> Any:
        answer = httpx2.post(world.plain_url + GENERATIONS, json=MINIMAL, headers=headers)
        return answer.json()["error"]["code"]

    assert code() == "api_scope_denied"
    world.set_key("rivya-test", key, api="rivya", revoked=True)
    assert code() == "api_key_revoked"
    world.set_key("rivya-test", key, api="rivya", expires_at=NOW)
    assert code() == "api_key_expired"
    shown = world.set_key("rivya-test", key, api="rivya", disabled=True).keys[-1]
    assert (shown.disabled, len(shown.scopes), shown.expires_at) == (True, 9, None)


def test_a_task_is_shown_and_can_be_ended(world: World) -> None:
    first, second = task_id(world), task_id(world)
    task = world.task(first)
    assert (task.state, task.price_credits, task.request) == ("queued", 57, MINIMAL)
    assert (task.created_at, task.ends_at) == (NOW, NOW + timedelta(seconds=1))
    ended = world.finish(task, "failed", reason="moderation")
    assert (ended.state, ended.reason) == ("failed", "moderation")
    assert world.finish(second).state == "succeeded"
    assert world.ledger("rivya-test") == Balance(1_000_000, 999_943, 0, 57)


# --- faults -----------------------------------------------------------------------------------


def test_a_fault_exists_only_in_its_block(world: World) -> None:
    with world.fault("bad_gateway", times=2) as (fault,):
        assert [create(world).status_code for _ in range(3)] == [502, 502, 200]
        assert world.faults.get(fault).happened == 2
        assert [each.id for each in world.faults.standing()] == [fault.id]
    assert world.faults.standing() == []


def test_a_fault_matches_headers(world: World) -> None:
    headers = {"Idempotency-Key": False}
    with world.fault("bad_gateway", match={"operation": "create"}, headers=headers) as (fault,):
        assert fault.match == {"operation": "create", "headers": headers}
        assert create(world).status_code == 502
    (other,) = world.faults.add("bad_gateway", headers={"X-None": True})
    assert create(world).status_code == 200
    assert world.faults.get(other).matched == 0


def test_a_block_removes_only_its_own_faults(world: World) -> None:
    (other,) = world.faults.add("slow")
    with pytest.raises(ZeroDivisionError), world.fault("hang"):
        raise ZeroDivisionError
    assert [each.id for each in world.faults.standing()] == [other.id]


def test_a_block_whose_faults_were_removed_ends_without_an_error(world: World) -> None:
    with world.fault("hang"):
        world.reset()
    with world.fault("hang") as (fault,):
        assert world.faults.remove(fault.id).id == fault.id
    with world.fault("hang"):
        world.faults.clear()
    assert world.faults.standing() == []


def test_after_its_block_a_fault_shows_how_often_it_happened(world: World) -> None:
    with world.fault("bad_gateway", skip=1, times=1) as standing:
        assert [create(world).status_code for _ in range(4)] == [200, 502, 200, 200]
        assert [(each.matched, each.happened) for each in standing] == [(0, 0)]
    assert [(each.matched, each.happened) for each in standing] == [(2, 1)]


def test_a_block_left_by_an_exception_shows_the_counts_too(world: World) -> None:
    block = world.fault("bad_gateway")
    with pytest.raises(ZeroDivisionError), block as standing:
        raise ZeroDivisionError(create(world))
    assert [each.happened for each in standing] == [1]


def test_a_block_whose_fault_never_happened_warns_at_its_line(world: World) -> None:
    block = world.fault("lost_answer", match={"prompt": "Storm"})
    with pytest.warns(FaultNeverHappened) as caught, block as (fault,):
        create(world)
    (warning,) = caught
    assert str(warning.message) == (
        f"the fault {fault.id} (lost_answer) never happened: it concerned nothing that came "
        "(match={'operation': 'create', 'prompt': 'Storm'}). "
        "If that is as it should be, say must_happen=False."
    )
    assert warning.filename == __file__
    assert world.faults.standing() == []
    told = "concerned 1 request, and skip=2, every=1"
    with pytest.warns(FaultNeverHappened, match=told), world.fault("bad_gateway", skip=2):
        create(world)
    assert (fault.matched, fault.happened) == (0, 0)


@pytest.mark.parametrize(
    ("scenario", "hint"),
    [("delivery_twice", "advance the clock inside the block"), ("fails_late", "make it inside")],
)
def test_the_warning_says_when_the_fault_is_decided(world: World, scenario: str, hint: str) -> None:
    for probability in (1, 0.5):
        block = world.fault(scenario, probability=probability)
        with pytest.warns(FaultNeverHappened, match=hint), block:
            pass


def test_a_fault_of_a_delivery_happens_when_the_clock_moves_in_its_block(world: World) -> None:
    with world.fault("delivery_twice") as (fault,):
        video(world, **{"async": True, "callback_url": world.inbox("hook").url})
        world.clock.advance(5)
    assert fault.happened == 1


@pytest.mark.filterwarnings("error")
def test_a_block_with_an_optional_fault_does_not_warn(world: World) -> None:
    with world.fault("hang", must_happen=False) as (fault,):
        pass
    assert (fault.matched, fault.happened) == (0, 0)
    with world.fault("bad_gateway", probability=0) as (spared,):
        create(world)
    assert (spared.matched, spared.happened) == (1, 0)
    with pytest.raises(ZeroDivisionError), world.fault("hang"):
        raise ZeroDivisionError
    with world.fault("hang"):  # faults that were removed earlier are unknown
        world.faults.clear()
    with world.fault("insufficient_credits"):  # a fault for each API; one of them happens
        assert create(world).status_code == 402


@pytest.mark.filterwarnings("error")
def test_a_warning_that_is_an_error_leaves_no_fault_behind(world: World) -> None:
    with pytest.raises(FaultNeverHappened), world.fault("hang"):
        pass
    assert world.faults.standing() == []


def test_a_rule_is_plain_data_or_the_struct_itself(world: World) -> None:
    code = "generation_failed"
    for effect in ({"type": "error", "code": code}, ErrorFault(code=code)):
        with world.fault(effect=effect, match={"prompt": "^Storm"}, times=1):
            assert create(world).status_code == 200
            assert create(world, prompt="Storm at sea").json()["error"]["code"] == code


def test_all_terms_of_a_rule_are_sent(world: World) -> None:
    (fault,) = world.faults.add("slow", skip=1, times=2, every=3, probability=0.5)
    terms = (fault.skip, fault.times, fault.every, fault.probability, fault.scenario)
    assert terms == (1, 2, 3, 0.5, "slow")


def test_the_ledger_shows_the_charge_of_a_lost_answer(world: World) -> None:
    with world.fault("lost_answer", times=1), pytest.raises(httpx2.TransportError):
        create(world)
    assert world.ledger("rivya-test").reserved == 57


# --- the whole world --------------------------------------------------------------------------


def test_a_snapshot_can_be_restored_in_its_world_and_in_another(
    door: Control, world: World
) -> None:
    made = task_id(world)
    document = world.snapshot()
    world.clock.until_idle()
    world.restore(document)
    assert world.task(made).state == "queued"
    assert world.snapshot() == document
    with door.world() as other:
        other.restore(document)
        assert other.task(made).state == "queued"


def test_a_reset_begins_the_world_anew(world: World) -> None:
    task_id(world)
    world.clock.advance(5)
    world.reset()
    assert world.tasks() == []
    assert world.clock.get().now == NOW
    assert world.ledger("rivya-test").reserved == 0


# --- what there is, and why it was so ---------------------------------------------------------


def test_scenarios_and_the_version_can_be_asked_for(door: Control) -> None:
    assert door.version().version == __version__
    names = [each.name for each in door.scenarios()]
    assert names == sorted(names)
    lost = door.scenario("lost_answer")
    assert lost.shows == door.scenarios()[names.index("lost_answer")].shows
    assert lost.faults[0]["effect"]["how"] == "reset"
    assert "Mock-Scenario: lost_answer" in lost.how["header"]


def test_metrics_are_text(door: Control, url: str, world: World) -> None:
    create(world)
    assert (
        'hailuo_mock_requests_total{api="rivya",operation="create",status="200"}' in door.metrics()
    )


def test_what_comes_next_can_be_asked_for(world: World) -> None:
    first, second = task_id(world), task_id(world)
    due = world.clock.due(first)
    assert {entry.task for entry in due} == {first}
    assert [entry.task for entry in world.clock.due(limit=2)] == [first, second]
    world.clock.move_to(due[-1].at)
    assert world.task(first).state == due[-1].state == "succeeded"


_NO_CALLS = {
    "/_mock": "the page",
    "/_mock/": "the page",
    "/_mock/page/{name}": "the page",
    "/_mock/health": "for probes",
    "/_mock/ready": "for probes",
    "/_mock/openapi.json": "a document",
    "/_mock/control.json": "a document",
    "/_mock/inbox/{world}/{name}": "for the server itself",
    "/_mock/worlds/{world}/search": "for people; tests filter requests, tasks and deliveries",
}
"""Routes without a call, and why."""


def test_each_route_has_a_call() -> None:
    files = Path(inspect.getfile(control)).parent.glob("*.py")
    written = "\n".join(file.read_text("utf-8") for file in files)
    called = [
        re.sub(r"{[^{}]+}", r"[^/]+", found.replace("{self._path}", "/_mock/worlds/{world}"))
        for found in re.findall(r'f?"(?:{at\.path})?(/_mock[^"]*|{self\._path}[^"]*)"', written)
    ]
    routes = {row.path for row in table()}
    missing = {path for path in routes if not any(re.fullmatch(each, path) for each in called)}
    assert missing == set(_NO_CALLS)


def test_an_answer_is_explained_by_its_request_s_id(door: Control, world: World) -> None:
    with world.fault("insufficient_credits"):
        refused = create(world)
    told = door.explain(refused.headers["mock-request"])
    assert (told.world, told.scenario, told.status) == (world.name, "insufficient_credits", 402)
    assert told.without == "accepted"


# --- what goes wrong here ---------------------------------------------------------------------


def test_a_refusal_is_one_error_with_pointers_and_near_names(world: World) -> None:
    with pytest.raises(ControlError) as caught:
        world.faults.add(effect={"type": "error", "cod": "x", "status": 1})
    assert caught.value.status == 400
    for wrong in caught.value.errors:
        assert f"{wrong.pointer} {wrong.detail}" in str(caught.value)
    assert {wrong.pointer for wrong in caught.value.errors} >= {"/effect/cod", "/effect/status"}
    with pytest.raises(ControlError, match="did you mean 'lost_answer'"):
        world.faults.add("lost_answr")


def test_a_refusal_without_places_is_its_sentence(door: Control) -> None:
    with pytest.raises(ControlError) as caught:
        door.find("nowhere")
    assert (caught.value.status, caught.value.errors) == (404, ())
    assert str(caught.value) == "there is no world called 'nowhere'"


def test_names_with_odd_letters_stay_one_step_of_a_path(door: Control, world: World) -> None:
    with pytest.raises(ControlError, match=r"no scenario 'a b\?c#é'"):
        door.scenario("a b?c#é")
    with pytest.raises(ControlError, match="no task with that id"):
        world.task("?state=failed")


def test_a_refused_connection_is_reported_with_its_address() -> None:
    address = "http://127.0.0.1:1"
    with Control(address) as opened, pytest.raises(ControlError) as caught:
        opened.version()
    assert str(caught.value).startswith(f"no server answers at {address}: ")
    assert caught.value.status is None
    with pytest.raises(ControlError, match="no server answers at"):
        asyncio.run(AsyncControl(address).version())


def test_a_timeout_is_reported_with_its_seconds() -> None:
    def asking() -> RequestFlow[None]:
        yield Request("GET", "/_mock/health", timeout_s=0.01)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        told = f"GET /_mock/health: {address} did not answer within 0.01 s"
        with pytest.raises(ControlError, match=told):
            Transport(address, None).run(asking())
        with pytest.raises(ControlError, match=told):
            asyncio.run(AsyncTransport(address, None).run(asking()))


def test_another_server_is_recognised() -> None:
    told = "was answered 502, and not by a hailuo-mock"
    with (
        other_server(502, b"<html>Bad Gateway</html>") as address,
        Control(address) as opened,
        pytest.raises(ControlError, match=f"GET {address}/_mock/version {told}"),
    ):
        opened.version()


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"\xff\xfe", b"null", b"[]", b"{}", b'{"version": 1}', b'"\xe4"']
)
def test_an_answer_of_another_server_is_reported_as_such(body: bytes) -> None:
    with other_server(200, body) as address:
        told = f"GET {address}/_mock/version was not answered by a hailuo-mock"
        with Control(address) as opened, pytest.raises(ControlError, match=told):
            opened.version()
        with pytest.raises(ControlError, match=told):
            asyncio.run(AsyncControl(address).version())


@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "nonsense",
        "localhost:4010",
        "http://",
        "http://[::1",
        "ftp://a",
        "//a",
        "http://a:65536",
    ],
)
@pytest.mark.parametrize("kind", [Control, AsyncControl])
def test_an_invalid_address_is_reported_as_such(
    kind: type[Control] | type[AsyncControl], address: str
) -> None:
    with pytest.raises(ControlError) as caught:
        kind(address)
    assert str(caught.value).startswith(f"no server answers at {address}: that is no URL")


@pytest.mark.parametrize("token", ["\u00e4", "a\nb"])
def test_an_invalid_token_is_reported_as_such(token: str) -> None:
    with pytest.raises(ControlError) as caught:
        Control("http://127.0.0.1:1", token)
    assert token not in str(caught.value)


def test_an_address_with_tls_is_refused_with_the_right_one(url: str) -> None:
    address = url.replace("http://", "https://")
    with Control(address) as opened, pytest.raises(ControlError, match="use http://"):
        opened.version()


def test_unknown_fields_of_a_newer_server_are_ignored() -> None:
    later = json.dumps({"version": "9", "seed": 1, "mood": "good"}).encode()
    with other_server(200, later) as address, Control(address + "/") as opened:
        assert opened.version().version == "9"
        assert opened.url == address


def test_verify_fails_if_evicted_requests_leave_it_undecided() -> None:
    with live(limits__journal_exchanges=2) as server, Control(server.url) as opened:
        made = opened.find()
        for _ in range(3):
            create(made)
        with pytest.raises(AssertionError, match="whether that is all is not known: 1 older"):
            made.verify(operation="create", count=2)
        made.clear_requests()
        assert made.verify(operation="create", count=0).verified is True


def test_a_request_in_a_line_names_its_fields_without_effect(world: World) -> None:
    create(world, duration="10")
    (exchange,) = world.requests()
    assert str(exchange).endswith("without effect: /duration")


def test_a_locked_door_accepts_its_token(make_door: Any) -> None:
    with make_door(control_token="sesame") as opened:
        with pytest.raises(ControlError, match="this door is locked") as caught:
            opened.version() and opened.worlds()
        assert caught.value.status == 401
    with make_door("sesame", control_token="sesame") as opened:
        assert [each.name for each in opened.worlds()] == ["default"]


# --- many at once, and without a socket -------------------------------------------------------


def test_many_threads_may_use_one_control(door: Control) -> None:
    def one(number: int) -> int:
        with door.world(credits=number) as made:
            return made.ledger("rivya-test").available

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(64))) == list(range(64))


def test_an_app_in_this_process_needs_no_socket() -> None:
    app = make_app(make_server(settings_of(), lambda: START_MS))
    transport = InThread(app)
    with Control(app) as opened, httpx2.Client(transport=transport) as client:
        world = opened.find()
        answer = client.post(
            world.rivya_url + GENERATIONS, json=MINIMAL, headers=world.headers("rivya")
        )
        assert [task.id for task in world.tasks()] == [answer.json()["id"]]
        assert world.clock.until_idle()[-1].outcome == "succeeded"
        assert world.clock.get().now.isoformat().replace("+00:00", "Z") > START
        with world.fault("lost_answer"), pytest.raises(ConnectionResetError):
            client.post(world.rivya_url + GENERATIONS, json=MINIMAL, headers=world.headers("rivya"))
        assert len(world.tasks()) == 2


def test_a_timeout_of_an_app_is_reported_like_that_of_a_socket() -> None:
    app = make_app(make_server(settings_of(), lambda: START_MS))
    with httpx2.Client(transport=InThread(app), base_url="http://mock.test") as client:
        headers = {"authorization": "Bearer rvya_sk_test+hang"}
        with pytest.raises(httpx2.ReadTimeout):
            client.post(GENERATIONS, json=MINIMAL, headers=headers, timeout=0.01)
        assert client.get("/_mock/health").status_code == 200


def test_a_closed_control_of_an_app_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with Control(make_app(make_server(settings_of(), lambda: START_MS))) as opened:
        opened.version()
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


# --- awaited ----------------------------------------------------------------------------------


def test_both_kinds_have_the_same_calls() -> None:
    pairs = [
        (Control, AsyncControl),
        (World, AsyncWorld),
        (control.Clock, control.AsyncClock),
        (control.Faults, control.AsyncFaults),
        (control.Inbox, control.AsyncInbox),
    ]
    for sync_caller, async_caller in pairs:
        names = {name for name in dir(sync_caller) if not name.startswith("_")}
        missing = names - set(dir(async_caller))
        assert missing <= {"close", "awaited"}
    for name in ("fault", "inbox"):
        one, other = getattr(World, name), getattr(AsyncWorld, name)
        assert inspect.signature(one).parameters == inspect.signature(other).parameters


def test_every_method_has_a_docstring() -> None:
    kinds = (Control, World, control.Clock, control.Faults, control.Inbox)
    for kind in kinds:
        for name in dir(kind):
            if not name.startswith("_"):
                assert inspect.getdoc(getattr(kind, name)), f"{kind.__name__}.{name}"


def test_inspect_shows_a_call_as_a_method(world: World) -> None:
    call = world.clock.advance
    assert call.__name__ == "advance"
    assert (call.__doc__ or "").startswith("Move the clock forward.")
    assert inspect.isfunction(World.ledger)
    assert isinstance(inspect.getattr_static(World, "ledger"), ClientMethod)


def test_an_async_world_does_what_a_world_does(url: str) -> None:
    async def scene() -> None:
        door = AsyncControl(url)
        async with await door.world(clock="frozen", now=NOW, credits=100) as world:
            async with world.fault("lost_answer", times=1) as (fault,):
                with pytest.raises(httpx2.TransportError):
                    create(world)
                assert (await world.faults.get(fault)).happened == 1
            assert await world.faults.standing() == []
            assert (fault.matched, fault.happened) == (1, 1)
            async with world.fault("hang"):
                await world.faults.clear()
            with pytest.warns(FaultNeverHappened) as caught:
                async with world.fault("hang"):
                    pass
            assert caught[0].filename == __file__
            async with world.fault("hang", must_happen=False):
                pass
            (task,) = await world.tasks()
            effects = await world.clock.advance(1)
            assert [each.subject for each in effects] == [task.id, task.id]
            assert await world.ledger("rivya-test") == Balance(100, 43, 0, 57)
            assert (await world.ledger_rows("rivya-test")).balance.spent == 57
            assert (await world.story(task)).entries[-1].type == "no_delivery"
            assert (await world.changes()).missed == 0
            inbox = world.inbox("hook")
            await inbox.program(500)
            assert httpx2.post(inbox.url).status_code == 500
            assert len(await inbox.requests()) == 1
            with pytest.raises(ControlError, match="did you mean 'hang'"):
                await world.faults.add("hagn")
            name = world.name
        with pytest.raises(ControlError, match="no world called"):
            await door.find(name)

    asyncio.run(scene())


def test_an_async_control_may_be_used_in_one_event_loop_after_another(url: str) -> None:
    door = AsyncControl(url)
    for _ in range(3):
        assert asyncio.run(door.version()).version == __version__


def test_async_calls_may_be_made_at_once(url: str) -> None:
    async def scene() -> None:
        async with await AsyncControl(url).world() as world:
            ledgers = [world.ledger("rivya-test") for _ in range(20)]
            assert len(set(await asyncio.gather(*ledgers))) == 1

    asyncio.run(asyncio.wait_for(scene(), WAIT_S))


def test_a_world_can_be_awaited_where_a_test_is_async(world: World, make_door: Any) -> None:
    made = task_id(world)
    assert [each.id for each in asyncio.run(world.awaited().tasks())] == [made]
    with make_door("sesame", control_token="sesame") as opened:
        assert asyncio.run(opened.find().awaited().tasks()) == []


def test_an_async_world_of_an_app_runs_in_the_test_s_own_loop() -> None:
    app = make_app(make_server(settings_of(), lambda: START_MS))

    async def scene() -> None:
        transport = httpx2.ASGITransport(app=app)
        world = await AsyncControl(app).find()
        async with httpx2.AsyncClient(transport=transport, base_url=world.rivya_url) as client:
            answer = await client.post(GENERATIONS, json=MINIMAL, headers=world.headers("rivya"))
            held = asyncio.create_task(
                client.post(
                    f"{world.acedata_url}/hailuo/videos",
                    json=VIDEO,
                    headers=world.headers("acedata"),
                )
            )
            while len(await world.tasks()) < 2:
                await asyncio.wait([held], timeout=0)  # its turn
            await world.clock.advance(1)
            assert (await held).status_code == 200
            assert (await world.task(answer.json()["id"])).state == "succeeded"

    asyncio.run(asyncio.wait_for(scene(), WAIT_S))


def test_bodies_are_kept_byte_for_byte() -> None:
    message = ReceiverAnswer(status=200, headers=(), body="�", content=b"\xff")
    assert message.content == b"\xff"
    with pytest.raises(ValueError, match="malformed"):
        message.json()


def test_filters_of_the_client_are_those_of_the_server() -> None:
    assert list(get_type_hints(Filters)) == list(RequestFilter.__struct_fields__)
    assert get_type_hints(Match).keys() == set(RequestMatch.__struct_fields__)
