"""Finds the known name that is most similar to an unknown one: "did you mean ...?"."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

_MOST_CHARS = 64
_MOST_KNOWN = 300

UNSET = frozenset(
    {"undefined", "null", "none", "nil", "nan", "false", "true", "[object object]", "(null)"}
)
"""What a client sends if its variable is not set, in lower case."""


@lru_cache(maxsize=1024)
def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    """Cached, because clients repeat their mistakes."""
    from difflib import get_close_matches  # most servers need it late or never

    by_folded = {candidate.casefold(): candidate for candidate in known}
    matches = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The most similar known name; None if none is similar.

    Long names, and names after the first few hundred, are not compared: that takes time.
    """
    if len(name) > _MOST_CHARS:
        return None
    candidates = (each for each in islice(known, _MOST_KNOWN) if len(each) <= _MOST_CHARS)
    return _nearest(name, tuple(candidates))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence, such as `; did you mean 'model'?`; empty if no name is similar."""
    similar = nearest(name, known)
    return f"; did you mean '{similar}'?" if similar is not None else ""
