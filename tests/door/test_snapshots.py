"""Snapshots through the control door, restored in the same world, another one, another server."""

from __future__ import annotations

import hmac
import json
import threading
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import httpx2
import pytest

from tests import calls
from tests.asgi import Answer
from tests.live import WAIT_S, Live, live
from tests.mock import KEY, PNG, START_MS, TOKEN, VIDEO, Mock
from tests.outgoing.test_sender import after_attempts, silent_receiver
from tests.receiver import receiver

RIVYA = {"authorization": f"Bearer {KEY}"}
ACEDATA = {"authorization": f"Bearer {TOKEN}"}
JSON = {"content-type": "application/json"}
HOOK = {"url": "http://127.0.0.1:9/hook", "event_types": ["generation.succeeded"]}


def take(mock: Mock, world: str = "default") -> Answer:
    return mock.request("GET", f"/_mock/worlds/{world}/snapshot")


def put(mock: Mock, document: Any, world: str = "default") -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return mock.request("PUT", f"/_mock/worlds/{world}/snapshot", headers=JSON, body=body)


def make_world(mock: Mock, name: str) -> None:
    body = json.dumps({"name": name}).encode()
    headers = JSON | {"content-length": str(len(body))}
    assert mock.request("POST", "/_mock/worlds", headers=headers, body=body).status == 201


def advance(mock: Mock, seconds: float, world: str = "default") -> Any:
    body = json.dumps({"seconds": seconds}).encode()
    path = f"/_mock/worlds/{world}/clock/advance"
    return mock.request("POST", path, headers=JSON, body=body).json()["effects"]


def lived_in(mock: Mock) -> str:
    """A world with something of every kind; the id of a task that has succeeded."""
    assert mock.rivya("POST", "/webhooks", HOOK).status == 200
    mock.upload()
    task_id = str(mock.create().json()["id"])
    advance(mock, 1)
    mock.rivya("POST", "/generations", {"model": "none"})
    mock.acedata("/videos", VIDEO | {"async": True})
    return task_id


def test_the_etag_is_the_sha256_of_the_document(mock: Mock) -> None:
    lived_in(mock)
    taken = take(mock)
    assert taken.status == 200
    assert taken.headers["content-type"] == "application/json"
    assert taken.headers["etag"] == f'"{sha256(taken.body).hexdigest()}"'


def test_taking_a_snapshot_changes_nothing(mock: Mock) -> None:
    lived_in(mock)
    assert take(mock).body == take(mock).body


def test_a_restored_snapshot_equals_the_one_taken_again(mock: Mock) -> None:
    lived_in(mock)
    taken = take(mock)
    mock.create()
    advance(mock, 3600)
    answer = put(mock, taken.body)
    assert answer.status == 200, answer.body
    assert answer.headers["etag"] == taken.headers["etag"]
    assert answer.json()["sha256"] == sha256(taken.body).hexdigest()
    assert take(mock).body == taken.body


@pytest.mark.parametrize("number", [2**53 - 1, 2**53, 2**64, 10**400])
@pytest.mark.parametrize("place", ["credits", "rate_limit"])
def test_a_snapshot_with_every_allowed_number_can_be_restored(
    mock: Mock, number: int, place: str
) -> None:
    path = "/_mock/worlds/default/accounts/rivya-test"
    key = {"key": KEY, "api": "rivya", "rate_limit": number if place == "rate_limit" else None}
    change = {"credits": number if place == "credits" else 10**15, "keys": [key]}
    for credits in (change["credits"], 10**15):
        body = json.dumps(change | {"credits": credits}).encode()
        mock.request("PATCH", path, headers=JSON, body=body)
        mock.create()
        advance(mock, 1)
    assert put(mock, take(mock).body).status == 200


def test_what_happened_after_the_snapshot_has_not_happened(mock: Mock) -> None:
    before = take(mock)
    task_id = mock.create().json()["id"]
    put(mock, before.body)
    assert mock.rivya("GET", f"/generations/{task_id}").status == 404
    assert mock.rivya("GET", "/credits").json() == {"current_credits": 1_000_000}
    assert mock.create().json()["id"] == task_id


