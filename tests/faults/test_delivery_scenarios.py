"""Each scenario of a delivery that goes wrong: what the receiver sees of it, once, and its price.

A proof is a function that stands in `PROOFS` under the scenario and the API it is for. Before it,
a delivery goes right; then the scenario stands for one task, and the proof has that task made;
after it, everything is as if nothing had happened.
"""

from __future__ import annotations

import hmac
import json
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from queue import Queue
from select import select
from time import monotonic
from typing import Any

import httpx2
import pytest

from mock_server.contract.data_paths import FIXTURES
from mock_server.core.ledger import Balance
from mock_server.edge.timestamps import moment
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


@dataclass(frozen=True)
class Signature:
    """Over which bytes, when, and with what result; at_s: None where signatures have no time."""

    at_s: int | None
    digest: str


class Scene(ABC):
    """A caller of one API whose receiver sees every byte, on a clock that moves when told."""

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
        """Have the receiver told of what is made from now on."""

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
        """The task's id, in what a receiver is told."""

    @abstractmethod
    def look(self, task_id: str) -> httpx2.Response:
        """Poll the task."""

    @abstractmethod
    def has_succeeded(self, task_id: str) -> bool:
        """Whether polling says that the task has ended well."""

    @abstractmethod
    def says_failed(self, told: dict[str, Any]) -> bool:
        """Whether a receiver is told that its task has failed."""

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
        return moment(self.mock.fake.world().clock.now_ms() + round(later_s * 1000))

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
        """One delivery per request, each with the fault; each tells one attempt as it was."""
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
    return sorted(attempts, key=lambda each: sorted(_headers(each).items()))


def _headers(attempt: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in attempt["request"]["headers"]}


def check_attempt(attempt: Any, received: Received, url: str) -> None:
    """An attempt in the log shows this request, taken with a 200."""
    request = attempt["request"]
    assert (request["method"], request["url"]) == ("POST", url)
    assert _headers(attempt) == received.headers
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
    """A scene with a receiver; callbacks are signed unless `changes` say otherwise."""
    settings: dict[str, Any] = {"acedata__sign_callbacks": True, "deliveries__timeout_s": 5}
    with live(**settings | ONE_RETRY | changes) as mock:
        scene = SCENES[api](mock)
        with scene.client, raw_receiver(scene.take) as hook:
            scene.listen(hook)
            yield scene


def check_all_is_well(scene: Scene) -> None:
    """A task ends, and its delivery is entirely normal."""
    task_id = scene.finish()
    received = scene.one()
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


# --- how often, when, in which order ---------------------------------------------------------


@shows("delivery_never")
def never(scene: Scene) -> None:
    task_id = scene.finish()
    scene.mock.advance(30 * 86400)
    assert scene.is_quiet()
    assert scene.has_succeeded(task_id)
    assert scene.log_of(task_id) == []


@shows("delivery_late")
def late(scene: Scene) -> None:
    task_id = scene.finish()
    (delivery,) = scene.log_of(task_id)
    assert (delivery["created_at"], delivery["next_attempt_at"]) == (scene.now(), scene.now(600))
    assert delivery["attempts"] == []
    scene.mock.advance(599.999)
    assert scene.is_quiet()
    scene.mock.advance(0.001)
    received = scene.one()
    scene.check(received, scene.true_body(task_id))
    (delivery,) = scene.check_log("delivery_late", task_id, received)
    assert delivery["attempts"][0]["started_at"] == scene.now()


def copies_at_once(name: str, count: int) -> Proof:
    def proof(scene: Scene) -> None:
        task_id = scene.finish()
        received, body = scene.came(count), scene.true_body(task_id)
        for each in received:
            scene.check(each, body)
        deliveries = scene.check_log(name, task_id, *received)
        starts = [attempt["started_at"] for each in deliveries for attempt in each["attempts"]]
        assert starts == [scene.now()] * count
        scene.mock.advance(RETRY_S)
        assert scene.is_quiet()

    return proof


shows("delivery_twice_at_once")(copies_at_once("delivery_twice_at_once", 2))
shows("delivery_storm")(copies_at_once("delivery_storm", 50))


@shows("delivery_twice")
def twice(scene: Scene) -> None:
    task_id = scene.finish()
    first = scene.one()
    scene.check(first, scene.true_body(task_id))
    scene.mock.advance(4.999)
    assert scene.is_quiet()
    scene.mock.advance(0.001)
    second = scene.one()
    scene.check(second, scene.true_body(task_id))
    one, other = scene.check_log("delivery_twice", task_id, first, second)
    starts = [each["attempts"][0]["started_at"] for each in (one, other)]
    assert starts == [scene.now(-5), scene.now()]


