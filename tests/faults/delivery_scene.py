"""A scene: one scenario of deliveries on one API, with the client's receiver."""

from __future__ import annotations

import hmac
import json
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from msgspec.structs import asdict

from mock_server.contract.data_paths import FIXTURES
from mock_server.core.ledger import Balance
from mock_server.edge.timestamps import timestamp
from tests.live import WAIT_S, Live, live
from tests.mock import KEY, MINIMAL, TOKEN, VIDEO
from tests.raw_receiver import Connection, RawReceiver, raw_receiver
from tests.receiver import Received

APIS = ("rivya", "acedata")
FILES = {file.stem: file for file in sorted((FIXTURES / "scenarios").glob("delivery_*.toml"))}
ONE_RETRY = {"rivya__webhook_waits_s": [60], "acedata__callback_waits_s": [60]}
RETRY_S = 60
DOOR = "/_mock/worlds/default"
JSON = "application/json"
SUCCEEDED, FAILED = "generation.succeeded", "generation.failed"
FAST = {"effect": {"type": "delivery", "bytes_per_s": 5000}}
"""What stands in for `delivery_dribble`, whose own pace takes seconds."""


def content(name: str) -> dict[str, Any]:
    return tomllib.loads(FILES[name].read_text("utf-8"))


def effect(name: str) -> dict[str, Any]:
    (rule,) = content(name)["faults"]
    found: dict[str, Any] = rule["effect"]
    return found


def named_apis(name: str) -> tuple[str, ...]:
    return tuple(content(name).get("apis", APIS))


def hmac_of(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, "sha256").hexdigest()


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def libraries_spell(body: bytes) -> list[bytes]:
    """What a receiver has that parses a body and writes it again."""
    value = json.loads(body)
    return [compact(value), json.dumps(value).encode(), json.dumps(value, indent=2).encode()]


@dataclass(frozen=True)
class Signature:
    """Over which bytes, when, and with what result; at_s: None where signatures have no time."""

    at_s: int | None
    digest: str


class Scene(ABC):
    """A client of one API with a receiver that keeps every byte, on a frozen clock."""

    api: str
    headers: dict[str, str]
    create_path: str
    header_names: frozenset[str]
    signature_header: str

    def __init__(self, mock: Live) -> None:
        self.mock = mock
        self.client = httpx2.Client(base_url=mock.url, headers=self.headers)
        self.react: Callable[[Received], None] = lambda _: None
        self.made = 0
        self.hook: RawReceiver

    # --- what differs between the APIs ---

    @abstractmethod
    def listen(self, hook: RawReceiver) -> None:
        """Subscribe the receiver to everything made from now on."""

    @property
    @abstractmethod
    def secret(self) -> str:
        """What deliveries are to be signed with now."""

    @abstractmethod
    def body(self) -> dict[str, Any]:
        """What asks for a video."""

    @abstractmethod
    def id_in(self, told: dict[str, Any]) -> str:
        """The task's id, in the answer to a create."""

    @abstractmethod
    def subject(self, told: dict[str, Any]) -> str:
        """The task's id in the event."""

    @abstractmethod
    def look(self, task_id: str) -> httpx2.Response:
        """Poll the task."""

    @abstractmethod
    def has_succeeded(self, task_id: str) -> bool:
        """Whether polling says that the task has ended well."""

    @abstractmethod
    def says_failed(self, told: dict[str, Any]) -> bool:
        """Whether the event says that its task has failed."""

    @abstractmethod
    def true_body(self, task_id: str) -> bytes:
        """What there is to tell of a task that has succeeded, as polling has it."""

    @abstractmethod
    def signature(self, received: Received) -> Signature:
        """The signature as it came."""

    @abstractmethod
    def right_digest(self, secret: str, body: bytes, at_s: int | None) -> str:
        """The digest that a genuine signature has."""

    @abstractmethod
    def check_headers(self, received: Received, event_type: str) -> None:
        """What this API says of an event beside its body."""

    # --- tasks ---

    def finished(self) -> tuple[str, Received]:
        """A task that has ended, and the one delivery about it."""
        return self.finish(), self.one()

    def post(self, path: str, body: Any) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def create(self) -> str:
        self.made += 1
        return self.id_in(self.post(self.create_path, self.body()))

    def finish(self) -> str:
        """A task that has ended, and every delivery due by then has been tried."""
        task_id = self.create()
        self.mock.advance(1)
        assert self.has_succeeded(task_id)
        return task_id

    def now(self, later_s: float = 0) -> str:
        return timestamp(self.mock.fake.world().clock.now_ms() + round(later_s * 1000))

    def balance(self) -> Balance:
        return self.mock.fake.world().ledger.balance(f"{self.api}-test")

    # --- what goes wrong ---

    def go_wrong(self, asked: dict[str, Any]) -> None:
        self.post(f"{DOOR}/faults", asked)

    def happened(self) -> list[int]:
        return [fault["happened"] for fault in self.client.get(f"{DOOR}/faults").json()["faults"]]

    # --- what came ---

    def take(self, received: Received) -> None:
        """The receiver has a whole request, and has not answered it."""
        self.react(received)

    def connection(self) -> Connection:
        return self.hook.connections.get(timeout=WAIT_S)

    def came(self, count: int = 1) -> list[Received]:
        """So many whole requests and nothing else, since the last look."""
        assert self.hook.connections.qsize() == count
        seen = [self.connection() for _ in range(count)]
        assert {each.ending for each in seen} == {"whole"}
        return [each.request for each in seen]

    def one(self) -> Received:
        (received,) = self.came()
        return received

    def is_quiet(self) -> bool:
        return self.hook.connections.empty()

    def check(
        self,
        received: Received,
        body: bytes,
        *,
        signed: bytes | None = None,
        secret: str | None = None,
        signed_s: int = 0,
        is_signed: bool = True,
        content_type: str = JSON,
        event_type: str = SUCCEEDED,
    ) -> None:
        """A request that has just come is as it should be, but for what is named here."""
        assert (received.method, received.path) == ("POST", "/hook")
        assert received.body == body
        assert received.headers["content-type"] == content_type
        assert received.headers["content-length"] == str(len(body))
        names = self.header_names | ({self.signature_header} if is_signed else set())
        assert received.headers.keys() == names
        self.check_headers(received, event_type)
        if is_signed:
            at_s = self.signature(received).at_s
            right = self.right_digest(
                secret or self.secret, body if signed is None else signed, at_s
            )
            assert self.signature(received).digest == right
            if at_s is not None:
                assert at_s == self.mock.fake.world().clock.now_ms() // 1000 + signed_s

    # --- what the door's log tells ---

    def log(self) -> list[Any]:
        deliveries: list[Any] = self.client.get(f"{DOOR}/deliveries").json()["deliveries"]
        return deliveries

    def log_of(self, task_id: str) -> list[Any]:
        return [each for each in self.log() if each["event"]["subject"] == task_id]

    def check_log(self, name: str, subject: str, *received: Received) -> list[Any]:
        """One delivery per request, each with the fault and one correct attempt."""
        deliveries = self.log_of(subject)
        assert len(deliveries) == len(received)
        for delivery in deliveries:
            assert delivery["fault"] == effect(name)
            assert delivery["state"] == "succeeded"
        attempts = [attempt for each in deliveries for attempt in each["attempts"]]
        for sent, attempt in zip(_sorted(received), _sorted_attempts(attempts), strict=True):
            check_attempt(attempt, sent, self.hook.url)
        return deliveries


