"""Did you mean? The known names nearest to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice

_MOST_CHARS = 64
_MOST_KNOWN = 300


UNSET = frozenset(
    {"undefined", "null", "none", "nil", "nan", "false", "true", "[object object]", "(null)"}
)
"""What comes, in small letters, from a client whose variable was not set."""


@lru_cache(maxsize=1024)
def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    """The known name nearest to a name; clients repeat their slips, so answers are kept."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    matches = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, if any comes near.

    Names of usual length are compared, and with a few hundred at most: comparing takes long.
    """
    if len(name) > _MOST_CHARS:
        return None
    candidates = (each for each in islice(known, _MOST_KNOWN) if len(each) <= _MOST_CHARS)
    return _nearest(name, tuple(candidates))


def near(name: str, known: Iterable[str]) -> str:
    """A half-sentence that names what was probably meant, or nothing: `; did you mean 'model'?`."""
    meant = nearest(name, known)
    return f"; did you mean '{meant}'?" if meant is not None else ""
