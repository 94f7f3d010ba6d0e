"""Tests that need a real network: many waiting clients, hanging up, callbacks."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.live import WAIT_S, Live, live
from tests.mock import KEY, MINIMAL, START_MS, TOKEN, VIDEO
from tests.receiver import receiver
from tools.proxy import free_port

RIVYA = {"authorization": f"Bearer {KEY}"}
ACEDATA = {"authorization": f"Bearer {TOKEN}"}


def connect(mock: Live) -> socket.socket:
    address = urlsplit(mock.url)
    return socket.create_connection((str(address.hostname), int(address.port or 0)), WAIT_S)


def held_open(body: bytes) -> bytes:
    return (
        b"POST /hailuo/videos HTTP/1.1\r\nhost: mock.test\r\nauthorization: Bearer test-token\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    )


def wait_for_tasks(mock: Live, count: int) -> None:
    """Returns when so many tasks exist. Each check is a request, so that the server can run."""
    while len(mock.fake.world().tasks) < count:
        httpx2.get(f"{mock.url}/_mock/health")


def test_a_thousand_held_open_requests_wait_without_threads_and_all_get_their_video() -> None:
    async def crowd(mock: Live) -> list[bytes]:
        address = urlsplit(mock.url)
        request = held_open(json.dumps(VIDEO).encode())

        async def one() -> bytes:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            writer.close()
            return head

        waiting = [asyncio.create_task(one()) for _ in range(1000)]
        await asyncio.to_thread(wait_for_tasks, mock, 1000)
        threads_waiting.append(threading.active_count())
        await asyncio.to_thread(mock.advance, 1)
        return await asyncio.gather(*waiting)

    threads_waiting: list[int] = []
    with live() as mock:
        threads = threading.active_count()
        heads = asyncio.run(crowd(mock))
        assert all(head.startswith(b"HTTP/1.1 200") for head in heads)
        # The test's own executor may have grown; the server has its one thread.
        assert threads_waiting[0] <= threads + 2
        assert mock.fake.world().ledger.balance("acedata-test").spent_credits == 1000


def test_a_task_continues_after_its_client_hangs_up() -> None:
    with live() as mock:
        with connect(mock) as connection:
            connection.sendall(held_open(json.dumps(VIDEO).encode()))
            wait_for_tasks(mock, 1)
        mock.advance(1)
        task_id = mock.fake.world().ids.task("acedata", 1)
        query = {"action": "retrieve", "id": task_id}
        task = httpx2.post(f"{mock.url}/hailuo/tasks", json=query, headers=ACEDATA).json()
        assert task["response"]["success"] is True


def test_a_client_that_hangs_up_during_its_body_changes_nothing() -> None:
    with live() as mock:
        head, _, body = held_open(json.dumps(VIDEO).encode()).partition(b"\r\n\r\n")
        with connect(mock) as connection:
            connection.sendall(head + b"\r\n\r\n" + body[:10])
        with connect(mock) as connection:
            connection.sendall(
                b"POST /api/v1/files HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"
            )
        assert httpx2.get(f"{mock.url}/_mock/health").status_code == 200
        assert len(mock.fake.world().tasks) == 0
        assert mock.fake.world().ledger.balance("acedata-test").reserved_credits == 0


def test_an_oversized_body_is_refused_before_it_is_read() -> None:
    with live(limits__body_bytes=1000) as mock, connect(mock) as connection:
        connection.sendall(
            b"POST /api/v1/generations HTTP/1.1\r\nhost: x\r\n"
            b"authorization: Bearer rvya_sk_test\r\n"
            b"content-type: application/json\r\ncontent-length: 100000000\r\n\r\n" + b" " * 2000
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")


def test_racing_creates_of_one_key_make_one_task_and_one_charge() -> None:
    async def race(mock: Live) -> set[str]:
        async with httpx2.AsyncClient(base_url=mock.url, headers=RIVYA, timeout=WAIT_S) as client:
            answers = await asyncio.gather(
                *(
                    client.post(
                        "/api/v1/generations", json=MINIMAL, headers={"idempotency-key": "once"}
                    )
                    for _ in range(50)
                )
            )
        return {answer.json()["id"] for answer in answers if answer.status_code == 200}

    with live() as mock:
        assert len(asyncio.run(race(mock))) == 1
        assert mock.fake.world().ledger.balance("rivya-test").reserved_credits == 57


def test_a_callback_comes_once_after_the_end_of_its_task() -> None:
    with live() as mock, receiver() as hook:
        accepted = httpx2.post(
            f"{mock.url}/hailuo/videos", json=VIDEO | {"callback_url": hook.url}, headers=ACEDATA
        ).json()
        assert hook.received.empty()
        mock.advance(1)
        callback = hook.received.get(timeout=WAIT_S)
        query = {"action": "retrieve", "id": accepted["task_id"]}
        task = httpx2.post(f"{mock.url}/hailuo/tasks", json=query, headers=ACEDATA).json()
        assert callback.headers["content-type"] == "application/json"
        expected = dict(task["response"])
        expected["data"] = [
            {k: v for k, v in expected["data"][0].items() if k != "first_image_url"}
        ]
        assert json.loads(callback.body) == expected
        assert hook.received.empty()


def test_a_failed_task_calls_back_with_its_error() -> None:
    with live(tasks__failure_rate=1) as mock, receiver() as hook:
        httpx2.post(
            f"{mock.url}/hailuo/videos", json=VIDEO | {"callback_url": hook.url}, headers=ACEDATA
        )
        mock.advance(1)
        body = json.loads(hook.received.get(timeout=WAIT_S).body)
        assert body["success"] is False
        assert body["error"]["code"] == "api_error"
        assert "data" not in body


def test_a_callback_follows_no_redirect() -> None:
    with live() as mock, receiver() as elsewhere:
        with receiver(307, headers={"location": elsewhere.url}) as hook:
            httpx2.post(
                f"{mock.url}/hailuo/videos",
                json=VIDEO | {"callback_url": hook.url},
                headers=ACEDATA,
            )
            mock.advance(1)
            hook.received.get(timeout=WAIT_S)
        assert elsewhere.received.empty()


def test_a_failed_callback_does_not_change_its_task() -> None:
    with live() as mock:
        body = VIDEO | {"callback_url": f"http://127.0.0.1:{free_port()}/gone"}
        accepted = httpx2.post(f"{mock.url}/hailuo/videos", json=body, headers=ACEDATA).json()
        mock.advance(1)
        query = {"action": "retrieve", "id": accepted["task_id"]}
        task = httpx2.post(f"{mock.url}/hailuo/tasks", json=query, headers=ACEDATA).json()
        assert task["response"]["success"] is True


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:1/x", True),
        ("http://127.8.8.8/x", True),
        ("http://[::1]/x", True),
        ("http://localhost/x", True),
        ("http://LOCALHOST./x", True),
        ("http://hook.localhost/x", True),
        ("https://webhook.site/x", False),
        ("http://10.0.0.1/x", False),
        ("http://localhost.evil.test/x", False),
        ("http://127.0.0.1@webhook.site/x", False),
        ("http://0x7f000001/x", True),
        ("http://[::ffff:127.0.0.1]/x", True),
        ("http://[64:ff9b::7f00:1]/x", False),
        ("http://[2002:7f00:1::]/x", False),
        ("http://[::127.0.0.1]/x", False),
        ("http://[::1%25lo]/x", False),
        ("http://0.0.0.0/x", False),
        ("http://[::]/x", False),
        ("http:///x", False),
    ],
)
def test_only_allowed_hosts_are_called(url: str, *, allowed: bool) -> None:
    with live() as mock:
        assert mock.fake.sender.may_call(url) is allowed


def test_other_hosts_can_be_allowed_by_name_or_all() -> None:
    with live(callback_hosts=["hooks.test"]) as mock:
        assert mock.fake.sender.may_call("https://hooks.test/x")
        assert not mock.fake.sender.may_call("http://127.0.0.1/x")
    with live(callback_hosts=["*"]) as mock:
        assert mock.fake.sender.may_call("https://webhook.site/x")


def test_the_real_clock_ends_tasks_without_any_request_coming_in() -> None:
    with (
        live(**{"clock.mode": "real"}, tasks__queued_s=0.01, tasks__processing_s=0.01) as mock,
        receiver() as hook,
    ):
        httpx2.post(
            f"{mock.url}/hailuo/videos", json=VIDEO | {"callback_url": hook.url}, headers=ACEDATA
        )
        assert hook.received.get(timeout=WAIT_S).method == "POST"


def test_minutes_pass_quickly_on_a_scaled_clock() -> None:
    with live(**{"clock.mode": "real"}, time_scale=6000, tasks__processing_s=120) as mock:
        body = httpx2.post(
            f"{mock.url}/hailuo/videos", json=VIDEO, headers=ACEDATA, timeout=WAIT_S
        ).json()
        assert body["data"][0]["state"] == "succeeded"
        assert mock.fake.world().clock.now_ms() >= START_MS + 120_000


def test_urls_begin_with_the_host_that_the_client_used() -> None:
    with live() as mock:
        created = httpx2.post(f"{mock.url}/api/v1/generations", json=MINIMAL, headers=RIVYA).json()
        mock.advance(1)
        url = f"{mock.url}/api/v1/generations/{created['id']}"
        shown = httpx2.get(url, headers=RIVYA).json()["result"]["primary_url"]
        assert shown.startswith(mock.url)
        proxied = httpx2.get(url, headers=RIVYA | {"host": "mock.test:99"}).json()
        assert proxied["result"]["primary_url"].startswith("http://mock.test:99/media/")


def test_a_public_url_counts_before_the_host_header() -> None:
    with live(public_url="https://mock.example") as mock:
        created = httpx2.post(f"{mock.url}/api/v1/generations", json=MINIMAL, headers=RIVYA).json()
        mock.advance(1)
        url = f"{mock.url}/api/v1/generations/{created['id']}"
        shown = httpx2.get(url, headers=RIVYA).json()["result"]["primary_url"]
        assert shown == f"https://mock.example/media/default/{created['id']}.mp4"
