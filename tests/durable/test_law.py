"""After any requests, the worlds in the state file are those in memory."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mock_server.durable import state_writer, turns, world_rows
from mock_server.durable.state_writer import StateWriter
from tests import rich_world
from tests.asgi import Answer
from tests.durable.read_back import all_seen, read_back
from tests.mock import KEY, MINIMAL, PNG, START, TOKEN, VIDEO, Mock, form

SETTINGS: dict[str, Any] = {
    "rivya__rate_limit": 30,
    "rivya__task_lifetime_s": 400,
    "rivya__media_lifetime_s": 100,
    "rivya__file_lifetime_s": 300,
    "rivya__webhook_waits_s": [60],
    "acedata__callback_waits_s": [60],
    "idempotency__lifetime_s": 200,
    "deliveries__kept": 3,
    "limits__history_entries": 7,
    "limits__inbox_bytes": 3000,
    "scenario": "result_missing",
}
WORLDS = ["default", "other"]


@pytest.fixture(scope="module", autouse=True)
def small_turns() -> Iterator[None]:
    """Turns are divided and moved after a few rows, not after thousands."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"_MOST_ROWS": 4, "_TOLERATED": 3, "_MOVED_AT_ONCE": 5}.items():
            patch.setattr(turns, name, value)
        patch.setattr(world_rows, "_WRITTEN_AT_ONCE", 5)
        yield


class Kept:
    """A mock with a state file."""

    def __init__(self, path: Path, **changes: Any) -> None:
        self.path = path
        self.changes = changes
        self.mock = self._begun()

    def _begun(self) -> Mock:
        mock = Mock(state__file=str(self.path), **self.changes)

        async def begin() -> None:
            mock.fake.keeper.begin()

        mock.driver.loop.run_until_complete(begin())
        return mock

    def crash(self) -> None:
        """End the server without a word, and start another one with its file."""
        writer = self.mock.fake.keeper
        assert isinstance(writer, StateWriter)
        writer.abandon()
        self.mock.close()
        self.mock = self._begun()