@shows("delivery_out_of_order")
def out_of_order(scene: Scene) -> None:
    older = scene.finish()
    scene.mock.advance(RETRY_S)
    assert scene.is_quiet()
    (delivery,) = scene.log_of(older)
    assert (delivery["state"], delivery["attempts"]) == ("pending", [])
    newer = scene.finish()
    first, second = scene.came(2)
    scene.check(first, scene.true_body(newer))
    scene.check(second, scene.true_body(older))
    scene.check_log("delivery_out_of_order", older, second)


@shows("delivery_success_after_failure")
def success_after_failure(scene: Scene) -> None:
    task_id = scene.finish()
    lie = scene.one()
    told = json.loads(lie.body)
    assert scene.subject(told) == task_id
    assert scene.says_failed(told)
    scene.check(lie, lie.body, event_type=FAILED)
    scene.mock.advance(0.999)
    assert scene.is_quiet()
    assert scene.has_succeeded(task_id)
    scene.mock.advance(0.001)
    truth = scene.one()
    scene.check(truth, scene.true_body(task_id))
    assert not scene.says_failed(json.loads(truth.body))
    deliveries = scene.log_of(task_id)
    wanted = effect("delivery_success_after_failure")
    waits_s = [each["fault"].pop("late_s", 0) for each in deliveries]
    assert waits_s == [0, wanted.pop("late_s")]
    assert [each["fault"] for each in deliveries] == [wanted, wanted]
    for delivery, received in zip(deliveries, (lie, truth), strict=True):
        (attempt,) = delivery["attempts"]
        check_attempt(attempt, received, scene.hook.url)


