"""HM406: the API key is in a URL or in a body."""

import re
from collections.abc import Iterable, Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request

_LONG_CHARS = 16
"""A shorter key may be a word of a prompt: it counts only as a whole value."""

_ENDS = r"(?![0-9A-Za-z_.~-])"


def find(evidence: Evidence) -> Iterator[Outcome]:
    wanted = [re.escape(each) + _ENDS for each in evidence.secrets if len(each) >= _LONG_CHARS]
    wanted += [
        rf'(?:[=]|"(?:Bearer )?){re.escape(each)}(?=["&]|$)'
        for each in evidence.secrets
        if len(each) < _LONG_CHARS
    ]
    pattern = re.compile("|".join(wanted)) if wanted else None
    secrets = [(each, each.encode()) for each in evidence.secrets]
    for request in evidence.requests:
        if not request.exchange.api or pattern is None:
            continue
        place = _place_of(request, pattern) if _has_any(request, secrets) else None
        if place is None:
            yield CLEAN
            continue
        yield Found({"first": request.id, "place": place}, [request], request.exchange.task)


def _has_any(request: Request, secrets: Iterable[tuple[str, bytes]]) -> bool:
    """Whether a secret, as text and as bytes, is anywhere in the path, query or body."""
    exchange = request.exchange
    path, query, body = exchange.path, exchange.query, exchange.request_body
    return any(raw in body or text in path or text in query for text, raw in secrets)


def _place_of(request: Request, pattern: re.Pattern[str]) -> str | None:
    """Where the key is; None if it is nowhere."""
    exchange = request.exchange
    if pattern.search(f"{exchange.path}?{exchange.query}"):
        return "URL"
    if pattern.search(exchange.request_body.decode("utf-8", "replace")):
        return "body"
    return None
