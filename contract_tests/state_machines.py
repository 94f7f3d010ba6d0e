"""Runs Hypothesis state machines: few and short ones for --quick, many and longer ones else."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

_QUIET = settings(
    deadline=None,
    database=None,
    print_blob=False,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
_QUICK = settings(_QUIET, max_examples=6, stateful_step_count=12)
_FULL = settings(_QUIET, max_examples=30, stateful_step_count=25)


def run_state_machine(make: Callable[[], RuleBasedStateMachine], *, quick: bool) -> None:
    """Run sequences of steps until one breaks a promise. Raises the smallest such sequence."""
    run_state_machine_as_test(
        make,  # type: ignore[arg-type] # Hypothesis documents that any factory is allowed
        settings=_QUICK if quick else _FULL,
    )
