"""Lengths of time that can be asked for."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

LONGEST_S = 10**9

Seconds = Annotated[float, Meta(ge=0, le=LONGEST_S)]
"""Seconds, up to some thirty years."""

LONGEST_MS = 1000 * LONGEST_S

Milliseconds = Annotated[int, Meta(ge=0, le=LONGEST_MS)]
"""The same in milliseconds."""