@contextmanager
def kept(**changes: Any) -> Iterator[Kept]:
    """A mock with a state file, and the file."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Kept(Path(folder) / "demo.db", **changes)
        try:
            yield kept
        finally:
            kept.mock.close()


def require_same(kept: Kept) -> None:
    """The worlds in the file are those in memory, once the file has also what may wait."""
    writer = kept.mock.fake.keeper
    assert isinstance(writer, StateWriter)
    writer.flush()
    has_journal = kept.mock.fake.settings.state.journal
    in_file = all_seen(read_back(kept.path, **kept.changes), with_journal=has_journal)
    in_memory = all_seen(kept.mock.fake, with_journal=has_journal)
    assert list(in_file) == list(in_memory)
    for name, facts in in_memory.items():
        for fact, value in facts.items():
            assert in_file[name][fact] == value, f"{fact} of {name}"


@pytest.mark.parametrize("journal", [False, True])
def test_a_world_with_one_of_everything_is_read_back(journal: bool) -> None:
    with kept(state__journal=journal, **rich_world.SETTINGS) as it:
        rich_world.live_in(it.mock)
        require_same(it)
        it.crash()
        assert (len(it.mock.world.journal) > 0) == journal
        require_same(it)


def test_a_task_that_is_forgotten_is_forgotten_with_its_faults() -> None:
    with kept(**SETTINGS) as it:
        client = Client(it.mock, "default")
        create(client, "hailuo-pro", "a", "generation_failed")
        assert it.mock.world.task_faults
        advance(client, 1000)
        create(client, "hailuo-pro", None, None)
        assert not it.mock.world.task_faults
        require_same(it)


def test_what_may_wait_is_in_the_file_a_little_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_writer, "_LATER_S", 0.05)
    monkeypatch.setattr(state_writer, "_LATER_AT_ONCE", 1)
    with kept() as it:
        ids = [it.mock.create().json()["id"] for _ in range(3)]
        it.crash()
        for task_id in ids:
            it.mock.generation(task_id)
        it.mock.driver.loop.run_until_complete(asyncio.sleep(0.3))
        records = read_back(it.path).world().history.records
        assert [records[task_id].looks is not None for task_id in ids] == [True, True, True]


# --- any requests ---------------------------------------------------------------------------------

Step = Callable[["Client"], object]


class Client:
    """Sends requests to one world."""

    def __init__(self, mock: Mock, world: str) -> None:
        self.mock = mock
        self.world = world

    def call(
        self, method: str, path: str, body: Any = None, /, key: str = KEY, **headers: str
    ) -> Answer:
        """A request to an API in this world; bytes are a form."""
        if self.world != "default":
            name, plus, scenario = key.partition("+")
            key = f"{name}-{self.world}{plus}{scenario}"
        sent = {"authorization": f"Bearer {key}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        if isinstance(body, bytes):
            sent["content-type"] = "multipart/form-data; boundary=frontier"
        elif body is not None:
            sent["content-type"], body = "application/json", json.dumps(body).encode()
        return self.mock.request(method, f"/w/{self.world}{path}", headers=sent, body=body or b"")

    def door(self, method: str, path: str, body: Any = None) -> Answer:
        """A request about this world to the control door."""
        sent = {} if body is None else {"content-type": "application/json"}
        raw = b"" if body is None else json.dumps(body).encode()
        return self.mock.request(
            method, f"/_mock/worlds/{self.world}{path}", headers=sent, body=raw
        )

    def some(self, path: str, noun: str, number: int) -> str:
        """The id of one of the things that the control door lists, or of none."""
        listed = self.door("GET", path)
        found = listed.json()[noun] if listed.status == 200 else []
        return str(found[number % len(found)]["id"]) if found else "none"

    def endpoint(self, number: int) -> str:
        """The id of an endpoint, or of none."""
        slot = self.mock.fake.worlds.get(self.world)
        ids = [each.id for each in slot.world.endpoints] if slot else []
        return ids[number % len(ids)] if ids else "none"


def create(client: Client, model: str, once: str | None, scenario: str | None) -> object:
    headers = {} if once is None else {"idempotency_key": once}
    if scenario is not None:
        headers["mock_scenario"] = scenario
    return client.call("POST", "/api/v1/generations", MINIMAL | {"model": model}, **headers)


def read(client: Client, number: int, scenario: str) -> object:
    task = client.some("/tasks", "tasks", number)
    return client.call("GET", f"/api/v1/generations/{task}", key=KEY + scenario)


def video(client: Client, url: str | None, prompt: str) -> object:
    more = {"async": True} if url is None else {"callback_url": url}
    return client.call("POST", "/hailuo/videos", VIDEO | more | {"prompt": prompt}, key=TOKEN)


def advance(client: Client, seconds: float) -> object:
    return client.door("POST", "/clock/advance", {"seconds": seconds})


def set_clock(client: Client, scale: float, signatures: str) -> object:
    return client.door("PATCH", "/clock", {"scale": scale, "signatures": signatures})


def finish(client: Client, number: int, state: str) -> object:
    task = client.some("/tasks", "tasks", number)
    return client.door("POST", f"/tasks/{task}/finish", {"state": state})


def redeliver(client: Client, number: int) -> object:
    delivery = client.some("/deliveries", "deliveries", number)
    return client.door("POST", f"/deliveries/{delivery}/redeliver")


def arm(client: Client, rule: dict[str, Any]) -> object:
    return client.door("POST", "/faults", rule)


def disarm(client: Client, number: int) -> object:
    return client.door("DELETE", f"/faults/{client.some('/faults', 'faults', number)}")


def change_account(client: Client, change: dict[str, Any]) -> object:
    client.door("POST", "/accounts", {"name": "ada", "credits": 9, "keys": []})
    return client.door("PATCH", "/accounts/ada", change)


def upload(client: Client, size: int) -> object:
    body = form({"kind": "image"}, {"file": ("a.png", PNG + b"\0" * size)})
    return client.call("POST", "/api/v1/files", body)


def hook(client: Client, number: int) -> object:
    hook = {"url": f"https://hooks.test/{number}", "name": "n", "event_types": EVENTS}
    return client.call("POST", "/api/v1/webhooks", hook)


def change_hook(client: Client, number: int, method: str, rest: str, body: Any) -> object:
    return client.call(method, f"/api/v1/webhooks/{client.endpoint(number)}{rest}", body)


def program(client: Client, answers: list[dict[str, Any]]) -> object:
    return client.door("PUT", "/inbox/hook", {"answers": answers})


def receive(client: Client, name: str, size: int) -> object:
    path = f"/_mock/inbox/{client.world}/{name}"
    return client.mock.request("POST", path, body=b"x" * size)


def put_back(client: Client) -> object:
    document = client.door("GET", "/snapshot")
    return document.status != 200 or client.mock.request(
        "PUT",
        f"/_mock/worlds/{client.world}/snapshot",
        headers={"content-type": "application/json"},
        body=document.body,
    )


def make(client: Client, credits: int) -> object:
    plan: dict[str, Any] = {"name": "other", "credits": credits}
    plan["clock"] = {"mode": "frozen", "now": START}
    return client.mock.request(
        "POST",
        "/_mock/worlds",
        headers={"content-type": "application/json"},
        body=json.dumps(plan).encode(),
    )


def plainly(method: str, path: str) -> Callable[[Client], object]:
    return lambda client: client.door(method, path)


def step(does: Callable[..., object], *drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    def bound(values: tuple[Any, ...]) -> Step:
        return lambda client: does(client, *values)

    return st.tuples(*drawn).map(bound)


NUMBERS = st.integers(0, 5)
EVENTS = ["generation.succeeded", "generation.failed"]
ANSWERED = "http://127.0.0.1:9/hook"
RULES = st.fixed_dictionaries(
    {
        "effect": st.sampled_from(
            [
                {"type": "error", "code": "rate_limited"},
                {"type": "answer", "status": 502, "when": "after"},
                {"type": "task", "queued_s": 3, "outcome": "failed"},
                {"type": "task", "processing_s": 0},
                {"type": "delivery", "answer": {"status": 500}, "copies": 2},
                {"type": "delivery", "answer": {"status": 200}, "after_next": True},
                {"type": "delivery", "answer": {"status": 410}, "late_s": 5},
            ]
        )
    },
    optional={
        "times": st.integers(1, 2),
        "skip": st.just(1),
        "every": st.just(2),
        "probability": st.just(0.5),
    },
)
SCENARIOS = ["generation_failed", "delivery_twice", "result_missing", "fails_late", "stuck"]
CREATES = step(
    create,
    st.sampled_from(["hailuo-pro", "hailuo-standard", "none"]),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([None, None, *SCENARIOS, "insufficient_credits"]),
)
ADVANCES = step(advance, st.sampled_from([0, 0.1, 0.5, 1, 62, 150, 700]))
STEPS: st.SearchStrategy[Step] = st.one_of(
    CREATES,
    CREATES,
    CREATES,
    ADVANCES,
    ADVANCES,
    step(read, NUMBERS, st.sampled_from(["", "+result_missing", "+generation_failed"])),
    step(
        video, st.sampled_from([None, ANSWERED]), st.sampled_from(["a", "mock:generation_failed"])
    ),
    step(set_clock, st.sampled_from([1.0, 60.0]), st.sampled_from(["world", "machine"])),
    step(finish, NUMBERS, st.sampled_from(["succeeded", "failed"])),
    step(redeliver, NUMBERS),
    step(arm, RULES),
    step(disarm, NUMBERS),
    step(
        change_account,
        st.fixed_dictionaries(
            {},
            optional={
                "credits": st.integers(0, 100),
                "in_flight": st.integers(0, 1),
                "keys": st.sampled_from(
                    [[{"key": "ada-1", "api": "acedata", "revoked": yes}] for yes in (True, False)]
                ),
            },
        ),
    ),
    step(upload, st.integers(0, 2)),
    step(hook, NUMBERS),
    step(change_hook, NUMBERS, st.just("DELETE"), st.just(""), st.none()),
    step(change_hook, NUMBERS, st.just("POST"), st.just("/rotate-secret"), st.none()),
    step(change_hook, NUMBERS, st.just("POST"), st.just("/test"), st.none()),
    step(
        change_hook,
        NUMBERS,
        st.just("PATCH"),
        st.just(""),
        st.sampled_from([{"status": "disabled"}, {"url": "https://new.test/"}, {"name": "m"}]),
    ),
    step(program, st.just([{"status": 500, "times": 2}, {"status": 200}])),
    step(receive, st.sampled_from(["hook", "b"]), st.sampled_from([0, 1500])),
    step(put_back),
    step(make, st.integers(0, 200)),
    st.sampled_from(
        [
            plainly("DELETE", "/faults"),
            plainly("DELETE", "/requests"),
            plainly("POST", "/reset"),
            plainly("DELETE", ""),
        ]
    ),
)


@settings(max_examples=60, phases=[Phase.generate])
@given(
    steps=st.lists(st.tuples(STEPS, st.sampled_from(WORLDS)), min_size=50, max_size=60),
    crashes=st.dictionaries(st.integers(0, 50), st.booleans(), max_size=3),
)
def test_the_worlds_in_the_file_are_those_in_memory(
    steps: list[tuple[Step, str]], crashes: dict[int, bool]
) -> None:
    """crashes: after which steps the server ends; whether the file has what may wait then."""
    with kept(**SETTINGS) as it:
        make(Client(it.mock, "other"), 200)
        for name in WORLDS:
            answers = {"effect": {"type": "delivery", "answer": {"status": 200}}}
            arm(Client(it.mock, name), answers)
        for number, (does, world) in enumerate(steps):
            does(Client(it.mock, world))
            if (is_whole := crashes.get(number)) is not None:
                if is_whole:
                    require_same(it)
                it.crash()
        require_same(it)
