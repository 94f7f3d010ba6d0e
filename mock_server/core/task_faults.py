"""What can go wrong with a task: when it ends, how, and who hears of it first."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from mock_server.core.durations import Seconds
from mock_server.core.lifecycle import OUTCOMES
from mock_server.core.tasks import NEVER_MS, Fate


class TaskFault(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
    tag="task",
):
    """One way in which a task goes wrong; without any field it goes as the world's rules have it.

    queued_s, processing_s: how long it waits, and how long it is worked on, in world's seconds.
    outcome: how it ends, whatever chance would have said.
    stuck: it is taken up and never ends by itself; its credits stay reserved.
    told_before_answer: it ends at once, and its deliveries are tried before its create is answered.
    """

    queued_s: Seconds | None = None
    processing_s: Seconds | None = None
    outcome: Literal["succeeded", "failed"] | None = None
    stuck: bool = False
    told_before_answer: bool = False

    def __post_init__(self) -> None:
        if self.stuck and self.outcome is not None:
            raise ValueError("a task that is stuck never ends, so it has no outcome")

    def changed(self, fate: Fate, now_ms: int) -> Fate:
        """What becomes of a task made now that would have had this fate."""
        queued_ms = fate.taken_up_ms - now_ms
        processing_ms = fate.ends_ms - fate.taken_up_ms
        if self.told_before_answer:
            queued_ms = processing_ms = 0
        if self.queued_s is not None:
            queued_ms = round(self.queued_s * 1000)
        if self.processing_s is not None:
            processing_ms = round(self.processing_s * 1000)
        outcome = fate.outcome if self.outcome is None else OUTCOMES[self.outcome]
        taken_up_ms = now_ms + queued_ms
        ends_ms = NEVER_MS if self.stuck else taken_up_ms + processing_ms
        return Fate(taken_up_ms, ends_ms, outcome)
