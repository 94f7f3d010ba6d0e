"""Callbacks as deliveries: tried on a schedule, seen attempt by attempt, sent again."""

from __future__ import annotations

import hmac
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
import pytest

from mock_server.config.settings import DeliverySettings
from mock_server.core.deliveries import OutgoingRequest
from mock_server.core.effects import NO_FAULT
from mock_server.core.refusals import Conflict
from mock_server.edge.timestamps import timestamp
from mock_server.outgoing.sender import Sender
from tests.live import WAIT_S, Live, live
from tests.mock import KEY, MINIMAL, START_MS, TOKEN, VIDEO
from tests.receiver import receiver
from tools.proxy import free_port

ACEDATA = {"authorization": f"Bearer {TOKEN}"}
ENDED_MS = START_MS + 1000
ACCEPTED_S = 5


def ask(mock: Live, *urls: str, **fields: str) -> list[str]:
    """A task with a callback to each of the URLs; their ids."""
    with httpx2.Client(base_url=mock.url, headers=ACEDATA) as client:
        bodies = [VIDEO | {"callback_url": url} | fields for url in urls]
        answers = [client.post("/hailuo/videos", json=body) for body in bodies]
    return [answer.json()["task_id"] for answer in answers]


def deliveries(mock: Live) -> Any:
    return httpx2.get(f"{mock.url}/_mock/worlds/default/deliveries").json()["deliveries"]


def after_attempts(mock: Live, count: int) -> Any:
    """The only delivery, once so many attempts have ended; each look gives the server its turn."""
    while True:
        (delivery,) = deliveries(mock)
        ended = [tried for tried in delivery["attempts"] if tried["ended_at"] is not None]
        if len(ended) >= count:
            return delivery


