"""How state machines are run: seeded by the run, small when it is quick, told in steps."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

_QUICK = (6, 12)
_FULL = (30, 25)


def run_machine(make: Callable[[], RuleBasedStateMachine], *, quick: bool) -> None:
    """Run scenarios until one breaks a promise; the smallest that does is raised."""
    examples, steps = _QUICK if quick else _FULL
    run_state_machine_as_test(
        make,  # type: ignore[arg-type] # any maker of machines will do, its documentation says
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
