"""Calls that wait for something in a world, without polling."""

from collections.abc import Mapping
from typing import Literal, Unpack

from mock_server.control import answers
from mock_server.control.requests import Filters
from mock_server.control.transport import TIMEOUT_S, Caller, ClientMethod, Request, RequestFlow


class WaitCalls(Caller):
    """The calls that wait."""

    @ClientMethod
    def wait_for_request(
        self, *, after: str | None = None, timeout_s: float = 10.0, **filters: Unpack[Filters]
    ) -> RequestFlow[answers.Exchange]:
        """The first such request, as soon as it has been answered.

        after: only requests after the one with this id. timeout_s: real seconds, at most 60. Raises
        ControlError: 408 with what came instead if the time runs out, 409 at once if it can no
        longer happen, 503 if the world is dropped, reset or replaced.
        """
        reply = yield self._wait({**filters, "after": after}, timeout_s)
        return reply.read(answers.FoundRequest).request

    @ClientMethod
    def wait_for_task(
        self,
        task: str | answers.Task,
        state: answers.TaskState | Literal["ended"] = "ended",
        *,
        timeout_s: float = 10.0,
    ) -> RequestFlow[answers.Task]:
        """The task, as soon as it has reached this state. A frozen clock must be moved meanwhile.

        It is returned as it is then, perhaps in a later state. Raises as `wait_for_request` does.
        """
        reply = yield self._wait({"task": answers.id_of(task), "state": state}, timeout_s)
        return reply.read(answers.FoundTask).task

    @ClientMethod
    def wait_for_delivery(
        self,
        task: str | answers.Task | None = None,
        outcome: Literal["succeeded", "failed", "ended", "attempted"] = "attempted",
        *,
        delivery: str | answers.Delivery | None = None,
        timeout_s: float = 10.0,
    ) -> RequestFlow[answers.Delivery]:
        """A delivery about this task, or about any, as soon as one has this outcome.

        delivery: only this delivery. outcome: `ended` is success or failure, `attempted` is a first
        attempt. Raises as `wait_for_request` does.
        """
        named = {
            "task": None if task is None else answers.id_of(task),
            "delivery_id": None if delivery is None else answers.id_of(delivery),
        }
        reply = yield self._wait(named | {"delivery": outcome}, timeout_s)
        return reply.read(answers.FoundDelivery).delivery

    def _wait(self, what: Mapping[str, object], timeout_s: float) -> Request:
        query = {**what, "timeout_s": timeout_s}
        answer_timeout_s = timeout_s + TIMEOUT_S
        return Request("GET", f"{self._path}/wait", query=query, timeout_s=answer_timeout_s)
