"""Checks the links of a built site: files and anchors, without the network."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ADDRESSES = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src"}


class _Html(HTMLParser):
    """Collects the targets and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[tuple[str, str]] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called for each element."""
        given = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}
        if target := given.get(ADDRESSES.get(tag, "")):
            self.targets.append((tag, target))


def broken_links(site: Path) -> tuple[int, list[str]]:
    """How many links there are, and a line for each that leads nowhere.

    A page must work without the network: whatever is no `<a>` and has a host counts as broken.
    """
    pages = {
        file.resolve(): _Html(file.read_text("utf-8"))
        for file in site.rglob("*.html")
        if file.relative_to(site).parts[0] != "_static"  # the theme has templates there
    }
    number, lines = 0, []
    for file, page in sorted(pages.items()):
        for tag, target in page.targets:
            number += 1
            if reason := _reason(file, tag, target, pages):
                lines.append(f"{file.relative_to(site.resolve())}: {target}: {reason}")
    return number, list(dict.fromkeys(lines))


def _reason(file: Path, tag: str, target: str, pages: dict[Path, _Html]) -> str:
    """Why a link is broken; empty if it is not."""
    url = urlsplit(target)
    if url.scheme in {"data", "mailto"}:
        return ""
    if url.scheme or url.netloc:
        return "" if tag == "a" else "is loaded from another host"
    goal = (file.parent / unquote(url.path)).resolve() if url.path else file
    if goal.is_dir():
        goal /= "index.html"
    if not goal.is_file():
        return "there is no such file"
    anchor = unquote(url.fragment)
    if anchor and goal in pages and anchor not in pages[goal].anchors:
        return "there is no such anchor"
    return ""