@shows("delivery_unknown_task")
def unknown_task(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    told = json.loads(received.body)
    stranger = scene.subject(told)
    assert stranger != task_id
    assert len(stranger) == len(task_id)
    assert scene.look(task_id).status_code == 200
    assert scene.look(stranger).status_code == 404
    assert not scene.says_failed(told)
    scene.check(received, received.body)
    scene.check_log("delivery_unknown_task", stranger, received)
    assert scene.log_of(task_id) == []


@shows("delivery_before_answer")
def before_answer(scene: Scene) -> None:
    caller = HTTPConnection(scene.mock.url.removeprefix("http://"), timeout=WAIT_S)
    noticed: Queue[tuple[str, bool, bool]] = Queue()

    def notice(received: Received) -> None:
        task_id = scene.subject(json.loads(received.body))
        has_succeeded = scene.has_succeeded(task_id)  # which also gives the server its turn
        answered, _, _ = select([caller.sock], [], [], 0)
        noticed.put((task_id, has_succeeded, bool(answered)))

    scene.react, scene.made = notice, scene.made + 1
    headers = scene.headers | {"content-type": JSON}
    caller.request("POST", scene.create_path, compact(scene.body()), headers)
    task_id, has_succeeded, was_answered = noticed.get(timeout=WAIT_S)
    assert (has_succeeded, was_answered) == (True, False)
    with caller.getresponse() as answer:
        assert scene.id_in(json.load(answer)) == task_id
    caller.close()
    scene.react = lambda _: None
    received = scene.one()
    scene.check(received, scene.true_body(task_id))
    (delivery,) = scene.log_of(task_id)
    (attempt,) = delivery["attempts"]
    check_attempt(attempt, received, scene.hook.url)
    assert attempt["started_at"] == delivery["created_at"] == scene.now()


@shows("delivery_deleted_endpoint", "rivya")
def deleted_endpoint(scene: Scene) -> None:
    assert isinstance(scene, RivyaScene)
    with raw_receiver() as off:
        taken_back, active = scene.endpoint, scene.hook
        task_id = scene.create()
        scene.listen(off)
        switched_off, scene.hook = scene.endpoint, active
        scene.client.patch(f"/api/v1/webhooks/{switched_off['id']}", json={"status": "disabled"})
        scene.client.delete(f"/api/v1/webhooks/{taken_back['id']}")
        scene.mock.advance(1)
        scene.endpoint, received = taken_back, scene.one()
        scene.check(received, scene.true_body(task_id))
        scene.endpoint, other = switched_off, off.connections.get(timeout=WAIT_S).request
        scene.check(other, scene.true_body(task_id))
        deliveries = scene.log_of(task_id)
        assert len(deliveries) == 2
        assert {each["state"] for each in deliveries} == {"succeeded"}
        for delivery in deliveries:
            assert delivery["fault"] == effect("delivery_deleted_endpoint")
        told = {each["endpoint"]: each["attempts"][0] for each in deliveries}
        check_attempt(told[taken_back["id"]], received, active.url)
        check_attempt(told[switched_off["id"]], other, off.url)
        for each, status in ((taken_back, "revoked"), (switched_off, "disabled")):
            shown = scene.client.get(f"/api/v1/webhooks/{each['id']}").json()
            assert shown["status"] == status
        scene.finish()
        assert off.connections.empty()
        assert scene.is_quiet()
    scene.listen(active)


# --- how it is signed ------------------------------------------------------------------------


@shows("delivery_unsigned")
def unsigned(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    scene.check(received, scene.true_body(task_id), is_signed=False)
    scene.check_log("delivery_unsigned", task_id, received)


@shows("delivery_wrong_secret")
def wrong_secret(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    check_but_for_digest(scene, received, scene.true_body(task_id))
    scene.check_log("delivery_wrong_secret", task_id, received)


def check_but_for_digest(scene: Scene, received: Received, body: bytes) -> None:
    """It is signed, in time and in form, but neither what came nor what is true was signed."""
    digest = scene.signature(received).digest
    at_s = scene.signature(received).at_s
    right = scene.right_digest(scene.secret, body, at_s)
    assert len(digest) == len(right)
    assert set(digest) <= set("0123456789abcdef")
    assert digest != right
    headers = received.headers | {
        scene.signature_header: received.headers[scene.signature_header].replace(digest, right)
    }
    scene.check(Received("POST", received.path, headers, received.body), body)


@shows("delivery_old_secret", "rivya")
def old_secret(scene: Scene) -> None:
    assert isinstance(scene, RivyaScene)
    old = scene.secret
    scene.endpoint = scene.post(f"/api/v1/webhooks/{scene.endpoint['id']}/rotate-secret", None)
    assert scene.secret != old
    task_id = scene.finish()
    received = scene.one()
    scene.check(received, scene.true_body(task_id), secret=old)
    scene.check_log("delivery_old_secret", task_id, received)


@shows("delivery_stale", "rivya")
def stale(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    scene.check(received, scene.true_body(task_id), signed_s=-3600)
    scene.check_log("delivery_stale", task_id, received)


@shows("delivery_future", "rivya")
def future(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    scene.check(received, scene.true_body(task_id), signed_s=3600)
    scene.check_log("delivery_future", task_id, received)


@shows("delivery_altered")
def altered(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    signed = scene.true_body(task_id)
    assert received.body != signed
    assert json.loads(received.body) == json.loads(signed) | {"altered": True}
    scene.check(received, received.body, signed=signed)
    scene.check_log("delivery_altered", task_id, received)


# --- what it says ----------------------------------------------------------------------------


@shows("delivery_cut")
def cut(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    whole = scene.true_body(task_id)
    assert 1 < len(received.body) < len(whole) - 1
    scene.check(received, whole[: len(received.body)])
    with pytest.raises(json.JSONDecodeError):
        json.loads(received.body)
    scene.check_log("delivery_cut", task_id, received)


@shows("delivery_empty")
def empty(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    scene.check(received, b"")
    scene.check_log("delivery_empty", task_id, received)


@shows("delivery_not_json")
def not_json(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    assert received.body.startswith(b"<html>")
    assert received.body.endswith(b"</html>")
    scene.check(received, received.body)
    scene.check_log("delivery_not_json", task_id, received)


@shows("delivery_extra_fields")
def extra_fields(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    truth = json.loads(scene.true_body(task_id))
    more = {"beta": True, "billing": {"cost": 1}}
    assert json.loads(received.body) == truth | more
    assert not truth.keys() & more.keys()
    scene.check(received, received.body)
    scene.check_log("delivery_extra_fields", task_id, received)


@shows("delivery_unknown_type", "rivya")
def unknown_type(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    truth = json.loads(scene.true_body(task_id))
    assert json.loads(received.body) == truth | {"type": "generation.upscaled"}
    scene.check(received, received.body, event_type="generation.upscaled")
    scene.check_log("delivery_unknown_type", task_id, received)


@shows("delivery_wrong_content_type")
def wrong_content_type(scene: Scene) -> None:
    task_id = scene.finish()
    received = scene.one()
    scene.check(received, scene.true_body(task_id), content_type="text/plain")
    scene.check_log("delivery_wrong_content_type", task_id, received)


# --- how it travels: the first attempt fails, the second one goes right ----------------------


def check_second_attempt(scene: Scene, name: str, task_id: str, wait_s: float = RETRY_S) -> Any:
    """Nothing has come, or comes before its time; then all is well. The first attempt."""
    assert scene.is_quiet()
    (delivery,) = scene.log_of(task_id)
    assert delivery["fault"] == effect(name)
    assert (delivery["state"], delivery["next_attempt_at"]) == ("pending", scene.now(wait_s))
    (failed,) = delivery["attempts"]
    assert failed["started_at"] == failed["ended_at"] == scene.now()
    assert scene.has_succeeded(task_id)
    scene.mock.advance(wait_s - 0.001)
    assert scene.is_quiet()
    scene.mock.advance(0.001)
    received = scene.one()
    scene.check(received, scene.true_body(task_id))
    (delivery,) = scene.log_of(task_id)
    assert (delivery["state"], delivery["fault"]) == ("succeeded", effect(name))
    first, second = delivery["attempts"]
    assert first == failed
    check_attempt(second, received, scene.hook.url)
    return first


def answered_instead(name: str, status: int, wait_s: float = RETRY_S, **headers: str) -> Proof:
    def proof(scene: Scene) -> None:
        task_id = scene.finish()
        first = check_second_attempt(scene, name, task_id, wait_s)
        assert first["error"] is None
        assert first["answer"]["status"] == status
        named = [[key.replace("_", "-"), value] for key, value in headers.items()]
        assert first["answer"]["headers"] == named
        assert first["request"]["url"] == scene.hook.url
        assert first["request"]["body"].encode() == scene.true_body(task_id)

    return proof


shows("delivery_error")(answered_instead("delivery_error", 500))
shows("delivery_gone")(answered_instead("delivery_gone", 410))
shows("delivery_redirected")(
    answered_instead("delivery_redirected", 302, location="/elsewhere"),
)
shows("delivery_throttled")(
    answered_instead("delivery_throttled", 429, wait_s=600, retry_after="600")
)


@shows("delivery_hang")
def hang(scene: Scene) -> None:
    task_id = scene.finish()
    first = check_second_attempt(scene, "delivery_hang", task_id)
    assert (first["answer"], first["error"]) == (None, "no whole answer within 5 s")
    assert first["request"]["body"].encode() == scene.true_body(task_id)


@shows("delivery_dns")
def dns(scene: Scene) -> None:
    task_id = scene.finish()
    first = check_second_attempt(scene, "delivery_dns", task_id)
    assert first["answer"] is None
    assert "no address" in first["error"]


@shows("delivery_tls")
def tls(scene: Scene) -> None:
    task_id = scene.finish()
    hello = scene.connection()
    assert hello.ending == "tls"
    assert b"HTTP" not in hello.data
    first = check_second_attempt(scene, "delivery_tls", task_id)
    assert first["answer"] is None
    assert first["error"].startswith("ConnectError")
    assert first["request"]["url"] == scene.hook.url.replace("http:", "https:")


@shows("delivery_reset")
def reset(scene: Scene) -> None:
    task_id = scene.finish()
    broken = scene.connection()
    assert broken.ending == "reset"
    whole = scene.true_body(task_id)
    assert 1 < len(broken.body) < len(whole) - 1
    assert whole.startswith(broken.body)
    assert broken.headers["content-length"] == str(len(whole))
    scene.check(Received("POST", broken.request.path, broken.headers, whole), whole)
    first = check_second_attempt(scene, "delivery_reset", task_id)
    assert first["answer"] is None
    assert first["error"].startswith("ConnectionResetError")
    assert _headers(first) == broken.headers


@shows("delivery_dribble")
def dribble(scene: Scene) -> None:
    task_id = scene.create()
    started = monotonic()
    scene.mock.advance(1)
    slow = scene.connection()
    assert slow.ending == "whole"
    assert slow.pieces[-1][0] - started >= len(slow.body) / 5000
    assert len(slow.pieces) > 10
    scene.check(slow.request, scene.true_body(task_id))
    (delivery,) = scene.log_of(task_id)
    assert (delivery["state"], delivery["fault"]) == ("succeeded", FAST["effect"])
    (attempt,) = delivery["attempts"]
    check_attempt(attempt, slow.request, scene.hook.url)


# --- every one of them -----------------------------------------------------------------------


@pytest.mark.parametrize(("name", "api"), sorted(PROOFS))
def test_a_scenario_shows_what_it_promises_once_and_costs_nothing(name: str, api: str) -> None:
    with scene_of(api) as scene:
        before = asdict(scene.balance())
        check_all_is_well(scene)
        price = before["available_credits"] - scene.balance().available_credits
        assert price > 0
        asked = FAST if name == "delivery_dribble" else {"scenario": name}
        scene.go_wrong(asked | {"times": 1})
        PROOFS[name, api](scene)
        assert scene.happened() == [1]
        check_all_is_well(scene)
        check_money(scene, before, price)


def test_no_scenario_lacks_its_proof_for_any_api_it_names() -> None:
    assert set(PROOFS) == {(name, api) for name in FILES for api in named_apis(name)}


ONLY_RIVYA = {"deleted_endpoint", "event_type", "signed_s"}
"""AceData has no endpoints, no types of events, and no time in its signatures."""


@pytest.mark.parametrize("name", FILES)
def test_a_scenario_names_the_apis_in_which_there_is_such_a_thing(name: str) -> None:
    (fields,) = [effect(name)]
    is_only_rivya = bool(ONLY_RIVYA & fields.keys()) or fields.get("signed_with") == "previous"
    assert named_apis(name) == (("rivya",) if is_only_rivya else APIS)


@pytest.mark.parametrize(
    ("name", "api"),
    [(name, api) for name in FILES for api in APIS if api not in named_apis(name)],
)
def test_a_scenario_leaves_an_api_alone_that_it_does_not_name(name: str, api: str) -> None:
    with scene_of(api) as scene:
        scene.go_wrong({"scenario": name})
        check_all_is_well(scene)
        assert scene.happened() == [0]


# --- what a table has no room for ------------------------------------------------------------


@pytest.mark.parametrize("api", APIS)
def test_the_scenario_itself_dribbles_at_200_bytes_a_second(api: str) -> None:
    with scene_of(api) as scene, raw_receiver(most_body_bytes=20) as impatient:
        if isinstance(scene, RivyaScene):
            scene.client.delete(f"/api/v1/webhooks/{scene.endpoint['id']}")
        scene.listen(impatient)
        scene.go_wrong({"scenario": "delivery_dribble", "times": 1})
        scene.create()
        started = monotonic()
        scene.mock.advance(1)
        slow = scene.connection()
        assert slow.ending == "enough"
        assert slow.pieces[-1][0] - started >= 20 / 200
        assert len(slow.body) < 100
        (delivery,) = scene.log()
        (attempt,) = delivery["attempts"]
    assert delivery["fault"] == effect("delivery_dribble")
    assert (attempt["answer"], attempt["error"] is None) == (None, False)


def test_an_event_is_held_back_for_its_own_receiver_alone() -> None:
    with scene_of("acedata") as scene, raw_receiver() as other:
        own = scene.hook
        scene.go_wrong({"scenario": "delivery_out_of_order", "times": 1})
        older = scene.finish()
        scene.listen(other)
        scene.finish()
        scene.came()
        assert own.connections.empty()
        scene.listen(own)
        newer = scene.finish()
        told = [scene.subject(json.loads(each.body)) for each in scene.came(2)]
    assert told == [newer, older]


@pytest.mark.parametrize("name", ["delivery_altered", "delivery_wrong_secret"])
def test_what_concerns_a_signature_signs_a_callback_that_nobody_would_sign(name: str) -> None:
    with scene_of("acedata", acedata__sign_callbacks=False) as scene:
        scene.go_wrong({"scenario": name, "times": 1})
        PROOFS[name, "acedata"](scene)
        scene.finish()
        assert scene.signature_header not in scene.one().headers


@pytest.mark.parametrize("api", APIS)
def test_a_task_that_failed_costs_nothing_whatever_else_is_told_of_it(api: str) -> None:
    with scene_of(api, tasks__failure_rate=1) as scene:
        before = asdict(scene.balance())
        scene.go_wrong({"scenario": "delivery_success_after_failure", "times": 1})
        scene.create()
        scene.mock.advance(2)
        told = [json.loads(each.body) for each in scene.came(2)]
        assert asdict(scene.balance()) == before
    assert {scene.subject(each) for each in told} == {scene.subject(told[0])}
    assert [scene.says_failed(each) for each in told] == [False, True]


def test_a_fault_of_every_attempt_is_still_there_at_the_next_one() -> None:
    with scene_of("rivya") as scene, raw_receiver() as later:
        assert isinstance(scene, RivyaScene)
        scene.go_wrong({"scenario": "delivery_wrong_content_type", "times": 1})
        url = f"/api/v1/webhooks/{scene.endpoint['id']}"
        scene.client.patch(url, json={"url": "http://127.0.0.1:1/closed"})
        scene.finish()
        scene.client.patch(url, json={"url": later.url})
        scene.mock.advance(RETRY_S)
        received = later.connections.get(timeout=WAIT_S).request
    assert received.headers["content-type"] == "text/plain"


def test_an_answer_that_breaks_off_is_none() -> None:
    cut = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"
    with scene_of("acedata") as scene, raw_receiver(answer=cut) as hook:
        scene.listen(hook)
        (delivery,) = scene.log_of(scene.finish())
    (attempt,) = delivery["attempts"]
    assert delivery["state"] == "pending"
    assert attempt["answer"] is None
    assert "Error" in attempt["error"]


@pytest.mark.parametrize(("disables", "status"), [(False, "active"), (True, "disabled")])
def test_an_endpoint_that_seems_gone_is_switched_off_if_the_setting_says_so(
    disables: bool, status: str
) -> None:
    with scene_of("rivya", rivya__gone_disables=disables) as scene:
        assert isinstance(scene, RivyaScene)
        scene.go_wrong({"scenario": "delivery_gone", "times": 1})
        scene.finish()
        shown = scene.client.get(f"/api/v1/webhooks/{scene.endpoint['id']}").json()
        scene.mock.advance(RETRY_S)
        came = 0 if scene.is_quiet() else len(scene.came())
    assert (shown["status"], came) == (status, 0 if disables else 1)


@pytest.mark.parametrize("api", APIS)
def test_an_event_that_is_held_back_does_not_follow_an_older_one(api: str) -> None:
    with scene_of(api) as scene:
        scene.go_wrong({"scenario": "delivery_error", "times": 1})
        oldest = scene.finish()
        scene.go_wrong({"scenario": "delivery_out_of_order", "times": 1})
        older = scene.finish()
        scene.mock.advance(RETRY_S)
        first = scene.one()
        newer = scene.finish()
        told = [first, *scene.came(2)]
    subjects = [scene.subject(json.loads(each.body)) for each in told]
    assert subjects == [oldest, newer, older]


@pytest.mark.parametrize("api", APIS)
def test_an_event_that_is_held_back_and_sent_by_hand_is_sent_once(api: str) -> None:
    with scene_of(api) as scene:
        scene.go_wrong({"scenario": "delivery_out_of_order", "times": 1})
        older = scene.finish()
        (delivery,) = scene.log_of(older)
        scene.post(f"{DOOR}/deliveries/{delivery['id']}/redeliver", None)
        scene.mock.advance(0)
        scene.check(scene.one(), scene.true_body(older))
        newer = scene.finish()
        scene.check(scene.one(), scene.true_body(newer))


def test_an_event_that_is_held_back_follows_a_receiver_that_moves() -> None:
    with scene_of("rivya") as scene, raw_receiver() as new:
        assert isinstance(scene, RivyaScene)
        scene.go_wrong({"scenario": "delivery_out_of_order", "times": 1})
        older = scene.finish()
        scene.client.patch(f"/api/v1/webhooks/{scene.endpoint['id']}", json={"url": new.url})
        newer = scene.finish()
        scene.hook = new
        told = [scene.subject(json.loads(each.body)) for each in scene.came(2)]
    assert told == [newer, older]


@pytest.mark.parametrize("api", APIS)
def test_who_waits_for_a_receiver_is_answered_when_the_world_begins_anew(api: str) -> None:
    with scene_of(api) as scene, httpx2.Client(base_url=scene.mock.url) as door:

        def begin_anew(_: Received) -> None:
            door.post(f"{DOOR}/reset").raise_for_status()

        scene.react = begin_anew
        scene.go_wrong({"scenario": "delivery_before_answer", "times": 1})
        answer = scene.client.post(scene.create_path, json=scene.body())
    assert answer.status_code == 200


def test_tls_is_spoken_to_the_very_port_that_the_receiver_has() -> None:
    with scene_of("acedata") as scene:
        scene.hook = RawReceiver("http://127.0.0.1/hook", scene.hook.connections)
        scene.go_wrong({"scenario": "delivery_tls", "times": 1})
        (delivery,) = scene.log_of(scene.finish())
    assert delivery["attempts"][0]["request"]["url"] == "https://127.0.0.1:80/hook"