def _sorted(requests: Sequence[Received]) -> list[Received]:
    return sorted(requests, key=lambda each: sorted(each.headers.items()))


def _sorted_attempts(attempts: Sequence[Any]) -> list[Any]:
    return sorted(attempts, key=lambda each: sorted(headers_of(each).items()))


def headers_of(attempt: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in attempt["request"]["headers"]}


def check_attempt(attempt: Any, received: Received, url: str) -> None:
    """An attempt in the log shows this request, answered with 200."""
    request = attempt["request"]
    assert (request["method"], request["url"]) == ("POST", url)
    assert headers_of(attempt) == received.headers
    assert request["body"].encode() == received.body
    assert attempt["answer"]["status"] == 200
    assert attempt["error"] is None
    assert attempt["ended_at"] is not None


HTTP_NAMES = frozenset(
    {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
        "content-type",
        "content-length",
    }
)


class RivyaScene(Scene):
    api = "rivya"
    headers = {"authorization": f"Bearer {KEY}"}  # noqa: RUF012
    create_path = "/api/v1/generations"
    header_names = HTTP_NAMES | {"rivya-event-id", "rivya-event-type", "rivya-delivery-id"}
    signature_header = "rivya-signature"

    def listen(self, hook: RawReceiver) -> None:
        self.hook = hook
        body = {"url": hook.url, "event_types": [SUCCEEDED, FAILED]}
        self.endpoint = self.post("/api/v1/webhooks", body)

    @property
    def secret(self) -> str:
        secret: str = self.endpoint["signing_secret"]
        return secret

    def body(self) -> dict[str, Any]:
        return MINIMAL

    def id_in(self, told: dict[str, Any]) -> str:
        return str(told["id"])

    def subject(self, told: dict[str, Any]) -> str:
        return str(told["data"]["id"])

    def look(self, task_id: str) -> httpx2.Response:
        return self.client.get(f"/api/v1/generations/{task_id}")

    def has_succeeded(self, task_id: str) -> bool:
        return bool(self.look(task_id).json()["status"] == "succeeded")

    def says_failed(self, told: dict[str, Any]) -> bool:
        data = told["data"]
        says = bool(told["type"] == FAILED)
        assert says == (data["status"] == "failed") == (data["result"] is None)
        assert says == (data["error"] is not None)
        return says

    def true_body(self, task_id: str) -> bytes:
        generation = self.look(task_id).json()
        return compact(
            {
                "id": self._event_id(task_id),
                "type": SUCCEEDED,
                "api_version": "2026-05-11",
                "created_at": generation["updated_at"],
                "data": generation,
            }
        )

    def _event_id(self, task_id: str) -> str:
        (event_id,) = {
            each["event"]["id"]
            for each in self.log_of(task_id)
            if each["event"]["type"] == SUCCEEDED
        }
        return str(event_id)

    def signature(self, received: Received) -> Signature:
        time, digest = received.headers["rivya-signature"].split(",")
        return Signature(int(time.removeprefix("t=")), digest.removeprefix("v1="))

    def right_digest(self, secret: str, body: bytes, at_s: int | None) -> str:
        return hmac_of(secret, b"%d." % (at_s or 0) + body)

    def check_headers(self, received: Received, event_type: str) -> None:
        assert received.headers["rivya-event-type"] == event_type
        assert received.headers["rivya-event-id"].startswith("evt_")
        assert received.headers["rivya-delivery-id"].startswith("whdel_")


