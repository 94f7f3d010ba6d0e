"""The number of repetitions of each measurement: in full, and with --quick."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Extent:
    """The counts and lengths of all measurements.

    rounds: turns of bare app and fake; a figure is their median. answers: of the bare app in one
        turn under full load; the fake has half as many. turn_s: one turn at a steady rate.
    worst_scale: the amount of stored data before the worst requests, as a part of the largest.
    worst_tries: how often each of these requests is sent.
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

QUICK = replace(
    FULL,
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
    growth_many=50_000,
    held=200,
    held_turns=3,
    callback_rounds=1,
    deliveries_few=12_000,
    deliveries_many=20_000,
    stop_rounds=1,
    world_turns=3,
    worlds_a_turn=100,
    fault_rounds=7,
    worst_scale=0.2,
    worst_tries=2,
)
