"""Reads and writes recordings: a few answers of each kind, without secrets and normalised.

Normalised means: ids are numbered in their order, all hosts have the same name, and only headers
that belong to the API are kept. So two recordings can be compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from contract_tests.conformance import api_of, operation_of
from contract_tests.contract import contract
from contract_tests.exchange import Exchange
from contract_tests.redaction import Redaction
from contract_tests.requirements import code_of

FILE = "recording.json"
FORMAT = 1
HOST = "http://recorded.invalid"
_PER_KIND = 12
_LARGEST_BODY = 16_384
_HEADERS = frozenset({"content-type", "allow", "www-authenticate", "retry-after", "location"})
_SENT_HEADERS = frozenset({"content-type", "idempotency-key", "accept"})
_IDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], int], str]], ...] = (
    (
        re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
        lambda _, number: f"00000000-0000-4000-8000-{number:012d}",
    ),
    (
        re.compile(r"\b(task|file|req|evt|whend|whdel)_[0-9A-Za-z]{8,}\b"),
        lambda found, number: f"{found[1]}_{number:024d}",
    ),
    (re.compile(r'(?<=")[0-9a-z]{26}(?=")'), lambda _, number: f"{number:026d}"),
    (re.compile(r'(?<=")[0-9a-f]{24}(?=")'), lambda _, number: f"{number:024d}"),
)


class RecordingError(Exception):
    """A folder has no recording, or one that cannot be read."""


@dataclass(frozen=True)
class RecordedExchange:
    """One recorded exchange.

    text: the answer's body if it is no JSON. timing: instant, seconds or minutes.
    """

    operation: str
    method: str
    path: str
    sent_headers: Mapping[str, str]
    sent: Any
    status: int
    code: str | None
    headers: Mapping[str, str]
    answer: Any
    timing: str
    text: str = ""

    @property
    def kind(self) -> tuple[str, int, str | None]:
        """Operation, status and error code."""
        return (self.operation, self.status, self.code)


@dataclass(frozen=True)
class Recording:
    """The answers of one server. is_fake: whether it was hailuo-mock."""

    is_fake: bool
    exchanges: tuple[RecordedExchange, ...]


def write(
    exchanges: Iterable[Exchange], redaction: Redaction, folder: Path, *, is_fake: bool
) -> None:
    """Write a few exchanges of each kind to `folder`, without credentials."""
    kept: dict[tuple[str, int, str | None], list[RecordedExchange]] = {}
    for exchange in exchanges:
        recorded = _recorded(redaction.exchange(exchange))
        if recorded is not None:
            same_kind = kept.setdefault(recorded.kind, [])
            if len(same_kind) < _PER_KIND and _shape(recorded) not in map(_shape, same_kind):
                same_kind.append(recorded)
    rows = [
        asdict(recorded) for _, same_kind in sorted(kept.items(), key=str) for recorded in same_kind
    ]
    text = json.dumps({"form": FORMAT, "is_fake": is_fake, "exchanges": rows}, indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(redaction.text(_numbered(text)) + "\n", "utf-8")


def read(folder: Path) -> Recording:
    """The recording in a folder. Raises RecordingError."""
    try:
        kept = json.loads((folder / FILE).read_text("utf-8"))
        if kept["form"] != FORMAT:
            raise RecordingError(
                f"{folder / FILE} has form {kept['form']}; this reads form {FORMAT}"
            )
        rows = tuple(_row(row) for row in kept["exchanges"])
        return Recording(kept["is_fake"] is True, rows)
    except OSError as error:
        raise RecordingError(f"{folder / FILE}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise RecordingError(f"{folder / FILE} is no recording: {error}") from error


def _row(fields: Mapping[str, Any]) -> RecordedExchange:
    """The exchange of one row of a file. Raises TypeError or ValueError."""
    row = RecordedExchange(**fields)
    texts: list[object] = [row.operation, row.method, row.path, row.timing, row.text]
    for headers in (row.sent_headers, row.headers):
        texts += [*headers.keys(), *headers.values()] if isinstance(headers, dict) else [None]
    texts += [row.code] if row.code is not None else []
    if not all(isinstance(text, str) for text in texts) or type(row.status) is not int:
        raise TypeError("an exchange has a field of another type")
    return row


def as_exchange(recorded: RecordedExchange) -> Exchange:
    """The exchange as it was sent, as far as it was recorded."""
    return Exchange(
        method=recorded.method,
        url=HOST + recorded.path,
        path=recorded.path,
        sent_headers=recorded.sent_headers,
        sent_body=b"" if recorded.sent is None else json.dumps(recorded.sent).encode(),
        status=recorded.status,
        headers=recorded.headers,
        body=(recorded.text if recorded.answer is None else json.dumps(recorded.answer)).encode(),
        started_s=0.0,
        took_s=0.0,
    )


def _recorded(exchange: Exchange) -> RecordedExchange | None:
    """The recorded form of an exchange; None if the contract does not describe it."""
    api = api_of(exchange.path)
    if api is None or len(exchange.body) > _LARGEST_BODY:
        return None
    operation = operation_of(contract(), exchange.method, exchange.path)
    if operation is None or operation["operationId"] == "getOpenapiDocument":
        return None
    host = "{0.scheme}://{0.netloc}".format(urlsplit(exchange.url))
    code = code_of(exchange)
    return RecordedExchange(
        operation=operation["operationId"],
        method=exchange.method,
        path=exchange.path,
        sent_headers=_selected(exchange.sent_headers, _SENT_HEADERS),
        sent=exchange.sent_json,
        status=exchange.status,
        code=code if isinstance(code, str) else None,
        headers=_selected(exchange.headers, _HEADERS),
        answer=json.loads(json.dumps(exchange.json).replace(host, HOST)),
        timing=timing_of(exchange.took_s),
        text=_text(exchange).replace(host, HOST),
    )


def _text(exchange: Exchange) -> str:
    """The body if it is no JSON, such as the page of a proxy."""
    return exchange.body.decode(errors="replace") if exchange.json is None else ""


def timing_of(took_s: float) -> str:
    """The time of an answer, rounded so that it is the same in each run."""
    return "instant" if took_s < 2 else "seconds" if took_s < 30 else "minutes"


def _selected(headers: Mapping[str, str], wanted: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in sorted(headers.items()) if name in wanted}


def _shape(recorded: RecordedExchange) -> str:
    """The types of all fields of an answer. Only one answer of each shape is kept."""
    from contract_tests.drift.shape import shape_of

    return json.dumps(sorted(shape_of(recorded.answer).items()), default=str)


def _numbered(text: str) -> str:
    """The text with every id replaced by one with a number, the same for the same id."""
    for pattern, spelled in _IDS:
        numbers: dict[str, int] = {}

        def number(
            found: re.Match[str],
            numbers: dict[str, int] = numbers,
            spelled: Callable[[re.Match[str], int], str] = spelled,
        ) -> str:
            return spelled(found, numbers.setdefault(found[0], len(numbers) + 1))

        text = pattern.sub(number, text)
    return text
