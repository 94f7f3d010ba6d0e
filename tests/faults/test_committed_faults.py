"""The answer is lost, late or wrong, before or after the state has changed.

Before: nothing has happened, and asking again is asking for the first time. After: the task is
there and paid for; asking again with the same Idempotency-Key finds it, with another pays twice.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import pytest

from mock_server.core.journal import Exchange
from tests.asking import (
    ACCOUNTS,
    APIS,
    FAULTS,
    PRICES,
    Asked,
    Waiting,
    advance,
    create,
    get,
    is_sound,
    read,
    send,
    stand,
    task_id_of,
)
from tests.live import WAIT_S, Live, live
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
    """A server on a socket, and callers with little patience."""

    def __init__(self, api: str, mock: Live) -> None:
        self.api = api
        self.mock = mock

    def stand(self, effect: dict[str, Any], **terms: Any) -> None:
        if effect["type"] == "error":
            effect = effect | {"code": ERRORS[self.api]}
        rule = {"effect": effect, "match": {"operation": "create", "api": self.api}} | terms
        headers = {"content-type": "application/json"}
        body = json.dumps(rule).encode()
        assert self.status(Asked("POST", FAULTS, headers, body)) == 201

    def open(self, asked: Asked) -> socket.socket:
        """A connection on which the request has been sent."""
        address = urlsplit(self.mock.url)
        connection = socket.create_connection((address.hostname, address.port or 0), WAIT_S)
        headers = {"host": "127.0.0.1", "content-length": str(len(asked.body))} | asked.headers
        lines = [f"{asked.method} {asked.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in (headers | {"connection": "close"}).items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + asked.body)
        return connection

    def until(self, is_so: Callable[[], object]) -> None:
        """Return when something has come about on the other side."""
        while not is_so():
            self.tasks()

    def try_once(self, asked: Asked, name: str = "") -> bytes:
        """What has come when the connection ends, or the caller has no more patience.

        name: what goes wrong; of some of it a caller would never see the end.
        """
        received = bytearray()
        with self.open(asked) as connection:
            if name in ENDLESS:
                self.until(lambda: self.creates and self.creates[-1].faults)
                connection.settimeout(PATIENCE_S)
            try:
                while chunk := connection.recv(1 << 16):
                    received += chunk
            except (TimeoutError, ConnectionResetError):
                pass
        return bytes(received)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and document of a whole answer."""
        with self.open(asked) as connection:
            received = bytearray()
            while chunk := connection.recv(1 << 16):
                received += chunk
        head, _, body = bytes(received).partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)

    def status(self, asked: Asked) -> int:
        return self.answer(asked)[0]

    def create(self, key: str | None = None) -> Asked:
        return create(self.api, headers=None if key is None else {"idempotency-key": key})

    def make(self, key: str | None = None) -> str:
        """The id of a task whose create is answered as it should be."""
        status, document = self.answer(self.create(key))
        assert status == 200, document
        return task_id_of(document)

    def tasks(self) -> list[str]:
        """What the door tells of tasks, oldest first; nothing but creates made any."""
        _, document = self.answer(get("/_mock/worlds/default/tasks"))
        return [task["id"] for task in document["tasks"]]

    def balance(self) -> dict[str, int]:
        return asdict(self.mock.fake.world().ledger.balance(ACCOUNTS[self.api]))

    def must_have(self, tasks: int) -> list[str]:
        """So many tasks are there, each with its price held, and no credit is missing."""
        ids = self.tasks()
        assert len(ids) == len(set(ids)) == tasks
        price = PRICES[self.api] * tasks
        balance = self.balance()
        assert (balance["reserved_credits"], balance["spent_credits"]) == (price, 0)
        assert balance["available_credits"] == balance["granted_credits"] - price
        assert is_sound(self.mock.fake.world())
        return ids

    @property
    def creates(self) -> list[Exchange]:
        path = create(self.api).path
        return [each for each in self.mock.fake.world().journal if each.path == path]


@pytest.fixture
def serve() -> Iterator[Callable[[str], Server]]:
    with ExitStack() as ending:
        yield lambda api: Server(api, ending.enter_context(live()))


# --- before and after ------------------------------------------------------------------------


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", [name for name in TRANSPORT if name != "delay"])
def test_before_nothing_has_happened_and_the_next_create_is_the_first(
    serve: Callable[[str], Server], api: str, name: str
) -> None:
    server = serve(api)
    server.stand(TRANSPORT[name], times=1)
    server.try_once(server.create(), name)
    server.must_have(0)
    (exchange,) = server.creates
    assert exchange.without == "accepted"
    assert len(exchange.faults) == 1
    assert server.must_have(0) == []
    assert [server.make()] == server.must_have(1)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", COMMITTED)
def test_after_the_task_is_there_and_paid_for_once(
    serve: Callable[[str], Server], api: str, name: str
) -> None:
    server = serve(api)
    server.stand(COMMITTED[name], times=1)
    seen = server.try_once(server.create(), name)
    (task_id,) = server.must_have(1)
    assert task_id.encode() not in seen or name == "another status"
    (exchange,) = server.creates
    assert exchange.faults
    assert exchange.account == ACCOUNTS[api]
    # Whoever asks again without a key of either kind asks for another one.
    again_id = server.make()
    assert server.must_have(2) == [task_id, again_id]


@pytest.mark.parametrize("name", COMMITTED)
def test_after_the_same_key_finds_the_task_and_another_pays_twice(
    serve: Callable[[str], Server], name: str
) -> None:
    server = serve("rivya")
    server.stand(COMMITTED[name], times=1)
    server.try_once(server.create("first"), name)
    ids = server.must_have(1)
    _until_ended(server, 1)
    assert [server.make("first"), server.make("first")] == ids * 2
    server.must_have(1)
    other_id = server.make("second")
    assert server.must_have(2) == [*ids, other_id]
    assert len(server.creates) == 4


