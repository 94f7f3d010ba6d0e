"""What the control door answers, as typed values. What a later server adds is left out of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

Api = Literal["rivya", "acedata"]
TaskState = Literal["queued", "processing", "succeeded", "failed"]
Headers = tuple[tuple[str, str], ...]


class Wrong(Struct, frozen=True):
    """One place of a request that is wrong. pointer: a JSON Pointer, "" for the whole body."""

    pointer: str
    rule: str
    detail: str


class Problem(Struct, frozen=True):
    """A refusal (RFC 9457). detail: what there was instead, where there is more to say."""

    title: str
    status: int
    detail: str = ""
    errors: tuple[Wrong, ...] = ()


class Version(Struct, frozen=True):
    """What runs, and the seed of its default world."""

    version: str
    seed: int


class WorldKey(Struct, frozen=True):
    """A key that leads to a world, and whose it is there."""

    key: str
    api: str
    account: str


class WorldFacts(Struct, frozen=True):
    """A world, as it was when it was asked for. plain_base_url: the server's, for all worlds."""

    name: str
    seed: int
    now: datetime
    base_url: str
    plain_base_url: str
    keys: tuple[WorldKey, ...]


class ClockState(Struct, frozen=True):
    """A world's time, and how it goes on. signatures: whose clock dates those of webhooks."""

    mode: Literal["real", "frozen"]
    now: datetime
    scale: float
    signatures: Literal["world", "machine"] = "world"


class Effect(Struct, frozen=True):
    """One thing that happened while the clock moved.

    what: `attempt`, or what came due. subject: the id of what it happened to.
    """

    at: datetime
    what: str
    subject: str
    outcome: str


class Balance(Struct, frozen=True):
    """An account's credits. Always: granted = available + reserved + spent."""

    granted: int
    available: int
    reserved: int
    spent: int


class Key(Struct, frozen=True):
    """A key of an account."""

    key: str
    api: str
    scopes: tuple[str, ...]
    revoked: bool
    disabled: bool
    expires_at: datetime | None
    rate_limit: int | None


class Account(Struct, frozen=True):
    """Somebody with credits and keys. credits: what can be spent."""

    name: str
    credits: int
    ledger: Balance
    keys: tuple[Key, ...]


class Task(Struct, frozen=True):
    """One accepted generation. ends_at: None if it never ends. request: the body that made it."""

    id: str
    api: Api
    account: str
    model: str
    state: TaskState
    price_credits: int
    created_at: datetime
    taken_up_at: datetime
    ends_at: datetime | None
    request: dict[str, Any]


class Fault(Struct):
    """Something that goes wrong. matched: how many requests it concerned; happened: in how many
    it went wrong. Both are as they were when it was asked for; of a `fault(…)` block, as they were
    in the end once it is left."""

    id: str
    effect: dict[str, Any]
    scenario: str | None = None
    match: dict[str, Any] = {}
    skip: int = 0
    times: int | None = None
    every: int = 1
    probability: float = 1.0
    matched: int = 0
    happened: int = 0


class Scenario(Struct, frozen=True):
    """A named way to go wrong."""

    name: str
    shows: str
    apis: tuple[Api, ...]


class ScenarioWithCommands(Scenario, frozen=True):
    """The same with all of its faults, and a command to paste for each channel."""

    faults: tuple[dict[str, Any], ...]
    how: dict[str, str]


class IgnoredField(Struct, frozen=True):
    """A field of a body that nobody looked at.

    pointer: a JSON Pointer. hint: what was probably meant, or why it is ignored.
    """

    pointer: str
    hint: str | None


class Explanation(Struct, frozen=True):
    """Why an answer was what it was.

    without: what it would have been, had nothing gone wrong. ignored: a few of the fields of the
    body that had no effect.
    """

    request: str
    world: str
    asked: str
    status: int | None
    because: str
    scenario: str | None
    channel: str | None
    faults: tuple[str, ...]
    refusal: str | None
    without: str | None
    ignored: tuple[IgnoredField, ...] = ()


class Message(Struct, frozen=True):
    """A request or an answer as the door shows it.

    body: as text. content: the bytes as they were.
    """

    headers: Headers
    body: str
    content: bytes = field(name="body_base64")

    def json(self) -> Any:
        """What the body says. Raises DecodeError, a ValueError, if it is no JSON."""
        return msgspec.json.decode(self.content)

    def header(self, name: str) -> str | None:
        """The first header of this name, in whatever case."""
        values = (value for each, value in self.headers if each.lower() == name.lower())
        return next(values, None)


class Recorded(Message, frozen=True, kw_only=True):
    """One half of an exchange; credentials are not shown. size_bytes: of the whole body, kept or
    not."""

    size_bytes: int


