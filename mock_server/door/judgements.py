"""The judgement of a client: what it did wrong in a world."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct
from starlette.responses import Response

from mock_server.control import answers
from mock_server.control import judgement_answers as shown
from mock_server.core.clock import ms_of
from mock_server.core.field_types import Count, Positive, Seconds
from mock_server.core.redaction import Redaction
from mock_server.core.refusals import Invalid
from mock_server.core.suggestions import did_you_mean
from mock_server.core.world import World
from mock_server.door.worlds import world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.timestamps import moment, moment_or_none
from mock_server.edge.typed_body import TypedBody

if TYPE_CHECKING:  # most servers never judge, and the rules are many modules
    from mock_server.verdict.evidence import Evidence, Run
    from mock_server.verdict.outcomes import Finding, Judgement

RealTime = Annotated[datetime, Meta(tz=True)]
Codes = Annotated[tuple[str, ...], Meta(max_length=1000)]


class RunTold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the client's run ended. Times are those of the machine's clock.

    ended_by: the client itself, or who ran it. limit_s: the longest wait that its user accepts.
    restarted_at: when it was killed and started again.
    """

    exit_code: int | None = None
    ended_by: Literal["itself", "judge"] | None = None
    limit_s: Seconds | None = None
    started_at: RealTime | None = None
    ended_at: RealTime | None = None
    restarted_at: RealTime | None = None


class EffectCount(Struct, frozen=True, forbid_unknown_fields=True):
    """How often the client had acted at a time of the machine's clock."""

    at: RealTime
    count: Count


class JudgementAsked(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What is known beside the world.

    control: the name of a world in which the same client ran without faults. expected_jobs: how
    many videos it was to order in all. effects: in the order of time. only, skip: codes of rules.
    so_far: whether the client goes on: only findings that stand whatever it does later are looked
    for, and they are kept for later judgements.
    """

    control: str | None = None
    expected_jobs: Positive | None = None
    so_far: bool = False
    run: RunTold = RunTold()
    effects: Annotated[tuple[EffectCount, ...], Meta(max_length=10_000)] = ()
    only: Codes = ()
    skip: Codes = ()


ASKED: TypedBody[JudgementAsked] = TypedBody(JudgementAsked)


async def judge_world(call: Call) -> Response:
    """POST /_mock/worlds/{world}/judgement: what the client did wrong, with the evidence. Nothing
    changes. `findings` are proved, `notes` suspected, both the worst first; `judged` are the rules
    whose situation came up and in which the client did nothing wrong."""
    from mock_server.verdict.catalogue import RULES
    from mock_server.verdict.evidence import Evidence, Reading
    from mock_server.verdict.judging import judge, judge_so_far, with_standing
    from mock_server.verdict.request_log import RequestLog

    world, asked = world_of(call), ASKED.read(call.json_or_nothing())
    _require_known("/only", asked.only)
    _require_known("/skip", asked.skip)
    evidence = replace(
        Evidence.of(world, call.server.apis, so_far=asked.so_far),
        control=_control(call, asked.control),
        expected_jobs=asked.expected_jobs,
        run=_run(asked.run),
        readings=tuple(Reading(_ms(each.at), each.count) for each in asked.effects),
    )
    codes = frozenset(asked.only or RULES).difference(asked.skip)
    rules = [rule for code, rule in RULES.items() if code in codes]
    log = RequestLog.of(world.journal)
    # In a thread: it parses bodies.
    if asked.so_far:
        judgement = await asyncio.to_thread(judge_so_far, evidence, rules)
        log.keep(judgement.findings)
    else:
        judgement = await asyncio.to_thread(judge, evidence, rules)
        judgement = with_standing(judgement, log.standing)
    return json_response(_answer(judgement, world))


def _require_known(place: str, codes: Iterable[str]) -> None:
    from mock_server.verdict.catalogue import RULES, unknown_rule

    for number, code in enumerate(codes):
        if code not in RULES:
            raise Invalid.at(f"{place}/{number}", "enum", unknown_rule(code))


def _control(call: Call, name: str | None) -> Evidence | None:
    from mock_server.verdict.evidence import Evidence

    if name is None:
        return None
    slot = call.server.worlds.get(name)
    if slot is None:
        hint = did_you_mean(name, call.server.worlds.names)
        raise Invalid.at("/control", "enum", f"there is no world called '{name}'{hint}")
    return Evidence.of(slot.world, call.server.apis)


def _run(told: RunTold) -> Run:
    from mock_server.verdict.evidence import Run

    times = (told.started_at, told.ended_at, told.restarted_at)
    in_ms = (None if each is None else _ms(each) for each in times)
    return Run(told.exit_code, told.ended_by, told.limit_s, *in_ms)


def _ms(at: datetime) -> int:
    """The time in milliseconds. Refuses with Invalid one that a clock cannot show."""
    try:
        return ms_of(at)
    except ValueError as wrong:
        raise Invalid.at("", "format", f"a time {wrong}") from None


def _answer(judgement: Judgement, world: World) -> shown.Judgement:
    redaction = world.keys.redaction
    return shown.Judgement(
        findings=tuple(_finding(each, redaction) for each in judgement.findings),
        notes=tuple(_finding(each, redaction) for each in judgement.notes),
        inconclusive=tuple(
            answers.answer_of(shown.Inconclusive, each) for each in judgement.inconclusive
        ),
        judged=judgement.judged,
    )


def _finding(finding: Finding, redaction: Redaction) -> shown.Finding:
    """A finding without secrets."""
    return answers.answer_of(
        shown.Finding,
        finding,
        sentence=redaction.text(finding.sentence),
        timeline=tuple(
            shown.JudgedMoment(
                moment(each.at_ms), moment_or_none(each.wall_ms), redaction.text(each.what)
            )
            for each in finding.timeline
        ),
    )
