"""Several correct workers of one client, on a machine that delays what they send and get."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.verdict.day import Day, Got
from tests.verdict.perfect import PerfectClient

T = TypeVar("T")

SLOWEST_MS = 450
"""How long a request, or its answer, is on its way at most."""


class Turns:
    """Lets one thread after the other run: the one that waits for the earliest time."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._turn = threading.Condition()
        self._wakes_ms: dict[int, int] = {}

    def run(self, works: Sequence[Callable[[int], T]]) -> list[T]:
        """The results of these works, which are given their numbers; all begin now."""
        results: dict[int, T] = {}
        errors: list[BaseException] = []

        def work(number: int) -> None:
            try:
                self._wait_for_turn(number)
                results[number] = works[number](number)
            except BaseException as error:  # noqa: BLE001 - it is raised in the test's thread
                errors.append(error)
            with self._turn:
                del self._wakes_ms[number]
                self._turn.notify_all()

        self._wakes_ms = dict.fromkeys(range(len(works)), self._day.wall_ms)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(works))]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        if errors:
            raise errors[0]
        return [results[number] for number in range(len(works))]

    def sleep_ms(self, number: int, duration_ms: int) -> None:
        """Let time pass for one of them, and the others run meanwhile."""
        with self._turn:
            self._wakes_ms[number] = self._day.wall_ms + duration_ms
            self._turn.notify_all()
        self._wait_for_turn(number)

    def _wait_for_turn(self, number: int) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._next() == number)
            self._day.wall_ms = max(self._day.wall_ms, self._wakes_ms[number])

    def _next(self) -> int:
        return min(self._wakes_ms, key=lambda each: (self._wakes_ms[each], each))


@dataclass
class Shared:
    """What all workers know. not_before_ms: they keep the longest pause that any was asked for."""

    turns: Turns
    delays_ms: Callable[[], tuple[int, int]]
    not_before_ms: int = 0


@dataclass
class WorkersDay:
    """The day as one worker sees it: a connection of its own, and a slow way to the server."""

    day: Day
    number: int
    shared: Shared

    @property
    def wall_ms(self) -> int:
        return self.day.wall_ms

    def pass_s(self, seconds: float) -> None:
        self.shared.turns.sleep_ms(self.number, round(1000 * seconds))

    def create(self, *, key: str | None, api: str, leaves: bool) -> Got:
        own = None if key is None else f"{key}-{self.number}"
        return self._sent(lambda: self.day.create(key=own, api=api, leaves=leaves))

    def look(self, task_id: str, *, api: str, leaves: bool) -> Got:
        return self._sent(lambda: self.day.look(task_id, api=api, leaves=leaves))

    def download(self, task_id: str) -> Got:
        return self._sent(lambda: self.day.download(task_id))

    def _sent(self, send: Callable[[], Got]) -> Got:
        """What came back."""
        while (wait_ms := self.shared.not_before_ms - self.wall_ms) > 0:
            self.shared.turns.sleep_ms(self.number, wait_ms)
        there_ms, back_ms = self.shared.delays_ms()
        self.shared.turns.sleep_ms(self.number, there_ms)
        self.day.connection = self.number
        got = send()
        self.shared.turns.sleep_ms(self.number, back_ms)
        if got.retry_after is not None:
            until_ms = self.wall_ms + 1000 * int(got.retry_after)
            self.shared.not_before_ms = max(self.shared.not_before_ms, until_ms)
        return got


def watchers(day: Day, api: str, count: int, delays_ms: Callable[[], tuple[int, int]]) -> int:
    """One orders, all look at the task, and the first one fetches the video. Its exit code."""
    shared = Shared(Turns(day), delays_ms)
    task_id = ""

    def order(number: int) -> str | None:
        return PerfectClient(WorkersDay(day, number, shared), api).order()

    def watch(number: int) -> int:
        client = PerfectClient(WorkersDay(day, number, shared), api)
        has_it = client.wait_for(task_id) and (number > 0 or client.fetch(task_id))
        return 0 if has_it else 1

    task_id = shared.turns.run([order])[0] or ""
    return shared.turns.run([watch] * count)[0] if task_id else 1


def orderers(day: Day, api: str, count: int, delays_ms: Callable[[], tuple[int, int]]) -> int:
    """Each orders a video, all the same, and waits for its own. The exit code of all."""
    shared = Shared(Turns(day), delays_ms)

    def work(number: int) -> int:
        return PerfectClient(WorkersDay(day, number, shared), api).run()

    return max(shared.turns.run([work] * count))
