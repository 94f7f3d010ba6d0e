"""Describes a broken server: the promise it breaks, and the change that breaks it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contract_tests.contract import Api
from contract_tests.json_values import parse_json

Memory = dict[str, Any]


class JsonBody:
    """The JSON of a body that can be read and replaced."""

    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; {} if it is no JSON."""
        return parse_json(self.body, {})

    @json.setter
    def json(self, value: Any) -> None:
        self.body = json.dumps(value).encode()


@dataclass
class SentRequest(JsonBody):
    """A request before the fake reads it. All of it can be changed. Header names are lower case.

    memory: what the broken server keeps between requests.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    memory: Memory

    @property
    def key(self) -> str:
        """The credential."""
        return self.headers.get("authorization", "").rpartition(" ")[2]

    @key.setter
    def key(self, value: str) -> None:
        self.headers["authorization"] = f"Bearer {value}"


@dataclass
class Answer(JsonBody):
    """An answer before it is sent. All of it can be changed."""

    sent: SentRequest
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def memory(self) -> Memory:
        """What the broken server keeps between requests."""
        return self.sent.memory


@dataclass
class Delivery(JsonBody):
    """A callback or event before it is sent. copies: how often it is sent."""

    url: str
    headers: dict[str, str]
    body: bytes
    memory: Memory
    copies: int = 1


@dataclass(frozen=True)
class BrokenServer:
    """A server that breaks one promise.

    patch: changes the server's own code, where no change of a request or an answer can break it.
    pause_s: how long each request waits between its change and its handling, for races.
    """

    name: str
    api: Api
    promise: str
    on_request: Callable[[SentRequest], None] | None = None
    on_answer: Callable[[Answer], None] | None = None
    on_delivery: Callable[[Delivery], None] | None = None
    patch: Callable[[], None] | None = None
    pause_s: float = 0.0


@dataclass
class BrokenServers:
    """The broken servers of one API, in the order in which they are added."""

    api: Api
    servers: list[BrokenServer] = field(default_factory=list)

    def add(self, name: str, promise: str, **how: Any) -> None:
        """Add a broken server."""
        promise_id = promise if promise.startswith(f"{self.api}.") else f"{self.api}.{promise}"
        self.servers.append(BrokenServer(name, self.api, promise_id, **how))

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
        """Add a server that changes the JSON of answers.

        where: a regular expression for `METHOD /path`. when: the objects that are changed. change:
        edits the object, or returns another.
        """

        def edit_json(answer: Answer) -> None:
            if answer.status in statuses and when(answer.json):
                shown = answer.json
                changed = change(shown)
                answer.json = changed if isinstance(changed, dict) else shown

        self.on_answer(name, promise, where, edit_json)

    def on_answer(
        self, name: str, promise: str, where: str, change: Callable[[Answer], None]
    ) -> None:
        """Add a server that changes status, headers and body of answers."""
        self.add(name, promise, on_answer=_only(where, change))

    def on_request(
        self, name: str, promise: str, where: str, change: Callable[[SentRequest], None]
    ) -> None:
        """Add a server that changes requests before the fake reads them."""
        self.add(name, promise, on_request=_only(where, change))

    def on_body(self, name: str, promise: str, where: str, change: Callable[[Any], object]) -> None:
        """Add a server that edits the JSON objects in requests before the fake reads them."""

        def change_json(sent: SentRequest) -> None:
            body = sent.json
            if isinstance(body, dict):
                change(body)
                sent.json = body

        self.on_request(name, promise, where, change_json)

    def on_delivery(self, name: str, promise: str, change: Callable[[Delivery], None]) -> None:
        """Add a server that changes what it sends to receivers."""
        self.add(name, promise, on_delivery=change)


def _only(where: str, change: Callable[[Any], None]) -> Callable[[SentRequest | Answer], None]:
    """The change, only of requests that are sent to `where`, and of their answers."""

    def change_matching(message: SentRequest | Answer) -> None:
        sent = message.sent if isinstance(message, Answer) else message
        if re.fullmatch(where, f"{sent.method} {sent.path}"):
            change(message)

    return change_matching
