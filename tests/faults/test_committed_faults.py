"""The answer is lost, late or wrong, before or after the state has changed.

Before: nothing has happened, and asking again is asking for the first time. After: the task is
there and paid for; asking again with the same Idempotency-Key finds it, with another pays twice.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from msgspec.structs import asdict

from mock_server.core.journal import Exchange
from tests import calls
from tests.live import Live, live
from tests.mock import Mock

PATIENCE_S = 0.1
HTML = "<html>bad</html>"
TRANSPORT: dict[str, dict[str, Any]] = {
    "reset": {"type": "connection", "how": "reset"},
    "hang": {"type": "connection", "how": "hang"},
    "proxy": {"type": "answer", "status": 502, "body": HTML},
    "timeout of a proxy": {"type": "answer", "status": 504, "body": HTML},
    "error": {"type": "error", "code": "internal_error"},
    "delay": {"type": "delay", "seconds": 60},
}
AFTER_ALL: dict[str, dict[str, Any]] = {
    "reset after bytes": {"type": "connection", "how": "reset", "after_bytes": 10},
    "hang after bytes": {"type": "connection", "how": "hang", "after_bytes": 10},
    "cut": {"type": "body", "cut_at": 10},
    "not JSON": {"type": "body", "replace": "oops"},
    "another status": {"type": "body", "status": 500},
}
COMMITTED = {name: effect | {"when": "after"} for name, effect in TRANSPORT.items()} | AFTER_ALL
ENDLESS = {"hang", "hang after bytes", "delay"}
ERRORS = {"rivya": "internal_error", "acedata": "api_error"}


class Server:
    """A server on a socket, and clients with a short timeout."""

    def __init__(self, api: str, mock: Live) -> None:
        self.api = api
        self.mock = mock

    def add_fault(self, effect: dict[str, Any], **terms: Any) -> None:
        if effect["type"] == "error":
            effect = effect | {"code": ERRORS[self.api]}
        rule = {"effect": effect, "match": {"operation": "create", "api": self.api}} | terms
        headers = {"content-type": "application/json"}
        body = json.dumps(rule).encode()
        assert self.status(calls.Request("POST", calls.FAULTS, headers, body)) == 201

    def until(self, is_so: Callable[[], object]) -> None:
        """Return when the server has reached this state."""
        while not is_so():
            self.tasks()

    def try_once(self, asked: calls.Request, name: str = "") -> bytes:
        """What has come when the connection ends, or after a short time.

        name: what goes wrong; of some of it a caller would never see the end.
        """
        received = bytearray()
        with calls.sent(self.mock.url, asked) as connection:
            if name in ENDLESS:
                self.until(lambda: self.creates and self.creates[-1].faults)
                connection.settimeout(PATIENCE_S)
            try:
                while chunk := connection.recv(1 << 16):
                    received += chunk
            except (TimeoutError, ConnectionResetError):
                pass
        return bytes(received)

    def fail_once(self, effect: dict[str, Any], name: str, *, key: str | None = None) -> bytes:
        """The answer to a create with this fault. The next create has none."""
        self.add_fault(effect, times=1)
        return self.try_once(self.create(key), name)

    def answer(self, asked: calls.Request) -> tuple[int, Any]:
        """Status and document of a whole answer."""
        with calls.sent(self.mock.url, asked) as connection:
            received = bytearray()
            while chunk := connection.recv(1 << 16):
                received += chunk
        head, _, body = bytes(received).partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)

    def status(self, asked: calls.Request) -> int:
        return self.answer(asked)[0]

    def create(self, key: str | None = None) -> calls.Request:
        return calls.create(self.api, headers=None if key is None else {"idempotency-key": key})

    def make(self, key: str | None = None) -> str:
        """The id of a task whose create is answered as it should be."""
        status, document = self.answer(self.create(key))
        assert status == 200, document
        return calls.task_id_of(document)

    def tasks(self) -> list[str]:
        """The ids of all tasks, oldest first."""
        _, document = self.answer(calls.get("/_mock/worlds/default/tasks"))
        return [task["id"] for task in document["tasks"]]

    def balance(self) -> dict[str, int]:
        return asdict(self.mock.fake.world().ledger.balance(calls.ACCOUNTS[self.api]))

    def must_have(self, tasks: int) -> list[str]:
        """So many tasks are there, each with its price held, and no credit is missing."""
        ids = self.tasks()
        assert len(ids) == len(set(ids)) == tasks
        price = calls.PRICES[self.api] * tasks
        balance = self.balance()
        assert (balance["reserved_credits"], balance["spent_credits"]) == (price, 0)
        assert balance["available_credits"] == balance["granted_credits"] - price
        assert calls.is_balanced(self.mock.fake.world())
        return ids

    @property
    def creates(self) -> list[Exchange]:
        path = calls.create(self.api).path
        return [each for each in self.mock.fake.world().journal if each.path == path]


Serve = Callable[[str], Server]


@pytest.fixture
def serve() -> Iterator[Callable[[str], Server]]:
    with ExitStack() as ending:
        yield lambda api: Server(api, ending.enter_context(live()))


# --- before and after ------------------------------------------------------------------------


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize("name", [name for name in TRANSPORT if name != "delay"])
def test_before_nothing_has_happened_and_the_next_create_is_the_first(
    serve: Serve, api: str, name: str
) -> None:
    server = serve(api)
    server.fail_once(TRANSPORT[name], name)
    server.must_have(0)
    (exchange,) = server.creates
    assert exchange.without == "accepted"
    assert len(exchange.faults) == 1
    assert server.must_have(0) == []
    assert [server.make()] == server.must_have(1)


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize("name", COMMITTED)
def test_after_the_task_is_paid_for_once(serve: Serve, api: str, name: str) -> None:
    server = serve(api)
    seen = server.fail_once(COMMITTED[name], name)
    (task_id,) = server.must_have(1)
    assert task_id.encode() not in seen or name == "another status"
    (exchange,) = server.creates
    assert exchange.faults
    assert exchange.account == calls.ACCOUNTS[api]
    # A create without an Idempotency-Key makes another task.
    again_id = server.make()
    assert server.must_have(2) == [task_id, again_id]


@pytest.mark.parametrize("name", COMMITTED)
def test_after_the_same_key_finds_the_task_and_another_is_charged_again(
    serve: Serve, name: str
) -> None:
    server = serve("rivya")
    server.fail_once(COMMITTED[name], name, key="first")
    ids = server.must_have(1)
    _until_ended(server, 1)
    assert [server.make("first"), server.make("first")] == ids * 2
    server.must_have(1)
    other_id = server.make("second")
    assert server.must_have(2) == [*ids, other_id]
    assert len(server.creates) == 4


@pytest.mark.parametrize("name", [name for name in TRANSPORT if name != "delay"])
def test_before_the_same_key_is_still_free_for_any_body(serve: Serve, name: str) -> None:
    server = serve("rivya")
    server.fail_once(TRANSPORT[name], name, key="first")
    server.must_have(0)
    headers = {"idempotency-key": "first"}
    other = calls.create("rivya", prompt="Another one", headers=headers)
    status, document = server.answer(other)
    assert (status, server.must_have(1)) == (200, [document["id"]])
    assert server.answer(server.create("first"))[1]["error"]["code"] == "idempotency_conflict"


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize("name", COMMITTED)
def test_a_task_whose_answer_was_lost_ends_normally(serve: Serve, api: str, name: str) -> None:
    server = serve(api)
    server.fail_once(COMMITTED[name], name)
    (task_id,) = server.tasks()
    server.mock.advance(1)
    status, shown = server.answer(calls.read(api, task_id))
    assert status == 200
    assert "succeeded" in str(shown)
    assert server.balance()["spent_credits"] == calls.PRICES[api]
    assert server.balance()["reserved_credits"] == 0


@pytest.mark.parametrize("name", TRANSPORT)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_refused_create_makes_no_task_under_any_fault(name: str, when: str) -> None:
    with live(accounts=[]) as mock:
        server = Server("rivya", mock)
        server.add_fault(TRANSPORT[name] | {"when": when})
        server.try_once(server.create(), name)
        assert server.tasks() == []
        (exchange,) = server.creates
        assert exchange.status in {None, 401, 500, 502, 504}


def test_each_of_many_lost_answers_is_paid_for(serve: Serve) -> None:
    server = serve("rivya")
    server.add_fault(COMMITTED["reset"], times=3)
    for key in ("a", "a", "b", "c"):
        server.try_once(server.create(key))
    # The second one found the task of the first, and its answer was lost as well.
    ids = server.must_have(2 + 1)
    assert [server.make(key) for key in "abc"] == ids
    assert server.status(server.create("a")) == 200


def test_a_lost_answer_without_credits_charges_nothing() -> None:
    accounts = [{"name": "poor", "credits": 56, "keys": [{"key": "rvya_sk_test", "api": "rivya"}]}]
    with live(accounts=accounts) as mock:
        server = Server("rivya", mock)
        server.add_fault(COMMITTED["reset"], times=1)
        assert server.try_once(server.create()) == b""
        assert server.tasks() == []
        (exchange,) = server.creates
        assert exchange.without == "402 insufficient_credits"
        assert mock.fake.world().ledger.balance("poor").available_credits == 56


# --- while it hangs --------------------------------------------------------------------------


def _until_ended(server: Server, count: int) -> None:
    """Return when so many creates have ended."""
    server.until(lambda: sum(each.ended_ms is not None for each in server.creates) >= count)


@pytest.mark.parametrize("name", ["hang", "hang after bytes", "delay"])
def test_a_retry_conflicts_while_the_first_hangs_and_then_finds_the_task(
    serve: Serve, name: str
) -> None:
    server = serve("rivya")
    server.add_fault(COMMITTED[name], times=1)
    with calls.sent(server.mock.url, server.create("first")) as hanging:
        server.until(server.tasks)
        ids = server.must_have(1)
        for _ in range(2):
            status, told = server.answer(server.create("first"))
            assert (status, told["error"]["code"]) == (409, "idempotency_conflict")
        other_id = server.make("second")
        assert server.must_have(2) == [*ids, other_id]
        hanging.shutdown(socket.SHUT_WR)
    _until_ended(server, 4)
    assert server.make("first") == ids[0]
    server.must_have(2)


def test_a_hang_before_anything_has_happened_holds_no_key(serve: Serve) -> None:
    server = serve("rivya")
    server.add_fault(TRANSPORT["hang"], times=1)
    with calls.sent(server.mock.url, server.create("first")):
        server.until(lambda: server.creates and server.creates[0].faults)
        server.must_have(0)
        task_id = server.make("first")
        assert server.must_have(1) == [task_id]


def test_a_late_answer_releases_its_key(mock: Mock) -> None:
    calls.add_faults(mock, scenario="late_answer", times=1)
    asked = calls.create("rivya", headers={"idempotency-key": "k"})
    first = calls.OpenRequest(mock, asked)
    assert calls.send(mock, asked).status == 409
    calls.advance(mock, 60)
    assert first.answer().json()["id"] == calls.send(mock, asked).json()["id"]
    assert len(mock.world.tasks) == 1


def test_a_late_answer_releases_its_key_if_its_client_hangs_up(mock: Mock) -> None:
    calls.add_faults(mock, scenario="late_answer", times=1)
    asked = calls.create("rivya", headers={"idempotency-key": "k"})
    first = calls.OpenRequest(mock, asked)
    assert calls.send(mock, asked).status == 409
    first.hang_up()
    assert not first.is_open
    assert calls.send(mock, asked).status == 200
    assert len(mock.world.tasks) == 1


def test_a_request_with_a_late_start_runs_after_its_client_hung_up(mock: Mock) -> None:
    """The server was slow to look at the request, not to answer it: it cannot know."""
    calls.add_faults(mock, scenario="slow", times=1)
    first = calls.OpenRequest(mock, calls.create("rivya"))
    first.hang_up()
    assert len(mock.world.tasks) == 0
    calls.advance(mock, 3)
    first.settle()
    assert len(mock.world.tasks) == 1
    assert calls.is_balanced(mock.world)


@pytest.mark.parametrize("api", calls.APIS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_hang_ends_with_the_server_and_without_an_answer(api: str, when: str) -> None:
    with live() as mock:
        server = Server(api, mock)
        server.add_fault(TRANSPORT["hang"] | {"when": when}, times=1)
        hanging = calls.sent(server.mock.url, server.create())
        server.until(lambda: server.creates and server.creates[0].faults)
    with hanging:
        received = bytearray()
        while chunk := hanging.recv(1 << 16):
            received += chunk
    assert b"task" not in received
