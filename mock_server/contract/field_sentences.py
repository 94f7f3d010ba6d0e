"""What the docstrings of a type say about its fields."""

import re
from typing import get_args

import msgspec
from msgspec import Struct


def field_sentences(kind: type[Struct], path: str = "") -> dict[str, str]:
    """Path -> what the docstrings of a type, its bases and its members say of the field, after its
    name and a colon. A field without a sentence is left out."""
    fields = msgspec.structs.fields(kind)
    names = "|".join(field.encode_name for field in fields)
    found: dict[str, str] = {}
    for base in kind.__mro__:
        text = " ".join((base.__dict__.get("__doc__") or "").split())
        pieces = re.split(rf"(?:(?<=[.:] )|^)((?:{names})(?:, (?:{names}))*): ", text)
        for listed, sentence in zip(pieces[1::2], pieces[2::2], strict=True):
            without_heading = re.sub(r" [A-Z][a-z ]+:\s*$", "", sentence).strip()
            for name in listed.split(", "):
                found.setdefault(path + name, without_heading[0].upper() + without_heading[1:])
    for field in fields:
        for member in get_args(field.type):
            if isinstance(member, type) and issubclass(member, Struct):
                found |= field_sentences(member, f"{path}{field.encode_name}.")
    return found