class AceDataScene(Scene):
    api = "acedata"
    headers = {"authorization": f"Bearer {TOKEN}"}  # noqa: RUF012
    create_path = "/hailuo/videos"
    header_names = HTTP_NAMES
    signature_header = "x-callback-signature"

    def listen(self, hook: RawReceiver) -> None:
        self.hook = hook

    @property
    def secret(self) -> str:
        return "s3cret"

    def body(self) -> dict[str, Any]:
        return VIDEO | {"callback_url": self.hook.url, "callback_secret": self.secret}

    def id_in(self, told: dict[str, Any]) -> str:
        return str(told["task_id"])

    def subject(self, told: dict[str, Any]) -> str:
        return str(told["task_id"])

    def look(self, task_id: str) -> httpx2.Response:
        return self.client.post("/hailuo/tasks", json={"id": task_id})

    def has_succeeded(self, task_id: str) -> bool:
        return bool(self.look(task_id).json()["response"].get("success"))

    def says_failed(self, told: dict[str, Any]) -> bool:
        says = told["success"] is False
        assert says == ("error" in told) == ("data" not in told)
        return says

    def true_body(self, task_id: str) -> bytes:
        told = self.look(task_id).json()["response"]
        for video in told["data"]:
            assert video.pop("first_image_url") is None
        return compact(told)

    def signature(self, received: Received) -> Signature:
        return Signature(None, received.headers["x-callback-signature"])

    def right_digest(self, secret: str, body: bytes, at_s: int | None) -> str:
        return hmac_of(secret, body)

    def check_headers(self, received: Received, event_type: str) -> None:
        """There is nothing beside the body."""


SCENES: dict[str, type[Scene]] = {"rivya": RivyaScene, "acedata": AceDataScene}


@contextmanager
def scene_of(api: str, **changes: Any) -> Iterator[Scene]:
    """A scene with a receiver. Unless `changes` say otherwise, callbacks are signed, and every
    body is spelled as `compact` writes it."""
    settings: dict[str, Any] = {
        "acedata__sign_callbacks": True,
        "deliveries__timeout_s": 5,
        "deliveries__spelling": "compact",
    }
    with live(**settings | ONE_RETRY | changes) as mock:
        scene = SCENES[api](mock)
        with scene.client, raw_receiver(scene.take) as hook:
            scene.listen(hook)
            yield scene


def check_all_is_well(scene: Scene) -> None:
    """A task ends, and its delivery is entirely normal."""
    task_id, received = scene.finished()
    scene.check(received, scene.true_body(task_id))
    (delivery,) = scene.log_of(task_id)
    assert (delivery["state"], delivery["fault"], delivery["given_up"]) == ("succeeded", None, None)
    (attempt,) = delivery["attempts"]
    check_attempt(attempt, received, scene.hook.url)
    assert attempt["started_at"] == delivery["created_at"] == scene.now()
    scene.mock.advance(RETRY_S)
    assert scene.is_quiet()


def check_money(scene: Scene, before: dict[str, int], price: int) -> None:
    """What was made since then was paid for, once and in full."""
    spent = price * scene.made
    expected = before | {
        "available_credits": before["available_credits"] - spent,
        "spent_credits": before["spent_credits"] + spent,
    }
    balance = asdict(scene.balance())
    assert balance == expected
    assert balance["reserved_credits"] == 0
    granted = balance.pop("granted_credits")
    assert granted == sum(balance.values())
    if scene.api == "rivya":
        answer = scene.client.get("/api/v1/credits")
        assert answer.json() == {"current_credits": balance["available_credits"]}


Proof = Callable[[Scene], None]
PROOFS: dict[tuple[str, str], Proof] = {}


def shows(name: str, *apis: str) -> Callable[[Proof], Proof]:
    """The proof of this scenario for these APIs, or for both of them."""

    def keep(proof: Proof) -> Proof:
        for api in apis or APIS:
            assert (name, api) not in PROOFS
            PROOFS[name, api] = proof
        return proof

    return keep
