"""Finds the earlier requests that a finding needs, such as the first of two creates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contract_tests.exchange import Exchange

_READS = frozenset({"GET", "HEAD"})
_MOST = 8


def needed_before(exchange: Exchange, earlier: Sequence[Exchange]) -> tuple[Exchange, ...]:
    """The requests among `earlier` that led to this one, oldest first, at most a few.

    They are the creates with the same Idempotency-Key, the writes whose answers have an id that is
    in the request or in a later needed one, and, for a balance, all since the balance before.
    """
    since = _since_last_balance(exchange, earlier) if exchange.path.endswith("/credits") else []
    needed: list[Exchange] = []
    named = [exchange]
    for step in reversed(earlier):
        if step in since or _leads_to(step, named):
            needed.insert(0, step)
            named.append(step)
    return tuple(needed if len(needed) <= _MOST else [needed[0], *needed[1 - _MOST :]])


def _leads_to(step: Exchange, named: Sequence[Exchange]) -> bool:
    """Whether a write has made something that is named in one of these requests."""
    if step.method in _READS or step.status >= 300:
        return False
    ids = [one.encode() for one in _ids(step)]
    key = step.sent_headers.get("idempotency-key")
    return any(
        (key is not None and key == later.sent_headers.get("idempotency-key"))
        or any(one in later.url.encode() or one in later.sent_body for one in ids)
        for later in named
    )


def _ids(step: Exchange) -> Iterator[str]:
    """The ids that the answer gives to what was made."""
    if isinstance(step.json, dict):
        for name in ("id", "task_id"):
            if isinstance(step.json.get(name), str):
                yield step.json[name]


def _since_last_balance(exchange: Exchange, earlier: Sequence[Exchange]) -> list[Exchange]:
    """The last read of this balance before something was written, and the writes since."""
    found: list[Exchange] = []
    for step in reversed(earlier):
        if step.path == exchange.path and step.key == exchange.key and found:
            return [step, *found]
        if step.method not in _READS:
            found.insert(0, step)
    return found
