"""What a developer wants to see go wrong: the group of a scenario, from its faults."""

from typing import Literal

from mock_server.core.effects import (
    BodyFault,
    ConnectionFault,
    DelayFault,
    DeliveryFault,
    TaskFault,
    when_of,
)
from mock_server.core.faults import FaultRule
from mock_server.core.scenarios import Scenario

Wish = Literal["paid_twice", "callback", "slow", "refused", "broken_answer", "task_fails"]


def wish_of(scenario: Scenario) -> Wish:
    """The group of a scenario: that of its first fault."""
    return _wish_of(scenario.faults[0])


def _wish_of(rule: FaultRule) -> Wish:
    effect = rule.effect
    is_lost = when_of(effect) == "after" and not isinstance(effect, BodyFault)
    if is_lost and rule.match.operation == "create":
        return "paid_twice"
    match effect:
        case DeliveryFault() | TaskFault(delivered_before_answer=True):
            return "callback"
        case DelayFault() | BodyFault(bytes_per_s=int()) | TaskFault(stuck=True):
            return "slow"
        case ConnectionFault(how="hang", after_bytes=None):
            return "slow"
        case BodyFault() | ConnectionFault():
            return "broken_answer"
        case TaskFault():
            return "task_fails"
    return "refused"
