"""Reads tests/judge/corpus/clients.toml: small clients, and which rules must find them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from mock_server.judge.days import Need

CORPUS = Path(__file__).with_name("corpus")
BASES = tuple(sorted(each for each in CORPUS.glob("*/base/*.*") if each.is_file()))
"""Correct clients in small functions: a program beside their folder replaces some of these."""

Code = Annotated[str, Meta(pattern="^HM[1-9][0-9]{2}$")]
Language = Literal["python", "javascript", "shell"]
_LANGUAGE_OF: dict[str, Language] = {".py": "python", ".mjs": "javascript", ".sh": "shell"}
_PROGRAM_OF: dict[Language, str] = {"python": "python", "javascript": "node", "shell": "bash"}


class Client(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A program of the corpus. habit: in a sentence.

    codes: the rules that must find its mistake. notes: those that can only suspect it. Neither: it
    is correct.
    receives: whether it listens at the URL for callbacks. trap: the number of the right behaviour
    that looks wrong. restart: whether it can be killed and started again. expect_jobs, limit_s: as
    for `hailuo-mock judge`.
    """

    file: str
    api: Literal["rivya", "acedata"]
    library: Literal["requests", "httpx", "aiohttp", "urllib", "fetch", "undici", "curl"]
    codes: tuple[Code, ...] = ()
    notes: tuple[Code, ...] = ()
    habit: Annotated[str, Meta(pattern=r"^[A-Z].*\.$")]
    trap: int | None = None
    receives: bool = False
    restart: bool = False
    expect_jobs: int | None = None
    limit_s: float | None = None

    @property
    def mistakes(self) -> tuple[Code, ...]:
        """The codes of all that it does wrong."""
        return self.codes + self.notes

    @property
    def path(self) -> Path:
        """Where it is."""
        return CORPUS / self.file

    @property
    def text(self) -> str:
        """Its own text, and that of the bases that it uses."""
        return _with_bases(self.path)

    @property
    def is_base(self) -> bool:
        """Whether it only runs a base as it is."""
        return self.path.stem.startswith("unchanged_")

    @property
    def language(self) -> Language:
        """By the end of its name."""
        return _LANGUAGE_OF[self.path.suffix]

    @property
    def command(self) -> tuple[str, ...]:
        """What starts it."""
        return (_PROGRAM_OF[self.language], str(self.path))

    @property
    def given(self) -> set[Need]:
        """What days need and this client has."""
        receiver: set[Need] = {"receiver", "effects"} if self.receives else set()
        restart: set[Need] = {"restart"} if self.restart else set()
        return receiver | restart


def _with_bases(path: Path) -> str:
    """The text of a program or of a base, and that of the bases that it names."""
    text = path.read_text()
    folder = path.parent if path.parent.name == "base" else path.parent / "base"
    named = [
        each
        for each in BASES
        if each.parent == folder and each != path and re.search(rf"\b{each.stem}\b", text)
    ]
    return "\n".join([text, *map(_with_bases, named)])


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    clients: tuple[Client, ...]


def read_clients() -> tuple[Client, ...]:
    """Every client, in the order of the file. Raises msgspec.ValidationError."""
    told = tomllib.loads((CORPUS / "clients.toml").read_text())
    return msgspec.convert(told, _File).clients
