"""A generated page, a group of them with its list, and the Markdown that they are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Page(NamedTuple):
    """A page. name: of its file, without `.md`. summary: one sentence. body: Markdown."""

    name: str
    title: str
    summary: str
    body: str

    @property
    def text(self) -> str:
        """The whole file."""
        return f"# {self.title}\n\n{self.summary}\n\n{self.body}"


class Group(NamedTuple):
    """Pages in one folder. intro: Markdown, above the list of the pages."""

    folder: str
    title: str
    intro: str
    pages: Sequence[Page]

    @property
    def list_of_pages(self) -> str:
        """The list of the pages, as a file."""
        rows = [(f"[{page.title}]({page.name}.md)", page.summary) for page in self.pages]
        names = [page.name for page in self.pages]
        listed = table(("page", "what"), rows)
        return f"# {self.title}\n\n{self.intro}\n\n{listed}\n{toctree(names)}"


def toctree(pages: Iterable[str]) -> str:
    """What the navigation shows below a page."""
    return "\n".join(["```{toctree}", ":hidden:", "", *pages, "```", ""])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table without its empty columns; an empty string without rows."""
    lines = [[cell(each) for each in row] for row in rows]
    kept = [column for column in range(len(header)) if any(line[column] for line in lines)]
    if not kept:
        return ""
    whole = [header, ["---"] * len(header), *lines]
    return "".join(f"| {' | '.join(line[column] for column in kept)} |\n" for line in whole)


def cell(text: str) -> str:
    """Text for a cell of a table: on one line, without a bar that would end the cell."""
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def prose(text: str) -> str:
    """Text for people as Markdown: what looks like HTML is text."""
    return re.sub(r"<(?=[^`]*(?:`[^`]*`[^`]*)*$)", r"\\<", text.strip())


def section(title: str, *parts: str) -> str:
    """A heading with what is below it; an empty string if that is nothing."""
    content = "\n\n".join(part for part in parts if part)
    return f"## {title}\n\n{content}\n" if content else ""


def code(kind: str, text: str) -> str:
    """A block of code."""
    return f"```{kind}\n{text.strip()}\n```"