@contextmanager
def silent_receiver() -> Iterator[str]:
    """Accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"


def test_a_failing_receiver_is_tried_again_on_the_schedule_until_it_takes_the_event() -> None:
    with live(acedata__callback_waits_s=[60, 300]) as mock, receiver(500, 503, 204) as hook:
        (task_id,) = ask(mock, hook.url)
        mock.advance(1)
        assert after_attempts(mock, 1)["next_attempt_at"] == timestamp(ENDED_MS + 60_000)
        mock.advance(60)
        assert after_attempts(mock, 2)["next_attempt_at"] == timestamp(ENDED_MS + 360_000)
        mock.advance(300)
        delivery = after_attempts(mock, 3)
        bodies = {hook.received.get(timeout=WAIT_S).body for _ in range(3)}
    assert delivery["state"] == "succeeded"
    assert delivery["event"]["subject"] == task_id
    assert [tried["answer"]["status"] for tried in delivery["attempts"]] == [500, 503, 204]
    times = [tried["started_at"] for tried in delivery["attempts"]]
    assert times == [timestamp(ENDED_MS + later_ms) for later_ms in (0, 60_000, 360_000)]
    assert len(bodies) == 1


@pytest.mark.parametrize("url", ["http://[::1", "http://\udcff.test/"])
def test_a_request_to_a_url_that_cannot_be_called_is_refused(url: str) -> None:
    sender = Sender(DeliverySettings(), ("loopback",))
    with pytest.raises(Conflict, match="the URL cannot be called"):
        sender.as_sent(OutgoingRequest(url, (), b"{}"), NO_FAULT)


def test_a_fault_for_one_delivery_waits_for_a_task_with_a_receiver() -> None:
    with live() as mock, receiver(200) as hook, httpx2.Client(base_url=mock.url) as client:
        once = {"scenario": "delivery_twice", "times": 1}
        client.post("/_mock/worlds/default/faults", json=once).raise_for_status()
        told_nobody = VIDEO | {"async": True}
        client.post("/hailuo/videos", json=told_nobody, headers=ACEDATA).raise_for_status()
        mock.advance(1)
        ask(mock, hook.url)
        mock.advance(60)
        assert len(deliveries(mock)) == 2


def test_a_limit_shows_the_newest() -> None:
    with live() as mock, receiver(*[200] * 3) as hook:
        ids = ask(mock, *[hook.url] * 3)
        mock.advance(1)
        path = f"{mock.url}/_mock/worlds/default/deliveries"
        newest = httpx2.get(path, params={"limit": 2}).json()
        assert [each["event"]["subject"] for each in newest["deliveries"]] == ids[1:]
        assert newest["total"] == len(httpx2.get(path).json()["deliveries"]) == 3


def test_a_callback_is_tried_once_by_default() -> None:
    with live() as mock, receiver(500) as hook:
        ask(mock, hook.url)
        mock.advance(1)
        delivery = after_attempts(mock, 1)
    assert (delivery["state"], delivery["next_attempt_at"]) == ("failed", None)


def test_an_attempt_shows_the_request_as_sent_and_the_answer_as_it_came() -> None:
    with live() as mock, receiver(202, headers={"x-odd": "yes"}, body=b"thanks") as hook:
        ask(mock, hook.url)
        mock.advance(1)
        (tried,) = after_attempts(mock, 1)["attempts"]
        received = hook.received.get(timeout=WAIT_S)
    assert {name.lower(): value for name, value in tried["request"]["headers"]} == received.headers
    assert tried["request"]["body"].encode() == received.body
    assert tried["answer"]["status"] == 202
    assert ["x-odd", "yes"] in tried["answer"]["headers"]
    assert tried["answer"]["body"] == "thanks"
    assert tried["error"] is None


def test_a_delivery_can_be_sent_again() -> None:
    with live() as mock, receiver(500, 200) as hook:
        ask(mock, hook.url)
        mock.advance(1)
        delivery = after_attempts(mock, 1)
        url = f"{mock.url}/_mock/worlds/default/deliveries/{delivery['id']}/redeliver"
        assert httpx2.post(url).status_code == 202
        assert after_attempts(mock, 2)["state"] == "succeeded"
        first, second = (hook.received.get(timeout=WAIT_S) for _ in range(2))
        assert first.body == second.body


def test_a_pending_delivery_cannot_be_sent_again() -> None:
    """The attempt that is asked for is the pending one; a second one would come after it."""
    with live(deliveries__per_receiver=1) as mock, silent_receiver() as url:
        ask(mock, url, url)
        mock.fake.world().clock.advance(1000)
        while not (found := deliveries(mock)) or not found[0]["attempts"]:
            pass
        waits = f"{mock.url}/_mock/worlds/default/deliveries/{found[1]['id']}"
        again = httpx2.post(f"{waits}/redeliver")
        assert (again.status_code, "waits for its turn" in again.json()["title"]) == (409, True)
        shown = httpx2.get(waits).json()
        assert (shown["state"], shown["attempts"]) == ("pending", [])


def test_a_pending_delivery_is_not_sent_to_a_deleted_endpoint() -> None:
    rivya = {"authorization": f"Bearer {KEY}"}
    with live(deliveries__per_receiver=1) as mock:
        with (
            httpx2.Client(base_url=f"{mock.url}/api/v1", headers=rivya) as client,
            silent_receiver() as url,
        ):
            hook = {"url": url, "event_types": ["generation.succeeded"]}
            endpoint_id = client.post("/webhooks", json=hook).json()["id"]
            for _ in range(2):
                client.post("/generations", json=MINIMAL)
            mock.fake.world().clock.advance(1000)
            while not (found := deliveries(mock)) or not found[0]["attempts"]:
                pass
            client.delete(f"/webhooks/{endpoint_id}")
        # Now the receiver has hung up on the first attempt.
        while (last := deliveries(mock)[1])["state"] == "pending":
            pass
        assert last["attempts"] == []
        assert last["given_up"] == "not sent: the endpoint is revoked"


def test_the_secret_of_a_request_signs_its_callback_if_the_setting_says_so() -> None:
    with live(acedata__sign_callbacks=True) as mock, receiver() as hook:
        ask(mock, hook.url, callback_secret="s3cret")
        mock.advance(1)
        received = hook.received.get(timeout=WAIT_S)
    expected = hmac.new(b"s3cret", received.body, "sha256").hexdigest()
    assert received.headers["x-callback-signature"] == expected


@pytest.mark.parametrize(("signs", "fields"), [(False, {"callback_secret": "s3cret"}), (True, {})])
def test_a_callback_is_not_signed_by_default(signs: bool, fields: dict[str, str]) -> None:
    with live(acedata__sign_callbacks=signs) as mock, receiver() as hook:
        ask(mock, hook.url, **fields)
        mock.advance(1)
        assert "x-callback-signature" not in hook.received.get(timeout=WAIT_S).headers


def test_a_host_that_may_not_be_called_is_a_failed_attempt_that_says_so() -> None:
    with live(acedata__callback_waits_s=[60]) as mock:
        ask(mock, "https://webhook.site/580b81f5")
        mock.advance(1)
        delivery = after_attempts(mock, 1)
    (tried,) = delivery["attempts"]
    assert "callback_hosts" in tried["error"]
    assert tried["answer"] is None
    assert tried["request"] is None


def test_a_receiver_that_is_not_there_is_a_failed_attempt() -> None:
    with live() as mock:
        ask(mock, f"http://127.0.0.1:{free_port()}/gone")
        mock.advance(1)
        delivery = after_attempts(mock, 1)
    assert delivery["state"] == "failed"
    assert delivery["attempts"][0]["error"].startswith("ConnectError")


def test_a_receiver_that_never_answers_is_given_up_after_the_timeout() -> None:
    with live(deliveries__timeout_s=0.05) as mock, silent_receiver() as url:
        ask(mock, url)
        mock.advance(1)
        (tried,) = after_attempts(mock, 1)["attempts"]
    assert tried["error"] == "no whole answer within 0.05 s"


def test_an_answer_without_end_is_read_up_to_a_bound() -> None:
    with live() as mock, receiver(200, body=b"x" * 1_000_000) as hook:
        ask(mock, hook.url)
        mock.advance(1)
        delivery = after_attempts(mock, 1)
    assert delivery["state"] == "succeeded"
    assert len(delivery["attempts"][0]["answer"]["body"]) == 4096


def test_receivers_that_hang_delay_no_other_delivery() -> None:
    with live() as mock, ExitStack() as stack, receiver() as hook:
        silent = [stack.enter_context(silent_receiver()) for _ in range(20)]
        ask(mock, *silent * 12, *[hook.url] * 50)
        mock.fake.world().clock.advance(1000)
        httpx2.get(f"{mock.url}/_mock/health")  # not the door's advance: that waits for all
        for _ in range(50):
            hook.received.get(timeout=ACCEPTED_S)


def test_hundreds_due_at_one_moment_all_arrive_once() -> None:
    with live() as mock, receiver() as hook:
        asked = set(ask(mock, *[hook.url] * 300))
        mock.advance(1)
        arrived = [
            json.loads(hook.received.get(timeout=WAIT_S).body)["task_id"] for _ in range(300)
        ]
        assert set(arrived) == asked
        assert hook.received.empty()


@pytest.mark.parametrize("path", ["defualt/deliveries", "default/deliveries/none"])
def test_an_unknown_delivery_is_a_problem_with_a_reason(path: str) -> None:
    with live() as mock:
        answer = httpx2.get(f"{mock.url}/_mock/worlds/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"]
