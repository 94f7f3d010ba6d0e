"""The scenario file of a task: a client that repeats its requests meets the same faults."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis import ALL
from mock_server.control import Control, ControlError, World
from mock_server.core.effects import AnswerFault
from mock_server.core.faults import FaultRule
from mock_server.faults.scenario_text import scenario_text
from mock_server.faults.scenarios import Scenarios
from tests.live import Live, live
from tests.mock import MINIMAL, VIDEO

SEED = 7
SCENARIOS = [
    "lost_answer",
    "internal_error_after",
    "answer_cut",
    "answer_not_json",
    "rate_limited",
    "not_found",
    "status_backwards",
    "success_without_url",
    "stuck",
    "fails_late",
    "task_failed_moderation",
    "delivery_never",
    "delivery_twice",
    "delivery_error",
    "delivery_hang",
    "delivery_reset",
    "delivery_unsigned",
    "delivery_before_answer",
    "result_missing",
    "result_expired_after_first",
]


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(rivya__rate_limit=0) as server:
        yield server


@pytest.fixture
def control(server: Live) -> Iterator[Control]:
    with Control(server.url) as control:
        yield control


class Client:
    """Makes one task of Rivya, reads it until its end, and downloads its video twice.

    seen: what it and its receiver saw: statuses, states, kinds of errors, signatures.
    """

    def __init__(self, world: World) -> None:
        self.seen: list[Any] = []
        self._world = world
        self._inbox = world.inbox("hook")
        hook = {
            "url": self._inbox.url,
            "event_types": ["generation.succeeded", "generation.failed"],
        }
        headers = world.headers("rivya")
        httpx2.post(f"{world.base_url}/api/v1/webhooks", json=hook, headers=headers)

    def run(self) -> str:
        """The id of the task."""
        with httpx2.Client(timeout=20, headers=self._world.headers("rivya")) as self._http:
            return self._run()

    def _run(self) -> str:
        world, inbox = self._world, self._inbox
        create = f"{world.base_url}/api/v1/generations"
        for _ in range(5):
            made = self._see("POST", create, json=MINIMAL, headers={"idempotency-key": "order-1"})
            if made is not None and made.status_code == 200:
                break
        (task,) = world.tasks()
        for seconds in (0.1, 0.5, 1, 60, 86_400):
            world.clock.advance(seconds)
            self._see("GET", f"{create}/{task.id}")
        media = world.base_url.partition("/w/")[0]
        for _ in range(2):
            self._see("GET", f"{media}/media/{world.name}/{task.id}.mp4")
        self.seen.append([(each.answered, each.signature.valid) for each in inbox.requests()])
        self.seen.append([len(each.attempts) for each in world.deliveries()])
        return task.id

    def _see(self, method: str, url: str, **rest: Any) -> httpx2.Response | None:
        try:
            answer = self._http.request(method, url, **rest)
            what = answer.headers["content-type"], len(answer.content)
        except httpx2.TransportError as error:
            self.seen.append(type(error).__name__)
            return None
        is_json = what[0] == "application/json" and b"{" in answer.content
        shown = msgspec.json.decode(answer.content) if is_json else {"is": what}
        result = (
            bool(shown.get("result")) if isinstance(shown.get("result"), dict | None) else "odd"
        )
        self.seen.append([answer.status_code, shown.get("status"), result, what[0]])
        return answer


def rules_in(toml: str, folder: Path) -> tuple[FaultRule, ...]:
    """The rules of a scenario file, as the server reads it."""
    (folder / "saved.toml").write_text(toml, "utf-8")
    return Scenarios([folder], ALL).find("saved").faults


def seen_again(control: Control, toml: str, folder: Path) -> list[Any]:
    """What the client sees in a new world with the faults of a scenario file."""
    with control.world(clock="frozen", seed=SEED) as world:
        again = Client(world)
        for rule in rules_in(toml, folder):
            known = msgspec.to_builtins(rule)
            effect, match = known.pop("effect"), known.pop("match", {})
            world.faults.add(effect=effect, match=match, **known)
        again.run()
    return again.seen


@pytest.mark.parametrize("skip", [0, 1], ids=["at_once", "later"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_client_sees_the_same(
    control: Control, tmp_path: Path, name: str, skip: int
) -> None:
    with control.world(clock="frozen", seed=SEED) as world:
        first = Client(world)
        world.faults.add(name, times=2, skip=skip)
        task_id = first.run()
        bitten = [each for each in world.story(task_id).entries if each.is_odd]
        if not bitten:
            with pytest.raises(ControlError, match="nothing went wrong in this task"):
                world.scenario_of(task_id)
            return
        made = world.scenario_of(task_id)
    assert made.left_out == ()
    assert seen_again(control, made.toml, tmp_path) == first.seen


def test_what_went_wrong_without_a_fault_becomes_one(control: Control, tmp_path: Path) -> None:
    """A receiver that fails twice, and a task that was ended by hand."""
    with control.world(clock="frozen", seed=SEED) as world:
        first = Client(world)
        world.inbox("hook").program({"status": 503, "times": 2})
        task_id = first.run()
        rules = rules_in(world.scenario_of(task_id).toml, tmp_path)
        assert [msgspec.to_builtins(each.effect) for each in rules] == [
            {"type": "delivery", "attempts": 2, "answer": {"status": 503}}
        ]
        headers = world.headers("rivya")
        url = f"{world.base_url}/api/v1/generations"
        other = httpx2.post(url, json=MINIMAL | {"prompt": "x"}, headers=headers).json()["id"]
        world.finish(other, "failed", reason="moderation")
        (rule,) = rules_in(world.scenario_of(other).toml, tmp_path)
        assert msgspec.to_builtins(rule.effect) == {
            "type": "task", "outcome": "failed", "reason": "moderation"
        }  # fmt: skip


@pytest.mark.parametrize(
    ("effect", "operation"),
    [
        ({"type": "connection", "how": "reset", "when": "after"}, "create"),
        ({"type": "delivery", "answer": {"status": 500}, "attempts": 3}, "create"),
        ({"type": "task", "stuck": True}, "create"),
        ({"type": "task", "outcome": "failed", "processing_s": 90}, "create"),
        ({"type": "error", "code": "rate_limited", "retry_after_s": 9}, "read"),
    ],
    ids=str,
)
def test_a_removed_fault_without_a_name_is_known_by_what_was_seen(
    control: Control, tmp_path: Path, effect: Any, operation: Any
) -> None:
    with control.world(clock="frozen", seed=SEED) as world:
        first = Client(world)
        match = {"operation": operation, "api": "rivya"}
        (fault,) = world.faults.add(effect=effect, match=match, times=1)
        task_id = first.run()
        world.faults.clear()
        made = world.scenario_of(task_id)
    assert fault.id not in made.toml
    assert seen_again(control, made.toml, tmp_path) == first.seen


@pytest.mark.parametrize("how", ["reset", "hang"])
def test_a_repeated_create_has_the_lost_answer_of_the_first(
    control: Control, tmp_path: Path, how: str
) -> None:
    effect = {"type": "connection", "how": how, "when": "after"}
    with control.world(clock="frozen", seed=SEED) as world:
        world.faults.add(effect=effect, times=1)
        url, headers = f"{world.base_url}/api/v1/generations", world.headers("rivya")
        with pytest.raises(httpx2.TransportError):
            httpx2.post(url, json=MINIMAL, headers=headers, timeout=20 if how == "reset" else 0.5)
        second = httpx2.post(url, json=MINIMAL, headers=headers).json()["id"]
        world.faults.clear()
        (rule,) = rules_in(world.scenario_of(second).toml, tmp_path)
    assert msgspec.to_builtins(rule.effect) == effect
    assert (rule.match.operation, rule.skip, rule.times) == ("create", 0, 1)


def test_a_server_starts_with_the_file(control: Control, tmp_path: Path) -> None:
    with control.world(clock="frozen") as world:
        world.faults.add("lost_answer", times=1)
        url, headers = f"{world.base_url}/hailuo/videos", world.headers("acedata")
        with pytest.raises(httpx2.TransportError):
            httpx2.post(url, json=VIDEO | {"async": True}, headers=headers)
        (task,) = world.tasks()
        made = world.scenario_of(task)
    assert made.name == task.id
    (tmp_path / f"{made.name}.toml").write_text(made.toml, "utf-8")
    with live(scenario_dir=str(tmp_path), scenario=made.name) as server, Control(server.url) as own:
        assert own.scenario(made.name).apis == ("acedata",)
        with own.world() as world:
            sent: Any = {"json": VIDEO | {"async": True}, "headers": world.headers("acedata")}
            with pytest.raises(httpx2.TransportError):
                httpx2.post(f"{world.base_url}/hailuo/videos", **sent)
            assert httpx2.post(f"{world.base_url}/hailuo/videos", **sent).status_code == 200


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(body=TEXT, shows=TEXT.filter(bool), name=st.sampled_from(["X-A", "x.b", "x!"]))
def test_any_text_is_read_back(body: str, shows: str, name: str) -> None:
    rule = FaultRule(effect=AnswerFault(status=503, body=body, headers={name: '1, "2"'}))
    text = scenario_text(shows, ["rivya"], [rule], ["a\nb", shows])
    read = tomllib.loads(text)
    assert (read["shows"], read["apis"]) == (shows, ["rivya"])
    assert msgspec.convert(read["faults"][0], FaultRule) == rule