class Exchange(Struct, frozen=True):
    """One request with its answer, as far as it has come.

    task: which one it made or looked at. status, answer: None as long as none was begun.
    refusal: the rule that said no, and its sentence. faults: what went wrong on purpose, by id.
    without: what the answer would have been, had nothing gone wrong.
    replay_of: the request that made the task, if this one only asked for it again; empty if that is
    not known. ignored: a few of the fields of the body that had no effect.
    """

    id: str
    at: datetime
    ended_at: datetime | None
    method: str
    path: str
    query: str
    api: Api | None
    operation: str | None
    account: str | None
    task: str | None
    request: Recorded
    status: int | None
    answer: Recorded | None
    refusal: str | None
    scenario: str | None
    channel: str | None
    faults: tuple[str, ...]
    without: str | None
    replay_of: str | None = None
    ignored: tuple[IgnoredField, ...] = ()

    def __str__(self) -> str:
        """All that matters in a line."""
        missing = "under way" if self.ended_at is None else "no answer"
        query = f"?{self.query}" if self.query else ""
        line = f"{self.id}  {self.method} {self.path}{query} -> {self.status or missing}"
        if self.faults:
            line += f"  by {self.scenario or 'a fault'}, otherwise {self.without}"
        if self.ignored:
            line += f"  without effect: {', '.join(field.pointer for field in self.ignored)}"
        return line if self.refusal is None else f"{line}  {self.refusal}"


class Journal(Struct, frozen=True):
    """Requests, the oldest first.

    evicted: how many of the world's are no longer kept. note: that the request of `since` is not.
    """

    requests: tuple[Exchange, ...]
    evicted: int
    note: str | None = None


class NearMiss(Struct, frozen=True):
    """A request that is not one of those that were meant, and why not."""

    request: str
    asked: str
    differences: tuple[str, ...]


class Verdict(Struct, frozen=True):
    """Whether the journal holds what it should. requests: the ids of those that were meant.

    verified: None if it depends on requests that the journal no longer keeps; `said` tells.
    """

    verified: bool | None
    said: str
    requests: tuple[str, ...]
    near_misses: tuple[NearMiss, ...]

    def __str__(self) -> str:
        """What was found, and what came near."""
        near = [
            f"\n  {miss.request} {miss.asked}: {'; '.join(miss.differences)}"
            for miss in self.near_misses
        ]
        return "".join([self.said, *near])


class SentRequest(Message, frozen=True, kw_only=True):
    """What an attempt sent."""

    method: str
    url: str


class ReceiverAnswer(Message, frozen=True, kw_only=True):
    """What the receiver said."""

    status: int


class Attempt(Struct, frozen=True):
    """One try at a delivery. request: None if nothing was sent. answer: None if there is none.

    note: what a receiver may stumble over.
    """

    id: str
    started_at: datetime
    ended_at: datetime | None
    request: SentRequest | None
    answer: ReceiverAnswer | None
    error: str | None
    note: str | None = None


class Event(Struct, frozen=True):
    """What a delivery tells of. subject: the id of the task."""

    id: str
    api: Api
    type: str
    subject: str


class Delivery(Struct, frozen=True):
    """One event for one receiver, with every attempt at it. given_up: why, if nobody tries it
    any more."""

    id: str
    state: str
    url: str
    endpoint: str | None
    event: Event
    fault: dict[str, Any] | None
    created_at: datetime
    next_attempt_at: datetime | None
    given_up: str | None
    attempts: tuple[Attempt, ...]


class Signature(Struct, frozen=True):
    """What the signature of a request is worth, and why. valid: None if there is none."""

    valid: bool | None
    reason: str


class Received(Message, frozen=True, kw_only=True):
    """A request that came to an inbox. answered: None if it was left hanging."""

    at: datetime
    method: str
    path: str
    query: str
    size_bytes: int
    signature: Signature
    answered: int | None


class InboxContents(Struct, frozen=True):
    """What came to an inbox, oldest first, and what is to be answered next.

    evicted: how many requests are no longer kept.
    """

    name: str
    requests: tuple[Received, ...]
    evicted: int
    answers: tuple[dict[str, Any], ...]


class WorldList(Struct, frozen=True):
    """Every world, the oldest first."""

    worlds: list[WorldFacts]


class ScenarioList(Struct, frozen=True):
    """Every scenario, by name."""

    scenarios: list[Scenario]


class AccountList(Struct, frozen=True):
    """Every account of a world."""

    accounts: list[Account]


class TaskList(Struct, frozen=True):
    """Tasks of both APIs, oldest first. total: how many there are."""

    tasks: list[Task]
    total: int


class FaultList(Struct, frozen=True):
    """Faults that stand, oldest first."""

    faults: list[Fault]


class DeliveryList(Struct, frozen=True):
    """Deliveries, oldest first. total: how many are known; attempts: how many there ever were."""

    deliveries: list[Delivery]
    total: int
    attempts: int
    evicted: int


class Advanced(Struct, frozen=True):
    """What happened while a clock was moved, in order."""

    now: datetime
    effects: list[Effect]


class FoundRequest(Struct, frozen=True):
    """The request that was waited for. note: that the request of `after` is no longer kept."""

    request: Exchange
    note: str | None = None


class FoundTask(Struct, frozen=True):
    """The task that was waited for, as it is now."""

    task: Task


class FoundDelivery(Struct, frozen=True):
    """The delivery that was waited for."""

    delivery: Delivery


def id_of(thing: str | Task | Delivery | Fault) -> str:
    """The id of something that may be named by its id alone."""
    return thing if isinstance(thing, str) else thing.id