def test_a_task_continues_after_a_restore(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    advance(mock, 0.5)
    taken = take(mock)
    advance(mock, 10)
    put(mock, taken.body)
    assert mock.generation(task_id)["status"] == "processing"
    advance(mock, 0.5)
    assert mock.generation(task_id)["status"] == "succeeded"
    assert mock.rivya("GET", "/credits").json() == {"current_credits": 1_000_000 - 57}


def test_a_repeated_create_finds_its_task_after_a_restore(mock: Mock) -> None:
    again = {"idempotency-key": "k"}
    first = mock.rivya("POST", "/generations", MINIMAL, headers=again).json()["id"]
    put(mock, take(mock).body)
    assert mock.rivya("POST", "/generations", MINIMAL, headers=again).json()["id"] == first
    other = mock.rivya("POST", "/generations", MINIMAL | {"prompt": "x"}, headers=again)
    assert other.status == 409


MINIMAL = {"model": "hailuo-pro", "prompt": "A cinematic product reveal"}


def test_a_rate_window_continues_after_a_restore(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(rivya__rate_limit=2)
    mock.rivya("GET", "/credits")
    taken = take(mock)
    for _ in range(2):
        put(mock, taken.body)
        assert [mock.rivya("GET", "/credits").status for _ in range(2)] == [200, 429]


def test_another_world_looks_the_same_and_is_reached_under_its_own_name(mock: Mock) -> None:
    task_id = lived_in(mock)
    make_world(mock, "other")
    taken = take(mock)
    answer = put(mock, taken.body, "other")
    assert take(mock, "other").body == taken.body
    assert answer.json()["base_url"] == "http://mock.test/w/other"
    assert answer.json()["keys_leading_elsewhere"] == [KEY, TOKEN]
    shown = mock.request("GET", f"/w/other/api/v1/generations/{task_id}", headers=RIVYA).json()
    assert shown["result"]["primary_url"] == f"http://mock.test/media/other/{task_id}.mp4"
    video = mock.request("GET", f"/media/other/{task_id}.mp4")
    assert video.status == 200
    file_id = taken.json()["files"][0]["id"]
    assert mock.request("GET", f"/media/other/files/{file_id}/a.png").body == PNG


def test_two_worlds_from_one_snapshot_are_independent(mock: Mock) -> None:
    lived_in(mock)
    make_world(mock, "other")
    taken = take(mock)
    put(mock, taken.body, "other")
    advance(mock, 5, "other")
    mock.request("GET", "/w/other/api/v1/credits", headers=RIVYA)
    assert take(mock).body == taken.body
    assert take(mock, "other").body != taken.body


def test_callbacks_of_a_copied_world_go_to_its_own_inbox_with_its_own_addresses(mock: Mock) -> None:
    inbox = "http://mock.test/_mock/inbox/default/hook"
    task_id = mock.acedata("/videos", VIDEO | {"callback_url": inbox}).json()["task_id"]
    make_world(mock, "other")
    put(mock, take(mock).body, "other")
    (world,) = [home.world for home in mock.fake.worlds if home.world.name == "other"]
    world.clock.advance(1000)
    mock.driver.loop.run_until_complete(catch_up(mock, "other"))
    (delivery,) = world.deliveries
    assert delivery.url == "http://mock.test/_mock/inbox/other/hook"
    told = json.loads(delivery.event.body)["data"][0]["video_url"]
    assert told == f"http://mock.test/media/other/{task_id}.mp4"


async def catch_up(mock: Mock, world: str) -> None:
    mock.fake.worlds[world].timekeeper.catch_up()


def test_a_key_leads_to_the_remaining_world_that_has_it(mock: Mock) -> None:
    make_world(mock, "one")
    make_world(mock, "two")
    put(mock, take(mock, "one").body, "two")
    path = "/api/v1/credits"
    key = {"authorization": f"Bearer {KEY}-one"}
    assert mock.request("GET", path, headers=key).headers["mock-world"] == "one"
    mock.request("DELETE", "/_mock/worlds/one")
    answer = mock.request("GET", path, headers=key)
    assert (answer.status, answer.headers["mock-world"]) == (200, "two")


def test_a_reset_restores_the_world_as_it_was_made(mock: Mock) -> None:
    fresh = take(mock)
    lived_in(mock)
    put(mock, take(mock).body)
    assert mock.request("POST", "/_mock/worlds/default/reset").status == 200
    assert take(mock).body == fresh.body


def test_a_document_spelled_in_another_way_is_the_same_snapshot(mock: Mock) -> None:
    lived_in(mock)
    taken = take(mock)
    spelled = json.dumps(dict(reversed(taken.json().items())), indent=2).encode()
    assert put(mock, spelled).headers["etag"] == taken.headers["etag"]


def b64(text: bytes) -> str:
    return b64encode(text).decode()


DEEP = b64(b"[" * 200_000)
FAULT: dict[str, Any] = {
    "rule": {"effect": {"type": "task"}}, "scenario": None, "matched": 0, "happened": 0
}  # fmt: skip
INBOX = {"name": "a", "received": 0, "requests": [], "answers": [{"times": 2}], "given": 2}


def changed(document: Any, path: str, value: Any) -> Any:
    *outer, last = path.strip("/").split("/")
    found = document
    for name in outer:
        found = found[int(name) if isinstance(found, list) else name]
    found[int(last) if isinstance(found, list) else last] = value
    return document


@pytest.mark.parametrize("given_up", [None, "its endpoint was disabled"])
@pytest.mark.parametrize("statuses", [[], [200], [500], [200, 500], [500, 200]])
@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_a_delivery_has_ended_as_its_last_attempt_says_or_was_given_up(
    mock: Mock, state: str, statuses: list[int], given_up: str | None
) -> None:
    lived_in(mock)
    document = take(mock).json()
    (delivery,) = document["deliveries"]["deliveries"]
    first = delivery["attempts"][0] | {"ended_ms": delivery["attempts"][0]["started_ms"]}
    delivery["attempts"] = [first | {"status": status, "error": None} for status in statuses]
    delivery |= {"state": state, "next_attempt_ms": None, "given_up": given_up}
    document["deliveries"]["over"] = [delivery["id"]]
    was_taken = statuses[-1:] == [200]
    is_right = was_taken if state == "succeeded" else bool(given_up or (statuses and not was_taken))
    answer = put(mock, document)
    assert answer.status == (200 if is_right else 400), answer.body


@pytest.mark.parametrize(
    ("path", "value", "pointer", "rule"),
    [
        ("/surprise", 1, "/surprise", "additionalProperties"),
        ("/journal/exchanges/0/surprise", 1, "/journal/exchanges/0/surprise",
         "additionalProperties"),
        ("/tasks/0/order/surprise", 1, "/tasks/0/order/surprise", "additionalProperties"),
        ("/keys/0/surprise", 1, "/keys/0/surprise", "additionalProperties"),
        ("/rules/surprise", 1, "/rules/surprise", "additionalProperties"),
        ("/ledger/accounts/0/balance/surprise", 1, "/ledger/accounts/0/balance/surprise",
         "additionalProperties"),
        ("/deliveries/deliveries/0/event/surprise", 1, "/deliveries/deliveries/0/event/surprise",
         "additionalProperties"),
        ("/deliveries/deliveries/0/fault/surprise", 1, "/deliveries/deliveries/0/fault/surprise",
         "additionalProperties"),
        ("/format", 2, "/format", "enum"),
        ("/tasks", {}, "/tasks", "type"),
        ("/tasks/0/created_ms", "now", "/tasks/0/created_ms", "type"),
        ("/tasks/0/created_ms", True, "/tasks/0/created_ms", "type"),
        ("/tasks/0/order", {}, "/tasks/0/order/request", "required"),
        ("/tasks/0/order/request", "%", "/tasks/0/order/request", "value"),
        ("/clock/mode", "stopped", "/clock/mode", "enum"),
        ("/clock/now_ms", 10**15, "/clock/now_ms", "maximum"),
        ("/clock/scale", 0, "/clock/scale", "exclusiveMinimum"),
        ("/ledger/accounts/0/balance/spent_credits", 1,
         "/ledger/accounts/0/balance/granted_credits", "money"),
        ("/ledger/reservations/0/task_id", "task_x", "/ledger/reservations/0/task_id", "reference"),
        ("/contents/x", b64encode(b"x").decode(), "/contents/x", "sha256"),
        ("/contents", {}, "/files/0/content", "reference"),
        ("/files/0/mime_type", "text/html", "/files/0/mime_type", "enum"),
        ("/files/0/kind", "page", "/files/0/kind", "enum"),
        ("/files/0/name", "../a.png", "/files/0/name", "filename"),
        ("/files/0/duration_s", -1, "/files/0/duration_s", "minimum"),
        ("/tasks/1/fate/ends_ms", START_MS + 9, "/tasks/1/fate/ends_ms", "minimum"),
        ("/tasks/1/fate/ends_ms", START_MS + 9000, "/ledger/reservations/0", "agenda"),
        ("/tasks/0/fate/ends_ms", START_MS + 9000, "/tasks/0/fate/ends_ms", "money"),
        ("/tasks/0/fate/outcome", "broke", "/ledger/accounts/0/balance/spent_credits", "money"),
        ("/tasks/0/order/account", "zoe", "/tasks/0/order/account", "reference"),
        ("/tasks/0/order/api", "other", "/tasks/0/order/api", "enum"),
        ("/tasks/0/order/model", "other", "/tasks/0/order/model", "enum"),
        ("/tasks/0/order/request", DEEP, "/tasks/0/order/request", "json"),
        ("/tasks/0/order/request", b64(b'{"prompt":5}'), "/tasks/0/order/request", "value"),
        ("/tasks/0/order/request", b64(b'{"prompt":"x","prompt":"y"}'),
         "/tasks/0/order/request", "json"),
        ("/agenda/0/at_ms", START_MS + 1, "/agenda/0/at_ms", "agenda"),
        ("/agenda/1/at_ms", START_MS + 3_600_000, "/ledger/reservations/0", "agenda"),
        ("/deliveries/deliveries/0/event/api", "other", "/deliveries/deliveries/0/event/api",
         "enum"),
        ("/deliveries/deliveries/0/event/body", DEEP, "/deliveries/deliveries/0/event/body",
         "json"),
        ("/deliveries/deliveries/0/event/body", b64(b'{"a":\0}'),
         "/deliveries/deliveries/0/event/body", "json"),
        ("/deliveries/deliveries/0/waits_ms/0", 10**30, "/deliveries/deliveries/0/waits_ms/0",
         "maximum"),
        ("/deliveries/deliveries/0/state", "succeeded", "/deliveries/deliveries/0/state",
         "attempts"),
        ("/deliveries/deliveries/0/state", "failed", "/deliveries/deliveries/0/next_attempt_ms",
         "const"),
        ("/endpoints/0/secret", "whsec_", "/endpoints/0/secret", "pattern"),
        ("/keys/0/secret", "a b", "/keys/0/secret", "pattern"),
        ("/rules/queued_ms", 10**12 + 1, "/rules/queued_ms", "maximum"),
        ("/faults/faults", [{"id": "fault_" + "1" * 5000, **FAULT}], "/faults/faults/0/id",
         "pattern"),
        ("/faults/faults", [{"id": "fault_x", **FAULT}], "/faults/faults/0/id", "pattern"),
        ("/faults/faults", [{"id": "fault_1", **FAULT, "happened": 2}],
         "/faults/faults/0/matched", "minimum"),
        ("/faults/source", "default", "/faults/source", "const"),
        ("/inboxes", [INBOX], "/inboxes/0/given", "maximum"),
        ("/journal/exchanges/0/ended_ms", 0, "/journal/exchanges/0/ended_ms", "minimum"),
    ],
)  # fmt: skip
def test_a_wrong_document_is_refused_at_its_place_and_changes_nothing(
    mock: Mock, path: str, value: Any, pointer: str, rule: str
) -> None:
    lived_in(mock)
    before = take(mock)
    answer = put(mock, changed(before.json(), path, value))
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    errors = [(each["pointer"], each["rule"]) for each in answer.json()["errors"]]
    assert pointer in [place for place, _ in errors]
    assert rule in [rule for _, rule in errors]
    assert take(mock).body == before.body


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"a":1,"a":1}'],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_snapshot_changes_nothing(mock: Mock, body: bytes) -> None:
    lived_in(mock)
    before = take(mock)
    assert put(mock, body).status == 400
    assert take(mock).body == before.body


def test_a_repeated_name_is_refused(mock: Mock) -> None:
    taken = take(mock).body
    answer = put(mock, taken.replace(b'"seed":', b'"seed":3,"seed":', 1))
    assert answer.json()["errors"][0]["pointer"] == "/seed"


def test_a_document_that_is_too_large_is_refused(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(limits__snapshot_bytes=2000)
    answer = put(mock, take(mock).body + b" " * 2000)
    assert (answer.status, answer.json()["errors"][0]["rule"]) == (400, "size")


def test_a_snapshot_may_be_larger_than_other_bodies(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(limits__body_bytes=400)
    assert put(mock, take(mock).body).status == 200


@pytest.mark.parametrize(
    ("limit", "place"),
    [
        ("keys", "/keys"),
        ("accounts", "/ledger/accounts"),
        ("faults", "/faults/faults"),
        ("fault_patterns", "/faults/faults"),
        ("fault_pointer_steps", "/faults/faults"),
    ],
)
def test_a_snapshot_of_a_world_with_more_than_the_settings_allow_is_refused(
    make_mock: Callable[..., Mock], limit: str, place: str
) -> None:
    large = make_mock()
    for prompt in ("a", "b"):
        rule = {"match": {"prompt": prompt}, "effect": {"type": "body", "null": ["/x"]}}
        body = json.dumps(rule).encode()
        path = "/_mock/worlds/default/faults"
        assert large.request("POST", path, headers=JSON, body=body).status == 201
    document = take(large).body
    assert put(make_mock(**{f"limits__{limit}": 2}), document).status == 200
    refused = put(make_mock(**{f"limits__{limit}": 1}), document)
    assert refused.status == 400
    (error,) = refused.json()["errors"]
    assert error["pointer"] == place
    assert f"limits.{limit}" in error["detail"]


def test_a_snapshot_with_a_fault_of_an_unknown_api_is_refused(mock: Mock) -> None:
    rule = {"match": {"api": "rivya"}, "effect": {"type": "body", "null": ["/x"]}}
    calls.on_faults(mock, "POST", body=rule)
    changed = json.loads(take(mock).body)
    changed["faults"]["faults"][0]["rule"]["match"]["api"] = "rivia"
    refused = put(mock, json.dumps(changed).encode())
    assert refused.status == 400
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "/faults/faults/0/rule/match/api"
    assert "did you mean 'rivya'" in error["detail"]


def test_a_world_that_is_not_there_is_not_made(mock: Mock) -> None:
    assert take(mock, "none").status == 404
    assert put(mock, take(mock).body, "none").status == 404


def test_ids_that_a_document_leaves_out_are_not_reused(
    make_mock: Callable[..., Mock],
) -> None:
    mock = make_mock(tasks__failure_rate=1)

    def make() -> None:
        mock.create()
        mock.upload(PNG + bytes([len(mock.world.uploads)]))
        mock.rivya("POST", "/webhooks", HOOK)

    make()
    make()
    advance(mock, 1)
    document = take(mock).json()
    for kind in ("tasks", "files", "endpoints"):
        del document[kind][0]
    del document["history"]["tasks"][0]
    kept = {file["content"] for file in document["files"]}
    document["contents"] = {each: document["contents"][each] for each in kept}
    assert put(mock, document).status == 200
    make()
    world = mock.world
    assert [len(each) for each in (world.tasks, world.uploads, world.endpoints)] == [2, 2, 2]


# --- over sockets -------------------------------------------------------------------------------


def snapshot_of(mock: Live) -> httpx2.Response:
    return httpx2.get(f"{mock.url}/_mock/worlds/default/snapshot")


def put_into(mock: Live, document: bytes) -> httpx2.Response:
    url = f"{mock.url}/_mock/worlds/default/snapshot"
    return httpx2.put(url, content=document, headers=JSON, timeout=WAIT_S)


def test_a_pending_retry_goes_out_from_the_server_it_was_moved_to() -> None:
    waits: dict[str, Any] = {"acedata__callback_waits_s": [60], "acedata__sign_callbacks": True}
    with receiver(500, 200) as hook:
        with live(**waits) as first:
            body = VIDEO | {"callback_url": hook.url, "callback_secret": "s3cret"}
            created = httpx2.post(f"{first.url}/hailuo/videos", json=body, headers=ACEDATA)
            task_id = created.json()["task_id"]
            first.advance(1)
            after_attempts(first, 1)
            taken = snapshot_of(first)
        with live(**waits, seed=99) as second:
            answer = put_into(second, taken.content)
            assert answer.headers["etag"] == taken.headers["etag"]
            assert snapshot_of(second).content == taken.content
            second.advance(60)
            delivery = after_attempts(second, 2)
            tried, retried = (hook.received.get(timeout=WAIT_S) for _ in range(2))
            video_url = json.loads(retried.body)["data"][0]["video_url"]
            assert httpx2.get(video_url).status_code == 200
    assert delivery["state"] == "succeeded"
    assert video_url == f"{second.url}/media/default/{task_id}.mp4"
    before, after = (each.url.removeprefix("http://").encode() for each in (first, second))
    assert retried.body == tried.body.replace(before, after)
    signature = hmac.new(b"s3cret", retried.body, "sha256").hexdigest()
    assert retried.headers["x-callback-signature"] == signature


def test_uploads_bring_their_bytes_to_another_server() -> None:
    with live() as first, live() as second:
        url = f"{first.url}/api/v1/files"
        files = {"file": ("a.png", PNG)}
        stored = httpx2.post(url, data={"kind": "image"}, files=files, headers=RIVYA).json()
        put_into(second, snapshot_of(first).content)
        shown = httpx2.get(f"{second.url}/api/v1/files/{stored['id']}", headers=RIVYA).json()
        assert shown["url"].startswith(second.url)
        assert httpx2.get(shown["url"]).content == PNG


def test_a_running_attempt_continues_here_and_is_repeated_in_the_copy() -> None:
    with live() as first, live() as second, silent_receiver() as url:
        body = VIDEO | {"callback_url": url}
        httpx2.post(f"{first.url}/hailuo/videos", json=body, headers=ACEDATA)
        first.fake.world().clock.advance(1000)
        while not (known := deliveries_of(first)) or not known[0]["attempts"]:
            pass
        taken = snapshot_of(first)
        assert snapshot_of(first).content == taken.content
        (delivery,) = json.loads(taken.content)["deliveries"]["deliveries"]
        assert delivery["attempts"] == []
        assert delivery["next_attempt_ms"] == START_MS + 1000
        put_into(second, taken.content)
        while not deliveries_of(second)[0]["attempts"]:
            pass
        assert len(deliveries_of(first)[0]["attempts"]) == 1


def deliveries_of(mock: Live) -> Any:
    return httpx2.get(f"{mock.url}/_mock/worlds/default/deliveries").json()["deliveries"]


def test_a_restore_answers_a_held_open_request_and_its_task_continues() -> None:
    statuses: list[int] = []

    def hold() -> None:
        url = f"{mock.url}/hailuo/videos"
        statuses.append(httpx2.post(url, json=VIDEO, headers=ACEDATA, timeout=WAIT_S).status_code)

    with live() as mock:
        held = threading.Thread(target=hold)
        held.start()
        while not len(mock.fake.world().tasks):
            httpx2.get(f"{mock.url}/_mock/health")
        put_into(mock, snapshot_of(mock).content)
        held.join(WAIT_S)
        mock.advance(1)
        balance = mock.fake.world().ledger.balance("acedata-test")
    assert statuses == [500]
    assert (balance.reserved_credits, balance.spent_credits) == (0, 1)


def test_a_running_advance_stops_at_a_restore() -> None:
    def move() -> None:
        url = f"{mock.url}/_mock/worlds/default/clock/advance"
        answers.append(httpx2.post(url, json={"seconds": 3600}, timeout=WAIT_S).status_code)

    answers: list[int] = []
    with live(deliveries__timeout_s=5) as mock, silent_receiver() as url:
        httpx2.post(f"{mock.url}/hailuo/videos", json=VIDEO | {"async": True}, headers=ACEDATA)
        pending = snapshot_of(mock).content
        body = VIDEO | {"callback_url": url}
        httpx2.post(f"{mock.url}/hailuo/videos", json=body, headers=ACEDATA)
        moving = threading.Thread(target=move)
        moving.start()
        while not (known := deliveries_of(mock)) or not known[0]["attempts"]:
            pass
        put_into(mock, pending)
        moving.join(WAIT_S)
        now_ms = mock.fake.world().clock.now_ms()
    assert answers == [200]
    assert now_ms == START_MS


def test_a_running_clock_continues_in_the_other_server() -> None:
    with live(clock__mode="real", clock__start=None) as first, live() as second:
        body = json.dumps({"model": "hailuo-pro", "prompt": "x"}).encode()
        headers = RIVYA | JSON
        created = httpx2.post(f"{first.url}/api/v1/generations", content=body, headers=headers)
        put_into(second, snapshot_of(first).content)
        url = f"{second.url}/api/v1/generations/{created.json()['id']}"
        while httpx2.get(url, headers=RIVYA).json()["status"] != "succeeded":
            pass
