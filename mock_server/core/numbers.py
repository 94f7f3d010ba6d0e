"""Whole numbers that a document may bring along."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

MOST = 2**53 - 1
"""The largest whole number that every reader of JSON takes as it is (RFC 8259, 6)."""

Whole = Annotated[int, Meta(ge=-MOST, le=MOST)]
Count = Annotated[int, Meta(ge=0, le=MOST)]
Positive = Annotated[int, Meta(ge=1, le=MOST)]
