"""Tasks and uploads that expire: first their API knows them no longer, then they are deleted."""

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Literal

from msgspec import Struct

from mock_server.core.clock import LAST_MS, Clock
from mock_server.core.faults import Faults
from mock_server.core.field_types import Count
from mock_server.core.history import History
from mock_server.core.idempotency import Idempotency
from mock_server.core.lifecycle import RENDERED
from mock_server.core.lifetimes import FOR_EVER, Lifetimes, is_over
from mock_server.core.marks import Marks
from mock_server.core.refusals import UnknownFile, UnknownTask
from mock_server.core.tasks import Task, Tasks
from mock_server.core.uploads import StoredFile, Uploads


class Forgotten(Struct, frozen=True, forbid_unknown_fields=True):
    """What was deleted: how many tasks and uploads, and what each account spent on the tasks."""

    tasks: Count = 0
    files: Count = 0
    spent_credits: dict[str, Count] = {}


class Expiry:
    """Finds tasks and uploads that have not expired, and deletes those that have.

    A record is deleted when a task is made or a file is uploaded, so that memory ends. It is there
    for as long again as it was valid: until then an expired URL is known as one.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        lifetimes: Mapping[str, Lifetimes],
        tasks: Tasks,
        uploads: Uploads,
        idempotency: Idempotency,
        history: History,
        task_faults: dict[str, Faults],
        marks: Marks,
    ) -> None:
        """lifetimes: of each API. task_faults: by task; those of a deleted one are deleted, too."""
        self._marks = marks
        self._clock = clock
        self._lifetimes = lifetimes
        self._tasks = tasks
        self._uploads = uploads
        self._idempotency = idempotency
        self._history = history
        self._task_faults = task_faults
        self._queue: list[tuple[int, Literal["task", "file"], str]] = []
        self.forgotten_tasks = self.forgotten_files = 0
        self._spent_credits: dict[str, int] = {}

    def state(self) -> Forgotten:
        """What was deleted. What is to be deleted follows from the tasks and uploads."""
        return Forgotten(self.forgotten_tasks, self.forgotten_files, dict(self._spent_credits))

    def restore(self, forgotten: Forgotten) -> None:
        """Replace what was deleted."""
        self.forgotten_tasks, self.forgotten_files = forgotten.tasks, forgotten.files
        self._spent_credits = dict(forgotten.spent_credits)

    def lifetimes_of(self, api: str) -> Lifetimes:
        """How long an API keeps things."""
        return self._lifetimes.get(api, FOR_EVER)

    def has_expired(self, task: Task) -> bool:
        """Whether its API knows the task no longer."""
        lifetime_ms = self.lifetimes_of(task.order.api).task_ms
        return lifetime_ms > 0 and is_over(lifetime_ms, task.planned.ends_ms, self._clock)

    def video_has_expired(self, task: Task) -> bool:
        """Whether the URL of the task's video works no longer."""
        lifetime_ms = self.lifetimes_of(task.order.api).media_ms
        return is_over(lifetime_ms, task.planned.ends_ms, self._clock)

    def find_task(self, task_id: str, *, api: str, account: str) -> Task:
        """The account's task. Refuses with UnknownTask if it has none with this id, or no more."""
        task = self._tasks.find(task_id, api=api, account=account)
        if self.has_expired(task):
            raise UnknownTask("this account has no task with that id any more: it has expired")
        return task

    def find_file(self, file_id: str, account: str) -> StoredFile:
        """The account's file. Refuses with UnknownFile if it has none with this id, or no more."""
        file = self._uploads.find(file_id, account)
        if file.has_expired(self._clock.now_ms()):
            raise UnknownFile("this account has no file with that id any more: it has expired")
        return file

    def keep_file(self, file: StoredFile) -> None:
        """Keep an upload. Refuses with Invalid if there is no room for it."""
        self._uploads.add(file)
        if file.expires_ms is not None:
            self._add(2 * file.expires_ms - file.created_ms, "file", file.id)

    def task_ended(self, task: Task) -> None:
        """Note when the record of a task is deleted, if ever; not before its Idempotency-Key."""
        lifetimes = self.lifetimes_of(task.order.api)
        has_video = task.planned.outcome is RENDERED
        if not lifetimes.task_ms or (has_video and not lifetimes.media_ms):
            return
        lifetime_ms = max(lifetimes.task_ms, lifetimes.media_ms if has_video else 0)
        key_ends_ms = task.created_ms + self._idempotency.lifetime_ms
        self._add(max(task.planned.ends_ms + 2 * lifetime_ms, key_ends_ms), "task", task.id)

    def forget_due(self) -> bool:
        """Delete the records whose time has come. Returns whether an upload was deleted."""
        if not self._queue:
            return False
        now_ms = self._clock.now_ms()
        files_before = self.forgotten_files
        while self._queue and self._queue[0][0] <= now_ms < LAST_MS:
            _, kind, subject = heappop(self._queue)
            self._marks.mark("state")
            if kind == "file":
                self._uploads.remove(subject)
                self.forgotten_files += 1
            else:
                self._idempotency.delete_expired(now_ms)
                self._forget_task(self._tasks.remove(subject))
        return self.forgotten_files > files_before

    def _add(self, at_ms: int, kind: Literal["task", "file"], subject: str) -> None:
        heappush(self._queue, (at_ms, kind, subject))

    def _forget_task(self, task: Task) -> None:
        if self._task_faults.pop(task.id, None) is not None:
            self._marks.mark("task_faults", task.id)
        self._history.records.pop(task.id, None)
        self.forgotten_tasks += 1
        if task.planned.outcome is RENDERED:
            account = task.order.account
            spent = self._spent_credits.get(account, 0)
            self._spent_credits[account] = spent + task.order.price_credits
