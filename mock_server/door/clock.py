"""A world's time: what it is, and moving it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.responses import Response

from mock_server.contract.violations import BodyRules
from mock_server.core.agenda import BrokenDue, Due
from mock_server.core.clock import LAST_MS, Clock, SignaturesBy, ms_of
from mock_server.core.deliveries import Attempt
from mock_server.core.refusals import Invalid
from mock_server.core.world import World
from mock_server.door.worlds import home_of, world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import LongAnswer, json_list_parts
from mock_server.edge.timestamps import moment
from mock_server.edge.typed_body import TypedBody


class ClockChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How time goes on; what is not named stays.

    now: the moment to move to; everything that is due by then happens. Not before the present.
    signatures: whose clock dates the signatures of webhooks.
    """

    mode: Literal["real", "frozen"] | None = None
    now: Annotated[datetime, Meta(tz=True)] | None = None
    scale: Annotated[float, Meta(gt=0, le=10**6)] | None = None
    signatures: SignaturesBy | None = None

    def __post_init__(self) -> None:
        if self.now is not None:
            ms_of(self.now)


CHANGE: TypedBody[ClockChange] = TypedBody(ClockChange)


async def get_clock(call: Call) -> Response:
    """GET /_mock/worlds/{world}/clock: what time it is there, and how it goes on."""
    return json_response(_show(world_of(call).clock))


async def change_clock(call: Call) -> Response:
    """PATCH /_mock/worlds/{world}/clock: `{"mode": "frozen"}`, `{"scale": 60}`, `{"now": …}`."""
    moving = home_of(call).timekeeper.moving
    change = CHANGE.read(call.json())
    async with moving:
        home = home_of(call)
        clock = home.world.clock
        now_ms = clock.now_ms()
        at_ms = now_ms if change.now is None else ms_of(change.now)
        if at_ms < now_ms:
            raise Invalid.at("/now", "minimum", f"must not be before {moment(now_ms)}")
        frozen = clock.frozen if change.mode is None else change.mode == "frozen"
        clock.set(frozen=frozen, scale=change.scale or clock.scale)
        clock.signatures = change.signatures or clock.signatures
        await home.timekeeper.advance(at_ms - now_ms)
    return json_response(_show(home.world.clock))


async def advance_clock(call: Call) -> Response:
    """POST /_mock/worlds/{world}/clock/advance: `{"seconds": 60}` or `{"until": "idle"}`.

    Answers when everything that came due has happened, attempts at deliveries with their answers
    included, and lists it in order. Until idle: what was due when it was asked for, and what
    follows from that; what other requests bring meanwhile may still be due.
    """
    moving = home_of(call).timekeeper.moving
    body = call.json()
    ADVANCE.require(body)
    by_ms = None if "until" in body else round(body["seconds"] * 1000)
    async with moving:
        home = home_of(call)  # it may have been dropped while another advance was under way
        world = home.world
        left_ms = LAST_MS - world.clock.now_ms()
        if by_ms is not None and by_ms > left_ms:
            sentence = f"must be at most {left_ms / 1000}: time ends at {moment(LAST_MS)}"
            raise Invalid.at("/seconds", "maximum", sentence)
        happened = await home.timekeeper.advance(by_ms)
    now = {"now": moment(world.clock.now_ms())}
    effects = (_effect(world, each) for each in happened)
    return LongAnswer(json_list_parts(now, "effects", effects, {}))


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
    }
)


def _show(clock: Clock) -> dict[str, Any]:
    mode = "frozen" if clock.frozen else "real"
    return {
        "mode": mode,
        "now": moment(clock.now_ms()),
        "scale": clock.scale,
        "signatures": clock.signatures,
    }


def _effect(world: World, happened: Due | Attempt) -> dict[str, Any]:
    if isinstance(happened, Attempt):
        at_ms, what, subject = happened.started_ms, "attempt", happened.id
        outcome = happened.outcome
    else:
        at_ms, what, subject = happened.at_ms, happened.occasion.value, happened.subject
        task = world.tasks.get(subject)
        outcome = task.state_at(at_ms).value if task is not None else "due"
        if isinstance(happened, BrokenDue):
            outcome = f"broke: {happened.error!r}"
    return {"at": moment(at_ms), "what": what, "subject": subject, "outcome": outcome}
