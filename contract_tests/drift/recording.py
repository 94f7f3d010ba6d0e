"""A recording: a few answers of each kind that a server gave, redacted and normalised.

Normalised means that ids are numbered in the order they came, hosts have one name, and headers
that say nothing of the API are gone, so that two recordings can be laid side by side.
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
from contract_tests.exchange import Exchange, without_secrets
from contract_tests.refusals import code_of

FILE = "recording.json"
FORM = 1
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
    """A folder holds no recording, or one that cannot be read."""


@dataclass(frozen=True)
class Recorded:
    """One exchange as it is kept.

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
        """What kind of answer it is."""
        return (self.operation, self.status, self.code)


@dataclass(frozen=True)
class Recording:
    """What one server answered. is_fake: whether that server was our own."""

    is_fake: bool
    exchanges: tuple[Recorded, ...]


def write(
    exchanges: Iterable[Exchange], secrets: list[str], folder: Path, *, is_fake: bool
) -> None:
    """Keep a few exchanges of each kind in `folder`; no credential is kept."""
    kept: dict[tuple[str, int, str | None], list[Recorded]] = {}
    for exchange in exchanges:
        recorded = _recorded(without_secrets(exchange, secrets))
        if recorded is not None:
            alike = kept.setdefault(recorded.kind, [])
            if len(alike) < _PER_KIND and _shape(recorded) not in map(_shape, alike):
                alike.append(recorded)
    rows = [asdict(recorded) for _, alike in sorted(kept.items(), key=str) for recorded in alike]
    text = json.dumps({"form": FORM, "is_fake": is_fake, "exchanges": rows}, indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(_numbered(text) + "\n", "utf-8")


def read(folder: Path) -> Recording:
    """The recording in a folder. Raises RecordingError."""
    try:
        kept = json.loads((folder / FILE).read_text("utf-8"))
        if kept["form"] != FORM:
            raise RecordingError(f"{folder / FILE} has form {kept['form']}; this reads form {FORM}")
        rows = tuple(Recorded(**row) for row in kept["exchanges"])
        return Recording(kept["is_fake"], rows)
    except OSError as error:
        raise RecordingError(f"{folder / FILE}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{folder / FILE} is no recording: {error}") from error


def as_exchange(recorded: Recorded) -> Exchange:
    """The exchange as it went over the wire, as far as it was kept."""
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


def _recorded(exchange: Exchange) -> Recorded | None:
    """What is kept of an exchange; None for what is none of the contract's business."""
    api = api_of(exchange.path)
    if api is None or len(exchange.body) > _LARGEST_BODY:
        return None
    operation = operation_of(contract(), exchange.method, exchange.path)
    if operation is None or operation["operationId"] == "getOpenapiDocument":
        return None
    host = "{0.scheme}://{0.netloc}".format(urlsplit(exchange.url))
    code = code_of(exchange)
    return Recorded(
        operation=operation["operationId"],
        method=exchange.method,
        path=exchange.path,
        sent_headers=_some(exchange.sent_headers, _SENT_HEADERS),
        sent=exchange.sent_json,
        status=exchange.status,
        code=code if isinstance(code, str) else None,
        headers=_some(exchange.headers, _HEADERS),
        answer=json.loads(json.dumps(exchange.json).replace(host, HOST)),
        timing=timing_of(exchange.took_s),
        text=_text(exchange).replace(host, HOST),
    )


def _text(exchange: Exchange) -> str:
    """The body if it is no JSON: the page of a proxy, or nothing."""
    return exchange.body.decode(errors="replace") if exchange.json is None else ""


def timing_of(took_s: float) -> str:
    """How long an answer took, coarsely enough to be the same tomorrow."""
    return "instant" if took_s < 2 else "seconds" if took_s < 30 else "minutes"


def _some(headers: Mapping[str, str], wanted: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in sorted(headers.items()) if name in wanted}


def _shape(recorded: Recorded) -> str:
    """What two answers have in common if they would teach the same."""
    from contract_tests.drift.shape import shape_of

    return json.dumps(sorted(shape_of(recorded.answer).items()), default=str)


def _numbered(text: str) -> str:
    """The text with every id replaced by a number, the same for the same id."""
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
