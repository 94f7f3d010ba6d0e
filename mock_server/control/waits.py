"""Waiting for what happens in a world, without polling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Unpack

from mock_server.control.answers import (
    Delivery,
    Exchange,
    FoundDelivery,
    FoundRequest,
    FoundTask,
    Task,
    TaskState,
    id_of,
)
from mock_server.control.requests import Filters, query_of
from mock_server.control.wire import PATIENCE_S, Call, Question, Steps


class WaitCalls:
    """What can be waited for in a world."""

    _path: str

    @Call
    def wait_for_request(
        self, *, after: str | None = None, timeout_s: float = 10.0, **filters: Unpack[Filters]
    ) -> Steps[Exchange]:
        """The first such request that has been answered, as soon as there is one.

        after: only after the request with this id. timeout_s: real seconds, at most 60. Raises
        ControlError with the status 408 and what came instead when they are over, 409 at once if it
        can happen no more, 503 if the world ends before.
        """
        reply = yield self._wait(query_of(filters) | {"after": after}, timeout_s)
        return reply.read(FoundRequest).request

    @Call
    def wait_for_task(
        self,
        task: str | Task,
        state: TaskState | Literal["ended"] = "ended",
        *,
        timeout_s: float = 10.0,
    ) -> Steps[Task]:
        """The task, as soon as it is so. A frozen clock has to be moved meanwhile.

        It may be further when it is shown. Raises as `wait_for_request` does.
        """
        reply = yield self._wait({"task": id_of(task), "state": state}, timeout_s)
        return reply.read(FoundTask).task

    @Call
    def wait_for_delivery(
        self,
        task: str | Task | None = None,
        outcome: Literal["succeeded", "failed", "ended", "attempted"] = "attempted",
        *,
        delivery: str | Delivery | None = None,
        timeout_s: float = 10.0,
    ) -> Steps[Delivery]:
        """A delivery that tells of this task, or of any, as soon as one has gone so.

        delivery: this one. outcome: `ended` is either end, `attempted` a first attempt. Raises as
        `wait_for_request` does.
        """
        named = {
            "task": None if task is None else id_of(task),
            "delivery_id": None if delivery is None else id_of(delivery),
        }
        reply = yield self._wait(named | {"delivery": outcome}, timeout_s)
        return reply.read(FoundDelivery).delivery

    def _wait(self, what: Mapping[str, str | int | float | None], timeout_s: float) -> Question:
        query = {**what, "timeout_s": timeout_s}
        patience_s = timeout_s + PATIENCE_S
        return Question("GET", f"{self._path}/wait", query=query, patience_s=patience_s)
