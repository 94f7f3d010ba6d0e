"""A world that is restored from its snapshot behaves like the original."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from enum import Enum
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.apis import ALL
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import SCHEMAS
from mock_server.core.accounts import Key
from mock_server.core.agenda import Agenda, Due, Occasion
from mock_server.core.chance import Chance
from mock_server.core.clock import Clock
from mock_server.core.deliveries import Attempt, DeliveryState, Event, OutgoingRequest, PendingEvent
from mock_server.core.effects import NO_FAULT, DeliveryFault, TaskFault
from mock_server.core.endpoints import EndpointStatus
from mock_server.core.faults import Fault, FaultRule, Faults, Match
from mock_server.core.idempotency import IdempotencyKey
from mock_server.core.inbox import UNSIGNED, InboxAnswer, Received
from mock_server.core.ledger import Balance
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.refusals import Invalid, Refusal
from mock_server.core.snapshot import Snapshot, UrlRewriter, encoded, restored_world, snapshot_of
from mock_server.core.snapshot_checks import require_consistent
from mock_server.core.snapshot_checks.document import ContractFacts
from mock_server.core.tasks import NEVER_MS, Order, Task
from mock_server.core.world import World, WorldRules
from mock_server.edge.json_body import parse
from tests.core.worlds import make_world, store_image

START_MS = 1_778_457_600_000
CONTENTS = {sha256(content).hexdigest(): content for content in (b"one", b"two two")}


def place(name: str, base_url: str = "http://mock.test") -> UrlRewriter:
    return UrlRewriter(
        base_url,
        f"{base_url}/_mock/inbox/{name}/",
        lambda base_url, task_id: f"{base_url}/media/{name}/{task_id}.mp4",
    )


CONTRACT = Contract(SCHEMAS, ALL)
FACTS = ContractFacts(CONTRACT.catalog, CONTRACT.uploads, partial(parse, max_depth=64))
HERE = place("here")
THERE = place("there", "http://127.0.0.1:5555")


def make() -> World:
    return make_world(
        "here",
        seed=7,
        clock=Clock(lambda: 0, start_ms=START_MS, frozen=True),
        rules=WorldRules(journal_exchanges=3, inbox_requests=2, kept_deliveries=4),
        credits_of={"ada": 500, "ben": 60},
        keys=[Key("k1", "ada", "rivya", frozenset("abc")), Key("k2", "ben", "acedata")],
    )


def document_of(world: World, where: UrlRewriter) -> bytes:
    return encoded(snapshot_of(world, where, CONTENTS))


def moved(world: World, to: UrlRewriter, *, of: UrlRewriter = HERE) -> World:
    """The same world restored with other URLs; its document must be the same."""
    document = document_of(world, of)
    snapshot = msgspec.json.decode(document, type=Snapshot)
    require_consistent(snapshot, FACTS)
    other, again = restored_world(snapshot, "there", to, lambda: 0)
    assert again == document
    return other


# --- steps of a world -----------------------------------------------------------------------------


def order(where: UrlRewriter, account: str = "ada", price: int = 57, api: str = "rivya") -> Order:
    request = json.dumps({"prompt": "a fox"}).encode()
    return Order(
        api, account, "k1", "hailuo-pro", price, request, where.base_url, where.inboxes + "hook"
    )


def submit(world: World, where: UrlRewriter, account: str, price: int) -> Any:
    return world.submit(order(where, account, price)).id


def submit_with_faults(world: World, where: UrlRewriter, fault: DeliveryFault | TaskFault) -> Any:
    faults = Faults(world.chance, f"asked_{len(world.tasks)}")
    faults.add(FaultRule(effect=fault, times=1), "by_name")
    return world.submit(order(where), faults).id


def submit_once(world: World, where: UrlRewriter, value: str, body: bytes) -> Any:
    key = IdempotencyKey("ada", "create", value, body)
    task = world.submit_once(order(where), key)
    world.idempotency.mark_answered(key)
    return task.id


def finish(world: World, where: UrlRewriter, number: int, outcome: TaskEvent) -> Any:
    tasks = list(world.tasks)
    return tasks and world.finish(tasks[number % len(tasks)], outcome).planned


def advance(world: World, where: UrlRewriter, by_ms: int, status: int) -> Any:
    """Advance as the server does: deliver ended tasks, answer due attempts with `status`."""
    world.clock.advance(by_ms)
    results: list[Any] = []
    while happened := world.catch_up():
        for due in happened:
            results.append(due)
            if due.occasion is Occasion.TASK_ENDS:
                deliver(world, where, world.tasks[due.subject])
            elif due.occasion is Occasion.ATTEMPT_DUE:
                results.append(attempt(world, due, status))
    return results


def deliver(world: World, where: UrlRewriter, task: Task) -> None:
    fault = world.delivery_fault(task)
    video = where.video_url(task.order.base_url, task.id)
    body = json.dumps({"id": task.id, "video": video}).encode()
    event = Event("evt_" + task.id, "ended", "rivya", "ada", task.id, world.clock.now_ms(), body)
    for endpoint in world.endpoints.subscribed("ada", "ended"):
        world.dispatch.schedule(PendingEvent(event, endpoint.url, (100, 2000), endpoint.id), fault)
    world.dispatch.schedule(PendingEvent(event, task.order.callback_url or "", (500,)), fault)


def attempt(world: World, due: Due, status: int) -> Any:
    delivery = world.deliveries.get(due.subject)
    if delivery is None or delivery.next_attempt_ms != due.at_ms:
        return None
    attempt = delivery.begin_attempt(world.clock.now_ms())
    attempt.outgoing = OutgoingRequest("http://sent.test", (("a", "b"),), b"sent")
    attempt.status, attempt.answer_body = status, b"thanks"
    world.dispatch.end_attempt(delivery, attempt)
    return attempt


def redeliver(world: World, where: UrlRewriter, number: int) -> Any:
    deliveries = list(world.deliveries)
    if deliveries:
        world.dispatch.redeliver(deliveries[number % len(deliveries)])


def register(world: World, where: UrlRewriter, url: str) -> Any:
    endpoint = world.dispatch.register_endpoint(
        account="ada", name="n", url=url.replace("HERE/", where.inboxes), event_types=("ended",)
    )
    return endpoint.id, endpoint.secret


def rotate(world: World, where: UrlRewriter, number: int, status: EndpointStatus) -> Any:
    endpoints = list(world.endpoints)
    if not endpoints:
        return None
    endpoint = endpoints[number % len(endpoints)]
    endpoint.rotate_secret(world.chance, world.clock.now_ms(), 400)
    endpoint.set_status(status, world.clock.now_ms())
    return endpoint.secrets_at(world.clock.now_ms())


def add_fault(world: World, where: UrlRewriter, rule: FaultRule) -> Any:
    return world.faults.add(rule).id


def add_default_fault(world: World, where: UrlRewriter, rule: FaultRule) -> Any:
    return world.default_faults.add(rule).id


def remove_faults(world: World, where: UrlRewriter) -> Any:
    world.faults.clear()


def count(world: World, where: UrlRewriter, key: str) -> Any:
    return world.rates.count(key, world.clock.now_ms(), limit=2, window_ms=1000)


def store(world: World, where: UrlRewriter, digest: str) -> Any:
    return store_image(world, len(CONTENTS[digest]), digest)


def program(world: World, where: UrlRewriter, answers: list[InboxAnswer]) -> Any:
    world.inboxes.of("hook").program(answers)


def receive(world: World, where: UrlRewriter, name: str) -> Any:
    inbox = world.inboxes.of(name)
    answer = inbox.next_answer()
    now_ms = world.clock.now_ms()
    inbox.keep(Received(now_ms, "POST", "/", "", (("a", "ä"),), b"\xff", 1, UNSIGNED, 200))
    return answer, inbox.evicted


def exchange(world: World, where: UrlRewriter, body: bytes) -> Any:
    exchange = world.open_exchange("POST", "/x")
    exchange.request_body, exchange.status = body, 200
    return exchange.id


def create(world: World, where: UrlRewriter, account: str) -> Any:
    """A create as the server handles it: its request is in the journal and ends."""
    exchange = world.open_exchange("POST", "/create")
    exchange.operation = "create"
    try:
        exchange.task = world.submit(order(where, account), exchange=exchange).id
        exchange.status = 200
    except Refusal:
        exchange.status = 402
    exchange.end(*world.clock.moment(), "answered")
    world.note_ended(exchange)
    return exchange.task


def use(world: World, where: UrlRewriter, number: int, operation: str, status: int) -> Any:
    """A request about a task, such as a read or a download."""
    tasks = list(world.tasks)
    exchange = world.open_exchange("GET", "/use")
    exchange.operation, exchange.status, exchange.sent_bytes = operation, status, 9
    exchange.task = tasks[number % len(tasks)].id if tasks else None
    exchange.end(*world.clock.moment(), "answered" if status < 500 else "caller_left")
    world.note_ended(exchange)
    return exchange.id


def move_clock(world: World, where: UrlRewriter, by_ms: int) -> Any:
    """A move of the clock as the server records it."""
    before = world.clock.moment()
    world.clock.advance(by_ms)
    world.history.clock_changed(*before)


def grant(world: World, where: UrlRewriter, account: str, credits: int) -> Any:
    world.ledger.set_available(account, credits)
    return world.ledger.balance(account)


def issue(world: World, where: UrlRewriter, secret: str) -> Any:
    world.keys.put(Key(secret, "cara", "rivya", frozenset({"x", "y"}), expires_ms=START_MS + 900))
    return world.keys.admit(secret, "rivya", world.clock)


def set_clock(world: World, where: UrlRewriter, scale: float) -> Any:
    world.clock.set(frozen=True, scale=scale)


NUMBERS = st.integers(0, 9)
ACCOUNTS = st.sampled_from(["ada", "ben"])
DELIVERY_FAULTS = st.builds(
    DeliveryFault,
    copies=st.integers(0, 2),
    apart_s=st.sampled_from([0.0, 0.25]),
    late_s=st.sampled_from([0.0, 1.5]),
    after_next=st.booleans(),
)
TASK_FAULTS = st.builds(
    TaskFault,
    queued_s=st.none() | st.just(2.5),
    outcome=st.sampled_from([None, "failed"]),
    delivered_before_answer=st.booleans(),
)
RULES = st.builds(
    FaultRule,
    effect=DELIVERY_FAULTS | TASK_FAULTS,
    match=st.builds(Match, account=st.none() | ACCOUNTS),
    skip=st.integers(0, 1),
    times=st.none() | st.integers(1, 3),
    probability=st.sampled_from([0.5, 1.0]),
)
ANSWERS = st.builds(InboxAnswer, status=st.sampled_from([200, 500]), times=st.integers(1, 3))
URLS = st.sampled_from(["HERE/hook", "http://127.0.0.1:9/x", "inbox:x", "HERE/"])

Step = Callable[[World, UrlRewriter], Any]


def step(does: Callable[..., Any], *drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    def bound(values: tuple[Any, ...]) -> Step:
        return lambda world, where: does(world, where, *values)

    return st.tuples(*drawn).map(bound)


STEPS = st.one_of(
    step(submit, ACCOUNTS, st.sampled_from([0, 7, 57])),
    step(submit_with_faults, DELIVERY_FAULTS | TASK_FAULTS),
    step(submit_once, st.sampled_from(["a", "b"]), st.sampled_from([b"x", b"y"])),
    step(finish, NUMBERS, st.sampled_from([TaskEvent.RENDERED, TaskEvent.BROKE])),
    step(
        advance,
        st.sampled_from([0, 100, 200, 800, 3000, 86_400_000]),
        st.sampled_from([200, 410, 500]),
    ),
    step(redeliver, NUMBERS),
    step(register, st.sampled_from(["HERE/hook", "http://127.0.0.1:9/x", "HERE/"])),
    step(rotate, NUMBERS, st.sampled_from(EndpointStatus)),
    step(add_fault, RULES),
    step(add_default_fault, RULES),
    step(remove_faults),
    step(count, st.sampled_from(["k1", "k2"])),
    step(store, st.sampled_from(list(CONTENTS))),
    step(program, st.lists(ANSWERS, max_size=3)),
    step(receive, st.sampled_from(["hook", "other"])),
    step(exchange, st.binary(max_size=4)),
    step(grant, st.sampled_from(["ada", "ben", "dan"]), st.integers(0, 300)),
    step(issue, st.sampled_from(["k1", "k3"])),
    step(set_clock, st.sampled_from([1.0, 60.0])),
    step(create, ACCOUNTS),
    step(use, NUMBERS, st.sampled_from(["read", "media"]), st.sampled_from([200, 429, 500])),
    step(move_clock, st.sampled_from([0, 150, 5000])),
)  # fmt: skip


def done(steps: list[Step], world: World, where: UrlRewriter) -> list[Any]:
    """The results of the steps; refusals are results, too."""
    answers = []
    for each in steps:
        try:
            answers.append(msgspec.to_builtins(each(world, where)))
        except Refusal as refusal:
            answers.append((type(refusal).__name__, str(refusal)))
    return answers


@settings(max_examples=300)
@given(before=st.lists(STEPS, max_size=40), after=st.lists(STEPS, max_size=40))
def test_a_restored_world_behaves_like_the_original(before: list[Step], after: list[Step]) -> None:
    stayed = make()
    done(before, stayed, HERE)
    went = moved(stayed, THERE)
    assert done(after, went, THERE) == done(after, stayed, HERE)
    assert document_of(went, THERE) == document_of(stayed, HERE)


@settings(max_examples=200)
@given(before=st.lists(STEPS, max_size=60))
def test_every_part_of_the_state_is_restored(before: list[Step]) -> None:
    stayed = make()
    done(before, stayed, HERE)
    assert inside(moved(stayed, HERE)) == inside(stayed) | {"name": "there"}


# Classes that are compared by their public values.
COMPARED_BY: dict[type, Callable[[Any], Any]] = {
    Agenda: list,
    Chance: lambda chance: chance.seed,
    Clock: lambda clock: (clock.now_ms(), clock.frozen, clock.scale),
}
# Attributes of requests under way, and caches.
LEFT_OUT = {"_unanswered", "delivered_before_answer", "is_rehearsal", "_chosen", "_task_ids"}
# Left out of snapshots, so that a restored world is not judged from half of its requests.
LEFT_OUT |= {"_archive"}
# What belongs to the server.
LEFT_OUT |= {"counts", "_counts"}
# Of the history: what belongs to the run of one server.
LEFT_OUT |= {"changes", "_moment", "_on_row"}


def inside(thing: Any) -> Any:
    """All attributes of an object, private ones too, as plain data in order."""
    if type(thing) in COMPARED_BY:
        return inside(COMPARED_BY[type(thing)](thing))
    if isinstance(thing, dict):
        return [(key, inside(value)) for key, value in thing.items()]
    if isinstance(thing, list | tuple | deque):
        return [inside(each) for each in thing]
    if isinstance(thing, Enum | str | bytes | int | float | set | frozenset | type(None)):
        return thing
    names = getattr(thing, "__struct_fields__", None) or getattr(thing, "__slots__", None)
    named = {name: getattr(thing, name) for name in names} if names else vars(thing)
    return {name: inside(value) for name, value in named.items() if name not in LEFT_OUT}


# --- requests and attempts under way --------------------------------------------------------------


def scheduled_once(
    world: World, where: UrlRewriter = HERE, *, waits_ms: tuple[int, ...] = (100,)
) -> Any:
    task = world.submit(order(where))
    body = b'{"video": "%s"}' % where.video_url(where.base_url, task.id).encode()
    event = Event("evt", "ended", "rivya", "ada", task.id, world.clock.now_ms(), body)
    (delivery,) = world.dispatch.schedule(PendingEvent(event, where.inboxes + "hook", waits_ms))
    return delivery


def test_an_attempt_under_way_is_left_out_and_due_at_once() -> None:
    world = make()
    delivery = scheduled_once(world)
    first = delivery.begin_attempt(world.clock.now_ms())
    first.status = 500
    world.dispatch.end_attempt(delivery, first)
    world.clock.advance(100)
    world.catch_up()
    delivery.begin_attempt(world.clock.now_ms())
    (again,) = moved(world, THERE).deliveries
    assert again.attempts == [first]
    assert again.next_attempt_ms == world.clock.now_ms()
    assert delivery.is_under_way


def test_a_delivery_that_waits_for_a_free_sender_is_due_at_once_after_a_restore() -> None:
    world = make()
    scheduled_once(world)
    world.catch_up()
    world.clock.advance(50)
    there = moved(world, THERE)
    assert [each.occasion for each in there.catch_up()] == [Occasion.ATTEMPT_DUE]


def test_a_redelivery_can_be_restored() -> None:
    world = make()
    delivery = scheduled_once(world)
    for status in (204, None):
        attempt = delivery.begin_attempt(world.clock.now_ms())
        attempt.status = status
        if status is not None:
            world.dispatch.end_attempt(delivery, attempt)
            world.dispatch.redeliver(delivery)
    world.catch_up()
    (again,) = moved(world, THERE).deliveries
    assert again.state is DeliveryState.PENDING
    assert len(again.attempts) == 1


@pytest.mark.parametrize("ends", [0, 1])
def test_an_ended_attempt_stays_beside_one_under_way(ends: int) -> None:
    world = make()
    delivery = scheduled_once(world)
    world.catch_up()
    attempts = [delivery.begin_attempt(world.clock.now_ms()) for _ in range(2)]
    attempts[ends].status = 204
    world.dispatch.end_attempt(delivery, attempts[ends])
    there = moved(world, THERE)
    (again,) = there.deliveries
    assert again.attempts == [attempts[ends]]
    assert again.state is DeliveryState.PENDING
    assert Occasion.ATTEMPT_DUE in [due.occasion for due in there.catch_up()]


def test_a_restored_delivery_is_still_held_back() -> None:
    world = make()
    event = scheduled_once(world).event
    (held_back,) = world.dispatch.schedule(
        PendingEvent(event, HERE.inboxes + "hook", ()), DeliveryFault(after_next=True)
    )
    there = moved(world, THERE)
    advance(there, THERE, 0, 200)
    again = there.deliveries.get(held_back.id)
    assert again is not None
    assert again.state is DeliveryState.SUCCEEDED


def test_the_reservation_of_a_task_that_never_ends_is_restored() -> None:
    world = make()
    world.faults.add(FaultRule(effect=TaskFault(stuck=True)))
    task = world.submit(order(HERE))
    advance(world, HERE, 86_400_000, 200)
    there = moved(world, THERE)
    assert there.ledger.holds(task.id)
    assert list(there.agenda) == []


def test_agenda_entries_of_held_requests_are_left_out() -> None:
    world = make()
    task = world.submit(order(HERE))
    world.agenda.add(START_MS + 10, Occasion.HOLD_TIMEOUT, task.id)
    world.agenda.add(START_MS + 20, Occasion.DELAY_OVER, "delay_1")
    there = moved(world, THERE)
    assert [due.occasion for due in there.agenda] == [Occasion.TASK_TAKEN_UP, Occasion.TASK_ENDS]


def test_after_a_restore_an_unanswered_key_counts_as_answered() -> None:
    world = make()
    key = IdempotencyKey("ada", "create", "k", b"body")
    task = world.submit_once(order(HERE), key)
    there = moved(world, THERE)
    assert there.submit_once(order(THERE), key).id == task.id


# --- URLs -----------------------------------------------------------------------------------------


def moved_there(*where: UrlRewriter) -> World:
    """A world with one task and its delivery, from this place, restored in another place."""
    world = make()
    scheduled_once(world, *where)
    return moved(world, THERE)


def test_own_urls_belong_to_the_restored_world() -> None:
    there = moved_there()
    (delivery,), (task,) = there.deliveries, there.tasks
    assert task.order.base_url == "http://127.0.0.1:5555"
    assert task.order.callback_url == "http://127.0.0.1:5555/_mock/inbox/there/hook"
    assert delivery.url == "http://127.0.0.1:5555/_mock/inbox/there/hook"
    video = f"http://127.0.0.1:5555/media/there/{task.id}.mp4"
    assert json.loads(delivery.event.body) == {"video": video}


def test_other_urls_stay_unchanged() -> None:
    there = moved_there(place("other", "http://other.test"))
    (delivery,), (task,) = there.deliveries, there.tasks
    assert task.order.base_url == "http://other.test"
    assert delivery.url == "http://other.test/_mock/inbox/other/hook"


def test_the_video_url_of_another_base_url_is_restored_in_its_events() -> None:
    there = moved_there(place("here", "http://localhost:4010"))
    (delivery,), (task,) = there.deliveries, there.tasks
    video = f"http://localhost:4010/media/there/{task.id}.mp4"
    assert json.loads(delivery.event.body) == {"video": video}


def test_the_returned_document_is_that_of_the_restored_world_for_any_spelling() -> None:
    document = full()
    document["agenda"].reverse()
    snapshot = msgspec.convert(document, Snapshot)
    there, again = restored_world(snapshot, "there", THERE, lambda: 0)
    assert again == document_of(there, THERE)
    assert again != encoded(snapshot)


def test_a_running_clock_continues_from_the_time_of_the_snapshot() -> None:
    now = [0]
    world = make()
    world.clock = Clock(lambda: now[0], start_ms=START_MS, scale=60.0)
    now[0] += 10
    document = document_of(world, HERE)
    snapshot = msgspec.json.decode(document, type=Snapshot)
    there, again = restored_world(snapshot, "there", THERE, lambda: 5000 + now[0])
    assert again == document
    now[0] += 1
    assert there.clock.now_ms() == START_MS + 11 * 60
    assert not there.clock.frozen


def test_a_world_and_its_restored_copy_share_nothing() -> None:
    world = make()
    delivery = scheduled_once(world)
    before = document_of(world, HERE)
    there = moved(world, HERE)
    there.clock.advance(1000)
    there.catch_up()
    there.ledger.set_available("ada", 1)
    there.dispatch.redeliver(next(iter(there.deliveries)))
    assert document_of(world, HERE) == before
    assert delivery.attempts == []


def test_the_document_is_canonical_json() -> None:
    world = make()
    done([lambda w, p: store(w, p, next(iter(CONTENTS)))], world, HERE)
    document = document_of(world, HERE)
    plain = json.loads(document)
    assert json.dumps(plain, sort_keys=True, separators=(",", ":")).encode() == document


# --- contradictions -------------------------------------------------------------------------------


def full() -> dict[str, Any]:
    """A document with at least one of everything."""
    world = make()
    steps: list[Step] = [
        lambda w, p: register(w, p, "HERE/hook"),
        lambda w, p: submit_once(w, p, "a", b"x"),
        lambda w, p: advance(w, p, 1000, 500),
        lambda w, p: submit_with_faults(w, p, DeliveryFault(after_next=True)),
        lambda w, p: store(w, p, next(iter(CONTENTS))),
        lambda w, p: add_fault(w, p, FaultRule(effect=NO_FAULT)),
        lambda w, p: receive(w, p, "hook"),
        lambda w, p: exchange(w, p, b"x"),
        lambda w, p: count(w, p, "k1"),
    ]
    done(steps, world, HERE)
    world.in_flight.set_account_limit("ada", 9)
    world.faults_of_channel("ada", "key", "stuck").add(FaultRule(effect=NO_FAULT), "stuck")
    taken = scheduled_once(world)
    advance(world, HERE, 0, 200)
    assert taken.state is DeliveryState.SUCCEEDED
    world.dispatch.schedule(
        PendingEvent(taken.event, "http://slow.test", ()), DeliveryFault(after_next=True)
    )
    loaded: dict[str, Any] = json.loads(document_of(world, HERE))
    return loaded


def b64(text: bytes) -> str:
    return b64encode(text).decode()


def put(document: dict[str, Any], *path: str | int, to: Any) -> None:
    for name in path[:-1]:
        document = document[name]  # type: ignore[index]
    document[path[-1]] = to  # type: ignore[index]


UNDER_WAY = msgspec.to_builtins(Attempt("delivery_1", START_MS))
BALANCE = msgspec.to_builtins(Balance())
FAR = {"at_ms": 1, "occasion": "alarm", "subject": "x"}


@pytest.mark.parametrize(
    ("path", "to", "pointer", "rule"),
    [
        (("ledger", "accounts", 0, "balance", "granted_credits"), 7,
         "/ledger/accounts/0/balance/granted_credits", "money"),
        (("ledger", "accounts", 1, "balance"),
         BALANCE | {"granted_credits": -1, "available_credits": -1},
         "/ledger/accounts/1/balance", "money"),
        (("ledger", "accounts", 1, "balance"),
         BALANCE | {"granted_credits": 7, "reserved_credits": 7},
         "/ledger/accounts/1/balance/reserved_credits", "money"),
        (("ledger", "reservations", 0, "task_id"), "task_x",
         "/ledger/reservations/0/task_id", "reference"),
        (("ledger", "reservations", 0, "account"), "zoe",
         "/ledger/reservations/0/account", "reference"),
        (("ledger", "reservations", 0, "price_credits"), 56, "/ledger/reservations/0", "money"),
        (("ledger", "reservations", 0, "price_credits"), -1,
         "/ledger/reservations/0/price_credits", "minimum"),
        (("tasks", 0, "fate", "outcome"), "taken_up", "/tasks/0/fate/outcome", "enum"),
        (("tasks", 0, "fate", "taken_up_ms"), START_MS * 2, "/tasks/0/fate/ends_ms", "minimum"),
        (("tasks", 0, "order", "request"), b64(b"[]"), "/tasks/0/order/request", "json"),
        (("tasks", 0, "order", "request"), b64(b"{"), "/tasks/0/order/request", "json"),
        (("tasks", 0, "order", "request"), b64(b"\xff"), "/tasks/0/order/request", "json"),
        (("idempotency", 0, "task_id"), "task_x", "/idempotency/0/task_id", "reference"),
        (("task_faults", 0, "task_id"), "task_x", "/task_faults/0/task_id", "reference"),
        (("agenda", 0), {"at_ms": 1, "occasion": "task_ends", "subject": "task_x"},
         "/agenda/0/subject", "reference"),
        (("agenda", 0), FAR, "/agenda/0/occasion", "enum"),
        (("agenda", 0), FAR | {"occasion": "delay_over"}, "/agenda/0/occasion", "enum"),
        (("agenda",), [], "/ledger/reservations/0", "agenda"),
        (("agenda",), [], "/deliveries/deliveries/0/next_attempt_ms", "agenda"),
        (("held_back",), [], "/deliveries/deliveries/3/next_attempt_ms", "agenda"),
        (("held_back", 0), "delivery_x", "/held_back/0", "reference"),
        (("deliveries", "over"), ["delivery_x"], "/deliveries/over/0", "reference"),
        (("deliveries", "deliveries", 0, "endpoint_id"), "whend_x",
         "/deliveries/deliveries/0/endpoint_id", "reference"),
        (("deliveries", "deliveries", 0, "attempts"), [UNDER_WAY],
         "/deliveries/deliveries/0/attempts", "ended"),
        (("deliveries", "deliveries", 0, "event", "body"), b64(b"nope"),
         "/deliveries/deliveries/0/event/body", "json"),
        (("deliveries", "made"), 1, "/deliveries/made", "minimum"),
        (("journal", "opened"), 0, "/journal/opened", "minimum"),
        (("inboxes", 0, "received"), 0, "/inboxes/0/received", "minimum"),
        (("faults", "made"), 0, "/faults/made", "minimum"),
        (("faults", "faults", 0, "by_account"), {"ada": {"matched": 1, "happened": 0}},
         "/faults/faults/0/matched", "minimum"),
        (("faults", "faults", 0, "by_account"), {"ada": {"matched": 0, "happened": 1}},
         "/faults/faults/0/happened", "minimum"),
        (("rules", "queued_ms"), -1, "/rules/queued_ms", "minimum"),
        (("rules", "journal_exchanges"), 1 << 70, "/rules/journal_exchanges", "maximum"),
        (("tasks", 0, "created_ms"), 1 << 70, "/tasks/0/created_ms", "maximum"),
        (("tasks", 0, "fate", "ends_ms"), NEVER_MS - 1, "/tasks/0/fate/ends_ms", "maximum"),
        (("agenda", 0, "at_ms"), -1, "/agenda/0/at_ms", "maximum"),
        (("keys", 0, "expires_ms"), 1 << 60, "/keys/0/expires_ms", "maximum"),
        (("journal", "exchanges", 0, "ended_ms"), 1 << 60,
         "/journal/exchanges/0/ended_ms", "maximum"),
        (("inboxes", 0, "requests", 0, "at_ms"), 1 << 60,
         "/inboxes/0/requests/0/at_ms", "maximum"),
        (("deliveries", "deliveries", 0, "event", "created_ms"), 1 << 60,
         "/deliveries/deliveries/0/event/created_ms", "maximum"),
        (("deliveries", "deliveries", 0, "attempts", 0, "started_ms"), 1 << 60,
         "/deliveries/deliveries/0/attempts/0/started_ms", "maximum"),
        (("rules", "journal_exchanges"), 0, "/journal/exchanges", "maxItems"),
        (("rules", "inbox_requests"), 0, "/inboxes/0/requests", "maxItems"),
        (("rules", "inboxes"), 0, "/inboxes", "maxItems"),
        (("rules", "webhook_endpoints"), 0, "/endpoints", "maxItems"),
        (("rules", "stored_uploads"), 0, "/files", "maxItems"),
        (("rules", "stored_upload_bytes"), 2, "/files", "limit"),
        (("files", 0, "content"), "0" * 64, "/files/0/content", "reference"),
        (("files", 0, "size_bytes"), 4, "/files/0/size_bytes", "size"),
        (("contents", next(iter(CONTENTS))), b64(b"two"),
         "/contents/" + next(iter(CONTENTS)), "sha256"),
        (("contents", "../a~b"), b64(b"two"), "/contents/..~1a~0b", "sha256"),
        (("contents", sha256(b"new").hexdigest()), b64(b"new"),
         "/contents/" + sha256(b"new").hexdigest(), "unused"),
    ],
)  # fmt: skip
def test_each_contradiction_is_refused_with_its_place(
    path: tuple[str | int, ...], to: Any, pointer: str, rule: str
) -> None:
    document = full()
    put(document, *path, to=to)
    with pytest.raises(Invalid) as refused:
        require_consistent(msgspec.convert(document, Snapshot), FACTS)
    assert (pointer, rule) in [(each.place, each.rule) for each in refused.value.violations]


@pytest.mark.parametrize(
    "path",
    [
        "keys", "ledger/accounts", "ledger/reservations", "tasks", "task_faults",
        "asked_faults", "rates", "idempotency", "files", "endpoints", "deliveries/deliveries",
        "held_back", "inboxes", "faults/faults",
    ],
)  # fmt: skip
def test_no_id_occurs_twice(path: str) -> None:
    document = full()
    found: Any = document
    for name in path.split("/"):
        found = found[name]
    found.append(found[0])
    with pytest.raises(Invalid) as refused:
        require_consistent(msgspec.convert(document, Snapshot), FACTS)
    places = [each.place for each in refused.value.violations if each.rule == "unique"]
    assert places == [f"/{path}/{len(found) - 1}"]


def test_a_document_with_everything_in_it_is_consistent() -> None:
    document = full()
    require_consistent(msgspec.convert(document, Snapshot), FACTS)
    parts = document | document["ledger"] | document["deliveries"] | document["journal"]
    empty = [name for name, value in parts.items() if value in ([], {})]
    assert empty == []


def test_no_two_faults_or_deliveries_share_an_object() -> None:
    world = make()
    fault = world.faults.add(FaultRule(effect=NO_FAULT))
    (there,) = moved(world, THERE).faults
    assert there == fault
    assert there is not fault
    assert isinstance(there, Fault)
