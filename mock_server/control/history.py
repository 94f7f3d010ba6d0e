"""Calls about the history of a world: the story of a task, the rows of an account, what is new."""

from datetime import datetime

from mock_server.control import answers
from mock_server.control import history_answers as shown
from mock_server.control.transport import (
    TIMEOUT_S,
    Caller,
    ClientMethod,
    Request,
    RequestFlow,
    step,
)


class HistoryCalls(Caller):
    """The calls about what happened in a world."""

    @ClientMethod
    def story(
        self,
        task: str | answers.Task,
        *,
        type: shown.EntryType | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> RequestFlow[shown.Story]:
        """All that happened to a task, in order.

        type: only entries of this type. since, until: only those after, and not after, these times
        of the world. limit: only the newest so many.
        """
        path = f"{self._path}/tasks/{step(answers.id_of(task))}/story"
        times = {"since": _text(since), "until": _text(until)}
        query = {"type": type, "limit": limit, **times}
        return (yield Request("GET", path, query=query)).read(shown.Story)

    @ClientMethod
    def scenario_of(self, task: str | answers.Task) -> RequestFlow[answers.TaskScenario]:
        """What went wrong in a task, as a scenario file: write its `toml` to `NAME.toml` in a
        folder of `--scenario-dir`.

        Raises ControlError: 409 if nothing went wrong that a fault can repeat.
        """
        path = f"{self._path}/tasks/{step(answers.id_of(task))}/scenario"
        return (yield Request("GET", path)).read(answers.TaskScenario)

    @ClientMethod
    def ledger_rows(
        self,
        account: str,
        *,
        since: int | None = None,
        until: datetime | None = None,
        moved: shown.Moved | None = None,
        task: str | answers.Task | None = None,
        limit: int | None = None,
    ) -> RequestFlow[shown.AccountLedger]:
        """The movements of an account's credits, in the order in which they happened.

        since: only rows after the one with this number. until: only rows up to this time of the
        world. moved, task: only such rows. limit: only the newest so many.
        """
        query = {
            "since": since,
            "until": _text(until),
            "moved": moved,
            "task": None if task is None else answers.id_of(task),
            "limit": limit,
        }
        path = f"{self._path}/accounts/{step(account)}/ledger"
        return (yield Request("GET", path, query=query)).read(shown.AccountLedger)

    @ClientMethod
    def changes(
        self,
        since: str | None = None,
        *,
        type: shown.ChangeType | None = None,
        task: str | answers.Task | None = None,
        limit: int | None = None,
        timeout_s: float = 0.0,
    ) -> RequestFlow[shown.Changes]:
        """What happened after a cursor, in order; without one, all that is kept.

        since: the `cursor` of an earlier answer. type, task: only such changes. limit: the first
        so many; None: 1000. timeout_s: real seconds to wait, at most 60, if there is nothing new.
        Raises ControlError: 400 for a cursor that the world did not give, 503 if it is dropped,
        reset or replaced during the wait.
        """
        query = {
            "since": since,
            "type": type,
            "task": None if task is None else answers.id_of(task),
            "limit": limit,
            "timeout_s": timeout_s,
        }
        path, answer_timeout_s = f"{self._path}/changes", timeout_s + TIMEOUT_S
        reply = yield Request("GET", path, query=query, timeout_s=answer_timeout_s)
        return reply.read(shown.Changes)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
