"""A client that does everything right: what it does must never be held against it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.verdict.day import Day, Got

if TYPE_CHECKING:
    from tests.verdict.workers import WorkersDay

FINAL = {400, 401, 402, 403, 404, 405, 410, 413, 422}
LONGEST_PAUSE_S = 60
ATTEMPTS = 5
LOOKS = 25


@dataclass
class PerfectClient:
    """Orders one video, waits for it and fetches it.

    day: what it sends its requests to, and its clock.
    restart_at: at this step it is killed and started again; it has stored what it needs."""

    day: Day | WorkersDay
    api: str
    restart_at: int | None = None
    restarted_ms: int | None = None
    steps: int = 0

    def run(self) -> int:
        """Its exit code."""
        task_id = self.order()
        if task_id is None or not self.wait_for(task_id):
            return 1
        return 0 if self.fetch(task_id) else 1

    def order(self) -> str | None:
        """The id of the task; None if it gave up. It repeats only what is safe to repeat."""
        has_keys = self.api == "rivya"
        for attempt in range(ATTEMPTS):
            self._step()
            key = "job-1" if has_keys else None
            got = self.day.create(key=key, api=self.api, leaves=True)
            task_id = _id_in(got)
            if task_id is not None:
                return task_id
            if got.status in FINAL and got.is_whole and _is_error(got):
                return None
            is_definite = got.status == 429 and got.is_whole
            if not (has_keys or is_definite) or not self._pause(got, attempt):
                return None
        return None

    def wait_for(self, task_id: str) -> bool:
        """Whether the task succeeded. Errors that pass and odd answers only cost time."""
        failures = 0
        for _ in range(LOOKS):
            self._step()
            self.day.pass_s(5.3)
            got = self.day.look(task_id, api=self.api, leaves=True)
            state = _state_in(got, self.api)
            if state in {"succeeded", "failed"}:
                return state == "succeeded"
            if got.status in FINAL and got.is_whole and _is_error(got):
                return False
            failed = not got.is_whole or got.status != 200 or _document(got) is None
            failures = failures + 1 if failed else 0
            if failed and not self._pause(got, failures):
                return False
        return False

    def fetch(self, task_id: str) -> bool:
        """Whether the whole video came."""
        for attempt in range(ATTEMPTS):
            self._step()
            got = self.day.download(task_id)
            if got.status == 200 and got.is_whole:
                return True
            if got.status in FINAL or not self._pause(got, attempt):
                return False
        return False

    def _pause(self, got: Got, attempt: int) -> bool:
        """Wait before the next attempt; False if the server asks for too long a pause."""
        asked_s = int(got.retry_after or 0)  # this server asks in seconds
        self.day.pass_s(max(asked_s, min(1.7 * 2**attempt, LONGEST_PAUSE_S)))
        return asked_s <= LONGEST_PAUSE_S

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.restart_at:
            self.day.pass_s(0.5)
            self.restarted_ms = self.day.wall_ms
            self.day.pass_s(0.5)


def _document(got: Got) -> Any:
    try:
        return json.loads(got.body) if got.is_whole else None
    except ValueError:
        return None


def _is_error(got: Got) -> bool:
    document = _document(got)
    return isinstance(document, dict) and "error" in document


def _id_in(got: Got) -> str | None:
    document = _document(got)
    if got.status != 200 or not isinstance(document, dict):
        return None
    task_id = document.get("id") or document.get("task_id")
    return task_id if isinstance(task_id, str) else None


def _state_in(got: Got, api: str) -> str | None:
    """The final state that the answer proves; None as long as it proves none."""
    document = _document(got)
    if got.status != 200 or not isinstance(document, dict):
        return None
    if api == "rivya":
        result = document.get("result") or {}
        if document.get("status") == "succeeded":
            return "succeeded" if result.get("primary_url") else None
        return "failed" if document.get("status") == "failed" else None
    response = document.get("response") or {}
    if response.get("success") is True:
        data = response.get("data") or [{}]
        has_url = data[0].get("video_url") and data[0].get("state") == "succeeded"
        return "succeeded" if has_url else None
    return "failed" if response.get("success") is False and response.get("error") else None
