"""How much is measured: enough to trust, or only enough to see that it works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extent:
    """Counts and lengths of one run of all measurements.

    rounds: how often bare app and fake take turns; a figure is the median over them.
    answers: of one turn under full load, for the bare app; the fake gives half as many.
    turn_s: length of one turn at a steady rate.
    worst_scale: how much is stored before the worst requests, as a part of all that they are about.
    worst_tries: how often each of them is sent.
    """

    start_rounds: int
    rounds: int
    answers: int
    latency_rounds: int
    turn_s: float
    few_stored: int
    many_stored: int
    stored_while_probed: int
    growth_rounds: int
    growth_requests: int
    growth_few: int
    growth_many: int
    held: int
    held_turns: int
    callbacks: int
    receivers: int
    hanging: int
    callback_rounds: int
    deliveries_few: int
    deliveries_many: int
    stop_rounds: int
    world_turns: int
    worlds_a_turn: int
    fault_rounds: int
    fault_answers: int
    worst_scale: float
    worst_tries: int


FULL = Extent(
    start_rounds=9,
    rounds=7,
    answers=24_000,
    latency_rounds=9,
    turn_s=2.0,
    few_stored=20_000,
    many_stored=100_000,
    stored_while_probed=30_000,
    growth_rounds=7,
    growth_requests=8000,
    growth_few=1000,
    growth_many=1_000_000,
    held=1000,
    held_turns=5,
    callbacks=2000,
    receivers=200,
    hanging=20,
    callback_rounds=3,
    deliveries_few=20_000,
    deliveries_many=100_000,
    stop_rounds=4,
    world_turns=5,
    worlds_a_turn=200,
    fault_rounds=25,
    fault_answers=4000,
    worst_scale=1.0,
    worst_tries=3,
)

QUICK = Extent(
    start_rounds=3,
    rounds=3,
    answers=12_000,
    latency_rounds=3,
    turn_s=1.0,
    few_stored=5000,
    many_stored=20_000,
    stored_while_probed=6000,
    growth_rounds=3,
    growth_requests=4000,
    growth_few=1000,
    growth_many=50_000,
    held=200,
    held_turns=3,
    callbacks=2000,
    receivers=200,
    hanging=20,
    callback_rounds=1,
    deliveries_few=12_000,
    deliveries_many=20_000,
    stop_rounds=1,
    world_turns=3,
    worlds_a_turn=100,
    fault_rounds=7,
    fault_answers=4000,
    worst_scale=0.2,
    worst_tries=2,
)
