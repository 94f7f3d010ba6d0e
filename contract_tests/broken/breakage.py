"""What a broken server is: one promise, and the few lines that break it on the way in or out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contract_tests.contract import Api

Memory = dict[str, Any]


@dataclass
class Sent:
    """A request before the fake sees it; all of it can be changed. Header names are lower case.

    memory: what the breakage has noted so far, for as long as the server runs.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    memory: Memory

    @property
    def json(self) -> Any:
        """The body as JSON; {} if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    @json.setter
    def json(self, value: Any) -> None:
        self.body = json.dumps(value).encode()

    @property
    def key(self) -> str:
        """The credential."""
        return self.headers.get("authorization", "").rpartition(" ")[2]

    @key.setter
    def key(self, value: str) -> None:
        self.headers["authorization"] = f"Bearer {value}"


@dataclass
class Answered:
    """An answer before the caller sees it; all of it can be changed."""

    sent: Sent
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def memory(self) -> Memory:
        """What the breakage has noted so far."""
        return self.sent.memory

    @property
    def json(self) -> Any:
        """The body as JSON; {} if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    @json.setter
    def json(self, value: Any) -> None:
        self.body = json.dumps(value).encode()


@dataclass
class Outgoing:
    """A callback or event before it is sent; times: how often it goes out."""

    url: str
    headers: dict[str, str]
    body: bytes
    memory: Memory
    times: int = 1

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @json.setter
    def json(self, value: Any) -> None:
        self.body = json.dumps(value).encode()


@dataclass(frozen=True)
class Breakage:
    """One promise, broken. `patch` changes the server's own code, for what no wrapper reaches."""

    name: str
    api: Api
    promise: str
    on_request: Callable[[Sent], None] | None = None
    on_answer: Callable[[Answered], None] | None = None
    on_delivery: Callable[[Outgoing], None] | None = None
    patch: Callable[[], None] | None = None


@dataclass
class Catalogue:
    """The broken servers of one API, in the order they are written down."""

    api: Api
    breakages: list[Breakage] = field(default_factory=list)

    def add(self, name: str, promise: str, **how: Any) -> None:
        """One more."""
        row = promise if promise.startswith(f"{self.api}.") else f"{self.api}.{promise}"
        self.breakages.append(Breakage(name, self.api, row, **how))

    def edit(
        self,
        name: str,
        promise: str,
        where: str,
        change: Callable[[Any], Any],
        *,
        statuses: range = range(200, 300),
        when: Callable[[Any], bool] = bool,
    ) -> None:
        """Break the JSON of answers: `change` edits the object, or returns another.

        where: a regular expression for `METHOD /path`; when: which objects, besides.
        """

        def on_answer(answer: Answered) -> None:
            place = f"{answer.sent.method} {answer.sent.path}"
            if re.fullmatch(where, place) and answer.status in statuses and when(answer.json):
                shown = answer.json
                changed = change(shown)
                answer.json = shown if changed is None or not isinstance(changed, dict) else changed

        self.add(name, promise, on_answer=on_answer)

    def answer(
        self, name: str, promise: str, where: str, change: Callable[[Answered], None]
    ) -> None:
        """Break whole answers: status, headers, body."""

        def on_answer(answer: Answered) -> None:
            if re.fullmatch(where, f"{answer.sent.method} {answer.sent.path}"):
                change(answer)

        self.add(name, promise, on_answer=on_answer)

    def request(self, name: str, promise: str, where: str, change: Callable[[Sent], None]) -> None:
        """Break how requests are read: `change` edits them before the fake sees them."""

        def on_request(sent: Sent) -> None:
            if re.fullmatch(where, f"{sent.method} {sent.path}"):
                change(sent)

        self.add(name, promise, on_request=on_request)

    def delivery(self, name: str, promise: str, change: Callable[[Outgoing], None]) -> None:
        """Break what is sent to receivers."""
        self.add(name, promise, on_delivery=change)


def put(**fields: Any) -> Callable[[Any], None]:
    """An edit that sets these fields."""
    return lambda shown: shown.update(fields)


def drop(*names: str) -> Callable[[Any], None]:
    """An edit that takes these fields out."""

    def change(shown: Any) -> None:
        for name in names:
            shown.pop(name, None)

    return change
