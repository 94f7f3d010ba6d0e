"""The sources of the site: the pages that people write, the generated ones, and what they show."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.manual.page import Group, Page
from tools.manual.reference import groups

ROOT = Path(__file__).resolve().parent.parent.parent
REFERENCE = "reference"
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
_BEGINNING = re.compile(r"^# ([^\n]+)$.*?\n\n((?:\w|[*`[])\S* .*?)\n\n", re.MULTILINE | re.DOTALL)
"""The title of a page and its first paragraph, which is no list, no table and no code."""

CHAPTERS = {
    "start": (
        "Start here",
        "Four ways to the first answer.",
        "docs/start/python.md docs/start/node.md docs/start/page.md docs/start/team.md",
    ),
    "guides": (
        "Guides",
        "What it can do, one subject a page.",
        "docs/tour.md docs/install.md docs/settings.md docs/state.md docs/scenarios.md "
        "docs/control-door.md docs/node.md clients/node/README.md docs/mcp.md docs/judge.md "
        "docs/judge-rules.md docs/judge-corpus.md docs/contract-suite.md docs/containers.md "
        "docs/shards.md docs/ci.md docs/limits.md docs/troubleshooting.md examples/README.md",
    ),
    "coming-from": (
        "Coming from",
        "What users of other tools ask for, and how it is done here.",
        "docs/coming-from/*.md",
    ),
    "project": (
        "The project",
        "What it is, how it is built, and where its facts come from.",
        "README.md ARCHITECTURE.md schemas/README.md CHANGELOG.md",
    ),
}
"""File -> title, sentence, and the pages that people write, in their order."""


def written_pages() -> list[Path]:
    """Every page that people write, below the root."""
    return [path for _, _, patterns in CHAPTERS.values() for path in _matches(patterns)]


def sources() -> Iterator[tuple[str, str | Path]]:
    """Every file of the site by its path: its text, or the file that is copied."""
    chapters = {
        name: Group("", title, intro, [_written(path) for path in _matches(patterns)])
        for name, (title, intro, patterns) in CHAPTERS.items()
    }
    made = groups()
    lists = [
        Page(f"{REFERENCE}/{group.folder}/index", group.title, group.intro.partition(". ")[0], "")
        for group in made
    ]
    intro = "A page for each thing, made from the data that the server has."
    chapters[REFERENCE] = Group("", "Reference", intro, lists)
    order = ("start", "guides", "coming-from", REFERENCE, "project")
    yield "index.md", _front([(name, chapters[name]) for name in order])
    for name, chapter in chapters.items():
        yield f"{name}.md", chapter.list_of_pages
    for group in made:
        yield f"{REFERENCE}/{group.folder}/index.md", group.list_of_pages
        for page in group.pages:
            yield f"{REFERENCE}/{group.folder}/{page.name}.md", page.text
    shown = set()
    for path in written_pages():
        yield path.as_posix(), (ROOT / path).read_text("utf-8")
        shown |= {(ROOT / path.parent / target).resolve() for target in
                  _LINK.findall((ROOT / path).read_text("utf-8"))}  # fmt: skip
    for file in sorted(shown):
        if file.is_file() and file.suffix != ".md":
            yield file.relative_to(ROOT).as_posix(), file


def write(folder: Path) -> int:
    """Write all sources into an empty folder. Returns how many there are."""
    shutil.rmtree(folder, ignore_errors=True)
    files = dict(sources())
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        else:
            target.write_text(content, "utf-8")
    return len(files)


def _front(chapters: list[tuple[str, Group]]) -> str:
    pages = []
    for name, chapter in chapters:
        links = " · ".join(f"[{page.title}]({page.name}.md)" for page in chapter.pages)
        pages.append(Page(name, chapter.title, f"{chapter.intro} {links}", ""))
    intro = (
        "A local server that behaves like two paid video-generation APIs, Rivya and Ace Data "
        "Cloud's Hailuo videos. Build and test a client offline, and pay nothing."
    )
    return Group("", "hailuo-mock", intro, pages).list_of_pages


def _matches(patterns: str) -> list[Path]:
    found = [sorted(ROOT.glob(pattern)) for pattern in patterns.split()]
    return [path.relative_to(ROOT) for paths in found for path in paths]


def _written(path: Path) -> Page:
    """Title and first sentence of a page that somebody wrote."""
    text = (ROOT / path).read_text("utf-8")
    title, paragraph = _BEGINNING.findall(text)[0]
    plain = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", " ".join(paragraph.split()))
    sentence = re.split(r"(?<=\.) (?=[A-Z])", plain)[0]
    return Page(path.with_suffix("").as_posix(), title, sentence, "")
