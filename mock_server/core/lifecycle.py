"""The states of a task and the events that change them."""

from enum import StrEnum
from typing import Literal


class TaskState(StrEnum):
    """The state of a task. Each API shows these by its own names."""

    __hash__ = str.__hash__  # the hash of Enum is slow, and every read of a task uses it

    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class TaskEvent(StrEnum):
    """An event in the life of a task."""

    __hash__ = str.__hash__

    TAKEN_UP = "taken_up"
    RENDERED = "rendered"
    BROKE = "broke"


QUEUED, PROCESSING, SUCCEEDED, FAILED = TaskState
TAKEN_UP, RENDERED, BROKE = TaskEvent
"""For the code of every request: in Python 3.11 `TaskEvent.BROKE` takes as long as a call."""

OUTCOMES = {"succeeded": RENDERED, "failed": BROKE}
"""The event that ends a task with each outcome."""

FailureReason = Literal["moderation", "bad_input", "upstream_outage", "timeout"]
"""Why a task fails. Each API has its own code and message for each reason."""

USUAL_REASON: FailureReason = "upstream_outage"
"""The reason if none is chosen."""

TERMINAL = frozenset({SUCCEEDED, FAILED})