@pytest.mark.parametrize("name", [name for name in TRANSPORT if name != "delay"])
def test_before_the_same_key_is_still_free_for_any_body(
    serve: Callable[[str], Server], name: str
) -> None:
    server = serve("rivya")
    server.stand(TRANSPORT[name], times=1)
    server.try_once(server.create("first"), name)
    server.must_have(0)
    headers = {"idempotency-key": "first"}
    other = create("rivya", prompt="Another one", headers=headers)
    status, document = server.answer(other)
    assert (status, server.must_have(1)) == (200, [document["id"]])
    assert server.answer(server.create("first"))[1]["error"]["code"] == "idempotency_conflict"


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", COMMITTED)
def test_a_task_whose_answer_was_lost_ends_as_any_other(
    serve: Callable[[str], Server], api: str, name: str
) -> None:
    server = serve(api)
    server.stand(COMMITTED[name], times=1)
    server.try_once(server.create(), name)
    (task_id,) = server.tasks()
    server.mock.advance(1)
    status, shown = server.answer(read(api, task_id))
    assert status == 200
    assert "succeeded" in str(shown)
    assert server.balance()["spent_credits"] == PRICES[api]
    assert server.balance()["reserved_credits"] == 0


@pytest.mark.parametrize("name", TRANSPORT)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_create_that_the_rules_refuse_makes_no_task_whatever_goes_wrong(
    name: str, when: str
) -> None:
    with live(accounts=[]) as mock:
        server = Server("rivya", mock)
        server.stand(TRANSPORT[name] | {"when": when})
        server.try_once(server.create(), name)
        assert server.tasks() == []
        (exchange,) = server.creates
        assert exchange.status in {None, 401, 500, 502, 504}


def test_each_of_many_lost_answers_is_paid_for(serve: Callable[[str], Server]) -> None:
    server = serve("rivya")
    server.stand(COMMITTED["reset"], times=3)
    for key in ("a", "a", "b", "c"):
        server.try_once(server.create(key))
    # The second one found the task of the first, and its answer was lost as well.
    ids = server.must_have(2 + 1)
    assert [server.make(key) for key in "abc"] == ids
    assert server.status(server.create("a")) == 200


def test_with_too_few_credits_a_lost_answer_is_lost_and_nothing_is_charged() -> None:
    accounts = [{"name": "poor", "credits": 56, "keys": [{"key": "rvya_sk_test", "api": "rivya"}]}]
    with live(accounts=accounts) as mock:
        server = Server("rivya", mock)
        server.stand(COMMITTED["reset"], times=1)
        assert server.try_once(server.create()) == b""
        assert server.tasks() == []
        (exchange,) = server.creates
        assert exchange.without == "402 insufficient_credits"
        assert mock.fake.world().ledger.balance("poor").available_credits == 56


# --- while it hangs --------------------------------------------------------------------------


def _until_ended(server: Server, count: int) -> None:
    """Return when so many creates have come to their end: their callers' leaving was noticed."""
    server.until(lambda: sum(each.ended_ms is not None for each in server.creates) >= count)


@pytest.mark.parametrize("name", ["hang", "hang after bytes", "delay"])
def test_a_retry_while_the_first_hangs_is_in_conflict_and_finds_the_task_afterwards(
    serve: Callable[[str], Server], name: str
) -> None:
    server = serve("rivya")
    server.stand(COMMITTED[name], times=1)
    with server.open(server.create("first")) as hanging:
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


def test_a_hang_before_anything_has_happened_holds_no_key(serve: Callable[[str], Server]) -> None:
    server = serve("rivya")
    server.stand(TRANSPORT["hang"], times=1)
    with server.open(server.create("first")):
        server.until(lambda: server.creates and server.creates[0].faults)
        server.must_have(0)
        task_id = server.make("first")
        assert server.must_have(1) == [task_id]


def test_a_late_answer_frees_its_key_when_it_has_come(mock: Mock) -> None:
    stand(mock, scenario="late_answer", times=1)
    asked = create("rivya", headers={"idempotency-key": "k"})
    first = Waiting(mock, asked)
    assert send(mock, asked).status == 409
    advance(mock, 60)
    assert first.answer().json()["id"] == send(mock, asked).json()["id"]
    assert len(mock.world.tasks) == 1


def test_a_late_answer_whose_caller_has_left_keeps_nobody_waiting(mock: Mock) -> None:
    stand(mock, scenario="late_answer", times=1)
    asked = create("rivya", headers={"idempotency-key": "k"})
    first = Waiting(mock, asked)
    assert send(mock, asked).status == 409
    first.hang_up()
    assert not first.waits
    assert send(mock, asked).status == 200
    assert len(mock.world.tasks) == 1


def test_a_caller_who_leaves_before_a_late_start_is_served_all_the_same(mock: Mock) -> None:
    """The server was slow to look at the request, not to answer it: it cannot know."""
    stand(mock, scenario="slow", times=1)
    first = Waiting(mock, create("rivya"))
    first.hang_up()
    assert len(mock.world.tasks) == 0
    advance(mock, 3)
    first.breathe()
    assert len(mock.world.tasks) == 1
    assert is_sound(mock.world)
    first.drop()


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_hang_ends_with_the_server_and_still_tells_nothing(api: str, when: str) -> None:
    with live() as mock:
        server = Server(api, mock)
        server.stand(TRANSPORT["hang"] | {"when": when}, times=1)
        hanging = server.open(server.create())
        server.until(lambda: server.creates and server.creates[0].faults)
    with hanging:
        received = bytearray()
        while chunk := hanging.recv(1 << 16):
            received += chunk
    assert b"task" not in received
