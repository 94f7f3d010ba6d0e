"""What was probably meant by a path that leads nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from mock_server.core.suggestions import near

Segments = tuple[str, ...]

_PREFIXES = (("api", "v1"), ("api",), ("hailuo",))
_MOST_SEGMENTS, _MOST_CHARS = 10, 256
_LEAST_ALIKE = 0.5  # v1 and v2 are


class KnownPaths:
    """The paths of some routes, with `{name}` for what may be anything."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._templates = [_segments(template) for template in templates]

    def hint(self, path: str) -> str:
        """What was probably meant, as the end of a sentence; nothing if nothing comes near."""
        steps = _segments(path)
        if len(steps) > _MOST_SEGMENTS:
            return ""
        plain = _path(steps)
        if plain != path and self._knows(steps):
            return f"; {_of_slashes(path)}: the path is '{plain}'"
        for likely in filter(self._knows, _likely(steps)):
            dropped = steps[: max(0, len(steps) - len(likely))]
            if dropped and likely[: len(dropped)] == dropped:
                return f"; {_path(dropped)} stands twice in it: the path is '{_path(likely)}'"
            return f"; did you mean '{_path(likely)}'?"
        if len(path) > _MOST_CHARS:
            return ""
        closeness, nearest = max((_closeness(each, steps), each) for each in self._templates)
        return f"; did you mean '{_path(_filled(nearest, steps))}'?" if closeness else ""

    def _knows(self, steps: Segments) -> bool:
        return any(
            len(template) == len(steps) and all(map(_fits, template, steps))
            for template in self._templates
        )


def unknown_world(path: str, names: Iterable[str]) -> str | None:
    """What is wrong with the world that a path names, if it names one: it is not there.

    names: of the worlds that the caller may hear of. The path of one that is there has lost it.
    """
    steps = path.split("/")
    if len(steps) < 3 or steps[1] != "w":
        return None
    return f"there is no world called '{steps[2]}'{near(steps[2], names)}"


def _likely(steps: Segments) -> Iterator[Segments]:
    """Without some of its beginning, or with a beginning that is missing."""
    for start in range(1, len(steps)):
        yield steps[start:]
    for prefix in _PREFIXES:
        yield prefix + steps
        yield prefix + steps[1:]


def _of_slashes(path: str) -> str:
    if path.startswith("//"):
        return "it begins with two slashes: take the one at the end of the base URL away"
    if "//" in path:
        return "two slashes stand together in it"
    return "it ends with a slash"


def _filled(template: Segments, steps: Segments) -> Segments:
    """The path, with what the caller has put where anything may stand."""
    pairs = zip(template, steps, strict=True)
    return tuple(step if _is_open(known) else known for known, step in pairs)


def _closeness(template: Segments, steps: Segments) -> float:
    """How alike two paths are, from 0 to 1; 0 if any step is another word."""
    if len(template) != len(steps):
        return 0
    alike = [
        SequenceMatcher(None, known, step.casefold()).ratio()
        for known, step in zip(template, steps, strict=True)
        if not _is_open(known)
    ]
    return sum(alike) / len(alike) if min(alike) >= _LEAST_ALIKE else 0


def _segments(path: str) -> Segments:
    return tuple(step for step in path.split("/") if step)


def _path(steps: Segments) -> str:
    return "/" + "/".join(steps)


def _is_open(known: str) -> bool:
    return known.startswith("{")


def _fits(known: str, step: str) -> bool:
    return known == step or _is_open(known)
