"""Who ended an exchange, how much of its answer was sent, and over which connection."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

import httpx2
import pytest

from mock_server.core.journal import Exchange
from tests.live import WAIT_S, Live, live
from tests.mock import KEY, Mock

HEADERS = {"authorization": f"Bearer {KEY}"}
DOOR = "/_mock/worlds/default"


def ended(mock: Live, path: str = "/api/v1/credits") -> Exchange:
    """The last exchange of this path, once it has ended."""
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s:
        httpx2.get(f"{mock.url}/_mock/health")  # so that the server's loop turns
        exchange = [each for each in mock.fake.world().journal if each.path == path][-1]
        if exchange.ended_ms is not None:
            return exchange
    raise AssertionError("the exchange does not end")


def add_fault(mock: Live, **effect: object) -> None:
    answer = httpx2.post(f"{mock.url}{DOOR}/faults", json={"effect": effect, "times": 1})
    assert answer.status_code == 201, answer.text


def get_raw(mock: Live, path: str = "/api/v1/credits", method: str = "GET") -> socket.socket:
    address = urlsplit(mock.url)
    place = str(address.hostname), int(address.port or 0)
    connection = socket.create_connection(place, WAIT_S)
    head = f"{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def test_an_answered_exchange_has_sent_its_whole_body() -> None:
    with live() as mock:
        before_ms = time.time_ns() // 1_000_000
        answer = httpx2.get(f"{mock.url}/api/v1/credits", headers=HEADERS)
        exchange = ended(mock)
        assert exchange.ended_by == "answered"
        assert exchange.sent_bytes == exchange.answer_size_bytes == len(answer.content)
        assert exchange.started_wall_ms is not None
        assert exchange.ended_wall_ms is not None
        after_ms = time.time_ns() // 1_000_000
        assert before_ms <= exchange.started_wall_ms <= exchange.ended_wall_ms <= after_ms


def test_nothing_of_a_body_is_sent_for_head() -> None:
    with live() as mock, get_raw(mock, "/api/v1/credits", "HEAD") as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        exchange = ended(mock)
        assert (exchange.ended_by, exchange.sent_bytes) == ("answered", 0)


def test_a_caller_who_leaves_ends_the_exchange() -> None:
    with live() as mock:
        add_fault(mock, type="connection", how="hang", after_bytes=5)
        with get_raw(mock) as connection:
            assert connection.recv(1000)
        exchange = ended(mock)
        assert (exchange.ended_by, exchange.sent_bytes) == ("caller_left", 5)


def test_a_caller_who_leaves_before_the_answer_was_sent_nothing() -> None:
    with live() as mock:
        add_fault(mock, type="connection", how="hang")
        get_raw(mock).close()
        exchange = ended(mock)
        assert (exchange.ended_by, exchange.sent_bytes, exchange.status) == ("caller_left", 0, None)


@pytest.mark.parametrize("after_bytes", [None, 7])
def test_a_fault_that_resets_the_connection_ends_the_exchange(after_bytes: int | None) -> None:
    with live() as mock:
        add_fault(mock, type="connection", how="reset", after_bytes=after_bytes)
        with pytest.raises(httpx2.TransportError):
            httpx2.get(f"{mock.url}/api/v1/credits", headers=HEADERS)
        exchange = ended(mock)
        assert (exchange.ended_by, exchange.sent_bytes) == ("reset_by_fault", after_bytes or 0)


def test_a_fault_that_cuts_the_body_ends_the_exchange() -> None:
    with live() as mock:
        add_fault(mock, type="body", cut_at=9)
        with pytest.raises(httpx2.TransportError):
            httpx2.get(f"{mock.url}/api/v1/credits", headers=HEADERS)
        exchange = ended(mock)
        assert (exchange.ended_by, exchange.sent_bytes) == ("reset_by_fault", 9)


def test_a_server_that_stops_ends_the_exchange() -> None:
    with live() as mock:
        add_fault(mock, type="connection", how="hang")
        connection = get_raw(mock)
        while not [each for each in mock.fake.world().journal if each.faults]:
            httpx2.get(f"{mock.url}/_mock/health")
        world = mock.fake.world()
    connection.close()
    (exchange,) = world.journal
    assert exchange.ended_by == "server_stopped"


def test_requests_of_one_connection_have_its_number() -> None:
    with live() as mock:
        with httpx2.Client(headers=HEADERS) as one, httpx2.Client(headers=HEADERS) as other:
            for client in (one, one, other):
                client.get(f"{mock.url}/api/v1/credits")
        first, second, third = (each.connection for each in mock.fake.world().journal)
        assert first == second != third
        assert None not in (first, third)


def test_a_download_names_the_task_of_the_video(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    mock.advance(1)
    mock.request("GET", f"/media/default/{task_id}.mp4")
    mock.request("GET", "/media/default/none.mp4")
    assert [each.task for each in mock.world.journal] == [task_id, task_id, None]


def test_a_refused_download_names_the_task_of_the_video(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    effect = {"type": "answer", "status": 503}
    body = json.dumps({"effect": effect, "match": {"operation": "media"}}).encode()
    json_type = {"content-type": "application/json"}
    mock.request("POST", f"{DOOR}/faults", headers=json_type, body=body)
    assert mock.request("GET", f"/media/default/{task_id}.mp4").status == 503
    assert [each.task for each in mock.world.journal] == [task_id, task_id]
