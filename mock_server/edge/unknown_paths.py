"""Suggests the path that was probably meant, for a path that has no route."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from mock_server.core.suggestions import did_you_mean

Segments = tuple[str, ...]

_MAX_SEGMENTS, _MAX_CHARS = 10, 256
_MIN_SIMILARITY = 0.5  # that of v1 and v2


class KnownPaths:
    """The paths of some routes, with `{name}` for variable steps."""

    def __init__(self, templates: Callable[[], Iterable[str]], prefixes: Iterable[str]) -> None:
        """prefixes: what the paths of the APIs begin with, such as `/v1`.
        templates: makes the paths; called for the first hint."""
        self._make_templates = templates
        self._beginnings = [
            steps[:end] for steps in map(_segments, prefixes) for end in range(len(steps), 0, -1)
        ]

    @cached_property
    def _templates(self) -> Sequence[Segments]:
        return [_segments(template) for template in self._make_templates()]

    def hint(self, path: str) -> str:
        """The end of a sentence with the path that was probably meant; empty without one."""
        steps = _segments(path)
        if len(steps) > _MAX_SEGMENTS:
            return ""
        plain = _path(steps)
        if plain != path and self._knows(steps):
            return f"; {_slash_mistake(path)}: the path is '{plain}'"
        for likely in filter(self._knows, self._likely(steps)):
            dropped = steps[: max(0, len(steps) - len(likely))]
            if dropped and likely[: len(dropped)] == dropped:
                return f"; {_path(dropped)} is in it twice: the path is '{_path(likely)}'"
            return f"; did you mean '{_path(likely)}'?"
        if len(path) > _MAX_CHARS:
            return ""
        similarity, nearest = max((_similarity(each, steps), each) for each in self._templates)
        return f"; did you mean '{_path(_filled(nearest, steps))}'?" if similarity else ""

    def _knows(self, steps: Segments) -> bool:
        return any(
            len(template) == len(steps) and all(map(_fits, template, steps))
            for template in self._templates
        )

    def _likely(self, steps: Segments) -> Iterator[Segments]:
        """The path without some of its first steps, or with a missing beginning added."""
        for start in range(1, len(steps)):
            yield steps[start:]
        for beginning in self._beginnings:
            yield beginning + steps
            yield beginning + steps[1:]


def unknown_world(path: str, names: Iterable[str]) -> str | None:
    """A sentence about the unknown world that a path names; None if it names none.
    names: the worlds that the sentence may suggest. A known world has been removed from its path.
    """
    steps = path.split("/")
    if len(steps) < 3 or steps[1] != "w":
        return None
    return f"there is no world called '{steps[2]}'{did_you_mean(steps[2], names)}"


def _slash_mistake(path: str) -> str:
    if path.startswith("//"):
        return "it begins with two slashes: remove the one at the end of the base URL"
    if "//" in path:
        return "it has two slashes in a row"
    return "it ends with a slash"


def _filled(template: Segments, steps: Segments) -> Segments:
    """The template, with the caller's values in its variable steps."""
    pairs = zip(template, steps, strict=True)
    return tuple(step if _is_variable(known) else known for known, step in pairs)


def _similarity(template: Segments, steps: Segments) -> float:
    """How similar two paths are, from 0 to 1; 0 if any step is another word."""
    from difflib import SequenceMatcher  # most servers need it late or never

    if len(template) != len(steps):
        return 0
    ratios = [
        SequenceMatcher(None, known, step.casefold()).ratio()
        for known, step in zip(template, steps, strict=True)
        if not _is_variable(known)
    ]
    return sum(ratios) / len(ratios) if min(ratios) >= _MIN_SIMILARITY else 0


def _segments(path: str) -> Segments:
    return tuple(step for step in path.split("/") if step)


def _path(steps: Segments) -> str:
    return "/" + "/".join(steps)


def _is_variable(known: str) -> bool:
    return known.startswith("{")


def _fits(known: str, step: str) -> bool:
    return known == step or _is_variable(known)
