"""The answers of the control door: the server builds and writes them, the client reads them.

The order of fields is the order in JSON. The client leaves out fields that it does not know.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from mock_server.core.apis import ApiName
from mock_server.core.clock import ClockMode
from mock_server.core.journal import EndedBy, IgnoredField, Origin
from mock_server.core.lifecycle import FailureReason
from mock_server.core.request_match import NearMiss
from mock_server.core.wishes import Wish

Api = ApiName
TaskState = Literal["queued", "processing", "succeeded", "failed"]
Headers = tuple[tuple[str, str], ...]
S = TypeVar("S", bound=Struct)


class Wrong(Struct, frozen=True):
    """A wrong place of a request. pointer: a JSON Pointer, "" for the whole body."""

    pointer: str
    rule: str
    detail: str


class Problem(Struct, frozen=True):
    """A refusal (RFC 9457). instance: the path. detail, near_misses: what came instead.
    shard: with status 421, the name of the shard that the request belongs to."""

    title: str
    status: int
    instance: str
    detail: str = ""
    near_misses: tuple[NearMiss, ...] = ()
    errors: tuple[Wrong, ...] = ()
    shard: str = ""


class ServedApi(Struct, frozen=True):
    """An API of the server: its titles, the beginning of its paths, and an example of a request
    that makes a task."""

    name: str
    title: str
    short_title: str
    prefix: str
    create_path: str
    create_body: dict[str, Any]


class StateFile(Struct, frozen=True):
    """The file in which the worlds survive the end of the server.

    requests_not_kept: how many the journals of an earlier server had; after a crash at most so
    many. attempts_unknown: delivery attempts that it had begun, which were made again.
    """

    file: str
    durable: Literal["process", "power"]
    requests_not_kept: int = 0
    attempts_unknown: int = 0


class Version(Struct, frozen=True):
    """The version of the server, the seed of its default world, its APIs, and its state file.
    shard: which process of how many answered, such as `2/8`."""

    version: str
    seed: int
    apis: tuple[ServedApi, ...] = ()
    shard: str | None = None
    state: StateFile | None = None


class WorldKey(Struct, frozen=True):
    """A key of a world, and the account it belongs to."""

    key: str
    api: str
    account: str


class WorldFacts(Struct, frozen=True):
    """A world at the time of the request. plain_base_url: of the server, for all worlds.
    media_url: the start of the URLs of media."""

    name: str
    seed: int
    now: datetime
    base_url: str
    plain_base_url: str
    keys: tuple[WorldKey, ...]
    media_url: str


class ClockState(Struct, frozen=True):
    """The clock of a world. signatures: the clock that dates signatures of webhooks."""

    mode: ClockMode
    now: datetime
    scale: float
    signatures: Literal["world", "machine"] = "world"


class Effect(Struct, frozen=True):
    """Something that happened while the clock moved.

    what: `attempt`, or what came due. subject: the id of the task or attempt.
    """

    at: datetime
    what: str
    subject: str
    outcome: str


class Balance(Struct, frozen=True):
    """The credits of an account; granted = available + reserved + spent."""

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
    in_flight: int | None = None


class Account(Struct, frozen=True):
    """An account. credits: those that can be spent. in_flight: how many of its tasks may not have
    ended; None: any number."""

    name: str
    credits: int
    ledger: Balance
    keys: tuple[Key, ...]
    in_flight: int | None = None


class Task(Struct, frozen=True):
    """An accepted create. ends_at: None if it never ends. request: the body of the create.
    reason: why it has failed; None otherwise. expires_at: when its API knows it no longer.
    media_expires_at: of the URL of its video. None: never."""

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
    reason: FailureReason | None = None
    expires_at: datetime | None = None
    media_expires_at: datetime | None = None


class Fault(Struct, kw_only=True, omit_defaults=True):
    """A fault of a world. matched: how many requests it concerned; happened: in how many it went
    wrong. Both are counts at the time of the request; after a `fault(…)` block, the last ones."""

    id: str
    scenario: str | None
    effect: dict[str, Any]
    match: dict[str, Any]
    skip: int = 0
    times: int | None = None
    every: int = 1
    probability: float = 1.0
    matched: int
    happened: int


class Scenario(Struct, frozen=True):
    """A named set of faults. shows: what a client sees. wish: what goes wrong, in a word."""

    name: str
    shows: str
    apis: tuple[Api, ...]
    wish: Wish


class ScenarioWithCommands(Scenario, frozen=True):
    """A scenario with its faults. how: a command for each channel."""

    faults: tuple[dict[str, Any], ...]
    how: dict[str, str]


class Explanation(Struct, frozen=True):
    """Why a request was answered as it was.

    without: the answer it would have had without a fault. ignored: up to a few fields of the body
    that had no effect.
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
    """A request or an answer. body: as text. content: the same as bytes."""

    if TYPE_CHECKING:  # each subclass has these fields in its own order
        headers: Headers
        content: bytes

    def json(self) -> Any:
        """The value of the JSON body. Raises DecodeError, a ValueError, if it is no JSON."""
        return msgspec.json.decode(self.content)

    def header(self, name: str) -> str | None:
        """The first header of this name, in upper or lower case."""
        values = (value for each, value in self.headers if each.lower() == name.lower())
        return next(values, None)


