"""The clock of a world: reading it, moving it, and what comes next in the world."""

from datetime import datetime
from itertools import islice
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.responses import Response

from mock_server.contract.violations import BodyRules
from mock_server.control import answers
from mock_server.core.agenda import BrokenDue, Due, Occasion
from mock_server.core.clock import LAST_MS, Clock, ClockMode, SignaturesBy, ms_of
from mock_server.core.deliveries import Attempt
from mock_server.core.refusals import Invalid
from mock_server.core.world import World
from mock_server.door.queries import Query
from mock_server.door.worlds import slot_of, world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list
from mock_server.edge.timestamps import moment, timestamp
from mock_server.edge.typed_body import TypedBody


class ClockChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of a clock; what is left out stays.

    now: the moment to move to, not in the past; everything due until then happens.
    signatures: the clock that dates signatures of webhooks.
    """

    mode: ClockMode | None = None
    now: Annotated[datetime, Meta(tz=True)] | None = None
    scale: Annotated[float, Meta(gt=0, le=10**6)] | None = None
    signatures: SignaturesBy | None = None

    def __post_init__(self) -> None:
        if self.now is not None:
            ms_of(self.now)


class DueQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """task: only what concerns this task. limit: the first so many."""

    task: str | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 20


CHANGE: TypedBody[ClockChange] = TypedBody(ClockChange)
DUE: Query[DueQuery] = Query(DueQuery)


async def get_clock(call: Call) -> Response:
    """GET /_mock/worlds/{world}/clock: the time of a world, its mode and its scale."""
    return json_response(_answer(world_of(call).clock))


async def change_clock(call: Call) -> Response:
    """PATCH /_mock/worlds/{world}/clock: freeze the clock, let it run, move it or set its scale.
    `{"mode": "frozen"}`, `{"mode": "real"}`, `{"scale": 60}`, `{"now": …}`."""
    moving = slot_of(call).timekeeper.move_lock
    change = CHANGE.read(call.json())
    async with moving:
        slot = slot_of(call)
        clock = slot.world.clock
        now_ms = clock.now_ms()
        at_ms = now_ms if change.now is None else ms_of(change.now)
        if at_ms < now_ms:
            raise Invalid.at("/now", "minimum", f"must not be before {timestamp(now_ms)}")
        frozen = clock.frozen if change.mode is None else change.mode == "frozen"
        runs_differently = (frozen, change.scale or clock.scale) != (clock.frozen, clock.scale)
        clock.set(frozen=frozen, scale=change.scale or clock.scale)
        if runs_differently:
            slot.world.history.clock_changed(*clock.moment())
        clock.signatures = change.signatures or clock.signatures
        await slot.timekeeper.advance(at_ms - now_ms)
    return json_response(_answer(slot.world.clock))


async def advance_clock(call: Call) -> Response:
    """POST /_mock/worlds/{world}/clock/advance: move the clock on.
    `{"seconds": 60}` or `{"until": "idle"}`. Answers when everything that came due has happened,
    answers to deliveries included, and lists it in order. Until idle: what was due at the time of
    the request, and what follows from it; what other requests cause meanwhile may still be due."""
    moving = slot_of(call).timekeeper.move_lock
    body = call.json()
    ADVANCE.require(body)
    by_ms = None if "until" in body else round(body["seconds"] * 1000)
    async with moving:
        slot = slot_of(call)  # it may have been dropped while another advance was under way
        world = slot.world
        left_ms = LAST_MS - world.clock.now_ms()
        if by_ms is not None and by_ms > left_ms:
            sentence = f"must be at most {left_ms / 1000}: time ends at {timestamp(LAST_MS)}"
            raise Invalid.at("/seconds", "maximum", sentence)
        happened = await slot.timekeeper.advance(by_ms)
    advanced = answers.Advanced(moment(world.clock.now_ms()), [])
    return json_list(advanced, "effects", (_effect(world, each) for each in happened))


async def list_due(call: Call) -> Response:
    """GET /_mock/worlds/{world}/due: what comes next, in order. An advance of the clock to `at`
    makes it happen."""
    world, asked = world_of(call), DUE.of(call)
    upcoming = (_due_entry(world, due) for due in world.agenda)
    entries = (each for each in upcoming if each and asked.task in (None, each.task))
    return json_response(
        answers.DueList(moment(world.clock.now_ms()), tuple(islice(entries, asked.limit)))
    )


ADVANCE = BodyRules(
    {
        "type": "object",
        "properties": {
            "seconds": {"type": "number", "minimum": 0, "maximum": 10**9},
            "until": {"enum": ["idle"]},
        },
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        "x-sentence": "must have one of 'seconds' and 'until'",
    }
)


def _answer(clock: Clock) -> answers.ClockState:
    mode: Literal["frozen", "real"] = "frozen" if clock.frozen else "real"
    return answers.ClockState(mode, moment(clock.now_ms()), clock.scale, clock.signatures)


def _effect(world: World, happened: Due | Attempt) -> answers.Effect:
    if isinstance(happened, Attempt):
        at_ms, what, subject = happened.started_ms, "attempt", happened.id
        outcome = happened.outcome
    else:
        at_ms, what, subject = happened.at_ms, happened.occasion.value, happened.subject
        task = world.tasks.get(subject)
        outcome = task.state_at(at_ms).value if task is not None else "due"
        if isinstance(happened, BrokenDue):
            outcome = f"broke: {happened.error!r}"
    return answers.Effect(moment(at_ms), what, subject, outcome)


def _due_entry(world: World, due: Due) -> answers.DueEntry | None:
    """An entry as it is shown; None if it was moved to another time, or its subject has ended."""
    at, what, subject = moment(due.at_ms), due.occasion.value, due.subject
    if due.occasion is Occasion.ATTEMPT_DUE:
        delivery = world.deliveries.get(subject)
        if delivery is None or delivery.next_attempt_ms != due.at_ms:
            return None
        attempt = len(delivery.attempts) + 1
        return answers.DueEntry(at, what, subject, delivery.event.subject, attempt=attempt)
    task = world.tasks.get(subject)
    if task is None:
        return answers.DueEntry(at, what, subject)
    planned = task.planned
    is_taken_up = due.occasion is Occasion.TASK_TAKEN_UP
    expected_ms = planned.taken_up_ms if is_taken_up else planned.ends_ms
    if expected_ms != due.at_ms or not world.ledger.holds(subject):
        return None
    return answers.DueEntry(at, what, subject, subject, state=task.state_at(due.at_ms).value)
