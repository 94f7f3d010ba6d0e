"""One request as the rules see it: its order, its answer, and whether that reached the client."""

import re
from collections.abc import Collection
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import msgspec

from mock_server.core.journal import Exchange, Headers
from mock_server.core.json_values import value_at
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.tasks import Task

_CANONICAL = msgspec.json.Encoder(order="sorted")
_WORD = re.compile(r"[0-9A-Za-z_-]{8,}")
_CREDENTIALS = (b"authorization", b"proxy-authorization", b"x-api-key", b"api-key")


class Request:
    """A request with its answer. number: among all of its world, in the order in which they
    began."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.number = exchange.number

    @property
    def id(self) -> str:
        """The id of the exchange."""
        return self.exchange.id

    @property
    def status(self) -> int | None:
        """The status of the answer; None if none began."""
        return self.exchange.status

    @property
    def is_create(self) -> bool:
        """Whether it asks for a new task."""
        return self.exchange.operation == "create" and self.exchange.method == "POST"

    @property
    def is_look(self) -> bool:
        """Whether it asks for the state of tasks."""
        return self.exchange.operation == "read"

    @property
    def is_download(self) -> bool:
        """Whether it fetches the bytes of a result."""
        return self.exchange.operation == "media" and self.exchange.method == "GET"

    @property
    def is_open(self) -> bool:
        """Whether it is still under way."""
        return self.exchange.ended_ms is None

    @cached_property
    def key(self) -> str | None:
        """The Idempotency-Key; None without one."""
        return header(self.exchange.request_headers, b"idempotency-key")

    @cached_property
    def range(self) -> str | None:
        """The header Range; None without one."""
        return header(self.exchange.request_headers, b"range")

    @property
    def has_credential(self) -> bool:
        """Whether a key came with it, in a header."""
        return any(name.lower() in _CREDENTIALS for name, _ in self.exchange.request_headers)

    @cached_property
    def document(self) -> Any:
        """The JSON of the request's body; None without."""
        return _json(self.exchange.request_body)

    @cached_property
    def answer(self) -> Any:
        """The JSON of the answer's body; None without."""
        return _json(self.exchange.answer_body)

    @property
    def is_cut(self) -> bool:
        """Whether only a part of the request's body is kept."""
        return len(self.exchange.request_body) < self.exchange.request_size_bytes

    @property
    def is_ok(self) -> bool:
        """Whether a whole answer 2xx was sent to a caller who was there."""
        return self.reached and 200 <= (self.status or 0) < 300

    @property
    def reached(self) -> bool:
        """Whether the whole answer was sent to a caller who was there."""
        return self.status is not None and self.exchange.ended_by == "answered"

    @property
    def has_failed(self) -> bool:
        """Whether the client got no answer, or an error."""
        return not self.is_open and not (self.reached and (self.status or 0) < 400)

    @property
    def made(self) -> str | None:
        """The id of the task that it made; None if it made none."""
        exchange = self.exchange
        return exchange.task if self.is_create and exchange.replay_of is None else None

    @property
    def told_task(self) -> bool:
        """Whether the caller was told the id of the request's task."""
        task = self.exchange.task
        return self.is_ok and task is not None and task.encode() in self.exchange.answer_body

    @property
    def says_no(self) -> bool:
        """Whether the answer said clearly that no task was made, which may be wrong."""
        return self.reached and 400 <= (self.status or 0) < 500 and self.status != 408

    @property
    def started_wall_ms(self) -> int:
        """When it began, by the machine's clock."""
        return self.exchange.started_wall_ms or self.exchange.started_ms

    @property
    def ended_wall_ms(self) -> int:
        """When it ended, by the machine's clock; of one under way, when it began."""
        return self.exchange.ended_wall_ms or self.started_wall_ms

    @cached_property
    def code(self) -> str:
        """The code in the body of an error answer; empty without."""
        code = value_at(self.answer, "/error/code") if (self.status or 0) >= 400 else None
        return code if isinstance(code, str) else ""

    @cached_property
    def retry_after(self) -> str | None:
        """The answer's header Retry-After; None without one."""
        return header(self.exchange.answer_headers, b"retry-after")

    @cached_property
    def location(self) -> str | None:
        """The answer's header Location; None without one."""
        return header(self.exchange.answer_headers, b"location")

    @property
    def retry_after_is_date(self) -> bool:
        """Whether Retry-After is a date."""
        asked = self.retry_after
        return asked is not None and not asked.isdigit() and self.retry_after_s is not None

    @cached_property
    def retry_after_s(self) -> float | None:
        """The wait that Retry-After asks for, in seconds; None without one. A date is one of the
        machine's clock."""
        asked = self.retry_after
        if asked is None:
            return None
        if asked.isascii() and asked.isdigit():
            return int(asked[:12])
        until = _date(asked)
        return None if until is None else max(0.0, until.timestamp() - self.ended_wall_ms / 1000)

    def is_after(self, other: "Request") -> bool:
        """Whether it began when the other one had ended."""
        ended_ms = other.exchange.ended_ms
        return (
            ended_ms is not None
            and self.number > other.number
            and self.exchange.started_ms >= ended_ms
            and self.started_wall_ms >= other.ended_wall_ms
        )

    @property
    def body(self) -> bytes:
        """The body, the same for the same JSON."""
        raw = self.exchange.request_body
        return raw if self.document is None else _CANONICAL.encode(self.document)

    @property
    def call(self) -> tuple[object, ...]:
        """What is asked for: account, method, path, query and the JSON of the body."""
        asked = self.exchange
        if not asked.request_body:
            return (asked.api, asked.account, asked.method, asked.path, asked.query, b"")
        return self._call_with_body

    @cached_property
    def _call_with_body(self) -> tuple[object, ...]:
        asked = self.exchange
        return (asked.api, asked.account, asked.method, asked.path, asked.query, self.body)

    @cached_property
    def outline(self) -> tuple[object, ...]:
        """What is asked for, in another world too: there, the URLs are others."""
        asked = self.exchange
        return (asked.api, asked.path, _CANONICAL.encode(_without_urls(self.document)))

    @cached_property
    def prompt(self) -> bytes:
        """The prompt of a create, as JSON. One with another prompt is no repeat of it."""
        return _CANONICAL.encode(value_at(self.document, "/prompt"))

    def tasks_in(self, known: Collection[str]) -> frozenset[str]:
        """The known tasks that it is about: noted by the server, or named in its path or body."""
        exchange = self.exchange
        path, only = exchange.path, exchange.task
        if (
            only is not None
            and path.endswith(only)
            and not (exchange.query or exchange.request_body)
        ):
            return frozenset({only})
        text = f"{path} {exchange.query}"
        if self.is_look:
            text += " " + exchange.request_body.decode("utf-8", "replace")
        found = {each for each in _WORD.findall(text) if each in known}
        if exchange.task is not None:
            found.add(exchange.task)
        return frozenset(found)

    def shows_end_of(self, task: Task) -> bool:
        """Whether its caller was told that the task has ended, in an answer without any fault."""
        return (
            self.is_ok
            and not self.exchange.faults
            and self.exchange.started_ms >= task.planned.ends_ms
        )


def has_failed(task: Task, at_ms: int) -> bool:
    """Whether the task had failed at this time: its credits were given back."""
    return task.planned.outcome is TaskEvent.BROKE and at_ms >= task.planned.ends_ms


def _without_urls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_urls(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_urls(each) for each in value]
    return "URL" if isinstance(value, str) and value.startswith(("http://", "https://")) else value


def last_part(path: str) -> str:
    """What stands after the last slash."""
    return path.rpartition("/")[2]


def header(headers: Headers, name: bytes) -> str | None:
    """The first header of this name, which is in lower case; None without it."""
    for each, value in headers:
        if len(each) == len(name) and each.lower() == name:
            return value.decode("latin-1")
    return None


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo is not None else None