class Recorded(Message, frozen=True):
    """The request or the answer of an exchange, without credentials. size_bytes: of the whole body,
    of which `body` may be the first part."""

    headers: Headers
    body: str
    content: bytes = field(name="body_base64")
    size_bytes: int


class Exchange(Struct, frozen=True):
    """A request with its answer.

    task: the task that the request made or read, or whose video it is. status, answer: None until
    an answer begins. refusal: the rule that refused the request, and its sentence. faults: the ids
    of the faults that changed the answer. without: the answer it would have had without them.
    replay_of: the request that made the task, if this one repeated it; empty if that is not known.
    ignored: up to a few fields of the body that had no effect. ended_by: who ended it; None while
    it is under way. sent_bytes: of the answer's body, those that were given to the open connection.
    connection: its number among all of the server. wall_at, ended_wall_at: by the machine's clock.
    origin: `media` if it came to the second origin, where media are.
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
    ended_by: EndedBy | None = None
    sent_bytes: int = 0
    connection: int | None = None
    wall_at: datetime | None = None
    ended_wall_at: datetime | None = None
    origin: Origin = "api"

    def __str__(self) -> str:
        missing = "under way" if self.ended_at is None else "no answer"
        query = f"?{self.query}" if self.query else ""
        line = f"{self.id}  {self.method} {self.path}{query} -> {self.status or missing}"
        if self.faults:
            line += f"  by {self.scenario or 'a fault'}, otherwise {self.without}"
        if self.ignored:
            line += f"  without effect: {', '.join(field.pointer for field in self.ignored)}"
        return line if self.refusal is None else f"{line}  {self.refusal}"


class Journal(Struct, frozen=True, omit_defaults=True):
    """Requests, the oldest first.

    evicted: how many of the world's are no longer kept. note: set if the one of `since` is not.
    """

    requests: tuple[Exchange, ...]
    evicted: int
    note: str | None = None


class Verdict(Struct, frozen=True):
    """The result of a verification. requests: the ids of the matching requests.

    verified: None if it depends on requests that the journal no longer keeps. said: in a sentence.
    """

    verified: bool | None
    said: str
    requests: tuple[str, ...]
    near_misses: tuple[NearMiss, ...]

    def __str__(self) -> str:
        """What was found, and the nearest requests."""
        near = [
            f"\n  {miss.request} {miss.asked}: {'; '.join(miss.differences)}"
            for miss in self.near_misses
        ]
        return "".join([self.said, *near])


class SentRequest(Message, frozen=True):
    """The request of an attempt."""

    method: str
    url: str
    headers: Headers
    body: str
    content: bytes = field(name="body_base64")


class ReceiverAnswer(Message, frozen=True):
    """The answer of a receiver."""

    status: int
    headers: Headers
    body: str
    content: bytes = field(name="body_base64")


class Attempt(Struct, frozen=True):
    """An attempt at a delivery. request: None if nothing was sent. answer: None if there is none.

    note: a hint about a possible problem of the receiver. wall_at, ended_wall_at: by the machine's
    clock.
    """

    id: str
    started_at: datetime
    ended_at: datetime | None
    request: SentRequest | None
    answer: ReceiverAnswer | None
    error: str | None
    note: str | None = None
    wall_at: datetime | None = None
    ended_wall_at: datetime | None = None


class Event(Struct, frozen=True):
    """The event of a delivery. subject: the id of the task."""

    id: str
    api: Api
    type: str
    subject: str


class Delivery(Struct, frozen=True):
    """An event for one receiver, with every attempt. given_up: why there is no further attempt."""

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
    """Whether a signature is valid, and why. valid: None if the request has none."""

    valid: bool | None
    reason: str


class Received(Message, frozen=True):
    """A request that came to an inbox. answered: the status, or None if it was never answered."""

    at: datetime
    method: str
    path: str
    query: str
    headers: Headers
    body: str
    content: bytes = field(name="body_base64")
    size_bytes: int
    signature: Signature
    answered: int | None


class InboxContents(Struct, frozen=True):
    """The requests of an inbox, the oldest first, and the planned answers.

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
    """Tasks of all APIs, the oldest first. total: how many there are."""

    tasks: list[Task]
    total: int


