"""One world: its clients, what they were told, and the check that all of it is still true."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.messages import MINIMAL, VIDEO, WRONG_OPTION
from benchmarks.soak.http_client import Answer, Connection, NoAnswer
from benchmarks.soak.receiver import Receiver

_CREDITS = 1_000_000
_JSON = {"Content-Type": "application/json"}
_BOUNDARY = "frontier"
_UPLOAD_BYTES = 32 * 1024
_TASKS_SHOWN = 1000
_LOST_ANSWER = {
    "match": {"api": "rivya", "operation": "create"},
    "times": 1,
    "effect": {"type": "connection", "how": "reset", "when": "after"},
}


class Lost(Exception):
    """The server lost something, or answered what it should not. The message says what."""


class WorldRun:
    """A world with an endpoint for webhooks. `act` makes one random step in it, `check` compares it
    with all that its clients know, and drops it.

    acknowledged: the ids of the tasks whose creates were answered.
    """

    def __init__(self, draw: random.Random, receiver: Receiver, receiver_url: str) -> None:
        self._draw = draw
        self._receiver = receiver
        self._receiver_url = receiver_url
        self.acknowledged: set[str] = set()
        self.steps = 0
        self._files: dict[str, bytes] = {}
        self._number = 0

    async def make(self, connection: Connection) -> None:
        """Make the world and its endpoint."""
        plan = {"credits": _CREDITS}
        made = await self._door(connection, "POST", "/_mock/worlds", plan)
        self.name = made["name"]
        self._keys = {each["api"]: each["key"] for each in made["keys"]}
        self._door_path = f"/_mock/worlds/{self.name}"
        body = {
            "url": f"{self._receiver_url}/{self.name}",
            "event_types": ["generation.succeeded", "generation.failed"],
        }
        await self._ask(connection, "rivya", "POST", "/api/v1/webhooks", body)

    async def act(self, connection: Connection) -> None:
        """One random step. Raises Lost."""
        self.steps += 1
        (act,) = self._draw.choices(_ACTS, _WEIGHTS)
        await act(self, connection)

    async def check(self, connection: Connection) -> None:
        """Wait until all has happened, compare, and drop the world. Raises Lost."""
        path = self._door_path
        await self._door(connection, "POST", f"{path}/clock/advance", {"until": "idle"})
        listed = await self._door(connection, "GET", f"{path}/tasks?limit={_TASKS_SHOWN}")
        tasks = {task["id"]: task for task in listed["tasks"]}
        self._require_tasks(tasks)
        accounts = (await self._door(connection, "GET", f"{path}/accounts"))["accounts"]
        self._require_money(tasks, accounts)
        found = await self._door(connection, "GET", f"{path}/deliveries?limit={_TASKS_SHOWN}")
        self._require_events(tasks, found["deliveries"], self._receiver.take(self.name))
        for url, content in self._files.items():
            downloaded = await connection.request("GET", url)
            if downloaded.body != content:
                raise Lost(f"{self.name}: the upload at {url} has other bytes")
        await self._door(connection, "DELETE", path)

    def _require_tasks(self, tasks: dict[str, Any]) -> None:
        if missing := self.acknowledged - tasks.keys():
            raise Lost(f"{self.name}: tasks were acknowledged and are gone: {sorted(missing)[:3]}")
        if extra := tasks.keys() - self.acknowledged:
            raise Lost(f"{self.name}: tasks exist that were not ordered: {sorted(extra)[:3]}")

    def _require_money(self, tasks: dict[str, Any], accounts: list[dict[str, Any]]) -> None:
        spent = Counter[str]()
        for task in tasks.values():
            if task["state"] not in {"succeeded", "failed"}:
                raise Lost(f"{self.name}: the task {task['id']} has not ended: {task['state']}")
            if task["state"] == "succeeded":
                spent[task["account"]] += task["price_credits"]
        for account in accounts:
            name, ledger = account["name"], account["ledger"]
            due = spent[name]
            rest = _CREDITS - due
            expected = {"granted": _CREDITS, "available": rest, "reserved": 0, "spent": due}
            if ledger != expected:
                raise Lost(f"{self.name}: the ledger of {name} is {ledger}, not {expected}")

    def _require_events(
        self,
        tasks: dict[str, Any],
        deliveries: list[dict[str, Any]],
        answers: dict[str, list[int]],
    ) -> None:
        """Each event arrived once, or its delivery says why not: a fault, or the receiver's 500."""
        told = Counter[str]()
        attempts = Counter[str]()
        excused = set()
        for delivery in deliveries:
            event = delivery["event"]
            key = event["id"] if event["api"] == "rivya" else event["subject"]
            told[event["subject"]] += 1
            attempts[key] += len(delivery["attempts"])
            if delivery["fault"] is not None:
                excused.add(key)
            if delivery["state"] != "succeeded":
                raise Lost(f"{self.name}: the delivery {delivery['id']} is {delivery['state']}")
        with_receiver = {
            name
            for name, task in tasks.items()
            if task["api"] == "rivya" or "callback_url" in task["request"]
        }
        if silent := with_receiver - told.keys():
            raise Lost(f"{self.name}: tasks have ended without an event: {sorted(silent)[:3]}")
        if unknown := answers.keys() - attempts.keys():
            raise Lost(f"{self.name}: events arrived that do not exist: {sorted(unknown)[:3]}")
        for key, tries in attempts.items():
            statuses = answers.get(key, [])
            if statuses.count(200) != 1 and not (key in excused and 1 <= len(statuses) <= tries):
                raise Lost(f"{self.name}: the event {key} was answered {statuses} in {tries} tries")

    # --- steps ------------------------------------------------------------------------------------

    async def create(self, connection: Connection, **headers: str) -> str:
        """A create; the id of its task."""
        self._number += 1
        headers = {"Idempotency-Key": f"k{self._number}", **headers}
        answer = await self._rivya_create(connection, 200, **headers)
        self.acknowledged.add(answer["id"])
        return str(answer["id"])

    async def repeat(self, connection: Connection) -> None:
        """A create and its repetition: the same task."""
        made = await self.create(connection)
        again = await self._rivya_create(connection, 200, **{"Idempotency-Key": f"k{self._number}"})
        if again["id"] != made:
            raise Lost(f"{self.name}: a repeated create made {again['id']} beside {made}")

    async def lose_answer(self, connection: Connection) -> None:
        """A create whose answer is lost, and its repetition."""
        self._number += 1
        key = {"Idempotency-Key": f"k{self._number}"}
        path = f"{self._door_path}/faults"
        await self._door(connection, "POST", path, _LOST_ANSWER)
        try:
            await self._rivya_create(connection, 200, **key)
        except NoAnswer:
            pass
        else:
            raise Lost(f"{self.name}: the fault lost_answer did not happen")
        self.acknowledged.add((await self._rivya_create(connection, 200, **key))["id"])

    async def create_with_fault(self, connection: Connection) -> None:
        """A create whose task or event goes wrong."""
        scenario = self._draw.choice(
            ["task_failed_moderation", "delivery_twice", "delivery_error", "delivery_answer_lost"]
        )
        await self.create(connection, **{"Mock-Scenario": scenario})

    async def refuse(self, connection: Connection) -> None:
        """A create that is refused, by a rule or by a fault."""
        await self._rivya_create(connection, 400, WRONG_OPTION)
        await self._rivya_create(connection, 429, **{"Mock-Scenario": "rate_limited"})

    async def read(self, connection: Connection) -> None:
        """A look at a task."""
        if self.acknowledged:
            task_id = self._draw.choice(sorted(self.acknowledged))
            path = f"/api/v1/generations/{task_id}"
            status = 200 if task_id.startswith("task_") else 404
            await self._ask(connection, "rivya", "GET", path, expected=status)

    async def read_credits(self, connection: Connection) -> None:
        """The credits."""
        await self._ask(connection, "rivya", "GET", "/api/v1/credits")

    async def order_video(self, connection: Connection) -> None:
        """A video with a callback."""
        body = VIDEO | {"callback_url": f"{self._receiver_url}/{self.name}"}
        answer = await self._ask(connection, "acedata", "POST", "/hailuo/videos", body)
        self.acknowledged.add(answer["task_id"])

    async def wait_for_video(self, connection: Connection) -> None:
        """A video whose request is held open."""
        answer = await self._ask(connection, "acedata", "POST", "/hailuo/videos", VIDEO)
        self.acknowledged.add(answer["task_id"])

    async def upload(self, connection: Connection) -> None:
        """An upload, which the check downloads."""
        content = b"\x89PNG\r\n\x1a\n" + self._draw.randbytes(_UPLOAD_BYTES)
        form = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="kind"\r\n\r\nimage\r\n'
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
            f"Content-Type: image/png\r\n\r\n"
        ).encode()
        headers = {
            "Authorization": f"Bearer {self._keys['rivya']}",
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        }
        body = form + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
        answer = await connection.request("POST", "/api/v1/files", body, headers)
        url = "/" + self._require(answer, "POST /api/v1/files", 200)["url"].split("/", 3)[3]
        self._files[url] = content

    async def _rivya_create(
        self, connection: Connection, expected: int, body: Any = MINIMAL, **headers: str
    ) -> Any:
        path = "/api/v1/generations"
        return await self._ask(
            connection, "rivya", "POST", path, body, expected=expected, **headers
        )

    async def _ask(
        self,
        connection: Connection,
        api: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        expected: int = 200,
        **headers: str,
    ) -> Any:
        sent = {"Authorization": f"Bearer {self._keys[api]}", **_JSON, **headers}
        content = b"" if body is None else json.dumps(body).encode()
        answer = await connection.request(method, path, content, sent)
        return self._require(answer, f"{method} {path}", expected)

    async def _door(self, connection: Connection, method: str, path: str, body: Any = None) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        answer = await connection.request(method, path, content, _JSON)
        if answer.status >= 300:
            raise Lost(f"{method} {path} was answered {answer.status}: {answer.body[:300]!r}")
        return answer.json()

    def _require(self, answer: Answer, asked: str, expected: int) -> Any:
        if answer.status != expected:
            raise Lost(
                f"{self.name}: {asked} was answered {answer.status}, not {expected}: "
                f"{answer.body[:300]!r}"
            )
        return answer.json()


_MIX: list[tuple[Callable[[WorldRun, Connection], Awaitable[Any]], int]] = [
    (WorldRun.read, 40),
    (WorldRun.create, 20),
    (WorldRun.order_video, 10),
    (WorldRun.read_credits, 8),
    (WorldRun.create_with_fault, 6),
    (WorldRun.refuse, 6),
    (WorldRun.repeat, 4),
    (WorldRun.lose_answer, 3),
    (WorldRun.upload, 2),
    (WorldRun.wait_for_video, 1),
]
_ACTS, _WEIGHTS = zip(*_MIX, strict=True)