class TaskScenario(Struct, frozen=True):
    """What went wrong in a task, as a scenario file. name: of the scenario. toml: the text of the
    file. left_out: what it does not repeat, a sentence each."""

    name: str
    toml: str
    left_out: tuple[str, ...]


class DueEntry(Struct, frozen=True, omit_defaults=True):
    """What happens at a time of the world. what, subject: as in the effects of an advance.

    task: the one that it concerns. state: that the task reaches. attempt: its number, from 1.
    """

    at: datetime
    what: str
    subject: str
    task: str | None = None
    state: TaskState | None = None
    attempt: int | None = None


class DueList(Struct, frozen=True):
    """What comes next, in order. now: the time of the world."""

    now: datetime
    due: tuple[DueEntry, ...]


class SearchResult(Struct, frozen=True):
    """What a search found, the oldest first. more: the kinds of which older ones match, too."""

    requests: tuple[Exchange, ...]
    tasks: tuple[Task, ...]
    deliveries: tuple[Delivery, ...]
    more: tuple[Literal["requests", "tasks", "deliveries"], ...] = ()


class FaultList(Struct, frozen=True):
    """Faults of a world, the oldest first."""

    faults: list[Fault]


class DeliveryList(Struct, frozen=True):
    """Deliveries, the oldest first. total: how many are kept; attempts: how many were ever made."""

    deliveries: list[Delivery]
    total: int
    attempts: int
    evicted: int


class Advanced(Struct, frozen=True):
    """What happened while the clock moved, in order."""

    now: datetime
    effects: list[Effect]


class FoundRequest(Struct, frozen=True, omit_defaults=True):
    """The result of a wait for a request. note: set if the one of `after` is no longer kept."""

    request: Exchange
    note: str | None = None


class FoundTask(Struct, frozen=True):
    """The result of a wait for a task."""

    task: Task


class FoundDelivery(Struct, frozen=True):
    """The result of a wait for a delivery."""

    delivery: Delivery


def answer_of(kind: type[S], item: object, **others: Any) -> S:
    """An answer of this kind: these fields, and the others as the item has them."""
    names = kind.__struct_fields__
    return kind(**{name: getattr(item, name) for name in names if name not in others}, **others)


def id_of(thing: str | Task | Delivery | Fault) -> str:
    """The id of an object that may be given as its id alone."""
    return thing if isinstance(thing, str) else thing.id
